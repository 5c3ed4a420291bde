/*
 * A limiter's file: whatever a service wrote there, what is told of it is a
 * network of its length with a count, and no more lines than it has slots.
 *
 * Input: a byte, odd: records of open connections follow; the head up to its
 * page's end; slots.
 */
#include <stdlib.h>

#include "limiter/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool good)
{
	if (!good)
		abort();
}

static void
look(void *ctx, const struct limiter_count *c)
{
	struct ip net = ip_mask(&c->net, c->bits);
	unsigned int i;
	size_t *n = ctx;
	bool known = false;

	++*n;
	check(c->value > 0);
	check(ip_eq(&net, &c->net));
	for (i = 0; i < LIMITER_MASKS; i++)
		known = known || c->bits == ip_net_bits(false, i) ||
		    c->bits == ip_net_bits(true, i);
	check(known);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t records = size > 0 && (data[0] & 1) != 0
	    ? LIMITER_OPEN_MAX * sizeof(struct record) : 0;
	size_t head, slots, n = 0;
	unsigned char *file;

	if (size < 1 + sizeof(struct head))
		return 0;
	head = sizeof(struct head);
	slots = size - 1 - head;
	file = mem_zalloc(1, HEAD_SIZE + slots + records);
	memcpy(file, data + 1, head);
	memcpy(file + HEAD_SIZE, data + 1 + head, slots);
	if (limiter_parse(bytes_of(file, HEAD_SIZE + slots + records),
	    1800000000, look, &n) == 0)
		check(n <= slots / sizeof(struct slot));
	free(file);
	return 0;
}
