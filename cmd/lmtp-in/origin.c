/*
 * origin.c - who sent it, as far as the store cannot read it off the message
 */
#include "lmtp_in.h"

bool
origin_of_forward(const struct stage_job *job,
    const struct rules_result *rules, struct origin *out)
{
	static const struct ip nowhere = { .family = 0 };

	if (!rules->is_forward)
		return false;
	origin_read(job->arena, &job->block, &nowhere, BYTES_EMPTY,
	    BYTES_EMPTY, job->message, out);
	origin_forwarded(out, rules->verified_domain);
	return true;
}
