/*
 * io.c - descriptors: whole reads and writes, deadlines, buffers
 *
 * Descriptors may be blocking or not. With a deadline a read waits in
 * poll(2) first, and a write that could block for longer than the deadline
 * is cut to what poll(2) promises.
 */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* 0 ready (or in error: the next call tells), -1 ETIMEDOUT or errno. */
static int
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int r;

	for (;;) {
		r = poll(&p, 1, deadline_left(deadline));
		if (r > 0)
			return 0;
		if (r == 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (errno != EINTR)
			return -1;
	}
}

ssize_t
io_read_some(int fd, void *p, size_t n, int64_t deadline)
{
	ssize_t r;

	for (;;) {
		if (deadline != DEADLINE_NONE &&
		    wait_for(fd, POLLIN, deadline) == -1)
			return -1;
		if ((r = read(fd, p, n)) >= 0)
			return r;
		if (errno == EAGAIN) {
			if (wait_for(fd, POLLIN, deadline) == -1)
				return -1;
		} else if (errno != EINTR) {
			return -1;
		}
	}
}

/* How to write without waiting: each where the one before is not to be had. */
enum write_how { WRITE_SOCKET, WRITE_NOWAIT, WRITE_POLLED };

static ssize_t
write_nowait(int fd, struct bytes s)
{
	/* pwritev2 does not write through iov_base. */
	struct iovec v = { (void *)(uintptr_t)s.p, s.n };

	return pwritev2(fd, &v, 1, -1, RWF_NOWAIT);
}

