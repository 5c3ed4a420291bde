/*
 * append.c - APPEND and REPLACE: messages streamed into an unnamed file, then
 * stored, all or none
 *
 * The command is recognised when its first literal is announced, so that a
 * message that cannot be taken is refused before it is sent; one sent without
 * asking (RFC 7888) is read over, with all that follows it.
 */
#include "imap/append.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static void
reply_refusal(struct imap *im)
{
	const struct append *ap = &im->append;

	switch (ap->refusal) {
	case REFUSE_NAME:
		reply_no(im, "CANNOT", "no mailbox can have this name");
		break;
	case REFUSE_NO_MAILBOX:
		reply_errno(im, ENOENT, true);
		break;
	case REFUSE_QUOTA:
		reply_errno(im, EDQUOT, false);
		break;
	case REFUSE_SIZE:
		reply_no(im, "TOOBIG", "message over the size limit");
		break;
	case REFUSE_GONE:
		reply_no(im, "EXPUNGEISSUED", "the message is gone");
		break;
	case REFUSE_CODE:
		reply_no(im, ap->code, ap->why);
		break;
	case REFUSE_SYNTAX:
		reply_bad_code(im, ap->code, ap->why);
		break;
	default:
		reply_errno(im, ap->error, false);
		break;
	}
}

void
append_drop(struct imap *im)
{
	struct append *ap = &im->append;

	if (ap->fd != -1)
		(void)close(ap->fd);	/* unnamed: gone with it */
	buf_free(&ap->block);
	free(ap->messages);
	*ap = (struct append){ .fd = -1 };
}

static void
start(struct imap *im)
{
	struct append *ap = &im->append;

	append_drop(im);
	ap->block = BUF_INIT(APPEND_BLOCK);
	ap->end = &ap->ops;
	ap->at = AT_MESSAGE;
}

/* The mailbox, or why there can be none. */
static void
find_mailbox(struct imap *im, struct bytes name)
{
	struct store_view *v;
	struct store_mailbox m;
	int r;

	if (im->append.replace && im->append.replaced == 0)
		append_refuse(im, REFUSE_GONE);
	if (store_name_check(&im->arena, name, &name, NULL) == -1) {
		append_refuse(im, REFUSE_NAME);
		return;
	}
	if ((v = store_view_open(im->o.store)) == NULL) {
		append_refuse(im, REFUSE_ERROR);
		return;
	}
	r = store_mailbox_find(v, name, &m);
	if (r == 1)
		im->append.mailbox = m.id;
	else
		append_refuse(im, r == 0 ? REFUSE_NO_MAILBOX : REFUSE_ERROR);
	store_view_close(v);
}

/* ---- the end ---- */

/* All messages to the store; 0 or -1. */
static int
store_messages(struct imap *im, uint32_t *uids)
{
	struct append *ap = &im->append;
	const unsigned char *map = append_map(ap);
	struct store_incoming *in;
	struct bytes *pieces;
	size_t i;
	int r, saved;

	if (map == NULL)
		return -1;
	in = arena_zalloc(&im->arena, ap->count, sizeof(*in));
	pieces = arena_zalloc(&im->arena, ap->count, sizeof(*pieces));
	for (i = 0; i < ap->count; i++) {
		const struct append_message *m = &ap->messages[i];

		pieces[i] = bytes_of(map + m->from,
		    (size_t)(m->to - m->from));
		in[i] = (struct store_incoming){ .pieces = &pieces[i],
		    .count = 1, .flags = m->flags.flags,
		    .keywords = m->flags.keywords,
		    .keyword_count = m->flags.keyword_count,
		    .internal_date = m->internal_date };
	}
	r = store_append(im->o.store, ap->mailbox, in, ap->count, uids);
	saved = errno;
	append_unmap(map, ap->written);
	errno = saved;
	return r;
}

/* "APPENDUID 38505 3955" in the arena (RFC 4315 3); NULL: not known now. */
static const char *
appenduid(struct imap *im, const uint32_t *uids)
{
	struct store_view *v = store_view_open(im->o.store);
	struct buf b = BUF_INIT(OUT_MAX);
	const char *text = NULL;
	struct store_mailbox m;

	if (v != NULL && store_mailbox_get(v, im->append.mailbox, &m) == 1) {
		buf_printf(&b, "APPENDUID %lu ",
		    (unsigned long)m.uidvalidity);
		if (imap_add_set(&b, uids, im->append.count) == 0)
			text = arena_str(&im->arena, buf_bytes(&b));
	}
	store_view_close(v);
	buf_free(&b);
	return text;
}

