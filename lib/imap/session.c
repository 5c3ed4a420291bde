/*
 * session.c - the machine after login: commands, replies, modes
 *
 * One command at a time. Most reply at once; FETCH, APPEND and IDLE are
 * modes that are stepped, so that neither a long answer nor a long message
 * is ever held in memory.
 */
#include "imap/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CAPABILITIES "IMAP4rev1 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE " \
	"UIDPLUS UNSELECT MOVE CHILDREN SPECIAL-USE"

struct imap *
imap_new(const struct imap_options *o, struct bytes tag)
{
	struct imap *im = mem_zalloc(1, sizeof(*im));

	im->o = *o;
	input_init(&im->in);
	im->out = BUF_INIT(OUT_MAX);
	im->append.fd = -1;
	if (tag.n == 0) {
		buf_adds(&im->out, "* PREAUTH [CAPABILITY " CAPABILITIES
		    "] logged in as ");
		buf_adds(&im->out, o->account);
		buf_adds(&im->out, "\r\n");
	} else {
		buf_add(&im->out, tag);
		buf_adds(&im->out, " OK [CAPABILITY " CAPABILITIES
		    "] logged in\r\n");
		im->stats.commands = 1;
	}
	return im;
}

void
imap_free(struct imap *im)
{
	if (im == NULL)
		return;
	append_drop(im);
	box_close(im);
	input_free(&im->in);
	buf_free(&im->out);
	arena_free(&im->arena);
	free(im);
}

size_t
imap_room(const struct imap *im)
{
	return input_room(&im->in);
}

struct buf *
imap_output(struct imap *im)
{
	return &im->out;
}

uint32_t
imap_mailbox(const struct imap *im)
{
	return im->box.id;
}

void
imap_stats(const struct imap *im, struct imap_stats *out)
{
	*out = im->stats;
}

void
imap_bye(struct imap *im, const char *code, const char *reason)
{
	if (im->mode == MODE_CLOSE)
		return;
	if (code != NULL && code[0] != '\0')
		buf_printf(&im->out, "* BYE [%s] %s\r\n", code, reason);
	else
		buf_printf(&im->out, "* BYE %s\r\n", reason);
	im->mode = MODE_CLOSE;
}

void
imap_input(struct imap *im, struct bytes s)
{
	if (input_add(&im->in, s) == -1)
		imap_bye(im, "TOOBIG", "too much input");
}

void
imap_input_end(struct imap *im)
{
	im->input_ended = true;
}

void
imap_changed(struct imap *im, bool outside)
{
	im->changed = true;
	im->changed_outside = im->changed_outside || outside;
}

/* ---- replies ---- */

static void
reply(struct imap *im, const char *result, const char *code,
    const char *text)
{
	buf_add(&im->out, im->tag);
	if (code != NULL)
		buf_printf(&im->out, " %s [%s] %s\r\n", result, code, text);
	else
		buf_printf(&im->out, " %s %s\r\n", result, text);
}

void
reply_ok(struct imap *im, const char *code, const char *text)
{
	reply(im, "OK", code, text);
}

void
reply_no(struct imap *im, const char *code, const char *text)
{
	reply(im, "NO", code, text);
}

void
reply_bad(struct imap *im, const char *text)
{
	reply(im, "BAD", NULL, text);
	/* I-12: a first command that is none comes from no mail client. */
	if (im->stats.commands == 0)
		imap_bye(im, NULL, "please speak IMAP");
	else if (++im->bad >= IMAP_BAD_MAX)
		imap_bye(im, NULL, "too many bad commands");
}

void
reply_done(struct imap *im)
{
	char text[64];

	/* RFC 3501 7.4.1: numbers hold while their replies are under way. */
	box_sync(im, im->is_uid || !im->by_number);
	(void)snprintf(text, sizeof(text), "%s%s done",
	    im->is_uid ? "UID " : "", im->command);	/* names are short */
	reply(im, "OK", NULL, text);
}

