/* mtasts-refresh - keep known policies fresh; see mtasts-refresh(8) */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "dns/dns.h"
#include "mtasts/mtasts.h"
#include "os/os.h"
#include "stage/stage.h"

static const char usage[] = "usage: mtasts-refresh [-ln] [-u user] "
    "[-w time]";

#define SPREAD_SECONDS (3 * 3600)	/* BEHAVIOUR 14 */
#define PERIOD_SECONDS (24 * 3600)

struct work {
	struct bytes domain;
	struct mtasts_entry entry;
};
struct refresher {
	struct mtasts_cache *cache;
	struct arena arena;		/* of one round */
	struct work *work;
	size_t n, size;
	uint64_t spread_seconds;
	bool dry;
};

/* ---- which ---- */

static int
collect(void *ctx, struct bytes domain, const struct mtasts_entry *e)
{
	struct refresher *r = ctx;
	int64_t now = time_wall_us() / 1000000;
	struct work *w;

	if (!mtasts_refresh_due(e, now))
		return 0;
	if (r->n == r->size) {
		r->size = r->size == 0 ? 64 : 2 * r->size;
		r->work = mem_realloc(r->work, r->size * sizeof(*r->work));
	}
	w = &r->work[r->n++];
	w->domain = arena_bytes(&r->arena, domain);
	w->entry = *e;
	w->entry.id = arena_bytes(&r->arena, e->id);
	w->entry.text = arena_bytes(&r->arena, e->text);
	return 0;
}

static uint64_t
random_below(uint64_t n)
{
	uint64_t v;

	os_random(&v, sizeof(v));
	return n == 0 ? 0 : v % n;	/* the bias does not matter here */
}

/* Not all servers at the same hour, nor in the same order each day. */
static void
shuffle(struct refresher *r)
{
	struct work w;
	size_t i, j;

	for (i = r->n; i > 1; i--) {
		j = (size_t)random_below(i);
		w = r->work[i - 1];
		r->work[i - 1] = r->work[j];
		r->work[j] = w;
	}
}

static void
rest(uint64_t ms)
{
	int64_t deadline = deadline_in((int64_t)ms);

	while (deadline_left(deadline) > 0)
		(void)poll(NULL, 0, deadline_left(deadline));	/* EINTR */
}

/* The share of one entry in the whole time, give or take the half of it. */
static void
pause_before_next(const struct refresher *r)
{
	uint64_t share = r->spread_seconds * 1000 / r->n;

	rest(share / 2 + random_below(share + 1));
}

/* ---- one ---- */

static const char *
store(struct refresher *r, struct bytes domain, enum mtasts_care care,
    const struct mtasts_entry *e)
{
	int done = 0;

	if (r->dry)
		return care == MTASTS_DELETE ? "delete" : "store";
	if (care == MTASTS_DELETE)
		done = mtasts_cache_delete(r->cache, domain);
	else
		done = mtasts_cache_put(r->cache, domain, e);
	if (done == -1)
		msg_diesys(exit_for(errno), "cannot write the cache");
	return care == MTASTS_DELETE ? "deleted" : "stored";
}

static void
refresh(struct refresher *r, struct dns *d, const struct work *w)
{
	struct arena a = ARENA_INIT;
	struct mtasts_input in = { .domain = w->domain, .id = BYTES_EMPTY,
	    .now = time_wall_us() / 1000000, .cached = &w->entry };
	struct mtasts_record record;
	struct mtasts_entry e;
	enum mtasts_care care;
	struct logline l;
	const char *why;

	in.txt = mtasts_record_find(d, &a, w->domain, &record, &in.txt_why);
	if (in.txt == MTASTS_TXT_FOUND)
		in.id = record.id;
	care = mtasts_refresh(&in, mtasts_fetch, NULL, &a, &e, &why);
	log_begin(&l, LOG_INFO, "mtasts-refresh");
	log_bytes(&l, "domain", w->domain);
	log_str(&l, "action", care == MTASTS_KEEP ? "kept"
	    : store(r, w->domain, care, &e));
	log_str(&l, "record", mtasts_txt_name(in.txt));
	if (why[0] != '\0')
		log_str(&l, "why", why);
	log_end(&l);
	arena_free(&a);
}

static void
run_once(struct refresher *r)
{
	const struct dns_options *options = stage_dns_configured(&r->arena);
	struct dns *d;
	size_t i;

	if (options == NULL)
		msg_die(exit_for(errno), "cannot open configuration: "
		    "%s", config_reason(errno));
	if ((d = dns_new(options)) == NULL)
		msg_diesys(exit_for(errno), "cannot set up DNS look-ups");
	r->n = 0;
	if (mtasts_cache_walk(r->cache, collect, r) == -1)
		msg_diesys(exit_for(errno), "cannot read the cache");
	shuffle(r);
	for (i = 0; i < r->n; i++) {
		if (i > 0)
			pause_before_next(r);
		refresh(r, d, &r->work[i]);
	}
	dns_free(d);
	arena_reset(&r->arena);
}

static _Noreturn void
run_daily(struct refresher *r)
{
	int64_t next;

	/* a day from beginning to beginning: a policy may be for no longer */
	for (;;) {
		next = deadline_in((int64_t)PERIOD_SECONDS * 1000);
		run_once(r);
		rest((uint64_t)deadline_left(next));
	}
}

/* NULL or "": stay who we are. */
static void
become(const char *user)
{
	uid_t uid;
	gid_t gid;

	if (user == NULL || user[0] == '\0')
		return;
	if (os_user(user, &uid, &gid) == -1)
		msg_die(EXIT_PERM, "cannot become %s: no such user", user);
	if (os_drop(uid, gid) == -1)
		msg_diesys(EXIT_TEMP, "cannot become %s", user);
}

int
main(int argc, char *argv[])
{
	struct refresher r = { .spread_seconds = 0 };
	const char *time = NULL, *user = NULL;
	bool loop = false;
	int c;

	msg_init("mtasts-refresh");
	while ((c = getopt(argc, argv, "lnu:w:")) != -1) {
		switch (c) {
		case 'l':
			loop = true;
			break;
		case 'n':
			r.dry = true;
			break;
		case 'u':
			user = optarg;
			break;
		case 'w':
			time = optarg;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (argc != optind)
		msg_die(EXIT_PERM, "%s", usage);
	r.spread_seconds = loop ? SPREAD_SECONDS : 0;
	if (time != NULL && num_parse_duration(bytes_str(time), 0,
	    PERIOD_SECONDS / 2, &r.spread_seconds) == -1)
		msg_die(EXIT_PERM, "cannot use time %s: not within 0 and 12 h",
		    time);
	become(user);
	if ((r.cache = mtasts_cache_open(dir_var())) == NULL)
		msg_diesys(exit_for(errno), "cannot open the cache below %s",
		    dir_var());
	if (loop)
		run_daily(&r);
	run_once(&r);
	mtasts_cache_close(r.cache);
	return EXIT_YES;
}
