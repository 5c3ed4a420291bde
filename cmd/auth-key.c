/*
 * auth-key - public keys by which clients log in
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sasl/sasl.h"

static const char usage[] =
    "usage: auth-key add [-P] [-l login] [-n name] -a account\n"
    "       auth-key gen [-n name] [-t type] prefix\n"
    "       auth-key list [-a account]\n"
    "       auth-key remove -a account key";

#define PEM_MAX (64 * 1024)

struct options {
	char account[SASL_ACCOUNT_MAX + 1];	/* "": all */
	const char *given, *login, *name, *operand;
	enum clientkey_type type;
	bool no_preauth, typed;
};

static struct sasl_db *
open_table(void)
{
	struct sasl_db *db = sasl_db_open(dir_var(), true);

	if (db == NULL)
		msg_diesys(exit_for(errno), "cannot open %s/auth", dir_var());
	return db;
}

/* An account, given by its name or an address of it. */
static void
find_account(const char *name, char account[SASL_ACCOUNT_MAX + 1])
{
	int r = sasl_account_named(name, account);

	if (r == -1)
		msg_diesys(exit_for(errno), "cannot look up account");
	if (r == 0)
		msg_die(EXIT_PERM, "no such account: %s", name);
}

/* ---- add ---- */

static void
read_key(struct sasl_client_key *k)
{
	struct buf pem = BUF_INIT(PEM_MAX);
	const char *why;

	if (io_read_all(STDIN_FILENO, &pem, DEADLINE_NONE) == -1)
		msg_diesys(exit_for(errno), "cannot read key");
	if (clientkey_id(buf_bytes(&pem), k->id, &why) == -1)
		msg_die(EXIT_PERM, "cannot use key: %s", why);
	buf_free(&pem);
}

static int
add(const struct options *o)
{
	const char *login = o->login != NULL ? o->login : o->given;
	const char *name = o->name != NULL ? o->name : "key";
	struct sasl_client_key k = { .no_preauth = o->no_preauth,
	    .added = time_wall_us() / 1000000 };
	char text[CLIENTKEY_ID_CHARS + 1], owner[SASL_ACCOUNT_MAX + 1];
	struct sasl_db *db;

	if (!sasl_label_valid(bytes_str(name)))
		msg_die(EXIT_PERM, "cannot use name: 1 to %d bytes of text",
		    SASL_LABEL_MAX);
	find_account(login, owner);
	if (strcmp(owner, o->account) != 0)
		msg_die(EXIT_PERM, "%s is not of account %s", login,
		    o->account);
	if (strlen(login) > SASL_NAME_MAX)
		msg_die(EXIT_PERM, "cannot use login: over %d bytes",
		    SASL_NAME_MAX);
	memcpy(k.account, o->account, strlen(o->account));
	memcpy(k.login, login, strlen(login));
	memcpy(k.label, name, strlen(name));
	read_key(&k);
	db = open_table();
	if (sasl_db_key_add(db, &k) == -1) {
		if (errno == EEXIST)
			msg_die(EXIT_PERM, "that key is there already");
		if (errno == EMSGSIZE)
			msg_die(EXIT_PERM, "%s has %d keys", o->account,
			    SASL_KEYS_MAX);
		msg_diesys(exit_for(errno), "cannot store key");
	}
	sasl_db_close(db);
	clientkey_id_format(k.id, text);
	if (printf("%s\n", text) < 0 || fflush(stdout) == EOF)
		msg_diesys(EXIT_TEMP, "cannot print key");
	return EXIT_YES;
}

/* ---- list and remove ---- */

/* Key, account, login, date, name and flag; a TAB between. */
static int
list_keys(const struct options *o)
{
	struct sasl_db *db = open_table();
	struct sasl_client_key *list;
	char text[CLIENTKEY_ID_CHARS + 1];
	struct date d;
	size_t count, i;

	if (sasl_db_key_list(db, o->account[0] != '\0' ? o->account : NULL,
	    &list, &count) == -1)
		msg_diesys(exit_for(errno), "cannot read keys");
	for (i = 0; i < count; i++) {
		clientkey_id_format(list[i].id, text);
		d = date_from_unix(list[i].added);
		(void)printf("%s\t%s\t%s\t%04lld-%02d-%02d\t%s%s\n", text,
		    list[i].account, list[i].login, (long long)d.year,
		    d.month, d.day, list[i].label, list[i].no_preauth
		    ? "\tno-preauth" : "");		/* see fflush */
	}
	free(list);
	sasl_db_close(db);
	if (fflush(stdout) == EOF || ferror(stdout))
		msg_diesys(EXIT_TEMP, "cannot print keys");
	return EXIT_YES;
}

static int
remove_key(const struct options *o)
{
	unsigned char id[CLIENTKEY_ID_BYTES];
	struct sasl_db *db;
	int r;

	if (clientkey_id_parse(bytes_str(o->operand), id) == -1)
		msg_die(EXIT_PERM, "not the id of a key: %s", o->operand);
	db = open_table();
	r = sasl_db_key_remove(db, o->account, id);
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot remove key");
	sasl_db_close(db);
	if (r == 0)
		msg_warn("%s has no such key", o->account);
	return r == 1 ? EXIT_YES : EXIT_NO;
}

/* ---- gen ---- */

static void
write_file(const char *prefix, const char *suffix, mode_t mode,
    const struct buf *b)
{
	struct arena a = ARENA_INIT;
	const char *path = arena_printf(&a, "%s%s", prefix, suffix);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd == -1)
		msg_diesys(errno == EEXIST ? EXIT_PERM : exit_for(errno),
		    "cannot create %s", path);
	if (io_write_all(fd, buf_bytes(b), DEADLINE_NONE) == -1 ||
	    close(fd) == -1)
		msg_diesys(exit_for(errno), "cannot write %s", path);
	arena_free(&a);
}

