/*
 * score.c - from counts to a probability
 *
 * Each word known says how often messages with it were junk. A word seen in
 * one message alone says nothing: it may be that message's. What the words of
 * the header say, and what those of the text say, are two means, since words
 * of one text are not independent of one another: a long text would otherwise
 * be certain of everything, and drown the header. In a mean each word weighs
 * as much as it says, so that the many that say little do not water down the
 * few that say much (doc/judging.md has the figures).
 */
#include "junk/internal.h"

#include <math.h>
#include <stdlib.h>

/* A word starts to count with its second message. */
#define SIGHTINGS_MIN 2

const struct junk_options JUNK_DEFAULT = {
	.threshold = 0.95,
	.max_power = 0.01,
	.ignore_words = 0.1,
	.rare_words = 0,
	.prior = 0.1,
	.top_words = 0,
	.norm = 0.9,
	.body = 1.5,
	.scale = 0.85,
	.significant = 50,
};

struct evidence {
	const struct junk_word *word;
	double r;
};

struct side {
	struct evidence *e;
	size_t n;
};

/* Words of the header, or of the text. */
struct group {
	double sum, weight;
};

/* What one message of each class adds to a word's share of them. */
struct shares {
	double one[2];		/* by enum junk_class */
	double prior;		/* of each, before any message */
};

/*
 * The prior is a part of a message of what both totals are on the average:
 * where few are trained of one class, a word that it did not have yet may
 * still be one of its words.
 */
static struct shares
shares_of(const struct junk_score *s, double prior)
{
	struct shares x = { .one = { s->ham == 0 ? 1 : 1.0 / s->ham,
	    s->spam == 0 ? 1 : 1.0 / s->spam } };

	x.prior = prior * (x.one[JUNK_HAM] + x.one[JUNK_SPAM]) / 2;
	return x;
}

/* That a message with a word of these counts is junk. */
static double
probability(const uint32_t count[2], const struct shares *x,
    const struct junk_options *o)
{
	double h = count[JUNK_HAM] * x->one[JUNK_HAM] + x->prior;
	double s = count[JUNK_SPAM] * x->one[JUNK_SPAM] + x->prior;
	double r = s / (s + h);
	uint64_t n = (uint64_t)count[0] + count[1];

	if (r < o->max_power)
		r = o->max_power;
	if (r > 1 - o->max_power)
		r = 1 - o->max_power;
	/* The first of it is the same for all: one of fewer says nothing. */
	if (o->rare_words >= SIGHTINGS_MIN && n <= o->rare_words)
		r += (double)(1 + o->rare_words - n) * (0.5 - r) / 10;
	return r;
}

/* Farthest from 0.5 first, the longer word first, then by hash. */
static int
compare(const void *a, const void *b)
{
	const struct evidence *x = a, *y = b;
	double dx = fabs(x->r - 0.5), dy = fabs(y->r - 0.5);

	if (dx != dy)
		return dx > dy ? -1 : 1;
	if (x->word->n != y->word->n)
		return x->word->n > y->word->n ? -1 : 1;
	return x->word->hash < y->word->hash ? -1
	    : x->word->hash > y->word->hash;
}

/* Whether a word is known, and how it is, cannot be foreseen: all is done for
 * each, and of one that says nothing the next one takes the place. */
static void
sort_out(const struct junk_words *w, const uint32_t (*count)[2],
    const struct junk_options *o, const struct shares *x, struct side side[2])
{
	struct evidence *ham = side[JUNK_HAM].e, *spam = side[JUNK_SPAM].e;
	double r;
	size_t i, says, is_spam;

	for (i = 0; i < w->n; i++) {
		r = probability(count[i], x, o);
		says = (size_t)((uint64_t)count[i][0] + count[i][1] >=
		    SIGHTINGS_MIN) & (size_t)!(fabs(r - 0.5) <
		    o->ignore_words);
		is_spam = r > 0.5;
		*(is_spam != 0 ? spam : ham) =
		    (struct evidence){ &w->word[i], r };
		ham += says & (is_spam ^ 1);
		spam += says & is_spam;
	}
	side[JUNK_HAM].n = (size_t)(ham - side[JUNK_HAM].e);
	side[JUNK_SPAM].n = (size_t)(spam - side[JUNK_SPAM].e);
}

static int
gather(struct junk_counts *c, const struct junk_words *w,
    const struct junk_options *o, const struct junk_score *s,
    struct side side[2])
{
	uint32_t (*count)[2] = mem_alloc((w->n + 1) * sizeof(*count));
	struct shares x = shares_of(s, o->prior);
	int r = junk_counts_all(c, w, count);

