/* ask.c - the keys of signatures, asked for at once, within one deadline */
#include "dkim/internal.h"

#include "dns/dns.h"

void
dkim_asker_init(struct dkim_asker *k, struct arena *a, struct dns *d,
    int64_t now, int64_t timeout_ms)
{
	*k = (struct dkim_asker){ .arena = a, .dns = d, .now = now,
	    .deadline = deadline_in(timeout_ms > 0 ? timeout_ms
	    : DKIM_TIMEOUT_MS) };
}

const struct dkim_question *
dkim_ask(struct dkim_asker *k, const struct dkim_signature *s,
    const char **why)
{
	struct dkim_question *q;
	struct bytes name;

	if (s->expiration != -1 && s->expiration < k->now) {
		*why = "signature has expired";
		return NULL;
	}
	name = bytes_str(arena_printf(k->arena, "%.*s._domainkey.%.*s",
	    BYTES_ARG(s->selector), BYTES_ARG(s->domain)));
	if (!dns_name_valid(name)) {
		*why = "name of the key is too long";
		return NULL;
	}
	for (q = k->asked; q != NULL; q = q->next) {
		if (bytes_eq(q->name, name))
			return q;
	}
	q = arena_zalloc(k->arena, 1, sizeof *q);
	q->next = k->asked;
	q->name = name;
	if (k->dns != NULL)
		q->query = dns_start(k->dns, k->arena, DNS_TXT, name);
	k->asked = q;
	return q;
}

const struct dns_answer *
dkim_answer(struct dkim_asker *k, const struct dkim_question *q,
    const char **why, bool *temporary)
{
	const struct dns_answer *answer;
	int64_t before;

	*temporary = true;
	if (q->query == NULL) {
		*why = "no resolver for the key";
		return NULL;
	}
	before = dns_set_deadline(k->dns, k->deadline);
	if (before < k->deadline)
		(void)dns_set_deadline(k->dns, before);
	answer = dns_wait(k->dns, q->query);
	(void)dns_set_deadline(k->dns, before);
	*why = answer->status == DNS_TEMP ? "key could not be fetched"
	    : answer->status == DNS_BAD ? "DNS answer for the key is malformed"
	    : "there is no such key";
	*temporary = answer->status == DNS_TEMP;
	return answer->status == DNS_OK ? answer : NULL;
}
