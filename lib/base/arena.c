/*
 * arena.c - memory by the job
 *
 * A list of blocks. The head serves small requests; a request of more than a
 * quarter of the next block size gets a block of its own behind the head, so
 * that what is left of the head stays in use.
 */
#include "base/base.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Small: many arenas hold a path or two, and a page touched costs a page
 * fault in every process forked for a connection. */
#define BLOCK_MIN ((size_t)480)
#define BLOCK_FULL ((size_t)4096)	/* what a larger request begins with */
#define BLOCK_MAX ((size_t)1 << 18)	/* blocks stop doubling here */

struct arena_block {
	struct arena_block *next;
	size_t size, used;
	max_align_t data[];
};

void
mem_exhausted(void)
{
	static const char text[] = "fatal: cannot allocate memory\n";

	/* Nothing can be done if even this fails. */
	if (write(STDERR_FILENO, text, sizeof(text) - 1) == -1)
		_exit(EXIT_TEMP);
	_exit(EXIT_TEMP);
}

void *
mem_alloc(size_t n)
{
	void *p = malloc(n == 0 ? 1 : n);

	if (p == NULL)
		mem_exhausted();
	return p;
}

void *
mem_zalloc(size_t count, size_t size)
{
	void *p;

	if (count == 0 || size == 0)
		count = size = 1;
	if ((p = calloc(count, size)) == NULL)
		mem_exhausted();
	return p;
}

void *
mem_realloc(void *p, size_t n)
{
	void *q = realloc(p, n == 0 ? 1 : n);

	if (q == NULL)
		mem_exhausted();
	return q;
}

char *
mem_strdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(mem_alloc(n), s, n);
}

static struct arena_block *
block_new(size_t size)
{
	size_t total;
	struct arena_block *b;

	if (!size_add(size, sizeof(*b), &total))
		mem_exhausted();
	b = mem_alloc(total);
	b->next = NULL;
	b->size = size;
	b->used = 0;
	return b;
}

static void *
block_take(struct arena_block *b, size_t n)
{
	void *p = (unsigned char *)b->data + b->used;

	b->used += n;
	return p;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	struct arena_block *b = a->head;
	size_t want, size;

	/* Not less than one unit, so that each result is its own address. */
	if (!size_add(n == 0 ? 1 : n, sizeof(max_align_t) - 1, &want))
		mem_exhausted();
	want -= want % sizeof(max_align_t);
	a->used_bytes += want;
	if (b != NULL && b->size - b->used >= want)
		return block_take(b, want);
	size = b == NULL ? BLOCK_MIN : b->size * 2;
	while (size < BLOCK_FULL && want > size / 4)
		size *= 2;
	if (size > BLOCK_MAX)
		size = BLOCK_MAX;
	if (want > size / 4) {
		b = block_new(want);
		if (a->head == NULL) {
			a->head = b;
		} else {
			b->next = a->head->next;
			a->head->next = b;
		}
		return block_take(b, want);
	}
	b = block_new(size);
	b->next = a->head;
	a->head = b;
	return block_take(b, want);
}

void *
arena_zalloc(struct arena *a, size_t count, size_t size)
{
	size_t n;

	if (!size_mul(count, size, &n))
		mem_exhausted();
	return memset(arena_alloc(a, n), 0, n);
}

struct bytes
arena_bytes(struct arena *a, struct bytes s)
{
	if (s.n == 0)
		return BYTES_EMPTY;
	return bytes_of(memcpy(arena_alloc(a, s.n), s.p, s.n), s.n);
}

struct bytes
arena_lower(struct arena *a, struct bytes s)
{
	unsigned char *p;

	if (s.n == 0)
		return BYTES_EMPTY;
	p = arena_alloc(a, s.n);
	bytes_lower(p, s);
	return bytes_of(p, s.n);
}

char *
arena_str(struct arena *a, struct bytes s)
{
	char *p;

	if (bytes_has_nul(s)) {
		errno = EINVAL;
		return NULL;
	}
	p = arena_alloc(a, s.n + 1);
	memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

char *
arena_printf(struct arena *a, const char *format, ...)
{
	va_list ap, again;
	char *p;
	int n;

	va_start(ap, format);
	va_copy(again, ap);
	/* Fails only past INT_MAX bytes, which no memory limit allows. */
	if ((n = vsnprintf(NULL, 0, format, ap)) < 0)
		mem_exhausted();
	p = arena_alloc(a, (size_t)n + 1);
	if (vsnprintf(p, (size_t)n + 1, format, again) != n)
		mem_exhausted();
	va_end(again);
	va_end(ap);
	return p;
}

static void
blocks_free(struct arena_block *b)
{
	struct arena_block *next;

	for (; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
}

void
arena_reset(struct arena *a)
{
	a->used_bytes = 0;
	if (a->head == NULL)
		return;
	blocks_free(a->head->next);
	a->head->next = NULL;
	a->head->used = 0;
	if (a->head->size > BLOCK_MAX) {
		free(a->head);
		a->head = NULL;
	}
}

void
arena_free(struct arena *a)
{
	blocks_free(a->head);
	*a = ARENA_INIT;
}
