/*
 * config-compile - check the configuration and put config.cdb in place
 */
#include "base/base.h"
#include "config/config.h"

#include <errno.h>
#include <unistd.h>

static const char usage[] = "usage: config-compile [-n | -k]";

/* The schema, one key a line: file section key type default. */
static int
print_keys(void)
{
	static const char *const files[] = {
		"main.conf", "domain.conf", "account.conf"
	};
	struct buf line = BUF_INIT(4096);
	const struct config_section *s;
	const struct config_key *k;
	char space[8192];
	struct writer w;

	writer_init(&w, STDOUT_FILENO, space, sizeof(space));
	for (s = config_sections; s->section != NULL; s++) {
		for (k = config_schema; k->section != NULL; k++) {
			if (strcmp(k->section, s->section) != 0)
				continue;
			buf_reset(&line);
			buf_printf(&line, "%s\t%s\t%s\t", files[s->file],
			    k->section, k->key);
			config_type_format(&line, k);
			buf_addc(&line, '\t');
			config_standard_format(&line, k);
			buf_addc(&line, '\n');
			writer_add(&w, buf_bytes(&line));
		}
	}
	buf_free(&line);
	return writer_flush(&w);
}

/* One problem, as editors and compilers write them: FILE:LINE: TEXT. */
static void
print_problem(const struct config_problem *p)
{
	struct buf line = BUF_INIT(16384);

	buf_printf(&line, "%s/%s:", dir_etc(), p->file);
	if (p->line > 0)
		buf_printf(&line, "%u:", p->line);
	buf_printf(&line, " %s%s\n", p->warning ? "warning: " : "", p->text);
	/* Nobody to tell that standard error cannot be written. */
	(void)io_write_all(STDERR_FILENO, buf_bytes(&line), DEADLINE_NONE);
	buf_free(&line);
}

static int
compile(bool check_only)
{
	struct config_problems problems = { .first = NULL };
	const struct config_problem *p;
	struct arena a = ARENA_INIT;
	const char *failed = NULL;
	int r, err;

	r = config_compile(&a, dir_etc(), dir_var(), check_only, &problems,
	    &failed);
	err = errno;
	for (p = problems.first; p != NULL; p = p->next)
		print_problem(p);
	if (r == -1 && problems.errors > 0)
		msg_die(EXIT_PERM, "cannot compile configuration: %zu "
		    "error%s, nothing was changed", problems.errors,
		    problems.errors == 1 ? "" : "s");
	if (r == -1) {
		errno = err;
		msg_diesys(exit_for(err), "cannot %s configuration: %s",
		    check_only ? "check" : "compile", failed);
	}
	arena_free(&a);
	return EXIT_YES;
}

int
main(int argc, char *argv[])
{
	bool check_only = false, keys = false;
	int c;

	msg_init("config-compile");
	while ((c = getopt(argc, argv, "kn")) != -1) {
		switch (c) {
		case 'k':
			keys = true;
			break;
		case 'n':
			check_only = true;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (optind != argc || (keys && check_only))
		msg_die(EXIT_PERM, "%s", usage);
	if (!keys)
		return compile(check_only);
	if (print_keys() == -1)
		msg_diesys(exit_for(errno), "cannot write keys");
	return EXIT_YES;
}
