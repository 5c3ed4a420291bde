/*
 * thread.c - THREAD: messages in conversations (RFC 5256 3, BASE.6.4.THREAD)
 *
 * Message-IDs, references and base subjects are hashes the store keeps with
 * each message. REFERENCES: a node for each Message-ID that is mentioned; the
 * ones without a message are taken out again, save where they hold several
 * threads together. REFS is the same without the look at subjects, and its
 * threads are ordered by their latest message.
 *
 * Nothing here is recursive: a thread may be as deep as a mailbox is large.
 */
#include "imap/search.h"

#include <stdlib.h>

#define NO_HIT SIZE_MAX

struct thread_node {
	uint64_t id;			/* Message-ID; 0: none */
	size_t hit;			/* NO_HIT: no such message */
	int64_t date, latest;
	uint64_t subject;
	bool is_reply;
	unsigned int reference_count;
	uint64_t *references;
	struct thread_node *parent, *first, *last, *next, *before;
	struct thread_node *same;	/* next in a bucket, or of a subject */
	struct thread_node *made;	/* next of all */
};

static const char *const names[] = {
	[THREAD_ORDEREDSUBJECT] = "ORDEREDSUBJECT",
	[THREAD_REFERENCES] = "REFERENCES",
	[THREAD_REFS] = "REFS",
};

bool
parse_thread(struct parser *p, enum thread_how *out)
{
	struct bytes word = parse_word(p);
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (bytes_caseeq(word, bytes_str(names[i]))) {
			*out = (enum thread_how)i;
			return true;
		}
	}
	return parse_fail(p, "unknown threading algorithm");
}

/* ---- what is found ---- */

/* Without a record of its thread: what the envelope says. */
static void
facts_of_envelope(struct search *s, struct store_thread *out)
{
	struct bytes envelope = s->message.record.envelope, text, id;
	struct arena *a = &s->arena;
	bool is_reply;

	*out = (struct store_thread){ 0 };
	out->message_id = s->message.record.message_id_hash;
	if (envelope_text(a, &s->text, envelope, ENV_IN_REPLY_TO, &text) &&
	    mime_next_msg_id(a, &text, &id))
		out->references[out->reference_count++] =
		    store_message_id_hash(id);
	if (!envelope_text(a, &s->text, envelope, ENV_SUBJECT, &text))
		return;
	text = mime_base_subject(a, envelope_decode(a, text), &is_reply);
	if (text.n > 0)
		out->subject = bytes_hash(text) | 1;
	if (is_reply)
		out->flags = STORE_THREAD_RESPONSE;
}

static struct thread_node *
node_new(struct thread *t)
{
	struct thread_node *n = arena_zalloc(t->a, 1, sizeof(*n));

	n->hit = NO_HIT;
	return n;
}

void
thread_hit(struct search *s, void *ctx)
{
	struct thread *t = ctx;
	struct thread_node *n = node_new(t);
	struct store_thread facts;

	if (store_thread_get(s->view, s->mailbox, s->message.uid, &facts)
	    != 1)
		facts_of_envelope(s, &facts);
	n->hit = t->n;
	n->id = facts.message_id;
	n->subject = facts.subject;
	n->is_reply = (facts.flags & STORE_THREAD_RESPONSE) != 0;
	n->date = n->latest = sent_seconds(s);
	if (t->how != THREAD_ORDEREDSUBJECT && facts.reference_count > 0) {
		n->reference_count = facts.reference_count;
		n->references = arena_alloc(t->a, facts.reference_count *
		    sizeof(n->references[0]));
		memcpy(n->references, facts.references,
		    facts.reference_count * sizeof(n->references[0]));
	}
	if (t->n == t->size) {
		t->size = t->size == 0 ? 64 : t->size * 2;
		t->nodes = mem_realloc(t->nodes,
		    t->size * sizeof(*t->nodes));
	}
	t->nodes[t->n++] = n;
}

void
thread_free(struct thread *t)
{
	free(t->nodes);
	t->nodes = NULL;
	t->n = t->size = 0;
}

/* ---- trees ---- */

static void
unlink_node(struct thread_node *n)
{
	struct thread_node *p = n->parent;

	if (n->before != NULL)
		n->before->next = n->next;
	else
		p->first = n->next;
	if (n->next != NULL)
		n->next->before = n->before;
	else
		p->last = n->before;
	n->parent = n->next = n->before = NULL;
}

static void
add_node(struct thread_node *parent, struct thread_node *n)
{
	n->parent = parent;
	n->next = NULL;
	n->before = parent->last;
	if (parent->last != NULL)
		parent->last->next = n;
	else
		parent->first = n;
	parent->last = n;
}

static bool
is_below(const struct thread_node *n, const struct thread_node *top)
{
	for (; n != NULL; n = n->parent) {
		if (n == top)
			return true;
	}
	return false;
}

/* Make n a child of parent, unless parent is below it. */
static void
put_below(struct thread_node *parent, struct thread_node *n)
{
	if (n == parent || (n->first != NULL && is_below(parent, n)))
		return;
	if (n->parent != NULL)
		unlink_node(n);
	add_node(parent, n);
}

