/*
 * login.c - the machine before login: greeting to authenticated
 *
 * What is asked of the auth server leaves through actions; passwords never
 * leave the input and one response buffer, both wiped.
 */
#include "imap/internal.h"

#include <stdlib.h>

/* The longest decoded response is below this in base64. */
#define RESPONSE_MAX 8192

enum login_mode { LOGIN_COMMAND, LOGIN_WAIT, LOGIN_RESPOND, LOGIN_CLOSE };

struct imap_login {
	struct imap_login_options o;
	struct imap_input in;
	struct buf out;
	struct arena arena;
	enum login_mode mode;
	char tag[IMAP_TAG_MAX + 1];
	char mechanism[32];
	struct buf response;		/* base64 */
	bool has_response;
	size_t commands;
	unsigned int failures, bad;
	enum imap_login_action wish;	/* set by a command */
};

static void
add_capabilities(struct imap_login *l)
{
	struct bytes list = bytes_str(l->o.mechanisms), word;

	caps_add(&l->out, false, 0);
	if (l->o.starttls)
		buf_adds(&l->out, " STARTTLS");
	if (!l->o.plain_login) {
		buf_adds(&l->out, " LOGINDISABLED");
		return;
	}
	while (bytes_word(&list, &word)) {
		buf_adds(&l->out, " AUTH=");
		buf_add(&l->out, word);
	}
}

struct imap_login *
imap_login_new(const struct imap_login_options *o)
{
	struct imap_login *l = mem_zalloc(1, sizeof(*l));

	l->o = *o;
	input_init(&l->in);
	/* Replies to all commands of one read: a few bytes each. */
	l->out = BUF_INIT(16 * OUT_SOFT);
	l->response = BUF_INIT(RESPONSE_MAX);
	buf_adds(&l->out, "* OK [CAPABILITY ");
	add_capabilities(l);
	buf_adds(&l->out, "] pipemail ready\r\n");
	return l;
}

static void
response_wipe(struct imap_login *l)
{
	if (l->response.size > 0)
		secret_wipe(l->response.p, l->response.size);
	buf_free(&l->response);
	l->has_response = false;
}

void
imap_login_free(struct imap_login *l)
{
	if (l == NULL)
		return;
	input_free(&l->in);
	buf_free(&l->out);
	response_wipe(l);
	arena_free(&l->arena);
	free(l);
}

void
imap_login_input(struct imap_login *l, struct bytes s)
{
	if (input_add(&l->in, s) == -1)
		imap_login_bye(l, NULL, "too much input");
}

struct buf *
imap_login_output(struct imap_login *l)
{
	return &l->out;
}

struct bytes
imap_login_mechanism(const struct imap_login *l)
{
	return bytes_str(l->mechanism);
}

struct bytes
imap_login_response64(const struct imap_login *l)
{
	return buf_bytes(&l->response);
}

bool
imap_login_has_response(const struct imap_login *l)
{
	return l->has_response;
}

struct bytes
imap_login_tag(const struct imap_login *l)
{
	return bytes_str(l->tag);
}

struct bytes
imap_login_pending(const struct imap_login *l)
{
	return buf_bytes(&l->in.b);
}

size_t
imap_login_commands(const struct imap_login *l)
{
	return l->commands;
}

unsigned int
imap_login_failures(const struct imap_login *l)
{
	return l->failures;
}

static void
reply(struct imap_login *l, const char *result, const char *code,
    const char *text)
{
	if (code != NULL && code[0] != '\0')
		buf_printf(&l->out, "%s %s [%s] %s\r\n", l->tag, result, code,
		    text);
	else
		buf_printf(&l->out, "%s %s %s\r\n", l->tag, result, text);
}

void
imap_login_bye(struct imap_login *l, const char *code, const char *reason)
{
	if (code != NULL && code[0] != '\0')
		buf_printf(&l->out, "* BYE [%s] %s\r\n", code, reason);
	else
		buf_printf(&l->out, "* BYE %s\r\n", reason);
	l->mode = LOGIN_CLOSE;
}

