/*
 * filter.c - choosing recipients
 */
#include "qcmd/qcmd.h"

#include <errno.h>
#include <stdlib.h>

#include "route/route.h"

#define YEARS_MAX ((uint64_t)100 * 366 * 86400)
/* The end of the year 9999, the last that can be written. */
#define TIME_MAX 253402300799
#define PLACES_FIRST 64

/* ---- times ---- */

static int
fail(void)
{
	errno = EBADMSG;
	return -1;
}

/* width digits off *s. */
static int
cut_digits(struct bytes *s, size_t width, int64_t min, int64_t max,
    int64_t *out)
{
	struct bytes digits;
	uint64_t n;

	if (!bytes_cut(s, width, &digits) || num_parse(digits,
	    (uint64_t)min, (uint64_t)max, &n) == -1)
		return -1;
	*out = (int64_t)n;
	return 0;
}

static int
parse_date(struct bytes s, int64_t *out)
{
	int64_t year, month, day, hour = 0, min = 0, sec = 0;

	if (cut_digits(&s, 4, 1970, 9999, &year) == -1 ||
	    !bytes_skip(&s, BYTES("-")) ||
	    cut_digits(&s, 2, 1, 12, &month) == -1 ||
	    !bytes_skip(&s, BYTES("-")) ||
	    cut_digits(&s, 2, 1, 31, &day) == -1)
		return -1;
	if (bytes_skip(&s, BYTES("T"))) {
		if (cut_digits(&s, 2, 0, 23, &hour) == -1 ||
		    !bytes_skip(&s, BYTES(":")) ||
		    cut_digits(&s, 2, 0, 59, &min) == -1)
			return -1;
		if (bytes_skip(&s, BYTES(":")) &&
		    cut_digits(&s, 2, 0, 60, &sec) == -1)
			return -1;
		(void)bytes_skip(&s, BYTES("Z"));	/* UTC anyway */
	}
	if (s.n > 0)
		return -1;
	*out = date_to_unix(year, (int)month, (int)day, (int)hour, (int)min,
	    (int)sec);
	return 0;
}

int
qcmd_time_parse(struct bytes s, int64_t now, int64_t *out)
{
	struct bytes rest = s;
	uint64_t n = 0;
	int r = 0;

	if (bytes_eq(s, BYTES("now")))
		*out = now;
	else if (bytes_skip(&rest, BYTES("@"))) {
		if ((r = num_parse(rest, 0, TIME_MAX, &n)) == 0)
			*out = (int64_t)n;
	} else if (bytes_skip(&rest, BYTES("+"))) {
		if ((r = num_parse_duration(rest, 0, YEARS_MAX, &n)) == 0)
			*out = now + (int64_t)n;
	} else if (bytes_skip(&rest, BYTES("-"))) {
		if ((r = num_parse_duration(rest, 0, YEARS_MAX, &n)) == 0)
			*out = now - (int64_t)n;
	} else
		r = parse_date(s, out);
	return r == 0 ? 0 : fail();
}

int
qcmd_times_parse(struct bytes s, int64_t now, struct qcmd_times *out)
{
	struct qcmd_times t = { INT64_MIN, INT64_MAX };
	struct bytes from, to;
	size_t at;

	if (!bytes_find(s, BYTES(".."), &at))
		return fail();
	from = bytes_first(s, at);
	to = bytes_from(s, at + 2);
	if (from.n + to.n == 0 ||
	    (from.n > 0 && qcmd_time_parse(from, now, &t.from) == -1) ||
	    (to.n > 0 && qcmd_time_parse(to, now, &t.to) == -1))
		return fail();
	*out = t;
	return 0;
}

/* ---- patterns ---- */

bool
qcmd_glob(struct bytes pattern, struct bytes s)
{
	size_t p = 0, i = 0, star = SIZE_MAX, back = 0;

	while (i < s.n) {
		if (bytes_at(pattern, p) == '*') {
			star = p++;
			back = i;
		} else if (p < pattern.n && (pattern.p[p] == '?' ||
		    ascii_lower(pattern.p[p]) == ascii_lower(s.p[i]))) {
			p++;
			i++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			i = ++back;	/* the star takes one more */
		} else
			return false;
	}
	while (bytes_at(pattern, p) == '*')
		p++;
	return p == pattern.n;
}

/* ---- options ---- */

void
qcmd_filter_init(struct qcmd_filter *f)
{
	*f = (struct qcmd_filter){ .submitted = { INT64_MIN, INT64_MAX },
	    .next = { INT64_MIN, INT64_MAX }, .held = -1, .max = UINT64_MAX };
}

static int
set_sort(struct qcmd_filter *f, const char *value)
{
	static const char *const keys[] = { "submitted", "next", "from", "to",
	    "destination" };
	struct bytes s = bytes_str(value);

	f->reverse = bytes_skip(&s, BYTES("-"));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (bytes_eq(s, bytes_str(keys[i]))) {
			f->sort = (enum qcmd_sort)i;
			return 0;
		}
	}
	return fail();
}

