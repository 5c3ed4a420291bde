/*
 * regex.c - from tree to program, and the machine that runs it
 *
 * Each instruction is a state; a thread is the number of one. At each
 * character of the text every state has at most one thread, so that the
 * work for it is bounded by the length of the program.
 */
#include "regex/regex.h"

#include "regex/internal.h"

/* Parts written for one expression: empty ones cost no instruction, but
 * "((){255}){255}" would cost time. */
#define WORK_MAX (REGEX_PROGRAM_MAX * 20)

enum op {
	OP_CHAR,
	OP_ANY,
	OP_SET,
	OP_BEGIN,
	OP_END,
	OP_SPLIT,		/* go on at x and y */
	OP_JUMP,		/* go on at x */
	OP_MATCH,
};

struct instruction {
	enum op op;
	uint32_t x, y;		/* CHAR: x is the character */
	const struct regex_set *set;
};

struct regex {
	struct instruction *code;
	size_t n;
	/* No thread that starts later than at the text's begin gets far. */
	bool at_begin;
};

/* ---- writing the program ---- */

struct writer_state {
	struct regex *r;
	size_t work;
	bool full;
};

static uint32_t
put(struct writer_state *w, enum op op, uint32_t x, uint32_t y)
{
	if (w->r->n == REGEX_PROGRAM_MAX) {
		w->full = true;
		return 0;
	}
	w->r->code[w->r->n] = (struct instruction){ .op = op, .x = x,
	    .y = y };
	return (uint32_t)w->r->n++;
}

static uint32_t
here(const struct writer_state *w)
{
	return (uint32_t)w->r->n;
}

static void write_node(struct writer_state *w, const struct regex_node *n);

static void
write_alternatives(struct writer_state *w, const struct regex_node *n)
{
	uint32_t split = put(w, OP_SPLIT, 0, 0), jump;

	w->r->code[split].x = here(w);
	write_node(w, n->left);
	jump = put(w, OP_JUMP, 0, 0);
	w->r->code[split].y = here(w);
	write_node(w, n->right);
	w->r->code[jump].x = here(w);
}

/* As often as one likes: split, part, back. */
static void
write_star(struct writer_state *w, const struct regex_node *n)
{
	uint32_t split = put(w, OP_SPLIT, 0, 0);

	w->r->code[split].x = here(w);
	write_node(w, n);
	(void)put(w, OP_JUMP, split, 0);
	w->r->code[split].y = here(w);
}

/* At most count times: each time one may leave, and leaving goes on where
 * the next one would stand. */
static void
write_optional(struct writer_state *w, const struct regex_node *n,
    uint32_t count)
{
	uint32_t split;

	if (count == 0 || w->full)
		return;
	split = put(w, OP_SPLIT, 0, 0);
	w->r->code[split].x = here(w);
	write_node(w, n);
	write_optional(w, n, count - 1);
	w->r->code[split].y = here(w);
}

static void
write_repeat(struct writer_state *w, const struct regex_node *n)
{
	for (uint32_t i = 0; i < n->min && !w->full; i++)
		write_node(w, n->left);
	if (n->max == REGEX_INFINITE)
		write_star(w, n->left);
	else
		write_optional(w, n->left, n->max - n->min);
}

static void
write_node(struct writer_state *w, const struct regex_node *n)
{
	uint32_t at;

	if (w->full || ++w->work > WORK_MAX) {
		w->full = true;
		return;
	}
	switch (n->kind) {
	case REGEX_EMPTY:
		break;
	case REGEX_CHAR:
		(void)put(w, OP_CHAR, n->ch, 0);
		break;
	case REGEX_ANY:
		(void)put(w, OP_ANY, 0, 0);
		break;
	case REGEX_SET:
		at = put(w, OP_SET, 0, 0);
		w->r->code[at].set = n->set;
		break;
	case REGEX_BEGIN:
		(void)put(w, OP_BEGIN, 0, 0);
		break;
	case REGEX_END:
		(void)put(w, OP_END, 0, 0);
		break;
	case REGEX_CAT:
		write_node(w, n->left);
		write_node(w, n->right);
		break;
	case REGEX_ALT:
		write_alternatives(w, n);
		break;
	case REGEX_REPEAT:
		write_repeat(w, n);
		break;
	}
}

/* ---- running it ---- */

struct threads {
	uint32_t *pc;
	size_t n;
};

struct machine {
	const struct regex *r;
	struct threads now, next;
	uint32_t *mark;		/* per instruction: the place it was added at */
	uint32_t *stack;
	uint32_t place;		/* a number of its own for each character */
	uint64_t *steps;
	bool at_begin, at_end, matched;
};

