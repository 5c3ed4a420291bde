/*
 * junk_words_test.c - words and scores found fast are those found slowly (J-8,
 * J-9): against a plain statement of the rules, over texts by chance
 */
#include "junk/internal.h"

#include "unicode/unicode.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- a plain statement of what a word is ---- */

#define WORDS_MAX 30000
#define LONG 2000	/* no word of these texts is longer */

struct plain {
	struct arena arena;
	struct bytes word[WORDS_MAX];
	size_t n, urls;
};

/* One word that is built: kinds are d(igit), l(etter), i(deograph), '. */
struct building {
	unsigned char byte[LONG];
	char kind[LONG];
	bool upper[LONG];
	size_t n;
};

static void
plain_put(struct plain *p, const char *prefix, struct bytes word)
{
	struct bytes name = bytes_str(arena_printf(&p->arena, "%s%.*s",
	    prefix, BYTES_ARG(word)));
	size_t i;

	for (i = 0; i < p->n; i++) {
		if (bytes_eq(p->word[i], name))
			return;
	}
	assert_true(p->n < WORDS_MAX);
	p->word[p->n++] = name;
}

static void
append(struct building *b, struct bytes s, char kind, bool upper)
{
	size_t i;

	for (i = 0; i < s.n && b->n < LONG; i++, b->n++) {
		b->byte[b->n] = s.p[i];
		b->kind[b->n] = kind;
		b->upper[b->n] = upper;
	}
}

static void
append_code_point(struct building *b, uint32_t c, char kind, bool upper)
{
	struct buf utf8 = BUF_INIT(8);

	assert_int_equal(unicode_put(&utf8, c), 0);
	append(b, buf_bytes(&utf8), kind, upper);
	buf_free(&utf8);
}

static size_t
count_kind(const struct building *b, char kind)
{
	size_t i, n = 0;

	for (i = 0; i < b->n; i++)
		n += b->kind[i] == kind;
	return n;
}

static bool
is_ascii(const struct building *b)
{
	return bytes_is_ascii(bytes_of(b->byte, b->n));
}

/* The longest run of bytes, digits or those of a set. */
static size_t
longest(const struct building *b, bool digits, const char *set)
{
	size_t i, run = 0, best = 0;

	for (i = 0; i < b->n; i++) {
		bool in = digits ? b->kind[i] == 'd' : b->byte[i] != 0 &&
		    strchr(set, b->byte[i]) != NULL;

		run = in ? run + 1 : 0;
		best = run > best ? run : best;
	}
	return best;
}

static bool
all_hex(const struct building *b, size_t from)
{
	size_t i;

	for (i = from; i < b->n; i++) {
		if (b->kind[i] == 'd')
			continue;
		if (b->byte[i] == 0 ||
		    strchr("abcdef", b->byte[i]) == NULL)
			return false;
	}
	return true;
}

/* "0x" and hex digits of ASCII; or digits of any script and a to f. */
static bool
looks_hex(const struct building *b)
{
	if (b->n > 2 && b->byte[0] == '0' && b->byte[1] == 'x')
		return is_ascii(b) && all_hex(b, 2);
	return all_hex(b, 0);
}

static bool
all_upper(const struct building *b)
{
	size_t i;

	for (i = 0; i < b->n; i++) {
		if (!b->upper[i])
			return false;
	}
	return true;
}

static void
plain_end(struct plain *p, struct building *b, const char *prefix,
    bool traits, int next)
{
	struct bytes word = bytes_of(b->byte, b->n);
	size_t digits = longest(b, true, NULL);
	bool random = is_ascii(b) &&
	    longest(b, false, "bcdfghjklmnpqrstvwxz23456789") >= 6;
	bool number = digits >= 4 || (digits >= 3 && looks_hex(b));

	if (b->n > 0 && count_kind(b, 'd') == b->n) {
		if (traits && b->n <= 12 && next == '%')
			plain_put(p, "=", bytes_str(arena_printf(&p->arena,
			    "%.*s%%", BYTES_ARG(word))));
	} else if (b->n >= 2 && b->n <= 40 && !random && !number) {
		plain_put(p, prefix, word);
		if (traits && b->n >= 3 && all_upper(b))
			plain_put(p, "^", word);
	}
	b->n = 0;
}

static void plain_text(struct plain *p, const char *prefix, struct bytes s,
    bool traits);