struct errno_reply {
	int err;
	const char *code, *text;
};

static const struct errno_reply errno_replies[] = {
	{ ENOENT, "NONEXISTENT", "no such mailbox" },
	{ EEXIST, "ALREADYEXISTS", "mailbox exists" },
	{ EDQUOT, "OVERQUOTA", "over quota" },
	{ EINVAL, "CANNOT", "no mailbox can have this name" },
	{ EPERM, "CANNOT", "not possible for INBOX" },
	{ ENOTEMPTY, "HASCHILDREN", "mailbox has children" },
	{ EOVERFLOW, "LIMIT", "too many keywords or mailboxes" },
	{ EMSGSIZE, "TOOBIG", "too big" },
	{ ENOSPC, "UNAVAILABLE", "disk is full" },
};

void
reply_errno(struct imap *im, int err, bool try_create)
{
	size_t i;

	if (err == ENOENT && try_create) {
		reply_no(im, "TRYCREATE", "no such mailbox");
		return;
	}
	for (i = 0; i < sizeof(errno_replies) / sizeof(*errno_replies); i++) {
		if (errno_replies[i].err == err) {
			reply_no(im, errno_replies[i].code,
			    errno_replies[i].text);
			return;
		}
	}
	reply_no(im, "SERVERBUG", strerror(err));
}

/* ---- commands without a file of their own ---- */

static void
command_capability(struct imap *im, struct parser *p)
{
	if (!parse_end(p))
		return;
	buf_adds(&im->out, "* CAPABILITY " CAPABILITIES "\r\n");
	reply_done(im);
}

/* NOOP and CHECK: also what other programs did to the folders. */
static void
command_noop(struct imap *im, struct parser *p)
{
	if (!parse_end(p))
		return;
	/* What cannot be looked at now is found at the next command. */
	if (im->box.id != 0)
		(void)store_sync(im->o.store, im->box.id,
		    !im->box.read_only);
	reply_done(im);
}

static void
command_logout(struct imap *im, struct parser *p)
{
	if (!parse_end(p))
		return;
	imap_bye(im, NULL, "bye");
	reply(im, "OK", NULL, "LOGOUT done");
}

