/*
 * metadata.c - annotations of mailboxes and of the account (RFC 5464, S-23)
 *
 * "/private/..." and "/shared/..." are kept alike: an account has one user.
 * "/private/specialuse" of a mailbox is its special uses (RFC 6154 4).
 */
#include "imap/internal.h"

#include <errno.h>

#define SPECIAL_USE "/private/specialuse"
#define ADMIN "/shared/admin"	/* of the account: nobody may set it */

/* ---- names ---- */

static bool
parse_entry(struct parser *p, struct bytes *out)
{
	unsigned char *to;
	struct bytes name;
	const char *why;
	size_t i;

	if (!parse_astring(p, &name))
		return false;
	/* What is below the first level may be asked for (DEPTH). */
	why = bytes_caseeq(name, BYTES("/private")) ||
	    bytes_caseeq(name, BYTES("/shared")) ? NULL
	    : store_annotation_name_check(name);
	if (why != NULL)
		return parse_fail(p, why);
	to = arena_alloc(p->a, name.n);
	for (i = 0; i < name.n; i++)
		to[i] = (unsigned char)ascii_lower(name.p[i]);
	*out = bytes_of(to, name.n);
	return true;
}

bool
parse_entries(struct imap *im, struct parser *p, struct bytes **entries,
    size_t *n)
{
	bool listed = parse_optional(p, '(');

	/* Each takes at least two bytes of what is left. */
	*entries = arena_zalloc(&im->arena, p->s.n / 2 + 1,
	    sizeof(**entries));
	*n = 0;
	do {
		if (!parse_entry(p, &(*entries)[(*n)++]))
			return false;
	} while (listed && parse_optional(p, ' '));
	return !listed || parse_char(p, ')');
}

/* ---- answers ---- */

/* A string that can hold NUL is a literal8 (RFC 5464 5). */
static void
add_value(struct imap *im, struct bytes value)
{
	if (bytes_has_nul(value)) {
		buf_printf(&im->out, "~{%zu}\r\n", value.n);
		buf_add(&im->out, value);
	} else {
		(void)imap_add_string(&im->out, value);	/* full: seen later */
	}
}

/* Special uses as a value; empty: none. */
static struct bytes
uses_value(struct imap *im, const struct store_mailbox *m)
{
	struct buf b = BUF_INIT(256);
	struct bytes value;
	uint32_t use;

	for (use = 1; use <= STORE_USE_ALL; use <<= 1) {
		if ((m->use & use) != 0)
			buf_printf(&b, "%s%s", b.n == 0 ? "" : " ",
			    store_use_name(use));
	}
	value = arena_bytes(&im->arena, buf_bytes(&b));
	buf_free(&b);
	return value;
}

/* One entry by its whole name. 1, 0 not there, -1. */
static int
find_value(struct imap *im, struct store_view *v,
    const struct store_mailbox *m, struct bytes name, struct bytes *value)
{
	struct store_annotation a;
	int r;

	if (bytes_eq(name, BYTES(SPECIAL_USE)) && m->id != 0) {
		*value = uses_value(im, m);
		return value->n > 0;
	}
	r = store_annotation_get(v, m->id, name, &a);
	if (r == 1)
		*value = a.value;
	return r;
}

int
add_metadata(struct imap *im, struct store_view *v,
    const struct store_mailbox *m, const struct bytes *entries, size_t n)
{
	struct bytes value;
	size_t i;
	int r;

	buf_adds(&im->out, "* METADATA ");
	add_mailbox(im, m->name);
	for (i = 0; i < n; i++) {
		buf_adds(&im->out, i == 0 ? " (" : " ");
		(void)imap_add_astring(&im->out, entries[i]); /* as above */
		buf_addc(&im->out, ' ');
		if ((r = find_value(im, v, m, entries[i], &value)) == -1)
			return -1;
		if (r == 1)
			add_value(im, value);
		else
			buf_adds(&im->out, "NIL");
	}
	buf_adds(&im->out, ")\r\n");
	return 0;
}

/* ---- GETMETADATA ---- */

enum depth { DEPTH_0, DEPTH_1, DEPTH_ALL };

struct get {
	struct bytes name;
	struct bytes *entries;
	size_t entry_count;
	uint64_t max;			/* longer values are not sent */
	enum depth depth;
	bool *found;			/* of entries: those that are there */
	bool some;			/* a response was begun */
	size_t longest;			/* of those not sent */
};

static bool
parse_option(struct parser *p, struct get *g)
{
	struct bytes word = parse_word(p);

	if (bytes_caseeq(word, BYTES("MAXSIZE")))
		return parse_space(p) &&
		    parse_number(p, UINT32_MAX, &g->max);
	if (!bytes_caseeq(word, BYTES("DEPTH")))
		return parse_fail(p, "unknown GETMETADATA option");
	if (!parse_space(p))
		return false;
	word = parse_word(p);
	if (bytes_eq(word, BYTES("0")))
		g->depth = DEPTH_0;
	else if (bytes_eq(word, BYTES("1")))
		g->depth = DEPTH_1;
	else if (bytes_caseeq(word, BYTES("infinity")))
		g->depth = DEPTH_ALL;
	else
		return parse_fail(p, "DEPTH is 0, 1 or infinity");
	return true;
}