static void
plain_url(struct plain *p, struct bytes url)
{
	struct bytes host, path = BYTES_EMPTY;
	char lower[300];
	size_t n, i;

	if (p->urls++ >= 1000)
		return;
	for (n = 0; n < url.n && n < 455; n++) {
		if (url.p[n] <= ' ' || strchr("\"'<>", url.p[n]) != NULL)
			break;
	}
	host = bytes_first(url, n);
	if (bytes_chr(host, '/', &i)) {
		path = bytes_first(bytes_from(host, i + 1), 200);
		host = bytes_first(host, i);
	}
	if (bytes_rchr(host, '@', &i))
		host = bytes_from(host, i + 1);
	if (bytes_chr(host, ':', &i))
		host = bytes_first(host, i);
	host = bytes_first(host, 255);
	for (i = 0; i < host.n; i++)
		lower[i] = (char)(ascii_is_upper(host.p[i]) ? host.p[i] + 32
		    : host.p[i]);
	host = bytes_of(lower, host.n);
	if (host.n > 0)
		plain_put(p, "url:", host);
	if (host.n > 0 && ascii_is_digit(host.p[host.n - 1])) {
		plain_put(p, "url:", BYTES("[ip]"));
	} else {
		for (i = 0; i < host.n; i++) {
			if (host.p[i] == '.')
				plain_put(p, "url:", bytes_from(host, i));
		}
	}
	plain_text(p, "path:", path, false);
}

/* "$$$" up to eight of them, "$100"; how many bytes the marks are. */
static size_t
plain_marks(struct plain *p, struct bytes s)
{
	size_t n = 1, digits = 0;

	while (n < s.n && s.p[n] == s.p[0])
		n++;
	plain_put(p, "=", bytes_first(s, n > 8 ? 8 : n));
	while (digits < 11 && ascii_is_digit(bytes_at(s, 1 + digits)))
		digits++;
	if (s.p[0] == '$' && n == 1 && digits > 0)
		plain_put(p, "=", bytes_first(s, 1 + digits));
	return n;
}

/* An ASCII sign that is no letter or digit; how many bytes it takes. */
static size_t
plain_sign(struct plain *p, struct building *b, const char *prefix,
    struct bytes s, bool traits)
{
	struct bytes word = bytes_of(b->byte, b->n);

	if (s.p[0] == '\'' && count_kind(b, 'l') + count_kind(b, '\'') > 0 &&
	    b->kind[b->n - 1] != 'd' && ascii_is_alpha(bytes_at(s, 1))) {
		append(b, BYTES("'"), '\'', true);
		return 1;
	}
	if (traits && bytes_starts(s, BYTES("://")) &&
	    (bytes_eq(word, BYTES("http")) ||
	    bytes_eq(word, BYTES("https")))) {
		b->n = 0;
		plain_url(p, bytes_from(s, 3));
		return 1;
	}
	plain_end(p, b, prefix, traits, s.p[0]);
	if (traits && (s.p[0] == '!' || s.p[0] == '?' || s.p[0] == '$'))
		return plain_marks(p, s);
	return 1;
}

/* A character of another script, or no character. */
static void
plain_beyond(struct plain *p, struct building *b, const char *prefix,
    struct bytes *s, bool traits)
{
	uint32_t c, lower, next;
	struct bytes rest;
	enum unicode_class class = UNICODE_OTHER;

	if (unicode_next(s, &c) == 1)
		class = unicode_classify(c, &lower);
	else
		c = 0;
	if (class == UNICODE_LETTER || class == UNICODE_DIGIT) {
		append_code_point(b, lower, class == UNICODE_DIGIT
		    ? 'd' : 'l', false);
	} else if (class == UNICODE_IDEOGRAPH) {
		plain_end(p, b, prefix, traits, bytes_at(*s, 0));
		rest = *s;
		if (unicode_next(&rest, &next) == 1 &&
		    unicode_classify(next, &lower) == UNICODE_IDEOGRAPH) {
			append_code_point(b, c, 'i', false);
			append_code_point(b, next, 'i', false);
			plain_put(p, prefix, bytes_of(b->byte, b->n));
			b->n = 0;
		}
	} else if (c == 0x2019 && b->n > 0 &&
	    ascii_is_alpha(bytes_at(*s, 0))) {
		append(b, BYTES("'"), '\'', true);
	} else if (class == UNICODE_OTHER) {
		plain_end(p, b, prefix, traits, bytes_at(*s, 0));
	}
}