/* I-12: a first command that is none comes from no mail client. */
static void
bad(struct imap_login *l, const char *why)
{
	if (l->tag[0] == '\0')
		memcpy(l->tag, "*", 2);
	reply(l, "BAD", NULL, why);
	if (l->commands == 0)
		imap_login_bye(l, NULL, "please speak IMAP");
	else if (++l->bad >= IMAP_BAD_MAX)
		imap_login_bye(l, NULL, "too many bad commands");
}

static void
set_mechanism(struct imap_login *l, struct bytes name)
{
	size_t i;

	for (i = 0; i < name.n; i++)
		l->mechanism[i] = (char)ascii_upper(name.p[i]);
	l->mechanism[name.n] = '\0';
}

static bool
mechanism_offered(const struct imap_login *l, struct bytes name)
{
	struct bytes list = bytes_str(l->o.mechanisms), word;

	while (bytes_word(&list, &word)) {
		if (bytes_caseeq(word, name) && word.n < sizeof(l->mechanism))
			return true;
	}
	return false;
}

/* Keep a response for who knows the mechanism. */
static bool
response_fits(struct imap_login *l, struct bytes response, const char **why)
{
	*why = !base64_valid(response) ? "response is not base64"
	    : buf_add(&l->response, response) == -1 ? "response is too long"
	    : NULL;
	return *why == NULL;
}

static bool
command_authenticate(struct imap_login *l, struct parser *p)
{
	struct bytes name, response = BYTES_EMPTY;
	const char *why;
	bool has_response;

	if (!parse_space(p) || !parse_atom(p, &name))
		return false;
	has_response = parse_optional(p, ' ');
	if (has_response) {
		response = p->s;
		p->s = BYTES_EMPTY;
	}
	if (!parse_end(p))
		return false;
	/* RFC 4959 3: "=" is an empty response. */
	if (bytes_eq(response, BYTES("=")))
		response = BYTES_EMPTY;
	if (!l->o.plain_login) {
		reply(l, "NO", "PRIVACYREQUIRED",
		    "login needs an encrypted connection");
	} else if (!mechanism_offered(l, name)) {
		reply(l, "NO", "CANNOT", "mechanism is not offered");
	} else if (!response_fits(l, response, &why)) {
		reply(l, "BAD", NULL, why);
	} else {
		set_mechanism(l, name);
		l->has_response = has_response;
		l->wish = IMAP_LOGIN_AUTH;
	}
	return true;
}

/* PLAIN's message in base64. */
static bool
plain_response(struct buf *out, struct bytes user, struct bytes password)
{
	struct buf plain = BUF_INIT(RESPONSE_MAX / 2);
	bool fits;

	fits = buf_addc(&plain, 0) == 0 && buf_add(&plain, user) == 0 &&
	    buf_addc(&plain, 0) == 0 && buf_add(&plain, password) == 0 &&
	    base64_encode(out, buf_bytes(&plain)) == 0;
	if (plain.size > 0)
		secret_wipe(plain.p, plain.size);
	buf_free(&plain);
	return fits;
}

static bool
command_login(struct imap_login *l, struct parser *p)
{
	struct bytes user, password = BYTES_EMPTY;
	bool good;

	good = parse_space(p) && parse_astring(p, &user) && parse_space(p) &&
	    parse_astring(p, &password) && parse_end(p);
	if (good && l->o.plain_login) {
		if (!plain_response(&l->response, user, password))
			good = parse_fail(p, "name or password too long");
		set_mechanism(l, BYTES("PLAIN"));
		l->has_response = true;
		l->wish = good ? IMAP_LOGIN_AUTH : IMAP_LOGIN_READ;
	} else if (good) {
		reply(l, "NO", "PRIVACYREQUIRED",
		    "login needs an encrypted connection");
	}
	/* In the arena if it was quoted, else in the input. */
	if (password.n > 0)
		secret_wipe((void *)(uintptr_t)password.p, password.n);
	return good;
}