/* Whether a message of the selected mailbox is there, file and all; the file
 * alone may still be, for others who have not heard of its end. */
static bool
is_there(struct imap *im, uint32_t uid)
{
	struct store_view *v = store_view_open(im->o.store);
	struct store_message m;
	bool known = v != NULL &&
	    store_message_get(v, im->box.id, uid, &m) == 1;
	int fd;

	store_view_close(v);
	if (!known)
		return false;
	fd = store_message_fd(im->o.store, im->box.id, uid);
	if (fd != -1)
		(void)close(fd);	/* only looked for */
	return fd != -1;
}

/*
 * RFC 8508 3.3: the new message is there before the old one goes. Where it
 * does not go, the new one does again; but an error may also come when it is
 * gone.
 */
static void
finish_replace(struct imap *im, const uint32_t *uids, const char *code)
{
	struct append *ap = &im->append;
	int err;

	if (store_expunge(im->o.store, im->box.id, &ap->replaced, 1, true,
	    NULL) == -1) {
		err = errno;
		/* At worst there are both. */
		if (is_there(im, ap->replaced))
			(void)store_expunge(im->o.store, ap->mailbox, uids,
			    1, true, NULL);
		reply_errno(im, err, false);
		return;
	}
	if (code != NULL)
		buf_printf(&im->out, "* OK [%s] replacement is there\r\n",
		    code);
	reply_done(im);
}

static void
finish(struct imap *im)
{
	struct append *ap = &im->append;
	const char *code;
	uint32_t *uids;

	append_end(im);
	if (ap->refusal != REFUSE_NONE) {
		reply_refusal(im);
		return;
	}
	uids = arena_zalloc(&im->arena, ap->count, sizeof(*uids));
	if (store_messages(im, uids) == -1) {
		reply_errno(im, errno, true);
		return;
	}
	im->stats.appended_messages += ap->count;
	code = appenduid(im, uids);
	if (ap->replace) {
		finish_replace(im, uids, code);
		return;
	}
	box_sync(im, true);
	reply_ok(im, code, "APPEND done");
}

/* ---- literals ---- */

/* Over, up to the literal that was not sent. */
static void
refuse_now(struct imap *im)
{
	reply_refusal(im);
	im->stats.commands++;
	im->mode = im->mode == MODE_CLOSE ? MODE_CLOSE : MODE_COMMAND;
	append_drop(im);
	input_cut_literal(&im->in, false);
	arena_reset(&im->arena);
}

/* Message bytes, or such as belong to nothing once it is refused. */
static void
begin_data(struct imap *im)
{
	struct append *ap = &im->append;

	append_run(im);
	ap->left = im->in.literal_bytes;
	if (ap->refusal == REFUSE_NONE) {
		ap->messages[ap->count - 1].binary |= ap->binary;
		append_room(im, ap->left);
	}
	if (ap->refusal != REFUSE_NONE && im->in.literal_sync) {
		refuse_now(im);
		return;
	}
	if (ap->refusal == REFUSE_SIZE) {
		/* RFC 7888 4: not worth reading over. */
		reply_refusal(im);
		imap_bye(im, "TOOBIG", "message over the size limit");
		return;
	}
	if (im->in.literal_sync)
		buf_adds(&im->out, "+ send the message\r\n");
	input_cut_literal(&im->in, true);
	im->mode = MODE_APPEND;
}

/* "tag APPEND" or "tag [UID] REPLACE". */
static bool
parse_name(struct imap *im, struct parser *p, bool *replace)
{
	struct bytes tag, word;

	im->is_uid = im->by_number = false;
	if (!parse_tag(p, &tag) || !parse_space(p) || !parse_atom(p, &word))
		return false;
	if (bytes_caseeq(word, BYTES("UID"))) {
		im->is_uid = true;
		if (!parse_space(p) || !parse_atom(p, &word))
			return false;
	}
	*replace = bytes_caseeq(word, BYTES("REPLACE"));
	if (*replace ? im->box.id == 0 || im->box.read_only ||
	    (p->uid_only && !im->is_uid)
	    : im->is_uid || !bytes_caseeq(word, BYTES("APPEND")))
		return false;
	session_tag(im, tag);
	return true;
}

