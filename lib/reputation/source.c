/* source.c - the index of an account as the source of history */
#include "reputation/reputation.h"

#include "store/store.h"

/* The two lists of keys are the same one. */
static const enum store_origin_key keys[] = {
	[REPUTATION_FROM] = STORE_ORIGIN_FROM,
	[REPUTATION_FROM_DOMAIN] = STORE_ORIGIN_FROM_DOMAIN,
	[REPUTATION_FROM_ORG] = STORE_ORIGIN_FROM_ORG,
	[REPUTATION_DKIM] = STORE_ORIGIN_DKIM,
	[REPUTATION_MAIL_FROM] = STORE_ORIGIN_MAIL_FROM,
	[REPUTATION_MAIL_FROM_DOMAIN] = STORE_ORIGIN_MAIL_FROM_DOMAIN,
	[REPUTATION_HELO] = STORE_ORIGIN_HELO,
	[REPUTATION_IP1] = STORE_ORIGIN_IP1,
	[REPUTATION_IP2] = STORE_ORIGIN_IP2,
	[REPUTATION_IP3] = STORE_ORIGIN_IP3,
};

static struct bytes
identity(struct arena *a, const struct reputation_query *q)
{
	struct buf b = BUF_INIT(SIZE_MAX / 2);
	char text[IP_TEXT_MAX];
	struct bytes s;

	if (q->key >= REPUTATION_IP1)
		(void)buf_adds(&b, ip_format(&q->ip, text));	/* no bound */
	if (q->key == REPUTATION_FROM || q->key == REPUTATION_MAIL_FROM) {
		(void)buf_add(&b, q->local_part);
		(void)buf_addc(&b, '@');
	}
	if (q->key < REPUTATION_IP1)
		(void)buf_add(&b, q->domain);
	s = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return s;
}

static int
history(void *ctx, const struct reputation_query *q,
    struct reputation_message *out)
{
	struct reputation_store *s = ctx;
	struct store_history *list = arena_zalloc(s->arena, q->max,
	    sizeof(*list));
	struct store_history_query ask = { .original_mailbox = s->mailbox,
	    .key = keys[q->key], .identity = identity(s->arena, q),
	    .validated = q->validated, .since = q->since, .max = q->max };
	size_t n;

	if (s->mailbox == 0)
		return 0;
	if (store_history(s->view, &ask, list, &n) == -1)
		return -1;
	for (size_t i = 0; i < n; i++)
		out[i] = (struct reputation_message){ list[i].mailbox,
		    list[i].uid, list[i].date, list[i].junk,
		    list[i].local_part };
	return (int)n;
}

static int
sent_to(void *ctx, struct bytes local_part, struct bytes domain,
    int64_t *last)
{
	struct reputation_store *s = ctx;
	struct store_sent sent;
	int r = store_sent_get(s->view, s->arena, local_part, domain, &sent);

	if (r == 1)
		*last = sent.last;
	return r;
}

static int
sent_to_domain(void *ctx, struct bytes domain, bool org, int64_t *last)
{
	struct reputation_store *s = ctx;

	return store_sent_domain(s->view, domain, org, last);
}

struct reputation_source
reputation_of_store(struct reputation_store *s)
{
	return (struct reputation_source){ s, history, sent_to,
	    sent_to_domain };
}

int
reputation_rates_of_store(struct store_view *v, const struct ip *ip,
    int64_t now, struct reputation_rates *out)
{
	static const int windows[] = { [STORE_RATE_MINUTE] = REPUTATION_MINUTE,
		[STORE_RATE_DAY] = REPUTATION_DAY };
	struct store_rates r;

	if (store_rates(v, ip, now, &r) == -1)
		return -1;
	for (int w = 0; w < STORE_RATE_WINDOWS; w++) {
		memcpy(out->count[windows[w]], r.count[w],
		    sizeof(r.count[w]));
		memcpy(out->bytes[windows[w]], r.bytes[w],
		    sizeof(r.bytes[w]));
	}
	return 0;
}
