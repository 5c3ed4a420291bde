/*
 * searchparse.c - search keys (RFC 3501 6.4.4, 9 search-key)
 */
#include "imap/search.h"

#include "unicode/unicode.h"

struct search_parser {
	struct parser *p;
	bool modseq, numbers;
	size_t keys;
	unsigned int depth;
	bool filter;
	unsigned int filter_depth;	/* of the one being looked at */
	size_t *filter_bytes;		/* of all that were, put together */
};

static bool parse_key(struct search_parser *sp, struct search_key **out);

static struct search_key *
new_key(struct search_parser *sp, enum key_kind kind)
{
	struct search_key *k = arena_zalloc(sp->p->a, 1, sizeof(*k));

	k->kind = kind;
	k->want = true;
	sp->keys++;
	return k;
}

/* Keys that are one word and a fact of the record. */
static const struct {
	const char *name;
	enum key_kind kind;
	uint32_t flags;
	bool want;
} flag_keys[] = {
	{ "ALL", KEY_ALL, 0, true },
	{ "ANSWERED", KEY_FLAG, STORE_ANSWERED, true },
	{ "UNANSWERED", KEY_FLAG, STORE_ANSWERED, false },
	{ "DELETED", KEY_FLAG, STORE_DELETED, true },
	{ "UNDELETED", KEY_FLAG, STORE_DELETED, false },
	{ "DRAFT", KEY_FLAG, STORE_DRAFT, true },
	{ "UNDRAFT", KEY_FLAG, STORE_DRAFT, false },
	{ "FLAGGED", KEY_FLAG, STORE_FLAGGED, true },
	{ "UNFLAGGED", KEY_FLAG, STORE_FLAGGED, false },
	{ "SEEN", KEY_FLAG, STORE_SEEN, true },
	{ "UNSEEN", KEY_FLAG, STORE_SEEN, false },
	{ "NEW", KEY_RECENT, STORE_SEEN, true },
	{ "RECENT", KEY_RECENT, 0, true },
	{ "OLD", KEY_RECENT, 0, false },
	{ "SAVEDATESUPPORTED", KEY_ALL, 0, true },	/* RFC 8514 4.3 */
};

static const struct {
	const char *name;
	enum key_kind kind;
	enum key_cost cost;
} date_keys[] = {
	{ "BEFORE", KEY_BEFORE, COST_RECORD },
	{ "ON", KEY_ON, COST_RECORD },
	{ "SINCE", KEY_SINCE, COST_RECORD },
	{ "SENTBEFORE", KEY_SENT_BEFORE, COST_ENVELOPE },
	{ "SENTON", KEY_SENT_ON, COST_ENVELOPE },
	{ "SENTSINCE", KEY_SENT_SINCE, COST_ENVELOPE },
	{ "SAVEDBEFORE", KEY_SAVED_BEFORE, COST_RECORD },
	{ "SAVEDON", KEY_SAVED_ON, COST_RECORD },
	{ "SAVEDSINCE", KEY_SAVED_SINCE, COST_RECORD },
};

/* Fields that have a key of their own, all in ENVELOPE. */
static const char *const field_keys[] = { "FROM", "TO", "CC", "BCC",
	"SUBJECT" };

static bool
parse_text(struct search_parser *sp, struct search_key *k)
{
	struct bytes text;

	if (!parse_space(sp->p) || !parse_astring(sp->p, &text))
		return false;
	if (!unicode_valid_utf8(text))
		return parse_fail(sp->p, "search text is not UTF-8");
	k->text = unicode_fold(sp->p->a, text);
	k->text_ascii = bytes_is_ascii(k->text);
	gram_query_make(&k->grams, k->text);
	return true;
}

static bool
field_in_envelope(struct bytes field)
{
	static const char *const more[] = { "SENDER", "REPLY-TO",
	    "IN-REPLY-TO", "MESSAGE-ID" };
	size_t i;

	for (i = 0; i < sizeof(field_keys) / sizeof(*field_keys); i++) {
		if (bytes_caseeq(field, bytes_str(field_keys[i])))
			return true;
	}
	for (i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		if (bytes_caseeq(field, bytes_str(more[i])))
			return true;
	}
	return false;
}

static bool
parse_header_key(struct search_parser *sp, struct search_key *k)
{
	if (!parse_space(sp->p) || !parse_astring(sp->p, &k->field))
		return false;
	/* The search goes on when the command's bytes are gone. */
	k->field = arena_bytes(sp->p->a, k->field);
	k->cost = field_in_envelope(k->field) ? COST_ENVELOPE : COST_HEADER;
	return parse_text(sp, k);
}