/* Read over the parameters of ID; nothing is done with them. */
static bool
command_id(struct imap_login *l, struct parser *p)
{
	struct bytes value;
	bool there;

	if (!parse_space(p))
		return false;
	if (parse_optional(p, '(')) {
		while (!parse_optional(p, ')')) {
			(void)parse_optional(p, ' ');
			if (!parse_string(p, &value) || !parse_space(p) ||
			    !parse_nstring(p, &value, &there))
				return false;
		}
	} else if (!bytes_caseskip(&p->s, BYTES("NIL"))) {
		return parse_fail(p, "expected a list or NIL");
	}
	if (!parse_end(p))
		return false;
	/* No version before login (I-2). */
	buf_adds(&l->out, "* ID (\"name\" \"pipemail\")\r\n");
	reply(l, "OK", NULL, "ID done");
	return true;
}

static bool
command_starttls(struct imap_login *l, struct parser *p)
{
	if (!parse_end(p))
		return false;
	if (l->o.tls)
		return parse_fail(p, "TLS is active already");
	if (l->o.starttls)
		l->wish = IMAP_LOGIN_STARTTLS;
	else
		reply(l, "NO", NULL, "STARTTLS is not offered");
	return true;
}

static bool
command_simple(struct imap_login *l, struct parser *p, struct bytes name)
{
	if (bytes_caseeq(name, BYTES("CAPABILITY"))) {
		if (!parse_end(p))
			return false;
		buf_adds(&l->out, "* CAPABILITY ");
		add_capabilities(l);
		buf_adds(&l->out, "\r\n");
		reply(l, "OK", NULL, "CAPABILITY done");
	} else if (bytes_caseeq(name, BYTES("NOOP"))) {
		if (!parse_end(p))
			return false;
		reply(l, "OK", NULL, "NOOP done");
	} else if (bytes_caseeq(name, BYTES("LOGOUT"))) {
		if (!parse_end(p))
			return false;
		imap_login_bye(l, NULL, "bye");
		reply(l, "OK", NULL, "LOGOUT done");
	} else if (bytes_caseeq(name, BYTES("STARTTLS"))) {
		return command_starttls(l, p);
	} else {
		return parse_fail(p, "unknown command, or login first");
	}
	return true;
}

/* Commands of RFC 3501 that are known, but not before login. */
static bool
needs_login(struct bytes name)
{
	static const char list[] = "SELECT EXAMINE CREATE DELETE RENAME "
	    "SUBSCRIBE UNSUBSCRIBE LIST LSUB STATUS APPEND CHECK CLOSE "
	    "EXPUNGE SEARCH FETCH STORE COPY UID IDLE NAMESPACE MOVE "
	    "UNSELECT ENABLE";
	struct bytes words = bytes_str(list), word;

	while (bytes_word(&words, &word)) {
		if (bytes_caseeq(word, name))
			return true;
	}
	return false;
}

static void
handle_command(struct imap_login *l)
{
	struct parser p = { .s = l->in.text, .a = &l->arena };
	struct bytes tag, name;
	bool good;

	l->tag[0] = '\0';
	l->wish = IMAP_LOGIN_READ;
	if (!parse_tag(&p, &tag)) {
		bad(l, p.why);
		return;
	}
	memcpy(l->tag, tag.p, tag.n);
	l->tag[tag.n] = '\0';
	if (!parse_space(&p) || !parse_atom(&p, &name)) {
		bad(l, p.why);
		return;
	}
	if (needs_login(name)) {
		reply(l, "BAD", NULL, "log in first");
		l->commands++;
		return;
	}
	if (bytes_caseeq(name, BYTES("AUTHENTICATE")))
		good = command_authenticate(l, &p);
	else if (bytes_caseeq(name, BYTES("LOGIN")))
		good = command_login(l, &p);
	else if (bytes_caseeq(name, BYTES("ID")))
		good = command_id(l, &p);
	else
		good = command_simple(l, &p, name);
	if (!good) {
		response_wipe(l);
		bad(l, p.why);
		return;
	}
	l->commands++;
	l->bad = 0;
}

