/*
 * rule.c - hold rules (BEHAVIOUR 7.6 with the decision of 19: AND, and an
 * empty field matches anything)
 */
#include "queue/internal.h"

#include <errno.h>

#include "frame/frame.h"

static struct bytes
domain_of(struct bytes address)
{
	size_t at;

	return bytes_rchr(address, '@', &at) ? bytes_from(address, at + 1)
	    : BYTES_EMPTY;
}

bool
queue_holdrule_matches(const struct queue_holdrule *rule,
    const struct queue_message *m, const struct queue_rcpt *r)
{
	if (rule->account.n > 0 && !bytes_eq(rule->account, m->account))
		return false;
	if (rule->sender_domain.n > 0 && !bytes_caseeq(rule->sender_domain,
	    domain_of(r->sender.n > 0 ? r->sender : m->sender)))
		return false;
	return rule->rcpt_domain.n == 0 ||
	    bytes_caseeq(rule->rcpt_domain, r->domain) ||
	    bytes_caseeq(rule->rcpt_domain, domain_of(r->address));
}

static int
parse_rule(struct bytes value, struct queue_holdrule *rule)
{
	struct frame_field f;
	int r;

	rule->account = rule->sender_domain = rule->rcpt_domain = BYTES_EMPTY;
	while ((r = frame_next(&value, &f)) == 1) {
		if (frame_is(&f, "account"))
			rule->account = f.value;
		else if (frame_is(&f, "sender-domain"))
			rule->sender_domain = f.value;
		else if (frame_is(&f, "rcpt-domain"))
			rule->rcpt_domain = f.value;
	}
	return r;
}

int
queue_holdrule_next(struct queue_txn *t, struct arena *a, uint64_t after,
    struct queue_holdrule *rule)
{
	struct kv_cursor *c = kv_cursor_open(t->kv, TABLE_HOLDRULE);
	unsigned char at[8];
	struct bytes key, value;
	int got;

	if (c == NULL)
		return -1;
	be64_put(at, after + 1);
	key = bytes_of(at, 8);
	if ((got = kv_seek(c, &key, &value)) == 1 && key.n == 8) {
		rule->id = be64_get(key.p);
		value = arena_bytes(a, value);
	}
	kv_cursor_close(c);
	if (got == 1 && parse_rule(value, rule) == -1)
		return -1;
	return got;
}

int
queue_is_held(struct queue_txn *t, const struct queue_message *m,
    const struct queue_rcpt *r)
{
	struct arena a = ARENA_INIT;
	struct queue_holdrule rule = { .id = 0 };
	int got, held = 0;

	while (!held &&
	    (got = queue_holdrule_next(t, &a, rule.id, &rule)) != 0) {
		if (got == -1)
			held = -1;
		else if (queue_holdrule_matches(&rule, m, r))
			held = 1;
	}
	arena_free(&a);
	return held;
}

/* Hold what is there: how many. */
static int
hold_matching(struct queue_txn *t, const struct queue_holdrule *rule,
    size_t *held)
{
	struct arena a = ARENA_INIT;
	struct queue_rcpt r = { .id = 0 };
	struct queue_message m;
	int got;

	*held = 0;
	while ((got = queue_next_rcpt(t, &a, r.id, r.n, &r)) == 1) {
		if ((got = queue_get_message(t, &a, r.id, &m)) != 1)
			break;
		if (!r.held && queue_holdrule_matches(rule, &m, &r)) {
			r.held = 1;
			if ((got = queue_set_rcpt(t, &r)) == -1)
				break;
			++*held;
		}
		arena_reset(&a);
	}
	arena_free(&a);
	return got;
}

int
queue_holdrule_add(struct queue_txn *t, struct queue_holdrule *rule,
    size_t *held)
{
	struct kv_cursor *c = kv_cursor_open(t->kv, TABLE_HOLDRULE);
	unsigned char id[8];
	struct bytes key, value;
	struct buf *out;
	int got;

	if (c == NULL)
		return -1;
	rule->id = 1;
	if ((got = kv_last(c, &key, &value)) == 1 && key.n == 8)
		rule->id = be64_get(key.p) + 1;
	kv_cursor_close(c);
	if (got == -1)
		return -1;
	be64_put(id, rule->id);
	out = queue_record(t);
	frame_add(out, "account", rule->account);
	frame_add(out, "sender-domain", rule->sender_domain);
	frame_add(out, "rcpt-domain", rule->rcpt_domain);
	if (queue_put_record(t, TABLE_HOLDRULE, bytes_of(id, 8)) == -1)
		return -1;
	return hold_matching(t, rule, held);
}

int
queue_holdrule_remove(struct queue_txn *t, uint64_t id)
{
	unsigned char key[8];

	be64_put(key, id);
	return kv_delete(t->kv, TABLE_HOLDRULE, bytes_of(key, 8));
}