static bool
parse_keyword(struct search_parser *sp, struct search_key *k)
{
	if (!parse_space(sp->p) || !parse_atom(sp->p, &k->field))
		return false;
	k->field = arena_bytes(sp->p->a, k->field);
	k->flags = store_flag_find(k->field);
	if (k->flags != 0)
		k->kind = KEY_FLAG;
	return true;
}

static void
raise_cost(struct search_key *k, const struct search_key *child)
{
	if (child->cost > k->cost)
		k->cost = child->cost;
}

static bool
parse_not_or(struct search_parser *sp, struct search_key *k)
{
	struct search_key **last = &k->children;
	int n = k->kind == KEY_OR ? 2 : 1;

	if (++sp->depth > IMAP_SEARCH_DEPTH_MAX)
		return parse_fail(sp->p, "search nested too deep");
	while (n-- > 0) {
		if (!parse_space(sp->p) || !parse_key(sp, last))
			return false;
		raise_cost(k, *last);
		last = &(*last)->next;
	}
	sp->depth--;
	return true;
}

/* Put child into k's children: the cheap ones first, else in their order. */
static void
add_child(struct search_key *k, struct search_key *child)
{
	struct search_key **at = &k->children;

	while (*at != NULL && (*at)->cost <= child->cost)
		at = &(*at)->next;
	child->next = *at;
	*at = child;
	raise_cost(k, child);
}

/* Keys with blanks between, up to the end or ")". */
static bool
parse_keys(struct search_parser *sp, struct search_key **out)
{
	struct search_key *k = new_key(sp, KEY_AND), *child = NULL;

	if (++sp->depth > IMAP_SEARCH_DEPTH_MAX)
		return parse_fail(sp->p, "search nested too deep");
	do {
		if (!parse_key(sp, &child))
			return false;
		add_child(k, child);
	} while (parse_optional(sp->p, ' '));
	sp->depth--;
	*out = k;
	return true;
}

static bool
parse_number_key(struct search_parser *sp, struct search_key *k)
{
	/* RFC 9051 9: number64. */
	return parse_space(sp->p) &&
	    parse_number(sp->p, INT64_MAX, &k->number);
}

/* RFC 5032 3: an interval of at least a second. */
static bool
parse_interval(struct search_parser *sp, struct search_key *k)
{
	return parse_space(sp->p) &&
	    parse_number(sp->p, UINT32_MAX, &k->number) &&
	    (k->number > 0 || parse_fail(sp->p, "expected seconds"));
}

/* [entry type] modseq; flags have one modseq, whoever set them. */
static bool
parse_modseq_key(struct search_parser *sp, struct search_key *k)
{
	struct bytes entry, type;

	sp->modseq = true;
	if (!parse_space(sp->p))
		return false;
	if (bytes_at(sp->p->s, 0) == '"') {
		if (!parse_string(sp->p, &entry) || !parse_space(sp->p))
			return false;
		type = parse_word(sp->p);
		if (!bytes_caseeq(type, BYTES("priv")) &&
		    !bytes_caseeq(type, BYTES("shared")) &&
		    !bytes_caseeq(type, BYTES("all")))
			return parse_fail(sp->p, "unknown entry type");
		if (!parse_space(sp->p))
			return false;
	}
	return parse_modseq(sp->p, &k->number);
}

/* RFC 8474 5.3 */
static bool
parse_id_key(struct search_parser *sp, struct search_key *k)
{
	if (!parse_space(sp->p) || !parse_atom(sp->p, &k->field))
		return false;
	k->field = arena_bytes(sp->p->a, k->field);
	return true;
}

static bool
parse_uid_key(struct search_parser *sp, struct search_key *k)
{
	return parse_space(sp->p) && parse_set(sp->p, &k->set);
}

/* RFC 9738 3.2: those after a UID, or before it; there may be none such. */
static bool
parse_side(struct search_parser *sp, struct search_key *k, bool after)
{
	uint64_t uid;

	if (!parse_space(sp->p) || !parse_number(sp->p, UINT32_MAX, &uid))
		return false;
	if (uid == 0)
		return parse_fail(sp->p, "expected a UID");
	if (uid == (after ? UINT32_MAX : 1)) {
		k->kind = KEY_NONE;
		return true;
	}
	k->set.n = 1;
	k->set.ranges = arena_zalloc(sp->p->a, 1, sizeof(*k->set.ranges));
	k->set.ranges[0].first = after ? (uint32_t)uid + 1 : 1;
	k->set.ranges[0].last = after ? UINT32_MAX : (uint32_t)uid - 1;
	return true;
}

static bool
parse_after(struct search_parser *sp, struct search_key *k)
{
	return parse_side(sp, k, true);
}

static bool
parse_before(struct search_parser *sp, struct search_key *k)
{
	return parse_side(sp, k, false);
}

/* Keys by the tables. *found false: not there, nothing was taken. */
static bool
parse_table_key(struct search_parser *sp, struct bytes word,
    struct search_key *k, bool *found)
{
	size_t i;

