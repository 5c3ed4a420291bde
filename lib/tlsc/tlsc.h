/*
 * tlsc.h - TLS for clients: SMTP to other servers, and smart hosts
 *
 * The client's half of lib/tls, whose words (enum tls_result, tls_reason) it
 * uses. Only TLS 1.2 and 1.3 are spoken. What the server shows is always
 * looked at in the ways asked for; whether a finding ends the handshake is
 * said apart, so that policies being tested and messages that must arrive
 * (TLS-Required: No, RFC 8689) are told apart from verified ones in reports.
 * Sessions are not resumed: each connection is verified for itself.
 */
#ifndef TLSC_H
#define TLSC_H

#include "base/base.h"
#include "dane/dane.h"
#include "tls/tls.h"
#include "tlsresult/tlsresult.h"

/* ---- one context per process ---- */

#define TLSC_CERT_MAX (256 * 1024)	/* a client's PEM; chains are small */
#define TLSC_CA_DIR "/etc/ssl/certs"	/* Debian's ca-certificates */

struct tlsc_settings {
	/*
	 * Roots of WebPKI: a file of PEM certificates, read at once; a
	 * directory with names of hashes, looked into when needed. Both NULL:
	 * TLSC_CA_DIR.
	 */
	const char *ca_file, *ca_dir;
	/*
	 * PEM with a key and its chain, or with an Ed25519 key alone, for
	 * which a minimal certificate is made in memory. Empty: none. It is
	 * shown to servers that ask for one.
	 */
	struct bytes client;
};
struct tlsc_ctx;
/* NULL with EBADMSG (ca_file, client) or ENOMEM, and *why. */
struct tlsc_ctx *tlsc_ctx_new(const struct tlsc_settings *s,
    const char **why);
/* NULL: nothing. Connections must be gone. */
void tlsc_ctx_free(struct tlsc_ctx *c);

/* ---- one connection ---- */

enum {
	TLSC_WEBPKI = 1,	/* chain to a root, dates, and a name */
	TLSC_DANE = 2,		/* one of the records is satisfied */
};

/* All bytes are borrowed until tlsc_free. */
struct tlsc_options {
	struct bytes sni;		/* A-labels; empty: none. T-8 */
	unsigned int check;		/* TLSC_WEBPKI | TLSC_DANE */
	unsigned int enforce;		/* of these: a finding ends it */
	struct bytes name;		/* WEBPKI: the host, or an address */
	const struct dane *dane;	/* for DANE: usable */
};

struct tlsc;
/*
 * The client's end of a connection on the non-blocking socket fd, which
 * stays the caller's. NULL with ENOMEM, or EINVAL: a name that cannot be
 * asked for.
 */
struct tlsc *tlsc_new(struct tlsc_ctx *c, const struct tlsc_options *o,
    int fd);
void tlsc_free(struct tlsc *t);		/* NULL: nothing */
/* TLS_FAILED: tlsc_finding tells why. */
enum tls_result tlsc_handshake(struct tlsc *t);
/* After TLS_OK of the handshake. At least one byte with TLS_OK. */
enum tls_result tlsc_read(struct tlsc *t, void *p, size_t size, size_t *n);
enum tls_result tlsc_write(struct tlsc *t, struct bytes s, size_t *n);
/* close_notify: this direction ends. */
enum tls_result tlsc_end(struct tlsc *t);
/* Bytes were read off the socket that tlsc_read has not looked at. */
bool tlsc_pending(const struct tlsc *t);

/*
 * The same with waiting: 0 or a count, -1 with ETIMEDOUT past the deadline,
 * EPROTO (TLS failed; after tlsc_connect tlsc_finding tells), or ECONNRESET.
 * tlsc_receive gives 0 when the peer has ended its direction.
 */
int tlsc_connect(struct tlsc *t, int64_t deadline);
int tlsc_send(struct tlsc *t, struct bytes s, int64_t deadline);
ssize_t tlsc_receive(struct tlsc *t, void *p, size_t size,
    int64_t deadline);

/* ---- what came of it ---- */

#define TLSC_CODE_MAX 80
/*
 * Why a handshake failed, or what enforce let pass: result is
 * TLSRESULT_SUCCESS if nothing was found. After a handshake that failed it is
 * never that.
 */
struct tlsc_finding {
	enum tlsresult result;
	unsigned int check;	/* which check found it; 0: TLS itself */
	enum tls_reason reason;	/* of TLS itself, else TLS_REASON_NONE */
	int alert;		/* with TLS_REASON_ALERT: the peer's */
	const char *why;	/* constant text for people; "" for none */
	/* failure-reason-code of RFC 8460 4.4: "tls-remote-alert-40-
	 * handshake_failure", "x509-certificate has expired"; "" for none. */
	char code[TLSC_CODE_MAX];
};
/* May be called at any time; lives as long as t. */
const struct tlsc_finding *tlsc_finding(const struct tlsc *t);
/* What is found without a connection: "STARTTLS is not offered". */
void tlsc_finding_set(struct tlsc_finding *f, enum tlsresult result,
    const char *why);

struct tlsc_facts {
	enum tls_version version;
	const char *cipher;		/* constant text */
	bool kernel;			/* it does the encryption */
	bool client_cert;		/* ours was asked for and shown */
	unsigned int verified;		/* the checks that were satisfied */
	struct dane_verdict dane;	/* with TLSC_DANE in verified */
	struct bytes exporter;		/* RFC 9266; empty: not to be had */
	struct bytes end_point;		/* RFC 5929 4; empty likewise */
	struct bytes leaf;		/* the server's certificate, DER */
};
/* After TLS_OK of the handshake; bytes are made in the arena. */
void tlsc_describe(const struct tlsc *t, struct arena *a,
    struct tlsc_facts *f);

/* ---- which TLS a message needs (BEHAVIOUR 7.4) ---- */

struct tlsc_policy {
	enum dane_state dane;
	bool sts_enforce;	/* MTA-STS policy in mode enforce, MX matches */
	bool sts_testing;	/* in mode testing */
	bool tls_required_no;	/* RFC 8689 5 */
	bool requiretls;	/* RFC 8689 4 */
	bool no_plaintext;	/* a DMARC report: never in the clear */
	bool submission;	/* a smart host: verified unless insecure */
	bool insecure;
};
struct tlsc_choice {
	bool refuse;		/* 5.7.30: REQUIRETLS cannot be had here */
	bool defer;		/* 4.7.x: the TLSA look-up failed */
	bool required;		/* without TLS there is no delivery */
	bool plain_retry;	/* after a TLS failure connect again without */
	unsigned int check, enforce;
	const char *why;	/* of refuse, defer; else of required; "" */
};
/* Pure. A deferred or refused host is not connected to. */
void tlsc_choose(const struct tlsc_policy *p, struct tlsc_choice *out);

#endif