static int
set_held(struct qcmd_filter *f, const char *value)
{
	if (bytes_eq(bytes_str(value), BYTES("yes")))
		f->held = 1;
	else if (bytes_eq(bytes_str(value), BYTES("no")))
		f->held = 0;
	else
		return fail();
	return 0;
}

static int
set_text(const char **member, const char *value)
{
	if (value[0] == '\0')
		return fail();
	*member = value;
	return 0;
}

int
qcmd_filter_option(struct qcmd_filter *f, int option, const char *value,
    int64_t now, const char **why)
{
	f->given |= option != 'A' && option != 'N' && option != 'S';
	*why = "it is empty";
	switch (option) {
	case 'A':
		f->all = true;
		return 0;
	case 'a':
		return set_text(&f->account, value);
	case 'f':
		return set_text(&f->from, value);
	case 't':
		return set_text(&f->to, value);
	case 'T':
		return set_text(&f->transport, value);
	case 's':
	case 'n':
		*why = "not of the form FROM..TO, see queue-select(7)";
		return qcmd_times_parse(bytes_str(value), now,
		    option == 's' ? &f->submitted : &f->next);
	case 'H':
		*why = "neither yes nor no";
		return set_held(f, value);
	case 'N':
		*why = "no number from 1 on";
		return num_parse(bytes_str(value), 1, INT64_MAX, &f->max);
	case 'S':
		*why = "not submitted, next, from, to or destination";
		return set_sort(f, value);
	default:
		*why = "no such option";
		return fail();
	}
}

int
qcmd_filter_ids(struct qcmd_filter *f, struct arena *a, char *const args[],
    size_t count, const char **bad)
{
	struct qcmd_place *list = arena_zalloc(a, count, sizeof(*list));

	for (size_t i = 0; i < count; i++) {
		if (queue_id_parse(bytes_str(args[i]), &list[i].id,
		    &list[i].n) == -1) {
			*bad = args[i];
			return -1;
		}
	}
	f->ids = list;
	f->nids = count;
	f->given |= count > 0;
	return 0;
}

/* ---- matching ---- */

static bool
is_within(const struct qcmd_times *t, int64_t at)
{
	return at >= t->from && at <= t->to;
}

static bool
transport_matches(const char *want, const struct queue_rcpt *r)
{
	struct bytes name = route_dest_transport(r->dest);

	return bytes_eq(bytes_str(want), name.n == 0 ? BYTES("direct")
	    : name);
}

/* The null reverse-path is written "<>". */
static bool
sender_matches(const char *want, const struct queue_message *m,
    const struct queue_rcpt *r)
{
	struct bytes sender = r->sender.n > 0 ? r->sender : m->sender;

	if (bytes_eq(bytes_str(want), BYTES("<>")))
		return sender.n == 0;
	return qcmd_glob(bytes_str(want), sender) ||
	    (r->sender.n > 0 && qcmd_glob(bytes_str(want), m->sender));
}

bool
qcmd_matches(const struct qcmd_filter *f, const struct queue_message *m,
    const struct queue_rcpt *r)
{
	return (f->account == NULL ||
	    bytes_eq(bytes_str(f->account), m->account)) &&
	    (f->from == NULL || sender_matches(f->from, m, r)) &&
	    (f->to == NULL || qcmd_glob(bytes_str(f->to), r->address)) &&
	    (f->transport == NULL || transport_matches(f->transport, r)) &&
	    is_within(&f->submitted, m->submitted) &&
	    is_within(&f->next, r->next) &&
	    (f->held == -1 || (f->held == 1) == (r->held != 0));
}

/* ---- the list ---- */

struct found {
	struct qcmd_place place;
	int64_t time;
	struct bytes text;
};
struct selection {
	struct qcmd *q;
	const struct qcmd_filter *filter;
	struct found *list;
	size_t n, size;
	struct arena texts;
};

static struct bytes
sort_text(const struct qcmd_filter *f, const struct queue_message *m,
    const struct queue_rcpt *r)
{
	switch (f->sort) {
	case QCMD_BY_FROM:
		return r->sender.n > 0 ? r->sender : m->sender;
	case QCMD_BY_TO:
		return r->address;
	case QCMD_BY_DEST:
		return r->dest;
	default:
		return BYTES_EMPTY;
	}
}

static void
keep(struct selection *s, const struct queue_message *m,
    const struct queue_rcpt *r)
{
	if (!qcmd_matches(s->filter, m, r))
		return;
	if (s->n == s->size) {
		s->size = s->size == 0 ? PLACES_FIRST : s->size * 2;
		s->list = mem_realloc(s->list, s->size * sizeof(*s->list));
	}
	s->list[s->n++] = (struct found){ { r->id, r->n },
	    s->filter->sort == QCMD_BY_NEXT ? r->next : 0,
	    arena_bytes(&s->texts, sort_text(s->filter, m, r)) };
}

