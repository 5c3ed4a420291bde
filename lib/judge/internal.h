/* internal.h - what the files of lib/judge share */
#ifndef JUDGE_INTERNAL_H
#define JUDGE_INTERNAL_H

#include "judge/ask.h"
#include "junk/junk.h"

/* What one decision works with. */
struct asker {
	struct judge_case *c;
	struct arena *a;
	struct junk_options junk;
};

/* Questions of struct judge_ask, with a struct asker: history.c. */
int judge_ask_rates(void *ctx, struct bytes *text);
int judge_ask_reputation(void *ctx, struct bytes mailbox,
    const struct judge_sender *s, struct judge_reputation *out);
int judge_ask_listed(void *ctx, struct judge_listing *out);

#endif
