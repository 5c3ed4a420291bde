/*
 * queue-requiretls - set whether verified TLS is demanded for queued messages
 */
#include <errno.h>
#include <unistd.h>

#include "qcmd/qcmd.h"

static const char usage[] =
    "usage: queue-requiretls -w yes|no|default " QCMD_USAGE " [id ...]";

static bool
parse_word(const char *text, uint64_t *tls)
{
	static const char *const words[] = { "default", "yes", "no" };

	for (*tls = 0; *tls < 3; ++*tls) {
		if (bytes_eq(bytes_str(text), bytes_str(words[*tls])))
			return true;
	}
	return false;
}

static int
set_tls(struct qcmd *q, struct arena *a, const struct queue_message *m,
    struct queue_rcpt *r, void *ctx)
{
	const uint64_t *tls = ctx;

	(void)q;
	(void)a;
	(void)m;	/* qcmd_change's form */
	if (r->tls == *tls)
		return 0;
	r->tls = *tls;
	return 1;
}

int
main(int argc, char *argv[])
{
	struct qcmd q;
	const char *text = "";
	uint64_t tls;
	int c, r;

	msg_init("queue-requiretls");
	qcmd_init(&q);
	while ((c = getopt(argc, argv, QCMD_OPTIONS "w:")) != -1) {
		if (c == 'w')
			text = optarg;
		else
			qcmd_option(&q, c, optarg);
	}
	if (qcmd_choice(&q, argv + optind, argc - optind) == -1) {
		if (q.problem == NULL)
			msg_usage(usage);
		msg_die(EXIT_PERM, "%s", q.problem);
	}
	if (!parse_word(text, &tls))
		msg_usage(usage);
	/* 0: nothing was ever queued */
	if ((r = qcmd_open(&q, false)) == 1)
		r = qcmd_change(&q, set_tls, &tls, STDOUT_FILENO);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot %s", q.problem);
	qcmd_close(&q);
	return r == 1 ? EXIT_YES : EXIT_NO;
}