	*found = true;
	for (i = 0; i < sizeof(flag_keys) / sizeof(flag_keys[0]); i++) {
		if (bytes_caseeq(word, bytes_str(flag_keys[i].name))) {
			k->kind = flag_keys[i].kind;
			k->flags = flag_keys[i].flags;
			k->want = flag_keys[i].want;
			return true;
		}
	}
	for (i = 0; i < sizeof(date_keys) / sizeof(date_keys[0]); i++) {
		if (bytes_caseeq(word, bytes_str(date_keys[i].name))) {
			k->kind = date_keys[i].kind;
			k->cost = date_keys[i].cost;
			return parse_space(sp->p) &&
			    parse_date(sp->p, &k->day);
		}
	}
	for (i = 0; i < sizeof(field_keys) / sizeof(field_keys[0]); i++) {
		if (bytes_caseeq(word, bytes_str(field_keys[i]))) {
			k->kind = KEY_HEADER;
			k->cost = COST_ENVELOPE;
			k->field = bytes_str(field_keys[i]);
			return parse_text(sp, k);
		}
	}
	*found = false;
	return true;
}

/* Keys with an argument that are a fact of the record. */
static const struct {
	const char *name;
	enum key_kind kind;
	bool (*parse)(struct search_parser *sp, struct search_key *k);
} argument_keys[] = {
	{ "LARGER", KEY_LARGER, parse_number_key },
	{ "SMALLER", KEY_SMALLER, parse_number_key },
	{ "OLDER", KEY_OLDER, parse_interval },
	{ "YOUNGER", KEY_YOUNGER, parse_interval },
	{ "MODSEQ", KEY_MODSEQ, parse_modseq_key },
	{ "EMAILID", KEY_EMAILID, parse_id_key },
	{ "THREADID", KEY_THREADID, parse_id_key },
	{ "UID", KEY_UIDS, parse_uid_key },
	{ "UIDAFTER", KEY_UIDS, parse_after },
	{ "UIDBEFORE", KEY_UIDS, parse_before },
};

/* ---- FILTER (RFC 5466 3.1) ---- */

/* The code of the first filter that is wrong stays. */
static bool
undefined_filter(struct search_parser *sp, struct bytes name)
{
	sp->p->refused = true;
	return parse_fail_code(sp->p, arena_printf(sp->p->a,
	    "UNDEFINED-FILTER %.*s", BYTES_ARG(name)),
	    "no such filter, or it is no search");
}

/* Whether a value is a search by itself. */
static bool
check_filter(struct search_parser *sp, struct bytes name, struct bytes value)
{
	struct parser p = *sp->p;
	struct search_parser inner = { .p = &p, .depth = sp->depth,
	    .filter_depth = sp->filter_depth + 1,
	    .filter_bytes = sp->filter_bytes };
	struct search_key *k;

	p.s = value;
	if (inner.filter_depth > IMAP_FILTER_DEPTH_MAX)
		return undefined_filter(sp, name);
	if (parse_keys(&inner, &k) && parse_end(&p)) {
		sp->p->filters = p.filters;
		return true;
	}
	if (p.code == NULL)
		return undefined_filter(sp, name);
	sp->p->refused = p.refused;
	return parse_fail_code(sp->p, p.code, p.why);
}

static bool
parse_filter_name(struct parser *p, struct bytes *name)
{
	size_t at;

	return parse_space(p) && parse_atom(p, name) &&
	    (!bytes_chr(*name, '/', &at) ||
	    parse_fail(p, "no filter has this name"));
}

static struct bytes
join(struct arena *a, struct bytes x, struct bytes y)
{
	unsigned char *p = arena_alloc(a, x.n + y.n + 1);

	memcpy(p, x.p, x.n);
	memcpy(p + x.n, y.p, y.n);
	return bytes_of(p, x.n + y.n);
}

/* Its text takes the place of FILTER and name, as it is: "NOT" before it is
 * about its first key. */
static bool
parse_filter(struct search_parser *sp, struct search_key **out)
{
	struct parser *p = sp->p;
	struct bytes name, value;
	size_t size;

	sp->filter = true;
	if (!parse_filter_name(p, &name))
		return false;
	if (p->store == NULL) {		/* its syntax is all that counts */
		*out = new_key(sp, KEY_ALL);
		return true;
	}
	if (search_filter_get(p, name, &value) != 1)
		return undefined_filter(sp, name);
	if (!check_filter(sp, name, value))
		return false;
	size = value.n + p->s.n;
	*sp->filter_bytes += size;
	if (*sp->filter_bytes > IMAP_FILTER_BYTES_MAX) {
		p->refused = true;
		return parse_fail_code(p, "LIMIT", "filters are too long");
	}
	p->s = join(p->a, value, p->s);
	return parse_key(sp, out);
}

