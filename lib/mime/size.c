/*
 * size.c - line ends: counting and converting
 */
#include "mime/mime.h"

uint64_t
mime_crlf_size(struct bytes s)
{
	const unsigned char *p = s.p, *end = p + s.n, *lf;
	uint64_t bare = 0;

	while (p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		bare += lf == s.p || lf[-1] != '\r';
		p = lf + 1;
	}
	return s.n + bare;
}

uint64_t
mime_count_lines(struct bytes s)
{
	uint64_t lines = 0;
	size_t at;

	while (bytes_chr(s, '\n', &at)) {
		lines++;
		s = bytes_from(s, at + 1);
	}
	return lines;
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
