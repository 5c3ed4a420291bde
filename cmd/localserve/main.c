/*
 * localserve - a whole mail server in one directory, for trying and testing
 *
 * Makes DIR if it is not there, then runs the service folders under
 * s6-svscan in the foreground, as the user who calls, on loopback only.
 */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PORT_BASE_MAX 60000	/* base + 1993 stays below 65536 */

static const char usage[] =
    "usage: localserve [-d dir] [-b portbase] [-w password]";

static const char *
default_dir(struct arena *a)
{
	const char *config = env_get("XDG_CONFIG_HOME");
	const char *home = env_get("HOME");

	if (config != NULL && config[0] == '/')
		return arena_printf(a, "%s/pipemail-localserve", config);
	if (home == NULL)
		msg_die(EXIT_PERM, "cannot choose a directory: HOME is not "
		    "set, and no -d was given");
	return arena_printf(a, "%s/.config/pipemail-localserve", home);
}

/* mkdir -p; the last one private. */
static void
make_dirs(struct arena *a, const char *path)
{
	struct bytes s = bytes_str(path);
	size_t i;

	for (i = 1; i <= s.n; i++) {
		if (i < s.n && path[i] != '/')
			continue;
		if (mkdir(arena_str(a, bytes_first(s, i)),
		    i == s.n ? 0700 : 0755) == -1 && errno != EEXIST)
			msg_diesys(exit_for(errno), "cannot create %s", path);
	}
}

static void
find_self(struct local *l)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path));
	struct bytes self = bytes_of(path, n > 0 ? (size_t)n : 0);
	size_t at;

	if (n <= 0 || (size_t)n >= sizeof(path) ||
	    !bytes_rchr(self, '/', &at))
		msg_die(EXIT_TEMP, "cannot find where localserve is installed");
	l->bin = arena_str(&l->arena, bytes_first(self, at));
	l->templates = arena_printf(&l->arena,
	    "%s/../../../share/pipemail/service", l->bin);
	if (access(l->templates, R_OK) == -1)
		l->templates = arena_printf(&l->arena, "%s/../../service",
		    l->bin);
	if (access(l->templates, R_OK) == -1)
		msg_diesys(EXIT_TEMP, "cannot find the service folders beside "
		    "%s", l->bin);
}

/* One localserve a directory: the lock lasts as long as the process. */
static void
lock_dir(struct local *l)
{
	const char *path = local_path(l, "lock");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd == -1)
		msg_diesys(exit_for(errno), "cannot open %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) == -1)
		msg_die(EXIT_TEMP, "cannot use %s: another localserve runs in "
		    "it", l->dir);
}

static void
make_env(struct local *l)
{
	static const struct {
		const char *name;
		int port;
	} listen[] = {
		{ "SMTP", 25 },
		{ "IMAP", 143 },
		{ "SUBMISSIONS", 465 },
		{ "SUBMISSION", 587 },
		{ "IMAPS", 993 },
		{ "HTTPS", 443 },
	};
	const char *extra[24];
	const char *path = env_get("PATH");
	size_t i, n = 0;

	extra[n++] = arena_printf(&l->arena, "PATH=%s:%s/../../../bin:%s",
	    l->bin, l->bin, path != NULL ? path : "/usr/bin:/bin");
	extra[n++] = arena_printf(&l->arena, "PIPEMAIL_ETC=%s/etc", l->dir);
	extra[n++] = arena_printf(&l->arena, "PIPEMAIL_VAR=%s/var", l->dir);
	extra[n++] = arena_printf(&l->arena, "PIPEMAIL_RUN=%s/run", l->dir);
	extra[n++] = arena_printf(&l->arena, "PIPEMAIL_LOG=%s/log", l->dir);
	extra[n++] = "PIPEMAIL_USER_NET=";
	extra[n++] = "PIPEMAIL_USER_MAIL=";
	extra[n++] = "PIPEMAIL_USER_AUTH=";
	extra[n++] = "PIPEMAIL_USER_TLS=";
	extra[n++] = "PIPEMAIL_USER_JWKS=";
	extra[n++] = "PIPEMAIL_USER_QUEUE=";
	extra[n++] = "PIPEMAIL_USER_STS=";
	extra[n++] = "PIPEMAIL_GROUP_NET=";
	extra[n++] = "PIPEMAIL_GROUP_QUEUE=";
	for (i = 0; i < sizeof(listen) / sizeof(listen[0]); i++)
		extra[n++] = arena_printf(&l->arena,
		    "PIPEMAIL_LISTEN_%s=127.0.0.1 %d", listen[i].name,
		    l->port_base + listen[i].port);
	if (env_get("PIPEMAIL_DNS") != NULL)
		extra[n++] = arena_printf(&l->arena, "PIPEMAIL_DNS=%s",
		    env_get("PIPEMAIL_DNS"));
	l->env = mem_zalloc(n + 1, sizeof(l->env[0]));
	for (i = 0; i < n; i++)
		l->env[i] = mem_strdup(extra[i]);
}

int
main(int argc, char *argv[])
{
	struct local l = { .arena = ARENA_INIT, .port_base = 1000 };
	uint64_t base;
	int c;

	msg_init("localserve");
	while ((c = getopt(argc, argv, "b:d:w:")) != -1) {
		switch (c) {
		case 'b':
			if (num_parse(bytes_str(optarg), 0, PORT_BASE_MAX,
			    &base) == -1)
				msg_die(EXIT_PERM, "cannot use port base %s: "
				    "0 to %d", optarg, PORT_BASE_MAX);
			l.port_base = (int)base;
			break;
		case 'd':
			l.dir = optarg;
			break;
		case 'w':
			l.password = optarg;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (optind != argc)
		msg_die(EXIT_PERM, "%s", usage);
	if (l.dir == NULL)
		l.dir = default_dir(&l.arena);
	make_dirs(&l.arena, l.dir);
	l.dir = realpath(l.dir, NULL);
	if (l.dir == NULL)
		msg_diesys(exit_for(errno), "cannot find the directory");
	find_self(&l);
	lock_dir(&l);
	make_env(&l);
	local_setup(&l);
	return local_supervise(&l);
}
