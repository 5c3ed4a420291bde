/* id.c - the name of a key as text; needs no cryptography */
#include "clientkey/clientkey.h"

#include <errno.h>

void
clientkey_id_format(const unsigned char id[CLIENTKEY_ID_BYTES],
    char out[CLIENTKEY_ID_CHARS + 1])
{
	struct buf b = BUF_INIT(CLIENTKEY_ID_CHARS);

	/* 32 bytes are 43 characters. */
	(void)base64url_encode(&b, bytes_of(id, CLIENTKEY_ID_BYTES));
	memcpy(out, b.p, CLIENTKEY_ID_CHARS);
	out[CLIENTKEY_ID_CHARS] = '\0';
	buf_free(&b);
}

int
clientkey_id_parse(struct bytes s, unsigned char id[CLIENTKEY_ID_BYTES])
{
	unsigned char text[CLIENTKEY_ID_CHARS + 1];
	struct buf b = BUF_INIT(CLIENTKEY_ID_BYTES);
	size_t i;
	int r = -1;

	if (s.n == CLIENTKEY_ID_CHARS) {
		for (i = 0; i < s.n; i++) {
			int c = bytes_at(s, i);

			/* The other alphabet's characters become wrong. */
			text[i] = (unsigned char)(c == '-' ? '+'
			    : c == '_' ? '/'
			    : c == '+' || c == '/' ? '!' : c);
		}
		text[i] = '=';
		r = base64_decode(&b, bytes_of(text, sizeof(text)));
	}
	if (r == 0 && b.n == CLIENTKEY_ID_BYTES)
		memcpy(id, b.p, CLIENTKEY_ID_BYTES);
	else
		r = -1;
	buf_free(&b);
	if (r == -1)
		errno = EBADMSG;
	return r;
}
