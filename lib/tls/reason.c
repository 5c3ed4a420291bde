/* reason.c - why a handshake failed, from OpenSSL's error queue */
#include "tls/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

static enum tls_reason
reason_of(int code)
{
	switch (code) {
	case SSL_R_HTTP_REQUEST:
	case SSL_R_HTTPS_PROXY_REQUEST:
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_UNKNOWN_PROTOCOL:
	case SSL_R_PACKET_LENGTH_TOO_LONG:
		return TLS_REASON_NOT_TLS;
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW:
	case SSL_R_WRONG_SSL_VERSION:
	case SSL_R_NO_PROTOCOLS_AVAILABLE:
	case SSL_R_INAPPROPRIATE_FALLBACK:
		return TLS_REASON_VERSION;
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_SHARED_GROUPS:
	case SSL_R_NO_SUITABLE_KEY_SHARE:
	case SSL_R_NO_SUITABLE_GROUPS:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
	case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
	case SSL_R_NO_CIPHERS_AVAILABLE:
		return TLS_REASON_CIPHER;
	case SSL_R_NO_APPLICATION_PROTOCOL:
		return TLS_REASON_ALPN;
	case SSL_R_UNEXPECTED_EOF_WHILE_READING:
		return TLS_REASON_EOF;
	case ERR_R_INTERNAL_ERROR:
	case ERR_R_MALLOC_FAILURE:
		return TLS_REASON_INTERNAL;
	default:
		return TLS_REASON_PROTOCOL;
	}
}

enum tls_reason
tls_reason_take(int ssl_error, int err, int *alert)
{
	unsigned long e = ERR_peek_error();
	int code = ERR_GET_REASON(e);

	ERR_clear_error();
	if (e != 0 && ERR_GET_LIB(e) == ERR_LIB_SSL &&
	    code > SSL_AD_REASON_OFFSET && code < SSL_AD_REASON_OFFSET + 256) {
		*alert = code - SSL_AD_REASON_OFFSET;
		return TLS_REASON_ALERT;
	}
	if (ssl_error == SSL_ERROR_ZERO_RETURN)
		return TLS_REASON_EOF;
	if (ssl_error == SSL_ERROR_SYSCALL)
		return err == 0 ? TLS_REASON_EOF : TLS_REASON_RESET;
	return reason_of(code);
}
