/*
 * command.c - the commands of SMTP and LMTP; AUTH and STARTTLS: secure.c
 *
 * RFC 5321 4.1; order of commands 4.1.4; LMTP: RFC 2033.
 */
#include "smtp/smtp.h"
#include "smtp/internal.h"

#include <errno.h>

/* ---- small pieces ---- */

static bool
has_bad_bytes(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (ascii_is_ctl(s.p[i]) && s.p[i] != '\t')
			return true;
	}
	return false;
}

/* Arguments that must not be there. */
static bool
refuse_args(struct smtp *s, struct bytes args)
{
	if (args.n == 0)
		return false;
	smtp_sayf(s, 501, "5.5.4", "no parameters are allowed here");
	return true;
}

/* ---- HELO, EHLO, LHLO ---- */

/*
 * Pedantic: a domain or an address literal (RFC 5321 4.1.1.1). Otherwise one
 * word without control bytes: real clients send anything.
 */
static bool
helo_fits(const struct smtp *s, struct bytes name, const char **why)
{
	struct arena scratch = ARENA_INIT;
	struct bytes domain, ascii, blank;
	struct ip ip;
	int r;

	*why = "HELO needs one word";
	blank = name;
	if (name.n == 0 || name.n > SMTP_HELO_MAX || has_bad_bytes(name) ||
	    !bytes_word(&blank, &domain) || domain.n != name.n)
		return false;
	if (!s->o.pedantic)
		return true;
	if (bytes_at(name, 0) == '[')
		return addr_parse_literal(name, &ip, why) == 0;
	r = addr_parse_domain(&scratch, name, ADDR_SMTPUTF8, &domain, &ascii,
	    why);
	arena_free(&scratch);
	return r == 0;
}

/* RFC 4865 3: the longest delay, and until when. */
static int
add_futurerelease(struct buf *b, int64_t until)
{
	struct date d = date_from_unix(until);

	return buf_printf(b, "FUTURERELEASE %d %04lld-%02d-%02dT%02d:%02d:"
	    "%02dZ\nDELIVERBY\n", SMTP_HOLD_MAX_S, (long long)d.year,
	    d.month, d.day, d.hour, d.min, d.sec);
}

/* Those that depend on the service. */
static int
add_offers(const struct smtp *s, struct buf *b)
{
	int r = 0;

	if (s->o.requiretls && (s->o.tls || s->o.lmtp))
		r = buf_adds(b, "REQUIRETLS\n");
	if (r == 0 && s->o.dsn)
		r = buf_adds(b, "DSN\n");
	if (r == 0 && s->o.chunking)
		r = buf_adds(b, s->o.binary ? "CHUNKING\nBINARYMIME\n"
		    : "CHUNKING\n");
	if (r == 0 && s->o.hold_until_max != 0)
		r = add_futurerelease(b, s->o.hold_until_max);
	return r;
}

static void
say_extensions(struct smtp *s)
{
	struct buf b = BUF_INIT(SMTP_REPLY_TEXT_MAX);
	int r;

	r = buf_add(&b, bytes_first(s->o.hostname, 255));
	if (r == 0)
		r = buf_printf(&b, "\nPIPELINING\nSIZE %llu"
		    "\nENHANCEDSTATUSCODES\n8BITMIME\n",
		    (unsigned long long)s->o.size_limit);
	if (r == 0 && s->o.lmtp)
		r = buf_adds(&b,
		    "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE "
		    "MARKS\n");
	if (r == 0 && s->o.textfile)
		r = buf_adds(&b, "TEXTFILE\n");
	if (r == 0 && s->o.starttls && !s->o.tls)
		r = buf_adds(&b, "STARTTLS\n");
	if (r == 0 && smtp_offers_auth(s))
		r = buf_printf(&b, "AUTH %s\n", s->o.mechanisms);
	if (r == 0)
		r = add_offers(s, &b);
	if (r == 0)
		r = buf_printf(&b, "LIMITS RCPTMAX=%zu\nSMTPUTF8",
		    s->o.recipients_max);
	if (r == 0)
		smtp_say(s, 250, "", buf_bytes(&b));
	else
		smtp_close_with(s, 451, "4.3.0", "reply too long");
	buf_free(&b);
}

