/*
 * front.c - PROXY header and TLS in front of a client's protocol
 */
#include "front/front.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "front/internal.h"
#include "tlsreq/tlsreq.h"

/* To connect to services of this machine. */
#define SERVICE_MS 10000
/* For the list of mechanisms only: a greeting should not wait longer. */
#define LIST_MS 2000
/* The same for a parent, for which all others wait too. */
#define EARLY_LIST_MS 250
#define LIST_AGE_MS 1000	/* for which a parent's list is good */
/* The same when auth-serve did not give it: soon again where that was found
 * out at once, or the parent would do little but wait. */
#define LIST_RETRY_MS 50
#define LIST_RETRY_TIMES 4	/* as long as it took */

bool
front_certificates(void)
{
	struct arena a = ARENA_INIT;
	DIR *dir = opendir(arena_printf(&a, "%s/tls", dir_etc()));
	bool found = dir == NULL && errno == EACCES;
	const struct dirent *e;

	arena_free(&a);
	if (dir == NULL)
		return found;
	while (!found && (e = readdir(dir)) != NULL)
		found = e->d_name[0] != '.' &&
		    bytes_ends(bytes_str(e->d_name), BYTES(".pem"));
	(void)closedir(dir);	/* read only */
	return found;
}

void
front_limits(const struct config *c, bool proxied, struct server_limits *out)
{
	uint64_t open[3] = { 0 }, rate[3] = { 0 };
	size_t i;

	if (!proxied) {
		config_get_three(c, "server", NULL, "open-limits", open);
		config_get_three(c, "server", NULL, "rate-limits", rate);
	}
	for (i = 0; i < 3; i++) {
		out->open[i] = (unsigned int)open[i];
		out->per_minute[i] = (unsigned int)rate[i];
	}
	out->children = (unsigned int)config_get_num(c, "server", NULL,
	    "connections-max");
}

void
front_init(struct front *f, const struct front_options *o,
    struct server_conn *conn)
{
	*f = (struct front){ .o = o, .conn = conn, .arena = ARENA_INIT,
	    .header = BUF_INIT(PREFACE_MAX), .preface = {
	    .authority = BYTES_EMPTY, .alpn = BYTES_EMPTY,
	    .version = BYTES_EMPTY, .cipher = BYTES_EMPTY,
	    .client_key = BYTES_EMPTY, .exporter = BYTES_EMPTY,
	    .end_point = BYTES_EMPTY, .unique = BYTES_EMPTY } };
}

void
front_free(struct front *f)
{
	buf_free(&f->header);
	arena_free(&f->arena);
}

void
front_log_failure(const struct front *f, const char *event, const char *why)
{
	struct logline l;
	char ip[IP_TEXT_MAX];

	log_begin(&l, LOG_INFO, event);
	log_num(&l, "cid", (int64_t)f->conn->id);
	log_str(&l, "ip", ip_format(&f->conn->remote, ip));
	log_bytes(&l, "listener", f->o->listener);
	log_str(&l, "why", why);
	log_end(&l);
}

void
front_log_secured(const struct front *f)
{
	struct logline l;
	char ip[IP_TEXT_MAX];

	log_begin(&l, LOG_INFO, "tls");
	log_num(&l, "cid", (int64_t)f->conn->id);
	log_str(&l, "ip", ip_format(&f->conn->remote, ip));
	log_bytes(&l, "listener", f->o->listener);
	log_bytes(&l, "tls", f->preface.version);
	log_bytes(&l, "cipher", f->preface.cipher);
	log_bytes(&l, "name", f->preface.authority);
	log_end(&l);
}

/* ---- what a preface says ---- */

static void
set_binding(struct front *f, enum sasl_binding_type type, struct bytes value)
{
	if (value.n == 0 || value.n > SASL_BINDING_MAX)
		return;
	memcpy(f->binding[type].p, value.p, value.n);
	f->binding[type].n = value.n;
	f->has_bindings = true;
}

/* A client's address is taken from the first preface that has one: in front
 * of tls-serve there may be a proxy, but not the other way round. */
