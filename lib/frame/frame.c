/*
 * frame.c - named values between our own processes
 */
#include "frame/frame.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"

#define HEAD 4
/* One sendmsg(2) with descriptors, see os_send_fds. */
#define FIRST_MAX 65536
#define READ_MAX 65536

static int
fail(int err)
{
	errno = err;
	return -1;
}

size_t
frame_begin(struct buf *b)
{
	static const unsigned char zero[HEAD];
	size_t start = b->n;

	(void)buf_add(b, bytes_of(zero, HEAD));	/* frame_end looks at full */
	return start;
}

int
frame_add(struct buf *b, const char *name, struct bytes value)
{
	struct bytes n = bytes_str(name);
	unsigned char length[4];

	assert(n.n > 0 && n.n <= FRAME_NAME_MAX);
	if (value.n > FRAME_MAX || buf_room(b, 5 + n.n + value.n) == -1) {
		b->full = true;
		return fail(EMSGSIZE);
	}
	be32_put(length, (uint32_t)value.n);
	(void)buf_addc(b, (int)n.n);		/* there is room for all */
	(void)buf_add(b, n);
	(void)buf_add(b, bytes_of(length, 4));
	(void)buf_add(b, value);
	return 0;
}

int
frame_add_str(struct buf *b, const char *name, const char *value)
{
	return frame_add(b, name, bytes_str(value));
}

int
frame_add_num(struct buf *b, const char *name, int64_t n)
{
	struct buf text = BUF_INIT(32);
	int r;

	(void)buf_printf(&text, "%lld", (long long)n);	/* 20 digits fit */
	r = frame_add(b, name, buf_bytes(&text));
	buf_free(&text);
	return r;
}

int
frame_end(struct buf *b, size_t start)
{
	if (b->full || b->n - start > FRAME_MAX)
		return fail(EMSGSIZE);
	be32_put(b->p + start, (uint32_t)(b->n - start - HEAD));
	return 0;
}

/* ---- reading ---- */

int
frame_cut(struct bytes *in, struct bytes *fields)
{
	struct bytes s = *in, head;
	uint32_t n;

	if (!bytes_cut(&s, HEAD, &head))
		return 0;
	n = be32_get(head.p);
	if (n > FRAME_MAX - HEAD)
		return fail(EMSGSIZE);
	if (!bytes_cut(&s, n, fields))
		return 0;
	*in = s;
	return 1;
}

static bool
is_name(struct bytes s)
{
	int c;

	if (s.n == 0 || s.n > FRAME_NAME_MAX)
		return false;
	while ((c = bytes_next(&s)) != -1) {
		if (!ascii_is_lower(c) && !ascii_is_digit(c) && c != '-')
			return false;
	}
	return true;
}

int
frame_next(struct bytes *fields, struct frame_field *f)
{
	struct bytes s = *fields, length;
	struct frame_field got;
	int n;

	if ((n = bytes_next(&s)) == -1)
		return 0;
	if (!bytes_cut(&s, (size_t)n, &got.name) || !is_name(got.name) ||
	    !bytes_cut(&s, 4, &length) ||
	    !bytes_cut(&s, be32_get(length.p), &got.value))
		return fail(EBADMSG);
	*f = got;
	*fields = s;
	return 1;
}

bool
frame_is(const struct frame_field *f, const char *name)
{
	return bytes_eq(f->name, bytes_str(name));
}

int
frame_num(const struct frame_field *f, int64_t min, int64_t max,
    int64_t *out)
{
	if (num_parse_signed(f->value, min, max, out) == -1)
		return fail(EBADMSG);
	return 0;
}

/* ---- sockets ---- */

int
frame_send(int sock, struct bytes frame, const int *fds, size_t nfds,
    int64_t deadline)
{
	struct bytes first;

	if (nfds > 0) {
		first = bytes_first(frame, FIRST_MAX);
		if (os_send_fds(sock, first, fds, nfds) == -1)
			return -1;
		frame = bytes_from(frame, first.n);
	}
	return io_write_all(sock, frame, deadline);
}

static void
close_all(int *fds, size_t n)
{
	int err = errno;

	while (n > 0)
		(void)close(fds[--n]);	/* refused: nothing was written */
	errno = err;
}

/* One more read; what it brings in descriptors is added to *have. */
static int
read_more(int sock, struct buf *in, int *fds, size_t *have, size_t max,
    int64_t deadline)
{
	int got[OS_FDS_MAX];
	size_t n = OS_FDS_MAX;
	ssize_t r;

	if (buf_room(in, READ_MAX) == -1)
		return -1;
	r = os_recv_fds(sock, in->p + in->n, READ_MAX, got, &n, deadline);
	if (r <= 0)
		return (int)r;
	in->n += (size_t)r;
	if (n > max - *have) {
		close_all(got, n);
		return fail(EMSGSIZE);
	}
	for (size_t i = 0; i < n; i++)
		fds[(*have)++] = got[i];
	return 1;
}

int
frame_recv(int sock, struct buf *in, struct bytes *fields, int *fds,
    size_t *nfds, int64_t deadline)
{
	size_t have = 0, max = *nfds;
	struct bytes view;
	int r;

	for (;;) {
		view = buf_bytes(in);
		if ((r = frame_cut(&view, fields)) == 1) {
			*nfds = have;
			return 1;
		}
		if (r == 0)
			r = read_more(sock, in, fds, &have, max, deadline);
		if (r == 0 && in->n == 0)
			return 0;
		if (r == 0)
			r = fail(EPROTO);
		if (r == -1) {
			close_all(fds, have);
			return -1;
		}
	}
}

void
frame_done(struct buf *in)
{
	struct bytes view = buf_bytes(in), fields;

	if (frame_cut(&view, &fields) == 1)
		buf_drop(in, in->n - view.n);
}
