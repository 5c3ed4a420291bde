/* tcp-bind - run a program with a listening TCP socket as descriptor 0 */
#include <errno.h>
#include <unistd.h>

#include "base/base.h"
#include "os/os.h"

static const char usage[] =
    "usage: tcp-bind [-b backlog] [-u user] address port program [arg ...]";

struct options {
	const char *user;
	uint64_t backlog, port;
	struct ip ip;
};

static void
parse_operands(struct options *o, char *argv[])
{
	if (ip_parse(bytes_str(argv[0]), &o->ip) == -1)
		msg_die(EXIT_PERM, "cannot parse address %s", argv[0]);
	if (num_parse(bytes_str(argv[1]), 0, 65535, &o->port) == -1)
		msg_die(EXIT_PERM, "cannot parse port %s: "
		    "want a number from 0 to 65535", argv[1]);
}

static void
become(const char *user)
{
	uid_t uid;
	gid_t gid;

	if (os_user(user, &uid, &gid) == -1)
		msg_diesys(errno == ENOENT ? EXIT_PERM : EXIT_TEMP,
		    "cannot find user %s", user);
	if (os_drop(uid, gid) == -1)
		msg_diesys(EXIT_TEMP, "cannot become user %s", user);
}

int
main(int argc, char *argv[])
{
	struct options o = { .user = NULL };
	int c, fd, code;

	msg_init("tcp-bind");
	while ((c = getopt(argc, argv, "+b:u:")) != -1) {
		switch (c) {
		case 'b':
			if (num_parse(bytes_str(optarg), 1, 65535,
			    &o.backlog) == -1)
				msg_die(EXIT_PERM, "%s", usage);
			break;
		case 'u':
			o.user = optarg[0] != '\0' ? optarg : NULL;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	argv += optind;
	if (argc - optind < 3)
		msg_die(EXIT_PERM, "%s", usage);
	parse_operands(&o, argv);
	fd = os_listen_tcp(&o.ip, (int)o.port, (int)o.backlog);
	if (fd == -1)
		msg_diesys(EXIT_TEMP, "cannot listen on %s port %s", argv[0],
		    argv[1]);
	if (os_to_stdin(fd) == -1)
		msg_diesys(EXIT_TEMP, "cannot move the socket");
	if (o.user != NULL)
		become(o.user);
	code = spawn_exec(argv + 2);
	msg_diesys(code, "cannot run %s", argv[2]);
}
