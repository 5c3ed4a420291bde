/*
 * keys.c - one issuer's keys: where they are, what they are, into the file
 */
#include "jwks_fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json/json.h"
#include "jwt/jwt.h"

#define FILE_MODE 0640		/* its group reads it: config-check(8) */
#define TEMPORARY ".new"

static const char *
text_key(struct arena *a, const struct config *c, const char *key)
{
	struct bytes s = config_get_text(c, "oauth", NULL, key);

	return s.n == 0 ? NULL : arena_str(a, s);
}

int
issuer_load(struct arena *a, const struct config *c, struct issuer *out,
    const char **why)
{
	const char *ca = text_key(a, c, "ca-file");

	*out = (struct issuer){
		.name = text_key(a, c, "issuer"),
		.keys_url = text_key(a, c, "keys-url"),
		.ca_file = ca == NULL || ca[0] == '/' ? ca
		    : arena_printf(a, "%s/%s", dir_etc(), ca),
		.allow_http = config_get_bool(c, "oauth", NULL, "allow-http"),
		.timeout_ms = (unsigned int)config_get_duration(c, "oauth",
		    NULL, "fetch-timeout") * 1000,
		.refresh_seconds = (int64_t)config_get_duration(c, "oauth",
		    NULL, "refresh"),
	};
	*why = out->name == NULL ? "no issuer is configured"
	    : text_key(a, c, "keys") != NULL
	    ? "its keys are in a file that is configured" : NULL;
	return *why == NULL;
}

/* One line for whoever reads the log. */
static int
failed(const struct issuer *is, const char *url, const char *why)
{
	struct logline l;

	log_begin(&l, LOG_WARN, "keys-not-fetched");
	log_str(&l, "issuer", is->name);
	if (url != NULL)
		log_str(&l, "url", url);
	log_str(&l, "why", why);
	log_end(&l);
	return -1;
}

static int
failed_sys(const struct issuer *is, const char *path, const char *what)
{
	struct logline l;
	int saved = errno;

	log_begin(&l, LOG_WARN, "keys-not-fetched");
	log_str(&l, "issuer", is->name);
	log_str(&l, "file", path);
	log_str(&l, "why", what);
	log_err(&l, saved);
	log_end(&l);
	return -1;
}

/* A reply of status 200, or 304 if there is an etag. */
static int
get(const struct issuer *is, const char *url, const char *etag,
    struct fetch_reply *reply)
{
	struct fetch_request q = {
		.url = url,
		.ca_file = is->ca_file,
		.etag = etag,
		.body_max = JWT_JWKS_MAX,
		.timeout_ms = is->timeout_ms,
		.allow_http = is->allow_http,
	};
	const char *why;
	char text[32];
	int n;

	if (fetch_get(&q, reply, &why) == -1)
		return failed(is, url, why);
	if (reply->status == 200 || (reply->status == 304 &&
	    etag != NULL && etag[0] != '\0'))
		return 0;
	buf_free(&reply->body);
	n = snprintf(text, sizeof(text), "HTTP status %u", reply->status);
	return failed(is, url, n > 0 ? text : "wrong HTTP status");
}

/*
 * OpenID Connect Discovery 1.0, 4: where the keys are. What is said there
 * counts only if it names the same issuer (4.3).
 */
static const char *
discover(struct arena *a, const struct issuer *is)
{
	size_t n = strlen(is->name);
	const char *url = arena_printf(a, "%.*s/.well-known/"
	    "openid-configuration", (int)(n > 0 && is->name[n - 1] == '/'
	    ? n - 1 : n), is->name);
	struct fetch_reply reply;
	const struct json *j;
	const char *why, *found = NULL;
	struct bytes s;

	if (get(is, url, NULL, &reply) == -1)
		return NULL;
	j = json_parse(a, buf_bytes(&reply.body), &why);
	buf_free(&reply.body);
	if (j == NULL) {
		failed(is, url, why);
		return NULL;
	}
	s = json_text(j, "jwks_uri");
	if (!bytes_eq(json_text(j, "issuer"), bytes_str(is->name)))
		failed(is, url, "the document is of another issuer");
	else if (s.n == 0)
		failed(is, url, "no jwks_uri in the document");
	else
		found = arena_str(a, s);	/* JSON here holds no NUL */
	return found;
}

