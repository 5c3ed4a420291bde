/*
 * spool.c - a message while it is received: memory first, then a file
 *
 * The file has no name (O_TMPFILE), so that nothing is left of it whatever
 * happens. It is on the file system of the mail.
 */
#include "smtp/smtp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/os.h"

/* Memory may hold one event's bytes more than the limit. Most messages fit in
 * what is asked for first; pages never touched cost nothing. */
#define MEMORY_FIRST (2 * (size_t)SMTP_BYTES_MAX)
#define MEMORY_CAP (SPOOL_MEMORY_MAX + (size_t)SMTP_BYTES_MAX)

void
spool_init(struct spool *s, const char *dir)
{
	*s = (struct spool){ 0 };
	s->dir = dir;
	s->fd = -1;
}

static struct bytes
in_memory(const struct spool *s)
{
	return s->n == 0 ? BYTES_EMPTY
	    : bytes_of(s->memory + SPOOL_FRONT, s->n);
}

/* What is in memory goes to the file and memory is empty again. */
static int
flush(struct spool *s)
{
	if (s->fd == -1 && (s->fd = os_tmpfile(AT_FDCWD, s->dir)) == -1)
		return -1;
	if (io_write_all(s->fd, in_memory(s), DEADLINE_NONE) == -1)
		return -1;
	s->n = 0;
	return 0;
}

unsigned char *
spool_room(struct spool *s)
{
	if (s->room - s->n < SMTP_BYTES_MAX) {
		s->room = s->room == 0 ? MEMORY_FIRST : MEMORY_CAP;
		s->memory = mem_realloc(s->memory, SPOOL_FRONT + s->room);
	}
	return s->memory + SPOOL_FRONT + s->n;
}

int
spool_take(struct spool *s, size_t n)
{
	s->n += n;
	s->size += n;
	return s->n > SPOOL_MEMORY_MAX ? flush(s) : 0;
}

int
spool_add(struct spool *s, struct bytes b)
{
	struct bytes piece;
	size_t n;

	while (b.n > 0) {
		n = b.n < SMTP_BYTES_MAX ? b.n : SMTP_BYTES_MAX;
		(void)bytes_cut(&b, n, &piece);		/* n is within b */
		memcpy(spool_room(s), piece.p, piece.n);
		if (spool_take(s, piece.n) == -1)
			return -1;
	}
	return 0;
}

int
spool_view(struct spool *s, struct bytes *out)
{
	void *p;

	if (s->fd == -1) {
		*out = in_memory(s);
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

size_t
spool_front(const struct spool *s, const unsigned char *p)
{
	struct bytes text = in_memory(s);

	return s->fd != -1 || text.n == 0 || (uintptr_t)p < (uintptr_t)text.p ||
	    (uintptr_t)p > (uintptr_t)(text.p + text.n) ? 0
	    : (size_t)(p - s->memory);
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
	s->n = 0;
}

void
spool_free(struct spool *s)
{
	spool_reset(s);
	free(s->memory);
	s->memory = NULL;
	s->room = 0;
}
