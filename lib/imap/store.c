/*
 * store.c - commands that change messages: STORE, COPY, MOVE, EXPUNGE
 */
#include "imap/internal.h"

#include <errno.h>
#include <stdio.h>

/* ---- STORE (RFC 3501 6.4.6) ---- */

static bool
parse_how(struct parser *p, enum store_how *how, bool *silent)
{
	struct bytes word;

	*how = STORE_REPLACE;
	if (parse_optional(p, '+'))
		*how = STORE_ADD;
	else if (parse_optional(p, '-'))
		*how = STORE_REMOVE;
	word = parse_word(p);
	*silent = bytes_caseeq(word, BYTES("FLAGS.SILENT"));
	return *silent || bytes_caseeq(word, BYTES("FLAGS")) ||
	    parse_fail(p, "expected FLAGS");
}

/* "UNCHANGEDSINCE n)", after the parenthesis (RFC 7162 3.1.3). */
static bool
parse_condition(struct imap *im, struct parser *p, uint64_t *unchanged_since)
{
	if (!bytes_caseeq(parse_word(p), BYTES("UNCHANGEDSINCE")))
		return parse_fail(p, "unknown STORE modifier");
	if (!parse_space(p) || !parse_modseq(p, unchanged_since) ||
	    !parse_char(p, ')'))
		return false;
	session_enable(im, CAP_BIT(CAP_CONDSTORE));
	return true;
}

/* Whether a message, by ascending UID, is the next one of failed. */
static bool
next_failed(struct bytes *failed, uint32_t uid)
{
	struct bytes head;

	if (failed->n < 4 || be32_get(failed->p) != uid)
		return false;
	return bytes_cut(failed, 4, &head);
}

/* "MODIFIED set" of numbers or UIDs, in the arena. */
static const char *
modified(struct imap *im, struct bytes failed)
{
	struct buf b = BUF_INIT(OUT_MAX);
	uint32_t *numbers = arena_zalloc(&im->arena, failed.n / 4 + 1,
	    sizeof(*numbers));
	struct bytes head;
	const char *text;
	size_t n = 0, at;

	while (bytes_cut(&failed, 4, &head)) {
		uint32_t uid = be32_get(head.p);

		if (im->is_uid)
			numbers[n++] = uid;
		else if (box_find(&im->box, uid, &at))
			numbers[n++] = (uint32_t)at + 1;
	}
	buf_adds(&b, "MODIFIED ");
	imap_add_set(&b, numbers, n);
	text = arena_str(&im->arena, buf_bytes(&b));
	buf_free(&b);
	return text;
}

/*
 * FETCH responses with the new flags, not of those that failed; once modseqs
 * are told, silence is not about them. False: a message was gone.
 */
static bool
answer_flags(struct imap *im, const uint32_t *uids, size_t n,
    struct bytes failed, bool silent)
{
	struct store_view *v = store_view_open(im->o.store);
	/* RFC 7162 3.2.4 */
	bool with_uid = im->is_uid || enabled(im, CAP_CONDSTORE), all = true;
	struct store_message m;
	struct walk w;
	size_t i, at;
	int r = 1;

	if (v == NULL)
		return true;	/* the change was made; only its echo is not */
	walk_init(&w, v, im->box.id);
	for (i = 0; i < n && r != -1; i++) {
		if (next_failed(&failed, uids[i]))
			continue;
		r = walk_to(&w, uids[i], &m);
		if (r != 1) {
			all = false;
			continue;
		}
		if ((!silent || enabled(im, CAP_CONDSTORE)) &&
		    box_find(&im->box, uids[i], &at))
			add_flags_response(im, v, at, &m, with_uid, silent);
	}
	store_view_close(v);
	return all;
}

/*
 * Some were expunged meanwhile. RFC 2180 4.2: OK where no FETCH response is
 * missed, else NO; a UID that is none is no error (RFC 9051 6.4.9).
 */
static void
stored_some(struct imap *im, bool silent)
{
	static const char why[] = "some messages have been deleted";

	box_sync(im, im->is_uid);
	if (silent || im->is_uid)
		reply_ok(im, "EXPUNGEISSUED", why);
	else
		reply_no(im, "EXPUNGEISSUED", why);
}

