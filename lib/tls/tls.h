/*
 * tls.h - TLS for servers: certificates, contexts, connections
 *
 * With lib/tlsc, its other half for clients, the only module that includes
 * OpenSSL's <openssl/ssl.h>; tls-serve is the only server that links it, so
 * private keys of hosts are in no other process.
 */
#ifndef TLS_H
#define TLS_H

#include "base/base.h"
#include "preface/preface.h"

/* ---- certificates ---- */

#define TLS_CERT_FILE_MAX (256 * 1024)	/* a chain is below 20 kB */
#define TLS_CHAIN_MAX 10		/* certificates in a file */
#define TLS_RSA_BITS_MIN 2048
#define TLS_CERT_FILES_MAX 10000

struct tls_certs;
struct tls_certs *tls_certs_new(void);
void tls_certs_free(struct tls_certs *c);
/*
 * Add the file called file ("NAME.pem", "NAME.rsa.pem", "NAME.ecdsa.pem",
 * "NAME.ed25519.pem"; NAME may begin with "*."), which holds a private key
 * and its certificate, followed by those that lead to a root. Files of one
 * NAME must have keys of different types. A NAME is served for itself; the
 * DNS names in the certificates of its files are served too, where no file
 * is called so. 0; -1 with EBADMSG and *why.
 */
int tls_certs_add(struct tls_certs *c, const char *file, struct bytes pem,
    const char **why);
/* After the last tls_certs_add, before tls_certs_find. */
void tls_certs_seal(struct tls_certs *c);
/*
 * The NAME for what a client asks for, in any case, or NULL: the name itself,
 * else with "*" in place of its first label (RFC 6125 6.4.3); a file's name
 * before names in certificates. It lives as long as c.
 */
const char *tls_certs_find(const struct tls_certs *c, struct bytes name);
/* The number of NAMEs. */
size_t tls_certs_count(const struct tls_certs *c);

/*
 * A new key (P-256, or RSA with 2048 bits) and a certificate signed by
 * itself for name, a DNS name or an IP address, valid from an hour ago for
 * days, as PEM. -1 with EINVAL (name, days) or ENOMEM; *why is set.
 */
#define TLS_SELF_SIGNED_DAYS_MAX 36500
int tls_self_signed(struct buf *out, struct bytes name, bool rsa,
    unsigned int days, const char **why);

/* ---- session tickets ---- */

/*
 * The keys of tickets: replaced every period by a hash of themselves, so
 * that processes that begin with the same keys go on having the same, and
 * old keys cannot be had from a process. Tickets of the period before are
 * still taken.
 */
#define TLS_TICKET_SECONDS (6 * 3600)
struct tls_tickets {
	int64_t period;
	unsigned char current[32], previous[32];
};
void tls_tickets_init(struct tls_tickets *t, int64_t now_seconds);
/* To be called now and then, at least once a period. */
void tls_tickets_advance(struct tls_tickets *t, int64_t now_seconds);

/* ---- what a process serves ---- */

enum tls_listener {
	TLS_SMTP,		/* unknown names get the host's certificate */
	TLS_SUBMISSION,
	TLS_IMAP,
	TLS_HTTP,
	TLS_LISTENERS,
};
const char *tls_listener_name(enum tls_listener l);
/* 0, or -1 with ENOENT. */
int tls_listener_find(struct bytes name, enum tls_listener *out);

struct tls_options {
	const char *hostname;		/* its certificate is the default */
	struct bytes min_version;	/* "1.0" to "1.3" */
	bool tickets[TLS_LISTENERS];
	bool client_auth;		/* client certificates at all */
};
/*
 * Contexts for all listeners. Takes certs (sealed), frees them in every
 * case; tickets must outlive the result and its connections. Counted: one
 * reference for the caller and one for each handshake. NULL with errno.
 */
struct tls_server;
struct tls_server *tls_server_new(const struct tls_options *o,
    struct tls_certs *certs, const struct tls_tickets *tickets);
void tls_server_unref(struct tls_server *s);

/* ---- one connection ---- */

