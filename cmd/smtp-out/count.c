/*
 * count.c - counters for the administrator (T-6)
 */
#include "smtp_out.h"

/* The order of struct metric: what TLS-Required: No let pass, by result; then
 * refusals for REQUIRETLS. */
#define IGNORED(result) ((size_t)(result) - 1)	/* success is no finding */
#define REFUSED(why) ((size_t)TLSRESULTS - 1 + (size_t)(why))
#define COUNTERS REFUSED(COUNT_REASONS)

void
count_open(struct settings *s)
{
	static const char *const reasons[COUNT_REASONS] = { "policy",
	    "server" };
	const char *names[COUNTERS + 1] = { NULL };

	for (int r = TLSRESULT_SUCCESS + 1; r < TLSRESULTS; r++)
		names[IGNORED(r)] = arena_printf(&s->arena, "pipemail_"
		    "smtp_out_tls_required_no_ignored_total{result=\"%s\"}",
		    tlsresult_name((enum tlsresult)r));
	for (int i = 0; i < COUNT_REASONS; i++)
		names[REFUSED(i)] = arena_printf(&s->arena, "pipemail_"
		    "smtp_out_requiretls_refused_total{by=\"%s\"}",
		    reasons[i]);
	if ((s->metric = metric_open("net/smtp-out", names)) == NULL)
		msg_warnsys("cannot use %s/metrics/net/smtp-out: nothing is "
		    "counted", dir_run());
}

void
count_ignored(const struct job *j, enum tlsresult result)
{
	if (result != TLSRESULT_SUCCESS && j->tls == QUEUE_TLS_OPTIONAL)
		metric_add(j->settings->metric, IGNORED(result), 1);
}

void
count_refused(const struct job *j, enum count_reason reason)
{
	metric_add(j->settings->metric, REFUSED(reason), 1);
}
