/* iprev-check - is the reverse name confirmed? See iprev-check(1) */
#include <unistd.h>

#include "base/base.h"
#include "stage/stage.h"

static const char usage[] = "usage: iprev-check [-q] [-i ip] < message";

int
main(int argc, char *argv[])
{
	struct stage_filter f = STAGE_FILTER_INIT;
	int c, code;

	msg_init("iprev-check");
	while ((c = getopt(argc, argv, "qi:")) != -1) {
		if (!stage_filter_option(&f, c, optarg))
			msg_die(EXIT_PERM, "%s", usage);
	}
	if (optind != argc)
		msg_die(EXIT_PERM, "%s", usage);
	code = stage_filter_main(&stage_iprev, &f);
	if (f.why[0] != '\0')
		msg_die(code, "%s", f.why);
	return code;
}
