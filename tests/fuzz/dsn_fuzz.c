/*
 * dsn_fuzz - notifications: any bytes are read without harm, and what is
 * composed of any bytes is a notification that tells of the same recipients.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "dsn/dsn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_any(struct bytes s)
{
	struct arena a = ARENA_INIT;
	struct dsn_report d;
	const char *why = NULL;
	int r = dsn_parse(&a, s, &d, &why);

	assert(r != -1 || why != NULL);
	if (r == 1) {
		assert(d.count > 0 && d.count <= DSN_RCPTS_MAX);
		for (size_t i = 0; i < d.count; i++)
			assert(d.rcpts[i].address.n > 0 &&
			    d.rcpts[i].status.n >= 5);
	}
	arena_free(&a);
}

/* Parts of the input, split at NUL, are what peers and senders said. */
static void
compose_any(struct bytes s, int flags)
{
	struct bytes part[8];
	struct dsn_rcpt r[2] = {
	    { .address = BYTES("a@one.example"),
	    .action = (enum dsn_action)(flags % 5),
	    .status = BYTES("5.1.1"), .code = 550, .last = 1795000000 },
	    { .address = BYTES("b@two.example"),
	    .action = (enum dsn_action)(flags % 5),
	    .status = BYTES("4.4.1"), .retry_until = 1796000000 } };
	struct dsn d = { .hostname = BYTES("mx.example"),
	    .from = BYTES("postmaster@mx.example"),
	    .to = BYTES("s@own.example"), .id = BYTES("1f"),
	    .arrival = 1795000000, .now = 1795000100, .full = flags & 8,
	    .utf8 = flags & 16, .rcpts = r, .count = 2 };
	struct buf out = BUF_INIT(SIZE_MAX);
	struct arena a = ARENA_INIT;
	struct dsn_report got;
	const char *why = "";

	for (size_t i = 0; i < 8; i++) {
		part[i] = BYTES_EMPTY;
		if (s.n > 0)
			(void)bytes_split(&s, '\0', &part[i]);	/* any */
	}
	d.envid = part[0];
	d.message_id = part[1];
	d.subject = part[2];
	r[0].text = part[3];
	r[0].host = part[4];
	r[0].orcpt = part[5];
	r[1].text = part[6];
	r[0].ip = r[1].ip = r[1].host = r[1].orcpt = BYTES_EMPTY;
	d.original = part[7];
	if (dsn_compose(&out, &d) == 0) {
		assert(dsn_parse(&a, buf_bytes(&out), &got, &why) == 1);
		assert(got.count == 2);
		assert(bytes_eq(got.rcpts[0].address, r[0].address));
		assert(bytes_eq(got.rcpts[1].address, r[1].address));
		assert(got.rcpts[0].action == r[0].action);
		assert(bytes_eq(got.rcpts[0].status, r[0].status));
	}
	arena_free(&a);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	int flags = bytes_next(&in);

	read_any(bytes_of(data, size));
	if (flags != -1)
		compose_any(in, flags);
	return 0;
}