static void
plain_text(struct plain *p, const char *prefix, struct bytes s, bool traits)
{
	struct building *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	while (s.n > 0) {
		unsigned char c = s.p[0], low = c;

		if (c >= 0x80) {
			plain_beyond(p, b, prefix, &s, traits);
		} else if (ascii_is_alpha(c)) {
			low |= 32;
			append(b, bytes_of(&low, 1), 'l', low != c);
			s = bytes_from(s, 1);
		} else if (ascii_is_digit(c)) {
			append(b, bytes_of(&low, 1), 'd', false);
			s = bytes_from(s, 1);
		} else {
			s = bytes_from(s, plain_sign(p, b, prefix, s,
			    traits));
		}
	}
	plain_end(p, b, prefix, traits, -1);
	free(b);
}

/* ---- texts by chance ---- */

static const char *const pieces[] = {
	"a", "e", "i", "o", "u", "y", "m", "q", "b", "xz", "dfgh", "A", "Z",
	"CDE", "QWRT", "Y", "0", "1", "2", "9", "78", "123", "0x", "face",
	"'", "'", "\xe2\x80\x99", " ", " ", "\n", "-", "@", "[", "`", "{", "/",
	":", ".", "!", "!!!!!!!!!!", "?", "$", "$1", "%", "the", "free ",
	"offer ", "http://", "https://x.example/p?q", "HTTP://", "\xc3\xa4",
	"\xc3\x84", "\xce\xb1", "\xd0\x96", "\xd9\xa3", "\xef\xbc\x91",
	"\xe6\x97\xa5", "\xe6\x9c\xac", "\xc2\xad", "\xcc\x81",
	"\xf0\x9d\x90\x80", "\xf0\x9f\x98\x80", "\xff", "\xc3", "\xe2\x80",
	"\xc1\xa1", "\xed\xa0\x80",
	"bcdfghjklmnpqrstvwxz", "aeiouaeiou", "abcdefghijklmnopqrstuvwxyz",
};

static uint64_t
chance(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x * 0x9e3779b97f4a7c15u >> 20;
}

/* Of some of the pieces, so that each text is one of a kind. */
static size_t
make_text(unsigned char *out, size_t max, uint64_t *x)
{
	size_t n = 0, size, first = chance(x) % COUNT(pieces);
	size_t kinds = 1 + chance(x) % COUNT(pieces), blanks = chance(x) % 6;
	const char *s;

	max = chance(x) % max;
	while (n < max) {
		if (blanks > 0 && chance(x) % (1 + blanks) == 0) {
			out[n++] = " \n.,"[chance(x) % 4];
			continue;
		}
		if (chance(x) % 60 == 0) {
			out[n] = (unsigned char)chance(x);
			n += out[n] != 0;
			continue;
		}
		s = pieces[(first + chance(x) % kinds) % COUNT(pieces)];
		size = strlen(s);
		memcpy(out + n, s, size);
		n += size;
	}
	return n;
}

/* Both ways to read a text, where this processor has both. */
static void
same_words(struct bytes text, bool traits)
{
	static const char *const prefixes[] = { "", "subject:" };
	struct plain *p = calloc(1, sizeof(*p));
	struct junk_words w;
	size_t i, k, n;

	assert_non_null(p);
	for (n = 0; n < COUNT(prefixes) + junk_has_blocks(); n++) {
		struct junk_prefix prefix = junk_prefix_of(bytes_str(
		    prefixes[k = n % COUNT(prefixes)]));

		*p = (struct plain){ .arena = ARENA_INIT };
		junk_words_init(&w, 1, true);
		junk_read_text_as(&w, &prefix, text, traits,
		    n >= COUNT(prefixes));
		plain_text(p, prefixes[k], text, traits);
		for (i = 0; i < w.n || i < p->n; i++) {
			struct bytes a = i < w.n ? junk_word_text(&w,
			    &w.word[i]) : BYTES("(none)");
			struct bytes b = i < p->n ? p->word[i]
			    : BYTES("(none)");

			if (!bytes_eq(a, b))
				fail_msg("word %zu: \"%.*s\", not \"%.*s\" "
				    "of\n%.*s", i, BYTES_ARG(a), BYTES_ARG(b),
				    BYTES_ARG(text));
		}
		junk_words_free(&w);
		arena_free(&p->arena);
	}
	free(p);
}

