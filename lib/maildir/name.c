#include "maildir/maildir.h"

#include <errno.h>

/*
 * Read a decimal field "X=digits" that starts at *s (after "X="). Up to the
 * next comma; anything but digits makes it unset.
 */
static uint64_t
field_number(struct bytes s, uint64_t max)
{
	struct bytes digits;
	uint64_t n;

	(void)bytes_split(&s, ',', &digits);	/* the last has no comma */
	if (num_parse(digits, 0, max, &n) == -1)
		return UINT64_MAX;
	return n;
}

void
maildir_name_parse(struct bytes file, struct maildir_name *out)
{
	struct bytes rest = file, part;
	uint64_t n;

	*out = (struct maildir_name){ .suffix = BYTES_EMPTY,
	    .letters = BYTES_EMPTY, .size = UINT64_MAX,
	    .size_crlf = UINT64_MAX };
	if (bytes_split(&rest, ':', &out->base))
		out->suffix = bytes_from(file, out->base.n);
	part = out->suffix;
	if (bytes_skip(&part, BYTES(":2,")))
		out->letters = part;
	rest = out->base;
	if (num_cut(&rest, INT64_MAX, &n) == 0)
		out->time = (int64_t)n;
	while (bytes_split(&rest, ',', &part) && rest.n > 0) {
		part = rest;
		if (bytes_skip(&part, BYTES("S="))) {
			out->size = field_number(part, INT64_MAX);
		} else if (bytes_skip(&part, BYTES("W="))) {
			out->size_crlf = field_number(part, INT64_MAX);
		} else if (bytes_skip(&part, BYTES("U="))) {
			n = field_number(part, UINT32_MAX);
			out->uid = n == UINT64_MAX ? 0 : (uint32_t)n;
		}
	}
}

int
maildir_name_with_uid(struct buf *out, struct bytes base, uint32_t uid)
{
	struct bytes rest = base, part;
	bool more, first = true;
	size_t start = out->n;

	do {
		more = bytes_split(&rest, ',', &part);
		if (!bytes_starts(part, BYTES("U=")) || first) {
			if (!first)
				(void)buf_addc(out, ',');	/* full tells */
			(void)buf_add(out, part);
		}
		first = false;
	} while (more);
	(void)buf_printf(out, ",U=%u", (unsigned int)uid);
	if (out->full || out->n - start > MAILDIR_BASE_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	return 0;
}

static void
add_host(struct buf *out, const char *host)
{
	size_t n = 0;

	for (; *host != '\0' && n < 64; host++, n++) {
		unsigned char c = (unsigned char)*host;

		if (c == '/' || c == ':' || c == ',' || c <= ' ' || c == 0x7f)
			(void)buf_printf(out, "\\%03o", c);	/* full tells */
		else
			(void)buf_addc(out, c);
	}
}

int
maildir_name_new(struct buf *out, int64_t now_us, pid_t pid, uint64_t seq,
    const char *host)
{
	(void)buf_printf(out, "%lld.M%lldP%ldQ%llu.",
	    (long long)(now_us / 1000000), (long long)(now_us % 1000000),
	    (long)pid, (unsigned long long)seq);	/* full tells */
	add_host(out, *host == '\0' ? "localhost" : host);
	if (out->full) {
		errno = EMSGSIZE;
		return -1;
	}
	return 0;
}
