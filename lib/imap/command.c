/*
 * command.c - the table of commands after login, and the small ones
 */
#include "imap/internal.h"

static void
command_capability(struct imap *im, struct parser *p)
{
	if (!parse_end(p))
		return;
	buf_adds(&im->out, "* CAPABILITY ");
	session_capabilities(im);
	buf_adds(&im->out, "\r\n");
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
	reply_tagged(im, "OK", NULL, "LOGOUT done");
}

static void
command_namespace(struct imap *im, struct parser *p)
{
	if (!parse_end(p))
		return;
	buf_adds(&im->out, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
	reply_done(im);
}

/* RFC 5161: what is not known, or not for this account, is passed over. */
static void
command_enable(struct imap *im, struct parser *p)
{
	uint64_t set = 0, one;
	struct bytes name;

	do {
		if (!parse_space(p) || !parse_atom(p, &name))
			return;
		one = caps_enable(name);
		if ((one & im->off) == 0)
			set |= one;
	} while (p->s.n > 0);
	buf_adds(&im->out, "* ENABLED");
	caps_add_enabled(&im->out, set & ~im->enabled);
	buf_adds(&im->out, "\r\n");
	session_enable(im, set);
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
	bool numbers;		/* without it: it is about message numbers */
	bool by_number;		/* and has no EXPUNGE in its replies */
	command_fn *run;
} commands[] = {
	{ "CAPABILITY", ANY, false, false, false, command_capability },
	{ "NOOP", ANY, false, false, false, command_noop },
	{ "LOGOUT", ANY, false, false, false, command_logout },
	{ "ID", ANY, false, false, false, command_id },
	{ "ENABLE", ANY, false, false, false, command_enable },
	{ "NAMESPACE", ANY, false, false, false, command_namespace },
	{ "LOGIN", ANY, false, false, false, command_again },
	{ "AUTHENTICATE", ANY, false, false, false, command_again },
	{ "STARTTLS", ANY, false, false, false, command_again },
	{ "SELECT", ANY, false, false, false, command_select },
	{ "EXAMINE", ANY, false, false, false, command_examine },
	{ "CREATE", ANY, false, false, false, command_create },
	{ "DELETE", ANY, false, false, false, command_delete },
	{ "RENAME", ANY, false, false, false, command_rename },
	{ "SUBSCRIBE", ANY, false, false, false, command_subscribe },
	{ "UNSUBSCRIBE", ANY, false, false, false, command_unsubscribe },
	{ "LIST", ANY, false, false, false, command_list },
	{ "LSUB", ANY, false, false, false, command_lsub },
	{ "GETMETADATA", ANY, false, false, false, command_getmetadata },
	{ "SETMETADATA", ANY, false, false, false, command_setmetadata },
	{ "GETQUOTA", ANY, false, false, false, command_getquota },
	{ "GETQUOTAROOT", ANY, false, false, false, command_getquotaroot },
	{ "STATUS", ANY, false, false, false, command_status },
	{ "IDLE", ANY, false, false, false, command_idle },
	{ "APPEND", ANY, false, false, false, command_append },
	{ "GENURLAUTH", ANY, false, false, false, command_genurlauth },
	{ "RESETKEY", ANY, false, false, false, command_resetkey },
	{ "URLFETCH", ANY, false, false, false, command_urlfetch },
	{ "NOTIFY", ANY, false, false, false, command_notify },
	{ "COMPRESS", ANY, false, false, false, command_compress },
	{ "UNAUTHENTICATE", ANY, false, false, false,
	    command_unauthenticate },
	{ "CHECK", SELECTED, false, false, false, command_noop },
	{ "CLOSE", SELECTED, false, false, false, command_close },
	{ "UNSELECT", SELECTED, false, false, false, command_unselect },
	{ "EXPUNGE", WRITABLE, true, false, false, command_expunge },
	{ "SEARCH", SELECTED, true, true, true, command_search },
	{ "SORT", SELECTED, true, true, true, command_sort },
	{ "THREAD", SELECTED, true, true, true, command_thread },
	{ "ESEARCH", ANY, false, false, false, command_esearch },
	{ "CANCELUPDATE", SELECTED, false, false, false,
	    command_cancelupdate },
	{ "FETCH", SELECTED, true, true, true, command_fetch },
	{ "STORE", WRITABLE, true, true, true, command_store },
	{ "COPY", SELECTED, true, true, false, command_copy },
	{ "MOVE", WRITABLE, true, true, false, command_move },
	{ "REPLACE", WRITABLE, true, true, false, command_append },
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
	im->limited = 0;
	if (!parse_tag(p, &name))
		return NULL;
	session_tag(im, name);
	if (!parse_space(p) || !parse_atom(p, &name))
		return NULL;
	if (bytes_caseeq(name, BYTES("UID"))) {
		im->is_uid = true;
		if (!parse_space(p) || !parse_atom(p, &name))
			return NULL;
	}
	c = command_find(name);
	if (c != NULL && c->numbers && !im->is_uid && p->uid_only) {
		(void)parse_fail_code(p, "UIDREQUIRED",
		    "no message numbers with UIDONLY");
		return NULL;
	}
	if (c == NULL || (im->is_uid && !c->uid)) {
		(void)parse_fail(p, "unknown command");
		return NULL;
	}
	return c;
}

void
run_command(struct imap *im)
{
	struct parser p = session_parser(im, im->in.text);
	const struct command *c = parse_command(im, &p);

	if (c == NULL) {
		reply_bad_code(im, p.code, p.why);
		return;
	}
	im->command = c->name;
	im->by_number = c->by_number && !im->is_uid;
	if (c->when != ANY && im->box.id == 0) {
		reply_bad(im, "select a mailbox first");
		return;
	}
	if (c->when == WRITABLE && im->box.read_only) {
		reply_no(im, "READ-ONLY", "mailbox is selected read-only");
		return;
	}
	c->run(im, &p);
	if (p.why != NULL && p.refused) {
		reply_no(im, p.code, p.why);
	} else if (p.why != NULL) {
		reply_bad_code(im, p.code, p.why);
		return;
	}
	im->stats.commands++;
	im->bad = 0;
}
