/* setup.c - the directory of a localserve instance */
#include "local.h"

#include "config/config.h"
#include "os/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUTPUT_MAX (64 * 1024)		/* of a command of ours */
#define COMMAND_TIME_MS 30000
#define PASSWORD_BYTES 12		/* of randomness: 16 characters */

static const char main_conf[] =
    "# Made by localserve. Edit freely, then run config-compile.\n"
    "[server]\n"
    "hostname = localhost\n"
    "postmaster = " LOCAL_ACCOUNT "\n"
    "# every recipient of a hosted domain that is not known goes here\n"
    "unknown-recipients-to = " LOCAL_ADDRESS "\n"
    "# every domain is ours; local parts such as x-permerror simulate "
    "failures\n"
    "simulate = yes\n"
    "# clients are told of what other servers may not forgive\n"
    "pedantic = yes\n"
    "# no name server may be near: do not wait long for one\n"
    "dns-timeout = 3s\n"
    "# one address is every client here\n"
    "open-limits = 1000 1000 1000\n"
    "rate-limits = 1000000 1000000 1000000\n"
    "\n"
    "[tls]\n"
    "handshake-limits = 1000 1000 1000\n"
    "handshake-rate-limits = 1000000 1000000 1000000\n"
    "\n"
    "# logins on the submission port need no TLS here\n"
    "[submission]\n"
    "no-require-starttls = yes\n"
    "\n"
    "# nobody is kept waiting here\n"
    "[lmtp-in]\n"
    "first-time-delay = 0\n"
    "\n"
    "[auth]\n"
    "failures-per-minute = 1000 1000 1000\n"
    "failures-per-day = 100000 100000 100000\n"
    "\n"
    "# Answers given without asking the network, so that mail from this\n"
    "# machine passes SPF and DKIM.\n"
    "[static-dns \"localhost\"]\n"
    "a = 127.0.0.1\n"
    "aaaa = ::1\n"
    "txt = \"v=spf1 ip4:127.0.0.1/8 ip6:::1 ~all\"\n"
    "\n"
    "[static-dns \"1.0.0.127.in-addr.arpa\"]\n"
    "ptr = localhost\n";

static const char domain_conf[] =
    "# Mail for localhost is kept here.\n"
    "[domain]\n"
    "separators = +\n"
    "dkim = local dkim/local.pem\n";

static const char account_conf[] =
    "[account]\n"
    "full-name = Local mail\n"
    "address = " LOCAL_ADDRESS "\n"
    "# what was sent can be looked at for three days (queue-retired)\n"
    "keep-retired = 72h\n"
    "# copies of mail that is refused; a word lets a sender in (judge)\n"
    "rejects = Rejects\n"
    "subjectpass = 12h\n";

char *
local_path(struct local *l, const char *below)
{
	return arena_printf(&l->arena, "%s/%s", l->dir, below);
}

static void
make_dir(struct local *l, const char *below)
{
	const char *path = local_path(l, below);

	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		msg_diesys(exit_for(errno), "cannot create %s", path);
}

/* A small file with that text; an existing one is replaced. */
static void
write_file(const char *path, struct bytes text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW, mode);

	if (fd == -1)
		msg_diesys(exit_for(errno), "cannot create %s", path);
	if (io_write_all(fd, text, DEADLINE_NONE) == -1 || close(fd) == -1)
		msg_diesys(exit_for(errno), "cannot write %s", path);
}

static int
remove_entry(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path) == -1 && errno != ENOENT ? -1 : 0;
}

int
local_remove_tree(const char *path)
{
	if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == -1 &&
	    errno != ENOENT)
		return -1;
	return 0;
}

