/* stream.c - one connection: the handshake, and bytes through it */
#include "tlsc/internal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <openssl/err.h>

#define SNI_MAX 255		/* RFC 1035; OpenSSL's limit too */

/* ---- what is found ---- */

void
tlsc_finding_set(struct tlsc_finding *f, enum tlsresult result,
    const char *why)
{
	*f = (struct tlsc_finding){ .result = result,
	    .reason = TLS_REASON_NONE, .why = why };
}

const struct tlsc_finding *
tlsc_finding(const struct tlsc *t)
{
	return &t->finding;
}

static const char *
reason_text(enum tls_reason reason)
{
	switch (reason) {
	case TLS_REASON_EOF:
		return "the server closed the connection";
	case TLS_REASON_RESET:
		return "the connection broke";
	case TLS_REASON_ALERT:
		return "the server sent an alert";
	case TLS_REASON_NOT_TLS:
		return "the server does not speak TLS";
	case TLS_REASON_VERSION:
		return "no version of TLS in common";
	case TLS_REASON_CIPHER:
		return "no cipher or key type in common";
	case TLS_REASON_TIMEOUT:
		return "the server did not answer in time";
	default:
		return "the server broke the protocol";
	}
}

static void
find_failure(struct tlsc *t, enum tls_reason reason, int alert)
{
	char name[TLS_ALERT_NAME_MAX];
	struct tlsc_finding *f = &t->finding;
	int n;

	tlsc_finding_set(f, TLSRESULT_VALIDATION_FAILURE,
	    reason_text(reason));
	f->reason = reason;
	f->alert = alert;
	if (reason == TLS_REASON_ALERT)
		n = snprintf(f->code, sizeof(f->code), "tls-remote-alert-%d-%s",
		    alert, tls_alert_name(alert, name));
	else
		n = snprintf(f->code, sizeof(f->code), "tls-%s",
		    tls_reason_name(reason));
	if (n < 0 || (size_t)n >= sizeof(f->code))
		f->code[sizeof(f->code) - 1] = '\0';
}

/* ---- the connection ---- */

static bool
set_sni(struct tlsc *t)
{
	struct arena a = ARENA_INIT;
	struct ip ip;
	const char *name;
	bool ok;

	/* RFC 6066 3: an address is no name. */
	if (t->o.sni.n == 0 || ip_parse(t->o.sni, &ip) == 0)
		return true;
	name = t->o.sni.n > SNI_MAX ? NULL : arena_str(&a, t->o.sni);
	ok = name != NULL && SSL_set_tlsext_host_name(t->ssl, name) == 1;
	arena_free(&a);
	return ok;
}

struct tlsc *
tlsc_new(struct tlsc_ctx *c, const struct tlsc_options *o, int fd)
{
	struct tlsc *t = mem_zalloc(1, sizeof(*t));
	int err = ENOMEM;

	t->o = *o;
	t->fd = fd;
	tlsc_finding_set(&t->finding, TLSRESULT_SUCCESS, "");
	ERR_clear_error();
	t->ssl = SSL_new(c->ctx);
	if (t->ssl != NULL && SSL_set_fd(t->ssl, fd) == 1) {
		SSL_set_app_data(t->ssl, t);
		SSL_set_connect_state(t->ssl);
		err = EINVAL;
		if (set_sni(t) && verify_set(t) &&
		    (!(o->check & TLSC_DANE) || o->dane != NULL))
			return t;
	}
	ERR_clear_error();
	tlsc_free(t);
	errno = err;
	return NULL;
}

void
tlsc_free(struct tlsc *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	free(t);
}

enum tls_result
tlsc_handshake(struct tlsc *t)
{
	enum tls_reason reason;
	int r, error, err, alert = 0;

	ERR_clear_error();
	errno = 0;
	r = SSL_do_handshake(t->ssl);
	err = errno;
	if (r == 1)
		return TLS_OK;
	error = SSL_get_error(t->ssl, r);
	if (error == SSL_ERROR_WANT_READ)
		return TLS_WANT_READ;
	if (error == SSL_ERROR_WANT_WRITE)
		return TLS_WANT_WRITE;
	reason = tls_reason_take(error, err, &alert);
	if (!t->refused)
		find_failure(t, reason, alert);
	return TLS_FAILED;
}

