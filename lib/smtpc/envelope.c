/*
 * envelope.c - RSET, MAIL, RCPT for each recipient, DATA; in one go where the
 * server offers PIPELINING (RFC 2920), else one at a time
 *
 * DATA goes ahead of the replies to RCPT. If then nobody was accepted and the
 * server says 354 all the same, the message must not be sent: a lone dot
 * ends it (RFC 2920 3.1).
 */
#include "smtpc/internal.h"

#include <errno.h>

static size_t
place_data(const struct smtpc *s)
{
	return PLACE_RCPT + s->nattempts;
}

static enum smtpc_step
step_at(const struct smtpc *s, size_t place)
{
	return place == PLACE_RSET ? SMTPC_AT_RSET
	    : place == PLACE_MAIL ? SMTPC_AT_MAIL
	    : place < place_data(s) ? SMTPC_AT_RCPT : SMTPC_AT_DATA;
}

enum smtpc_step
smtpc_envelope_step(const struct smtpc *s)
{
	return step_at(s, s->answered);
}

/* ---- beginning and end of a mail ---- */

int
smtpc_send(struct smtpc *s, struct smtpc_mail *mail)
{
	if (s->state != STATE_READY || s->done) {
		errno = EINVAL;
		return -1;
	}
	if (smtpc_check(s, mail) == -1)
		return -1;
	if (s->nattempts == 0) {
		s->done = true;
		return 0;
	}
	s->mail = mail;
	s->bdat = (s->o.chunking || mail->binary) &&
	    (s->offer.ext & SMTPC_EXT_CHUNKING) != 0;
	if (s->o.pedantic)
		s->reader.allow = s->utf8 ? SMTPC_UTF8 : SMTPC_ASCII;
	s->mail_refused = false;
	s->said = s->answered = s->need_rset ? PLACE_RSET : PLACE_MAIL;
	s->state = STATE_ENVELOPE;
	return 0;
}

size_t
smtpc_again(struct smtpc_mail *mail)
{
	size_t n = 0;

	for (size_t i = 0; i < mail->nrecipients; i++) {
		struct smtpc_result *r = &mail->recipients[i].result;

		if (!r->again)
			continue;
		*r = (struct smtpc_result){ .class = SMTPC_PENDING,
		    .text = BYTES_EMPTY };
		n++;
	}
	return n;
}

void
smtpc_mail_end(struct smtpc *s, const struct smtpc_result *rest)
{
	struct smtpc_result r;

	if (rest != NULL) {
		r = *rest;
		r.text = arena_bytes(s->mail->arena, rest->text);
	} else {
		smtpc_result_why(&r, SMTPC_TEMPORARY, SMTPC_AT_CHECK,
		    "4.5.3", "more recipients than the server takes at once");
		r.again = true;
	}
	for (size_t i = 0; i < s->nattempts; i++) {
		struct smtpc_recipient *rcpt = s->attempt[i].rcpt;

		if (s->attempt[i].accepted &&
		    rcpt->result.class == SMTPC_PENDING)
			rcpt->result = r;
	}
	r.doubtful = false;	/* only they were to get the message */
	for (size_t i = 0; i < s->mail->nrecipients; i++) {
		if (s->mail->recipients[i].result.class == SMTPC_PENDING)
			s->mail->recipients[i].result = r;
	}
	s->mail = NULL;
	s->nattempts = s->naccepted = 0;
	s->done = true;
	s->state = STATE_READY;
}

/* ---- commands ---- */

static void
add_path(struct smtpc *s, const struct path *p)
{
	bool ascii = !s->utf8 || !addr_needs_smtputf8(p);

	(void)buf_addc(&s->out, '<');
	(void)addr_format_path(&s->out, p, ascii);
	(void)buf_addc(&s->out, '>');
}

static void
add_value(struct smtpc *s, const char *name, struct bytes value)
{
	if (value.n == 0)
		return;
	(void)buf_printf(&s->out, " %s=", name);
	(void)buf_add(&s->out, value);
}

static void
add_deliver_by(struct smtpc *s, const struct smtpc_mail *m)
{
	if (m->by_mode != 0)
		(void)buf_printf(&s->out, " BY=%lld;%c%s",
		    (long long)m->by_seconds, m->by_mode,
		    m->by_trace ? "T" : "");
}

static void
say_mail(struct smtpc *s)
{
	const struct smtpc_mail *m = s->mail;
	unsigned int ext = s->offer.ext;

	(void)buf_adds(&s->out, "MAIL FROM:");
	add_path(s, &m->sender);
	if (ext & SMTPC_EXT_SIZE)
		(void)buf_printf(&s->out, " SIZE=%llu",
		    (unsigned long long)m->facts.wire_size);
	if (m->binary)
		(void)buf_adds(&s->out, " BODY=BINARYMIME");
	else if (m->facts.is_8bit && (ext & SMTPC_EXT_8BITMIME))
		(void)buf_adds(&s->out, " BODY=8BITMIME");
	if (s->utf8)
		(void)buf_adds(&s->out, " SMTPUTF8");
	if (m->requiretls)
		(void)buf_adds(&s->out, " REQUIRETLS");
	if (ext & SMTPC_EXT_DSN) {
		if (m->ret != SMTPC_RET_NONE)
			(void)buf_printf(&s->out, " RET=%s",
			    m->ret == SMTPC_RET_FULL ? "FULL" : "HDRS");
		add_value(s, "ENVID", m->envid);
	}
	if (s->authenticated != NULL)
		add_value(s, "AUTH", m->auth);
	if (ext & SMTPC_EXT_DELIVERBY)
		add_deliver_by(s, m);
	if (m->hold_for > 0)
		(void)buf_printf(&s->out, " HOLDFOR=%llu",
		    (unsigned long long)m->hold_for);
	add_value(s, "HOLDUNTIL", m->hold_until);
	smtpc_say(s, "");
}

