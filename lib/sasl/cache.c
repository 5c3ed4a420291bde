/*
 * cache.c - passwords found right a short while ago (U-15)
 *
 * An entry is HMAC-SHA-256, under a key of this process, of all the
 * account's verifiers and the password. So a changed or removed password is
 * never found, and memory holds nothing a password could be told from
 * without the key. One place per hash value; a newer entry takes it.
 */
#include "sasl/internal.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "os/os.h"

struct entry {
	int64_t until;		/* seconds since 1970; 0: free */
	size_t which;
	unsigned char mac[32];
};

struct sasl_cache {
	unsigned char key[32];
	struct entry entry[SASL_CACHE_ENTRIES];
};

struct sasl_cache *
sasl_cache_new(void)
{
	struct sasl_cache *c = mem_zalloc(1, sizeof(*c));

	os_random(c->key, sizeof(c->key));
	return c;
}

void
sasl_cache_free(struct sasl_cache *c)
{
	if (c == NULL)
		return;
	secret_wipe(c, sizeof(*c));
	free(c);
}

/* The place of that password for these verifiers; NULL: cannot hash. */
static struct entry *
place(struct sasl_cache *c, const struct sasl_credential *list, size_t count,
    struct bytes password, unsigned char mac[32])
{
	struct buf b = BUF_INIT((1 + SASL_APPS_MAX) * 32 + SASL_PASSWORD_MAX);
	unsigned int n = 0;
	size_t i;
	bool good;

	for (i = 0; i < count; i++)
		buf_add(&b, bytes_of(
		    list[i].verifier.keys[SASL_SHA256].stored_key, 32));
	buf_add(&b, password);
	good = !b.full && HMAC(EVP_sha256(), c->key, sizeof(c->key), b.p,
	    b.n, mac, &n) != NULL;
	if (b.size > 0)
		secret_wipe(b.p, b.size);
	buf_free(&b);
	return good ? &c->entry[be32_get(mac) % SASL_CACHE_ENTRIES] : NULL;
}

bool
sasl_cache_find(struct sasl_cache *c, const struct sasl_credential *list,
    size_t count, struct bytes password, int64_t now, size_t *which)
{
	unsigned char mac[32];
	struct entry *e;

	if (c == NULL || count == 0)
		return false;
	e = place(c, list, count, password, mac);
	if (e == NULL || !bytes_equal_secret(bytes_of(e->mac, 32),
	    bytes_of(mac, 32)))
		return false;
	/* A clock set back does not prolong it. */
	if (e->until <= now || e->until > now + SASL_CACHE_SECONDS ||
	    e->which >= count)
		return false;
	*which = e->which;
	return true;
}

void
sasl_cache_note(struct sasl_cache *c, const struct sasl_credential *list,
    size_t count, struct bytes password, int64_t now, size_t which)
{
	unsigned char mac[32];
	struct entry *e;

	if (c == NULL || count == 0 ||
	    (e = place(c, list, count, password, mac)) == NULL)
		return;
	e->until = now + SASL_CACHE_SECONDS;
	e->which = which;
	memcpy(e->mac, mac, sizeof(mac));
}
