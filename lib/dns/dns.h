/*
 * dns.h - typed DNS look-ups, many in flight, with an authentic bit
 *
 * A stub resolver (RFC 1034, 1035): it asks recursive servers over UDP with
 * EDNS0 (RFC 6891), goes over to TCP when an answer is truncated (RFC 7766),
 * and asks several servers in turn. There are no threads and no search list:
 * every name is absolute. What the network says is taken only from the server
 * that was asked, with the id, question and class that were sent. Answers are
 * kept only for who brings a struct dns_cache.
 *
 * Names are text without escapes: labels of any bytes but "." and NUL, with
 * or without a final dot. Names in answers are in lower case without a final
 * dot; the root is the empty name.
 */
#ifndef DNS_H
#define DNS_H

#include "base/base.h"

enum {
	DNS_LABEL_MAX = 63,	/* RFC 1035 2.3.4 */
	DNS_PORT = 53,
	DNS_NAME_MAX = 253,	/* text; 255 on the wire, RFC 1035 2.3.4 */
	/* CNAMEs on the way to records, in all answers together: loops end
	 * there. To TLSA records, each of them to be authentic, fewer. */
	DNS_CNAME_MAX = 16,
	DNS_CNAME_TLSA_MAX = 10,
	DNS_RECORDS_MAX = 512,	/* of one answer; more is refused */
	DNS_SERVERS_MAX = 8,	/* asked in turn */
	DNS_INFLIGHT_MAX = 64,	/* descriptors held; more wait their turn */
	DNS_UDP_SIZE = 1232,	/* offered by EDNS0: never fragmented */
	DNS_MESSAGE_MAX = 65535,	/* RFC 1035 4.2.2 */
	/* Of a struct dns_cache: what one client's mail asks for, more than
	 * once over; longer answers are rare. */
	DNS_CACHE_ENTRIES = 64,
	DNS_CACHE_SECONDS_MAX = 300,	/* whatever their TTL says */
	DNS_CACHE_MESSAGE_MAX = 4096,	/* bytes on the wire */
};

enum dns_type {			/* values are those of the wire */
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_TLSA = 52,
};

enum dns_status {
	DNS_OK,			/* at least one record */
	DNS_NODATA,		/* the name exists, without such records */
	DNS_NXDOMAIN,		/* the name does not exist */
	DNS_TEMP,		/* silence, server failure, refused, ... */
	DNS_BAD,		/* malformed answer, or name to ask for */
};

struct dns_record {
	enum dns_type type;
	uint32_t ttl_seconds;
	struct ip ip;		/* A, AAAA */
	unsigned int preference;	/* MX */
	struct bytes name;	/* CNAME, MX, PTR: target */
	struct bytes data;	/* TXT: strings joined; TLSA: association */
	unsigned char usage, selector, matching;	/* TLSA, RFC 6698 2.1 */
};

/*
 * What the server says beyond the response code (RFC 8914): a validating one
 * tells here why it does not believe an answer. The first of several.
 */
struct dns_extended {
	bool there;
	unsigned int code;	/* INFO-CODE */
	struct bytes text;	/* EXTRA-TEXT, any bytes; often empty */
};
#define DNS_EXTENDED_TEXT_MAX 255	/* the rest of the text is cut off */
/* "DNSSEC Bogus", or NULL for codes that were not known in RFC 8914. */
const char *dns_extended_name(unsigned int code);

/*
 * Records are of the type asked for, without duplicates, in a fixed order
 * that does not depend on the server: MX by preference and name, others by
 * their bytes.
 */
struct dns_answer {
	enum dns_status status;
	bool authentic;		/* DNSSEC: a trusted server said so (AD) */
	struct bytes name;	/* owner of the records: end of the chain */
	unsigned int aliases;	/* CNAMEs followed in one message */
	const struct dns_record *records;
	size_t nrecords;	/* 0 unless DNS_OK */
	const char *why;	/* constant text; "" when DNS_OK */
	struct dns_extended extended;
	/* From now, by the TTLs of all that led here; that there is none, by
	 * the SOA record beside it (RFC 2308 5). 0: not to be kept. */
	uint32_t keep_seconds;
};

/* ---- names ---- */

/*
 * 1 to 253 bytes with labels of 1 to 63 bytes, no NUL; a final dot is
 * allowed and not counted. RFC 1035 2.3.4. Any other byte is fine.
 */
bool dns_name_valid(struct bytes name);
/* Without case and final dot. */
bool dns_name_eq(struct bytes a, struct bytes b);
/* name is domain or stands below it; without case and final dots. */
bool dns_name_below(struct bytes name, struct bytes domain);
#define DNS_REVERSE_MAX 80	/* with NUL */
/* Name for PTR look-ups: 1.2.0.192.in-addr.arpa, ....ip6.arpa; returns out.
 * RFC 1035 3.5, RFC 3596 2.5. */
const char *dns_reverse(const struct ip *ip, char out[DNS_REVERSE_MAX]);
/* "A", "AAAA", "MX", "TXT", "PTR", "TLSA", "CNAME" without case. -1 EINVAL */
int dns_type_parse(struct bytes s, enum dns_type *out);
const char *dns_type_name(enum dns_type type);
/* "ok", "nodata", "nxdomain", "temperror", "malformed". */
const char *dns_status_name(enum dns_status status);
/* why and the extended error of an answer for a person or a report, escaped:
 * "server failure: DNSSEC Bogus (6): text". Made in the arena. */
const char *dns_describe(const struct dns_answer *answer, struct arena *a);

/* ---- set-up ---- */

struct dns_server {
	struct ip ip;
	int port;
	bool trusted;		/* its AD bit counts: path and server are */
};

