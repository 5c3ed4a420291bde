/* unix-bind - run a program with a listening Unix socket as descriptor 0 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"
#include "os/os.h"

static const char usage[] = "usage: unix-bind [-g group] [-m mode] "
    "[-o owner] [-p peer] [-u user] path program [arg ...]";

#define PEERS_MAX 256		/* bytes of PIPEMAIL_PEERS: 20 users */

struct options {
	const char *user, *group, *owner;
	struct buf peers;	/* the value of PIPEMAIL_PEERS */
	mode_t mode;
	uid_t uid, socket_uid;
	gid_t gid, socket_gid;
};

/* Octal, 0 to 777. */
static int
parse_mode(const char *s, mode_t *mode)
{
	mode_t v = 0;
	size_t i;

	for (i = 0; s[i] >= '0' && s[i] <= '7' && i < 4; i++)
		v = v * 8 + (mode_t)(s[i] - '0');
	if (i == 0 || s[i] != '\0' || v > 0777)
		return -1;
	*mode = v;
	return 0;
}

static void
find_user(const char *name, uid_t *uid, gid_t *gid)
{
	if (os_user(name, uid, gid) == -1)
		msg_diesys(errno == ENOENT ? EXIT_PERM : EXIT_TEMP,
		    "cannot find user %s", name);
}

/* The number goes on: the program need not look names up again. */
static void
add_peer(struct options *o, const char *name)
{
	uid_t uid;
	gid_t gid;

	if (name[0] == '\0')
		return;
	if (name[0] == '*' && name[1] == '\0') {
		if (buf_adds(&o->peers, o->peers.n == 0 ? "*" : " *") == -1)
			msg_die(EXIT_PERM, "cannot take so many peers");
		return;
	}
	find_user(name, &uid, &gid);
	if (buf_printf(&o->peers, "%s%lu", o->peers.n == 0 ? "" : " ",
	    (unsigned long)uid) == -1)
		msg_die(EXIT_PERM, "cannot take so many peers");
}

static void
parse_options(struct options *o, int argc, char *argv[])
{
	int c;

	while ((c = getopt(argc, argv, "+g:m:o:p:u:")) != -1) {
		switch (c) {
		case 'g':
			o->group = optarg[0] != '\0' ? optarg : NULL;
			break;
		case 'm':
			if (parse_mode(optarg, &o->mode) == -1)
				msg_die(EXIT_PERM, "%s", usage);
			break;
		case 'o':
			o->owner = optarg[0] != '\0' ? optarg : NULL;
			break;
		case 'p':
			add_peer(o, optarg);
			break;
		case 'u':
			o->user = optarg[0] != '\0' ? optarg : NULL;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (argc - optind < 2)
		msg_die(EXIT_PERM, "%s", usage);
}

static void
find_ids(struct options *o)
{
	o->socket_uid = (uid_t)-1;	/* for chown: as it is */
	o->socket_gid = (gid_t)-1;
	if (o->user != NULL) {
		find_user(o->user, &o->uid, &o->gid);
		o->socket_uid = o->uid;
		o->socket_gid = o->gid;
	}
	if (o->owner != NULL)
		find_user(o->owner, &o->socket_uid, &o->socket_gid);
	if (o->group != NULL && os_group(o->group, &o->socket_gid) == -1)
		msg_diesys(errno == ENOENT ? EXIT_PERM : EXIT_TEMP,
		    "cannot find group %s", o->group);
}

/* What the caller's environment says is for its own socket. */
static void
hand_down_peers(struct options *o)
{
	struct arena a = ARENA_INIT;
	int r = o->peers.n == 0 ? unsetenv("PIPEMAIL_PEERS")
	    : setenv("PIPEMAIL_PEERS", arena_str(&a, buf_bytes(&o->peers)),
	    1);

	if (r == -1)
		msg_diesys(EXIT_TEMP, "cannot set the environment");
	arena_free(&a);
	buf_free(&o->peers);
}

int
main(int argc, char *argv[])
{
	struct options o = { .mode = 0600, .peers = BUF_INIT(PEERS_MAX) };
	const char *path;
	int fd, code;

	msg_init("unix-bind");
	parse_options(&o, argc, argv);
	find_ids(&o);
	argv += optind;
	path = argv[0];
	if ((fd = os_listen_unix(path, o.mode)) == -1)
		msg_diesys(exit_for(errno), "cannot listen on %s", path);
	if (chown(path, o.socket_uid, o.socket_gid) == -1)
		msg_diesys(EXIT_TEMP, "cannot give %s away", path);
	hand_down_peers(&o);
	if (os_to_stdin(fd) == -1)
		msg_diesys(EXIT_TEMP, "cannot move the socket");
	if (o.user != NULL && os_drop(o.uid, o.gid) == -1)
		msg_diesys(EXIT_TEMP, "cannot become user %s", o.user);
	code = spawn_exec(argv + 1);
	msg_diesys(code, "cannot run %s", argv[1]);
}
