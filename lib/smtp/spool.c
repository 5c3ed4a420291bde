/*
 * spool.c - a message while it is received: memory first, then a file
 *
 * The file has no name (O_TMPFILE), so that nothing is left of it whatever
 * happens. It is on the file system of the mail.
 */
#include "smtp/smtp.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/os.h"

/* Memory may hold one event's bytes more than the limit. */
#define MEMORY_CAP (SPOOL_MEMORY_MAX + SMTP_BYTES_MAX)

void
spool_init(struct spool *s, const char *dir)
{
	*s = (struct spool){ 0 };
	s->dir = dir;
	s->fd = -1;
	s->memory = BUF_INIT(MEMORY_CAP);
}

/* What is in memory goes to the file and memory is empty again. */
static int
flush(struct spool *s)
{
	if (s->fd == -1 && (s->fd = os_tmpfile(AT_FDCWD, s->dir)) == -1)
		return -1;
	if (io_write_all(s->fd, buf_bytes(&s->memory), DEADLINE_NONE) == -1)
		return -1;
	buf_reset(&s->memory);
	return 0;
}

int
spool_add(struct spool *s, struct bytes b)
{
	struct bytes piece;
	size_t n;

	while (b.n > 0) {
		n = b.n < SMTP_BYTES_MAX ? b.n : SMTP_BYTES_MAX;
		(void)bytes_cut(&b, n, &piece);		/* n is within b */
		if (buf_add(&s->memory, piece) == -1)
			return -1;
		s->size += piece.n;
		if (s->memory.n > SPOOL_MEMORY_MAX && flush(s) == -1)
			return -1;
	}
	return 0;
}

int
spool_view(struct spool *s, struct bytes *out)
{
	void *p;

	if (s->fd == -1) {
		*out = buf_bytes(&s->memory);
		return 0;
	}
	if (s->map == NULL) {
		if (flush(s) == -1)
			return -1;
		p = mmap(NULL, (size_t)s->size, PROT_READ, MAP_PRIVATE,
		    s->fd, 0);
		if (p == MAP_FAILED)
			return -1;
		s->map = p;
		s->map_size = (size_t)s->size;
	}
	*out = bytes_of(s->map, s->map_size);
	return 0;
}

void
spool_reset(struct spool *s)
{
	if (s->map != NULL)
		(void)munmap(s->map, s->map_size);	/* our own mapping */
	if (s->fd != -1)
		(void)close(s->fd);	/* no name: nothing to keep */
	s->map = NULL;
	s->map_size = 0;
	s->fd = -1;
	s->size = 0;
	buf_reset(&s->memory);
}

void
spool_free(struct spool *s)
{
	spool_reset(s);
	buf_free(&s->memory);
}