static void
command_namespace(struct imap *im, struct parser *p)
{
	if (!parse_end(p))
		return;
	buf_adds(&im->out, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
	reply_done(im);
}

static void
command_enable(struct imap *im, struct parser *p)
{
	struct bytes name;

	do {
		if (!parse_space(p) || !parse_atom(p, &name))
			return;
	} while (p->s.n > 0);
	/* No extension of ours changes anything by being enabled. */
	buf_adds(&im->out, "* ENABLED\r\n");
	reply_done(im);
}

static void
command_id(struct imap *im, struct parser *p)
{
	struct bytes value;
	bool there;

	if (!parse_space(p))
		return;
	if (parse_optional(p, '(')) {
		while (!parse_optional(p, ')')) {
			(void)parse_optional(p, ' ');	/* not the first */
			if (!parse_string(p, &value) || !parse_space(p) ||
			    !parse_nstring(p, &value, &there))
				return;
		}
	} else if (!bytes_caseskip(&p->s, BYTES("NIL"))) {
		(void)parse_fail(p, "expected a list or NIL");
		return;
	}
	if (!parse_end(p))
		return;
	buf_adds(&im->out, "* ID (\"name\" \"pipemail\" \"version\" \""
	    VERSION "\")\r\n");
	reply_done(im);
}

static void
command_again(struct imap *im, struct parser *p)
{
	p->s = BYTES_EMPTY;
	reply_no(im, NULL, "already logged in");
}

enum when { ANY, SELECTED, WRITABLE };

static const struct command {
	const char *name;
	enum when when;
	bool uid;		/* may come with UID */
	bool by_number;		/* without it: no EXPUNGE in its replies */
	command_fn *run;
} commands[] = {
	{ "CAPABILITY", ANY, false, false, command_capability },
	{ "NOOP", ANY, false, false, command_noop },
	{ "LOGOUT", ANY, false, false, command_logout },
	{ "ID", ANY, false, false, command_id },
	{ "ENABLE", ANY, false, false, command_enable },
	{ "NAMESPACE", ANY, false, false, command_namespace },
	{ "LOGIN", ANY, false, false, command_again },
	{ "AUTHENTICATE", ANY, false, false, command_again },
	{ "STARTTLS", ANY, false, false, command_again },
	{ "SELECT", ANY, false, false, command_select },
	{ "EXAMINE", ANY, false, false, command_examine },
	{ "CREATE", ANY, false, false, command_create },
	{ "DELETE", ANY, false, false, command_delete },
	{ "RENAME", ANY, false, false, command_rename },
	{ "SUBSCRIBE", ANY, false, false, command_subscribe },
	{ "UNSUBSCRIBE", ANY, false, false, command_unsubscribe },
	{ "LIST", ANY, false, false, command_list },
	{ "LSUB", ANY, false, false, command_lsub },
	{ "STATUS", ANY, false, false, command_status },
	{ "IDLE", ANY, false, false, command_idle },
	{ "CHECK", SELECTED, false, false, command_noop },
	{ "CLOSE", SELECTED, false, false, command_close },
	{ "UNSELECT", SELECTED, false, false, command_unselect },
	{ "EXPUNGE", WRITABLE, true, false, command_expunge },
	{ "SEARCH", SELECTED, true, true, command_search },
	{ "FETCH", SELECTED, true, true, command_fetch },
	{ "STORE", WRITABLE, true, true, command_store },
	{ "COPY", SELECTED, true, false, command_copy },
	{ "MOVE", WRITABLE, true, false, command_move },
};

static const struct command *
command_find(struct bytes name)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (bytes_caseeq(bytes_str(commands[i].name), name))
			return &commands[i];
	}
	return NULL;
}

/* Parse tag and name; the command, or NULL with p->why. */
static const struct command *
parse_command(struct imap *im, struct parser *p)
{
	const struct command *c;
	struct bytes name;

	im->tag = BYTES("*");
	im->is_uid = false;
	if (!parse_tag(p, &name))
		return NULL;
	memcpy(im->tag_text, name.p, name.n);
	im->tag = bytes_of(im->tag_text, name.n);
	if (!parse_space(p) || !parse_atom(p, &name))
		return NULL;
	if (bytes_caseeq(name, BYTES("UID"))) {
		im->is_uid = true;
		if (!parse_space(p) || !parse_atom(p, &name))
			return NULL;
	}
	c = command_find(name);
	if (c == NULL || (im->is_uid && !c->uid)) {
		(void)parse_fail(p, bytes_caseeq(name, BYTES("APPEND"))
		    ? "wrong arguments" : "unknown command");
		return NULL;
	}
	return c;
}

static void
run_command(struct imap *im)
{
	struct parser p = { im->in.text, &im->arena, NULL };
	const struct command *c = parse_command(im, &p);

	if (c == NULL) {
		reply_bad(im, p.why);
		return;
	}
	im->command = c->name;
	im->by_number = c->by_number;
	if (c->when != ANY && im->box.id == 0) {
		reply_bad(im, "select a mailbox first");
		return;
	}
	if (c->when == WRITABLE && im->box.read_only) {
		reply_no(im, "READ-ONLY", "mailbox is selected read-only");
		return;
	}
	c->run(im, &p);
	if (p.why != NULL) {
		reply_bad(im, p.why);
		return;
	}
	im->stats.commands++;
	im->bad = 0;
}

/* ---- IDLE (RFC 2177) ---- */

void
command_idle(struct imap *im, struct parser *p)
{
	if (!parse_end(p))
		return;
	buf_adds(&im->out, "+ idling\r\n");
	im->mode = MODE_IDLE;
	im->changed = im->changed_outside = true;	/* look at once */
}