/* J-8 */
static void
words_are_those_of_the_rules(void **state)
{
	static unsigned char text[1000 + 100];
	unsigned char *copy;
	uint64_t x = 42;
	size_t i, n;

	(void)state;
	for (i = 0; i < 12000; i++) {
		n = make_text(text, i % 100 == 0 ? 1000 : 150, &x);
		/* its own block: what is read behind it is seen */
		copy = malloc(n + 1);
		assert_non_null(copy);
		memcpy(copy, text, n);
		same_words(bytes_of(copy, n), i % 2 == 0);
		free(copy);
	}
}

/* Each place of a byte in its eight, each byte. */
static void
bytes_are_classed_at_each_place(void **state)
{
	unsigned char text[24];
	size_t at;
	int c;

	(void)state;
	for (c = 0; c < 256; c++) {
		for (at = 0; at < 18; at++) {
			memset(text, 'e', sizeof(text));
			text[at] = (unsigned char)c;
			same_words(bytes_of(text, sizeof(text)), true);
			memset(text, 'D', sizeof(text));
			text[at] = (unsigned char)c;
			text[at + 6] = 'a';
			same_words(bytes_of(text, sizeof(text)), true);
			memset(text, '7', sizeof(text));
			text[at] = (unsigned char)c;
			text[(at + 4) % 18] = 'e';
			text[(at + 7) % 18] = 'u';
			same_words(bytes_of(text, sizeof(text)), true);
		}
	}
}

/* Each place of a byte in a block of 64 and around its end, each byte, within
 * short and long words, capitals and digits. */
static void
bytes_are_classed_at_each_place_of_a_block(void **state)
{
	static const char *const fill[] = { "ee e aei ", "Dac DAC ABBAT aiD ",
	    "12 e 7ea 77e 12a ", "lodelodelodelodel ", "ndrstx dndrst " };
	unsigned char text[64 + 64 + 20];
	size_t at, i, k;
	int c;

	(void)state;
	for (c = 0; c < 256; c++) {
		for (at = 0; at < 70; at++) {
			k = (at + (size_t)c) % COUNT(fill);
			for (i = 0; i < sizeof(text); i++)
				text[i] = (unsigned char)
				    fill[k][i % strlen(fill[k])];
			text[at] = (unsigned char)c;
			same_words(bytes_of(text, sizeof(text)), c % 2 == 0);
		}
	}
}

/* Words of each length at each place of a block, all of them there. */
static void
words_of_each_length_are_found(void **state)
{
	const struct bytes more = BYTES(" Some MORE 9b");
	unsigned char text[300];
	size_t at, n, i;

	(void)state;
	for (n = 1; n <= 140; n++) {
		for (at = 0; at < 64; at++) {
			memset(text, ' ', sizeof(text));
			for (i = 0; i < n; i++)
				text[at + i] = "aeiou"[(i + n) % 5];
			memcpy(text + at + n, more.p, more.n);
			same_words(bytes_of(text, sizeof(text)), true);
		}
	}
}

/* Longer texts, most of whose words are plain, in blocks and without. */
static void
blocks_change_nothing(void **state)
{
	static unsigned char text[6000 + 100];
	const struct bytes eight = BYTES("a vUe9nt");
	struct junk_prefix none = junk_prefix_of(BYTES_EMPTY);
	struct junk_words w[2];
	uint64_t x = 99;
	size_t i, k, n, at, plain;

	(void)state;
	for (i = 0; i < 3000; i++) {
		n = make_text(text, 6000, &x);
		plain = chance(&x) % 4;
		for (at = 0; plain > 0 && at + 40 < n; at += 8) {
			if (chance(&x) % 4 < plain)
				memcpy(text + at, eight.p, eight.n);
		}
		for (k = 0; k < 2; k++) {
			junk_words_init(&w[k], 1, i % 3 > 0);
			junk_read_text_as(&w[k], &none, bytes_of(text, n),
			    i % 2 == 0, k == 1 && junk_has_blocks());
		}
		assert_int_equal(w[0].n, w[1].n);
		for (k = 0; k < w[0].n; k++) {
			assert_true(w[0].word[k].hash == w[1].word[k].hash);
			assert_false(w[1].word[k].is_head);
			assert_true(bytes_eq(
			    junk_word_text(&w[0], &w[0].word[k]),
			    junk_word_text(&w[1], &w[1].word[k])));
		}
		junk_words_free(&w[0]);
		junk_words_free(&w[1]);
	}
}

