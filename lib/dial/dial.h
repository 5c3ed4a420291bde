/*
 * dial.h - from a domain to an SMTP conversation with one of its hosts
 *
 * What smtp-out and smtp-check share: the hosts of a domain (RFC 5321 5.1,
 * RFC 7505), the order of hosts and addresses (BEHAVIOUR 7.3), a memory of
 * addresses that are dead, connections with a source address or through a
 * SOCKS5 proxy (RFC 1928), and lib/smtpc over a socket and lib/tlsc.
 */
#ifndef DIAL_H
#define DIAL_H

#include "base/base.h"
#include "dns/dns.h"
#include "smtpc/smtpc.h"
#include "tlsc/tlsc.h"

/* ---- limits and times ---- */

/* Hosts of a domain that are dialled in one attempt. RFC 5321 5.1 asks for
 * two addresses at least; each may take DIAL_HOST_MS. */
#define DIAL_HOSTS_MAX 10
/* Addresses of one host that are looked at. */
#define DIAL_ADDRESSES_MAX 32
/* Look-ups and connecting, for one host. */
#define DIAL_HOST_MS 30000
/* A connection from its beginning on. */
#define DIAL_SESSION_MS (30 * 60 * 1000)
/* Lines kept of where a message was sent to before: 64 attempts are the most
 * a queue keeps of one recipient. */
#define DIAL_DIALLED_MAX 64
/* An address that did not answer is left alone for so long: below the first
 * wait of a message, so that its next attempt tries again. */
#define DIAL_DEAD_S 60

/* ---- the hosts of a domain ---- */

enum dial_found {
	DIAL_FOUND,
	DIAL_NULL_MX,		/* RFC 7505: takes no mail, for good */
	DIAL_NO_DOMAIN,		/* does not exist, for good */
	DIAL_NO_HOST,		/* only MX names that no host can have */
	DIAL_TEMPORARY,		/* DNS does not say */
};
struct dial_mx {
	unsigned int preference;
	struct bytes name;
};
struct dial_domain {
	enum dial_found found;
	const char *why;	/* unless DIAL_FOUND */
	bool implicit;		/* no MX: the domain is the host */
	bool authentic;		/* DNSSEC, the CNAMEs too */
	struct bytes expanded;	/* the end of the CNAMEs */
	struct dial_mx *hosts;	/* by preference */
	size_t count;
};
/* Everything in the arena. domain in A-labels. */
void dial_find(struct dns *d, struct arena *a, struct bytes domain,
    struct dial_domain *out);
/*
 * Could mail to the domain be delivered at all? As dial_find, and where it has
 * no MX record, by whether it has an address: DIAL_NO_DOMAIN if it has none.
 * For senders, before their mail is taken.
 */
void dial_find_any(struct dns *d, struct arena *a, struct bytes domain,
    struct dial_domain *out);
/* Has the name an address, A or AAAA? DIAL_FOUND, DIAL_NO_DOMAIN or
 * DIAL_TEMPORARY, with why; no hosts. */
void dial_find_address(struct dns *d, struct arena *a, struct bytes name,
    struct dial_domain *out);
/* The same as dial_find from the answer to MX. */
void dial_read_mx(struct arena *a, struct bytes domain,
    const struct dns_answer *mx, struct dial_domain *out);
/*
 * Letters, digits, hyphens, and underscores as Windows networks have them;
 * at least one letter in the last label, so that it is no address.
 */
bool dial_host_valid(struct bytes name);
/* Hosts of equal preference into random order; next is asked for a number
 * below its argument. */
void dial_shuffle(struct dial_mx *hosts, size_t count,
    uint32_t (*next)(void *ctx, uint32_t below), void *ctx);
/*
 * RFC 5321 5.1: with own among the hosts only better ones are left (mail must
 * not go in circles). How many; 0: we are the best ourselves.
 */
size_t dial_before_own(const struct dial_mx *hosts, size_t count,
    struct bytes own);
/* A random number below, from the kernel, for dial_shuffle; ctx is unused. */
uint32_t dial_random(void *ctx, uint32_t below);

/* ---- the addresses of a host ---- */

struct dial_host {
	const struct dns_answer *a, *aaaa;
	/* Of both, what may be dialled. */
	struct ip ips[DIAL_ADDRESSES_MAX];
	size_t count;
	bool dual;		/* has addresses of both families */
	bool temporary;		/* none, since DNS does not say */
	const char *why;	/* when there is none: constant or arena's */
};
struct dial_limits {
	bool no_ipv4, no_ipv6;
	/* Private, loopback and such networks, where no stranger's host is. */
	bool local;
};
/* Both look-ups at once. "localhost" needs none (RFC 6761 6.3). */
void dial_addresses(struct dns *d, struct arena *a, struct bytes host,
    const struct dial_limits *limits, struct dial_host *out);
