/*
 * flags.c - flags and keywords in responses, and FETCH responses of flags
 */
#include "imap/internal.h"

static struct bytes
keyword_name(struct imap *im, struct store_view *v, unsigned int i)
{
	struct bytes name;

	if (im->box.keyword[i].n == 0 &&
	    store_keyword_name(v, im->box.id, i, &name) == 1)
		im->box.keyword[i] = arena_bytes(&im->box.names, name);
	return im->box.keyword[i];
}

static bool
is_told(const struct box *b, unsigned int i)
{
	return store_keyword_has(&b->told, i);
}

static void
add_word(struct buf *out, bool *first, struct bytes word)
{
	if (word.n == 0)
		return;
	if (!*first)
		buf_addc(out, ' ');
	*first = false;
	buf_add(out, word);
}

static void
add_names(struct buf *out, bool *first, uint32_t flags)
{
	uint32_t flag;

	for (flag = 1; flag <= STORE_FLAGS_ALL; flag <<= 1) {
		if ((flags & flag) != 0)
			add_word(out, first,
			    bytes_str(store_flag_name(flag)));
	}
}

void
add_flags(struct imap *im, struct store_view *v,
    const struct store_message *m)
{
	bool first = true;
	unsigned int i;

	buf_addc(&im->out, '(');
	if (is_recent(&im->box, m->uid) && !enabled(im, CAP_IMAP4REV2))
		add_word(&im->out, &first, BYTES("\\Recent"));
	add_names(&im->out, &first, m->flags);
	for (i = 0; i < STORE_KEYWORDS_MAX; i++) {
		if (m->keywords.bits[i / 64] == 0) {
			i |= 63;
			continue;
		}
		if (store_keyword_has(&m->keywords, i) && is_told(&im->box, i))
			add_word(&im->out, &first, keyword_name(im, v, i));
	}
	buf_addc(&im->out, ')');
}

static void
add_flag_list(struct imap *im, struct store_view *v, bool *first)
{
	struct bytes name;
	unsigned int i;

	add_names(&im->out, first, STORE_FLAGS_ALL);
	for (i = 0; i < STORE_KEYWORDS_MAX; i++) {
		name = keyword_name(im, v, i);
		if (name.n > 0)
			im->box.told.bits[i / 64] |= UINT64_C(1) << (i % 64);
		if (store_flag_find(name) == 0)
			add_word(&im->out, first, name);
	}
}

void
add_flag_lists(struct imap *im, struct store_view *v, bool permanent)
{
	bool first = true;

	im->box.keywords_changed = false;
	buf_adds(&im->out, "* FLAGS (");
	add_flag_list(im, v, &first);
	buf_adds(&im->out, ")\r\n");
	if (!permanent)
		return;
	first = true;
	buf_adds(&im->out, "* OK [PERMANENTFLAGS (");
	if (!im->box.read_only) {
		add_flag_list(im, v, &first);
		add_word(&im->out, &first, BYTES("\\*"));
	}
	buf_adds(&im->out, ")] flags that are kept\r\n");
}

void
tell_keywords(struct imap *im, struct store_view *v,
    const struct store_message *m)
{
	size_t i;

	for (i = 0; i < STORE_KEYWORDS_MAX / 64; i++) {
		if ((m->keywords.bits[i] & ~im->box.told.bits[i]) != 0) {
			add_flag_lists(im, v, false);
			return;
		}
	}
}

bool
keywords_untold(struct imap *im, struct store_view *v)
{
	unsigned int i;

	for (i = 0; i < STORE_KEYWORDS_MAX; i++) {
		if (!is_told(&im->box, i) && keyword_name(im, v, i).n > 0)
			return true;
	}
	return false;
}

void
keywords_are_told(struct imap *im, struct store_view *v)
{
	unsigned int i;

	for (i = 0; i < STORE_KEYWORDS_MAX; i++) {
		if (keyword_name(im, v, i).n > 0)
			im->box.told.bits[i / 64] |= UINT64_C(1) << (i % 64);
	}
}

void
add_fetch_head(struct imap *im, size_t index)
{
	bool by_uid = enabled(im, CAP_UIDONLY);

	/* Once for each message of a FETCH: no printf. */
	buf_adds(&im->out, "* ");
	buf_addnum(&im->out, by_uid ? box_uid(&im->box, index) : index + 1);
	buf_adds(&im->out, by_uid ? " UIDFETCH (" : " FETCH (");
}

void
add_flags_response(struct imap *im, struct store_view *v, size_t index,
    const struct store_message *m, bool with_uid, bool silent)
{
	const char *before = "";

	if (!silent)
		tell_keywords(im, v, m);
	add_fetch_head(im, index);
	if (with_uid && !enabled(im, CAP_UIDONLY)) {
		buf_adds(&im->out, "UID ");
		buf_addnum(&im->out, m->uid);
		before = " ";
	}
	if (!silent) {
		buf_adds(&im->out, before);
		buf_adds(&im->out, "FLAGS ");
		add_flags(im, v, m);
		before = " ";
	}
	if (enabled(im, CAP_CONDSTORE))
		buf_printf(&im->out, "%sMODSEQ (%llu)", before,
		    (unsigned long long)m->modseq);
	buf_adds(&im->out, ")\r\n");
}
