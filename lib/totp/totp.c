/*
 * totp.c - one-time passwords
 */
#include "totp/totp.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "os/os.h"

void
totp_make(struct totp *t, int64_t now)
{
	*t = (struct totp){ .added = now };
	os_random(t->secret, sizeof(t->secret));
}

/* RFC 4226 5.3: four bytes where the last nibble says, modulo 10^digits. */
static uint32_t
hotp(const unsigned char *secret, size_t n, uint64_t counter,
    unsigned int digits)
{
	unsigned char text[8], mac[20];
	unsigned int size = 0;
	uint32_t code, mod = 1;

	be64_put(text, counter);
	if (HMAC(EVP_sha1(), secret, (int)n, text, sizeof(text), mac,
	    &size) == NULL || size != sizeof(mac))
		return UINT32_MAX;	/* no code is that large */
	code = be32_get(mac + (mac[19] & 15)) & 0x7fffffff;
	while (digits-- > 0)
		mod *= 10;
	return code % mod;
}

uint32_t
totp_code(const unsigned char *secret, size_t n, int64_t seconds,
    unsigned int digits)
{
	return hotp(secret, n, (uint64_t)(seconds / TOTP_SECONDS), digits);
}

bool
totp_check(struct totp *t, struct bytes digits, int64_t seconds)
{
	int64_t step = seconds / TOTP_SECONDS, i, found = 0;
	unsigned char want[4], got[4];
	uint64_t code;

	if (digits.n != TOTP_DIGITS ||
	    num_parse(digits, 0, 999999, &code) == -1)
		return false;
	be32_put(got, (uint32_t)code);
	for (i = step - 1; i <= step + 1; i++) {
		be32_put(want, hotp(t->secret, sizeof(t->secret),
		    (uint64_t)i, TOTP_DIGITS));
		if (bytes_equal_secret(bytes_of(want, 4), bytes_of(got, 4)) &&
		    i > t->last)
			found = i;
	}
	if (found == 0)
		return false;
	t->last = found;
	return true;
}

int
totp_base32(struct buf *out, struct bytes s)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	unsigned int bits = 0;
	uint32_t held = 0;
	int c;

	while ((c = bytes_next(&s)) != -1) {
		held = (held << 8 | (uint32_t)c) & 0xfff;
		for (bits += 8; bits >= 5; bits -= 5)
			buf_addc(out, letters[held >> (bits - 5) & 31]);
	}
	if (bits > 0)
		buf_addc(out, letters[held << (5 - bits) & 31]);
	if (!out->full)
		return 0;
	errno = EMSGSIZE;
	return -1;
}

/* Percent-encoded, all but what never needs it. */
static void
add_encoded(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (ascii_is_alnum(c) || c == '-' || c == '.' || c == '_')
			buf_addc(out, c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

int
totp_uri(const struct totp *t, const char *account, const char *issuer,
    struct buf *out)
{
	buf_adds(out, "otpauth://totp/");
	add_encoded(out, issuer);
	buf_addc(out, ':');
	add_encoded(out, account);
	buf_adds(out, "?secret=");
	totp_base32(out, bytes_of(t->secret, sizeof(t->secret)));
	buf_adds(out, "&issuer=");
	add_encoded(out, issuer);
	if (!out->full)
		return 0;
	errno = EMSGSIZE;
	return -1;
}