/* A literal is announced. */
static void
handle_literal(struct imap_login *l)
{
	const char *why = input_literal_refused(&l->in);

	if (why == NULL) {
		if (l->in.literal_sync)
			buf_adds(&l->out, "+ go on\r\n");
		input_literal_take(&l->in);
		return;
	}
	imap_login_bye(l, "TOOBIG", why);
}

static enum imap_login_action
cancelled(struct imap_login *l, const char *why)
{
	response_wipe(l);
	l->failures++;
	l->mode = LOGIN_COMMAND;
	reply(l, "BAD", NULL, why);
	return IMAP_LOGIN_CANCEL;
}

/* The client's answer to a challenge. */
static enum imap_login_action
respond(struct imap_login *l)
{
	struct bytes line;
	const char *why;
	int r = input_line(&l->in, &line);

	if (r == 0)
		return IMAP_LOGIN_READ;
	response_wipe(l);
	if (r == -1) {
		imap_login_bye(l, NULL, "line too long");
		return IMAP_LOGIN_CANCEL;
	}
	/* Both are BAD: RFC 9051 6.2.2. */
	if (bytes_eq(line, BYTES("*")))
		why = "AUTHENTICATE cancelled";
	else
		(void)response_fits(l, line, &why);	/* why tells */
	input_done(&l->in);
	if (why != NULL)
		return cancelled(l, why);
	l->has_response = true;
	l->mode = LOGIN_WAIT;
	return IMAP_LOGIN_CONTINUE;
}

/* I-21: what came in clear behind STARTTLS is not to be taken for something
 * that came by TLS; no honest client sends it. */
static bool
pipelined(struct imap_login *l)
{
	if (l->in.b.n == 0)
		return false;
	reply(l, "BAD", NULL, "nothing may follow STARTTLS");
	imap_login_bye(l, NULL, "bytes behind STARTTLS");
	return true;
}

enum imap_login_action
imap_login_step(struct imap_login *l)
{
	while (l->mode == LOGIN_COMMAND || l->mode == LOGIN_RESPOND) {
		if (l->mode == LOGIN_RESPOND)
			return respond(l);
		switch (input_next(&l->in)) {
		case INPUT_MORE:
			return IMAP_LOGIN_READ;
		case INPUT_TOO_LONG:
			imap_login_bye(l, NULL, input_too_long(&l->in));
			break;
		case INPUT_LITERAL:
			handle_literal(l);
			break;
		case INPUT_COMMAND:
			response_wipe(l);
			handle_command(l);
			input_done(&l->in);
			arena_free(&l->arena);
			if (l->wish == IMAP_LOGIN_STARTTLS && pipelined(l))
				break;
			if (l->wish != IMAP_LOGIN_READ) {
				l->mode = LOGIN_WAIT;
				return l->wish;
			}
			break;
		}
	}
	return l->mode == LOGIN_CLOSE ? IMAP_LOGIN_CLOSE : IMAP_LOGIN_READ;
}

void
imap_login_challenge(struct imap_login *l, struct bytes challenge64)
{
	response_wipe(l);
	buf_adds(&l->out, "+ ");
	buf_add(&l->out, challenge64);
	buf_adds(&l->out, "\r\n");
	l->mode = LOGIN_RESPOND;
}

void
imap_login_failed(struct imap_login *l, const char *code, const char *reason)
{
	response_wipe(l);
	l->failures++;
	reply(l, "NO", code, reason[0] != '\0' ? reason
	    : "wrong user name or password");
	l->mode = LOGIN_COMMAND;
}

void
imap_login_uncharge(struct imap_login *l)
{
	if (l->failures > 0)
		l->failures--;
}

void
imap_login_starttls(struct imap_login *l, bool begins)
{
	if (begins)
		reply(l, "OK", NULL, "begin TLS now");
	else
		reply(l, "NO", "UNAVAILABLE", "TLS is not available now");
	l->mode = LOGIN_COMMAND;
}

void
imap_login_secured(struct imap_login *l, const struct imap_login_options *o)
{
	l->o = *o;
	input_free(&l->in);
	input_init(&l->in);
	response_wipe(l);
	l->bad = 0;
	l->tag[0] = '\0';
}