static bool
parse_word_key(struct search_parser *sp, struct bytes word,
    struct search_key *k)
{
	bool found;
	size_t i;

	if (!parse_table_key(sp, word, k, &found))
		return false;
	if (found)
		return true;
	if (bytes_caseeq(word, BYTES("NOT")) ||
	    bytes_caseeq(word, BYTES("OR"))) {
		k->kind = word.n == 2 ? KEY_OR : KEY_NOT;
		return parse_not_or(sp, k);
	}
	if (bytes_caseeq(word, BYTES("KEYWORD")) ||
	    bytes_caseeq(word, BYTES("UNKEYWORD"))) {
		k->kind = KEY_KEYWORD;
		k->want = word.n == 7;
		return parse_keyword(sp, k);
	}
	if (bytes_caseeq(word, BYTES("BODY")) ||
	    bytes_caseeq(word, BYTES("TEXT"))) {
		k->kind = bytes_caseeq(word, BYTES("BODY"))
		    ? KEY_BODY : KEY_TEXT;
		k->cost = COST_BODY;
		return parse_text(sp, k);
	}
	if (bytes_caseeq(word, BYTES("HEADER"))) {
		k->kind = KEY_HEADER;
		return parse_header_key(sp, k);
	}
	for (i = 0; i < sizeof(argument_keys) / sizeof(*argument_keys); i++) {
		if (bytes_caseeq(word, bytes_str(argument_keys[i].name))) {
			k->kind = argument_keys[i].kind;
			return argument_keys[i].parse(sp, k);
		}
	}
	return parse_fail(sp->p, "unknown search key");
}

static bool
parse_key(struct search_parser *sp, struct search_key **out)
{
	struct search_key *k;
	struct bytes word, start = sp->p->s;
	int c = bytes_at(start, 0);

	if (sp->keys >= IMAP_SEARCH_KEYS_MAX)
		return parse_fail(sp->p, "too many search keys");
	if (c == '(') {
		(void)parse_optional(sp->p, '(');	/* it is there */
		return parse_keys(sp, out) && parse_char(sp->p, ')');
	}
	word = parse_word(sp->p);
	if (bytes_caseeq(word, BYTES("FILTER")))
		return parse_filter(sp, out);
	k = new_key(sp, KEY_NUMBERS);
	*out = k;
	if ((ascii_is_digit(c) || c == '*') && sp->p->uid_only)
		return parse_fail_code(sp->p, "UIDREQUIRED",
		    "no message numbers with UIDONLY");
	if (ascii_is_digit(c) || c == '*' || c == '$') {
		sp->numbers = sp->numbers || c != '$';
		sp->p->s = start;
		return parse_set(sp->p, &k->set);
	}
	return parse_word_key(sp, word, k);
}

bool
parse_search_charset(struct parser *p, bool *bad)
{
	struct bytes name;

	if (!parse_astring(p, &name))
		return false;
	*bad = !bytes_caseeq(name, BYTES("UTF-8")) &&
	    !bytes_caseeq(name, BYTES("US-ASCII"));
	return !*bad;
}

/* "CHARSET name ", if it is there. */
static bool
parse_charset(struct parser *p, bool *bad)
{
	if (!bytes_caseskip(&p->s, BYTES("CHARSET ")))
		return true;
	if (p->no_charset)	/* RFC 6855 3 */
		return parse_fail(p, "no CHARSET with UTF8=ACCEPT");
	return parse_search_charset(p, bad) && parse_space(p);
}

bool
parse_search_keys(struct parser *p, struct search_args *out)
{
	size_t filter_bytes = 0;
	struct search_parser sp = { .p = p, .filter_bytes = &filter_bytes };

	if (!parse_keys(&sp, &out->root) || !parse_end(p))
		return false;
	out->modseq = sp.modseq;
	out->filters = p->filters;
	out->numbers = sp.numbers;
	return true;
}

bool
parse_search_filter(const struct parser *p)
{
	struct parser rest = *p;
	struct search_parser sp = { .p = &rest };
	struct search_key *k;

	rest.store = NULL;
	if (parse_space(&rest))
		(void)parse_keys(&sp, &k);	/* as far as they go */
	return sp.filter;
}

bool
parse_search(struct parser *p, struct search_args *out)
{
	*out = (struct search_args){ 0 };
	if (!parse_space(p))
		return false;
	if (bytes_caseskip(&p->s, BYTES("RETURN ")) &&
	    (!parse_search_return(p, &out->ret) || !parse_space(p)))
		return false;
	if (!parse_charset(p, &out->bad_charset))
		return false;
	out->text = arena_bytes(p->a, p->s);
	return parse_search_keys(p, out);
}
