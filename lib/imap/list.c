/*
 * list.c - LIST and LSUB (RFC 3501 6.3.8, 6.3.9)
 *
 * Attributes: \HasChildren, \HasNoChildren (RFC 3348) and the special uses
 * (RFC 6154), always. Parents always exist here, so \Noselect is answered
 * for the hierarchy delimiter and for LSUB's levels only.
 */
#include "imap/internal.h"

#include <errno.h>

/*
 * "*" is any bytes, "%" any but the delimiter. The state is the set of
 * pattern positions reached, so that no pattern takes more than pattern
 * times name steps.
 */
static bool
pattern_matches(struct arena *a, struct bytes pattern, struct bytes name)
{
	bool *at = arena_zalloc(a, pattern.n + 1, sizeof(*at));
	bool *next = arena_zalloc(a, pattern.n + 1, sizeof(*next));
	bool *swap;
	size_t i, j;

	at[0] = true;
	for (i = 0; i <= name.n; i++) {
		for (j = 0; j < pattern.n; j++) {
			if (at[j] && (pattern.p[j] == '*' ||
			    pattern.p[j] == '%'))
				at[j + 1] = true;
		}
		if (i == name.n)
			break;
		memset(next, 0, (pattern.n + 1) * sizeof(*next));
		for (j = 0; j < pattern.n; j++) {
			int c = pattern.p[j];

			if (!at[j])
				continue;
			if (c == '*' || (c == '%' && name.p[i] != '/'))
				next[j] = true;
			else if (c == name.p[i] && c != '%')
				next[j + 1] = true;
		}
		swap = at;
		at = next;
		next = swap;
	}
	return at[pattern.n];
}

/* The inbox is found by its name in any case. */
static struct bytes
inbox_upper(struct arena *a, struct bytes pattern)
{
	struct bytes rest = pattern;

	if (!bytes_caseskip(&rest, BYTES("INBOX")) ||
	    (rest.n > 0 && rest.p[0] != '/' && rest.p[0] != '*' &&
	    rest.p[0] != '%'))
		return pattern;
	return bytes_str(arena_printf(a, "INBOX%.*s", BYTES_ARG(rest)));
}

/* Parse reference and pattern and join them; *root: the pattern is empty. */
static bool
parse_arguments(struct imap *im, struct parser *p, struct bytes *pattern,
    bool *root)
{
	struct bytes reference, name;
	unsigned char *joined;

	if (!parse_space(p) || !parse_mailbox(p, &reference) ||
	    !parse_space(p) || !parse_pattern(p, &name) || !parse_end(p))
		return false;
	*root = name.n == 0;
	joined = arena_alloc(&im->arena, reference.n + name.n);
	memcpy(joined, reference.p, reference.n);
	memcpy(joined + reference.n, name.p, name.n);
	*pattern = inbox_upper(&im->arena,
	    bytes_of(joined, reference.n + name.n));
	return true;
}

static void
add_uses(struct buf *out, uint32_t uses)
{
	uint32_t use;

	for (use = 1; use <= STORE_USE_ALL; use <<= 1) {
		if ((uses & use) != 0)
			buf_printf(out, " %s", store_use_name(use));
	}
}

/* Names in byte order do not put children next to parents: "a", "a-b",
 * "a/b". So ask for the first name from "a/" on. */
static bool
has_children(struct imap *im, struct store_view *v, struct bytes name)
{
	struct bytes prefix = bytes_str(arena_printf(&im->arena, "%.*s/",
	    BYTES_ARG(name)));
	struct bytes at = prefix;
	struct store_mailbox m;

	return store_mailbox_next(v, &at, &m) == 1 &&
	    bytes_starts(m.name, prefix);
}

void
add_list(struct imap *im, struct store_view *v, const struct store_mailbox *m,
    struct bytes old)
{
	buf_printf(&im->out, "* LIST (%s", has_children(im, v, m->name)
	    ? "\\HasChildren" : "\\HasNoChildren");
	add_uses(&im->out, m->use);
	buf_adds(&im->out, ") \"/\" ");
	add_mailbox(im, m->name);
	if (old.n > 0) {
		buf_adds(&im->out, " (\"OLDNAME\" (");
		add_mailbox(im, old);
		buf_adds(&im->out, "))");
	}
	buf_adds(&im->out, "\r\n");
}

void
command_list(struct imap *im, struct parser *p)
{
	struct bytes pattern, at = BYTES_EMPTY;
	struct store_mailbox m;
	struct store_view *v;
	bool root;
	int r;

	if (!parse_arguments(im, p, &pattern, &root))
		return;
	if (root) {
		buf_adds(&im->out, "* LIST (\\Noselect) \"/\" \"\"\r\n");
		reply_done(im);
		return;
	}
	/* Folders other programs made; found later if not now. */
	(void)store_sync(im->o.store, 0, false);
	if ((v = store_view_open(im->o.store)) == NULL) {
		reply_errno(im, errno, false);
		return;
	}
	while ((r = store_mailbox_next(v, &at, &m)) == 1) {
		if (pattern_matches(&im->arena, pattern, m.name))
			add_list(im, v, &m, BYTES_EMPTY);
	}
	store_view_close(v);
	if (r == -1)
		reply_errno(im, errno, false);
	else
		reply_done(im);
}

static void
add_lsub(struct imap *im, const char *attribute, struct bytes name)
{
	buf_printf(&im->out, "* LSUB (%s) \"/\" ", attribute);
	add_mailbox(im, name);
	buf_adds(&im->out, "\r\n");
}

/*
 * RFC 3501 6.3.9: with "%", a level that is not subscribed but has
 * subscribed mailboxes below is answered as \Noselect. names are in byte
 * order, so a level's children are not always together: seen remembers.
 */
static void
lsub_levels(struct imap *im, struct bytes pattern, struct bytes name,
    struct buf *seen)
{
	struct bytes rest, known;
	size_t i;
	bool found;

	for (i = 0; i < name.n; i++) {
		struct bytes level = bytes_first(name, i);

		if (name.p[i] != '/' ||
		    !pattern_matches(&im->arena, pattern, level))
			continue;
		found = false;
		for (rest = buf_bytes(seen); !found &&
		    bytes_split(&rest, '\0', &known); )
			found = bytes_eq(known, level);
		if (found)
			continue;
		add_lsub(im, "\\Noselect", level);
		buf_add(seen, level);
		buf_addc(seen, 0);
	}
}

void
command_lsub(struct imap *im, struct parser *p)
{
	struct buf names = BUF_INIT(16 * 1024 * 1024), seen = names;
	struct bytes pattern, rest, name;
	bool root;

	if (!parse_arguments(im, p, &pattern, &root))
		return;
	if (!root && store_subscriptions(im->o.store, &names) == -1) {
		reply_errno(im, errno, false);
		buf_free(&names);
		return;
	}
	rest = buf_bytes(&names);
	while (bytes_split(&rest, '\0', &name)) {
		if (pattern_matches(&im->arena, pattern, name)) {
			add_lsub(im, "", name);
			buf_add(&seen, name);
			buf_addc(&seen, 0);
		}
	}
	rest = buf_bytes(&names);
	while (bytes_ends(pattern, BYTES("%")) &&
	    bytes_split(&rest, '\0', &name))
		lsub_levels(im, pattern, name, &seen);
	buf_free(&names);
	buf_free(&seen);
	reply_done(im);
}