static void
add_notify(struct smtpc *s, unsigned int notify)
{
	static const char *const names[] = {
		"SUCCESS", "FAILURE", "DELAY", "NEVER",
	};
	const char *before = " NOTIFY=";

	for (unsigned int i = 0; i < 4; i++) {
		if ((notify & 1u << i) == 0)
			continue;
		(void)buf_printf(&s->out, "%s%s", before, names[i]);
		before = ",";
	}
}

static void
say_rcpt(struct smtpc *s, const struct smtpc_recipient *r)
{
	(void)buf_adds(&s->out, "RCPT TO:");
	add_path(s, &r->path);
	if (s->offer.ext & SMTPC_EXT_DSN) {
		add_notify(s, r->notify);
		add_value(s, "ORCPT", r->orcpt);
	}
	smtpc_say(s, "");
}

/* Whether DATA (or BDAT, which is content) may go now; the rest is said. */
static void
say_data(struct smtpc *s)
{
	bool known = s->due == 0;	/* what becomes of the recipients */

	if (known && s->naccepted == 0) {
		smtpc_mail_end(s, NULL);
	} else if (!s->bdat) {
		smtpc_say(s, "DATA");
		s->said++;
	} else if (known) {
		smtpc_text_start(s);
	}
}

void
smtpc_envelope_say(struct smtpc *s)
{
	size_t ahead = s->offer.ext & SMTPC_EXT_PIPELINING
	    ? SMTPC_AHEAD_MAX : 1;

	while (s->state == STATE_ENVELOPE && s->due < ahead &&
	    s->out.n < SMTPC_CHUNK_BYTES && s->said <= place_data(s)) {
		if (s->mail_refused) {
			if (s->due == 0)
				smtpc_mail_end(s, NULL);
			return;
		}
		if (s->said == place_data(s)) {
			say_data(s);
			return;
		}
		if (s->said == PLACE_RSET)
			smtpc_say(s, "RSET");
		else if (s->said == PLACE_MAIL)
			say_mail(s);
		else
			say_rcpt(s, s->attempt[s->said - PLACE_RCPT].rcpt);
		s->said++;
	}
}

/* ---- replies ---- */

static void
mail_reply(struct smtpc *s, const struct smtpc_reply *r)
{
	struct smtpc_result result;

	if (r->code < 300) {
		s->need_rset = true;
		return;
	}
	s->mail_refused = true;
	smtpc_result_reply(&result, s->mail->arena, smtpc_class_of(r->code),
	    SMTPC_AT_MAIL, r);
	for (size_t i = 0; i < s->mail->nrecipients; i++) {
		if (s->mail->recipients[i].result.class == SMTPC_PENDING)
			s->mail->recipients[i].result = result;
	}
}

/* RFC 3463 3.2 and 3.3: the address or the mailbox is at fault, as in 4.2.2,
 * a full one; another transaction finds it no better. */
static bool
is_about_mailbox(const struct smtpc_reply *r)
{
	const char *s = r->status;

	return s[0] != '\0' && (s[2] == '1' || s[2] == '2') && s[3] == '.';
}

static void
rcpt_reply(struct smtpc *s, size_t which, const struct smtpc_reply *r)
{
	struct attempt *a = &s->attempt[which];

	if (s->mail_refused)
		return;		/* nothing can be true after that */
	if (r->code < 300) {
		a->accepted = true;
		s->naccepted++;
		return;
	}
	smtpc_result_reply(&a->rcpt->result, s->mail->arena,
	    smtpc_class_of(r->code), SMTPC_AT_RCPT, r);
	/* RFC 5321 4.5.3.1.10: too many recipients; 552 is the old code */
	if (which > 0 && (r->code == 452 || r->code == 552) &&
	    !is_about_mailbox(r)) {
		a->rcpt->result.class = SMTPC_TEMPORARY;
		a->rcpt->result.again = true;
	}
}

static void
data_reply(struct smtpc *s, const struct smtpc_reply *r)
{
	if (r->code == 354 && s->naccepted > 0) {
		smtpc_text_start(s);
		return;
	}
	if (r->code == 354) {
		s->state = STATE_LONE;
		smtpc_say(s, ".");
		return;
	}
	for (size_t i = 0; i < s->nattempts; i++) {
		if (s->attempt[i].accepted)
			smtpc_result_reply(&s->attempt[i].rcpt->result,
			    s->mail->arena, smtpc_class_of(r->code),
			    SMTPC_AT_DATA, r);
	}
	smtpc_mail_end(s, NULL);
}

void
smtpc_envelope_reply(struct smtpc *s, const struct smtpc_reply *r)
{
	size_t place = s->answered;
	enum smtpc_step step = step_at(s, place);

	if (r->code / 100 == 3 && !(step == SMTPC_AT_DATA && r->code == 354)) {
		smtpc_broken(s, "a code that the command does not have");
		return;
	}
	if (step == SMTPC_AT_DATA && r->code < 300) {
		smtpc_broken(s, "wrong code in the reply to DATA");
		return;
	}
	if (step == SMTPC_AT_RSET && r->code >= 400) {
		smtpc_end_reply(s, SMTPC_TEMPORARY, r);
		return;
	}
	s->answered++;
	if (step == SMTPC_AT_RSET)
		s->need_rset = false;
	else if (step == SMTPC_AT_MAIL)
		mail_reply(s, r);
	else if (step == SMTPC_AT_RCPT)
		rcpt_reply(s, place - PLACE_RCPT, r);
	else
		data_reply(s, r);
}
