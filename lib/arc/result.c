/* result.c - the verdict as a resinfo and as a line */
#include "arc/internal.h"

#include <sys/socket.h>

/* Reasons are constant text of ours without quotes. */
static void
add_remote(struct buf *out, const struct ip *remote)
{
	char text[IP_TEXT_MAX];

	/* A full buffer stays marked: the callers look at the end. */
	if (remote->family != 0)
		(void)buf_printf(out, remote->family == AF_INET
		    ? " smtp.remote-ip=%s" : " smtp.remote-ip=\"%s\"",
		    ip_format(remote, text));
}

int
arc_format_resinfo(struct buf *out, const struct arc_verdict *v,
    const struct ip *remote)
{
	(void)buf_printf(out, "arc=%s", arc_result_text(v->result));
	if (v->n > 0)
		(void)buf_printf(out, " (i=%zu sealed by %.*s)", v->n,
		    BYTES_ARG(v->set[v->n - 1].domain));
	if (v->reason[0] != '\0')
		(void)buf_printf(out, " reason=\"%s\"", v->reason);
	if (v->result == ARC_PASS)
		(void)buf_printf(out, " header.oldest-pass=%u",
		    v->oldest_pass);
	if (v->result != ARC_NONE)
		add_remote(out, remote);
	return out->full ? -1 : 0;
}

int
arc_format_line(struct buf *out, const struct arc_verdict *v)
{
	const struct arc_set *top = v->n > 0 ? &v->set[v->n - 1] : NULL;

	(void)buf_adds(out, arc_result_text(v->result));
	if (top != NULL)
		(void)buf_printf(out, "\t%.*s\t%.*s\t%zu",
		    BYTES_ARG(top->domain), BYTES_ARG(top->selector), v->n);
	else
		(void)buf_adds(out, "\t-\t-\t0");
	if (v->result == ARC_PASS)
		(void)buf_printf(out, "\t%u", v->oldest_pass);
	else
		(void)buf_adds(out, "\t-");
	if (v->instance > 0)
		(void)buf_printf(out, "\t%u", v->instance);
	else
		(void)buf_adds(out, "\t-");
	(void)buf_printf(out, "\t%s", v->reason[0] != '\0' ? v->reason : "-");
	return out->full ? -1 : 0;
}
