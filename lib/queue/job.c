/*
 * job.c - jobs and their results as frames
 */
#include "queue/job.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "frame/frame.h"
#include "queue/internal.h"

#define TRANSPORT(n, t, m) { n, t, offsetof(struct transport, m) }
static const struct member transport_members[] = {
	TRANSPORT("name", MEMBER_TEXT, name),
	TRANSPORT("type", MEMBER_COUNT, type),
	TRANSPORT("host", MEMBER_TEXT, host),
	TRANSPORT("port", MEMBER_COUNT, port),
	TRANSPORT("user", MEMBER_TEXT, user),
	TRANSPORT("password", MEMBER_TEXT, password),
	TRANSPORT("mechanisms", MEMBER_TEXT, mechanisms),
	TRANSPORT("key-pem", MEMBER_TEXT, key_pem),
	TRANSPORT("cert-pem", MEMBER_TEXT, cert_pem),
	TRANSPORT("helo", MEMBER_TEXT, helo),
	TRANSPORT("socks", MEMBER_TEXT, socks),
	TRANSPORT("socks-user", MEMBER_TEXT, socks_user),
	TRANSPORT("socks-password", MEMBER_TEXT, socks_password),
	TRANSPORT("source4", MEMBER_TEXT, source4),
	TRANSPORT("source6", MEMBER_TEXT, source6),
	TRANSPORT("command", MEMBER_TEXT, command),
	TRANSPORT("text", MEMBER_TEXT, text),
	TRANSPORT("code", MEMBER_COUNT, code),
	TRANSPORT("no-ipv4", MEMBER_COUNT, no_ipv4),
	TRANSPORT("no-ipv6", MEMBER_COUNT, no_ipv6),
	TRANSPORT("tls-insecure", MEMBER_COUNT, tls_insecure),
	{ NULL, MEMBER_TEXT, 0 },
};

#define KNOWN(n, t, m) { n, t, offsetof(struct queue_known, m) }
static const struct member known_members[] = {
	KNOWN("when", MEMBER_TIME, when),
	KNOWN("starttls", MEMBER_COUNT, starttls),
	KNOWN("requiretls", MEMBER_COUNT, requiretls),
	KNOWN("mta-sts", MEMBER_COUNT, mta_sts),
	KNOWN("dnssec", MEMBER_COUNT, dnssec),
	KNOWN("dane", MEMBER_COUNT, dane),
	{ NULL, MEMBER_TEXT, 0 },
};

#define TLS(n, t, m) { n, t, offsetof(struct job_tls_result, m) }
static const struct member tls_members[] = {
	TLS("policy-type", MEMBER_TEXT, policy_type),
	TLS("policy-domain", MEMBER_TEXT, policy_domain),
	TLS("mx-host", MEMBER_TEXT, mx_host),
	TLS("ip", MEMBER_TEXT, ip),
	TLS("result-type", MEMBER_TEXT, result_type),
	TLS("detail", MEMBER_TEXT, detail),
	TLS("is-host", MEMBER_COUNT, is_host),
	{ NULL, MEMBER_TEXT, 0 },
};

/* One record as one field of the frame. */
static int
add_record(struct buf *out, const char *name, const struct member *m,
    const void *record)
{
	struct buf b = BUF_INIT(FRAME_MAX);
	int r = queue_members_format(&b, m, record);

	if (r == 0)
		r = frame_add(out, name, buf_bytes(&b));
	buf_free(&b);
	return r;
}

static int
add_formatted(struct buf *out, const char *name, struct buf *b, int r)
{
	if (r == 0)
		r = frame_add(out, name, buf_bytes(b));
	buf_reset(b);
	return r;
}

int
job_format_request(struct buf *out, const struct job_request *j)
{
	struct buf b = BUF_INIT(RECORD_MAX);
	size_t start = frame_begin(out), i;

	(void)add_formatted(out, "message", &b,
	    queue_message_format(&b, &j->message));	/* frame_end tells */
	for (i = 0; i < j->count && !out->full; i++)
		(void)add_formatted(out, "rcpt", &b,
		    queue_rcpt_format(&b, &j->rcpts[i]));	/* the same */
	buf_free(&b);
	frame_add(out, "sender", j->sender);
	frame_add(out, "domain", j->domain);
	frame_add_num(out, "anew", j->anew);
	add_record(out, "transport", transport_members, &j->transport);
	return frame_end(out, start);
}

int
job_format_result(struct buf *out, const struct job_result *r)
{
	struct buf b = BUF_INIT(RECORD_MAX);
	size_t start = frame_begin(out);

	frame_add_num(out, "n", (int64_t)r->n);
	(void)add_formatted(out, "attempt", &b,
	    queue_attempt_format(&b, &r->attempt));	/* frame_end tells */
	frame_add(out, "dialled", r->dialled);
	buf_free(&b);
	return frame_end(out, start);
}