void
local_run(struct local *l, char *const argv[], struct bytes input,
    struct buf *out)
{
	int in[2], result[2], code;
	struct spawn s = { .argv = argv, .env = l->env };
	struct buf text = BUF_INIT(OUTPUT_MAX);
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) == -1 || pipe2(result, O_CLOEXEC) == -1)
		msg_diesys(EXIT_TEMP, "cannot make a pipe");
	s.fd[0] = in[0];
	s.fd[1] = result[1];
	s.fd[2] = STDERR_FILENO;
	if ((pid = spawn_start(&s)) == -1)
		msg_diesys(EXIT_TEMP, "cannot start %s", argv[0]);
	(void)close(in[0]);
	(void)close(result[1]);
	/* EPIPE: it does not read its input, and its exit code tells. */
	(void)io_write_all(in[1], input, deadline_in(COMMAND_TIME_MS));
	(void)close(in[1]);
	if (io_read_all(result[0], out != NULL ? out : &text,
	    deadline_in(COMMAND_TIME_MS)) == -1)
		msg_diesys(EXIT_TEMP, "cannot read from %s", argv[0]);
	(void)close(result[0]);
	buf_free(&text);
	code = spawn_wait(pid, false, deadline_in(COMMAND_TIME_MS), NULL);
	if (code != EXIT_YES)
		msg_die(code == EXIT_PERM ? EXIT_PERM : EXIT_TEMP,
		    "cannot go on: %s exited %d", argv[0], code);
}

/* Programs that run as the caller may send by sendmail. */
static const char *
local_user(struct local *l)
{
	const struct passwd *pw = getpwuid(getuid());

	return pw == NULL ? "" : arena_printf(&l->arena,
	    "local-user = %s mail\n", pw->pw_name);
}

/* The DKIM key for localhost, and its record among the static answers. */
static void
make_dkim_key(struct local *l)
{
	char *key = local_path(l, "etc/dkim/local.pem");
	char *make[] = { "dkim-key", "-t", "ed25519", "-o", key, NULL };
	char *print[] = { "dkim-key", "-p", key, NULL };
	struct buf conf = BUF_INIT(OUTPUT_MAX);
	struct buf record = BUF_INIT(OUTPUT_MAX);
	struct bytes rest, part;

	make_dir(l, "etc/dkim");
	local_run(l, make, BYTES_EMPTY, NULL);
	local_run(l, print, BYTES_EMPTY, &record);
	/* what is sent, to whomever, comes in by our own SMTP */
	if (buf_adds(&conf, main_conf) == -1 || buf_printf(&conf,
	    "\n[queue]\n%sroute = self to localhost\nroute = self\n"
	    "\n[transport \"self\"]\ntype = relay\nhost = 127.0.0.1\n"
	    "port = %d\n# our own certificate is signed by nobody\n"
	    "verify = no\n", local_user(l), l->port_base + 25) == -1 ||
	    buf_adds(&conf, "\n[static-dns \"local._domainkey.localhost\"]\n"
	    "txt = \"") == -1)
		msg_diesys(EXIT_PERM, "cannot write main.conf");
	/* zone file strings, which no quote is in, become one */
	rest = bytes_trim(buf_bytes(&record));
	while (bytes_split(&rest, '"', &part)) {
		if (!bytes_split(&rest, '"', &part))
			break;
		if (buf_add(&conf, part) == -1)
			msg_diesys(EXIT_PERM, "cannot write main.conf");
	}
	if (buf_adds(&conf, "\"\n") == -1)
		msg_diesys(EXIT_PERM, "cannot write main.conf");
	write_file(local_path(l, "etc/main.conf"), buf_bytes(&conf), 0644);
	buf_free(&conf);
	buf_free(&record);
}

static const char *
generate_password(struct local *l)
{
	unsigned char raw[PASSWORD_BYTES];
	struct buf text = BUF_INIT(64);
	const char *password;

	os_random(raw, sizeof(raw));
	if (base64url_encode(&text, bytes_of(raw, sizeof(raw))) == -1)
		msg_die(EXIT_TEMP, "cannot make a password");
	secret_wipe(raw, sizeof(raw));
	password = arena_str(&l->arena, buf_bytes(&text));
	buf_free(&text);
	return password;
}

static void
create(struct local *l)
{
	make_dir(l, "etc");
	make_dir(l, "etc/domains");
	make_dir(l, "etc/accounts");
	write_file(local_path(l, "etc/domains/localhost.conf"),
	    bytes_str(domain_conf), 0644);
	write_file(local_path(l, "etc/accounts/" LOCAL_ACCOUNT ".conf"),
	    bytes_str(account_conf), 0644);
	/* main.conf comes last: it says that the rest is there */
	if (local_remove_tree(local_path(l, "etc/dkim")) == -1)
		msg_diesys(EXIT_TEMP, "cannot clear %s/etc/dkim", l->dir);
	make_dkim_key(l);
	l->created = true;
	if (l->password == NULL)
		l->password = generate_password(l);
}

