/*
 * format.c - lines, JSON, named values
 */
#include "qcmd/qcmd.h"

#include <errno.h>

#include "account/account.h"
#include "json/json.h"

/* A record with extra data, escaped. */
#define LINE_MAX_BYTES ((size_t)2 * 1024 * 1024)

void
qcmd_out_init(struct qcmd_out *o, enum qcmd_form form, int fd)
{
	o->form = form;
	o->first = true;
	o->line = BUF_INIT(LINE_MAX_BYTES);
	writer_init(&o->writer, fd, o->space, sizeof(o->space));
}

/* What stands before a value. A name of JSON has "_" for "-". */
static void
begin_value(struct qcmd_out *o, const char *name)
{
	switch (o->form) {
	case QCMD_COLUMNS:
		if (!o->first)
			buf_addc(&o->line, '\t');
		break;
	case QCMD_JSON:
		buf_adds(&o->line, o->first ? "{\"" : ",\"");
		for (; *name != '\0'; name++)
			buf_addc(&o->line, *name == '-' ? '_' : *name);
		buf_adds(&o->line, "\":");
		break;
	case QCMD_NAMED:
		buf_printf(&o->line, "%s\t", name);
		break;
	}
	o->first = false;
}

static void
end_value(struct qcmd_out *o)
{
	if (o->form == QCMD_NAMED)
		buf_addc(&o->line, '\n');
}

void
qcmd_out_text(struct qcmd_out *o, const char *name, struct bytes value)
{
	if (o->form == QCMD_NAMED && value.n == 0)
		return;
	begin_value(o, name);
	if (o->form == QCMD_JSON)
		(void)json_quote(&o->line, value);	/* full */
	else if (value.n == 0)
		buf_addc(&o->line, '-');
	else
		(void)msg_escape(&o->line, value);	/* full */
	end_value(o);
}

void
qcmd_out_num(struct qcmd_out *o, const char *name, int64_t value)
{
	if (o->form == QCMD_NAMED && value == 0)
		return;
	begin_value(o, name);
	buf_printf(&o->line, "%lld", (long long)value);
	end_value(o);
}

void
qcmd_out_time(struct qcmd_out *o, const char *name, int64_t seconds)
{
	struct buf b = BUF_INIT(64);

	if (seconds != 0)
		(void)account_format_time(&b, seconds);	/* fits */
	if (seconds == 0 && o->form == QCMD_JSON) {
		begin_value(o, name);
		buf_adds(&o->line, "null");
	} else
		qcmd_out_text(o, name, buf_bytes(&b));
	buf_free(&b);
}

void
qcmd_out_bool(struct qcmd_out *o, const char *name, bool value)
{
	if (o->form == QCMD_NAMED && !value)
		return;
	begin_value(o, name);
	if (o->form == QCMD_JSON)
		buf_adds(&o->line, value ? "true" : "false");
	else
		buf_adds(&o->line, value ? "yes" : "no");
	end_value(o);
}

void
qcmd_out_id(struct qcmd_out *o, uint64_t id, uint64_t n)
{
	char text[QUEUE_ID_TEXT];

	queue_id_format(text, id, n);
	qcmd_out_text(o, "id", bytes_str(text));
}

int
qcmd_out_end(struct qcmd_out *o)
{
	if (o->form == QCMD_JSON)
		buf_addc(&o->line, '}');
	buf_addc(&o->line, '\n');
	o->first = true;
	/* a failure is kept and told by qcmd_out_close */
	(void)writer_add(&o->writer, buf_bytes(&o->line));
	buf_reset(&o->line);
	return o->writer.failed ? -1 : 0;
}

int
qcmd_out_take(struct qcmd_out *o, struct buf *to)
{
	size_t before = to->n;

	if (o->form == QCMD_JSON)
		buf_addc(&o->line, '}');
	buf_addc(&o->line, '\n');
	o->first = true;
	(void)buf_add(to, buf_bytes(&o->line));	/* full */
	buf_reset(&o->line);
	if (!to->full)
		return 0;
	to->n = before;
	to->full = false;
	errno = EMSGSIZE;
	return -1;
}

int
qcmd_out_close(struct qcmd_out *o)
{
	buf_free(&o->line);
	return writer_flush(&o->writer);
}

/* What one page can come to: one record with all its attempts. */
#define PAGE_MAX ((size_t)64 << 20)