/* Tables have been written with them. */
static const struct {
	const char *word;
	uint64_t hash;
} hashes[] = {
	{ "subject:the", 0x602ed013de838358u },
	{ "subject:abcdefgh123", 0xe3255f70a7df819cu },
	{ "subject:the abcdefgh123", 0xaef7a9a710dfc197u },
	{ "subject:offer", 0xd42553b9127a5e6cu },
	{ "subject:abcdefgh123 offer", 0xba5d66882292d25cu },
	{ "subject:the abcdefgh123 offer", 0x7c4b06fa77e9fff1u },
	{ "subject:internationalization", 0xb436fcb1855aad12u },
	{ "subject:don't", 0xcce24a8fa3acc989u },
	{ "subject:internationalization don't", 0x452d1d278fd73f2eu },
};

static void
hashes_stay(void **state)
{
	struct junk_words w;
	size_t i, k;

	(void)state;
	junk_words_init(&w, 7, true);
	junk_words_add(&w, BYTES("subject:"), BYTES("the abcdefgh123 offer "
	    "internationalization don't"));
	for (i = 0; i < COUNT(hashes); i++) {
		for (k = 0; k < w.n && !bytes_eq(junk_word_text(&w,
		    &w.word[k]), bytes_str(hashes[i].word)); k++)
			continue;
		assert_true(k < w.n);
		assert_true(w.word[k].hash == hashes[i].hash);
		/* of both ways to make one */
		assert_true(w.word[k].hash == junk_hash(junk_prefix_of(
		    BYTES("subject:")).seed, bytes_from(bytes_str(
		    hashes[i].word), 8).p, strlen(hashes[i].word) - 8));
	}
	junk_words_free(&w);
}

/* ---- the set ---- */

static size_t
read_numbered(struct junk_words *w, size_t n)
{
	struct buf b = BUF_INIT(1000000);
	size_t i, k;

	(void)buf_adds(&b, "\n");
	for (k = 0; k < 2; k++) {
		for (i = 0; i < n; i++) {
			(void)buf_printf(&b, "w%c%c%c%c ",
			    'a' + (int)(i % 26), 'a' + (int)(i / 26 % 26),
			    'a' + (int)(i / 676 % 26), "aeiou"[i / 17576]);
		}
	}
	junk_words_read(w, buf_bytes(&b));
	buf_free(&b);
	return w->n;
}

/* As a set grows and begins anew each word is there once, up to the most. */
static void
sets_grow_and_begin_anew(void **state)
{
	static const size_t sizes[] = { 1, 300, 511, 512, 513, 2048, 2049,
	    8193, 19000, 3, 8193, 20000, 30000, 100 };
	struct junk_words w;
	size_t i, traits;

	(void)state;
	junk_words_init(&w, 1, true);
	traits = read_numbered(&w, 0);
	assert_true(traits > 0);
	for (i = 0; i < COUNT(sizes); i++)
		assert_int_equal(read_numbered(&w, sizes[i]),
		    sizes[i] + traits < JUNK_WORDS_MAX ? sizes[i] + traits
		    : JUNK_WORDS_MAX);
	assert_true(junk_words_has(&w, BYTES("wvdaa")));
	junk_words_free(&w);
}

/* Short of 16 bits of their hash and their slot some are the same. */
static void
words_are_told_by_all_of_their_hash(void **state)
{
	struct junk_words w;
	size_t i, n = 0;
	char prefix[20];

	(void)state;
	for (i = 0; i < 40; i++) {
		struct buf b = BUF_INIT(200000);
		size_t k;

		for (k = 0; k < 15000; k++)
			(void)buf_printf(&b, "w%c%c%c ", 'a' + (int)(k % 26),
			    'a' + (int)(k / 26 % 26), 'a' + (int)(k / 676));
		(void)snprintf(prefix, sizeof(prefix), "p%zu:", i);
		junk_words_init(&w, 1, false);
		junk_words_add(&w, bytes_str(prefix), buf_bytes(&b));
		n += w.n;
		junk_words_free(&w);
		buf_free(&b);
	}
	assert_int_equal(n, 40 * 15000);
}

/* ---- the score ---- */