/* A name that is the same in a certificate and between quotes in a shell. */
static bool
is_plain(const char *s)
{
	for (; *s != '\0'; s++) {
		if (strchr("\"'`$\\/=+", *s) != NULL)
			return false;
	}
	return true;
}

static void
print_commands(const struct options *o, const char *name,
    const char *password)
{
	static const char *const how[] = {
		[CLIENTKEY_ECDSA] = "-algorithm EC "
		    "-pkeyopt ec_paramgen_curve:P-256",
		[CLIENTKEY_RSA] = "-algorithm RSA "
		    "-pkeyopt rsa_keygen_bits:2048",
		[CLIENTKEY_ED25519] = "-algorithm ED25519",
	};
	const char *p = o->operand;

	(void)printf("# made, as these commands do it:\n"
	    "openssl genpkey %s -out %s.key.pem\n"
	    "openssl req -x509 -new -key %s.key.pem -subj \"/CN=%s\" "
	    "-days 36500 -out %s.cert.pem\n"
	    "openssl pkcs12 -export -inkey %s.key.pem -in %s.cert.pem "
	    "-name \"%s\" -out %s.p12\n"
	    "# the password of %s.p12:\n%s\n"
	    "# let it log in:\n"
	    "auth-key add -n \"%s\" -a ACCOUNT < %s.cert.pem\n",
	    how[o->type], p, p, name, p, p, p, name, p, p, password, name,
	    p);		/* see fflush */
	if (fflush(stdout) == EOF || ferror(stdout))
		msg_diesys(EXIT_TEMP, "cannot print password");
}

static void
wipe(struct buf *b)
{
	secret_wipe(b->p, b->size);
	buf_free(b);
}

static int
generate(const struct options *o)
{
	const char *name = o->name != NULL ? o->name : "mail";
	struct buf key = BUF_INIT(CLIENTKEY_FILE_MAX);
	struct buf cert = BUF_INIT(CLIENTKEY_FILE_MAX);
	struct buf p12 = BUF_INIT(CLIENTKEY_FILE_MAX);
	char password[17];

	if (!sasl_label_valid(bytes_str(name)) || !is_plain(name))
		msg_die(EXIT_PERM, "cannot use name: 1 to %d bytes of text "
		    "without quotes and signs", SASL_LABEL_MAX);
	sasl_password_generate(password);
	if (clientkey_generate(o->type, name, password, &key, &cert,
	    &p12) == -1)
		msg_diesys(exit_for(errno), "cannot make a key");
	write_file(o->operand, ".key.pem", 0600, &key);
	write_file(o->operand, ".cert.pem", 0644, &cert);
	write_file(o->operand, ".p12", 0600, &p12);
	print_commands(o, name, password);
	wipe(&key);
	wipe(&cert);
	wipe(&p12);
	secret_wipe(password, sizeof(password));
	return EXIT_YES;
}

/* ---- options ---- */

static enum clientkey_type
parse_type(const char *s)
{
	if (strcmp(s, "rsa") == 0)
		return CLIENTKEY_RSA;
	if (strcmp(s, "ed25519") == 0)
		return CLIENTKEY_ED25519;
	if (strcmp(s, "ecdsa") != 0)
		msg_die(EXIT_PERM, "no such type of key: %s", s);
	return CLIENTKEY_ECDSA;
}

static void
parse_options(int argc, char *argv[], struct options *o)
{
	int c;

	optind = 2;
	while ((c = getopt(argc, argv, "Pa:l:n:t:")) != -1) {
		switch (c) {
		case 'P':
			o->no_preauth = true;
			break;
		case 'a':
			o->given = optarg;
			break;
		case 'l':
			o->login = optarg;
			break;
		case 'n':
			o->name = optarg;
			break;
		case 't':
			o->type = parse_type(optarg);
			o->typed = true;
			break;
		default:
			msg_usage(usage);
		}
	}
	if (argc - optind > 1)
		msg_usage(usage);
	o->operand = argv[optind];	/* NULL: none */
}

int
main(int argc, char *argv[])
{
	/* What each verb takes. */
	static const struct {
		const char *verb;
		bool account, needs_account, operand, login, name, type;
		int (*run)(const struct options *o);
	} verbs[] = {
		{ "add", true, true, false, true, true, false, add },
		{ "gen", false, false, true, false, true, true, generate },
		{ "list", true, false, false, false, false, false,
		    list_keys },
		{ "remove", true, true, true, false, false, false,
		    remove_key },
	};
	struct options o = { .type = CLIENTKEY_ECDSA };
	size_t i = 0;

	msg_init("auth-key");
	while (i < 4 && (argc < 2 || strcmp(argv[1], verbs[i].verb) != 0))
		i++;
	if (i == 4)
		msg_usage(usage);
	parse_options(argc, argv, &o);
	if ((o.given != NULL && !verbs[i].account) ||
	    (o.given == NULL && verbs[i].needs_account) ||
	    (o.operand != NULL) != verbs[i].operand ||
	    ((o.login != NULL || o.no_preauth) && !verbs[i].login) ||
	    (o.name != NULL && !verbs[i].name) ||
	    (o.typed && !verbs[i].type))
		msg_usage(usage);
	if (o.given != NULL)
		find_account(o.given, o.account);
	return verbs[i].run(&o);
}