static enum imap_action
idle_step(struct imap *im)
{
	struct bytes line;
	int r;

	if (im->changed) {
		if (im->changed_outside && im->box.id != 0)
			(void)store_sync(im->o.store, im->box.id,
			    !im->box.read_only);	/* as NOOP */
		im->changed = im->changed_outside = false;
		box_sync(im, true);
	}
	r = input_line(&im->in, &line);
	if (r == 0)
		return im->input_ended ? IMAP_CLOSE : IMAP_IDLE;
	im->mode = MODE_COMMAND;
	if (r == -1) {
		imap_bye(im, NULL, "line over 16384 bytes");
		return IMAP_WRITE;
	}
	if (bytes_caseeq(line, BYTES("DONE")))
		reply_done(im);
	else
		reply_bad(im, "expected DONE");
	input_done(&im->in);
	arena_reset(&im->arena);
	return IMAP_WRITE;
}

/* ---- stepping ---- */

/* One that was not sent yet costs the command, else the connection. */
static void
refuse_literal(struct imap *im, const char *why)
{
	struct parser p = { buf_bytes(&im->in.b), &im->arena, NULL };
	struct bytes tag;

	if (!im->in.literal_sync || !parse_tag(&p, &tag)) {
		imap_bye(im, "TOOBIG", why);
		return;
	}
	memcpy(im->tag_text, tag.p, tag.n);
	im->tag = bytes_of(im->tag_text, tag.n);
	reply_no(im, "TOOBIG", why);
	input_cut_literal(&im->in);
	arena_reset(&im->arena);
}

static void
announced_literal(struct imap *im)
{
	const char *why;

	if (append_begin(im, bytes_first(buf_bytes(&im->in.b),
	    im->in.literal_at)) == 1)
		return;
	why = input_literal_refused(&im->in);
	if (why != NULL) {
		refuse_literal(im, why);
		return;
	}
	if (im->in.literal_sync)
		buf_adds(&im->out, "+ go on\r\n");
	input_literal_take(&im->in);
}

/* False: nothing whole to do. */
static bool
next_command(struct imap *im)
{
	switch (input_next(&im->in)) {
	case INPUT_MORE:
		return false;
	case INPUT_TOO_LONG:
		imap_bye(im, NULL, "line over 16384 bytes");
		break;
	case INPUT_LITERAL:
		announced_literal(im);
		break;
	case INPUT_COMMAND:
		run_command(im);
		input_done(&im->in);
		if (im->mode == MODE_COMMAND)
			arena_reset(&im->arena);
		break;
	}
	return true;
}

void
imap_trim(struct imap *im)
{
	input_trim(&im->in);
	if (im->out.n == 0)
		buf_free(&im->out);
	if (im->mode != MODE_COMMAND && im->mode != MODE_IDLE)
		return;
	message_reset(&im->message);
	arena_free(&im->arena);
}

static enum imap_action
wait_action(struct imap *im)
{
	if (im->out.n > 0)
		return IMAP_WRITE;
	if (im->input_ended)
		return IMAP_CLOSE;
	return im->mode == MODE_IDLE ? IMAP_IDLE : IMAP_READ;
}

enum imap_action
imap_step(struct imap *im)
{
	while (im->out.n < OUT_SOFT && !im->out.full) {
		switch (im->mode) {
		case MODE_COMMAND:
			if (!next_command(im))
				return wait_action(im);
			break;
		case MODE_FETCH:
			fetch_step(im);
			break;
		case MODE_APPEND:
			append_step(im);
			if (im->mode == MODE_APPEND)
				return wait_action(im);
			break;
		case MODE_IDLE:
			if (idle_step(im) == IMAP_CLOSE)
				return IMAP_CLOSE;
			if (im->mode == MODE_IDLE)
				return wait_action(im);
			break;
		case MODE_CLOSE:
			return IMAP_CLOSE;
		}
	}
	if (im->out.full) {
		/* Nothing legal can follow half a response. */
		im->mode = MODE_CLOSE;
		return IMAP_CLOSE;
	}
	return IMAP_WRITE;
}
