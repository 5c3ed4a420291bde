#include <unistd.h>

#include "dkim/dkim.h"
#include "stage/stage.h"

static const char usage[] = "usage: dkim-verify [-lpqt] [-T time] < message";

int
main(int argc, char *argv[])
{
	struct stage_filter f = STAGE_FILTER_INIT;
	struct dkim_policy policy = { 0 };
	bool server_policy = false;
	uint64_t now;
	int c;

	msg_init("dkim-verify");
	while ((c = getopt(argc, argv, "lpqtT:")) != -1) {
		switch (c) {
		case 'l':
			policy.allow_length = true;
			break;
		case 'p':
			server_policy = true;
			break;
		case 't':
			policy.allow_testing = true;
			break;
		case 'T':
			if (num_parse(bytes_str(optarg), 1, INT64_MAX,
			    &now) == -1)
				msg_die(EXIT_PERM, "bad time: %s", optarg);
			policy.now = (int64_t)now;
			break;
		default:
			if (!stage_filter_option(&f, c, optarg))
				msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (optind != argc)
		msg_die(EXIT_PERM, "%s", usage);
	if (f.quiet && !server_policy)
		policy.allow_length = policy.allow_testing = true;
	f.check = &policy;
	dkim_init();
	c = stage_filter_main(&stage_dkim, &f);
	if (f.why[0] != '\0')
		msg_die(c, "%s", f.why);
	return c;
}
