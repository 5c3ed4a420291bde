/* peers.c - which users may be served on a Unix socket */
#include "server/server.h"

#include <errno.h>
#include <unistd.h>

static int
peers_parse(struct server_peers *p, struct bytes words)
{
	struct arena a = ARENA_INIT;
	struct bytes word;
	gid_t gid;
	int r = 0;

	while (r == 0 && bytes_word(&words, &word)) {
		if (bytes_eq(word, BYTES("*"))) {
			p->any = true;
		} else if (p->n == SERVER_PEERS_MAX) {
			errno = EMSGSIZE;
			r = -1;
		} else {
			r = os_user(arena_str(&a, word), &p->uid[p->n], &gid);
			p->n++;
		}
	}
	arena_free(&a);
	return r;
}

int
server_peers_load(struct server_peers *p)
{
	struct server_peers new = { .n = 0 };
	const char *words = env_get(SERVER_PEERS_ENV);
	struct logline line;
	int err;

	if (words != NULL && peers_parse(&new, bytes_str(words)) == -1) {
		err = errno;
		log_begin(&line, LOG_ERROR, "peers");
		log_str(&line, "value", words);
		log_err(&line, err);
		log_end(&line);
		errno = err;
		return -1;
	}
	*p = new;
	return 0;
}

bool
server_uid_allowed(const struct server_peers *p, uid_t uid)
{
	size_t i;

	if (p->any || uid == 0 || uid == geteuid())
		return true;
	for (i = 0; i < p->n; i++) {
		if (p->uid[i] == uid)
			return true;
	}
	return false;
}

bool
server_peer_allowed(const struct server_peers *p, int fd)
{
	struct logline line;
	pid_t pid = 0;
	uid_t uid = (uid_t)-1;
	gid_t gid;
	int err = 0;

	if (os_peer(fd, &pid, &uid, &gid) == -1)
		err = errno;
	else if (server_uid_allowed(p, uid))
		return true;
	log_begin(&line, LOG_WARN, "peer-refused");
	log_num(&line, "uid", uid);
	log_num(&line, "pid", pid);
	if (err != 0)
		log_err(&line, err);
	log_end(&line);
	return false;
}