/* Without another order the scan may end early. */
static bool
is_enough(const struct selection *s)
{
	return s->filter->sort == QCMD_BY_ID && !s->filter->reverse &&
	    s->filter->nids == 0 && s->n >= s->filter->max;
}

/* One that may be damaged: 1, 0 not there or damaged, -1. */
static int
keep_one(struct queue_txn *t, struct selection *s, struct arena *a,
    const struct qcmd_place *p)
{
	struct queue_message m;
	struct queue_rcpt r;
	int got = queue_get_rcpt(t, a, p->id, p->n, &r);

	if (got == 0)
		return 0;
	if (got == 1 && (got = queue_get_message(t, a, p->id, &m)) == 1) {
		keep(s, &m, &r);
		return 1;
	}
	if (got == -1 && errno != EBADMSG)
		return -1;
	qcmd_damaged(s->q, p->id, p->n);
	return 0;
}

/* Recipients from (id, n) on; of one message, if only is set. */
static int
scan(struct queue_txn *t, struct selection *s, uint64_t id, bool only)
{
	struct arena a = ARENA_INIT;
	struct queue_rcpt r = { .id = id };
	struct qcmd_place at = { id, 0 };
	int got = 1;

	while (got != -1 && !is_enough(s)) {
		got = queue_next_rcpt(t, &a, at.id, at.n, &r);
		if (got == 0 || (got == -1 && (errno != EBADMSG ||
		    (r.id == at.id && r.n == at.n))))
			break;
		at = (struct qcmd_place){ r.id, r.n };
		if (only && at.id != id)
			break;
		got = keep_one(t, s, &a, &at);
		arena_reset(&a);
	}
	arena_free(&a);
	return got == -1 ? -1 : 0;
}

static int
scan_ids(struct queue_txn *t, struct selection *s)
{
	const struct qcmd_place *p = s->filter->ids;
	struct arena a = ARENA_INIT;
	int got = 0;

	for (size_t i = 0; i < s->filter->nids && got != -1; i++, p++) {
		got = p->n == 0 ? scan(t, s, p->id, true)
		    : keep_one(t, s, &a, p);
		arena_reset(&a);
	}
	arena_free(&a);
	return got == -1 ? -1 : 0;
}

static int
compare_places(const struct qcmd_place *a, const struct qcmd_place *b)
{
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return a->n < b->n ? -1 : a->n > b->n;
}

static int
compare(const void *x, const void *y)
{
	const struct found *a = x, *b = y;
	int r = a->time < b->time ? -1 : a->time > b->time;

	if (r == 0)
		r = bytes_cmp(a->text, b->text);
	return r == 0 ? compare_places(&a->place, &b->place) : r;
}

/* Sorted, each once (an operand may be repeated), cut. */
static size_t
arrange(struct selection *s, struct qcmd_place *out)
{
	size_t n = 0;

	if (s->n > 0)
		qsort(s->list, s->n, sizeof(*s->list), compare);
	for (size_t i = 0; i < s->n; i++) {
		if (n == 0 || compare_places(&out[n - 1],
		    &s->list[i].place) != 0)
			out[n++] = s->list[i].place;
	}
	for (size_t i = 0; s->filter->reverse && i < n / 2; i++) {
		struct qcmd_place swap = out[i];

		out[i] = out[n - 1 - i];
		out[n - 1 - i] = swap;
	}
	return n < s->filter->max ? n : (size_t)s->filter->max;
}

void
qcmd_damaged(struct qcmd *q, uint64_t id, uint64_t n)
{
	q->damaged++;
	q->damaged_at = (struct qcmd_place){ id, n };
}

const char *
qcmd_damage(struct qcmd *q)
{
	char id[QUEUE_ID_TEXT];

	if (q->damaged == 0)
		return NULL;
	queue_id_format(id, q->damaged_at.id, q->damaged_at.n);
	return arena_printf(&q->arena, "cannot read %zu damaged record%s of "
	    "the queue, such as %s", q->damaged, q->damaged == 1 ? "" : "s",
	    id);
}

int
qcmd_select(struct qcmd *q, struct qcmd_place **list, size_t *count)
{
	struct selection s = { .q = q, .filter = &q->filter,
	    .texts = ARENA_INIT };
	struct queue_txn *t = queue_begin(q->queue, false);
	int r;

	q->problem = "read queue";
	if (t == NULL)
		return -1;
	r = q->filter.nids > 0 ? scan_ids(t, &s) : scan(t, &s, 0, false);
	queue_abort(t);
	if (r == 0) {
		*list = mem_zalloc(s.n + 1, sizeof(**list));
		*count = arrange(&s, *list);
	}
	free(s.list);
	arena_free(&s.texts);
	return r;
}
