/*
 * compose_fuzz.c - any bytes as what a program gives sendmail
 *
 * Properties: the text does not depend on how it was cut and has LF line ends;
 * a composed header section has a From field, no Bcc, and composing it again
 * changes nothing; recipients hold no NUL or line feed.
 */
#include <assert.h>

#include "compose/compose.h"
#include "mime/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
may_use(void *ctx, struct arena *a, struct bytes address)
{
	(void)ctx;
	(void)a;
	return bytes_ends(address, BYTES("@ok.example"));
}

static void
read_in(struct bytes text, bool dot_ends, size_t step, struct buf *out)
{
	struct compose_input in = { .dot_ends = dot_ends };
	struct bytes piece;

	while (text.n > 0) {
		(void)bytes_cut(&text, step < text.n ? step : text.n, &piece);
		(void)compose_input_add(&in, piece, out);
	}
	(void)compose_input_end(&in, out);
}

static void
check_header(struct arena *a, struct bytes text)
{
	struct compose c = { .address = BYTES("me@ok.example"),
	    .name = BYTES("Me"), .may_use = may_use };
	struct buf one = BUF_INIT(COMPOSE_HEADER_MAX);
	struct buf two = BUF_INIT(COMPOSE_HEADER_MAX);
	struct bytes body, rest, first;

	assert(compose_header(&c, a, text, &one, &body) == 0);
	first = buf_bytes(&one);
	assert(bytes_ends(first, BYTES("\n")));
	assert(mime_count_fields(first, BYTES("From")) > 0);
	assert(mime_count_fields(first, BYTES("Bcc")) == 0);
	assert(compose_header(&c, a, first, &two, &rest) == 0);
	assert(rest.n == 0 && bytes_eq(first, buf_bytes(&two)));
	buf_free(&one);
	buf_free(&two);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct buf whole = BUF_INIT(SIZE_MAX), cut = BUF_INIT(SIZE_MAX);
	struct arena a = ARENA_INIT;
	struct compose_rcpts to = { .count = 0 };
	const char *why;
	size_t at;
	int flags = bytes_next(&in);

	if (flags == -1 || size > 100000)
		return 0;
	read_in(in, flags & 1, SIZE_MAX, &whole);
	read_in(in, flags & 1, 1 + ((unsigned int)flags >> 1) % 7, &cut);
	assert(bytes_eq(buf_bytes(&whole), buf_bytes(&cut)));
	assert(whole.n == 0 || bytes_ends(buf_bytes(&whole), BYTES("\n")));
	(void)compose_read_rcpts(&a, buf_bytes(&whole), &to, &why);
	for (size_t i = 0; i < to.count; i++)
		assert(!bytes_has_nul(to.address[i]) &&
		    !bytes_chr(to.address[i], '\n', &at));
	check_header(&a, buf_bytes(&whole));
	buf_free(&whole);
	buf_free(&cut);
	arena_free(&a);
	return 0;
}
