/* names.c - what an SPF check asks DNS, and the client's own names */
#include "spf/internal.h"

#include <sys/socket.h>

const struct dns_answer *
spf_wait(struct spf_check *c, struct dns_query *q)
{
	const struct dns_answer *answer = dns_wait(c->dns, q);

	c->out->authentic = c->out->authentic && answer->authentic;
	spf_go_on_ahead(c);
	return answer;
}

const struct dns_answer *
spf_lookup(struct spf_check *c, enum dns_type type, struct bytes name)
{
	return spf_wait(c, spf_query(c, type, name));
}

bool
spf_is_void(const struct dns_answer *answer)
{
	return answer->status == DNS_NODATA || answer->status == DNS_NXDOMAIN;
}

/* A, or AAAA for an IPv6 client: 5. */
enum dns_type
spf_address_type(const struct spf_check *c)
{
	return c->args->ip.family == AF_INET6 ? DNS_AAAA : DNS_A;
}

static bool
confirms(const struct spf_check *c, const struct dns_answer *answer)
{
	size_t i;

	for (i = 0; i < answer->nrecords; i++) {
		if (ip_eq(&c->args->ip, &answer->records[i].ip))
			return true;
	}
	return false;
}

/* 5.5: errors only mean that a name is not validated. */
const struct spf_names *
spf_client_names(struct spf_check *c)
{
	struct spf_names *names = &c->names;
	struct dns_query *query[SPF_PTR_MAX];
	const struct dns_answer *ptr;
	char reverse[DNS_REVERSE_MAX];
	size_t i, n;

	if (names->done)
		return names;
	names->done = true;
	ptr = spf_lookup(c, DNS_PTR,
	    bytes_str(dns_reverse(&c->args->ip, reverse)));
	names->is_void = spf_is_void(ptr);
	n = ptr->nrecords < SPF_PTR_MAX ? ptr->nrecords : SPF_PTR_MAX;
	for (i = 0; i < n; i++)
		query[i] = spf_query(c, spf_address_type(c),
		    ptr->records[i].name);
	for (i = 0; i < n; i++) {
		if (confirms(c, spf_wait(c, query[i])))
			names->name[names->n++] = ptr->records[i].name;
	}
	return names;
}

bool
spf_expand_name(struct spf_check *c, struct bytes spec, struct bytes domain,
    struct bytes *name)
{
	struct buf b = BUF_INIT(SPF_EXPANSION_MAX);
	struct bytes s, label;
	bool good;

	good = spf_expand(c, spec, domain, &b) == 0;
	s = buf_bytes(&b);
	if (bytes_ends(s, BYTES(".")))
		s = bytes_first(s, s.n - 1);
	while (good && s.n > DNS_NAME_MAX)
		good = bytes_split(&s, '.', &label);
	good = good && dns_name_valid(s);
	if (good)
		*name = arena_bytes(c->arena, s);
	buf_free(&b);
	return good;
}

void
spf_find(struct dns *d, struct arena *a, struct bytes domain,
    struct spf_found *out)
{
	const struct dns_answer *answer = dns_lookup(d, a, DNS_TXT, domain);
	int n;

	*out = (struct spf_found){ .status = SPF_NO_ANSWER, .why = answer->why,
	    .text = BYTES_EMPTY, .authentic = answer->authentic };
	if (answer->status == DNS_TEMP || answer->status == DNS_BAD)
		return;
	n = spf_select_record(answer, &out->text);
	out->status = n == 0 ? SPF_ABSENT : n == -1 ? SPF_SEVERAL : SPF_FOUND;
	out->why = n == 0 ? "there is no SPF record" : n == -1
	    ? "more than one SPF record" : "";
}

int
spf_select_record(const struct dns_answer *answer, struct bytes *text)
{
	int n = 0;
	size_t i;

	for (i = 0; i < answer->nrecords; i++) {
		if (spf_is_record(answer->records[i].data)) {
			*text = answer->records[i].data;
			n++;
		}
	}
	return n > 1 ? -1 : n;
}