/*
 * Not in the Internet: loopback, private (RFC 1918, 4193), link-local,
 * shared (RFC 6598), unspecified, multicast, broadcast.
 */
bool dial_is_local(const struct ip *ip);

/*
 * dialled holds "host ip" lines, oldest first. IPv6 comes first; if the
 * host was dialled before, the family not used last. Within a family the
 * order is random, but the last address comes first if it was the only one
 * dialled in its family (greylisting).
 */
void dial_order(struct bytes dialled, struct bytes host, struct ip *ips,
    size_t count, uint32_t (*next)(void *ctx, uint32_t below), void *ctx);
/* dialled with one line more, the oldest dropped past DIAL_DIALLED_MAX. */
struct bytes dial_note(struct arena *a, struct bytes dialled,
    struct bytes host, const struct ip *ip);

/* ---- dead addresses (B-33) ---- */

/*
 * In memory that a parent shares with its children: addresses that refused a
 * connection or did not answer. Without locks: two that write at once may
 * lose one of both, which costs a connection attempt.
 */
struct dial_dead;
#define DIAL_DEAD_ENTRIES 4096
/* NULL with errno. */
struct dial_dead *dial_dead_new(void);
/* dead NULL: nothing is dead. Seconds of a clock that does not jump. */
bool dial_dead_is(const struct dial_dead *dead, const struct ip *ip,
    int port, int64_t now);
void dial_dead_add(struct dial_dead *dead, const struct ip *ip, int port,
    int64_t now);
void dial_dead_remove(struct dial_dead *dead, const struct ip *ip, int port);

/* ---- connecting ---- */

struct dial_via {
	struct ip source4, source6;	/* family 0: any */
	struct ip socks;		/* family 0: none */
	int socks_port;
	struct bytes socks_user, socks_password;	/* empty: no login */
};
/*
 * A connected socket, non-blocking; -1 with errno and *why in the arena:
 * ECONNREFUSED, ETIMEDOUT, EADDRNOTAVAIL (the source), EPROTO (the proxy),
 * EMSGSIZE (a login that cannot be said to it).
 */
int dial_connect(const struct dial_via *via, struct arena *a,
    const struct ip *ip, int port, int64_t deadline, const char **why);
/* Through the proxy, which looks the name up. */
int dial_connect_name(const struct dial_via *via, struct arena *a,
    struct bytes host, int port, int64_t deadline, const char **why);
/* Whether errno of dial_connect says that nobody is there. */
bool dial_is_dead(int err);

/* What a proxy answers: to the methods offered, to the login, to CONNECT.
 * The second octet says how it is meant. */
enum dial_socks {
	DIAL_SOCKS_METHOD,
	DIAL_SOCKS_LOGIN,
	DIAL_SOCKS_REPLY,
};
/* A reply with the longest name, RFC 1928 6. */
#define DIAL_SOCKS_MAX (4 + 1 + 255 + 2)
/* A user name, and a password, RFC 1929 2. */
#define DIAL_SOCKS_LOGIN_MAX 255
/*
 * How many octets are to be read after got for sure; 0: it is whole. -1 with
 * EPROTO and *why, constant text. For tests and fuzzing, too.
 */
ssize_t dial_socks_need(enum dial_socks step, struct bytes got,
    const char **why);
/* What a code other than 0 in a reply means; constant text. */
const char *dial_socks_refusal(int code);

/* ---- a conversation ---- */

/* What is said, for people: '>' ours, '<' theirs, '*' what else happens.
 * Without line ends, secrets and message. */
typedef void dial_trace(void *ctx, int who, struct bytes line);

#define DIAL_READ_BYTES 16384
struct dial_conn {
	int fd;
	struct tlsc *tls;		/* NULL: in clear */
	struct smtpc *smtp;
	int64_t deadline;		/* of all of it */
	dial_trace *trace;		/* may be NULL */
	void *trace_ctx;
	/* private */
	struct bytes in;
	bool gone, hides;
	struct buf traced;
	unsigned char buffer[DIAL_READ_BYTES];
};
/* Takes over fd. */
void dial_open(struct dial_conn *c, int fd, int64_t deadline);
/*
 * The handshake. 0, or -1: c->tls stays, for tlsc_finding; NULL if it could
 * not begin. The caller tells the machine, if there is one.
 */
int dial_secure(struct dial_conn *c, struct tlsc_ctx *ctx,
    const struct tlsc_options *o, int64_t timeout_ms);
/* Go on until the machine wants something else than bytes moved:
 * SMTPC_STARTTLS, SMTPC_READY, SMTPC_DONE, SMTPC_CLOSED. */
enum smtpc_event dial_run(struct dial_conn *c);
/* QUIT, if it is the moment for it, and close. May be called twice. */
void dial_close(struct dial_conn *c);

#endif
