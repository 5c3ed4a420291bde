/*
 * hand.c - a message to the service that takes it
 */
#include "sendmail.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "os/os.h"

int
hand_compose(struct local *l, const char *full_name, bool keep_bcc,
    struct arena *a, struct bytes text, struct bytes *header,
    struct bytes *body)
{
	struct compose c = { .address = l->address, .keep_bcc = keep_bcc,
	    .name = full_name != NULL ? bytes_str(full_name) : l->full_name,
	    .now = time_wall_us() / 1000000, .may_use = local_may_use,
	    .ctx = l };
	struct buf b = BUF_INIT(COMPOSE_HEADER_MAX);
	int r = compose_header(&c, a, text, &b, body);

	*header = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return r;
}

/* Small: within the frame; large: a file without a name, *fd. */
static int
place_text(struct arena *a, struct bytes header, struct bytes body,
    struct add_request *r, int *fd)
{
	const char *dir = env_get("TMPDIR");
	struct buf b = BUF_INIT(INLINE_MAX);
	int err;

	*fd = -1;
	if (buf_add(&b, header) == 0 && buf_add(&b, body) == 0) {
		r->text = arena_bytes(a, buf_bytes(&b));
		buf_free(&b);
		return 0;
	}
	buf_free(&b);
	if ((*fd = os_tmpfile(AT_FDCWD, dir == NULL ? "/tmp" : dir)) == -1)
		return -1;
	if (io_write_all(*fd, header, DEADLINE_NONE) == 0 &&
	    io_write_all(*fd, body, DEADLINE_NONE) == 0)
		return 0;
	err = errno;
	(void)close(*fd);	/* it has no name */
	errno = err;
	return -1;
}

static int
ask(struct arena *a, const struct add_request *r, int fd,
    struct add_reply *reply, const char **why)
{
	static const char *const services[] = { "queue-add", "relay-submit" };
	const char *path;
	int64_t deadline = deadline_in(ANSWER_TIMEOUT_MS);

	for (size_t i = 0; i < 2; i++) {
		path = arena_printf(a, "%s/%s", dir_run(), services[i]);
		if (add_send(a, path, r, fd, reply, deadline) == 0)
			return 0;
		*why = arena_printf(a, "no answer from %s", path);
		/* A frame holds INLINE_MAX and the recipients. */
		if (errno != ENOENT)
			return -1;
	}
	*why = arena_printf(a, "neither queue-add nor relay-submit is in %s",
	    dir_run());
	errno = ENOENT;
	return -1;
}

int
hand_over(struct arena *a, const struct add_request *r, struct bytes header,
    struct bytes body, struct add_reply *reply, const char **why)
{
	struct add_request request = *r;
	int fd, n, err;

	if (place_text(a, header, body, &request, &fd) == -1) {
		*why = "cannot write the message to a temporary file";
		return -1;
	}
	n = ask(a, &request, fd, reply, why);
	err = errno;
	if (fd != -1)
		(void)close(fd);	/* it was sent, or nothing was */
	errno = err;
	return n;
}