static void
change_flags(struct imap *im, const uint32_t *uids, size_t n,
    const struct store_flag_change *change, bool silent)
{
	struct buf failed = BUF_INIT(n * 4 + 1);
	uint64_t modseq = 0;
	bool all;

	if (n > 0 && store_flags(im->o.store, im->box.id, uids, n, change,
	    &modseq, &failed) == -1) {
		if (errno == EOVERFLOW)
			reply_no(im, "LIMIT", "too many keywords");
		else
			reply_errno(im, errno, false);
		buf_free(&failed);
		return;
	}
	box_own(im, modseq);
	box_sync(im, false);	/* a new keyword is named before its use */
	all = answer_flags(im, uids, n, buf_bytes(&failed), silent);
	if (failed.n > 0) {
		box_sync(im, im->is_uid);
		reply_ok(im, modified(im, buf_bytes(&failed)),
		    "some messages changed since");
	} else if (all && !im->set_had_gone) {
		reply_done(im);
	} else {
		stored_some(im, silent);
	}
	buf_free(&failed);
}

void
command_store(struct imap *im, struct parser *p)
{
	struct store_flag_change change = { .unchanged_since = UINT64_MAX };
	struct flag_list flags;
	struct imap_set set;
	uint32_t *uids;
	bool silent;
	size_t n;

	if (!parse_space(p) || !parse_set(p, &set) || !parse_space(p) ||
	    (parse_optional(p, '(') && (!parse_condition(im, p,
	    &change.unchanged_since) || !parse_space(p))) ||
	    !parse_how(p, &change.how, &silent) || !parse_space(p) ||
	    !parse_flags(p, true, &flags))
		return;
	/* I-17: imapflow has the condition behind the flags. */
	if (change.unchanged_since == UINT64_MAX && bytes_skip(&p->s,
	    BYTES(" (")) && !parse_condition(im, p, &change.unchanged_since))
		return;
	if (!parse_end(p))
		return;
	if (!box_uids(im, &set, im->is_uid, &uids, &n)) {
		(void)parse_fail(p, "no such message number");
		return;
	}
	limit_uids(im, &uids, &n);
	change.flags = flags.flags;
	change.keywords = flags.keywords;
	change.keyword_count = flags.keyword_count;
	change_flags(im, uids, n, &change, silent);
}

/* ---- COPY (RFC 3501 6.4.7) and MOVE (RFC 6851), RFC 4315 ---- */

static bool
parse_copy(struct imap *im, struct parser *p, uint32_t **uids, size_t *n,
    struct bytes *name)
{
	struct imap_set set;

	if (!parse_space(p) || !parse_set(p, &set) || !parse_space(p) ||
	    !parse_mailbox(p, name) || !parse_end(p))
		return false;
	return box_uids(im, &set, im->is_uid, uids, n) ||
	    parse_fail(p, "no such message number");
}

/* The destination; false: replied NO. */
static bool
find_destination(struct imap *im, struct bytes name, struct store_mailbox *m)
{
	struct store_view *v;
	const char *why;
	int r;

	if (store_name_check(&im->arena, name, &name, &why) == -1) {
		reply_no(im, "CANNOT", why);
		return false;
	}
	if ((v = store_view_open(im->o.store)) == NULL) {
		reply_errno(im, errno, false);
		return false;
	}
	r = store_mailbox_find(v, name, m);
	store_view_close(v);
	if (r != 1)
		reply_errno(im, r == 0 ? ENOENT : errno, true);
	return r == 1;
}

/* "COPYUID validity from to" in the arena; NULL: nothing was copied. */
static const char *
copyuid(struct imap *im, uint32_t uidvalidity, uint32_t *uids,
    uint32_t *new_uids, size_t n)
{
	struct buf b = BUF_INIT(OUT_MAX);
	const char *text = NULL;
	size_t i, kept = 0;

	for (i = 0; i < n; i++) {
		if (new_uids[i] == 0)
			continue;
		uids[kept] = uids[i];
		new_uids[kept++] = new_uids[i];
	}
	buf_printf(&b, "COPYUID %lu ", (unsigned long)uidvalidity);
	imap_add_set(&b, uids, kept);
	buf_addc(&b, ' ');
	if (kept > 0 && imap_add_set(&b, new_uids, kept) == 0)
		text = arena_str(&im->arena, buf_bytes(&b));
	buf_free(&b);
	return text;
}