static bool
set_has(const struct regex_set *s, uint32_t ch)
{
	for (size_t i = 0; i < s->n; i++) {
		if (ch >= s->range[i].first && ch <= s->range[i].last)
			return !s->negated;
	}
	return s->negated;
}

static void
push(struct machine *m, size_t *depth, uint32_t pc)
{
	if (m->mark[pc] == m->place)
		return;
	m->mark[pc] = m->place;
	m->stack[(*depth)++] = pc;
}

/* Add the thread at pc, and where it gets without a character. */
static void
add_thread(struct machine *m, struct threads *to, uint32_t pc)
{
	const struct instruction *i;
	size_t depth = 0;

	push(m, &depth, pc);
	while (depth > 0) {
		pc = m->stack[--depth];
		i = &m->r->code[pc];
		if (*m->steps > 0)
			(*m->steps)--;
		switch (i->op) {
		case OP_SPLIT:
			push(m, &depth, i->y);
			push(m, &depth, i->x);
			break;
		case OP_JUMP:
			push(m, &depth, i->x);
			break;
		case OP_BEGIN:
			if (m->at_begin)
				push(m, &depth, pc + 1);
			break;
		case OP_END:
			if (m->at_end)
				push(m, &depth, pc + 1);
			break;
		case OP_MATCH:
			m->matched = true;
			break;
		default:
			to->pc[to->n++] = pc;
		}
	}
}

static void
step(struct machine *m, uint32_t ch)
{
	const struct instruction *i;
	struct threads last;
	bool takes;

	m->next.n = 0;
	for (size_t k = 0; k < m->now.n; k++) {
		i = &m->r->code[m->now.pc[k]];
		takes = i->op == OP_ANY || (i->op == OP_CHAR ? i->x == ch
		    : i->op == OP_SET && set_has(i->set, ch));
		if (takes)
			add_thread(m, &m->next, m->now.pc[k] + 1);
	}
	*m->steps -= *m->steps < m->now.n ? *m->steps : m->now.n;
	last = m->now;
	m->now = m->next;
	m->next = last;
}

static void
machine_init(struct machine *m, struct arena *a, const struct regex *r,
    uint64_t *steps)
{
	uint32_t *room = arena_zalloc(a, r->n * 4, sizeof(*room));

	*m = (struct machine){ .r = r, .steps = steps, .place = 1 };
	m->now.pc = room;
	m->next.pc = room + r->n;
	m->mark = room + 2 * r->n;
	m->stack = room + 3 * r->n;
}

int
regex_match(struct arena *a, const struct regex *r, struct bytes text,
    uint64_t *steps)
{
	struct machine m;
	uint32_t ch;

	machine_init(&m, a, r, steps);
	m.at_begin = true;
	m.at_end = text.n == 0;
	add_thread(&m, &m.now, 0);
	while (!m.matched && text.n > 0 && (m.now.n > 0 || !r->at_begin)) {
		if (*steps == 0) {
			errno = EMSGSIZE;
			return -1;
		}
		ch = regex_next(&text);
		m.place++;
		m.at_begin = false;
		m.at_end = text.n == 0;
		(*steps)--;
		step(&m, ch);
		if (!r->at_begin)
			add_thread(&m, &m.now, 0);
	}
	return m.matched ? 1 : 0;
}

/* ---- compiling ---- */

/* Whether a thread that starts behind the begin gets nowhere. */
static bool
starts_at_begin(struct arena *a, const struct regex *r)
{
	uint64_t steps = REGEX_PROGRAM_MAX;
	struct machine m;

	machine_init(&m, a, r, &steps);
	m.at_end = true;
	add_thread(&m, &m.now, 0);
	return m.now.n == 0 && !m.matched;
}

struct regex *
regex_compile(struct arena *a, struct bytes pattern, const char **why)
{
	struct regex_node *tree = regex_parse(a, pattern, why);
	struct instruction code[REGEX_PROGRAM_MAX], *copy;
	struct writer_state w = { .r = NULL };
	struct regex *r;

	if (tree == NULL)
		return NULL;
	r = arena_zalloc(a, 1, sizeof(*r));
	r->code = code;
	w.r = r;
	write_node(&w, tree);
	(void)put(&w, OP_MATCH, 0, 0);
	if (w.full) {
		*why = "too big: repeated parts repeated too often";
		errno = EMSGSIZE;
		return NULL;
	}
	copy = arena_alloc(a, r->n * sizeof(*copy));
	memcpy(copy, code, r->n * sizeof(*copy));
	r->code = copy;
	r->at_begin = starts_at_begin(a, r);
	return r;
}
