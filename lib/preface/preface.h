/*
 * preface.h - what is known of a connection before its first byte
 *
 * A preface is a PROXY protocol header of version 2 (pipemail-preface(7)).
 * tls-serve sends one with each plaintext descriptor; HAProxy and its like
 * send one in front of the stream on listeners that allow it. All slices
 * of a parsed preface are views into the bytes it was parsed from.
 */
#ifndef PREFACE_H
#define PREFACE_H

#include "base/base.h"

#define PREFACE_HEAD 16		/* signature, command, family, length */
#define PREFACE_MAX 4096	/* with the head: all fields known, at their
				 * longest, are half of that */
#define PREFACE_HASH 32		/* SHA-256; tls-exporter (RFC 9266 2) */
#define PREFACE_NAME_MAX 255	/* authority, ALPN, version, cipher */
#define PREFACE_UNIQUE 12		/* a Finished message of TLS 1.2 */
#define PREFACE_END_POINT_MIN 20
#define PREFACE_END_POINT_MAX 64	/* the longest hash of a certificate */

struct preface {
	/* The sender speaks for itself (health check): nothing else is set. */
	bool self;
	struct ip remote, local;	/* family 0: not known */
	int remote_port, local_port;
	struct bytes authority;		/* the name the client asked for */
	struct bytes alpn;		/* the protocol chosen */
	/* The rest is empty or false without TLS. */
	bool tls;
	bool client_cert;		/* in this connection or its session */
	bool client_verified;		/* by the sender: HAProxy only */
	struct bytes version;		/* "TLSv1.3" */
	struct bytes cipher;		/* name of the cipher suite */
	/* From tls-serve only, each empty or of the size above. */
	struct bytes client_key;	/* SHA-256 of the client's SPKI */
	struct bytes exporter;		/* channel binding tls-exporter */
	struct bytes end_point;		/* tls-server-end-point (RFC 5929 4) */
	struct bytes unique;		/* tls-unique (RFC 5929 3) */
};

/*
 * Whose header it is. The types for local use (0xE0 and up) mean something
 * else to every sender, so they are read in our own headers only.
 */
enum preface_from {
	PREFACE_TLS_SERVE,
	PREFACE_PROXY,
};

/*
 * Parse the header at the start of in (PROXY protocol 2.2). 1 with *out and
 * *used, the size of the header; 0 if more bytes are needed; -1 with EBADMSG
 * or EMSGSIZE (more than PREFACE_MAX) and *why. Unknown fields are skipped;
 * a field that is there twice, a wrong checksum and datagrams are malformed.
 */
int preface_parse(struct bytes in, enum preface_from from,
    struct preface *out, size_t *used, const char **why);
/*
 * The header for p, as preface_parse reads it. -1 with EMSGSIZE (out is
 * full) or EINVAL (a field that the parser would refuse).
 */
int preface_format(struct buf *out, const struct preface *p);
/*
 * Read a header off a stream, and not one byte more; it is added to storage
 * (empty, max at least PREFACE_MAX), which *out points into. 1; 0 at end of
 * file before the first byte; -1 as preface_parse, or ETIMEDOUT, EPROTO
 * (ended within) and what read(2) says, *why being set in each case.
 */
int preface_read(int fd, enum preface_from from, int64_t deadline,
    struct buf *storage, struct preface *out, const char **why);

#endif
