/* stream.c - bytes through a connection whose handshake is over */
#include "tls/internal.h"

#include <errno.h>

#include <openssl/err.h>

static enum tls_result
result_of(struct tls *t, int r)
{
	enum tls_result result;

	switch (SSL_get_error(t->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		result = TLS_END;
		break;
	default:
		result = TLS_FAILED;
		break;
	}
	ERR_clear_error();
	return result;
}

enum tls_result
tls_read(struct tls *t, void *p, size_t size, size_t *n)
{
	int r;

	ERR_clear_error();
	r = SSL_read_ex(t->ssl, p, size, n);
	if (r == 1 && t->ticket_due) {
		t->ticket_due = false;
		/* Without it the next handshake is a full one. */
		(void)SSL_new_session_ticket(t->ssl);
	}
	return r == 1 ? TLS_OK : result_of(t, r);
}

enum tls_result
tls_write(struct tls *t, struct bytes s, size_t *n)
{
	int r;

	ERR_clear_error();
	r = SSL_write_ex(t->ssl, s.p, s.n, n);
	return r == 1 ? TLS_OK : result_of(t, r);
}

enum tls_result
tls_end(struct tls *t)
{
	int r;

	ERR_clear_error();
	r = SSL_shutdown(t->ssl);
	/* 0: ours is sent, the peer's has not come. */
	return r >= 0 ? TLS_OK : result_of(t, r);
}

bool
tls_pending(const struct tls *t)
{
	return SSL_has_pending(t->ssl) == 1;
}
