/*
 * frame_fuzz - frames between processes: what is cut off lies within the
 * input, fields that parse are formatted to the same bytes, and a cut input
 * never gives another frame than the whole one.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "frame/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The fields again as a frame. -1: a name that no constant could be. */
static int
copy_fields(struct buf *out, struct bytes fields)
{
	struct arena a = ARENA_INIT;
	size_t start = frame_begin(out);
	struct frame_field f;
	const char *name;
	int r, result = 0;

	while ((r = frame_next(&fields, &f)) == 1 && result == 0) {
		name = arena_str(&a, f.name);
		if (name == NULL)
			result = -1;
		else
			frame_add(out, name, f.value);
	}
	arena_free(&a);
	if (r == -1)
		result = -1;
	return frame_end(out, start) == -1 ? -1 : result;
}

static void
check_numbers(struct bytes fields)
{
	struct frame_field f;
	struct buf b = BUF_INIT(256);
	struct bytes again, in;
	int64_t n, m = 0;

	while (frame_next(&fields, &f) == 1) {
		if (frame_num(&f, INT64_MIN, INT64_MAX, &n) == -1)
			continue;
		buf_reset(&b);
		frame_begin(&b);
		frame_add_num(&b, "n", n);
		assert(frame_end(&b, 0) == 0);
		in = buf_bytes(&b);
		assert(frame_cut(&in, &again) == 1 && in.n == 0);
		assert(frame_next(&again, &f) == 1);
		assert(frame_num(&f, n, n, &m) == 0 && m == n);
		if (n > INT64_MIN)
			assert(frame_num(&f, INT64_MIN, n - 1, &m) == -1);
	}
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size), all = in, fields, part;
	struct bytes cut;
	struct buf out = BUF_INIT(FRAME_MAX);
	int r;

	while ((r = frame_cut(&in, &fields)) == 1) {
		assert(fields.n + 4 <= FRAME_MAX);
		assert(fields.n == 0 || (fields.p >= data &&
		    fields.p + fields.n <= data + size));
		part = bytes_first(all, fields.n + 3);
		assert(frame_cut(&part, &cut) == 0);	/* not whole yet */
		buf_reset(&out);
		if (copy_fields(&out, fields) == 0)
			assert(bytes_eq(buf_bytes(&out),
			    bytes_first(all, fields.n + 4)));
		check_numbers(fields);
		all = in;
	}
	assert(r == -1 || in.n == all.n);
	buf_free(&out);
	return 0;
}
