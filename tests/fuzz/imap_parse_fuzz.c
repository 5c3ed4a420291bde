/*
 * imap_parse_fuzz.c - what a client's commands say: parse, format, parse
 * again, format again: nothing is lost and nothing is put in
 *
 * The first byte chooses: search keys, items of FETCH, a set, flags, a date,
 * strings, or a mailbox name with and without UTF8=ACCEPT.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "imap/search.h"
#include "unicode/unicode.h"

#define INPUT_MAX 4096
#define TEXT_MAX ((size_t)1 << 20)
#define DAY 86400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

/* ---- sets ---- */

static void
add_end(struct buf *out, uint32_t n)
{
	if (n == IMAP_STAR)
		buf_addc(out, '*');
	else
		buf_printf(out, "%lu", (unsigned long)n);
}

static void
add_set(struct buf *out, const struct imap_set *set)
{
	size_t i;

	if (set->saved)
		buf_addc(out, '$');
	for (i = 0; i < set->n; i++) {
		if (i > 0)
			buf_addc(out, ',');
		add_end(out, set->ranges[i].first);
		buf_addc(out, ':');
		add_end(out, set->ranges[i].last);
	}
}

/* ---- search keys ---- */

static void
add_day(struct buf *out, int64_t day)
{
	static const char month[12][4] = { "Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t t = day * DAY;
	struct tm tm;

	must(gmtime_r(&t, &tm) != NULL);
	buf_printf(out, "%d-%s-%04d", tm.tm_mday, month[tm.tm_mon],
	    tm.tm_year + 1900);
}

static const char *
date_word(enum key_kind kind)
{
	static const char *const word[] = { "BEFORE ", "ON ", "SINCE ",
	    "SENTBEFORE ", "SENTON ", "SENTSINCE ", "SAVEDBEFORE ",
	    "SAVEDON ", "SAVEDSINCE " };

	return word[kind - KEY_BEFORE];
}

static void
add_flag_key(struct buf *out, const struct search_key *k)
{
	const char *word = k->flags == STORE_SEEN ? "SEEN"
	    : k->flags == STORE_ANSWERED ? "ANSWERED"
	    : k->flags == STORE_FLAGGED ? "FLAGGED"
	    : k->flags == STORE_DELETED ? "DELETED"
	    : k->flags == STORE_DRAFT ? "DRAFT" : NULL;

	if (word == NULL || k->field.n > 0)
		buf_printf(out, "%sKEYWORD %.*s", k->want ? "" : "UN",
		    BYTES_ARG(k->field));
	else
		buf_printf(out, "%s%s", k->want ? "" : "UN", word);
}

static void add_key(struct buf *out, const struct search_key *k);

static void
add_keys(struct buf *out, const struct search_key *k)
{
	for (; k != NULL; k = k->next) {
		add_key(out, k);
		if (k->next != NULL)
			buf_addc(out, ' ');
	}
}

static void
add_text_key(struct buf *out, const struct search_key *k)
{
	if (k->kind == KEY_HEADER) {
		buf_adds(out, "HEADER ");
		imap_add_astring(out, k->field);
		buf_addc(out, ' ');
	} else {
		buf_adds(out, k->kind == KEY_BODY ? "BODY " : "TEXT ");
	}
	imap_add_string(out, k->text);
}

static void
add_number_key(struct buf *out, const struct search_key *k)
{
	const char *word = k->kind == KEY_LARGER ? "LARGER"
	    : k->kind == KEY_SMALLER ? "SMALLER"
	    : k->kind == KEY_OLDER ? "OLDER"
	    : k->kind == KEY_YOUNGER ? "YOUNGER" : "MODSEQ";

	buf_printf(out, "%s %llu", word, (unsigned long long)k->number);
}

static void
add_key(struct buf *out, const struct search_key *k)
{
	switch (k->kind) {
	case KEY_ALL:
		buf_adds(out, "ALL");
		break;
	case KEY_NONE:
		buf_adds(out, "NOT ALL");
		break;
	case KEY_RECENT:
		buf_adds(out, !k->want ? "OLD" : k->flags != 0 ? "NEW"
		    : "RECENT");
		break;
	case KEY_AND:
		buf_addc(out, '(');
		add_keys(out, k->children);
		buf_addc(out, ')');
		break;
	case KEY_OR:
	case KEY_NOT:
		buf_adds(out, k->kind == KEY_OR ? "OR " : "NOT ");
		add_keys(out, k->children);
		break;
	case KEY_FLAG:
		add_flag_key(out, k);
		break;
	case KEY_KEYWORD:
		buf_printf(out, "%sKEYWORD %.*s", k->want ? "" : "UN",
		    BYTES_ARG(k->field));
		break;
	case KEY_UIDS:
		buf_adds(out, "UID ");
		/* FALLTHROUGH */
	case KEY_NUMBERS:
		add_set(out, &k->set);
		break;
	case KEY_EMAILID:
	case KEY_THREADID:
		buf_printf(out, "%s %.*s", k->kind == KEY_EMAILID
		    ? "EMAILID" : "THREADID", BYTES_ARG(k->field));
		break;
	case KEY_HEADER:
	case KEY_BODY:
	case KEY_TEXT:
		add_text_key(out, k);
		break;
	case KEY_LARGER:
	case KEY_SMALLER:
	case KEY_OLDER:
	case KEY_YOUNGER:
	case KEY_MODSEQ:
		add_number_key(out, k);
		break;
	default:
		buf_adds(out, date_word(k->kind));
		add_day(out, k->day);
		break;
	}
}

static bool
keys(struct parser *p, struct buf *out)
{
	struct search_args args = { .root = NULL };

	if (!parse_search_keys(p, &args))
		return false;
	must(args.root->kind == KEY_AND);
	add_keys(out, args.root->children);
	return true;
}

/* ---- the others ---- */

static bool
items(struct parser *p, struct buf *out)
{
	static const char *const word[] = { [ITEM_UID] = "UID",
	    [ITEM_FLAGS] = "FLAGS", [ITEM_INTERNALDATE] = "INTERNALDATE",
	    [ITEM_SIZE] = "RFC822.SIZE", [ITEM_ENVELOPE] = "ENVELOPE",
	    [ITEM_BODY] = "BODY", [ITEM_BODYSTRUCTURE] = "BODYSTRUCTURE",
	    [ITEM_MODSEQ] = "MODSEQ", [ITEM_SAVEDATE] = "SAVEDATE",
	    [ITEM_PREVIEW] = "PREVIEW", [ITEM_EMAILID] = "EMAILID",
	    [ITEM_THREADID] = "THREADID" };
	struct fetch_item *i;
	struct bytes name;
	size_t at;

	if (!parse_fetch_items(p, &i) || !parse_end(p))
		return false;
	buf_addc(out, '(');
	for (; i != NULL; i = i->next) {
		name = i->name;
		if (i->kind < sizeof(word) / sizeof(word[0]) &&
		    word[i->kind] != NULL) {
			buf_adds(out, word[i->kind]);
		} else if (bytes_starts(name, BYTES("RFC822"))) {
			buf_add(out, name);
		} else {
			/* "BODY[1]<5>" asked for "BODY.PEEK[1]<5.7>". */
			must(bytes_chr(name, '[', &at));
			buf_add(out, bytes_first(name, at));
			if (i->peek && i->kind != ITEM_BINARY_SIZE)
				buf_adds(out, ".PEEK");
			name = bytes_from(name, at);
			if (i->partial && bytes_rchr(name, '<', &at))
				name = bytes_first(name, at);
			buf_add(out, name);
			if (i->partial)
				buf_printf(out, "<%llu.%llu>",
				    (unsigned long long)i->offset,
				    (unsigned long long)i->length);
		}
		if (i->next != NULL)
			buf_addc(out, ' ');
	}
	buf_addc(out, ')');
	return true;
}

static bool
set(struct parser *p, struct buf *out)
{
	struct imap_set s;

	if (!parse_set(p, &s) || !parse_end(p))
		return false;
	add_set(out, &s);
	return true;
}

static bool
flags(struct parser *p, struct buf *out)
{
	struct flag_list f = { 0 };
	const char *blank = "";
	uint32_t one;
	size_t i;

	if (!parse_flags(p, true, &f) || !parse_end(p))
		return false;
	buf_addc(out, '(');
	for (one = 1; (one & STORE_FLAGS_ALL) != 0; one <<= 1) {
		if ((f.flags & one) != 0) {
			buf_printf(out, "%s%s", blank, store_flag_name(one));
			blank = " ";
		}
	}
	for (i = 0; i < f.keyword_count; i++) {
		buf_printf(out, "%s%.*s", blank, BYTES_ARG(f.keywords[i]));
		blank = " ";
	}
	buf_addc(out, ')');
	return true;
}

static bool
date(struct parser *p, struct buf *out)
{
	int64_t seconds;

	if (!parse_date_time(p, &seconds) || !parse_end(p))
		return false;
	add_internal_date(out, seconds);
	return true;
}

static bool
strings(struct parser *p, struct buf *out)
{
	struct bytes one;

	do {
		if (!parse_astring(p, &one))
			return false;
		imap_add_astring(out, one);
		if (p->s.n > 0)
			buf_addc(out, ' ');
	} while (parse_optional(p, ' '));
	return parse_end(p);
}

static bool
mailbox(struct parser *p, struct buf *out)
{
	struct bytes name, utf7;

	if (!parse_mailbox(p, &name) || !parse_end(p) ||
	    store_name_check(p->a, name, &name, NULL) == -1)
		return false;
	if (p->utf8_names) {
		imap_add_string(out, name);
	} else {
		must(imap_utf7_encode(p->a, name, &utf7) == 0);
		imap_add_astring(out, utf7);
	}
	return true;
}

/* Twice, and the same the second time. */
static void
round_trip(bool (*parse)(struct parser *, struct buf *), struct bytes in,
    bool utf8_names)
{
	struct buf once = BUF_INIT(TEXT_MAX), twice = once;
	struct arena a = ARENA_INIT;
	struct parser p = { .s = in, .a = &a, .utf8_names = utf8_names };

	if (parse(&p, &once)) {
		must(!once.full);
		p = (struct parser){ .s = buf_bytes(&once), .a = &a,
		    .utf8_names = utf8_names };
		must(parse(&p, &twice));
		must(bytes_eq(buf_bytes(&once), buf_bytes(&twice)));
	}
	buf_free(&once);
	buf_free(&twice);
	arena_free(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool (*const how[])(struct parser *, struct buf *) = { keys,
	    items, set, flags, date, strings, mailbox, mailbox };
	struct bytes in = bytes_of(data, size);
	int c;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	c = bytes_next(&in);
	if (c >= 'a' && c <= 'h')
		round_trip(how[c - 'a'], in, c == 'h');
	return 0;
}
