/*
 * problem.c - what is wrong with the text, for the person who wrote it
 */
#include "config/internal.h"

#include <stdio.h>
#include <stdlib.h>

#define PROBLEM_MAX 8192	/* bytes of a text: lists of keys fit */
#define QUOTE_MAX 80		/* bytes of outside text shown */

__attribute__((format(printf, 6, 0)))
static void
add(struct arena *a, struct config_problems *to, const char *file,
    unsigned int line, bool warning, const char *format, va_list ap)
{
	struct config_problem *p = arena_zalloc(a, 1, sizeof(*p));
	struct buf text = BUF_INIT(PROBLEM_MAX);

	if (buf_vprintf(&text, format, ap) == -1)
		buf_adds(&text, "(text too long)");
	p->file = file;
	p->line = line;
	p->warning = warning;
	p->text = arena_str(a, buf_bytes(&text));
	buf_free(&text);
	if (to->first == NULL)
		to->first = p;
	else
		to->last->next = p;
	to->last = p;
	if (warning)
		to->warnings++;
	else
		to->errors++;
}

void
config_problem(struct arena *a, struct config_problems *to, const char *file,
    unsigned int line, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(a, to, file, line, false, format, ap);
	va_end(ap);
}

void
config_warning(struct arena *a, struct config_problems *to, const char *file,
    unsigned int line, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(a, to, file, line, true, format, ap);
	va_end(ap);
}

const char *
config_quote(struct arena *a, struct bytes s)
{
	struct buf out = BUF_INIT(4 * QUOTE_MAX + 8);
	const char *text;

	buf_addc(&out, '"');
	msg_escape(&out, bytes_first(s, QUOTE_MAX));
	buf_adds(&out, s.n > QUOTE_MAX ? "...\"" : "\"");
	text = arena_str(a, buf_bytes(&out));
	buf_free(&out);
	return text;
}

/* Levenshtein distance of two words of at most CONFIG_KEY_MAX bytes. */
static size_t
distance(struct bytes s, struct bytes t)
{
	size_t row[CONFIG_KEY_MAX + 1], i, j, left, up, cost;

	for (j = 0; j <= t.n; j++)
		row[j] = j;
	for (i = 0; i < s.n; i++) {
		up = row[0];
		row[0] = i + 1;
		for (j = 0; j < t.n; j++) {
			cost = up + (s.p[i] == t.p[j] ? 0 : 1);
			up = row[j + 1];
			left = row[j] + 1;
			if (left < cost)
				cost = left;
			row[j + 1] = up + 1 < cost ? up + 1 : cost;
		}
	}
	return row[t.n];
}

const char *
config_suggest(struct arena *a, struct bytes s, const char *const *words,
    size_t count)
{
	size_t i, d, best = SIZE_MAX, at = 0;

	if (s.n > CONFIG_KEY_MAX)
		return "";
	for (i = 0; i < count; i++) {
		d = bytes_starts(bytes_str(words[i]), s) ? 0
		    : distance(s, bytes_first(bytes_str(words[i]),
		    CONFIG_KEY_MAX));
		if (d < best) {
			best = d;
			at = i;
		}
	}
	/* More than a third of it wrong is another word. */
	if (best * 3 > s.n)
		return "";
	return arena_printf(a, " (did you mean \"%s\"?)", words[at]);
}

struct ranked {
	struct config_problem *p;
	size_t order;
};

static int
ranked_cmp(const void *va, const void *vb)
{
	const struct ranked *a = va, *b = vb;
	int r = strcmp(a->p->file, b->p->file);

	if (r != 0)
		return r;
	if (a->p->line != b->p->line)
		return a->p->line < b->p->line ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

void
config_problems_sort(struct arena *a, struct config_problems *p)
{
	struct config_problem *q;
	struct ranked *r;
	size_t i, n = p->errors + p->warnings;

	if (n == 0)
		return;
	r = arena_zalloc(a, n, sizeof(*r));
	for (q = p->first, i = 0; q != NULL; q = q->next, i++)
		r[i] = (struct ranked){ q, i };
	qsort(r, n, sizeof(*r), ranked_cmp);
	for (i = 0; i + 1 < n; i++)
		r[i].p->next = r[i + 1].p;
	r[n - 1].p->next = NULL;
	p->first = r[0].p;
	p->last = r[n - 1].p;
}
