/*
 * command.c - options and operands of the commands that choose recipients and
 * change them
 */
#include "qcmd/qcmd.h"

#include <errno.h>

#include "addr/addr.h"

void
qcmd_init(struct qcmd *q)
{
	*q = (struct qcmd){ .arena = ARENA_INIT };
	qcmd_filter_init(&q->filter);
	q->now = time_wall_us() / 1000000;
}

void
qcmd_option(struct qcmd *q, int option, const char *value)
{
	const char *why;

	if (q->is_wrong)
		return;
	if (option == '?')
		q->is_wrong = true;
	else if (qcmd_filter_option(&q->filter, option, value, q->now,
	    &why) == -1) {
		q->is_wrong = true;
		q->problem = arena_printf(&q->arena, "cannot use -%c %s: %s",
		    option, value, why);
	}
}

int
qcmd_choice(struct qcmd *q, char *const args[], int count)
{
	const char *bad;

	if (!q->is_wrong && qcmd_filter_ids(&q->filter, &q->arena, args,
	    (size_t)count, &bad) == -1) {
		q->is_wrong = true;
		q->problem = arena_printf(&q->arena, "no id of the queue: %s",
		    bad);
	}
	if (!q->is_wrong && q->filter.all != q->filter.given)
		return 0;
	errno = EINVAL;
	return -1;
}

int
qcmd_suppress_base(struct qcmd *q, const char *text, struct bytes *base)
{
	struct path path;
	const char *why = "";

	if (addr_parse_mailbox(&q->arena, bytes_str(text), ADDR_SMTPUTF8,
	    &path, &why) == -1) {
		q->problem = arena_printf(&q->arena, "no address: %s: %s",
		    text, why);
		q->is_wrong = true;
		errno = EBADMSG;
		return -1;
	}
	*base = queue_suppress_base(&q->arena,
	    addr_path_text(&q->arena, &path, false));
	return 0;
}