/* 1 there may be more, 0 that was all, -1. */
static int
put_page(struct qcmd *q, struct buf *page, qcmd_next_fn *next, void *ctx)
{
	struct queue_txn *t = queue_begin(q->queue, false);
	size_t n = 0;
	int r = t == NULL ? -1 : 1;

	while (r == 1 && n++ < QCMD_PAGE_RECORDS && page->n < QCMD_PAGE_BYTES)
		r = next(ctx, t, page);
	queue_abort(t);
	return r;
}

int
qcmd_list(struct qcmd *q, struct qcmd_out *o, qcmd_next_fn *next, void *ctx)
{
	struct buf page = BUF_INIT(PAGE_MAX);
	int r = 1;

	while (r == 1 && !o->writer.failed) {
		r = put_page(q, &page, next, ctx);
		(void)writer_add(&o->writer, buf_bytes(&page)); /* as above */
		buf_reset(&page);
	}
	buf_free(&page);
	return qcmd_out_close(o) == -1 || r == -1 ? -1 : 0;
}

/* ---- records ---- */

static struct bytes
state_of(const struct queue_rcpt *r)
{
	return r->held ? BYTES("held") : BYTES("waiting");
}

void
qcmd_put_line(struct qcmd_out *o, const struct queue_message *m,
    const struct queue_rcpt *r)
{
	qcmd_out_id(o, r->id, r->n);
	qcmd_out_text(o, "state", state_of(r));
	qcmd_out_time(o, "submitted", m->submitted);
	qcmd_out_time(o, "next", r->next);
	qcmd_out_num(o, "attempts", (int64_t)r->attempts);
	qcmd_out_num(o, "size", (int64_t)m->size);
	qcmd_out_text(o, "account", m->account);
	qcmd_out_text(o, "from", r->sender.n > 0 ? r->sender : m->sender);
	qcmd_out_text(o, "to", r->address);
	qcmd_out_text(o, "destination", r->dest);
	qcmd_out_text(o, "status", r->result.status);
	qcmd_out_text(o, "result", r->result.text);
}

static const char *
word_of(const char *const *words, size_t count, uint64_t n)
{
	return n < count ? words[n] : "unknown";
}

static struct bytes
tls_word(uint64_t tls)
{
	static const char *const words[] = { "default", "yes", "no" };

	return bytes_str(word_of(words, 3, tls));
}

/* "key=value" each. */
static void
put_extra(struct qcmd_out *o, struct bytes extra)
{
	struct bytes key, value;
	struct buf b = BUF_INIT(QUEUE_EXTRA_MAX * 2);

	while (bytes_split(&extra, '\0', &key) &&
	    bytes_split(&extra, '\0', &value)) {
		buf_reset(&b);
		buf_add(&b, key);
		buf_addc(&b, '=');
		buf_add(&b, value);
		if (o->form == QCMD_NAMED)
			qcmd_out_text(o, "extra", buf_bytes(&b));
	}
	buf_free(&b);
}

/* JSON has one object for it: names must not repeat. */
static void
put_extra_json(struct qcmd_out *o, struct bytes extra)
{
	struct bytes key, value;
	bool first = true;

	begin_value(o, "extra");
	buf_addc(&o->line, '{');
	while (bytes_split(&extra, '\0', &key) &&
	    bytes_split(&extra, '\0', &value)) {
		if (!first)
			buf_addc(&o->line, ',');
		first = false;
		(void)json_quote(&o->line, key);	/* full */
		buf_addc(&o->line, ':');
		(void)json_quote(&o->line, value);	/* full */
	}
	buf_addc(&o->line, '}');
}

