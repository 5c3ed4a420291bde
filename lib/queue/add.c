/*
 * add.c - handing a message to queue-add
 */
#include "queue/add.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "frame/frame.h"
#include "os/os.h"
#include "queue/internal.h"

#define REQUEST(n, t, m) { n, t, offsetof(struct add_request, m) }
static const struct member request_members[] = {
	REQUEST("account", MEMBER_TEXT, account),
	REQUEST("login", MEMBER_TEXT, login),
	REQUEST("sender", MEMBER_TEXT, sender),
	REQUEST("text", MEMBER_TEXT, text),
	REQUEST("envid", MEMBER_TEXT, envid),
	REQUEST("ret-full", MEMBER_COUNT, ret_full),
	REQUEST("ret-headers", MEMBER_COUNT, ret_headers),
	REQUEST("body-8bit", MEMBER_COUNT, body_8bit),
	REQUEST("body-binary", MEMBER_COUNT, body_binary),
	REQUEST("smtputf8", MEMBER_COUNT, smtputf8),
	REQUEST("requiretls", MEMBER_COUNT, requiretls),
	REQUEST("release", MEMBER_TIME, release),
	REQUEST("deliver-by", MEMBER_TIME, deliver_by),
	REQUEST("by-return", MEMBER_COUNT, by_return),
	REQUEST("by-trace", MEMBER_COUNT, by_trace),
	REQUEST("received-id", MEMBER_TEXT, received_id),
	REQUEST("helo", MEMBER_TEXT, helo),
	REQUEST("with", MEMBER_TEXT, with),
	REQUEST("remote-host", MEMBER_TEXT, remote_host),
	REQUEST("remote-ip", MEMBER_TEXT, remote_ip),
	REQUEST("tls", MEMBER_TEXT, tls),
	REQUEST("kind", MEMBER_COUNT, kind),
	REQUEST("list", MEMBER_COUNT, list),
	REQUEST("after", MEMBER_TEXT, after),
	{ NULL, MEMBER_TEXT, 0 },
};

#define RCPT(n, t, m) { n, t, offsetof(struct add_rcpt, m) }
static const struct member rcpt_members[] = {
	RCPT("address", MEMBER_TEXT, address),
	RCPT("orcpt", MEMBER_TEXT, orcpt),
	RCPT("notify", MEMBER_COUNT, notify),
	{ NULL, MEMBER_TEXT, 0 },
};

#define REPLY(n, t, m) { n, t, offsetof(struct add_reply, m) }
static const struct member reply_members[] = {
	REPLY("code", MEMBER_COUNT, code),
	REPLY("status", MEMBER_TEXT, status),
	REPLY("text", MEMBER_TEXT, text),
	REPLY("id", MEMBER_COUNT, id),
	REPLY("next", MEMBER_TEXT, next),
	{ NULL, MEMBER_TEXT, 0 },
};

int
add_format_request(struct buf *out, const struct add_request *r)
{
	struct buf b = BUF_INIT(RECORD_MAX);
	size_t start = frame_begin(out), i;

	(void)queue_members_format(out, request_members, r);	/* frame_end */
	for (i = 0; i < r->count && !out->full; i++) {
		buf_reset(&b);
		if (queue_members_format(&b, rcpt_members, &r->rcpts[i]) == 0)
			frame_add(out, "rcpt", buf_bytes(&b));
		else
			out->full = true;
	}
	buf_free(&b);
	return frame_end(out, start);
}

static size_t
count_rcpts(struct bytes fields)
{
	struct frame_field f;
	size_t n = 0;

	while (frame_next(&fields, &f) == 1)
		n += frame_is(&f, "rcpt");
	return n;
}

int
add_parse_request(struct arena *a, struct bytes fields, struct add_request *r)
{
	struct frame_field f;
	struct add_rcpt *p;
	int got;

	queue_members_clear(request_members, r);
	r->rcpts = arena_zalloc(a, count_rcpts(fields), sizeof(*r->rcpts));
	r->count = 0;
	if (queue_members_parse(fields, request_members, r) == -1)
		return -1;
	while ((got = frame_next(&fields, &f)) == 1) {
		if (!frame_is(&f, "rcpt"))
			continue;
		p = &r->rcpts[r->count++];
		queue_members_clear(rcpt_members, p);
		if (queue_members_parse(f.value, rcpt_members, p) == -1)
			return -1;
	}
	return got;
}

int
add_format_reply(struct buf *out, const struct add_reply *r)
{
	size_t start = frame_begin(out);

	(void)queue_members_format(out, reply_members, r);	/* frame_end */
	return frame_end(out, start);
}

int
add_parse_reply(struct bytes fields, struct add_reply *r)
{
	queue_members_clear(reply_members, r);
	if (queue_members_parse(fields, reply_members, r) == -1)
		return -1;
	return r->code < 200 || r->code > 599 ? queue_fail(EBADMSG) : 0;
}

static int
exchange(int sock, struct bytes request, int text_fd, struct buf *in,
    struct bytes *fields, int64_t deadline)
{
	size_t nfds = 0;
	int r;

	if (frame_send(sock, request, &text_fd, text_fd != -1,
	    deadline) == -1)
		return -1;
	r = frame_recv(sock, in, fields, NULL, &nfds, deadline);
	return r == 0 ? queue_fail(EPROTO) : r == 1 ? 0 : -1;
}

int
add_send(struct arena *a, const char *path,
    const struct add_request *request, int text_fd, struct add_reply *reply,
    int64_t deadline)
{
	struct buf out = BUF_INIT(FRAME_MAX), in = BUF_INIT(FRAME_MAX);
	struct bytes fields;
	int sock = -1, r = add_format_request(&out, request), err;

	if (r == 0 && (sock = os_connect_unix(path, deadline)) == -1)
		r = -1;
	if (r == 0 && (r = exchange(sock, buf_bytes(&out), text_fd, &in,
	    &fields, deadline)) == 0)
		r = add_parse_reply(arena_bytes(a, fields), reply);
	err = errno;
	if (sock != -1)
		(void)close(sock);	/* the answer is in, or there is none */
	buf_free(&out);
	buf_free(&in);
	errno = err;
	return r;
}
