/*
 * store_fuzz.c - records, file names and folder names of the store
 *
 * What can be decoded encodes to the same bytes (records: those whose numbers
 * have one form), a folder name that parses is the one that is written, and a
 * name given a UID has it.
 */
#include "store/internal.h"

#include "mime/mime.h"
#include "unicode/unicode.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

static void
fuzz_message(struct bytes s)
{
	static const unsigned char key[KEY_MESSAGE] = {
	    0, 0, 0, 1, 0, 0, 0, 2 };
	struct buf out = BUF_INIT(1 << 22);
	struct store_message m, again;

	if (message_decode(bytes_of(key, sizeof(key)), s, &m) == 0 &&
	    message_encode(&out, &m) == 0) {
		require(message_decode(bytes_of(key, sizeof(key)),
		    buf_bytes(&out), &again) == 0);
		require(bytes_eq(m.base, again.base));
		require(bytes_eq(m.suffix, again.suffix));
		require(bytes_eq(m.envelope, again.envelope));
		require(bytes_eq(m.bodystructure, again.bodystructure));
		require(bytes_eq(m.preview, again.preview));
		require(bytes_eq(m.extension, again.extension));
		require(keywords_same(&m.keywords, &again.keywords));
		require(m.flags == again.flags && m.modseq == again.modseq);
		require(m.size == again.size && m.uid == again.uid);
	}
	buf_free(&out);
}

static void
fuzz_change(struct bytes s)
{
	static const unsigned char key[KEY_CHANGE] = { 1 };
	struct buf out = BUF_INIT(1 << 22);
	struct store_change c;

	if (change_decode(bytes_of(key, sizeof(key)), s, &c) == 0) {
		require(change_encode(&out, &c) == 0);
		require(bytes_eq(buf_bytes(&out), s));
	}
	buf_free(&out);
}

static void
fuzz_box(struct bytes s)
{
	struct buf out = BUF_INIT(1 << 22);
	struct mbox m, again;
	struct state st;

	if (mbox_decode(3, s, &m) == 0) {
		require(mbox_encode(&out, &m) == 0);
		require(mbox_decode(3, buf_bytes(&out), &again) == 0);
		require(bytes_eq(m.name, again.name));
		require(m.uidnext == again.uidnext && m.total == again.total);
		require(stamp_same(&m.stamp_cur, &again.stamp_cur));
	}
	buf_reset(&out);
	if (state_decode(s, &st) == 0)
		require(state_encode(&out, &st) == 0);
	buf_free(&out);
}

static void
fuzz_names(struct bytes s)
{
	struct buf out = BUF_INIT(8192), again = BUF_INIT(8192);
	struct maildir_name n;

	if (maildir_folder_parse(&out, s) == 0) {
		require(maildir_folder_format(&again, buf_bytes(&out)) == 0);
		require(bytes_eq(buf_bytes(&again), s));
	}
	maildir_name_parse(s, &n);
	require(n.base.n + n.suffix.n == s.n);
	buf_reset(&out);
	if (maildir_name_with_uid(&out, n.base, 77) == 0) {
		maildir_name_parse(buf_bytes(&out), &n);
		require(n.uid == 77 && n.suffix.n == 0);
	}
	buf_free(&out);
	buf_free(&again);
}

static void
fuzz_fields(struct bytes s)
{
	struct buf out = BUF_INIT(1 << 22);
	struct bytes area = s, value;
	enum store_tag tag;
	int r;

	while ((r = store_field_next(&area, &tag, &value)) == 1)
		require(store_field_add(&out, tag, value) == 0);
	require(bytes_eq(buf_bytes(&out), bytes_first(s, s.n - area.n)));
	buf_free(&out);
}

static void
fuzz_letters(struct bytes s)
{
	struct keywords k = { .count = 2, .flag_number = { -1, -1, -1, -1, -1,
	    -1, 1, -1, -1, -1 } };
	struct store_keywords bits, bits2;
	struct buf out = BUF_INIT(1000);
	struct maildir_name n;
	uint32_t flags, flags2;
	size_t i;

	for (i = 0; i < STORE_KEYWORDS_MAX; i++)
		k.name[i] = BYTES_EMPTY;
	k.name[0] = BYTES("blue");
	k.name[1] = BYTES("$Junk");
	letters_parse(&k, s, &flags, &bits);
	require(suffix_format(&out, &k, flags, &bits, s) == 0);
	maildir_name_parse(buf_bytes(&out), &n);
	letters_parse(&k, n.letters, &flags2, &bits2);
	require(flags == flags2 && keywords_same(&bits, &bits2));
	buf_free(&out);
}

/* The first byte is the length of a word, which the filters are asked for. */
static void
fuzz_text(struct bytes s)
{
	static const unsigned char old[] = { 1, 0, 0, 0, 0, 0 };
	int n = bytes_next(&s);
	struct bytes word = bytes_first(s, n == -1 ? 0 : (size_t)n);
	struct gram_query q;
	struct arena a = ARENA_INIT;
	const struct mime_part *part = NULL;
	size_t left = STORE_TEXT_MAX;
	struct gram_set *set = gram_set_new();
	struct mime_tree *tree;
	struct bytes own, text;

	gram_query_make(&q, word);
	/* A record of any bytes; none of them rules out the empty word. */
	(void)text_maybe(s, &q, true, true);
	require(text_maybe(s, &q, true, false) <=
	    text_maybe(s, &q, true, true));
	/* One of another format rules out nothing. */
	require(text_maybe(bytes_of(old, sizeof(old)), &q, true, true));
	/* The message's own: no word of its text is ruled out. */
	tree = mime_parse(&a, s);
	own = message_text(&a, tree, set);
	require(bytes_eq(own, message_text(&a, tree, set)));
	require(!text_differs(own, own));
	while (mime_next_text(&a, tree, &part, &left, &text)) {
		text = bytes_from(unicode_fold(&a, text), word.n);
		gram_query_make(&q, bytes_first(text, word.n));
		require(text_maybe(own, &q, false, true));
	}
	gram_set_free(set);
	arena_free(&a);
}

static void
fuzz_thread(struct bytes s)
{
	static const unsigned char key[KEY_MESSAGE] = {
	    0, 0, 0, 1, 0, 0, 0, 2 };
	struct buf out = BUF_INIT(THREAD_RECORD_MAX);
	struct store_thread t;

	if (thread_decode(bytes_of(key, sizeof(key)), s, &t) == 0) {
		require(t.parent_count <= STORE_PARENTS_MAX);
		require(t.reference_count <= STORE_REFERENCES_MAX);
		thread_encode(&out, &t);
		require(bytes_eq(buf_bytes(&out), s));
	}
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes s = bytes_of(data, size);
	int kind = bytes_next(&s);

	switch (kind) {
	case 'm':
		fuzz_message(s);
		break;
	case 'c':
		fuzz_change(s);
		break;
	case 'b':
		fuzz_box(s);
		break;
	case 'n':
		fuzz_names(s);
		break;
	case 'f':
		fuzz_fields(s);
		break;
	case 'l':
		fuzz_letters(s);
		break;
	case 't':
		fuzz_text(s);
		break;
	case 'h':
		fuzz_thread(s);
		break;
	default:
		break;
	}
	return 0;
}
