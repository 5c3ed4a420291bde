/*
 * decide.c - decisions on logins, their limits, log and record
 */
#include "auth_serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Addresses with failures at a time: three counts each. */
#define LIMITER_ENTRIES 30000
#define DAY_SECONDS 86400

enum { MINUTE, DAY };		/* windows of the limiter */

/* ---- configuration ---- */

static void
set_limits(const struct config *c, struct limiter *l, size_t window,
    const char *key)
{
	uint64_t three[3];
	unsigned int limits[3], i;

	config_get_three(c, "auth", NULL, key, three);
	for (i = 0; i < 3; i++)
		limits[i] = (unsigned int)three[i];
	limiter_set(l, window, limits);
}

/* A configuration that cannot be read now: the old one stays in use. */
static void
refresh_config(struct program *p)
{
	struct config *c;

	if (p->config != NULL && config_replaced(p->config) != 1)
		return;
	if ((c = config_load()) == NULL) {
		msg_warn("cannot open configuration: %s",
		    config_reason(errno));
		return;
	}
	config_close(p->config);
	p->config = c;
	p->users.config = c;
	p->keys_path[0] = '\0';
	set_limits(c, p->limiter, MINUTE, "failures-per-minute");
	set_limits(c, p->limiter, DAY, "failures-per-day");
}

static int
read_keys(struct program *p, const char *path)
{
	struct buf b = BUF_INIT(JWT_JWKS_MAX);
	struct jwt_keys *keys = NULL;
	const char *why;

	if (io_read_file(AT_FDCWD, path, &b) == -1)
		msg_warnsys("cannot read %s", path);
	else if ((keys = jwt_keys_parse(buf_bytes(&b), &why)) == NULL)
		msg_warn("cannot use %s: %s", path, why);
	buf_free(&b);
	if (keys == NULL)
		return -1;
	jwt_keys_free(p->keys);
	p->keys = keys;
	p->users.keys = keys;
	return 0;
}

/* The file that is configured, else the one jwks-fetch writes. */
static bool
find_keys(const struct config *c, char *path, size_t size)
{
	struct bytes name = config_get_text(c, "oauth", NULL, "keys");
	char file[JWT_FILE_MAX];
	int n;

	if (name.n > 0) {
		n = snprintf(path, size, "%s%s%.*s",
		    bytes_at(name, 0) == '/' ? "" : dir_etc(),
		    bytes_at(name, 0) == '/' ? "" : "/", BYTES_ARG(name));
	} else {
		jwt_keys_file(config_get_text(c, "oauth", NULL, "issuer"),
		    file);
		n = snprintf(path, size, "%s/" JWT_DIR "/%s", dir_var(),
		    file);
	}
	return n >= 0 && (size_t)n < size;
}

/*
 * Have jwks-fetch look for new keys now; how often it does is its decision.
 * That it does not run, or has such a wish before it, is no fault.
 */
static void
poke(const struct program *p)
{
	char path[sizeof(p->keys_path)];
	struct stat st;
	int n, fd;

	if (config_get_text(p->config, "oauth", NULL, "keys").n > 0)
		return;		/* not fetched */
	n = snprintf(path, sizeof(path), "%s/" JWT_DIR "/" JWT_POKE,
	    dir_var());
	if (n < 0 || (size_t)n >= sizeof(path))
		return;
	fd = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1) {
		if (errno != ENOENT && errno != ENXIO)
			msg_warnsys("cannot open %s", path);
	} else if (S_ISFIFO(st.st_mode) && write(fd, "\n", 1) == -1 &&
	    errno != EAGAIN) {
		msg_warnsys("cannot write to %s", path);
	}
	if (fd != -1)
		(void)close(fd);	/* nothing is lost */
}

/* Issuers change keys: the file is read again when it was replaced. */
static void
refresh_keys(struct program *p)
{
	char path[sizeof(p->keys_path)];
	struct stat st;

	if (!find_keys(p->config, path, sizeof(path)) ||
	    stat(path, &st) == -1) {
		msg_warn("cannot find the issuer's keys");
		return;		/* those that were read are still good */
	}
	if (strcmp(path, p->keys_path) == 0 &&
	    st.st_mtim.tv_sec == p->keys_time.tv_sec &&
	    st.st_mtim.tv_nsec == p->keys_time.tv_nsec)
		return;
	if (read_keys(p, path) == -1)
		return;
	memcpy(p->keys_path, path, sizeof(path));
	p->keys_time = st.st_mtim;
}

