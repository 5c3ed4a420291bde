/*
 * totp.h - time-based one-time passwords (RFC 6238, over RFC 4226)
 *
 * SHA-1, six digits, 30 seconds: what authenticator programs do whatever
 * else an URI asks for.
 */
#ifndef TOTP_H
#define TOTP_H

#include "base/base.h"

#define TOTP_SECRET_BYTES 20
#define TOTP_SECONDS 30
#define TOTP_DIGITS 6

struct totp {
	unsigned char secret[TOTP_SECRET_BYTES];
	int64_t last;		/* step of the last code taken; 0: none */
	int64_t added;		/* seconds since 1970 */
};

/* A new random secret. */
void totp_make(struct totp *t, int64_t now);
/* The code of that time in that many digits, 6 to 8. */
uint32_t totp_code(const unsigned char *secret, size_t n, int64_t seconds,
    unsigned int digits);
/*
 * Whether digits is the code of now, of one step before or one after, and of
 * a later step than *t's last, which it becomes then: a code that was seen
 * in passing is of no use (RFC 6238 5.2). Constant time in the digits.
 */
bool totp_check(struct totp *t, struct bytes digits, int64_t seconds);
/* "otpauth://totp/..." for authenticator programs; holds the secret. */
int totp_uri(const struct totp *t, const char *account, const char *issuer,
    struct buf *out);
/* RFC 4648 6 without padding. */
int totp_base32(struct buf *out, struct bytes s);

#endif
