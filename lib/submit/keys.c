/*
 * keys.c - DKIM keys of the hosted domains (U-16)
 *
 * domain.conf names each as "dkim = SELECTOR FILE".
 */
#include "submit/internal.h"

#include <errno.h>
#include <stdlib.h>

#include "arc/arc.h"

struct key {
	struct bytes domain;	/* U-label form, as in the configuration */
	struct bytes selector;
	struct dkim_key *key;
	int64_t lifetime;
};

struct submit_keys {
	struct arena a;
	struct key *key;
	size_t n, size;
};

static void
add_key(struct submit_keys *k, const struct config *c, struct bytes domain,
    struct bytes value)
{
	struct bytes selector, file;
	const char *path, *why;
	struct key key;

	if (!bytes_word(&value, &selector) || k->n == SUBMIT_KEYS_MAX)
		return;
	file = bytes_trim(value);
	path = bytes_starts(file, BYTES("/")) ? arena_str(&k->a, file)
	    : arena_printf(&k->a, "%s/%.*s", dir_etc(), BYTES_ARG(file));
	key = (struct key){ .domain = arena_bytes(&k->a, domain),
	    .selector = arena_bytes(&k->a, selector),
	    .key = dkim_key_open(path, &why),
	    .lifetime = (int64_t)config_get_duration(c, "domain",
	    arena_str(&k->a, domain), "dkim-lifetime") };
	if (key.key == NULL) {
		msg_warn("cannot sign with %s: %s", path, why);
		return;
	}
	if (k->n == k->size) {
		k->size = k->size == 0 ? 8 : k->size * 2;
		k->key = mem_realloc(k->key, k->size * sizeof(*k->key));
	}
	k->key[k->n++] = key;
}

struct submit_keys *
submit_keys_open(const struct config *c)
{
	struct submit_keys *k = mem_zalloc(1, sizeof(*k));
	struct config_list domains, list;
	struct bytes domain, value;

	k->a = (struct arena)ARENA_INIT;
	config_names(c, "domain", &domains);
	while (config_list_next(&domains, &domain)) {
		config_list(c, "domain", (const char *)domain.p, "dkim",
		    &list);
		while (config_list_next(&list, &value))
			add_key(k, c, domain, value);
	}
	return k;
}

void
submit_keys_close(struct submit_keys *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < k->n; i++)
		dkim_key_free(k->key[i].key);
	free(k->key);
	arena_free(&k->a);
	free(k);
}

int
submit_sign(const struct submit_keys *k, struct arena *a,
    struct bytes domain, struct bytes message, int64_t now, struct buf *out,
    const char **why)
{
	struct dkim_signer *signers;
	size_t n = 0;

	if (k == NULL || k->n == 0)
		return 0;
	signers = arena_zalloc(a, k->n, sizeof(*signers));
	for (size_t i = 0; i < k->n; i++) {
		if (!bytes_eq(k->key[i].domain, domain))
			continue;
		signers[n++] = (struct dkim_signer){ .key = k->key[i].key,
		    .domain = domain, .selector = k->key[i].selector,
		    .identity = BYTES_EMPTY, .header_canon = DKIM_RELAXED,
		    .body_canon = DKIM_RELAXED, .now = now,
		    .lifetime = k->key[i].lifetime };
	}
	return n == 0 ? 0 : dkim_sign(a, message, signers, n, out, why);
}

static const struct key *
seal_key(const struct submit_keys *k, struct bytes domain,
    struct bytes selector)
{
	const struct key *found = NULL;

	for (size_t i = 0; i < k->n; i++) {
		if (!bytes_caseeq(k->key[i].domain, domain) ||
		    (selector.n > 0 &&
		    !bytes_caseeq(k->key[i].selector, selector)))
			continue;
		if (!dkim_key_is_ed25519(k->key[i].key))
			return &k->key[i];
		if (found == NULL)
			found = &k->key[i];
	}
	return found;
}

int
submit_seal(const struct submit_keys *k, struct arena *a,
    struct bytes domain, struct bytes selector, struct bytes message,
    struct arc_sealer *s, struct buf *out, const char **why)
{
	const struct key *key = seal_key(k, domain, selector);

	if (key == NULL) {
		*why = "the domain has no such key";
		errno = ENOENT;
		return -1;
	}
	s->key = key->key;
	s->domain = key->domain;
	s->selector = key->selector;
	return arc_seal(a, message, s, out, why);
}