void
qcmd_put_message(struct qcmd_out *o, const struct queue_message *m)
{
	static const char *const kinds[] = { "message", "dsn", "dmarc-report",
	    "tls-report", "forward" };

	qcmd_out_text(o, "record", BYTES("message"));
	qcmd_out_id(o, m->id, 0);
	qcmd_out_text(o, "kind", bytes_str(word_of(kinds, 5, m->kind)));
	qcmd_out_text(o, "account", m->account);
	qcmd_out_text(o, "login", m->login);
	qcmd_out_text(o, "sender", m->sender.n > 0 ? m->sender
	    : BYTES("<>"));
	qcmd_out_text(o, "from", m->from);
	qcmd_out_text(o, "message-id", m->message_id);
	qcmd_out_text(o, "subject", m->subject);
	qcmd_out_text(o, "envid", m->envid);
	qcmd_out_text(o, "received-id", m->received_id);
	qcmd_out_num(o, "size", (int64_t)m->size);
	qcmd_out_time(o, "submitted", m->submitted);
	qcmd_out_time(o, "release", m->release);
	qcmd_out_time(o, "expires", m->expires);
	qcmd_out_time(o, "deliver-by", m->deliver_by);
	qcmd_out_text(o, "requiretls", tls_word(m->tls));
	qcmd_out_bool(o, "ret-full", m->ret_full);
	qcmd_out_bool(o, "ret-headers", m->ret_headers);
	qcmd_out_bool(o, "body-8bit", m->body_8bit);
	qcmd_out_bool(o, "body-binary", m->body_binary);
	qcmd_out_bool(o, "smtputf8", m->smtputf8);
	qcmd_out_num(o, "max-attempts", (int64_t)m->max_attempts);
	qcmd_out_num(o, "left", (int64_t)m->left);
	if (o->form == QCMD_JSON)
		put_extra_json(o, m->extra);
	else
		put_extra(o, m->extra);
}

static void
put_notify(struct qcmd_out *o, uint64_t notify)
{
	static const char *const words[] = { "never", "success", "failure",
	    "delay" };
	struct buf b = BUF_INIT(64);

	for (unsigned int i = 0; i < 4; i++) {
		if ((notify & (uint64_t)1 << i) != 0)
			buf_printf(&b, "%s%s", b.n > 0 ? "," : "", words[i]);
	}
	qcmd_out_text(o, "notify", buf_bytes(&b));
	buf_free(&b);
}

void
qcmd_put_rcpt(struct qcmd_out *o, const struct queue_rcpt *r, bool ended)
{
	qcmd_out_text(o, "record", BYTES("recipient"));
	qcmd_out_id(o, r->id, r->n);
	qcmd_out_text(o, "state", ended ? BYTES("ended") : state_of(r));
	qcmd_out_text(o, "address", r->address);
	qcmd_out_text(o, "domain", r->domain);
	qcmd_out_text(o, "sender", r->sender);
	qcmd_out_text(o, "fromid", r->fromid);
	qcmd_out_text(o, "orcpt", r->orcpt);
	put_notify(o, r->notify);
	qcmd_out_text(o, "transport", r->transport);
	qcmd_out_text(o, "destination", r->dest);
	qcmd_out_text(o, "requiretls", tls_word(r->tls));
	qcmd_out_num(o, "attempts", (int64_t)r->attempts);
	qcmd_out_time(o, "next", ended ? 0 : r->next);
	qcmd_out_time(o, "last", r->last);
	qcmd_out_bool(o, "delay-told", r->delay_told);
	qcmd_out_text(o, "dialled", r->dialled);
	qcmd_out_text(o, "status", r->result.status);
	qcmd_out_text(o, "result", r->result.text);
}

void
qcmd_put_attempt(struct qcmd_out *o, const struct queue_attempt *a)
{
	qcmd_out_text(o, "record", BYTES("attempt"));
	qcmd_out_time(o, "start", a->start_ms / 1000);
	qcmd_out_num(o, "duration-ms", a->duration_ms);
	qcmd_out_text(o, "outcome",
	    bytes_str(queue_outcome_text(a->outcome)));
	qcmd_out_num(o, "code", (int64_t)a->code);
	qcmd_out_text(o, "status", a->status);
	qcmd_out_text(o, "text", a->text);
	qcmd_out_text(o, "host", a->host);
	qcmd_out_text(o, "ip", a->ip);
	qcmd_out_text(o, "tls", a->tls);
	qcmd_out_text(o, "transport", a->transport);
}

void
qcmd_put_suppressed(struct qcmd_out *o, const struct queue_suppressed *s)
{
	qcmd_out_text(o, "account", s->account);
	qcmd_out_text(o, "address", s->address);
	qcmd_out_text(o, "base", s->base);
	qcmd_out_time(o, "added", s->added);
	qcmd_out_text(o, "by", s->by_hand ? BYTES("hand")
	    : BYTES("failure"));
	qcmd_out_text(o, "reason", s->reason);
}
