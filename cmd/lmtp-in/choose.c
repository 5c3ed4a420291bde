/*
 * choose.c - the rules of an account, on a message for it
 */
#include "lmtp_in.h"

void
chosen_forget(struct chosen *c)
{
	for (size_t i = 0; i < ACCOUNTS_MAX; i++)
		rules_set_free(c->slot[i].rules);
	*c = (struct chosen){ .clock = 0 };
}

/* They point into the configuration, which is not replaced while a child
 * serves: the parent reads the new one and starts new children. */
static struct rules_set *
rules_of(struct chosen *c, const struct config *config,
    const struct recipient *to)
{
	size_t oldest = 0;

	for (size_t i = 0; i < ACCOUNTS_MAX; i++) {
		if (c->slot[i].rules != NULL &&
		    rules_set_is_for(c->slot[i].rules, config, to)) {
			c->slot[i].used = ++c->clock;
			return c->slot[i].rules;
		}
		if (c->slot[i].used < c->slot[oldest].used)
			oldest = i;
	}
	rules_set_free(c->slot[oldest].rules);
	c->slot[oldest].rules = rules_set_new(config, to);
	c->slot[oldest].used = ++c->clock;
	return c->slot[oldest].rules;
}

void
choose(struct smtp_session *s, const struct recipient *to,
    struct stage_job *job, struct rules_result *out)
{
	struct deliverer *d = s->ctx;
	struct rules_facts facts;
	struct logline l;
	size_t i = 0;

	rules_facts_read(job->arena, &job->block, &job->envelope,
	    job->message, &facts);
	rules_set_apply(rules_of(d->chosen, d->settings->config, to),
	    job->arena, to, &facts, out);
	if (!out->over_budget)
		return;
	log_begin(&l, LOG_WARN, "rules-too-slow");
	log_num(&l, "cid", (int64_t)d->conn->id);
	log_str(&l, "id", deliver_id(s));
	log_bytes(&l, "account", to->account);
	while (i + 1 < out->nsteps && !out->steps[i].undecided)
		i++;
	log_bytes(&l, "rule", out->steps[i].rule);
	log_num(&l, "code", out->reply_code);	/* 0: it was passed over */
	log_end(&l);
}