/* "(MAXSIZE 1024 DEPTH 1) ", unless "(" begins names of entries. */
static bool
parse_options(struct parser *p, struct get *g)
{
	int c = bytes_at(p->s, 1);

	if (bytes_at(p->s, 0) != '(' || c == '/' || c == '"' || c == '{')
		return true;
	(void)parse_optional(p, '(');	/* it is there */
	do {
		if (!parse_option(p, g))
			return false;
	} while (parse_optional(p, ' '));
	return parse_char(p, ')') && parse_space(p);
}

/* The grammar has the options in front of the name, the examples behind it
 * (RFC 5464 5, 4.2.1): both are taken. */
static bool
parse_get(struct imap *im, struct parser *p, struct get *g)
{
	return parse_space(p) && parse_options(p, g) &&
	    parse_mailbox(p, &g->name) && parse_space(p) &&
	    parse_options(p, g) &&
	    parse_entries(im, p, &g->entries, &g->entry_count) &&
	    parse_end(p);
}

static bool
is_asked(struct get *g, struct bytes name)
{
	struct bytes rest;
	size_t i, at;

	for (i = 0; i < g->entry_count; i++) {
		rest = name;
		if (!bytes_skip(&rest, g->entries[i]))
			continue;
		if (rest.n == 0) {
			g->found[i] = true;
			return true;
		}
		if (g->depth == DEPTH_0 || rest.p[0] != '/')
			continue;
		if (g->depth == DEPTH_ALL ||
		    !bytes_chr(bytes_from(rest, 1), '/', &at))
			return true;
	}
	return false;
}

/* The name, in a response to which more may be put. */
static void
get_name(struct imap *im, const struct store_mailbox *m, struct get *g,
    struct bytes name)
{
	if (g->some) {
		buf_addc(&im->out, ' ');
	} else {
		buf_adds(&im->out, "* METADATA ");
		add_mailbox(im, m->name);
		buf_adds(&im->out, " (");
	}
	g->some = true;
	(void)imap_add_astring(&im->out, name);		/* full: seen later */
	buf_addc(&im->out, ' ');
}

static void
get_one(struct imap *im, const struct store_mailbox *m, struct get *g,
    struct bytes name, struct bytes value)
{
	if (value.n > g->max) {
		g->longest = value.n > g->longest ? value.n : g->longest;
		return;
	}
	get_name(im, m, g, name);
	add_value(im, value);
}

/* What was named and is not there is NIL; with a depth it is left out, as in
 * RFC 5464 4.2.2. */
static void
get_missing(struct imap *im, const struct store_mailbox *m, struct get *g)
{
	size_t i;

	for (i = 0; i < g->entry_count && g->depth == DEPTH_0; i++) {
		if (g->found[i])
			continue;
		get_name(im, m, g, g->entries[i]);
		buf_adds(&im->out, "NIL");
	}
}

static int
get_all(struct imap *im, struct store_view *v, const struct store_mailbox *m,
    struct get *g)
{
	struct bytes at = BYTES_EMPTY, value = uses_value(im, m);
	struct store_annotation a;
	int r;

	if (value.n > 0 && is_asked(g, BYTES(SPECIAL_USE)))
		get_one(im, m, g, BYTES(SPECIAL_USE), value);
	while ((r = store_annotation_next(v, m->id, &at, &a)) == 1) {
		if (is_asked(g, a.name))
			get_one(im, m, g, a.name, a.value);
	}
	get_missing(im, m, g);
	if (g->some)
		buf_adds(&im->out, ")\r\n");
	return r;
}

/* The mailbox, or the account for the name "". 1, 0 none, -1. */
static int
find_place(struct store_view *v, struct bytes name, struct store_mailbox *m)
{
	*m = (struct store_mailbox){ .name = BYTES_EMPTY };
	return name.n == 0 ? 1 : store_mailbox_find(v, name, m);
}

void
command_getmetadata(struct imap *im, struct parser *p)
{
	struct get g = { .max = UINT64_MAX };
	struct store_mailbox m;
	struct store_view *v;
	int r;

	if (!parse_get(im, p, &g))
		return;
	g.found = arena_zalloc(&im->arena, g.entry_count, sizeof(*g.found));
	v = store_view_open(im->o.store);
	r = v == NULL ? -1 : find_place(v, g.name, &m);
	if (r == 0) {
		errno = ENOENT;
		r = -1;
	} else if (r == 1) {
		r = get_all(im, v, &m, &g);
	}
	store_view_close(v);
	if (r == -1) {
		reply_errno(im, errno, false);
	} else if (g.longest > 0) {
		box_sync(im, true);
		reply_ok(im, arena_printf(&im->arena,
		    "METADATA LONGENTRIES %zu", g.longest),
		    "GETMETADATA done, some are longer");
	} else {
		reply_done(im);
	}
}

