/* internal.h - what the files of lib/dns share */
#ifndef DNS_INTERNAL_H
#define DNS_INTERNAL_H

#include "dns/dns.h"

struct dns {
	struct dns_server servers[DNS_SERVERS_MAX];
	size_t nservers;
	unsigned int try_ms, rounds, total_ms;
	const struct dns_static *table;
	size_t ntable;
	struct dns_source source;
	struct dns_cache *cache;	/* NULL: none */
	int64_t deadline;		/* of the job: dns_set_deadline */
	struct dns_query *active;	/* with a descriptor each */
	size_t nactive;
	/* Of all tries by UDP at a server of this machine; -1: none yet. */
	int local_fd;
	unsigned int local_server;
};

/* Close what dns_cancel leaves open. */
void dns_close(struct dns *d);

/* Without the final dot. */
struct bytes dns_name_trim(struct bytes name);
/* Lower case and without final dot, in the arena. */
struct bytes dns_name_canonical(struct arena *a, struct bytes name);
/* Append the wire form of a valid name. */
int dns_name_put(struct buf *out, struct bytes name);
/*
 * Read a name that starts at *rest, a tail of msg, in canonical text; *rest
 * moves behind it. False: malformed.
 */
bool dns_name_get(struct bytes msg, struct bytes *rest, struct arena *a,
    struct bytes *name);

/* Sort, drop duplicates, and set status DNS_OK. */
void dns_answer_set(struct dns_answer *out, struct dns_record *records,
    size_t n);
/* No records and that status; why is constant text. */
void dns_answer_none(struct dns_answer *out, enum dns_status status,
    const char *why);

/* Find the extended error among the options of an OPT record's data, if it
 * is not there yet. RFC 6891 6.1.2: malformed options end the search. */
void dns_extended_read(struct bytes options, struct arena *a,
    struct dns_extended *out);

/*
 * Look in the table: DNS_PARSED with *out, DNS_PARSED_ALIAS with out->name,
 * or DNS_PARSED_OTHER when the name is not there.
 */
enum dns_parsed dns_table_find(const struct dns *d, struct arena *a,
    enum dns_type type, struct bytes name, struct dns_answer *out);

/* Ask d->source; its records are put in order like all others. */
bool dns_source_find(const struct dns *d, struct arena *a, enum dns_type type,
    struct bytes name, struct dns_answer *out);

/*
 * What is kept for a name in canonical form, with the time it was kept for
 * taken off. out->authentic is of the answer, without what led to the name.
 * False: nothing is. And put an answer in, that came in n bytes and is the
 * end of a look-up of that name, if it may be kept. c may be NULL in both.
 */
bool dns_cache_find(const struct dns_cache *c, struct arena *a,
    enum dns_type type, struct bytes name, struct dns_answer *out);
void dns_cache_put(struct dns_cache *c, enum dns_type type,
    struct bytes name, size_t n, const struct dns_answer *answer);

/* Fill servers from the environment, options, or a resolv.conf. */
int dns_servers_init(struct dns *d, const struct dns_options *o,
    const char *resolv_conf);

/* CNAMEs that are followed to records of the type. */
static inline unsigned int
dns_alias_max(enum dns_type type)
{
	return type == DNS_TLSA ? DNS_CNAME_TLSA_MAX : DNS_CNAME_MAX;
}

#endif