static void
take_preface(struct front *f, const struct preface *p)
{
	bool proxied = f->preface.remote.family != 0;
	struct bytes version = bytes_first(p->version,
	    sizeof(f->version) - 1);

	f->preface = *p;
	if (p->self)
		return;
	if (!proxied && p->remote.family != 0) {
		f->conn->remote = p->remote;
		f->conn->remote_port = p->remote_port;
		f->conn->local = p->local;
		f->conn->local_port = p->local_port;
	}
	f->tls = p->tls;
	memcpy(f->version, version.p, version.n);
	f->version[version.n] = '\0';
	set_binding(f, SASL_TLS_EXPORTER, p->exporter);
	set_binding(f, SASL_TLS_SERVER_END_POINT, p->end_point);
	set_binding(f, SASL_TLS_UNIQUE, p->unique);
}

int
front_take_preface(struct front *f, struct bytes preface)
{
	struct preface p;
	const char *why;
	size_t used;

	if (preface_parse(preface, PREFACE_TLS_SERVE, &p, &used, &why) != 1 ||
	    used != preface.n)
		return -1;
	take_preface(f, &p);
	return 0;
}

static int
read_proxy(struct front *f)
{
	struct preface p;
	const char *why = "";
	int r = preface_read(f->conn->in, PREFACE_PROXY,
	    deadline_in(f->o->timeout_ms), &f->header, &p, &why);

	if (r == 1) {
		take_preface(f, &p);
		return 0;
	}
	if (r == -1)
		front_log_failure(f, "proxy-header", why);
	return -1;
}

int
front_begin(struct front *f)
{
	int ctl;

	if (front_greeted(f))
		return front_resume(f);
	if (f->o->proxied && read_proxy(f) == -1)
		return -1;
	if (!f->o->implicit)
		return 0;
	if (!f->conn->is_socket) {
		front_log_failure(f, "tls-failed", "not-a-socket");
		return -1;
	}
	if ((ctl = front_open(f)) == -1)
		return -1;
	return front_secure(f, ctl);
}

/* ---- TLS ---- */

bool
front_offers_tls(const struct front *f)
{
	return !f->tls && f->conn->is_socket && f->o->certificates &&
	    access(f->o->tls_path, W_OK) == 0;
}

int
front_open(const struct front *f)
{
	int ctl = tlsreq_open(f->o->tls_path, deadline_in(SERVICE_MS));

	if (ctl == -1)
		msg_warnsys("cannot ask %s", f->o->tls_path);
	return ctl;
}

/* fd in place of the connection's descriptors. */
static int
replace(const struct server_conn *conn, int fd)
{
	int r = dup2(fd, conn->in);

	if (r != -1 && conn->out != conn->in)
		r = dup2(fd, conn->out);
	(void)close(fd);	/* a copy is there */
	return r == -1 ? -1 : 0;
}

void
front_alpn(const struct front_options *o, struct tlsreq *req)
{
	size_t i;

	for (i = 0; i < o->nalpn; i++)
		req->alpn[i] = o->alpn[i];
	req->nalpn = o->nalpn;
	if (o->nalpn > 0)
		return;
	req->alpn[0] = bytes_eq(o->listener, BYTES("imap"))
	    ? BYTES("imap") : BYTES("smtp");
	req->nalpn = 1;
}

int
front_secure(struct front *f, int ctl)
{
	struct tlsreq req = { .listener = f->o->listener,
	    .implicit = f->o->implicit, .client_cert = f->o->client_cert };
	struct tlsreq_result result;

	front_alpn(f->o, &req);
	if (f->preface.remote.family != 0)
		req.remote = f->preface.remote;
	if (tlsreq_run(ctl, f->conn->in, &req, deadline_in(f->o->timeout_ms +
	    FRONT_HANDSHAKE_SLACK_MS), &f->arena, &result) == -1) {
		front_log_failure(f, "tls-failed", result.reason);
		return -1;
	}
	take_preface(f, &result.preface);
	if (replace(f->conn, result.fd) == -1) {
		msg_warnsys("cannot take over the connection");
		return -1;
	}
	front_log_secured(f);
	return 0;
}

int
front_preface(const struct front *f, struct buf *out)
{
	return f->tls ? preface_format(out, &f->preface) : 0;
}

/* ---- logins ---- */

static bool
has_key(const struct front *f)
{
	return f->preface.client_key.n == PREFACE_HASH;
}