int
append_begin(struct imap *im, struct bytes prefix)
{
	struct parser p = session_parser(im, prefix);
	struct bytes name;
	bool replace;

	start(im);
	if (!parse_name(im, &p, &replace) ||
	    !append_parse_head(im, &p, replace, &name) ||
	    append_parse(im, &p, true) != FOUND_DATA) {
		append_drop(im);
		return 0;
	}
	im->command = replace ? "REPLACE" : "APPEND";
	find_mailbox(im, name);
	begin_data(im);
	return 1;
}

/* All of it in one stretch: parts by URL only, or a mistake. */
void
command_append(struct imap *im, struct parser *p)
{
	struct bytes name;

	start(im);
	if (append_parse_head(im, p, im->command[0] == 'R', &name) &&
	    append_parse(im, p, false) == FOUND_END) {
		find_mailbox(im, name);
		append_run(im);
		finish(im);
	}
	append_drop(im);
}

/* ---- after the first literal ---- */

static void
take_bytes(struct imap *im)
{
	struct append *ap = &im->append;
	struct bytes s = bytes_first(buf_bytes(&im->in.b),
	    ap->left < SIZE_MAX ? (size_t)ap->left : SIZE_MAX);
	const struct append_message *m;

	if (ap->refusal == REFUSE_NONE) {
		m = &ap->messages[ap->count - 1];
		if (m->parts || m->binary)
			append_raw(im, s);
		else
			append_lines(im, s);
	}
	ap->left -= s.n;
	input_drop(&im->in, s.n);
}

static void
refuse_syntax(struct imap *im, const struct parser *p)
{
	append_refuse_code(im, p->refused ? REFUSE_CODE : REFUSE_SYNTAX,
	    p->code, p->why);
}

/* A literal that is a string becomes part of the stretch. */
static void
take_string(struct imap *im)
{
	const char *why = input_literal_refused(&im->in);

	if (why != NULL) {
		append_refuse_code(im, REFUSE_CODE, "TOOBIG", why);
		if (im->in.literal_sync)
			refuse_now(im);
		else
			imap_bye(im, "TOOBIG", why);
		return;
	}
	if (im->in.literal_sync)
		buf_adds(&im->out, "+ go on\r\n");
	input_literal_take(&im->in);
}

static void
next_literal(struct imap *im)
{
	struct append *ap = &im->append;
	struct append_op **end = ap->end;
	enum append_at at = ap->at;
	size_t op_count = ap->op_count;
	struct parser p = session_parser(im, bytes_first(
	    buf_bytes(&im->in.b), im->in.literal_at));
	enum append_found found = ap->refusal != REFUSE_NONE ? FOUND_DATA
	    : append_parse(im, &p, true);

	if (found == FOUND_STRING) {
		ap->at = at;
		ap->op_count = op_count;
		ap->end = end;
		*end = NULL;
		take_string(im);
		return;
	}
	if (found == FOUND_ERROR)
		refuse_syntax(im, &p);
	begin_data(im);
}

static void
last_line(struct imap *im)
{
	struct append *ap = &im->append;
	struct parser p = session_parser(im, im->in.text);

	im->mode = MODE_COMMAND;
	if (ap->refusal == REFUSE_NONE &&
	    append_parse(im, &p, false) != FOUND_END)
		refuse_syntax(im, &p);
	append_run(im);
	finish(im);
	if (ap->refusal != REFUSE_SYNTAX) {
		im->stats.commands++;
		im->bad = 0;
	}
	append_drop(im);
	input_done(&im->in);
	arena_reset(&im->arena);
}

void
append_step(struct imap *im)
{
	do {
		if (im->append.left > 0)
			take_bytes(im);
		if (im->append.left > 0)
			return;
	} while (session_next(im, next_literal, last_line) &&
	    im->mode == MODE_APPEND);
}