	if (r == 0)
		sort_out(w, (const uint32_t (*)[2])count, o, &x, side);
	free(count);
	return r;
}

/* Those with the most say to the front, if not all are to be heard. */
static size_t
order(struct side *s, unsigned int top)
{
	if (top == 0 || s->n <= top)
		return s->n;
	qsort(s->e, s->n, sizeof(*s->e), compare);
	return top;
}

/* The few with the most say: for so few a sort of all would be dear. */
static size_t
reasons(const struct side *s, struct junk_reason *out)
{
	const struct evidence *best[JUNK_REASONS];
	size_t i, k, n = 0;
	double least = 0;

	for (i = 0; i < s->n; i++) {
		if (n == JUNK_REASONS && (fabs(s->e[i].r - 0.5) < least ||
		    compare(&s->e[i], best[n - 1]) >= 0))
			continue;
		k = n < JUNK_REASONS ? n++ : n - 1;
		for (; k > 0 && compare(&s->e[i], best[k - 1]) < 0; k--)
			best[k] = best[k - 1];
		best[k] = &s->e[i];
		least = fabs(best[n - 1]->r - 0.5);
	}
	for (i = 0; i < n; i++)
		out[i] = (struct junk_reason){ best[i]->word, best[i]->r };
	return n;
}

/*
 * The mean of what the words say, each weighing as much as it says; norm
 * below 1 leaves more words a little more say.
 */
static double
mean(const struct group *g, double norm)
{
	return g->weight > 0 ? g->sum / pow(g->weight, norm) : 0;
}

static void
judge(const struct junk_options *o,
    struct side side[2], struct junk_score *out)
{
	struct group head = { 0, 0 }, text = { 0, 0 };
	const struct evidence *e;
	double says, weight;
	size_t i, k, n, total = 0;

	for (k = 0; k < 2; k++) {
		n = order(&side[k], o->top_words);
		for (i = 0; i < n; i++) {
			e = &side[k].e[i];
			says = log(e->r / (1 - e->r));
			weight = fabs(says);
			head.sum += e->word->is_head ? says * weight : 0;
			head.weight += e->word->is_head ? weight : 0;
			text.sum += e->word->is_head ? 0 : says * weight;
			text.weight += e->word->is_head ? 0 : weight;
		}
		total += n;
	}
	says = mean(&head, o->norm) + o->body * mean(&text, o->norm);
	out->probability = 1 / (1 + exp(-says * o->scale));
	out->known = (uint32_t)total;
	out->hammy_n = reasons(&side[JUNK_HAM], out->hammy);
	out->spammy_n = reasons(&side[JUNK_SPAM], out->spammy);
}

int
junk_score(struct junk_counts *c, const struct junk_words *w,
    const struct junk_options *o, struct junk_score *out)
{
	struct junk_score s = { 0 };
	struct evidence *e;
	struct side side[2];
	int r;

	if (junk_counts_totals(c, &s.ham, &s.spam) == -1)
		return -1;
	e = mem_alloc(2 * (w->n + 1) * sizeof(*e));
	side[0] = (struct side){ e, 0 };
	side[1] = (struct side){ e + w->n, 0 };
	r = gather(c, w, o, &s, side);
	if (r == 0) {
		judge(o, side, &s);
		s.significant = s.ham >= o->significant;
		*out = s;
	}
	free(e);
	return r;
}

static int
add_reasons(struct buf *out, const struct junk_words *w, const char *title,
    const struct junk_reason *r, size_t n)
{
	size_t i;

	if (buf_adds(out, title) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		if (buf_addc(out, i == 0 ? '=' : ',') == -1 ||
		    msg_escape(out, junk_word_text(w, r[i].word)) == -1 ||
		    buf_printf(out, "(%.3f)", r[i].probability) == -1)
			return -1;
	}
	return 0;
}

int
junk_format_line(struct buf *out, const struct junk_words *w,
    const struct junk_options *o, const struct junk_score *s)
{
	const char *word = !s->significant ? "neutral"
	    : s->probability > o->threshold ? "fail" : "pass";

	if (buf_printf(out, "%s\t%.10f\tthreshold=%.2f\ttrained=%lu/%lu\t"
	    "words=%lu\t", word, s->probability, o->threshold,
	    (unsigned long)s->ham, (unsigned long)s->spam,
	    (unsigned long)s->known) == -1 ||
	    add_reasons(out, w, "ham", s->hammy, s->hammy_n) == -1 ||
	    buf_addc(out, '\t') == -1)
		return -1;
	return add_reasons(out, w, "spam", s->spammy, s->spammy_n);
}
