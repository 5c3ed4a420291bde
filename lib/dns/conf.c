#include "dns/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define RESOLV_CONF "/etc/resolv.conf"

enum {
	TRY_MS = 5000,		/* as resolv.conf(5) "timeout" */
	ROUNDS = 2,		/* as resolv.conf(5) "attempts" */
	TOTAL_MS = 30000,
	FILE_MAX = 65536,	/* bytes of a resolv.conf */
};

int
dns_server_parse(struct bytes s, struct dns_server *out)
{
	struct dns_server r = { .port = DNS_PORT };
	struct bytes ip = s, port = BYTES_EMPTY;
	bool has_port = false;
	uint64_t v;
	size_t at;

	if (bytes_skip(&ip, BYTES("["))) {
		s = ip;
		if (!bytes_split(&s, ']', &ip))
			goto malformed;
		has_port = bytes_skip(&s, BYTES(":"));
		if (!has_port && s.n > 0)
			goto malformed;
		port = s;
	} else if (bytes_chr(s, ':', &at) &&
	    !bytes_chr(bytes_from(s, at + 1), ':', &at)) {
		has_port = true;
		port = s;
		(void)bytes_split(&port, ':', &ip);	/* it is there */
	}
	if (has_port) {
		if (num_parse(port, 1, 65535, &v) == -1)
			goto malformed;
		r.port = (int)v;
	}
	if (ip_parse(ip, &r.ip) == -1)
		goto malformed;
	r.trusted = ip_is_loopback(&r.ip);
	*out = r;
	return 0;
malformed:
	errno = EBADMSG;
	return -1;
}

/* Scoped and other unreadable addresses are passed over. */
static void
read_conf_line(struct dns *d, struct bytes line, bool *trust)
{
	struct bytes word, value;

	if (!bytes_word(&line, &word))
		return;
	if (bytes_eq(word, BYTES("nameserver"))) {
		if (d->nservers < DNS_SERVERS_MAX &&
		    bytes_word(&line, &value) &&
		    dns_server_parse(value, &d->servers[d->nservers]) == 0)
			d->nservers++;
	} else if (bytes_eq(word, BYTES("options"))) {
		while (bytes_word(&line, &value))
			*trust = *trust || bytes_eq(value, BYTES("trust-ad"));
	}
}

static int
read_conf(struct dns *d, const char *path)
{
	struct buf b = BUF_INIT(FILE_MAX);
	struct bytes rest, line;
	bool trust = false;
	size_t i;
	int saved;

	if (io_read_file(AT_FDCWD, path, &b) == -1 && errno != ENOENT) {
		saved = errno;
		buf_free(&b);
		errno = saved;
		return -1;
	}
	rest = buf_bytes(&b);
	while (bytes_line(&rest, &line))
		read_conf_line(d, line, &trust);
	buf_free(&b);
	for (i = 0; i < d->nservers; i++) {
		if (trust)
			d->servers[i].trusted = true;
	}
	if (d->nservers == 0)
		return dns_server_parse(BYTES("127.0.0.1"),
		    &d->servers[d->nservers++]);
	return 0;
}

int
dns_servers_init(struct dns *d, const struct dns_options *o,
    const char *resolv_conf)
{
	const char *env = env_get("PIPEMAIL_DNS");

	d->nservers = 0;
	if (env != NULL) {
		if (dns_server_parse(bytes_str(env), &d->servers[0]) == -1) {
			errno = EINVAL;
			return -1;
		}
		d->servers[0].trusted = true;
		d->nservers = 1;
		return 0;
	}
	if (o != NULL && o->nservers > 0) {
		memcpy(d->servers, o->servers, sizeof(d->servers));
		d->nservers = o->nservers < DNS_SERVERS_MAX ? o->nservers
		    : DNS_SERVERS_MAX;
		return 0;
	}
	return read_conf(d, resolv_conf);
}

int
dns_options_system(struct dns_options *o)
{
	struct dns *d;
	int r;

	if (o->nservers > 0)
		return 0;
	d = mem_zalloc(1, sizeof(*d));
	r = dns_servers_init(d, o, RESOLV_CONF);
	if (r == 0) {
		memcpy(o->servers, d->servers, sizeof(o->servers));
		o->nservers = d->nservers;
	}
	free(d);	/* free(3) keeps errno */
	return r;
}

struct dns *
dns_new(const struct dns_options *options)
{
	static const struct dns_options defaults;
	const struct dns_options *o = options != NULL ? options : &defaults;
	struct dns *d = mem_zalloc(1, sizeof(*d));
	int saved;

	if (dns_servers_init(d, o, RESOLV_CONF) == -1) {
		saved = errno;
		free(d);
		errno = saved;
		return NULL;
	}
	d->try_ms = o->try_ms != 0 ? o->try_ms : TRY_MS;
	d->rounds = o->rounds != 0 ? o->rounds : ROUNDS;
	d->total_ms = o->total_ms != 0 ? o->total_ms : TOTAL_MS;
	d->table = o->table;
	d->ntable = o->table != NULL ? o->ntable : 0;
	d->source = o->source;
	d->cache = o->cache;
	d->deadline = DEADLINE_NONE;
	d->local_fd = -1;
	return d;
}

void
dns_free(struct dns *d)
{
	if (d == NULL)
		return;
	dns_cancel(d);
	dns_close(d);
	free(d);
}

int64_t
dns_set_deadline(struct dns *d, int64_t deadline)
{
	int64_t before = d->deadline;

	d->deadline = deadline;
	return before;
}