static void
greet(struct smtp *s, struct bytes args, bool extended)
{
	const char *why;

	if (!helo_fits(s, args, &why)) {
		smtp_sayf(s, 501, "5.5.4", why);
		return;
	}
	smtp_end_transaction(s, false);		/* RFC 5321 4.1.4 */
	arena_reset(&s->session);
	s->e.helo = arena_bytes(&s->session, args);
	s->e.ehlo = extended;
	s->greeted = extended;
	if (extended) {
		say_extensions(s);
		return;
	}
	s->state = STATE_ASK_HELO;
	if (!s->o.ask_helo)
		smtp_helo_accept(s);
}

static void
cmd_helo(struct smtp *s, struct bytes args)
{
	greet(s, args, false);
}

static void
cmd_ehlo(struct smtp *s, struct bytes args)
{
	greet(s, args, true);
}

/* ---- MAIL ---- */

/*
 * A path after its keyword: "FROM:" or "TO:". What follows it stays in *args.
 * a blank after the colon is common, and wrong.
 */
static int
cut_path(const struct smtp *s, struct bytes *args, struct bytes keyword,
    struct bytes *content, const char **why)
{
	*why = "syntax: MAIL FROM:<address> or RCPT TO:<address>";
	if (!bytes_caseskip(args, keyword))
		return -1;
	if (ascii_is_wsp(bytes_at(*args, 0)) && s->o.pedantic) {
		*why = "no blank is allowed after the colon";
		return -1;
	}
	*args = bytes_ltrim(*args);
	if (addr_cut_path(args, content) == -1)
		return -1;
	return args->n == 0 || ascii_is_wsp(args->p[0]) ? 0 : -1;
}

/* RFC 3848, RFC 6531 3.7.3. */
static const char *
with_keyword(const struct smtp *s)
{
	static const char *const names[2][2][2] = {
		{ { "ESMTP", "ESMTPA" }, { "ESMTPS", "ESMTPSA" } },
		{ { "UTF8SMTP", "UTF8SMTPA" }, { "UTF8SMTPS", "UTF8SMTPSA" } },
	};

	if (s->o.lmtp)
		return s->e.smtputf8 ? "UTF8LMTP" : "LMTP";
	if (!s->e.ehlo && !s->e.smtputf8)
		return "SMTP";
	return names[s->e.smtputf8][s->o.tls][s->authenticated ||
	    s->o.logged_in];
}

/* MAIL needs more than it has: 530 was said. */
static bool
needs_more(struct smtp *s)
{
	if (s->o.require_tls && !s->o.tls)
		smtp_sayf(s, 530, "5.7.0", "say STARTTLS first");
	else if (s->o.submission && !s->authenticated && !s->o.logged_in)
		smtp_sayf(s, 530, "5.7.0", "authentication is required");
	else
		return false;
	return true;
}

/* A refused MAIL is a bad transaction. */
static void
refuse_mail(struct smtp *s, int code, const char *status, const char *why)
{
	s->bad++;
	smtp_sayf(s, code, status, why);
}

/* What was asked for becomes the envelope. */
static void
start_mail(struct smtp *s, const struct path *path)
{
	struct smtp_envelope e = s->asked_mail;

	s->in_mail = true;
	s->rcpt_refused = false;
	e.helo = s->e.helo;
	e.ehlo = s->e.ehlo;
	e.xforward = s->e.xforward;
	e.sender = *path;
	e.sender_text = addr_path_text(&s->job, path, !e.smtputf8);
	s->e = e;
	s->e.with = with_keyword(s);
	s->state = STATE_ASK_MAIL;
	if (!s->o.ask_mail)
		smtp_mail_accept(s);
}

static const char *
param_status(int code)
{
	return code == 530 ? "5.7.10" : "5.5.4";
}

