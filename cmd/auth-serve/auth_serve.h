/* auth_serve.h - what the files of auth-serve share */
#ifndef AUTH_SERVE_H
#define AUTH_SERVE_H

#include <poll.h>

#include "config/config.h"
#include "jwt/jwt.h"
#include "limiter/limiter.h"
#include "sasl/sasl.h"
#include "server/server.h"

/* Programs that check a password, running at a time. */
#define CHECKS_MAX 16
/* Attempts kept until they are written together. */
#define ATTEMPTS_HELD 128
#define ATTEMPTS_HOLD_MS 1000

/* A running checkpassword program. */
struct check {
	bool running;			/* else free */
	int fd;				/* its exit code comes there */
	int64_t deadline;
	struct sasl_request *request;	/* NULL: nobody waits any more */
};

struct starter {
	pid_t pid;
	int sock;
};

struct program {
	struct config *config;
	struct sasl_db *db;
	struct sasl_users users;
	struct jwt_keys *keys;
	char keys_path[1024];
	struct timespec keys_time;
	struct sasl_backend backend;
	struct limiter *limiter;
	struct check check[CHECKS_MAX];
	struct starter starter;
	struct sasl_attempt attempt[ATTEMPTS_HELD];
	size_t attempts;
	int64_t write_at;		/* when they are written */
	int64_t expire_at;		/* when old ones are removed, seconds */
};

/* decide.c; shared: failures are counted in run/limits */
void decide_init(struct program *p, bool shared);
void decide_free(struct program *p);
/* Write the attempts held; at the end, or when their time has come. */
void attempts_write(struct program *p);

/*
 * starter.c: the process outside the sandbox. Ask it for the program with
 * its input and a pipe for its exit code, both the caller's. 0, -1 errno.
 */
int starter_start(struct starter *s);
void starter_stop(struct starter *s);
int starter_ask(const struct starter *s, const struct sasl_request *r, int in,
    int status);

/* check.c: SASL_LATER, or why not, in *out. */
void check_start(struct program *p, struct sasl_request *r,
    struct sasl_outcome *out);
/* Nobody waits for that decision any more. */
void check_forget(struct program *p, const struct sasl_request *r);
/* One descriptor for each running program; at most CHECKS_MAX. */
size_t check_poll(const struct program *p, struct pollfd *fds, size_t *who);
/* Something happened to check number i. */
void check_ready(struct program *p, size_t i);
/* Those whose time is over; deadline of the next, DEADLINE_NONE. */
int64_t check_late(struct program *p);

#endif
