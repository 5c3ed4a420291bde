/*
 * front.c - PROXY header and TLS in front of a client's protocol
 */
#include "front/front.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "tlsreq/tlsreq.h"

/* To connect to services of this machine. */
#define SERVICE_MS 10000
/* For the list of mechanisms only: a greeting should not wait longer. */
#define LIST_MS 2000
/* tls-serve ends handshakes by a time-out of its own; this is for when it
 * does not answer at all. */
#define HANDSHAKE_SLACK_MS 5000
#define MECHANISMS_MAX 512

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
front_init(struct front *f, const struct front_options *o,
    struct server_conn *conn)
{
	*f = (struct front){ .o = o, .conn = conn, .arena = ARENA_INIT,
	    .header = BUF_INIT(PREFACE_MAX) };
}

void
front_free(struct front *f)
{
	buf_free(&f->header);
	arena_free(&f->arena);
}

static void
log_failure(const struct front *f, const char *event, const char *why)
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

static void
log_secured(const struct front *f)
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
		log_failure(f, "proxy-header", why);
	return -1;
}

int
front_begin(struct front *f)
{
	int ctl;

	if (f->o->proxied && read_proxy(f) == -1)
		return -1;
	if (!f->o->implicit)
		return 0;
	if (!f->conn->is_socket) {
		log_failure(f, "tls-failed", "not-a-socket");
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

int
front_secure(struct front *f, int ctl)
{
	struct tlsreq req = { .listener = f->o->listener,
	    .implicit = f->o->implicit, .client_cert = f->o->client_cert };
	struct tlsreq_result result;

	if (f->preface.remote.family != 0)
		req.remote = f->preface.remote;
	if (tlsreq_run(ctl, f->conn->in, &req, deadline_in(f->o->timeout_ms +
	    HANDSHAKE_SLACK_MS), &f->arena, &result) == -1) {
		log_failure(f, "tls-failed", result.reason);
		return -1;
	}
	take_preface(f, &result.preface);
	if (replace(f->conn, result.fd) == -1) {
		msg_warnsys("cannot take over the connection");
		return -1;
	}
	log_secured(f);
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

const char *
front_mechanisms(struct front *f, const char *auth_path, const char *service,
    bool *limited)
{
	int64_t deadline = deadline_in(LIST_MS);
	struct sasl_client *c = sasl_client_open(auth_path, deadline);
	struct buf b = BUF_INIT(MECHANISMS_MAX);
	const char *list = "PLAIN LOGIN";

	if (c != NULL && sasl_client_mechanisms(c, true, f->has_bindings,
	    has_key(f), &b) == 0)
		list = arena_str(&f->arena, buf_bytes(&b));
	*limited = c != NULL && sasl_client_allowed(c, service,
	    &f->conn->remote, deadline) == 0;
	sasl_client_close(c);
	buf_free(&b);
	return list;
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
