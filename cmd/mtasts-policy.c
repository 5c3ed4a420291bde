/* mtasts-policy - write or check the text of a policy */
#include <errno.h>
#include <unistd.h>

#include "base/base.h"
#include "mtasts/mtasts.h"
#include "unicode/unicode.h"

static const char usage[] =
    "usage: mtasts-policy [-a age] [-m mode] host ...\n"
    "       mtasts-policy -c < policy";

#define AGE_SECONDS 86400	/* BEHAVIOUR 14: one day to begin with */

static void
write_out(struct bytes text)
{
	if (io_write_all(STDOUT_FILENO, text, DEADLINE_NONE) == -1)
		msg_diesys(exit_for(errno), "cannot write the policy");
}

/* What senders would understand, or why they would not. */
static int
print_policy(struct bytes text)
{
	struct buf out = BUF_INIT(MTASTS_ANSWER_MAX);
	struct arena a = ARENA_INIT;
	struct mtasts_policy p;
	const char *why;

	if (mtasts_policy_parse(text, &a, &p, &why) == -1)
		msg_die(EXIT_PERM, "cannot use the policy: %s", why);
	if (mtasts_policy_format(&p, &out) == -1)
		msg_diesys(EXIT_PERM, "cannot write the policy");
	write_out(buf_bytes(&out));
	buf_free(&out);
	arena_free(&a);
	return EXIT_YES;
}

static int
check_input(void)
{
	struct buf in = BUF_INIT(MTASTS_POLICY_MAX);
	int code;

	if (io_read_all(STDIN_FILENO, &in, DEADLINE_NONE) == -1)
		msg_diesys(exit_for(errno), "cannot read the policy");
	code = print_policy(buf_bytes(&in));
	buf_free(&in);
	return code;
}

/* Nothing that would begin a line of its own. */
static bool
is_line(const char *s)
{
	size_t at;

	return !bytes_chr(bytes_str(s), '\n', &at);
}

static int
make(const char *mode, uint64_t age, char *hosts[])
{
	struct buf text = BUF_INIT(MTASTS_POLICY_MAX);
	struct arena a = ARENA_INIT;
	struct bytes host;
	int code;

	if (!is_line(mode))
		msg_die(EXIT_PERM, "cannot use mode %s: not a word", mode);
	/* Results are not looked at: text.full tells in the end. */
	(void)buf_printf(&text, "version: STSv1\nmode: %s\n", mode);
	for (; *hosts != NULL; hosts++) {
		host = bytes_str(*hosts);
		if (!is_line(*hosts) || (!bytes_is_ascii(host) &&
		    idna_to_ascii(&a, host, &host, NULL) == -1))
			msg_die(EXIT_PERM, "cannot use %s: not a host name",
			    *hosts);
		(void)buf_printf(&text, "mx: %.*s\n", BYTES_ARG(host));
	}
	(void)buf_printf(&text, "max_age: %llu\n", (unsigned long long)age);
	if (text.full)
		msg_die(EXIT_PERM, "cannot make the policy: too many hosts");
	code = print_policy(buf_bytes(&text));
	buf_free(&text);
	arena_free(&a);
	return code;
}

int
main(int argc, char *argv[])
{
	const char *mode = "enforce";
	uint64_t age = AGE_SECONDS;
	bool check = false;
	int c;

	msg_init("mtasts-policy");
	while ((c = getopt(argc, argv, "a:cm:")) != -1) {
		switch (c) {
		case 'a':
			if (num_parse_duration(bytes_str(optarg), 0,
			    MTASTS_AGE_MAX, &age) == -1)
				msg_die(EXIT_PERM, "cannot use age %s: not "
				    "within 0 and a year", optarg);
			break;
		case 'c':
			check = true;
			break;
		case 'm':
			mode = optarg;
			break;
		default:
			msg_usage(usage);
		}
	}
	if (check == (argc != optind) && !bytes_eq(bytes_str(mode),
	    BYTES("none")))
		msg_usage(usage);
	return check ? check_input() : make(mode, age, argv + optind);
}
