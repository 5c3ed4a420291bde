/*
 * clientkey.h - public keys by which clients log in (TLS, SASL EXTERNAL)
 *
 * A client is known by its key alone: names, dates and issuers of its
 * certificate say nothing here (U-8).
 */
#ifndef CLIENTKEY_H
#define CLIENTKEY_H

#include "base/base.h"

/* SHA-256 of the SubjectPublicKeyInfo (RFC 5280 4.1), and as base64url. */
#define CLIENTKEY_ID_BYTES 32
#define CLIENTKEY_ID_CHARS 43
#define CLIENTKEY_RSA_BITS_MIN 2048

/*
 * The id of the first certificate or public key in PEM text. -1 EBADMSG
 * with *why: no such PEM, RSA under 2048 bits, another kind of key.
 */
int clientkey_id(struct bytes pem, unsigned char id[CLIENTKEY_ID_BYTES],
    const char **why);
void clientkey_id_format(const unsigned char id[CLIENTKEY_ID_BYTES],
    char out[CLIENTKEY_ID_CHARS + 1]);
/* -1 EBADMSG. */
int clientkey_id_parse(struct bytes s, unsigned char id[CLIENTKEY_ID_BYTES]);

enum clientkey_type { CLIENTKEY_ECDSA, CLIENTKEY_RSA, CLIENTKEY_ED25519 };

/* Room for each of the three files. */
#define CLIENTKEY_FILE_MAX 16384
/*
 * A new key, a certificate of it that names label and nothing else, and both
 * in a PKCS #12 file under password. The caller wipes key_pem and p12. -1
 * with EIO (libcrypto), EINVAL (label empty or over 64 bytes).
 */
int clientkey_generate(enum clientkey_type type, const char *label,
    const char *password, struct buf *key_pem, struct buf *cert_pem,
    struct buf *p12);

#endif