/*
 * TLS 1.3 lets a server refuse our certificate after the handshake is over
 * for us: the alert comes with the first read.
 */
static enum tls_result
result_of(struct tlsc *t, int r, int err)
{
	int error = SSL_get_error(t->ssl, r), alert = 0;
	enum tls_reason reason;

	if (error == SSL_ERROR_WANT_READ)
		return TLS_WANT_READ;
	if (error == SSL_ERROR_WANT_WRITE)
		return TLS_WANT_WRITE;
	reason = tls_reason_take(error, err, &alert);
	if (error == SSL_ERROR_ZERO_RETURN)
		return TLS_END;
	find_failure(t, reason, alert);
	return TLS_FAILED;
}

enum tls_result
tlsc_read(struct tlsc *t, void *p, size_t size, size_t *n)
{
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_read_ex(t->ssl, p, size, n);
	return r == 1 ? TLS_OK : result_of(t, r, errno);
}

enum tls_result
tlsc_write(struct tlsc *t, struct bytes s, size_t *n)
{
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_write_ex(t->ssl, s.p, s.n, n);
	return r == 1 ? TLS_OK : result_of(t, r, errno);
}

enum tls_result
tlsc_end(struct tlsc *t)
{
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_shutdown(t->ssl);
	/* 0: ours is sent, the peer's has not come. */
	return r >= 0 ? TLS_OK : result_of(t, r, errno);
}

bool
tlsc_pending(const struct tlsc *t)
{
	return SSL_has_pending(t->ssl) == 1;
}

/* ---- with waiting ---- */

/* 0 to try again; -1 with errno. */
static int
wait_for(struct tlsc *t, enum tls_result want, int64_t deadline)
{
	struct pollfd p = { .fd = t->fd,
	    .events = want == TLS_WANT_READ ? POLLIN : POLLOUT };
	int left = deadline_left(deadline), r;

	if (left == 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	r = poll(&p, 1, left);
	return r == -1 && errno != EINTR ? -1 : 0;
}

/* What a call that cannot go on gives: 0 to try again, -1 with errno. */
static int
go_on(struct tlsc *t, enum tls_result r, int64_t deadline)
{
	if (r == TLS_WANT_READ || r == TLS_WANT_WRITE)
		return wait_for(t, r, deadline);
	errno = t->finding.reason == TLS_REASON_RESET || r == TLS_END
	    ? ECONNRESET : EPROTO;
	return -1;
}

int
tlsc_connect(struct tlsc *t, int64_t deadline)
{
	enum tls_result r;

	while ((r = tlsc_handshake(t)) != TLS_OK) {
		if (r == TLS_FAILED) {
			errno = EPROTO;
			return -1;
		}
		if (wait_for(t, r, deadline) == -1) {
			if (errno == ETIMEDOUT)
				find_failure(t, TLS_REASON_TIMEOUT, 0);
			return -1;
		}
	}
	return 0;
}

int
tlsc_send(struct tlsc *t, struct bytes s, int64_t deadline)
{
	enum tls_result r;
	size_t n;

	while (s.n > 0) {
		r = tlsc_write(t, s, &n);
		if (r == TLS_OK)
			s = bytes_from(s, n);
		else if (go_on(t, r, deadline) == -1)
			return -1;
	}
	return 0;
}

ssize_t
tlsc_receive(struct tlsc *t, void *p, size_t size, int64_t deadline)
{
	enum tls_result r;
	size_t n;

	for (;;) {
		r = tlsc_read(t, p, size, &n);
		if (r == TLS_OK)
			return (ssize_t)n;
		if (r == TLS_END)
			return 0;
		if (go_on(t, r, deadline) == -1)
			return -1;
	}
}
