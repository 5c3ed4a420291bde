/*
 * auth-totp - the secret of an account's one-time passwords
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "config/config.h"
#include "sasl/sasl.h"

static const char usage[] =
    "usage: auth-totp set -a account\n"
    "       auth-totp show -a account\n"
    "       auth-totp check -a account\n"
    "       auth-totp remove -a account";

static void
print_uri(const struct totp *t, const char *account)
{
	struct config *c = config_open();
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT(4096);
	const char *host;

	if (c == NULL)
		msg_die(exit_for(errno), "cannot open configuration: "
		    "%s", config_reason(errno));
	host = arena_str(&a, config_get_text(c, "server", NULL, "hostname"));
	if (totp_uri(t, account, host, &b) == -1)
		msg_diesys(EXIT_PERM, "cannot make URI");
	if (printf("%.*s\n", BYTES_ARG(buf_bytes(&b))) < 0 ||
	    fflush(stdout) == EOF)
		msg_diesys(EXIT_TEMP, "cannot print secret");
	secret_wipe(b.p, b.size);
	buf_free(&b);
	arena_free(&a);
	config_close(c);
}

static void
set(struct sasl_db *db, const char *account)
{
	struct totp t;

	totp_make(&t, time_wall_us() / 1000000);
	if (sasl_db_totp_put(db, account, &t) == -1)
		msg_diesys(exit_for(errno), "cannot store secret");
	print_uri(&t, account);
	secret_wipe(&t, sizeof(t));
}

static int
show(struct sasl_db *db, const char *account)
{
	struct totp t;
	int r = sasl_db_totp_get(db, account, &t);

	if (r == -1)
		msg_diesys(exit_for(errno), "cannot read secret");
	if (r == 0) {
		msg_warn("%s has no one-time passwords", account);
		return EXIT_NO;
	}
	print_uri(&t, account);
	secret_wipe(&t, sizeof(t));
	return EXIT_YES;
}

/* The code is the first line of standard input. */
static int
check(struct sasl_db *db, const char *account)
{
	unsigned char space[64];
	struct bytes whole, code = BYTES_EMPTY;
	struct reader in;
	int r;

	reader_init(&in, STDIN_FILENO, space, sizeof(space));
	r = reader_line(&in, &whole);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot read code");
	if (r == 1)
		(void)bytes_line(&whole, &code);	/* it is not empty */
	r = sasl_db_totp_check(db, account, bytes_trim(code),
	    time_wall_us() / 1000000);
	if (r == -1 && errno == ENOENT)
		msg_die(EXIT_PERM, "%s has no one-time passwords", account);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot check code");
	return r == 1 ? EXIT_YES : EXIT_NO;
}

static int
remove_secret(struct sasl_db *db, const char *account)
{
	int r = sasl_db_totp_remove(db, account);

	if (r == -1)
		msg_diesys(exit_for(errno), "cannot remove secret");
	return r == 1 ? EXIT_YES : EXIT_NO;
}

static bool
is_verb(const char *s)
{
	return strcmp(s, "set") == 0 || strcmp(s, "show") == 0 ||
	    strcmp(s, "check") == 0 || strcmp(s, "remove") == 0;
}

static int
run(const char *verb, const char *account)
{
	struct sasl_db *db = sasl_db_open(dir_var(), true);
	int code = EXIT_YES;

	if (db == NULL)
		msg_diesys(exit_for(errno), "cannot open %s/auth", dir_var());
	if (strcmp(verb, "set") == 0)
		set(db, account);
	else if (strcmp(verb, "show") == 0)
		code = show(db, account);
	else if (strcmp(verb, "check") == 0)
		code = check(db, account);
	else
		code = remove_secret(db, account);
	sasl_db_close(db);
	return code;
}

int
main(int argc, char *argv[])
{
	char account[SASL_ACCOUNT_MAX + 1];
	const char *name = NULL;
	int c, r;

	msg_init("auth-totp");
	optind = 2;
	while (argc > 1 && (c = getopt(argc, argv, "a:")) != -1) {
		if (c != 'a')
			msg_usage(usage);
		name = optarg;
	}
	if (argc < 2 || name == NULL || argc != optind || !is_verb(argv[1]))
		msg_usage(usage);
	if ((r = sasl_account_named(name, account)) == -1)
		msg_diesys(exit_for(errno), "cannot look up account");
	if (r == 0)
		msg_die(EXIT_PERM, "no such account: %s", name);
	return run(argv[1], account);
}