/* ---- the file ---- */

static int
write_file(int dir, const char *name, struct bytes text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW |
	    O_CLOEXEC, FILE_MODE);
	int r, saved;

	if (fd == -1)
		return -1;
	r = io_write_all(fd, text, DEADLINE_NONE);
	if (r == 0)
		r = fsync(fd);
	saved = errno;
	if (close(fd) == -1 && r == 0)
		return -1;
	errno = saved;
	return r;
}

/* Who writes holds the lock, so that a leftover of a crash is taken over. */
static int
replace_in(int dir, const char *file, struct bytes text)
{
	char tmp[JWT_FILE_MAX + sizeof(TEMPORARY)];
	int n = snprintf(tmp, sizeof(tmp), "%s" TEMPORARY, file), saved;

	if (n < 0 || (size_t)n >= sizeof(tmp)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (flock(dir, LOCK_EX) == -1)
		return -1;
	if (write_file(dir, tmp, text) == 0 &&
	    renameat(dir, tmp, dir, file) == 0)
		return fsync(dir);
	saved = errno;
	(void)unlinkat(dir, tmp, 0);	/* the next run overwrites it */
	errno = saved;
	return -1;
}

/* 1 replaced, 0 it holds that text already, -1. */
static int
replace(const char *path, const char *file, struct bytes text)
{
	struct bytes dir_path = bytes_first(bytes_str(path),
	    strlen(path) - strlen(file));
	struct buf old = BUF_INIT(JWT_JWKS_MAX);
	bool same = io_read_file(AT_FDCWD, path, &old) == 0 &&
	    bytes_eq(buf_bytes(&old), text);
	struct arena a = ARENA_INIT;
	const char *name = arena_str(&a, dir_path);
	int dir = -1, r = -1, saved;

	buf_free(&old);
	/* no superuser made it: then all services are one user */
	if (!same && (mkdir(name, 0750) == 0 || errno == EEXIST))
		dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir != -1)
		r = replace_in(dir, file, text) == 0 ? 1 : -1;
	saved = errno;
	if (dir != -1)
		(void)close(dir);	/* only read from */
	arena_free(&a);
	errno = saved;
	return same ? 0 : r;
}

static int
keep(const struct issuer *is, const char *url, struct bytes text,
    const char *file, struct fetched *out)
{
	struct jwt_keys *keys;
	const char *why;
	int r;

	if ((keys = jwt_keys_parse(text, &why)) == NULL)
		return failed(is, url, why);
	out->keys = jwt_keys_count(keys);
	jwt_keys_free(keys);
	if ((r = replace(out->path, file, text)) == -1)
		return failed_sys(is, out->path, "cannot replace the file");
	out->replaced = r == 1;
	return 0;
}

int
keys_fetch(const struct issuer *is, const char *etag, struct fetched *out)
{
	struct arena a = ARENA_INIT;
	const char *url = is->keys_url;
	char file[JWT_FILE_MAX];
	struct fetch_reply reply;
	int n, r = -1;

	*out = (struct fetched){ .max_age = -1 };
	jwt_keys_file(bytes_str(is->name), file);
	n = snprintf(out->path, sizeof(out->path), "%s/" JWT_DIR "/%s",
	    dir_var(), file);
	if (n < 0 || (size_t)n >= sizeof(out->path))
		r = failed(is, NULL, "path of the file too long");
	else if (url == NULL)
		url = discover(&a, is);
	if (access(out->path, R_OK) == -1)
		etag = "";	/* that copy is gone */
	if (url != NULL && n < (int)sizeof(out->path) &&
	    get(is, url, etag, &reply) == 0) {
		memcpy(out->etag, reply.etag, sizeof(out->etag));
		out->max_age = reply.max_age;
		r = reply.status == 304 ? 0 : keep(is, url,
		    buf_bytes(&reply.body), file, out);
		buf_free(&reply.body);
	}
	arena_free(&a);
	return r;
}
