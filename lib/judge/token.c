/*
 * token.c - subjectpass: "(pass:" base64url(T M) ")" (doc/judging.md)
 *
 * T: four bits of version, 0, and 28 of the time in steps of 256 seconds. M:
 * the first 12 bytes of HMAC-SHA-256 over T and the From address.
 */
#include "judge/judge.h"

#define OPENING BYTES("(pass:")
#define TIME_BYTES 4
#define MAC_BYTES 12
#define TEXT_BYTES (JUDGE_TOKEN_SIZE - 1 - 6 - 1)

static void
mac(const unsigned char key[JUDGE_KEY_BYTES], struct bytes first,
    struct bytes second, unsigned char out[32])
{
	const struct bytes pieces[] = { first, second };

	hmac_sha256(key, pieces, 2, out);
}

void
judge_token_key(const unsigned char secret[JUDGE_KEY_BYTES],
    struct bytes address, unsigned char key[JUDGE_KEY_BYTES])
{
	mac(secret, BYTES("subjectpass "), address, key);
}

void
judge_token_make(const unsigned char key[JUDGE_KEY_BYTES],
    struct bytes from_address, int64_t now, char out[JUDGE_TOKEN_SIZE])
{
	struct buf b = BUF_INIT(JUDGE_TOKEN_SIZE);
	unsigned char raw[TIME_BYTES + MAC_BYTES], hash[32];

	be32_put(raw, (uint32_t)(now / JUDGE_TOKEN_STEP) & 0x0fffffff);
	mac(key, bytes_of(raw, TIME_BYTES), from_address, hash);
	memcpy(raw + TIME_BYTES, hash, MAC_BYTES);
	(void)buf_add(&b, OPENING);	/* all of it fits */
	(void)base64url_encode(&b, bytes_of(raw, sizeof(raw)));
	(void)buf_addc(&b, ')');
	memcpy(out, b.p, b.n);
	out[b.n] = '\0';
	buf_free(&b);
}

/* The age of a token of TEXT_BYTES; false: it is none. */
static bool
read_time(struct bytes text, int64_t now, int64_t *age)
{
	/* RFC 4648 5 without padding, as section 4 has it */
	static const struct { unsigned char url, plain; } letters[] = {
		{ '-', '+' }, { '_', '/' },
	};
	struct buf raw = BUF_INIT(TIME_BYTES + MAC_BYTES);
	unsigned char plain[TEXT_BYTES + 2];
	bool good;

	memcpy(plain, text.p, TEXT_BYTES);
	memset(plain + TEXT_BYTES, '=', 2);
	for (size_t i = 0; i < 2 * TEXT_BYTES; i++) {
		if (plain[i / 2] == letters[i % 2].url)
			plain[i / 2] = letters[i % 2].plain;
	}
	good = base64_decode(&raw, bytes_of(plain, sizeof(plain))) == 0 &&
	    raw.n == TIME_BYTES + MAC_BYTES && raw.p[0] >> 4 == 0;
	if (good)
		*age = now - (int64_t)be32_get(raw.p) * JUDGE_TOKEN_STEP;
	buf_free(&raw);
	return good;
}

/* What stands between the opening and ")": false: it is not good. */
static bool
is_good(const unsigned char key[JUDGE_KEY_BYTES], struct bytes from_address,
    struct bytes text, int64_t now, int64_t max_age, const char **why)
{
	char good[JUDGE_TOKEN_SIZE];
	int64_t age;

	*why = "malformed token";
	if (text.n != TEXT_BYTES || !read_time(text, now, &age))
		return false;
	judge_token_make(key, from_address, now - age, good);
	*why = "token of another sender, or forged";
	if (!bytes_equal_secret(text, bytes_of(good + OPENING.n,
	    TEXT_BYTES)))
		return false;
	*why = "token is too old";
	/* up to a step old when it is made */
	if (age < 0 || age > max_age + JUDGE_TOKEN_STEP)
		return false;
	*why = "";
	return true;
}

bool
judge_token_check(const unsigned char key[JUDGE_KEY_BYTES],
    struct bytes from_address, struct bytes subject, int64_t now,
    int64_t max_age, const char **why)
{
	struct bytes rest = subject;
	size_t at;

	*why = "no token";
	for (int i = 0; i < JUDGE_TOKENS_MAX; i++) {
		if (!bytes_find(rest, OPENING, &at))
			return false;
		rest = bytes_from(rest, at + OPENING.n);
		if (!bytes_chr(rest, ')', &at))
			return false;
		if (is_good(key, from_address, bytes_first(rest, at), now,
		    max_age, why))
			return true;
	}
	return false;
}
