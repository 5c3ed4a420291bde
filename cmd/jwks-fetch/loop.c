/*
 * loop.c - fetch again and again: when the keys grow old, and when
 * auth-serve has met a key it does not know
 *
 * SIGTERM ends the process at any point: what it leaves is the old file or
 * the new one, and perhaps a temporary one that is overwritten.
 */
#include "jwks_fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jwt/jwt.h"
#include "os/os.h"

#define AGE_MIN 300		/* seconds: issuers say 0, too */
#define AGE_MAX 86400		/* a key taken back counts no longer */
#define RETRY_MIN 60		/* after a failure; doubled by each */
#define JITTER_PART 10		/* up to a tenth sooner */
/* Anybody can send a token of a key that is not known. */
#define POKE_SECONDS 300
#define LOOK_SECONDS 60		/* at the configuration */
#define FIFO_READS_MAX 16	/* of a page: what it can hold */

struct loop {
	struct config *config;
	struct arena arena;		/* of issuer, remade with config */
	struct issuer issuer;
	bool wanted;			/* there is something to fetch */
	char source[1024];		/* what the rest belongs to */
	char etag[FETCH_ETAG_MAX + 1];
	int64_t due;			/* monotonic milliseconds */
	int64_t retry_seconds;		/* 0: the last one was good */
	bool poked;
	int64_t poke_allowed;		/* monotonic milliseconds */
	int fifo;			/* -1: none yet */
};

/* As it is now; other keys are fetched at once. */
static void
load(struct loop *l)
{
	char source[sizeof(l->source)] = "";
	struct config *c;
	const char *why;
	int n;

	if (l->config != NULL && config_replaced(l->config) != 1)
		return;
	if ((c = config_load()) == NULL) {
		msg_warn("cannot open configuration: %s",
		    config_reason(errno));
		return;
	}
	config_close(l->config);
	l->config = c;
	arena_reset(&l->arena);
	l->wanted = issuer_load(&l->arena, c, &l->issuer, &why) == 1;
	if (!l->wanted) {
		l->source[0] = '\0';
		return;
	}
	n = snprintf(source, sizeof(source), "%s %s %s", l->issuer.name,
	    l->issuer.keys_url == NULL ? "" : l->issuer.keys_url,
	    l->issuer.ca_file == NULL ? "" : l->issuer.ca_file);
	if (n >= 0 && (size_t)n < sizeof(source) &&
	    strcmp(source, l->source) == 0)
		return;
	memcpy(l->source, source, sizeof(source));
	l->etag[0] = '\0';
	l->due = time_mono_ms();
	l->retry_seconds = 0;
}

/* The FIFO beside the keys; auth-serve has its group, or is the same user. */
static void
open_fifo(struct loop *l)
{
	struct arena a = ARENA_INIT;
	const char *dir = arena_printf(&a, "%s/" JWT_DIR, dir_var());
	const char *path = arena_printf(&a, "%s/" JWT_POKE, dir);
	struct stat st;

	if ((mkdir(dir, 0750) == 0 || errno == EEXIST) &&
	    (mkfifo(path, 0620) == 0 || errno == EEXIST))
		l->fifo = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW |
		    O_CLOEXEC);
	if (l->fifo == -1 || fstat(l->fifo, &st) == -1) {
		msg_warnsys("cannot open %s", path);
	} else if (!S_ISFIFO(st.st_mode)) {
		msg_warn("cannot use %s: it is no FIFO", path);
		(void)close(l->fifo);	/* it was only opened */
		l->fifo = -1;
	} else if ((st.st_mode & 0777) != 0620 && fchmod(l->fifo, 0620) ==
	    -1) {
		msg_warnsys("cannot change mode of %s", path);
	}
	arena_free(&a);
}

static int64_t
with_jitter(int64_t seconds)
{
	uint32_t random;

	os_random(&random, sizeof(random));
	return seconds * 1000 -
	    (int64_t)(random % (uint64_t)(seconds * 1000 / JITTER_PART));
}

/* How long the keys are good, or until the next try. */
static int64_t
next_seconds(struct loop *l, int result, int64_t max_age)
{
	int64_t age = max_age == -1 ? l->issuer.refresh_seconds : max_age;

	if (result == -1) {
		l->retry_seconds = l->retry_seconds == 0 ? RETRY_MIN
		    : l->retry_seconds * 2;
		if (l->retry_seconds > l->issuer.refresh_seconds)
			l->retry_seconds = l->issuer.refresh_seconds;
		return l->retry_seconds;
	}
	l->retry_seconds = 0;
	return age < AGE_MIN ? AGE_MIN : age > AGE_MAX ? AGE_MAX : age;
}

/* Wishes that came before the keys are asked for; bounded, for a writer that
 * does not stop. */
static void
drain(struct loop *l)
{
	char bytes[4096];
	int i;

	for (i = 0; i < FIFO_READS_MAX; i++) {
		if (l->fifo == -1 || read(l->fifo, bytes, sizeof(bytes)) <= 0)
			break;
	}
}

static void
fetch(struct loop *l)
{
	struct fetched f;
	int r;
	int64_t wait;
	struct logline line;

	drain(l);
	r = keys_fetch(&l->issuer, l->etag, &f);
	wait = with_jitter(next_seconds(l, r, f.max_age));
	if (r == 0) {
		memcpy(l->etag, f.etag, sizeof(l->etag));
		log_begin(&line, LOG_INFO, "keys-fetched");
		log_str(&line, "issuer", l->issuer.name);
		log_str(&line, "replaced", f.replaced ? "yes" : "no");
		log_num(&line, "next", wait / 1000);
		log_end(&line);
	}
	l->due = time_mono_ms() + wait;
	if (l->poked)
		l->poke_allowed = time_mono_ms() + POKE_SECONDS * 1000;
	l->poked = false;
}

/* Until something is due, or the FIFO has bytes; they stay there, since one
 * wish is as good as many. */
static void
wait_for_work(struct loop *l)
{
	struct pollfd p = { .fd = l->poked ? -1 : l->fifo, .events = POLLIN };
	int64_t due = deadline_in(LOOK_SECONDS * 1000);

	if (l->wanted && l->due < due)
		due = l->due;
	if (l->wanted && l->poked && l->poke_allowed < due)
		due = l->poke_allowed;
	if (poll(&p, 1, deadline_left(due)) == -1 && errno != EINTR)
		msg_diesys(EXIT_TEMP, "cannot wait");
	if ((p.revents & POLLIN) != 0)
		l->poked = true;
}

_Noreturn void
loop_run(void)
{
	struct loop l = { .arena = ARENA_INIT, .fifo = -1 };
	int64_t now;

	for (;;) {
		load(&l);
		if (l.wanted && l.fifo == -1)
			open_fifo(&l);
		now = time_mono_ms();
		if (l.wanted && (l.due <= now ||
		    (l.poked && l.poke_allowed <= now)))
			fetch(&l);
		wait_for_work(&l);
	}
}