static void
cmd_mail(struct smtp *s, struct bytes args)
{
	const struct smtp_envelope *asked = &s->asked_mail;
	struct bytes content;
	struct path path;
	const char *why;
	int code;

	if (!s->greeted || s->in_mail) {
		smtp_sayf(s, 503, "5.5.1", s->greeted
		    ? "a transaction has begun already" : "say EHLO first");
		return;
	}
	if (needs_more(s))
		return;
	if (cut_path(s, &args, BYTES("FROM:"), &content, &why) == -1) {
		refuse_mail(s, 501, "5.5.2", why);
		return;
	}
	s->asked_mail = smtp_empty_envelope();
	if ((code = smtp_mail_params(s, args, &why)) != 0) {
		refuse_mail(s, code, param_status(code), why);
		return;
	}
	if (!asked->smtputf8 && !bytes_is_ascii(content)) {
		refuse_mail(s, 553, "5.6.7", "SMTPUTF8 is needed");
		return;
	}
	if (addr_parse_path(&s->job, content, asked->smtputf8
	    ? ADDR_SMTPUTF8 : 0, &path, &why) == -1) {
		refuse_mail(s, 501, "5.1.7", why);
		return;
	}
	if (path.is_postmaster) {
		refuse_mail(s, 501, "5.1.7", "a sender needs a domain");
		return;
	}
	if (asked->declared_size > s->o.size_limit) {
		refuse_mail(s, 552, "5.3.4", "message over the size limit");
		return;
	}
	start_mail(s, &path);
}

/* ---- RCPT ---- */

static void
refuse_rcpt(struct smtp *s, int code, const char *status, const char *why)
{
	s->rcpt_refused = true;
	smtp_sayf(s, code, status, why);
}

/* LMTP carries what another server took. */
static bool
rcpt_allowed(const struct smtp *s)
{
	size_t max = s->o.recipients_max;

	if (s->e.sender.is_null && !s->o.lmtp)
		max = 1;
	return s->e.nrecipients < max;
}

static void
cmd_rcpt(struct smtp *s, struct bytes args)
{
	unsigned int flags = s->e.smtputf8 ? ADDR_SMTPUTF8 : 0;
	struct bytes content;
	struct path path;
	const char *why;
	int code;

	if (!s->in_mail) {
		smtp_sayf(s, 503, "5.5.1", "say MAIL first");
		return;
	}
	if (s->in_bdat) {
		smtp_sayf(s, 503, "5.5.1", "BDAT was begun");
		return;
	}
	if (cut_path(s, &args, BYTES("TO:"), &content, &why) == -1) {
		refuse_rcpt(s, 501, "5.5.2", why);
		return;
	}
	s->asked = (struct smtp_recipient){ .text = BYTES_EMPTY,
	    .orcpt = BYTES_EMPTY };
	if ((code = smtp_rcpt_params(s, args, &why)) != 0) {
		refuse_rcpt(s, code, "5.5.4", why);
		return;
	}
	if (!s->e.smtputf8 && !bytes_is_ascii(content)) {
		refuse_rcpt(s, 553, "5.6.7", "SMTPUTF8 is needed");
		return;
	}
	if (addr_parse_path(&s->job, content, flags, &path, &why) == -1) {
		refuse_rcpt(s, 501, "5.1.3", why);
		return;
	}
	if (path.is_null) {
		refuse_rcpt(s, 501, "5.1.3", "a recipient is not empty");
		return;
	}
	if (!rcpt_allowed(s)) {
		refuse_rcpt(s, 452, "4.5.3", "too many recipients");
		return;
	}
	s->asked.path = path;
	s->asked.text = addr_path_text(&s->job, &path, !s->e.smtputf8);
	s->state = STATE_ASK_RCPT;
}

/* ---- DATA and the rest ---- */

bool
smtp_data_is_due(struct smtp *s)
{
	if (s->in_bdat) {	/* RFC 3030 2: not both in one transaction */
		smtp_sayf(s, 503, "5.5.1", "BDAT was begun");
		return false;
	}
	if (s->in_mail && s->e.body_binary) {	/* RFC 3030 3 */
		smtp_sayf(s, 503, "5.5.1", "BINARYMIME comes by BDAT");
		return false;
	}
	if (!s->in_mail || (s->e.nrecipients == 0 && !s->rcpt_refused)) {
		smtp_sayf(s, 503, "5.5.1", s->in_mail ? "say RCPT first"
		    : "say MAIL first");
		return false;
	}
	if (s->e.nrecipients == 0) {
		/* RFC 2920 3.1: the client sent DATA on credit */
		smtp_end_transaction(s, false);
		smtp_sayf(s, 554, "5.5.1", "no recipient was accepted");
		return false;
	}
	return true;
}

static void
cmd_data(struct smtp *s, struct bytes args)
{
	if (!refuse_args(s, args) && smtp_data_is_due(s))
		s->state = STATE_ASK_DATA;
}

static void
cmd_rset(struct smtp *s, struct bytes args)
{
	if (refuse_args(s, args))
		return;
	smtp_end_transaction(s, false);
	smtp_sayf(s, 250, "2.0.0", "ok");
}

