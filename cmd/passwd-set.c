/*
 * passwd-set - set the password of an account
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "config/config.h"
#include "sasl/sasl.h"

static const char usage[] = "usage: passwd-set [-g] -a account";

/* The first line of input, without its end. 0, -1 errno. */
static int
read_line(struct buf *b)
{
	unsigned char space[SASL_PASSWORD_MAX + 2];
	struct bytes whole, line = BYTES_EMPTY;
	struct reader r;
	int got, saved;

	reader_init(&r, STDIN_FILENO, space, sizeof(space));
	buf_reset(b);
	got = reader_line(&r, &whole);
	saved = errno;
	if (got == 1) {
		(void)bytes_line(&whole, &line);	/* it is not empty */
		(void)buf_add(b, line);		/* fits: as large as space */
	}
	secret_wipe(space, sizeof(space));
	errno = saved;
	return got == -1 ? -1 : 0;
}

_Noreturn static void
die_reading(void)
{
	msg_diesys(errno == EMSGSIZE ? EXIT_PERM : EXIT_TEMP,
	    "cannot read password");
}

static void
prompt(const char *text)
{
	/* A terminal that takes no prompt still gives a password. */
	(void)io_write_all(STDERR_FILENO, bytes_str(text), DEADLINE_NONE);
}

/*
 * Ask on the terminal, twice, without echo. Signals wait until the terminal
 * is as it was.
 */
static void
ask(struct buf *b)
{
	struct buf again = BUF_INIT(SASL_PASSWORD_MAX + 2);
	struct termios old, quiet;
	sigset_t all, before;
	bool same;
	int r;

	if (tcgetattr(STDIN_FILENO, &old) == -1)
		msg_diesys(EXIT_TEMP, "cannot read terminal settings");
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	(void)sigfillset(&all);		/* neither can fail */
	(void)sigprocmask(SIG_BLOCK, &all, &before);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == -1)
		msg_diesys(EXIT_TEMP, "cannot turn echo off");
	prompt("Password: ");
	r = read_line(b);
	if (r == 0) {
		prompt("\nOnce more: ");
		r = read_line(&again);
	}
	prompt("\n");
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &old) == -1)
		msg_warnsys("cannot turn echo on");
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (r == -1)
		die_reading();
	same = bytes_eq(buf_bytes(b), buf_bytes(&again));
	if (again.size > 0)
		secret_wipe(again.p, again.size);
	buf_free(&again);
	if (!same)
		msg_die(EXIT_PERM, "the two passwords differ");
}

/* Derive and store; ends the program if that cannot be. */
static void
set_password(const char *account, struct bytes password, bool cram)
{
	struct buf normal = BUF_INIT(4 * SASL_PASSWORD_MAX);
	struct sasl_credential *list = NULL;
	struct sasl_verifier v;
	struct sasl_db *db;
	const char *why;
	size_t count;

	if (sasl_password_normal(password, &normal, &why) == -1 ||
	    (why = sasl_password_problem(buf_bytes(&normal))) != NULL)
		msg_die(EXIT_PERM, "cannot use password: %s", why);
	if ((db = sasl_db_open(dir_var(), true)) == NULL)
		msg_diesys(exit_for(errno), "cannot open %s/auth", dir_var());
	if (sasl_db_credentials(db, account, &list, &count) == -1)
		msg_diesys(exit_for(errno), "cannot read keys of %s",
		    account);
	if (count > 0 && list[0].label[0] == '\0' &&
	    sasl_verifier_check(&list[0].verifier, buf_bytes(&normal)) == 1)
		msg_warn("the password is the one it was before");
	/* The salt changes unless app passwords are bound to it. */
	if (sasl_verifier_make(buf_bytes(&normal), count > 0 &&
	    list[count - 1].label[0] != '\0' ? &list[count - 1].verifier
	    : NULL, cram, &v) == -1)
		msg_diesys(exit_for(errno), "cannot derive keys");
	secret_wipe(normal.p, normal.size);
	buf_free(&normal);
	sasl_credentials_wipe(list, count);
	if (sasl_db_put(db, account, &v) == -1)
		msg_diesys(exit_for(errno), "cannot store keys of %s",
		    account);
	sasl_db_close(db);
	secret_wipe(&v, sizeof(v));
}

/* The account's name, given as such or as one of its addresses. */
static void
find_account(const struct config *c, const char *name,
    char account[SASL_ACCOUNT_MAX + 1])
{
	int r = sasl_account_of(c, bytes_str(name), account);

	if (r == -1)
		msg_diesys(exit_for(errno), "cannot look up account");
	if (r == 0)
		msg_die(EXIT_PERM, "no such account: %s", name);
}

int
main(int argc, char *argv[])
{
	struct buf password = BUF_INIT(SASL_PASSWORD_MAX + 2);
	char account[SASL_ACCOUNT_MAX + 1], generated[17] = "";
	const char *name = NULL;
	bool generate = false, cram;
	struct config *config;
	int c;

	msg_init("passwd-set");
	while ((c = getopt(argc, argv, "a:g")) != -1) {
		switch (c) {
		case 'a':
			name = optarg;
			break;
		case 'g':
			generate = true;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (name == NULL || argc != optind)
		msg_die(EXIT_PERM, "%s", usage);
	if ((config = config_open()) == NULL)
		msg_die(exit_for(errno), "cannot open configuration: "
		    "%s", config_reason(errno));
	find_account(config, name, account);
	cram = config_get_bool(config, "auth", NULL, "cram-md5");
	if (!generate && config_get_bool(config, "account", account,
	    "no-custom-password"))
		msg_die(EXIT_PERM, "account %s takes generated passwords "
		    "only: use -g", account);
	config_close(config);
	if (generate) {
		sasl_password_generate(generated);
		(void)buf_adds(&password, generated);	/* fits */
	} else if (isatty(STDIN_FILENO)) {
		ask(&password);
	} else if (read_line(&password) == -1) {
		die_reading();
	}
	set_password(account, buf_bytes(&password), cram);
	if (password.size > 0)
		secret_wipe(password.p, password.size);
	buf_free(&password);
	if (generate && (printf("%s\n", generated) < 0 ||
	    fflush(stdout) == EOF))
		msg_diesys(EXIT_TEMP, "cannot print password");
	secret_wipe(generated, sizeof(generated));
	return EXIT_YES;
}
