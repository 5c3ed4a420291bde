/* exits.c - exit codes, the environment, the three directories */
#include "base/base.h"

#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>

int
exit_for(int err)
{
	switch (err) {
	case EBADMSG:		/* malformed */
	case EMSGSIZE:		/* over a limit */
	case EACCES:		/* refused by policy */
	case EINVAL:
	case ERANGE:
	case EILSEQ:
	case ENAMETOOLONG:
		return EXIT_PERM;
	default:
		return EXIT_TEMP;
	}
}

/* The first row with our code is the one used on the way out. */
static const struct {
	int ours, theirs;
} exit_table[] = {
	{ EXIT_YES, EX_OK },
	{ EXIT_PERM, EX_USAGE },
	{ EXIT_PERM, EX_DATAERR },
	{ EXIT_PERM, EX_NOINPUT },
	{ EXIT_PERM, EX_NOUSER },
	{ EXIT_PERM, EX_NOHOST },
	{ EXIT_PERM, EX_UNAVAILABLE },
	{ EXIT_PERM, EX_NOPERM },
	{ EXIT_TEMP, EX_TEMPFAIL },
};

int
exit_to_sysexits(int code)
{
	size_t i;

	if (code == EXIT_DROP)
		return EX_OK;
	for (i = 0; i < sizeof(exit_table) / sizeof(exit_table[0]); i++) {
		if (exit_table[i].ours == code)
			return exit_table[i].theirs;
	}
	return EX_TEMPFAIL;
}

int
exit_from_sysexits(int code)
{
	size_t i;

	for (i = 0; i < sizeof(exit_table) / sizeof(exit_table[0]); i++) {
		if (exit_table[i].theirs == code)
			return exit_table[i].ours;
	}
	return EXIT_TEMP;
}

const char *
env_get(const char *name)
{
	const char *v = getenv(name);

	return v == NULL || v[0] == '\0' ? NULL : v;
}

static const char *
dir(const char *name, const char *builtin)
{
	const char *v = env_get(name);

	return v == NULL ? builtin : v;
}

const char *
dir_etc(void)
{
	return dir("PIPEMAIL_ETC", ETCDIR);
}

const char *
dir_var(void)
{
	return dir("PIPEMAIL_VAR", VARDIR);
}

const char *
dir_run(void)
{
	return dir("PIPEMAIL_RUN", RUNDIR);
}