/* Copy one regular file with its mode. */
static void
copy_file(const char *from, const char *to)
{
	struct buf text = BUF_INIT(OUTPUT_MAX);
	struct stat st;

	if (stat(from, &st) == -1 ||
	    io_read_file(AT_FDCWD, from, &text) == -1)
		msg_diesys(exit_for(errno), "cannot read %s", from);
	write_file(to, buf_bytes(&text), st.st_mode & 0777);
	buf_free(&text);
}

/* The service folders are two levels deep: NAME/run, NAME/log/run. */
static void
copy_services(struct local *l, const char *from, const char *to)
{
	DIR *dir = opendir(from);
	struct dirent *e;

	if (dir == NULL)
		msg_diesys(exit_for(errno), "cannot read %s", from);
	if (mkdir(to, 0700) == -1)
		msg_diesys(exit_for(errno), "cannot create %s", to);
	while ((e = readdir(dir)) != NULL) {
		struct stat st;
		char *f = arena_printf(&l->arena, "%s/%s", from, e->d_name);
		char *t = arena_printf(&l->arena, "%s/%s", to, e->d_name);

		if (e->d_name[0] == '.')
			continue;
		if (stat(f, &st) == -1)
			msg_diesys(exit_for(errno), "cannot read %s", f);
		if (S_ISDIR(st.st_mode))
			copy_services(l, f, t);
		else
			copy_file(f, t);
	}
	(void)closedir(dir);	/* read only */
}

/* Whether jwks-fetch has something to do; else it is not started. */
static bool
fetches_keys(struct local *l)
{
	struct config *c = config_open_at(local_path(l, "var"));
	bool r;

	if (c == NULL)
		msg_die(exit_for(errno), "cannot open configuration: "
		    "%s", config_reason(errno));
	r = config_get_text(c, "oauth", NULL, "issuer").n > 0 &&
	    config_get_text(c, "oauth", NULL, "keys").n == 0;
	config_close(c);
	return r;
}

/* Keys and certificates for localhost, where there are none. */
static void
make_certificates(struct local *l)
{
	char *ecdsa[] = { "tls-cert", "localhost", NULL };
	char *rsa[] = { "tls-cert", "-r", "localhost", NULL };

	if (access(local_path(l, "etc/tls/localhost.pem"), F_OK) == -1)
		local_run(l, ecdsa, BYTES_EMPTY, NULL);
	if (access(local_path(l, "etc/tls/localhost.rsa.pem"), F_OK) == -1)
		local_run(l, rsa, BYTES_EMPTY, NULL);
}

void
local_setup(struct local *l)
{
	char *compile[] = { "config-compile", NULL };
	char *set[] = { "passwd-set", "-a", LOCAL_ACCOUNT, NULL };

	make_dir(l, "var");
	make_dir(l, "log");
	if (unlink(local_path(l, "ready")) == -1 && errno != ENOENT)
		msg_diesys(EXIT_TEMP, "cannot remove %s/ready", l->dir);
	if (local_remove_tree(local_path(l, "run")) == -1)
		msg_diesys(EXIT_TEMP, "cannot clear %s/run", l->dir);
	make_dir(l, "run");
	if (access(local_path(l, "etc/main.conf"), F_OK) == -1)
		create(l);
	local_run(l, compile, BYTES_EMPTY, NULL);
	make_certificates(l);
	if (l->password != NULL)
		local_run(l, set, bytes_str(arena_printf(&l->arena, "%s\n",
		    l->password)), NULL);
	copy_services(l, l->templates, local_path(l, "run/service"));
	if (!fetches_keys(l) && local_remove_tree(local_path(l,
	    "run/service/jwks-fetch")) == -1)
		msg_diesys(EXIT_TEMP, "cannot clear %s/run/service", l->dir);
}
