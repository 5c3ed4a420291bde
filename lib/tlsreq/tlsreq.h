/*
 * tlsreq.h - asking tls-serve to speak TLS on a connection
 *
 * How a server uses it (tls-serve(8) has the bytes):
 *
 *	ctl = tlsreq_open(NULL, deadline);
 *	if (ctl == -1)
 *		... no TLS now: 454 4.7.0, and the session goes on ...
 *	... say "220 Go ahead"; nothing of what the peer sent before may be
 *	    left: bytes read already are the caller's to refuse (I-21) ...
 *	if (tlsreq_run(ctl, net, &req, deadline, &arena, &result) == -1)
 *		... log result.reason; the connection is of no use any more ...
 *	close(net);	use result.fd and result.preface from now on
 *
 * tls-serve reads what stands in the network descriptor's queue, and
 * nothing else: bytes that the peer sent in clear and the caller has not
 * read make the handshake fail, and never reach the plaintext.
 */
#ifndef TLSREQ_H
#define TLSREQ_H

#include "base/base.h"
#include "preface/preface.h"

#define TLSREQ_ALPNS_MAX 4	/* choices; one or two are usual */
#define TLSREQ_NAME_MAX 32	/* bytes of a listener's or ALPN name */
#define TLSREQ_GREETING_MAX 512	/* bytes of a greeting; ours are 300 */
#define TLSREQ_MAX (512 + 2 * TLSREQ_GREETING_MAX)	/* of a request */
#define TLSREQ_REPLY_MAX (PREFACE_MAX + 3)
#define TLSREQ_REASON_MAX 64

#define TLSREQ_GREETINGS 2

struct tlsreq {
	/* "smtp", "submission", "imap" or "http": decides on certificates
	 * for unknown names and on session tickets. */
	struct bytes listener;
	/* Protocols offered by ALPN, best first; none: ALPN is ignored. */
	struct bytes alpn[TLSREQ_ALPNS_MAX];
	size_t nalpn;
	bool implicit;		/* TLS from the start, no STARTTLS */
	bool client_cert;	/* ask for a client certificate */
	/* The client, if the network descriptor is a proxy's connection;
	 * family 0: the peer of the descriptor is the client. */
	struct ip remote;
	/*
	 * What the client is told when the handshake is done, before anybody
	 * has the plaintext: [0], with channel bindings [1]. The reply then
	 * comes when the client says something, or has gone. A client with a
	 * key is not greeted: it may be logged in by it. Empty: no greeting.
	 * Either both or none.
	 */
	struct bytes greeting[TLSREQ_GREETINGS];
};

/* The message as sent, and back; parsed slices are views into it. -1 with
 * EINVAL or EMSGSIZE (format), EBADMSG (parse). */
int tlsreq_format(struct buf *out, const struct tlsreq *r);
int tlsreq_parse(struct bytes message, struct tlsreq *out);

enum tlsreq_status {
	TLSREQ_DONE = 'D',	/* what follows is the preface */
	TLSREQ_PEER = 'P',	/* the handshake failed; a reason follows, */
	TLSREQ_BUSY = 'B',	/* over a limit or out of something */
	TLSREQ_REFUSED = 'R',	/* wrong request, no certificate */
	TLSREQ_GONE = 'G',	/* greeted, and gone without a word */
};
/* text is the preface or the reason: one word of [!-~]. */
int tlsreq_format_reply(struct buf *out, enum tlsreq_status status,
    struct bytes text);
/* 1 with *size; 0 more is needed; -1 EBADMSG. */
int tlsreq_parse_reply(struct bytes in, enum tlsreq_status *status,
    struct bytes *text, size_t *size);

/*
 * Connect to tls-serve at path (NULL: the socket "tls" in dir_run()). A
 * descriptor, or -1 with what os_connect_unix says.
 */
int tlsreq_open(const char *path, int64_t deadline);

struct tlsreq_result {
	int fd;			/* plaintext, non-blocking, close-on-exec */
	struct preface preface;	/* in the arena */
	struct bytes raw;	/* the same as bytes, to be handed on */
	/* Why not: a word such as "timeout" or "alert:bad_certificate"; set
	 * in every failure. */
	char reason[TLSREQ_REASON_MAX];
};
/*
 * Have TLS spoken on net, a connected stream socket, which stays open here
 * and must be closed by the caller (it is non-blocking afterwards). Closes
 * ctl in every case. 0 with *out; -1 with EPROTO (the peer's handshake
 * failed), EAGAIN (limits), EACCES (refused), ETIMEDOUT, ECONNRESET
 * (tls-serve died), EBADMSG, or an errno of the socket calls. Where no reply
 * came the connection is shut down: tls-serve may hold it yet.
 */
int tlsreq_run(int ctl, int net, const struct tlsreq *req, int64_t deadline,
    struct arena *a, struct tlsreq_result *out);

#endif
