/*
 * choose.c - the rules of an account, on a message for it
 */
#include "lmtp_in.h"

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
	rules_apply(d->settings->config, job->arena, to, &facts, out);
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
