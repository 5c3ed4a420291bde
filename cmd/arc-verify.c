#include <unistd.h>

#include "arc/arc.h"
#include "dkim/dkim.h"
#include "stage/stage.h"

static const char usage[] = "usage: arc-verify [-q] [-T time] < message";

int
main(int argc, char *argv[])
{
	struct stage_filter f = STAGE_FILTER_INIT;
	struct arc_policy policy = { 0 };
	uint64_t now;
	int c;

	msg_init("arc-verify");
	while ((c = getopt(argc, argv, "qT:")) != -1) {
		if (c == 'T') {
			if (num_parse(bytes_str(optarg), 1, INT64_MAX,
			    &now) == -1)
				msg_die(EXIT_PERM, "bad time: %s", optarg);
			policy.now = (int64_t)now;
		} else if (!stage_filter_option(&f, c, optarg)) {
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (optind != argc)
		msg_die(EXIT_PERM, "%s", usage);
	f.check = &policy;
	dkim_init();
	c = stage_filter_main(&stage_arc, &f);
	if (f.why[0] != '\0')
		msg_die(c, "%s", f.why);
	return c;
}