/* ---- the backend of the protocol ---- */

static bool
offered(void *ctx, const struct sasl_mech *mech)
{
	struct program *p = ctx;

	refresh_config(p);
	return p->config == NULL ? !mech->plus
	    : sasl_mech_offered(p->config, mech);
}

static bool
allowed(void *ctx, const struct sasl_origin *from)
{
	struct program *p = ctx;
	int64_t now = time_wall_us() / 1000000;

	refresh_config(p);
	return limiter_allows(p->limiter, &from->remote, now);
}

static void
secrets(void *ctx, const struct sasl_request *r, struct sasl_secrets *out)
{
	struct program *p = ctx;
	const struct sasl_text *user = &r->sasl.authcid;

	if (p->config == NULL) {
		*out = (struct sasl_secrets){ .temporary = true,
		    .iterations = SASL_ITERATIONS_SHA256 };
		return;
	}
	sasl_secrets_find(&p->users, &r->from, bytes_of(user->p, user->n),
	    r->sasl.mech, out);
}

static void
decide(void *ctx, struct sasl_request *r, enum sasl_action action,
    struct sasl_outcome *out)
{
	struct program *p = ctx;

	if (p->config == NULL) {
		*out = (struct sasl_outcome){ .result = SASL_TEMPORARY,
		    .reason = "authentication is unavailable",
		    .why = "no configuration" };
		return;
	}
	if (action == SASL_TOKEN)
		refresh_keys(p);
	p->users.now = time_wall_us() / 1000000;
	sasl_decide(&p->users, &r->from, &r->sasl, action, out);
	if (out->key_unknown)
		poke(p);
	if (out->unproven && config_get_text(p->config, "auth", NULL,
	    "checkpassword").n > 0)
		check_start(p, r, out);
}

static void
dropped(void *ctx, struct sasl_request *r)
{
	check_forget(ctx, r);
}

/* ---- log and record ---- */

static struct bytes
user_of(const struct sasl_request *r, const struct sasl_outcome *o)
{
	const struct sasl *s = &r->sasl;

	if (s->authcid.n > 0)
		return bytes_of(s->authcid.p, s->authcid.n);
	if (s->authzid.n > 0)
		return bytes_of(s->authzid.p, s->authzid.n);
	return bytes_str(o->login);
}

/* How; a client that asked for nothing named no mechanism. */
static const char *
mech_of(const struct sasl_request *r)
{
	return r->from.preauth ? "client-certificate" : r->sasl.mech->name;
}

/* fail2ban reads "login-failed": its form is in auth-serve(8). */
static void
write_log(const struct sasl_request *r, const struct sasl_outcome *o)
{
	bool good = o->result == SASL_OK;
	const char *event = good ? "login"
	    : o->result == SASL_LIMITED ? "login-limited"
	    : o->result == SASL_TEMPORARY || o->uncharged
	    ? "login-refused" : "login-failed";
	struct logline l;

	log_begin(&l, good ? LOG_INFO : LOG_WARN, event);
	log_str(&l, "service", r->from.service);
	log_str(&l, "ip", r->from.remote_ip);
	log_bytes(&l, "user", user_of(r, o));
	if (good)
		log_str(&l, "account", o->account);
	log_str(&l, "mech", mech_of(r));
	log_str(&l, "cid", r->from.session);
	if (!good)
		log_str(&l, "why", o->why);
	if (o->label[0] != '\0')
		log_str(&l, "label", o->label);
	if (r->from.tls[0] != '\0')
		log_str(&l, "tls", r->from.tls);
	if (r->from.agent[0] != '\0')
		log_str(&l, "agent", r->from.agent);
	log_end(&l);
}

/* As much as fits, up to a NUL. */
static void
copy(char *to, size_t size, struct bytes s)
{
	struct bytes head;

	(void)bytes_split(&s, '\0', &head);
	head = bytes_first(head, size - 1);
	memcpy(to, head.p, head.n);
	to[head.n] = '\0';
}