static void
cmd_noop(struct smtp *s, struct bytes args)
{
	(void)args;	/* RFC 5321 4.1.1.9: ignored */
	smtp_sayf(s, 250, "2.0.0", "ok");
}

static void
cmd_help(struct smtp *s, struct bytes args)
{
	(void)args;	/* one text for everything */
	smtp_sayf(s, 214, "2.0.0", s->o.lmtp
	    ? "LHLO MAIL RCPT DATA RSET NOOP QUIT VRFY XFORWARD HELP"
	    : "HELO EHLO MAIL RCPT DATA RSET NOOP QUIT VRFY EXPN HELP");
}

/* RFC 5321 7.3: nothing is told about who exists. */
static void
cmd_vrfy(struct smtp *s, struct bytes args)
{
	if (args.n == 0)
		smtp_sayf(s, 501, "5.5.4", "an argument is needed");
	else
		smtp_sayf(s, 252, "2.7.0",
		    "no verification, send it and see");
}

static void
cmd_quit(struct smtp *s, struct bytes args)
{
	if (refuse_args(s, args))
		return;
	smtp_end_transaction(s, false);
	smtp_sayf(s, 221, "2.0.0", "bye");
	s->state = STATE_CLOSED;
}

static void
cmd_xforward(struct smtp *s, struct bytes args)
{
	const char *why;

	if (!s->greeted || s->in_mail)
		smtp_sayf(s, 503, "5.5.1", "not now");
	else if (smtp_xforward_parse(&s->job, args, &s->e.xforward,
	    &why) == -1)
		smtp_sayf(s, 501, "5.5.4", why);
	else
		smtp_sayf(s, 250, "2.0.0", "ok");
}

/* ---- dispatch ---- */

enum { IN_SMTP = 1, IN_LMTP = 2, IN_BOTH = 3 };

static const struct {
	const char *verb;
	int where;
	void (*run)(struct smtp *s, struct bytes args);
} commands[] = {
	{ "HELO", IN_SMTP, cmd_helo },
	{ "EHLO", IN_SMTP, cmd_ehlo },
	{ "LHLO", IN_LMTP, cmd_ehlo },
	{ "MAIL", IN_BOTH, cmd_mail },
	{ "RCPT", IN_BOTH, cmd_rcpt },
	{ "DATA", IN_BOTH, cmd_data },
	{ "BDAT", IN_BOTH, smtp_cmd_bdat },
	{ "RSET", IN_BOTH, cmd_rset },
	{ "NOOP", IN_BOTH, cmd_noop },
	{ "HELP", IN_BOTH, cmd_help },
	{ "VRFY", IN_BOTH, cmd_vrfy },
	{ "EXPN", IN_BOTH, cmd_vrfy },
	{ "QUIT", IN_BOTH, cmd_quit },
	{ "STARTTLS", IN_BOTH, smtp_cmd_starttls },
	{ "AUTH", IN_BOTH, smtp_cmd_auth },
	{ "XFORWARD", IN_LMTP, cmd_xforward },
	{ "TEXTFILE", IN_LMTP, smtp_cmd_textfile },
};

void
smtp_command(struct smtp *s, struct bytes line)
{
	int here = s->o.lmtp ? IN_LMTP : IN_SMTP;
	struct bytes args = line, verb = BYTES_EMPTY;

	if (!s->o.pedantic)
		args = bytes_rtrim(args);
	(void)bytes_split(&args, ' ', &verb);	/* none: a verb alone */
	if (verb.n == line.n)
		args = BYTES_EMPTY;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if ((commands[i].where & here) == 0 ||
		    !bytes_caseeq(verb, bytes_str(commands[i].verb)))
			continue;
		s->seen_command = true;
		/* a BDAT that is not understood ends the session: what
		 * follows it cannot be told from commands */
		if (has_bad_bytes(args) &&
		    commands[i].run != smtp_cmd_bdat)
			smtp_sayf(s, 501, "5.5.2",
			    "control bytes are not allowed");
		else
			commands[i].run(s, args);
		return;
	}
	if (!s->seen_command)	/* another protocol, or a scanner */
		smtp_close_with(s, 500, "5.5.2", s->o.lmtp
		    ? "please speak LMTP" : "please speak SMTP");
	else
		smtp_sayf(s, 500, "5.5.1", "unknown command");
}
