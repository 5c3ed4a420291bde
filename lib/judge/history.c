/*
 * history.c - rates, reputation and block lists for a decision
 */
#include "judge/internal.h"

#include "dnsbl/dnsbl.h"
#include "reputation/reputation.h"

/* In the words of lib/origin: it reads the same block. */
static void
read_origin(struct asker *k, struct origin *out)
{
	const struct stage_job *job = k->c->job;
	const struct judge_sender *s = &k->c->facts.sender;

	origin_read(k->a, &job->block, &s->remote, s->helo,
	    job->envelope.sender, job->message, out);
}

int
judge_ask_rates(void *ctx, struct bytes *text)
{
	struct asker *k = ctx;
	struct store_view *v = store_view_open(k->c->store);
	struct reputation_rates rates;
	const char *limit;
	int r;

	if (v == NULL)
		return -1;
	r = reputation_rates_of_store(v, &k->c->facts.sender.remote,
	    k->c->facts.now, &rates);
	store_view_close(v);
	if (r == -1)
		return -1;
	if ((limit = reputation_rates_check(&rates, k->c->facts.size)) == NULL)
		return 0;
	*text = bytes_str(limit);
	return 1;
}

/* The id of a mailbox, 0 if it is not there yet; -1. */
static int
mailbox_id(struct store_view *v, struct bytes name, uint32_t *id)
{
	struct store_mailbox box;
	int r = store_mailbox_find(v, name, &box);

	*id = r == 1 ? box.id : 0;
	return r == -1 ? -1 : 0;
}

static int
judge_history(struct asker *k, struct bytes mailbox, const struct origin *o,
    struct reputation *out)
{
	struct reputation_store store = { .arena = k->a };
	struct reputation_source source;
	int r;

	if ((store.view = store_view_open(k->c->store)) == NULL)
		return -1;
	r = mailbox_id(store.view, mailbox, &store.mailbox);
	if (r == 0) {
		source = reputation_of_store(&store);
		r = reputation_judge(k->a, &source, o, k->c->facts.now, out);
	}
	store_view_close(store.view);
	return r;
}

static enum judge_junk
junk_of(enum reputation_junk junk)
{
	switch (junk) {
	case REPUTATION_HAM:
		return JUDGE_HAM;
	case REPUTATION_JUNK:
		return JUDGE_JUNK;
	case REPUTATION_UNKNOWN:
		break;
	}
	return JUDGE_UNKNOWN;
}

int
judge_ask_reputation(void *ctx, struct bytes mailbox,
    const struct judge_sender *s, struct judge_reputation *out)
{
	struct asker *k = ctx;
	struct reputation found;
	struct origin o;

	(void)s;	/* o is the same, with what history needs besides */
	read_origin(k, &o);
	if (k->c->rule.is_forward)
		origin_forwarded(&o, k->c->rule.verified_domain);
	if (judge_history(k, mailbox, &o, &found) == -1)
		return -1;
	*out = (struct judge_reputation){ junk_of(found.junk),
	    found.conclusive, reputation_method_name(found.method),
	    found.why };
	return 0;
}

/* Lists are asked by the job's resolver, within its time. */
int
judge_ask_listed(void *ctx, struct judge_listing *out)
{
	struct asker *k = ctx;
	struct stage_job *job = k->c->job;
	const struct ip *ip = &k->c->facts.sender.remote;
	const struct dnsbl_answer *last;
	struct dns *dns;
	struct dnsbl r;

	if (job->options->dnsbl->nzones == 0 || ip->family == 0 ||
	    (dns = stage_dns(job)) == NULL)
		return 0;
	dnsbl_check(dns, job->arena, job->options->dnsbl, ip, &r);
	if (r.result != DNSBL_FAIL)
		return 0;
	last = &r.answers[r.nanswers - 1];
	*out = (struct judge_listing){ last->zone, last->text };
	return 1;
}
