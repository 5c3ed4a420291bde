/*
 * size.c - line ends: counting and converting
 */
#include "mime/mime.h"

/* Those with a CR before them are rare: they are looked at one by one. */
uint64_t
mime_crlf_size(struct bytes s)
{
	uint64_t bare = bytes_count(s, '\n');
	struct bytes rest = s;
	size_t at;

	while (bytes_chr(rest, '\r', &at)) {
		rest = bytes_from(rest, at + 1);
		bare -= bytes_at(rest, 0) == '\n';
	}
	return s.n + bare;
}

uint64_t
mime_count_lines(struct bytes s)
{
	return bytes_count(s, '\n');
}

int
mime_add_crlf(struct buf *out, struct bytes s)
{
	size_t at;

	while (bytes_chr(s, '\n', &at)) {
		bool bare = at == 0 || bytes_at(s, at - 1) != '\r';

		if (buf_add(out, bytes_first(s, at)) == -1 ||
		    buf_adds(out, bare ? "\r\n" : "\n") == -1)
			return -1;
		s = bytes_from(s, at + 1);
	}
	return buf_add(out, s);
}

int
mime_add_lf(struct buf *out, struct bytes s)
{
	size_t at;

	while (bytes_chr(s, '\n', &at)) {
		size_t n = at > 0 && bytes_at(s, at - 1) == '\r' ? at - 1 : at;

		if (buf_add(out, bytes_first(s, n)) == -1 ||
		    buf_addc(out, '\n') == -1)
			return -1;
		s = bytes_from(s, at + 1);
	}
	return buf_add(out, s);
}