enum tls_reason {
	TLS_REASON_NONE,
	/* of the handshake; what the peer did */
	TLS_REASON_EOF,
	TLS_REASON_RESET,	/* or another error of the socket */
	TLS_REASON_ALERT,	/* it sent one: tls_alert() */
	TLS_REASON_NOT_TLS,
	TLS_REASON_VERSION,	/* none in common */
	TLS_REASON_CIPHER,	/* no cipher, group or signature in common */
	TLS_REASON_ALPN,	/* none in common */
	TLS_REASON_UNKNOWN_NAME,
	TLS_REASON_PROTOCOL,	/* malformed or out of order */
	TLS_REASON_TIMEOUT,
	TLS_REASON_ABANDONED,	/* by the server that asked */
	/* before it */
	TLS_REASON_LIMIT,	/* handshakes of its network */
	TLS_REASON_BUSY,	/* handshakes in all, or out of descriptors */
	TLS_REASON_NOT_SOCKET,	/* no connected stream socket */
	TLS_REASON_REQUEST,	/* malformed, unknown listener */
	TLS_REASON_NO_CERT,	/* none for the host name */
	TLS_REASON_INTERNAL,
	TLS_REASONS,
};
/* A word with hyphens. */
const char *tls_reason_name(enum tls_reason r);
/* "bad_certificate" (RFC 8446 6), or "number_N" into out; returns out. */
#define TLS_ALERT_NAME_MAX 40
const char *tls_alert_name(int alert, char out[TLS_ALERT_NAME_MAX]);

/*
 * For lib/tlsc: what OpenSSL's error queue, which is emptied, says about a
 * handshake that gave that SSL_ERROR_*, with errno as it was then. *alert is
 * set with TLS_REASON_ALERT.
 */
enum tls_reason tls_reason_take(int ssl_error, int err, int *alert);

enum tls_result {
	TLS_OK,
	TLS_WANT_READ,		/* again when the descriptor is readable */
	TLS_WANT_WRITE,
	TLS_END,		/* the peer ends its direction */
	TLS_FAILED,
};

struct tls_accept {
	enum tls_listener listener;
	struct bytes alpn[8];	/* best first; copied */
	size_t nalpn;
	bool client_cert;	/* ask for one */
};
/*
 * The server's end of a connection on the non-blocking socket fd, which
 * stays the caller's. NULL with ENOMEM.
 */
struct tls;
struct tls *tls_accept(struct tls_server *s, const struct tls_accept *a,
    int fd);
void tls_free(struct tls *t);
/* TLS_FAILED: tls_failure tells, and an alert is on its way. */
enum tls_result tls_handshake(struct tls *t);
enum tls_reason tls_failure(const struct tls *t);
int tls_alert(const struct tls *t);	/* with TLS_REASON_ALERT */

/* After TLS_OK of the handshake. At least one byte with TLS_OK. */
enum tls_result tls_read(struct tls *t, void *p, size_t size, size_t *n);
enum tls_result tls_write(struct tls *t, struct bytes s, size_t *n);
/* close_notify: this direction ends. */
enum tls_result tls_end(struct tls *t);
/* Bytes were read off the socket that tls_read has not looked at. */
bool tls_pending(const struct tls *t);

enum tls_version { TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3, TLS_VERSIONS };
const char *tls_version_name(enum tls_version v);
struct tls_facts {
	enum tls_version version;
	bool resumed, kernel;	/* kernel: it does the encryption */
	bool named;		/* the client asked for a name, */
	bool name_unknown;	/* which no certificate is for */
};
/* What the handshake gave: *p without addresses, made in the arena. */
int tls_describe(const struct tls *t, struct arena *a, struct preface *p,
    struct tls_facts *f);
/* The last two of the facts; also after a handshake that failed. */
void tls_names(const struct tls *t, bool *named, bool *unknown);

/* ---- counters (R-30, L-9) ---- */

#define TLS_ALERTS 128		/* higher numbers count as the last */
struct tls_counters {
	uint64_t requests[2];		/* [1]: implicit TLS */
	uint64_t done[TLS_VERSIONS];
	uint64_t resumed, kernel, client_certs;
	uint64_t name_missing, name_unknown;
	uint64_t failed[TLS_REASONS];
	uint64_t alerts[TLS_ALERTS];	/* received in handshakes */
	uint64_t bytes_in, bytes_out;	/* of plaintext */
	uint64_t closed;		/* done, and over by now */
};
void tls_counters_add(struct tls_counters *sum, const struct tls_counters *c);
/* One logfmt line at that level: those that are not 0. */
void tls_counters_log(const struct tls_counters *c, enum tls_listener l);

#endif
