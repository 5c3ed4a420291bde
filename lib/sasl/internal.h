/* internal.h - what the files of lib/sasl share */
#ifndef SASL_INTERNAL_H
#define SASL_INTERNAL_H

#include "sasl/sasl.h"

/* Copy s; false: longer than max or than a sasl_text. */
bool sasl_text_set(struct sasl_text *t, struct bytes s, size_t max);
struct bytes sasl_text_bytes(const struct sasl_text *t);
/* The action, with the reason for the log. */
enum sasl_action sasl_malformed(struct sasl *s, const char *why);

/* scram.c */
enum sasl_action sasl_scram_step(struct sasl *s, struct bytes response,
    struct buf *challenge);
enum sasl_action sasl_scram_know(struct sasl *s, struct buf *challenge);
bool sasl_scram_last(struct sasl *s, bool good, struct buf *challenge);

/* cram.c */
void sasl_cram_greet(struct sasl *s, struct buf *challenge);
enum sasl_action sasl_cram_step(struct sasl *s, struct bytes response,
    struct buf *challenge);
enum sasl_action sasl_cram_know(struct sasl *s, struct buf *challenge);

/* oauth.c */
enum sasl_action sasl_oauthbearer_step(struct sasl *s, struct bytes response,
    struct buf *challenge);
enum sasl_action sasl_xoauth2_step(struct sasl *s, struct bytes response,
    struct buf *challenge);
bool sasl_oauthbearer_last(struct sasl *s, bool good, struct buf *challenge);
bool sasl_xoauth2_last(struct sasl *s, bool good, struct buf *challenge);

/* "n,a=...,": the rest in *s, flag 'n', 'y' or 'p' with *binding. */
const char *sasl_gs2_parse(struct bytes *s, int *flag, struct bytes *binding,
    struct bytes *authzid);
/* "=2C" and "=3D" undone into t (RFC 5802 5.1); false: wrong. */
bool sasl_name_unescape(struct bytes s, struct sasl_text *t);

/* A parameter of AUTH; false: a value that no service of ours sends. */
bool sasl_origin_param(struct sasl_origin *from, struct bytes param);
/* The address that was logged in with, of a client key or, which submission
 * needs to know (U-23), of others; empty: none, or an account's name. */
struct bytes sasl_login_of(const struct sasl_request *r,
    const struct sasl_outcome *o);

/* The name of a hash: "SHA-256". */
const char *sasl_hash_name(enum sasl_hash hash);

/* db.c: where other tables of the environment are. */
enum {
	SASL_TABLE_VERIFIER, SASL_TABLE_APP, SASL_TABLE_KEY, SASL_TABLE_TOTP,
	SASL_TABLE_SERVER, SASL_TABLE_ATTEMPT,
};
struct kv;
struct kv *sasl_db_kv(struct sasl_db *db);

/* cache.c: U-15. The list of credentials is part of what is hashed. */
struct sasl_cache;
bool sasl_cache_find(struct sasl_cache *c,
    const struct sasl_credential *list, size_t count, struct bytes password,
    int64_t now, size_t *which);
void sasl_cache_note(struct sasl_cache *c,
    const struct sasl_credential *list, size_t count, struct bytes password,
    int64_t now, size_t which);

#endif
