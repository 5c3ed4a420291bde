/*
 * places.c - how many children serve one address, one account
 *
 * What comes from a child is of a fixed size and gives it nothing but a count
 * of its own, which ends with the process, however that ends.
 */
#include "server/internal.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MS 10000
#define ADDRESS 16
/* Family, address, account. */
#define ASK_SIZE (1 + ADDRESS + PLACE_ACCOUNT)

/* ---- the child's end ---- */

static int
ask(int fd, const struct ip *remote, struct bytes account)
{
	int64_t deadline = deadline_in(ANSWER_MS);
	unsigned char text[ASK_SIZE];
	char c;

	text[0] = remote->family == AF_INET ? 4
	    : remote->family == AF_INET6 ? 6 : 0;
	memcpy(text + 1, remote->a, ADDRESS);
	sha256_of(account, text + 1 + ADDRESS);
	if (io_write_all(fd, bytes_of(text, sizeof(text)), deadline) == -1)
		return -1;
	errno = EPIPE;		/* for an end */
	return io_read_full(fd, &c, 1, deadline) != 1 ? -1 : c == 'y';
}

int
server_place(struct server_conn *conn, const struct ip *remote,
    struct bytes account)
{
	int r, saved;

	if (conn->inherited)
		return 1;
	if (conn->place_fd <= 0) {
		errno = EMFILE;		/* the parent had no descriptors */
		return -1;
	}
	r = ask(conn->place_fd, remote, account);
	saved = errno;
	(void)close(conn->place_fd);	/* it has been answered, or never is */
	conn->place_fd = -1;
	errno = saved;
	return r;
}

/* ---- the parent's ---- */

static unsigned int
count_account(const struct listener *l, const unsigned char *account)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < l->nchildren; i++)
		n += l->children[i].placed && memcmp(l->children[i].account,
		    account, PLACE_ACCOUNT) == 0;
	return n;
}

static bool
take(struct listener *l, struct child *c, const unsigned char *text)
{
	const unsigned char *account = text + 1 + ADDRESS;
	unsigned int most = l->s->limits.account;
	struct ip remote = { .family = text[0] == 4 ? AF_INET
	    : text[0] == 6 ? AF_INET6 : 0 };

	memcpy(remote.a, text + 1, ADDRESS);
	if (c->placed || (most != 0 && count_account(l, account) >= most) ||
	    !limiter_add(l->places, &remote, time_wall_us() / 1000000,
	    &c->place_ticket))
		return false;
	memcpy(c->account, account, PLACE_ACCOUNT);
	c->placed = true;
	return true;
}

void
places_answer(struct listener *l, struct child *c)
{
	unsigned char text[ASK_SIZE];
	ssize_t n = recv(c->leash, text, sizeof(text), MSG_DONTWAIT);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	/* A child that is gone by now needs no answer. */
	if (n == ASK_SIZE)
		(void)send(c->leash, take(l, c, text) ? "y" : "n", 1,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	keep_no_more(l, c);
}