static void
move_children(struct thread_node *from, struct thread_node *to)
{
	while (from->first != NULL) {
		struct thread_node *n = from->first;

		unlink_node(n);
		add_node(to, n);
	}
}

/* By date, then as they came in the mailbox. */
static int
node_cmp(const void *a, const void *b)
{
	const struct thread_node *x = *(struct thread_node *const *)a;
	const struct thread_node *y = *(struct thread_node *const *)b;

	if (x->date != y->date)
		return x->date > y->date ? 1 : -1;
	return (x->hit > y->hit) - (x->hit < y->hit);
}

static int
latest_cmp(const void *a, const void *b)
{
	const struct thread_node *x = *(struct thread_node *const *)a;
	const struct thread_node *y = *(struct thread_node *const *)b;

	if (x->latest != y->latest)
		return x->latest > y->latest ? 1 : -1;
	return node_cmp(a, b);
}

static void
sort_children(struct thread *t, struct thread_node *n,
    int (*cmp)(const void *, const void *))
{
	struct thread_node **list, *c;
	size_t count = 0, i = 0;

	for (c = n->first; c != NULL; c = c->next)
		count++;
	if (count < 2)
		return;
	list = arena_zalloc(t->a, count, sizeof(*list));
	for (c = n->first; c != NULL; c = c->next)
		list[i++] = c;
	qsort(list, count, sizeof(*list), cmp);
	n->first = n->last = NULL;
	for (i = 0; i < count; i++)
		add_node(n, list[i]);
}

/* ---- REFERENCES, REFS ---- */

struct table {
	struct thread_node **bucket;
	size_t mask;
	struct thread_node *made;	/* all of it, dummies too */
};

static void
table_init(struct thread *t, struct table *table, size_t n)
{
	size_t size = 64;

	while (size < n)
		size *= 2;
	*table = (struct table){ arena_zalloc(t->a, size,
	    sizeof(*table->bucket)), size - 1, NULL };
}

/* The node of a Message-ID, made if it is not there. */
static struct thread_node *
node_of(struct thread *t, struct table *table, uint64_t id)
{
	struct thread_node **at = &table->bucket[id & table->mask], *n;

	for (n = *at; n != NULL; n = n->same) {
		if (n->id == id)
			return n;
	}
	n = node_new(t);
	n->id = id;
	n->same = *at;
	*at = n;
	n->made = table->made;
	table->made = n;
	return n;
}

/* The node of a message; the second one of an id has no id. */
static struct thread_node *
place(struct thread *t, struct table *table, struct thread_node *m)
{
	struct thread_node *n = m->id == 0 ? NULL
	    : node_of(t, table, m->id);

	if (n == NULL || n->hit != NO_HIT) {
		n = node_new(t);
		n->made = table->made;
		table->made = n;
	}
	n->hit = m->hit;
	n->date = n->latest = m->date;
	n->subject = m->subject;
	n->is_reply = m->is_reply;
	return n;
}

/* Step 1: links as the references say. */
static void
link_references(struct thread *t, struct table *table)
{
	size_t i;
	unsigned int j;

	for (i = 0; i < t->n; i++) {
		struct thread_node *m = t->nodes[i], *n, *r, *above = NULL;

		n = place(t, table, m);
		for (j = 0; j < m->reference_count; j++) {
			r = node_of(t, table, m->references[j]);
			if (above != NULL && r->parent == NULL)
				put_below(above, r);
			above = r;
		}
		/* Its own word outweighs what others said of it, also where
		 * it would make a loop. */
		if (above == n->parent)
			continue;
		if (n->parent != NULL)
			unlink_node(n);
		if (above != NULL)
			put_below(above, n);
	}
}

/* Steps 2 and 3: nodes without messages go, their children go up, to the
 * root only one alone. */
static void
prune(struct table *table, struct thread_node *root)
{
	struct thread_node *n, *up, *c;

	for (n = table->made; n != NULL; n = n->made) {
		up = n->parent;
		if (n->hit != NO_HIT || up == NULL)
			continue;
		while ((c = n->first) != NULL) {
			unlink_node(c);
			add_node(up, c);
		}
		unlink_node(n);
	}
	for (n = table->made; n != NULL; n = n->made) {
		if (n->parent != NULL || (n->hit == NO_HIT &&
		    n->first == NULL))
			continue;
		up = n;
		if (n->hit == NO_HIT && n->first == n->last) {
			up = n->first;
			unlink_node(up);
		}
		add_node(root, up);
	}
}

/* Children first, since a dummy has the date of its first one. */
static void
sort_all(struct thread *t, struct table *table, struct thread_node *root)
{
	struct thread_node *n;

	for (n = table->made; n != NULL; n = n->made)
		sort_children(t, n, node_cmp);
	for (n = root->first; n != NULL; n = n->next) {
		if (n->hit == NO_HIT) {
			n->date = n->first->date;
			n->subject = n->first->subject;
			n->is_reply = n->first->is_reply;
		}
	}
	sort_children(t, root, node_cmp);
}