static void
copy_or_move(struct imap *im, struct parser *p, bool move)
{
	struct store_mailbox to;
	struct bytes name;
	uint32_t *uids, *new_uids;
	const char *code = NULL;
	size_t n;

	if (!parse_copy(im, p, &uids, &n, &name) ||
	    !find_destination(im, name, &to))
		return;
	if (!move && n > message_limit(im)) {
		reply_no(im, limit_code(im, uids[n - message_limit(im)]),
		    "too many messages to copy at once");
		return;
	}
	limit_uids(im, &uids, &n);
	new_uids = arena_zalloc(&im->arena, n + 1, sizeof(*new_uids));
	if (n > 0 && store_copy(im->o.store, im->box.id, uids, n, to.id,
	    move, new_uids) == -1) {
		reply_errno(im, errno, true);
		return;
	}
	if (n > 0)
		code = copyuid(im, to.uidvalidity, uids, new_uids, n);
	/* RFC 6851 4.3: before the EXPUNGE responses. */
	if (move && code != NULL)
		buf_printf(&im->out, "* OK [%s] moved\r\n", code);
	box_sync(im, true);
	if (!move && code != NULL)
		reply_ok(im, code, im->is_uid ? "UID COPY done"
		    : "COPY done");
	else
		reply_done(im);
}

void
command_copy(struct imap *im, struct parser *p)
{
	copy_or_move(im, p, false);
}

void
command_move(struct imap *im, struct parser *p)
{
	copy_or_move(im, p, true);
}

/* ---- EXPUNGE (RFC 3501 6.4.3), UID EXPUNGE (RFC 4315 2.1) ---- */

/* RFC 7162 3.2.7: with the modseq a client that knows all this is at. */
static void
reply_expunged(struct imap *im)
{
	char code[64];

	box_sync(im, true);
	(void)snprintf(code, sizeof(code), "HIGHESTMODSEQ %llu",
	    (unsigned long long)im->box.highest);	/* fits */
	reply_ok(im, code, im->is_uid ? "UID EXPUNGE done" : "EXPUNGE done");
}

/* RFC 9738 3.1: only those count that carry \\Deleted. 0, -1. */
static int
keep_deleted(struct imap *im, uint32_t *uids, size_t *n)
{
	struct store_view *v = store_view_open(im->o.store);
	struct store_message m;
	struct walk w;
	size_t i, kept = 0;
	int r = v == NULL ? -1 : 0;

	walk_init(&w, v, im->box.id);
	for (i = 0; i < *n && r != -1; i++) {
		r = walk_to(&w, uids[i], &m);
		if (r == 1 && (m.flags & STORE_DELETED) != 0)
			uids[kept++] = uids[i];
	}
	store_view_close(v);
	*n = kept;
	return r == -1 ? -1 : 0;
}

void
command_expunge(struct imap *im, struct parser *p)
{
	struct imap_set set;
	uint32_t *uids = NULL;
	uint64_t modseq = 0;
	size_t n = 0;

	if (im->is_uid && (!parse_space(p) || !parse_set(p, &set)))
		return;
	if (!parse_end(p))
		return;
	if (im->is_uid) {
		(void)box_uids(im, &set, true, &uids, &n); /* UIDs: no error */
		if (n > message_limit(im) &&
		    keep_deleted(im, uids, &n) == -1) {
			reply_errno(im, errno, false);
			return;
		}
		limit_uids(im, &uids, &n);
	}
	if ((!im->is_uid || n > 0) && store_expunge(im->o.store, im->box.id,
	    uids, n, false, &modseq) == -1) {
		reply_errno(im, errno, false);
		return;
	}
	if (modseq != 0 && enabled(im, CAP_CONDSTORE))
		reply_expunged(im);
	else
		reply_done(im);
}