void
front_sasl(const struct front *f, struct sasl_params *out)
{
	out->remote = &f->conn->remote;
	out->local = &f->conn->local;
	out->tls = f->tls ? f->version : NULL;
	out->client_key = has_key(f) ? f->preface.client_key.p : NULL;
	out->binding = f->has_bindings ? f->binding : NULL;
}

void
front_throttle(unsigned int failures)
{
	if (failures < FRONT_SLOW_FAILURES)
		return;
	/* a signal ends it early: harmless */
	(void)poll(NULL, 0, (int)(failures - FRONT_SLOW_FAILURES + 1) * 1000);
}

/* fail2ban reads it: its form is in pipemail-service(7). */
static void
log_limited(const struct front *f)
{
	struct logline l;
	char ip[IP_TEXT_MAX];

	log_begin(&l, LOG_INFO, "over-limit");
	log_str(&l, "limiter", "auth-serve");
	log_str(&l, "ip", ip_format(&f->conn->remote, ip));
	log_num(&l, "cid", (int64_t)f->conn->id);
	log_bytes(&l, "listener", f->o->listener);
	log_end(&l);
}

static const char fallback[] = "PLAIN LOGIN";

/* True if they are auth-serve's. */
static bool
list_mechanisms(const struct sasl_client *c, bool bindings, bool key,
    char out[FRONT_MECHANISMS_MAX])
{
	struct buf b = BUF_INIT(FRONT_MECHANISMS_MAX - 1);
	bool given = c != NULL &&
	    sasl_client_mechanisms(c, true, bindings, key, &b) == 0;

	if (given) {
		memcpy(out, buf_bytes(&b).p, b.n);
		out[b.n] = '\0';
	} else {
		memcpy(out, fallback, sizeof(fallback));
	}
	buf_free(&b);
	return given;
}

const char *
front_mechanisms(struct front *f, const char *auth_path, const char *service,
    bool *limited)
{
	char list[FRONT_MECHANISMS_MAX];
	struct sasl_client *c = sasl_client_open(auth_path,
	    deadline_in(LIST_MS));

	(void)list_mechanisms(c, f->has_bindings, has_key(f), list);
	*limited = c != NULL && sasl_client_allowed(c, service,
	    &f->conn->remote, deadline_in(LIST_MS)) == 0;
	if (*limited)
		log_limited(f);
	sasl_client_close(c);
	return arena_str(&f->arena, bytes_str(list));
}

bool
front_mechanisms_look(struct front_mechanisms *m, const char *auth_path)
{
	struct sasl_client *c;
	int64_t begin = time_mono_ms(), now;
	bool given = true;
	int i;

	if (m->until > begin)
		return false;
	c = sasl_client_open(auth_path, deadline_in(EARLY_LIST_MS));
	for (i = 0; i < TLSREQ_GREETINGS; i++)
		given = list_mechanisms(c, i != 0, false, m->list[i]) && given;
	sasl_client_close(c);
	now = time_mono_ms();
	m->until = now + (given ? LIST_AGE_MS :
	    LIST_RETRY_MS + LIST_RETRY_TIMES * (now - begin));
	return true;
}

const char *
front_mechanisms_known(const struct front_mechanisms *m,
    const struct front *f)
{
	return m->list[f->has_bindings ? 1 : 0];
}

bool
front_limited(const struct front *f, const char *auth_path,
    const char *service)
{
	struct sasl_client *c = sasl_client_open(auth_path,
	    deadline_in(LIST_MS));
	bool limited = c != NULL && sasl_client_allowed(c, service,
	    &f->conn->remote, deadline_in(LIST_MS)) == 0;

	if (limited)
		log_limited(f);
	sasl_client_close(c);
	return limited;
}

int
front_key_login(const struct front *f, const char *auth_path,
    struct sasl_params *params, struct sasl_reply *reply)
{
	int64_t deadline = deadline_in(SERVICE_MS);
	struct sasl_client *c;
	int r = -1;

	if (!has_key(f))
		return 0;
	front_sasl(f, params);
	params->mech = "EXTERNAL";
	params->preauth = true;
	c = sasl_client_open(auth_path, deadline);
	if (c != NULL)
		r = sasl_client_auth(c, params, BYTES_EMPTY, true, deadline,
		    reply);
	if (r == -1)
		msg_warnsys("cannot ask %s", auth_path);
	else
		r = reply->kind == SASL_REPLY_OK;
	sasl_client_close(c);
	return r;
}