/* Step 5.B: the one thread a subject is gathered in. */
static void
subject_table(struct thread *t, struct table *subjects,
    struct thread_node *root)
{
	struct thread_node *n, *old, **at;

	(void)t;
	for (n = root->first; n != NULL; n = n->next) {
		if (n->subject == 0)
			continue;
		at = &subjects->bucket[n->subject & subjects->mask];
		while (*at != NULL && (*at)->subject != n->subject)
			at = &(*at)->same;
		old = *at;
		if (old == NULL || (old->hit != NO_HIT && n->hit == NO_HIT) ||
		    (old->hit != NO_HIT && old->is_reply && !n->is_reply)) {
			n->same = old == NULL ? NULL : old->same;
			*at = n;
		}
	}
}

/* Step 5.C */
static void
join_subjects(struct thread *t, struct table *table, struct table *subjects,
    struct thread_node *root)
{
	struct thread_node *n, *next, **at, *old, *both;

	for (n = root->first; n != NULL; n = next) {
		next = n->next;
		if (n->subject == 0)
			continue;
		at = &subjects->bucket[n->subject & subjects->mask];
		while ((*at)->subject != n->subject)
			at = &(*at)->same;
		old = *at;
		if (old == n)
			continue;
		if (old->hit == NO_HIT && n->hit == NO_HIT) {
			move_children(n, old);
			unlink_node(n);
		} else if (old->hit == NO_HIT ||
		    (n->is_reply && !old->is_reply)) {
			unlink_node(n);
			add_node(old, n);
		} else {
			both = node_new(t);
			both->made = table->made;
			table->made = both;
			both->subject = n->subject;
			both->same = old->same;
			*at = both;
			if (next == old)
				next = old->next;
			unlink_node(n);
			unlink_node(old);
			add_node(both, old);
			add_node(both, n);
			add_node(root, both);
		}
	}
}

/* The next node of a tree, in the order they are written; NULL: end. */
static struct thread_node *
next_in(struct thread_node *n, const struct thread_node *top)
{
	if (n->first != NULL)
		return n->first;
	while (n != top && n->next == NULL)
		n = n->parent;
	return n == top ? NULL : n->next;
}

static void
order_by_latest(struct thread *t, struct thread_node *root)
{
	struct thread_node *top, *n;

	for (top = root->first; top != NULL; top = top->next) {
		top->latest = top->date;
		for (n = top; n != NULL; n = next_in(n, top)) {
			if (n->hit != NO_HIT && n->date > top->latest)
				top->latest = n->date;
		}
	}
	sort_children(t, root, latest_cmp);
}

static void
by_references(struct thread *t, struct thread_node *root)
{
	struct table table, subjects;

	table_init(t, &table, t->n * 2);
	link_references(t, &table);
	prune(&table, root);
	sort_all(t, &table, root);
	if (t->how == THREAD_REFS) {
		order_by_latest(t, root);
		return;
	}
	table_init(t, &subjects, t->n);
	subject_table(t, &subjects, root);
	join_subjects(t, &table, &subjects, root);
	sort_all(t, &table, root);
}

/* ---- ORDEREDSUBJECT ---- */

static int
subject_cmp(const void *a, const void *b)
{
	const struct thread_node *x = *(struct thread_node *const *)a;
	const struct thread_node *y = *(struct thread_node *const *)b;

	if (x->subject != y->subject)
		return x->subject > y->subject ? 1 : -1;
	return node_cmp(a, b);
}

static void
by_subject(struct thread *t, struct thread_node *root)
{
	struct thread_node *top = NULL;
	size_t i;

	qsort(t->nodes, t->n, sizeof(*t->nodes), subject_cmp);
	for (i = 0; i < t->n; i++) {
		struct thread_node *n = t->nodes[i];

		if (top == NULL || top->subject != n->subject) {
			add_node(root, n);
			top = n;
		} else {
			add_node(top, n);
		}
	}
	sort_children(t, root, node_cmp);
}

/* ---- the answer ---- */

/* It stands in parentheses of its own. */
static bool
is_apart(const struct thread_node *n, const struct thread_node *root)
{
	return n->parent == root || n->parent->first != n->parent->last ||
	    n->parent->hit == NO_HIT;
}

int
thread_format(struct buf *out, struct thread *t, const uint32_t *numbers)
{
	struct thread_node *root = node_new(t), *n;

	if (t->how == THREAD_ORDEREDSUBJECT)
		by_subject(t, root);
	else
		by_references(t, root);
	if (root->first != NULL)
		buf_addc(out, ' ');
	for (n = root->first; n != NULL;) {
		if (is_apart(n, root))
			buf_addc(out, '(');
		if (n->hit != NO_HIT)
			buf_addnum(out, numbers[n->hit]);
		if (n->first != NULL) {
			if (n->hit != NO_HIT)
				buf_addc(out, ' ');
			n = n->first;
			continue;
		}
		while (n != root) {
			if (is_apart(n, root))
				buf_addc(out, ')');
			if (n->next != NULL)
				break;
			n = n->parent;
		}
		n = n == root ? NULL : n->next;
	}
	return out->full ? -1 : 0;
}