/* Words by chance, of few or many messages. */
static void
train_some(struct junk_file *file, uint64_t *x)
{
	struct junk_batch *b = junk_batch_new();
	struct junk_words w;
	char text[100];
	size_t i, k;

	junk_words_init(&w, 1, false);
	for (i = 0; i < 400; i++) {
		junk_words_free(&w);
		junk_words_init(&w, 1, false);
		for (k = 0; k < 200; k++) {
			uint64_t n = chance(x) % 30000;

			n = n * n / 30000;
			(void)snprintf(text, sizeof(text), "w%c%c%c%c",
			    'a' + (int)(n % 26), 'a' + (int)(n / 26 % 26),
			    'a' + (int)(n / 676 % 26), "aeiou"[n / 17576]);
			junk_words_add(&w, BYTES_EMPTY, bytes_str(text));
		}
		junk_batch_add(b, &w, chance(x) % 3 == 0, 1);
	}
	assert_int_equal(junk_batch_write(b, file->txn, file->table), 0);
	junk_words_free(&w);
	junk_batch_free(b);
}

/* The counts one by one, and of all words as junk_score has them. */
static void
same_counts(struct junk_file *file, struct junk_counts *c,
    const struct junk_words *w)
{
	uint32_t (*all)[2] = calloc(w->n, sizeof(*all)), one[2];
	unsigned char key[8];
	struct bytes value;
	size_t i, there = 0;

	assert_non_null(all);
	assert_int_equal(junk_counts_all(c, w, all), 0);
	for (i = 0; i < w->n; i++) {
		one[0] = one[1] = 0;
		be64_put(key, w->word[i].hash);
		if (kv_get(file->txn, file->table, bytes_of(key, 8),
		    &value) == 1)
			assert_int_equal(junk_value_get(value, one), 0);
		assert_int_equal(all[i][0], one[0]);
		assert_int_equal(all[i][1], one[1]);
		there += one[0] + one[1] > 0;
	}
	assert_true(there > w->n / 4 && there < w->n);
	free(all);
}

/* J-9: from a view, from who writes and from memory, to the last bit. */
static void
scores_are_the_same_from_everywhere(void **state)
{
	char dir[] = "/tmp/junk_words_test.XXXXXX", path[100];
	struct junk_score score[4];
	struct junk_counts *c;
	struct junk_file file;
	struct junk_words w;
	uint64_t x = 5;
	const char *why;
	size_t i;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/w.mdb", dir);
	junk_words_init(&w, 1, true);
	assert_true(read_numbered(&w, 18000) > 18000);
	assert_int_equal(junk_file_open(&file, path, true, &why), 0);
	train_some(&file, &x);
	assert_int_equal(junk_file_close(&file, true), 0);
	for (i = 0; i < 4; i++) {
		assert_int_equal(junk_file_open(&file, path, i % 2 == 1,
		    &why), 0);
		c = junk_counts_open(file.txn, file.table);
		if (i < 2)
			same_counts(&file, c, &w);
		else
			assert_int_equal(junk_counts_load(c), 0);
		assert_int_equal(junk_score(c, &w, &JUNK_DEFAULT, &score[i]),
		    0);
		assert_true(score[i].known > 1000);
		assert_memory_equal(&score[i].probability,
		    &score[0].probability, sizeof(double));
		assert_memory_equal(score[i].spammy, score[0].spammy,
		    sizeof(score[0].spammy));
		junk_counts_close(c);
		assert_int_equal(junk_file_close(&file, false), 0);
	}
	junk_words_free(&w);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/w.mdb-lock", dir);
	(void)unlink(path);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "words are those of the rules (J-8)",
		    words_are_those_of_the_rules, NULL, NULL, NULL },
		{ "bytes are classed at each place (J-8)",
		    bytes_are_classed_at_each_place, NULL, NULL, NULL },
		{ "bytes are classed at each place of a block (J-8)",
		    bytes_are_classed_at_each_place_of_a_block, NULL, NULL,
		    NULL },
		{ "words of each length are found (J-8)",
		    words_of_each_length_are_found, NULL, NULL, NULL },
		{ "blocks change nothing (J-8)", blocks_change_nothing, NULL,
		    NULL, NULL },
		{ "hashes of words stay what they were", hashes_stay, NULL,
		    NULL, NULL },
		{ "words are told by all of their hash",
		    words_are_told_by_all_of_their_hash, NULL, NULL, NULL },
		{ "sets grow and begin anew", sets_grow_and_begin_anew, NULL,
		    NULL, NULL },
		{ "scores are the same from everywhere (J-9)",
		    scores_are_the_same_from_everywhere, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