/* ---- SETMETADATA ---- */

struct set {
	struct store_annotation_change *changes;
	size_t n;
	bool use_given;
	uint32_t use;
	bool use_unknown;
	bool admin;
};

/* "\Sent \Junk" */
static void
take_uses(struct set *s, struct bytes value)
{
	struct bytes word;
	uint32_t use;

	s->use_given = true;
	s->use = 0;
	while (bytes_word(&value, &word)) {
		use = store_use_find(word);
		s->use |= use;
		s->use_unknown = s->use_unknown || use == 0;
	}
}

/* Names of vendors have a token and a name at least: "/shared/vendor/TOKEN/
 * NAME" (RFC 5464 3.2). */
static bool
is_whole(struct bytes name)
{
	struct bytes token;

	if (!bytes_skip(&name, BYTES("/private/vendor")) &&
	    !bytes_skip(&name, BYTES("/shared/vendor")))
		return true;
	if (name.n > 0 && !bytes_skip(&name, BYTES("/")))
		return true;		/* "/shared/vendors" */
	return bytes_split(&name, '/', &token) && name.n > 0;
}

static bool
parse_change(struct parser *p, bool of_account, struct set *s)
{
	struct store_annotation_change c = { .value = BYTES_EMPTY };
	const char *why;

	if (!parse_entry(p, &c.name) || !parse_space(p))
		return false;
	if ((why = store_annotation_name_check(c.name)) != NULL)
		return parse_fail(p, why);
	if (!is_whole(c.name))
		return parse_fail(p, "name of annotation is not whole");
	c.remove = bytes_caseskip(&p->s, BYTES("NIL"));
	if (!c.remove && (bytes_at(p->s, 0) == '~'
	    ? !parse_literal8(p, &c.value) : !parse_string(p, &c.value)))
		return false;
	if (of_account && !c.remove && !search_filter_check(p, c.name, c.value))
		return false;
	s->admin = s->admin || bytes_eq(c.name, BYTES(ADMIN));
	if (bytes_eq(c.name, BYTES(SPECIAL_USE)))
		take_uses(s, c.value);
	else
		s->changes[s->n++] = c;
	return true;
}

static bool
parse_set_metadata(struct imap *im, struct parser *p, struct bytes *name,
    struct set *s)
{
	if (!parse_space(p) || !parse_mailbox(p, name) || !parse_space(p) ||
	    !parse_char(p, '('))
		return false;
	/* Each takes at least four bytes of what is left. */
	s->changes = arena_zalloc(&im->arena, p->s.n / 4 + 1,
	    sizeof(*s->changes));
	do {
		if (!parse_change(p, name->n == 0, s))
			return false;
	} while (parse_optional(p, ' '));
	return parse_char(p, ')') && parse_end(p);
}

static void
reply_not_set(struct imap *im, int err)
{
	if (err == EOVERFLOW)
		reply_no(im, "METADATA TOOMANY", "too many annotations");
	else if (err == EMSGSIZE)
		reply_no(im, arena_printf(&im->arena, "METADATA MAXSIZE %zu",
		    STORE_ANNOTATION_BYTES_MAX),
		    "annotations are too long together");
	else
		reply_errno(im, err, false);
}

static int
place_id(struct imap *im, struct bytes name, uint32_t *id)
{
	struct store_view *v = store_view_open(im->o.store);
	struct store_mailbox m;
	int r = v == NULL ? -1 : find_place(v, name, &m);

	if (r == 1)
		*id = m.id;
	store_view_close(v);
	if (r == 0)
		errno = ENOENT;
	return r == 1 ? 0 : -1;
}

void
command_setmetadata(struct imap *im, struct parser *p)
{
	struct set s = { 0 };
	struct bytes name;
	uint32_t id = 0;

	if (!parse_set_metadata(im, p, &name, &s))
		return;
	if (s.use_unknown || (s.use_given && name.n == 0)) {
		reply_no(im, "USEATTR", "no such special use here");
		return;
	}
	if (s.admin && name.n == 0) {	/* RFC 5464 3.2.1.1 */
		reply_no(im, "CANNOT", ADMIN " is read-only");
		return;
	}
	if (place_id(im, name, &id) == -1 ||
	    (s.n > 0 && store_annotate(im->o.store, id, s.changes, s.n,
	    NULL) == -1) || (s.use_given &&
	    store_mailbox_set_use(im->o.store, name, s.use) == -1))
		reply_not_set(im, errno);
	else
		reply_done(im);
}
