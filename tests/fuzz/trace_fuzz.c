/*
 * Authentication-Results: the trusted block of any message, and its results
 * taken apart. What is formatted parses to the same results again.
 */
#include <stdlib.h>

#include "dmarc/dmarc.h"
#include "trace/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool good)
{
	if (!good)
		abort();
}

static void
fuzz_resinfo(struct arena *a, struct bytes s)
{
	struct trace_resinfo r;

	if (trace_resinfo_parse(a, s, &r) == -1)
		return;
	check(r.method.n > 0 && r.result.n > 0 && r.result_end <= s.n);
	check(r.nproperties <= TRACE_PROPERTIES_MAX);
	for (size_t i = 0; i < r.nproperties; i++)
		check(r.property[i].ptype.n > 0 && r.property[i].name.n > 0);
}

/* What claims to be ours is gone at once. */
static void
fuzz_forged(struct arena *a, struct bytes message, struct bytes host)
{
	struct bytes left = trace_remove_forged(a, message, host);

	check(left.n <= message.n);
	check(bytes_eq(trace_remove_forged(a, left, host), left));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char received[] =
	    "Received: by h.example id x; Fri, 20 Nov 2026 12:00:00 +0000\n";
	struct bytes host = BYTES("h.example"), rest, again_rest;
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT((size_t)1 << 21), c = BUF_INIT((size_t)1 << 21);
	struct trace_block block, again;
	struct dmarc_input in;
	struct dmarc_facts facts;

	fuzz_resinfo(&a, bytes_of(data, size));
	check(buf_add(&b, bytes_of(data, size)) == 0 &&
	    buf_adds(&b, received) == 0 && buf_adds(&b, "\nbody\n") == 0);
	fuzz_forged(&a, buf_bytes(&b), host);
	fuzz_forged(&a, buf_bytes(&b), BYTES("h.xn--bcher-kva"));
	if (trace_block_parse(&a, buf_bytes(&b), host, BYTES_EMPTY, &block,
	    &rest) == 1) {
		for (size_t i = 0; i < block.nresinfo; i++)
			fuzz_resinfo(&a, block.resinfo[i]);
		dmarc_read_auth(&a, block.resinfo, block.nresinfo, &in);
		check(in.ndkim <= block.nresinfo);
		(void)dmarc_read_facts(&a, block.resinfo, block.nresinfo,
		    &facts);
		if (trace_block_format(&c, &block, host) == 0) {
			check(trace_block_parse(&a, buf_bytes(&c), host,
			    BYTES_EMPTY, &again, &again_rest) == 1);
			check(again_rest.n == 0);
		}
	}
	buf_free(&b);
	buf_free(&c);
	arena_free(&a);
	return 0;
}
