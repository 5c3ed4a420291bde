/* internal.h - shared by the files of lib/dane */
#ifndef DANE_INTERNAL_H
#define DANE_INTERNAL_H

#include "dane/dane.h"

#include <openssl/x509.h>

/* A certificate that is these bytes and nothing behind them; NULL: none. */
X509 *dane_read_cert(struct bytes der);
/* The DER of its public key, in the arena; false: cannot be written. */
bool dane_spki(X509 *x, struct arena *a, struct bytes *out);
/*
 * What a record with that matching type holds for the bytes selected, in the
 * arena. False: no such type.
 */
bool dane_association(unsigned char matching, struct bytes selected,
    struct arena *a, struct bytes *out);

#endif
