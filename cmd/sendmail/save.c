/*
 * save.c - a message that was refused for good is kept for its author
 */
#include "sendmail.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES 65536

static bool
is_quoted(struct bytes line)
{
	while (bytes_skip(&line, BYTES(">")))
		;
	return bytes_starts(line, BYTES("From "));
}

static int
add_letter(struct writer *w, const struct local *l, struct bytes text)
{
	struct buf date = BUF_INIT(64);
	struct date d = date_from_unix(time_wall_us() / 1000000);
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = DATE_MONTHS;
	struct bytes line;

	(void)buf_printf(&date, "From %.*s %.3s %.3s %2d %02d:%02d:%02d "
	    "%lld\n", BYTES_ARG(bytes_first(l->user, 20)),
	    &days[(size_t)d.weekday * 3], &months[((size_t)d.month - 1) * 3],
	    d.day, d.hour, d.min,
	    d.sec, (long long)d.year);	/* it fits */
	(void)writer_add(w, buf_bytes(&date));	/* told by writer_flush */
	buf_free(&date);
	while (bytes_line(&text, &line)) {
		if (is_quoted(line))
			(void)writer_adds(w, ">");	/* likewise */
		(void)writer_add(w, line);	/* likewise */
		(void)writer_adds(w, "\n");	/* likewise */
	}
	(void)writer_adds(w, "\n");	/* likewise */
	return writer_flush(w);
}

/* All of it, or nothing: what a full disk took is cut off again. */
static int
append(int fd, const struct local *l, struct bytes text)
{
	unsigned char space[BUFFER_BYTES];
	struct writer w;
	struct stat st;
	int err;

	if (flock(fd, LOCK_EX) == -1 || fstat(fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	writer_init(&w, fd, space, sizeof(space));
	if (add_letter(&w, l, text) == 0 && fsync(fd) == 0)
		return 0;
	err = errno;
	if (ftruncate(fd, st.st_size) == -1)
		msg_warnsys("cannot cut what was written in part");
	errno = err;
	return -1;
}

void
save_letter(const struct local *l, struct bytes text)
{
	struct arena a = ARENA_INIT;
	const char *path = arena_printf(&a, "%s/dead.letter", l->home);
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK, 0600), r = -1;

	if (fd != -1)
		r = append(fd, l, text);
	if (r == -1)
		msg_warnsys("cannot save the message in %s", path);
	else
		msg_warn("the message is saved in %s", path);
	if (fd != -1)
		(void)close(fd);	/* fsync told */
	arena_free(&a);
}
