/* read.c - a limiter's file for those who only look */
#include "limiter/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES 20	/* then a copy with a change in it is good enough */

static int
copy(int fd, struct buf *out, size_t n)
{
	ssize_t r;

	buf_reset(out);
	if (buf_room(out, n) == -1)
		return -1;
	while (out->n < n) {
		r = pread(fd, out->p + out->n, n - out->n, (off_t)out->n);
		if (r == -1 && errno == EINTR)
			continue;
		if (r <= 0) {
			errno = r == 0 ? EBADMSG : errno;
			return -1;
		}
		out->n += (size_t)r;
	}
	return 0;
}

/* The copy was made of an even state, and it still is that state. */
static bool
is_whole(int fd, const struct buf *b)
{
	size_t at = offsetof(struct head, sequence);
	unsigned int before, after;

	if (b->n < HEAD_SIZE)
		return true;	/* limiter_parse says what is wrong */
	memcpy(&before, b->p + at, sizeof(before));
	return pread(fd, &after, sizeof(after), (off_t)at) ==
	    (ssize_t)sizeof(after) && before == after && (before & 1) == 0;
}

int
limiter_read(int dirfd, const char *name, struct buf *out)
{
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
	struct stat st;
	int i, r = -1, err;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1) {
		err = errno;
	} else if (!S_ISREG(st.st_mode)) {
		err = EBADMSG;
	} else if ((uintmax_t)st.st_size > LIMITER_FILE_MAX) {
		err = EFBIG;
	} else {
		for (i = 0; i < TRIES; i++) {
			r = copy(fd, out, (size_t)st.st_size);
			if (r == -1 || is_whole(fd, out))
				break;
		}
		err = errno;
	}
	(void)close(fd);	/* was only read */
	errno = err;
	return r;
}

static bool
take_slot(const struct slot *s, struct limiter_count *c, unsigned int *mask)
{
	struct ip net = { .family = s->family == 4 ? AF_INET : AF_INET6 };

	if ((s->family != 4 && s->family != 6) || s->mask >= LIMITER_MASKS)
		return false;
	*mask = s->mask;
	c->bits = ip_net_bits(s->family == 6, *mask);
	memcpy(net.a, s->net, sizeof(s->net));
	c->net = ip_mask(&net, c->bits);
	c->value = s->count;
	return true;
}

int
limiter_parse(struct bytes file, int64_t now_seconds,
    void (*each)(void *ctx, const struct limiter_count *c), void *ctx)
{
	struct limiter l = { .fd = -1 };
	struct limiter_count c;
	const struct window *w;
	struct head h;
	unsigned int mask;
	struct slot s;
	size_t i, k;

	if (file.n < HEAD_SIZE)
		return errno = EBADMSG, -1;
	memcpy(&h, file.p, sizeof(h));
	if (!limiter_take_head(&l, &h, file.n))
		return errno = EBADMSG, -1;
	l.head = &h;
	limiter_advance(&l, now_seconds);
	(void)bytes_cut(&file, HEAD_SIZE, &(struct bytes){ 0 });
	for (i = 0; i < l.windows; i++) {
		w = &l.window[i];
		c.seconds = w->seconds;
		for (k = 0; k < w->slots; k++) {
			struct bytes one = BYTES_EMPTY;

			if (!bytes_cut(&file, sizeof(s), &one))
				break;	/* never: sizes fit */
			memcpy(&s, one.p, sizeof(s));
			if (!limiter_counts(&l, w, &s) ||
			    !take_slot(&s, &c, &mask))
				continue;
			c.limit = h.window[i].limits[mask];
			each(ctx, &c);
		}
	}
	return 0;
}
