/*
 * junk_fuzz.c - any bytes as a message to judge, and as a text
 *
 * Properties: words are within their limits, valid UTF-8 where they came from
 * a text; with and without their names the words are the same, and the same
 * again in a set that was in use. A text has the same words read in blocks and
 * without them.
 */
#include <assert.h>

#include "junk/internal.h"
#include "unicode/unicode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct junk_words *a, struct junk_words *b)
{
	size_t i;

	assert(a->n == b->n && a->n <= JUNK_WORDS_MAX);
	for (i = 0; i < a->n; i++) {
		struct bytes text = junk_word_text(a, &a->word[i]);

		assert(a->word[i].hash == b->word[i].hash);
		assert(a->word[i].hash != 0);
		assert(text.n <= 512);
		assert(!bytes_starts(text, BYTES("x:")) ||
		    unicode_valid_utf8(text));
		assert(junk_word_text(b, &b->word[i]).n == 0);
	}
}

static void
check_blocks(struct bytes in, bool traits)
{
	struct junk_prefix none = junk_prefix_of(BYTES_EMPTY);
	struct junk_words a, b;
	size_t i;

	junk_words_init(&a, 1, true);
	junk_words_init(&b, 1, true);
	junk_read_text_as(&a, &none, in, traits, false);
	junk_read_text_as(&b, &none, in, traits, junk_has_blocks());
	assert(a.n == b.n);
	for (i = 0; i < a.n; i++) {
		assert(a.word[i].hash == b.word[i].hash);
		assert(bytes_eq(junk_word_text(&a, &a.word[i]),
		    junk_word_text(&b, &b.word[i])));
	}
	junk_words_free(&a);
	junk_words_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct junk_words a, b;
	struct bytes in = bytes_of(data, size);

	junk_words_init(&a, size % 8, true);
	junk_words_init(&b, size % 8, false);
	junk_words_read(&a, in);
	junk_words_read(&b, in);
	check(&a, &b);
	/* the set is used again: nothing is left of what was there */
	junk_words_read(&b, BYTES("Subject: another\n\nlonger text\n"));
	junk_words_read(&b, in);
	check(&a, &b);
	junk_words_add(&a, BYTES("x:"), in);
	junk_words_add(&b, BYTES("x:"), in);
	check(&a, &b);
	junk_words_free(&a);
	junk_words_free(&b);
	check_blocks(in, size % 2 == 0);
	return 0;
}
