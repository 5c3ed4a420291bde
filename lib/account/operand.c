/*
 * operand.c - UIDs as operands or lines of standard input, and what begins
 * every command over messages
 */
#include "account/account.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct range {
	uint32_t first, last;
};

struct ranges {
	struct range *r;
	size_t n, size;
	uint32_t star;		/* what "*" stands for */
};

static int
parse_end(struct bytes s, uint32_t star, uint32_t *out)
{
	uint64_t n;

	if (bytes_eq(s, BYTES("*"))) {
		*out = star;
		return 0;
	}
	if (num_parse(s, 1, UINT32_MAX, &n) == -1) {
		errno = EBADMSG;
		return -1;
	}
	*out = (uint32_t)n;
	return 0;
}

static int
parse_range(struct bytes s, uint32_t star, struct range *out)
{
	struct bytes first;
	uint32_t swap;

	if (!bytes_split(&s, ':', &first)) {
		if (parse_end(first, star, &out->first) == -1)
			return -1;
		out->last = out->first;
		return 0;
	}
	if (parse_end(first, star, &out->first) == -1 ||
	    parse_end(s, star, &out->last) == -1)
		return -1;
	if (out->first > out->last) {	/* RFC 9051 9, seq-range */
		swap = out->first;
		out->first = out->last;
		out->last = swap;
	}
	return 0;
}

static int
add_range(struct ranges *l, struct bytes text)
{
	struct range *r;

	if (l->n == l->size) {
		l->size = l->size == 0 ? 64 : 2 * l->size;
		r = reallocarray(l->r, l->size, sizeof(*r));
		if (r == NULL)
			return -1;
		l->r = r;
	}
	return parse_range(text, l->star, &l->r[l->n++]);
}

/* What another command printed: one a line, or with NUL behind each. */
static int
read_input(char *const args[], size_t count, struct buf *input)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (bytes_eq(bytes_str(args[i]), BYTES("-")) &&
		    io_read_all(STDIN_FILENO, input, DEADLINE_NONE) == -1)
			return -1;
	}
	for (i = 0; i < input->n; i++) {
		if (input->p[i] == '\0' || input->p[i] == '\n')
			input->p[i] = ' ';
	}
	return 0;
}

static int
parse_all(struct ranges *l, char *const args[], size_t count,
    struct bytes input)
{
	struct bytes word;
	size_t i;

	for (i = 0; i < count; i++) {
		word = bytes_str(args[i]);
		if (!bytes_eq(word, BYTES("-")) && add_range(l, word) == -1)
			return -1;
	}
	while (bytes_word(&input, &word)) {
		if (add_range(l, word) == -1)
			return -1;
	}
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* UIDs and ranges ascend, so each is looked at once. */
static int
collect(struct store_view *v, uint32_t mailbox, const struct ranges *l,
    uint32_t *uids, size_t max, size_t *found)
{
	struct store_message m;
	uint32_t until = 0;	/* the furthest end of a range passed */
	size_t n = 0, at = 0;
	int r;

	for (r = store_message_first(v, mailbox, 1, &m); r == 1;
	    r = store_message_next(v, &m)) {
		for (; at < l->n && l->r[at].first <= m.uid; at++) {
			if (l->r[at].last > until)
				until = l->r[at].last;
		}
		if (n < max && m.uid <= until)
			uids[n++] = m.uid;
	}
	*found = n;
	return r;
}

static int
last_uid(struct store_view *v, uint32_t mailbox, uint32_t *last)
{
	struct store_message m;
	int r;

	*last = 0;
	for (r = store_message_first(v, mailbox, 1, &m); r == 1;
	    r = store_message_next(v, &m))
		*last = m.uid;
	return r;
}

static int
find_uids(struct account *a, struct store_view *v, uint32_t mailbox,
    struct ranges *l, uint32_t **uids, size_t *found)
{
	struct store_mailbox box;
	int r = store_mailbox_get(v, mailbox, &box);

	if (r != 1) {
		if (r == 0)
			errno = ENOENT;
		return -1;
	}
	if (l->n > 0)
		qsort(l->r, l->n, sizeof(*l->r), compare);
	*uids = arena_zalloc(&a->arena, (size_t)box.total + 1,
	    sizeof(**uids));
	return collect(v, mailbox, l, *uids, box.total, found);
}

int
account_uids(struct account *a, uint32_t mailbox, char *const args[],
    size_t count, uint32_t **uids, size_t *found)
{
	struct ranges l = { 0 };
	struct buf input = BUF_INIT(ACCOUNT_STDIN_MAX);
	struct store_view *v = NULL;
	int r = -1;

	/* the snapshot comes after all waiting */
	if (read_input(args, count, &input) == 0 &&
	    (v = store_view_open(a->store)) != NULL &&
	    last_uid(v, mailbox, &l.star) == 0 &&
	    parse_all(&l, args, count, buf_bytes(&input)) == 0)
		r = find_uids(a, v, mailbox, &l, uids, found);
	store_view_close(v);
	buf_free(&input);
	free(l.r);
	return r;
}

void
account_start(struct account *a, const char *name, const char *mailbox,
    uint32_t *id)
{
	if (account_open(a, name) == -1)
		msg_die(account_exit(errno), "cannot open account %s: %s",
		    name, a->problem);
	if (mailbox != NULL && account_mailbox(a, mailbox, id) == -1)
		msg_diesys(account_exit(errno), "cannot open mailbox %s",
		    mailbox);
}

void
account_start_uids(struct account *a, uint32_t mailbox, char *const args[],
    size_t count, uint32_t **uids, size_t *found)
{
	if (account_uids(a, mailbox, args, count, uids, found) == 0)
		return;
	if (errno == EBADMSG)
		msg_die(EXIT_PERM, "cannot understand the UIDs: they are "
		    "numbers, ranges 3:9, * for the last one, or - for those "
		    "on standard input");
	msg_diesys(account_exit(errno), "cannot understand the UIDs");
}
