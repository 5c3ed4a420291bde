/*
 * auth-log - list login attempts
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "json/json.h"
#include "sasl/sasl.h"

static const char usage[] = "usage: auth-log [-j] [-a account]";

#define LINE_MAX_BYTES 8192	/* escapes make texts four times longer */

struct line {
	int64_t last;
	struct bytes text;
};

struct listing {
	struct arena arena;
	struct line *line;
	size_t n, size;
	struct buf b;		/* the line that is being made */
	bool json;
};

static void
add_time(struct buf *b, int64_t seconds)
{
	struct date d = date_from_unix(seconds);

	buf_printf(b, "%04lld-%02d-%02dT%02d:%02d:%02dZ", (long long)d.year,
	    d.month, d.day, d.hour, d.min, d.sec);
}

static void
add_text(struct buf *b, const char *s)
{
	buf_addc(b, '\t');
	if (s[0] == '\0')
		buf_addc(b, '-');
	msg_escape(b, bytes_str(s));
}

static void
format_text(struct buf *b, const struct sasl_attempt *a)
{
	add_time(b, a->last);
	buf_addc(b, '\t');
	add_time(b, a->first);
	buf_printf(b, "\t%llu", (unsigned long long)a->count);
	add_text(b, a->account);
	add_text(b, a->user);
	add_text(b, a->service);
	add_text(b, a->mech);
	add_text(b, a->ip);
	add_text(b, a->tls);
	add_text(b, a->agent);
	add_text(b, a->result);
}

static void
add_member(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, ",\"%s\":", name);
	json_quote(b, bytes_str(value));
}

static void
format_json(struct buf *b, const struct sasl_attempt *a)
{
	buf_adds(b, "{\"last\":\"");
	add_time(b, a->last);
	buf_adds(b, "\",\"first\":\"");
	add_time(b, a->first);
	buf_printf(b, "\",\"count\":%llu,\"good\":%s",
	    (unsigned long long)a->count, a->good ? "true" : "false");
	add_member(b, "account", a->account);
	add_member(b, "user", a->user);
	add_member(b, "service", a->service);
	add_member(b, "mech", a->mech);
	add_member(b, "ip", a->ip);
	add_member(b, "tls", a->tls);
	add_member(b, "agent", a->agent);
	add_member(b, "result", a->result);
	buf_addc(b, '}');
}

static void
keep(void *ctx, const struct sasl_attempt *a)
{
	struct listing *l = ctx;

	if (l->n == l->size) {
		l->size = l->size * 2 + 64;
		l->line = mem_realloc(l->line, l->size * sizeof(*l->line));
	}
	buf_reset(&l->b);
	if (l->json)
		format_json(&l->b, a);
	else
		format_text(&l->b, a);
	l->line[l->n++] = (struct line){ a->last,
	    arena_bytes(&l->arena, buf_bytes(&l->b)) };
}

static int
by_time(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return x->last < y->last ? -1 : x->last > y->last ? 1
	    : bytes_cmp(x->text, y->text);
}

static void
list(const char *account, bool json)
{
	struct listing l = { .arena = ARENA_INIT,
	    .b = BUF_INIT(LINE_MAX_BYTES), .json = json };
	struct sasl_db *db = sasl_db_open(dir_var(), false);
	unsigned char space[16384];
	struct writer w;
	size_t i;

	if (db == NULL && errno == ENOENT)
		return;			/* nobody ever logged in */
	if (db == NULL)
		msg_diesys(exit_for(errno), "cannot open %s/auth", dir_var());
	if (sasl_db_attempts_each(db, account, keep, &l) == -1)
		msg_diesys(exit_for(errno), "cannot read login attempts");
	sasl_db_close(db);
	if (l.n > 0)
		qsort(l.line, l.n, sizeof(*l.line), by_time);
	writer_init(&w, STDOUT_FILENO, space, sizeof(space));
	for (i = 0; i < l.n; i++) {
		/* a failure is kept and told by writer_flush */
		(void)writer_add(&w, l.line[i].text);
		(void)writer_adds(&w, "\n");
	}
	if (writer_flush(&w) == -1)
		msg_diesys(EXIT_TEMP, "cannot write login attempts");
	free(l.line);
	buf_free(&l.b);
	arena_free(&l.arena);
}

int
main(int argc, char *argv[])
{
	char account[SASL_ACCOUNT_MAX + 1];
	const char *name = NULL;
	bool json = false;
	int c;

	msg_init("auth-log");
	while ((c = getopt(argc, argv, "a:j")) != -1) {
		switch (c) {
		case 'a':
			name = optarg;
			break;
		case 'j':
			json = true;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (argc != optind)
		msg_die(EXIT_PERM, "%s", usage);
	if (name != NULL && strcmp(name, "-") == 0)
		name = "";		/* unknown users */
	else if (name != NULL && sasl_account_named(name, account) == 1)
		name = account;		/* else one that is gone */
	list(name, json);
	return EXIT_YES;
}
