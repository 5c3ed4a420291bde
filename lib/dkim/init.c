#include "dkim/internal.h"

/*
 * OpenSSL looks algorithms up at first use and remembers them in its own
 * library context; so checking one signature of each kind is the
 * initialisation. The keys and signatures are made up: nothing verifies.
 */
static void
try_key(bool ed25519, struct bytes key, size_t signature_size)
{
	struct dkim_record r = { .is_ed25519 = ed25519, .key = key };
	unsigned char hash[DKIM_HASH_SIZE] = { 0 };
	unsigned char signature[128] = { 0 };
	struct dkim_public *p;
	unsigned int bits;
	const char *why;

	if (dkim_public_new(&r, &p, &bits, &why) == -1)
		return;
	/* The answer is no; it is the look-ups that count. */
	(void)dkim_public_check(p, hash, bytes_of(signature, signature_size));
	dkim_public_free(p);
}

void
dkim_init(void)
{
	/* RSAPublicKey: n = 2^1023 + 1, e = 65537. */
	static const unsigned char rsa[140] = { 0x30, 0x81, 0x89, 0x02, 0x81,
		0x81, 0x00, 0x80, [134] = 0x01, 0x02, 0x03, 0x01, 0x00, 0x01 };
	/* The base point of the curve (RFC 8032 5.1): a valid key. */
	unsigned char ed25519[32];
	struct dkim_digest d;
	unsigned char hash[DKIM_HASH_SIZE];

	memset(ed25519, 0x66, sizeof ed25519);
	ed25519[0] = 0x58;
	dkim_digest_init(&d);
	/* As above. */
	(void)dkim_digest_end(&d, hash);
	try_key(false, bytes_of(rsa, sizeof rsa), 128);
	try_key(true, bytes_of(ed25519, sizeof ed25519), 64);
}
