/* internal.h - what the files of lib/dkim share */
#ifndef DKIM_INTERNAL_H
#define DKIM_INTERNAL_H

#include "dkim/dkim.h"
#include "dkim/parts.h"

/* ---- canonical bytes on their way into hashes (canon.c) ---- */

/* Collects small pieces; flush gets each full block and the last one. */
struct dkim_sink {
	void (*flush)(void *ctx, struct bytes block);
	void *ctx;
	size_t n;
	unsigned char block[4096];
};
void dkim_sink_init(struct dkim_sink *s, void (*flush)(void *, struct bytes),
    void *ctx);
void dkim_sink_end(struct dkim_sink *s);

/* One field, with its line end, or without if it is the signature itself. */
void dkim_sink_field(struct dkim_sink *s, enum dkim_canon c,
    struct bytes field, bool with_end);

/* A body. */
struct dkim_body {
	struct dkim_sink sink;
	enum dkim_canon canon;
	size_t blank;		/* empty lines not yet known to be inside */
	bool in_line;		/* which has something to be put out */
	bool any;		/* something was put out */
};
/* All of it, once. */
void dkim_body_add(struct dkim_body *b, struct bytes body);
void dkim_body_end(struct dkim_body *b);

/* ---- libcrypto (crypto.c) ---- */

/* SHA-256 that can fail inside libcrypto: told at the end. */
struct dkim_digest {
	void *ctx;		/* EVP_MD_CTX; NULL after a failure */
};
void dkim_digest_init(struct dkim_digest *d);
void dkim_digest_add(struct dkim_digest *d, struct bytes b);
/* -1 EIO. Frees in every case. */
int dkim_digest_end(struct dkim_digest *d, unsigned char out[DKIM_HASH_SIZE]);

#endif