/* ADDR, ADDR:PORT or [ADDR]:PORT, port 53 unless given. Loopback servers are
 * marked trusted, others not. -1 EBADMSG. */
int dns_server_parse(struct bytes s, struct dns_server *out);

/*
 * An answer known beforehand. text is as in a zone file, without quotes:
 * address; "10 mx.example.org"; name; TXT bytes; "3 1 1 hex".
 */
struct dns_static {
	struct bytes name;
	enum dns_type type;
	struct bytes text;
};

/*
 * Another place to get answers from, asked before any server: zone data in
 * tests, a recording. answer() returns 1 with *out filled (memory from the
 * arena or lasting longer), or 0 to go on with the servers.
 */
struct dns_source {
	int (*answer)(void *ctx, struct arena *a, enum dns_type type,
	    struct bytes name, struct dns_answer *out);
	void *ctx;
};

/*
 * Answers of servers, for the next look-ups of the same process: each as long
 * as its TTL lets it be kept, failures not at all. Of a full one, the answer
 * that ends first makes room. To be used with one set of servers: what they
 * were trusted in is kept with the answer.
 */
struct dns_cache;
struct dns_cache *dns_cache_new(void);
/* NULL is allowed. */
void dns_cache_free(struct dns_cache *c);

struct dns_options {
	/* Empty: the nameservers of /etc/resolv.conf (trusted where its
	 * option trust-ad says so, or on loopback), else 127.0.0.1. The
	 * environment's PIPEMAIL_DNS=ADDR:PORT, trusted, overrides both. */
	struct dns_server servers[DNS_SERVERS_MAX];
	size_t nservers;
	unsigned int try_ms;	/* one server, one time; 0: 5000 */
	unsigned int rounds;	/* times through the list; 0: 2 */
	unsigned int total_ms;	/* one look-up in all; 0: 30000 */
	/*
	 * Looked at first. A name that is in the table is never asked for
	 * outside: a type it does not have there is DNS_NODATA. A CNAME is
	 * followed, also out of the table. Not authentic. Borrowed: must
	 * outlive the struct dns.
	 */
	const struct dns_static *table;
	size_t ntable;
	/* Looked at next; answer may be NULL. */
	struct dns_source source;
	/* Looked at last, before any server; NULL: none. Borrowed. */
	struct dns_cache *cache;
};

struct dns;

/*
 * A resolver; options may be NULL for all defaults. Holds no descriptors
 * while nothing is in flight, so that it may be made before a fork. NULL
 * with EINVAL when PIPEMAIL_DNS is no address, or errno of reading
 * /etc/resolv.conf (a missing file is no error).
 */
struct dns *dns_new(const struct dns_options *options);
/*
 * Put the servers dns_new would read from /etc/resolv.conf into *o, if it
 * names none: for who cannot open files later. 0 or -1 errno, *o unchanged.
 */
int dns_options_system(struct dns_options *o);
/* Ends what is in flight, too. NULL is allowed. */
void dns_free(struct dns *d);

/* ---- look-ups ---- */

struct dns_query;

/*
 * Start a look-up; it goes on while anything is waited for. The query and
 * its answer live in the arena, which must not be reset while it is in
 * flight. Never fails: what goes wrong is in the answer. A name that is not
 * dns_name_valid gives DNS_BAD.
 */
struct dns_query *dns_start(struct dns *d, struct arena *a,
    enum dns_type type, struct bytes name);
/* Wait for that one, serving all others meanwhile; the answer (never NULL)
 * lives as long as the query. May be called again. */
const struct dns_answer *dns_wait(struct dns *d, struct dns_query *q);
/* Whether the answer is there: dns_wait would return at once. */
bool dns_is_answered(const struct dns_query *q);
/* Start and wait. */
const struct dns_answer *dns_lookup(struct dns *d, struct arena *a,
    enum dns_type type, struct bytes name);
/* Give up everything in flight (DNS_TEMP). To be called before the arena of
 * queries that were started and not waited for is reset. */
void dns_cancel(struct dns *d);
/* Look-ups past this deadline end as DNS_TEMP; DEADLINE_NONE (the start)
 * leaves each its own total_ms. Returns the one before. */
int64_t dns_set_deadline(struct dns *d, int64_t deadline);

/* ---- wire format, for tests and fuzzing ---- */

/*
 * Append a query: RD and AD set, one question, class IN, with EDNS0 an OPT
 * record offering DNS_UDP_SIZE. -1 EINVAL (name not valid), EMSGSIZE.
 */
int dns_format_query(struct buf *out, unsigned int id, enum dns_type type,
    struct bytes name, bool edns);

enum dns_parsed {
	DNS_PARSED,		/* *out is filled */
	DNS_PARSED_ALIAS,	/* ends in a CNAME: ask for out->name next */
	DNS_PARSED_TRUNCATED,	/* TC: ask over TCP */
	DNS_PARSED_NOEDNS,	/* FORMERR, NOTIMP: ask without EDNS0 */
	DNS_PARSED_OTHER,	/* not the answer to this: keep waiting */
	DNS_PARSED_FAILED,	/* SERVFAIL, REFUSED, ...: *out is DNS_TEMP */
	DNS_PARSED_BAD,		/* malformed: *out is DNS_BAD with why */
};

/*
 * Read an answer to the query (id, type, name). Everything in *out lives in
 * the arena. out->authentic is the AD bit as it came. Never reads outside
 * msg; work is bounded by its size.
 */
enum dns_parsed dns_parse(struct bytes msg, unsigned int id,
    enum dns_type type, struct bytes name, struct arena *a,
    struct dns_answer *out);

#endif