int
job_format_done(struct buf *out, const struct job_done *d)
{
	size_t start = frame_begin(out), i;

	frame_add_num(out, "done", 1);
	frame_add_num(out, "reusable", d->reusable);
	frame_add_num(out, "no-host", d->no_host);
	if (d->has_known)
		add_record(out, "known", known_members, &d->known);
	for (i = 0; i < d->ntls; i++)
		add_record(out, "tls", tls_members, &d->tls[i]);
	return frame_end(out, start);
}

/* ---- reading ---- */

/* How many fields of that name. */
static size_t
count_fields(struct bytes fields, const char *name)
{
	struct frame_field f;
	size_t n = 0;

	while (frame_next(&fields, &f) == 1)
		n += frame_is(&f, name);
	return n;
}

static int
parse_request_field(const struct frame_field *f, struct job_request *j)
{
	if (frame_is(f, "message"))
		return queue_message_parse(f->value, &j->message);
	if (frame_is(f, "rcpt"))
		return queue_rcpt_parse(f->value, &j->rcpts[j->count++]);
	if (frame_is(f, "transport"))
		return queue_members_parse(f->value, transport_members,
		    &j->transport);
	if (frame_is(f, "sender"))
		j->sender = f->value;
	else if (frame_is(f, "domain"))
		j->domain = f->value;
	else if (frame_is(f, "anew"))
		j->anew = bytes_eq(f->value, BYTES("1"));
	return 0;
}

int
job_parse_request(struct arena *a, struct bytes fields, struct job_request *j)
{
	struct frame_field f;
	int r;

	*j = (struct job_request){ .sender = BYTES_EMPTY,
	    .domain = BYTES_EMPTY };
	(void)queue_message_parse(BYTES_EMPTY, &j->message);	/* all zero */
	queue_members_clear(transport_members, &j->transport);
	j->rcpts = arena_zalloc(a, count_fields(fields, "rcpt"),
	    sizeof(*j->rcpts));
	while ((r = frame_next(&fields, &f)) == 1) {
		if (parse_request_field(&f, j) == -1)
			return -1;
	}
	if (r == 0 && (j->count == 0 || j->message.id == 0))
		return queue_fail(EBADMSG);
	return r;
}

static int
parse_result(struct bytes fields, struct job_result *out)
{
	struct frame_field f;
	int64_t n;
	int r;

	*out = (struct job_result){ .n = 0, .dialled = BYTES_EMPTY };
	(void)queue_attempt_parse(BYTES_EMPTY, &out->attempt);	/* all zero */
	while ((r = frame_next(&fields, &f)) == 1) {
		if (frame_is(&f, "n")) {
			if (frame_num(&f, 1, UINT32_MAX, &n) == -1)
				return -1;
			out->n = (uint64_t)n;
		} else if (frame_is(&f, "attempt")) {
			if (queue_attempt_parse(f.value, &out->attempt) == -1)
				return -1;
		} else if (frame_is(&f, "dialled"))
			out->dialled = f.value;
	}
	if (r == 0 && out->n == 0)
		return queue_fail(EBADMSG);
	return r;
}

static int
parse_done_field(const struct frame_field *f, struct job_done *d)
{
	int64_t n = 0;

	if (frame_is(f, "known")) {
		d->has_known = true;
		queue_members_clear(known_members, &d->known);
		return queue_members_parse(f->value, known_members,
		    &d->known);
	}
	if (frame_is(f, "tls")) {
		queue_members_clear(tls_members, &d->tls[d->ntls]);
		return queue_members_parse(f->value, tls_members,
		    &d->tls[d->ntls++]);
	}
	if (frame_is(f, "reusable") || frame_is(f, "no-host")) {
		if (frame_num(f, 0, 1, &n) == -1)
			return -1;
		if (frame_is(f, "reusable"))
			d->reusable = n == 1;
		else
			d->no_host = n == 1;
	}
	return 0;
}

int
job_parse_reply(struct arena *a, struct bytes fields, enum job_kind *kind,
    struct job_result *result, struct job_done *d)
{
	struct frame_field f;
	int r;

	if (count_fields(fields, "done") == 0) {
		*kind = JOB_RESULT;
		return parse_result(fields, result);
	}
	*kind = JOB_DONE;
	*d = (struct job_done){ .reusable = false };
	d->tls = arena_zalloc(a, count_fields(fields, "tls"),
	    sizeof(*d->tls));
	while ((r = frame_next(&fields, &f)) == 1) {
		if (parse_done_field(&f, d) == -1)
			return -1;
	}
	return r;
}