static void
record(struct program *p, const struct sasl_request *r,
    const struct sasl_outcome *o)
{
	struct sasl_attempt *a;
	int64_t now = time_wall_us() / 1000000;

	if (p->attempts == ATTEMPTS_HELD)
		attempts_write(p);
	if (p->attempts == 0)
		p->write_at = deadline_in(ATTEMPTS_HOLD_MS);
	a = &p->attempt[p->attempts++];
	*a = (struct sasl_attempt){ .good = o->result == SASL_OK,
	    .first = now, .last = now, .count = 1 };
	copy(a->account, sizeof(a->account), bytes_str(o->account));
	copy(a->user, sizeof(a->user), user_of(r, o));
	copy(a->ip, sizeof(a->ip), bytes_str(r->from.remote_ip));
	copy(a->tls, sizeof(a->tls), bytes_str(r->from.tls));
	copy(a->agent, sizeof(a->agent), bytes_str(r->from.agent));
	copy(a->service, sizeof(a->service), bytes_str(r->from.service));
	copy(a->mech, sizeof(a->mech), bytes_str(mech_of(r)));
	copy(a->result, sizeof(a->result), bytes_str(o->why));
}

void
attempts_write(struct program *p)
{
	int64_t now = time_wall_us() / 1000000;

	if (p->attempts > 0 && sasl_db_attempts_add(p->db, p->attempt,
	    p->attempts) == -1)
		msg_warnsys("cannot record login attempts");
	secret_wipe(p->attempt, sizeof(p->attempt));
	p->attempts = 0;
	if (now < p->expire_at)
		return;
	p->expire_at = now + DAY_SECONDS;
	if (sasl_db_attempts_expire(p->db, now - SASL_ATTEMPTS_SECONDS) == -1)
		msg_warnsys("cannot remove old login attempts");
}

/* BEHAVIOUR 9: what a login does to the counts of its address. */
static void
charge(struct program *p, const struct sasl_request *r,
    const struct sasl_outcome *o)
{
	int64_t now = time_wall_us() / 1000000;
	const struct ip *ip = &r->from.remote;

	switch (o->result) {
	case SASL_OK:
		limiter_forget(p->limiter, ip, now);
		break;
	case SASL_WRONG:
	case SASL_DISABLED:
	case SASL_ABORTED:
		if (o->uncharged)
			break;
		/* Over a limit nothing more is counted. */
		(void)limiter_add(p->limiter, ip, now, NULL);
		break;
	default:
		break;
	}
}

static void
ended(void *ctx, const struct sasl_request *r, const struct sasl_outcome *o)
{
	struct program *p = ctx;

	if (o->no_preauth)
		return;		/* nobody has tried to log in */
	charge(p, r, o);
	write_log(r, o);
	record(p, r, o);
}

static int64_t
now_ms(void)
{
	return time_mono_ms();
}

void
decide_init(struct program *p, bool shared)
{
	static const struct limiter_window window[] = {
		[MINUTE] = { .seconds = 60, .entries = LIMITER_ENTRIES },
		[DAY] = { .seconds = DAY_SECONDS,
		    .entries = LIMITER_ENTRIES },
	};

	p->limiter = shared ? limiter_open("auth/auth-serve", window, 2)
	    : limiter_new(window, 2);
	p->users.db = p->db;
	p->users.cache = sasl_cache_new();
	if (sasl_db_server_secret(p->db, p->users.server_secret) == -1)
		msg_diesys(exit_for(errno), "cannot read %s/auth",
		    dir_var());
	p->backend = (struct sasl_backend){ .ctx = p, .offered = offered,
	    .allowed = allowed, .secrets = secrets, .decide = decide,
	    .dropped = dropped, .ended = ended,
	    .tickets = sasl_tickets_new(), .now_ms = now_ms };
	refresh_config(p);
}

void
decide_free(struct program *p)
{
	attempts_write(p);
	sasl_tickets_free(p->backend.tickets);
	sasl_cache_free(p->users.cache);
	jwt_keys_free(p->keys);
	limiter_free(p->limiter);
	config_close(p->config);
	secret_wipe(&p->users, sizeof(p->users));
}
