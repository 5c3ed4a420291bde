/*
 * passwd-app - app passwords of an account
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "config/config.h"
#include "sasl/sasl.h"

static const char usage[] =
    "usage: passwd-app add -a account -n name [-p services]\n"
    "       passwd-app list -a account\n"
    "       passwd-app remove -a account -n name";

struct options {
	char account[SASL_ACCOUNT_MAX + 1];
	const char *name, *services;
	bool cram;
};

static struct sasl_db *
open_table(void)
{
	struct sasl_db *db = sasl_db_open(dir_var(), true);

	if (db == NULL)
		msg_diesys(exit_for(errno), "cannot open %s/auth", dir_var());
	return db;
}

static void
check_services(struct bytes s)
{
	struct bytes word;
	size_t i;

	if (s.n > SASL_PARAM_MAX)
		msg_die(EXIT_PERM, "cannot use services: over %d bytes",
		    SASL_PARAM_MAX);
	do {
		bytes_split(&s, ',', &word);
		for (i = 0; i < word.n && (ascii_is_lower(word.p[i]) ||
		    ascii_is_digit(word.p[i]) || word.p[i] == '-'); i++)
			;
		if (word.n == 0 || i < word.n)
			msg_die(EXIT_PERM, "cannot use services: names "
			    "with commas between, such as imap,smtp");
	} while (s.n > 0);
}

static void
add(const struct options *o)
{
	struct sasl_db *db = open_table();
	struct sasl_credential app = { .label = "" }, *list;
	char password[17];
	size_t count;

	if (o->services != NULL) {
		check_services(bytes_str(o->services));
		memcpy(app.services, o->services, strlen(o->services));
	}
	memcpy(app.label, o->name, strlen(o->name));
	if (sasl_db_credentials(db, o->account, &list, &count) == -1)
		msg_diesys(exit_for(errno), "cannot read keys of %s",
		    o->account);
	sasl_password_generate(password);
	if (sasl_verifier_make(bytes_str(password), count > 0
	    ? &list[0].verifier : NULL, o->cram, &app.verifier) == -1)
		msg_diesys(exit_for(errno), "cannot derive keys");
	sasl_credentials_wipe(list, count);
	if (sasl_db_app_add(db, o->account, &app) == -1) {
		if (errno == EEXIST)
			msg_die(EXIT_PERM, "%s has an app password %s",
			    o->account, o->name);
		if (errno == EMSGSIZE)
			msg_die(EXIT_PERM, "%s has %d app passwords",
			    o->account, SASL_APPS_MAX);
		msg_diesys(exit_for(errno), "cannot store app password");
	}
	sasl_db_close(db);
	secret_wipe(&app, sizeof(app));
	if (printf("%s\n", password) < 0 || fflush(stdout) == EOF)
		msg_diesys(EXIT_TEMP, "cannot print password");
	secret_wipe(password, sizeof(password));
}

/* Name, services, date; a TAB between. */
static void
list_apps(const struct options *o)
{
	struct sasl_db *db = open_table();
	struct sasl_credential *list;
	struct date d;
	size_t count, i;

	if (sasl_db_credentials(db, o->account, &list, &count) == -1)
		msg_diesys(exit_for(errno), "cannot read keys of %s",
		    o->account);
	for (i = 0; i < count; i++) {
		if (list[i].label[0] == '\0')
			continue;
		d = date_from_unix(list[i].verifier.changed);
		(void)printf("%s\t%s\t%04lld-%02d-%02d\n", list[i].label,
		    list[i].services[0] != '\0' ? list[i].services : "all",
		    (long long)d.year, d.month, d.day);	/* see fflush */
	}
	sasl_credentials_wipe(list, count);
	sasl_db_close(db);
	if (fflush(stdout) == EOF || ferror(stdout))
		msg_diesys(EXIT_TEMP, "cannot print app passwords");
}

static int
remove_app(const struct options *o)
{
	struct sasl_db *db = open_table();
	int r = sasl_db_app_remove(db, o->account, o->name);

	if (r == -1)
		msg_diesys(exit_for(errno), "cannot remove app password");
	sasl_db_close(db);
	if (r == 0)
		msg_warn("%s has no app password %s", o->account, o->name);
	return r == 1 ? EXIT_YES : EXIT_NO;
}

static void
find_account(struct options *o, const char *name)
{
	struct config *c = config_open();
	int r;

	if (c == NULL)
		msg_die(exit_for(errno), "cannot open configuration: "
		    "%s", config_reason(errno));
	r = sasl_account_of(c, bytes_str(name), o->account);
	o->cram = config_get_bool(c, "auth", NULL, "cram-md5");
	config_close(c);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot look up account");
	if (r == 0)
		msg_die(EXIT_PERM, "no such account: %s", name);
}

int
main(int argc, char *argv[])
{
	struct options o = { .name = NULL };
	const char *verb = argc > 1 ? argv[1] : "", *account = NULL;
	bool adding = strcmp(verb, "add") == 0;
	bool removing = strcmp(verb, "remove") == 0;
	int c;

	msg_init("passwd-app");
	optind = 2;
	while (argc > 1 && (c = getopt(argc, argv, "a:n:p:")) != -1) {
		switch (c) {
		case 'a':
			account = optarg;
			break;
		case 'n':
			o.name = optarg;
			break;
		case 'p':
			o.services = optarg;
			break;
		default:
			msg_usage(usage);
		}
	}
	if ((!adding && !removing && strcmp(verb, "list") != 0) ||
	    argc != optind || account == NULL ||
	    (adding || removing) != (o.name != NULL) ||
	    (!adding && o.services != NULL))
		msg_usage(usage);
	if (o.name != NULL && !sasl_label_valid(bytes_str(o.name)))
		msg_die(EXIT_PERM, "cannot use name: 1 to %d bytes of text",
		    SASL_LABEL_MAX);
	find_account(&o, account);
	if (removing)
		return remove_app(&o);
	if (adding)
		add(&o);
	else
		list_apps(&o);
	return EXIT_YES;
}