/* One write that does not block past the deadline. */
static ssize_t
write_some(int fd, struct bytes s, int64_t deadline, enum write_how *how)
{
	ssize_t r;

	if (deadline == DEADLINE_NONE)
		return write(fd, s.p, s.n);
	if (*how == WRITE_SOCKET) {
		r = send(fd, s.p, s.n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (r >= 0 || errno != ENOTSOCK)
			return r;
		*how = WRITE_NOWAIT;
	}
	/* Pipes of Linux 6.5: as much as there is room for. */
	if (*how == WRITE_NOWAIT && s.n > PIPE_BUF) {
		r = write_nowait(fd, s);
		if (r >= 0 || errno == EINTR || errno == EPIPE)
			return r;
		if (errno != EAGAIN)
			*how = WRITE_POLLED;
	}
	/* A pipe that polls writable takes PIPE_BUF bytes without waiting. */
	if (wait_for(fd, POLLOUT, deadline) == -1)
		return -1;
	return write(fd, s.p, s.n < PIPE_BUF ? s.n : PIPE_BUF);
}

int
io_write_all(int fd, struct bytes s, int64_t deadline)
{
	enum write_how how = WRITE_SOCKET;
	ssize_t r;

	while (s.n > 0) {
		r = write_some(fd, s, deadline, &how);
		if (r >= 0) {
			s = bytes_from(s, (size_t)r);
		} else if (errno == EAGAIN) {
			if (wait_for(fd, POLLOUT, deadline) == -1)
				return -1;
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

int
io_read_full(int fd, void *p, size_t n, int64_t deadline)
{
	unsigned char *q = p;
	size_t have = 0;
	ssize_t r;

	while (have < n) {
		r = io_read_some(fd, q + have, n - have, deadline);
		if (r == -1)
			return -1;
		if (r == 0) {
			if (have == 0)
				return 0;
			errno = EPROTO;
			return -1;
		}
		have += (size_t)r;
	}
	return 1;
}

#define READ_STEP ((size_t)65536)

int
io_read_all(int fd, struct buf *b, int64_t deadline)
{
	unsigned char one;
	size_t step;
	ssize_t r;

	for (;;) {
		step = b->max - b->n;
		if (step > READ_STEP)
			step = READ_STEP;
		if (step == 0) {	/* full: is there more? */
			r = io_read_some(fd, &one, 1, deadline);
			if (r > 0)
				return buf_addc(b, one);
			return (int)r;
		}
		if (b->size > b->n + 1 && step > b->size - b->n - 1)
			step = b->size - b->n - 1;
		if (buf_room(b, step) == -1)
			return -1;
		r = io_read_some(fd, b->p + b->n, step, deadline);
		if (r <= 0)
			return (int)r;
		b->n += (size_t)r;
	}
}

int
io_read_file(int dirfd, const char *path, struct buf *b)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC), r, err;
	struct stat st;

	if (fd == -1)
		return -1;
	r = 0;
	/* The size is a hint only; at the end one byte more is asked for. */
	if (fstat(fd, &st) == 0 && st.st_size > 0 &&
	    (uint64_t)st.st_size < b->max - b->n)
		r = buf_room(b, (size_t)st.st_size + 1);
	if (r == 0)
		r = io_read_all(fd, b, DEADLINE_NONE);
	err = errno;
	(void)close(fd);	/* only read from */
	errno = err;
	return r;
}

int
io_write_new(const char *path, struct bytes s)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	int r, err;

	if (fd == -1)
		return -1;
	r = io_write_all(fd, s, DEADLINE_NONE);
	if (r == 0)
		r = fsync(fd);
	err = errno;
	if (close(fd) == -1 && r == 0) {
		r = -1;
		err = errno;
	}
	if (r == -1)
		(void)unlink(path);	/* half a file serves no one */
	errno = err;
	return r;
}

void
reader_init(struct reader *r, int fd, void *p, size_t size)
{
	*r = (struct reader){ .fd = fd, .p = p, .size = size,
	    .deadline = DEADLINE_NONE };
}

int
reader_fill(struct reader *r)
{
	ssize_t n;

	if (r->eof)
		return 0;
	if (r->start == r->end) {
		r->start = r->end = 0;
	} else if (r->end == r->size && r->start > 0) {
		memmove(r->p, r->p + r->start, r->end - r->start);
		r->end -= r->start;
		r->start = 0;
	}
	if (r->end == r->size) {
		errno = EMSGSIZE;
		return -1;
	}
	n = io_read_some(r->fd, r->p + r->end, r->size - r->end, r->deadline);
	if (n == -1)
		return -1;
	r->end += (size_t)n;
	if (n == 0)
		r->eof = true;
	return n > 0;
}

int
reader_line(struct reader *r, struct bytes *line)
{
	size_t seen = 0, at, n;
	int got;

	for (;;) {
		if (bytes_chr(bytes_from(reader_pending(r), seen), '\n', &at)) {
			n = seen + at + 1;
			break;
		}
		seen = r->end - r->start;
		if ((got = reader_fill(r)) == -1)
			return -1;
		if (got == 0) {
			if ((n = seen) == 0)
				return 0;
			break;
		}
	}
	*line = bytes_of(r->p + r->start, n);
	r->start += n;
	return 1;
}

int
reader_peek(struct reader *r, struct bytes *s)
{
	int got;

	if (r->start == r->end && (got = reader_fill(r)) <= 0)
		return got;
	*s = reader_pending(r);
	return 1;
}

void
reader_skip(struct reader *r, size_t n)
{
	r->start = n > r->end - r->start ? r->end : r->start + n;
}

struct bytes
reader_pending(const struct reader *r)
{
	return bytes_of(r->p + r->start, r->end - r->start);
}

void
writer_init(struct writer *w, int fd, void *p, size_t size)
{
	*w = (struct writer){ .fd = fd, .p = p, .size = size,
	    .deadline = DEADLINE_NONE };
}

static int
writer_send(struct writer *w, struct bytes s)
{
	if (io_write_all(w->fd, s, w->deadline) == -1) {
		w->failed = true;
		return -1;
	}
	return 0;
}

static int
writer_dead(void)
{
	errno = EPIPE;
	return -1;
}

int
writer_flush(struct writer *w)
{
	struct bytes s = bytes_of(w->p, w->n);

	if (w->failed)
		return writer_dead();
	w->n = 0;
	return s.n == 0 ? 0 : writer_send(w, s);
}

int
writer_add(struct writer *w, struct bytes s)
{
	if (w->failed)
		return writer_dead();
	if (s.n > w->size - w->n && writer_flush(w) == -1)
		return -1;
	if (s.n > w->size)
		return writer_send(w, s);
	memcpy(w->p + w->n, s.p, s.n);
	w->n += s.n;
	return 0;
}

int
writer_adds(struct writer *w, const char *s)
{
	return writer_add(w, bytes_str(s));
}

int
writer_printf(struct writer *w, const char *format, ...)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	va_list ap;
	size_t room = w->size - w->n;
	int n, r;

	if (w->failed)
		return writer_dead();
	va_start(ap, format);
	n = vsnprintf((char *)w->p + w->n, room, format, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < room) {
		w->n += (size_t)n;
		return 0;
	}
	va_start(ap, format);
	r = buf_vprintf(&b, format, ap);
	va_end(ap);
	if (r == 0)
		r = writer_add(w, buf_bytes(&b));
	buf_free(&b);
	return r;
}
