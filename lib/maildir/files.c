/* Small files of a folder: .uidvalidity, dovecot-keywords, subscriptions. */
#include "maildir/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define UIDS_FILE ".uidvalidity"
#define KEYWORDS_FILE "dovecot-keywords"
#define SUBSCRIPTIONS_FILE "subscriptions"
#define KEYWORDS_MAX (64 * 1024)
#define LOCK_STEP_MS 20

/* ---- .uidvalidity ---- */

int
maildir_uids_read(int folder, struct maildir_uids *out)
{
	struct buf b = BUF_INIT(128);
	struct bytes s, line[2] = { BYTES_EMPTY, BYTES_EMPTY };
	uint64_t v, h;
	int r = 1;

	if (io_read_file(folder, UIDS_FILE, &b) == -1) {
		r = errno == ENOENT ? 0 : -1;
		if (errno == EMSGSIZE)
			errno = EBADMSG;
		buf_free(&b);
		return r;
	}
	s = buf_bytes(&b);
	if (s.n == 0) {
		r = 0;
	} else if (!bytes_line(&s, &line[0]) || !bytes_line(&s, &line[1]) ||
	    num_parse(line[0], 1, UINT32_MAX, &v) == -1 ||
	    num_parse(line[1], 0, UINT32_MAX, &h) == -1) {
		errno = EBADMSG;
		r = -1;
	} else {
		*out = (struct maildir_uids){ (uint32_t)v, (uint32_t)h };
	}
	buf_free(&b);
	return r;
}

int
maildir_uids_write(int folder, const struct maildir_uids *u)
{
	struct buf b = BUF_INIT(64);
	int fd, r = 0, err;

	(void)buf_printf(&b, "%u\n%u\n", (unsigned int)u->uidvalidity,
	    (unsigned int)u->highest);	/* two numbers fit */
	fd = openat(folder, UIDS_FILE,
	    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1) {
		buf_free(&b);
		return -1;
	}
	/* One write: a reader sees the old or the new pair, and it never gets
	 * shorter than what a cut-off tail would change. */
	if (pwrite(fd, b.p, b.n, 0) != (ssize_t)b.n ||
	    ftruncate(fd, (off_t)b.n) == -1)
		r = -1;
	err = errno;
	if (close(fd) == -1 && r == 0)
		r = -1;
	else
		errno = err;
	buf_free(&b);
	return r;
}

int
maildir_uids_lock(int folder, int timeout_ms)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct timespec step = { 0, LOCK_STEP_MS * 1000000L };
	int fd = openat(folder, UIDS_FILE, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd == -1)
		return -1;
	while (fcntl(fd, F_OFD_SETLK, &lock) == -1) {
		int err = errno;

		if ((err != EAGAIN && err != EACCES && err != EINTR) ||
		    timeout_ms <= 0) {
			(void)close(fd);	/* nothing was written */
			errno = err == EAGAIN || err == EACCES ? ETIMEDOUT
			    : err;
			return -1;
		}
		timeout_ms -= LOCK_STEP_MS;
		(void)nanosleep(&step, NULL);	/* cut short: tried sooner */
	}
	return fd;
}

/* ---- dovecot-keywords ---- */

int
maildir_keywords_read(int folder, struct maildir_keywords *out)
{
	struct buf b = BUF_INIT(KEYWORDS_MAX);
	struct maildir_keywords k = { { NULL } };
	struct bytes s, line, number;
	struct arena a = ARENA_INIT;
	uint64_t i;

	if (io_read_file(folder, KEYWORDS_FILE, &b) == -1) {
		buf_free(&b);
		return errno == ENOENT ? 0 : -1;
	}
	s = buf_bytes(&b);
	while (bytes_line(&s, &line)) {
		char *name;

		if (!bytes_split(&line, ' ', &number) || line.n == 0 ||
		    num_parse(number, 0, MAILDIR_KEYWORDS - 1, &i) == -1 ||
		    k.name[i] != NULL || (name = arena_str(&a, line)) == NULL)
			continue;
		k.name[i] = mem_strdup(name);
	}
	arena_free(&a);
	buf_free(&b);
	*out = k;
	return 1;
}

int
maildir_keywords_write(int folder, const struct maildir_keywords *k)
{
	struct buf b = BUF_INIT(KEYWORDS_MAX);
	int i, r;

	for (i = 0; i < MAILDIR_KEYWORDS; i++) {
		if (k->name[i] != NULL)
			(void)buf_printf(&b, "%d %s\n", i,
			    k->name[i]);	/* full tells */
	}
	if (b.full) {
		errno = EMSGSIZE;
		r = -1;
	} else {
		r = maildir_replace(folder, KEYWORDS_FILE, buf_bytes(&b));
	}
	buf_free(&b);
	return r;
}

void
maildir_keywords_free(struct maildir_keywords *k)
{
	int i;

	for (i = 0; i < MAILDIR_KEYWORDS; i++)
		free(k->name[i]);
	*k = (struct maildir_keywords){ { NULL } };
}

/* ---- subscriptions ---- */

int
maildir_subscriptions_read(int maildir, struct buf *out)
{
	struct buf b = BUF_INIT(MAILDIR_SUBSCRIPTIONS_MAX), f = BUF_INIT(1024);
	struct bytes s, line;

	if (io_read_file(maildir, SUBSCRIPTIONS_FILE, &b) == -1) {
		buf_free(&b);
		return errno == ENOENT ? 0 : -1;
	}
	s = buf_bytes(&b);
	while (bytes_line(&s, &line)) {
		buf_reset(&f);
		if (bytes_caseeq(line, BYTES("INBOX"))) {
			(void)buf_add(out, BYTES("INBOX"));	/* full tells */
		} else {
			(void)buf_addc(&f, '.');	/* full tells */
			(void)buf_add(&f, line);
			if (line.n == 0 || f.full ||
			    maildir_folder_parse(out, buf_bytes(&f)) == -1)
				continue;	/* not one of ours */
		}
		(void)buf_addc(out, '\0');	/* full tells */
	}
	buf_free(&b);
	buf_free(&f);
	if (out->full) {
		errno = EMSGSIZE;
		return -1;
	}
	return 1;
}

int
maildir_subscriptions_write(int maildir, struct bytes names)
{
	struct buf b = BUF_INIT(MAILDIR_SUBSCRIPTIONS_MAX), f = BUF_INIT(1024);
	struct bytes name;
	int r = 0;

	while (r == 0 && names.n > 0 && bytes_split(&names, '\0', &name)) {
		buf_reset(&f);
		if (bytes_eq(name, BYTES("INBOX")))
			r = buf_adds(&b, "INBOX\n");
		else if ((r = maildir_folder_format(&f, name)) == 0) {
			r = buf_add(&b, bytes_from(buf_bytes(&f), 1));
			if (r == 0)
				r = buf_addc(&b, '\n');
		}
	}
	if (r == 0)
		r = maildir_replace(maildir, SUBSCRIPTIONS_FILE,
		    buf_bytes(&b));
	buf_free(&b);
	buf_free(&f);
	return r;
}
