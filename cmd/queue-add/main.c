/*
 * queue-add - take a message for sending
 */
#include "queue_add.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frame/frame.h"
#include "os/os.h"
#include "server/server.h"

static const char usage[] =
    "usage: queue-add [-m user] [-t user ...] [-u user]\n"
    "       queue-add -a account [-f sender] recipient ... < message";

#define REQUEST_TIMEOUT_MS 60000
/* Connections of one child. All of them lead to the same keys and the same
 * queue, so a child that was taken over gains nothing from the next. */
#define KEEP_CONNECTIONS 200
/* With what STAGE_GROWTH_MAX and headers may add to the largest size-limit. */
#define TEXT_MAX ((size_t)5 << 30)

struct service {
	struct program program;
	struct os_sandbox sandbox;
	struct server server;
	bool confined;			/* of a child */
	bool drop;			/* children become this user */
	uid_t uid;
	gid_t gid;
};

/* ---- configuration ---- */

static int
load(struct program *p)
{
	struct config *c = config_load();

	if (c == NULL) {
		msg_warn("cannot read %s/config.cdb: %s", dir_var(),
		    config_reason(errno));
		return -1;
	}
	submit_keys_close(p->keys);
	if (p->config != NULL)
		config_close(p->config);
	arena_reset(&p->arena);
	p->config = c;
	p->keys = submit_keys_open(c);
	p->config_file = arena_printf(&p->arena, "%s/config.cdb", dir_var());
	p->dir = arena_printf(&p->arena, "%s/queue", dir_var());
	p->file = arena_printf(&p->arena, "%s/db/data.mdb", p->dir);
	p->wake = arena_printf(&p->arena, "%s/queue", dir_run());
	return 0;
}

static void
unload(struct program *p)
{
	queue_close(p->queue);
	submit_keys_close(p->keys);
	if (p->config != NULL)
		config_close(p->config);
	arena_free(&p->arena);
}

static int
prepare(void *ctx)
{
	struct service *s = ctx;
	struct os_sandbox new;

	if (load(&s->program) == -1 ||
	    os_sandbox_make(&new, OS_SANDBOX_STORE) == -1)
		return -1;
	free(s->sandbox.filter);
	s->sandbox = new;
	s->server.watch_file = s->program.config_file;
	dkim_init();
	return 0;
}

/* ---- a connection ---- */

static bool
is_trusted(const struct program *p, uid_t uid)
{
	for (size_t i = 0; i < p->ntrusted; i++) {
		if (p->trusted[i] == uid)
			return true;
	}
	return false;
}

/* What main.conf gives the local user (local-user = USER ACCOUNT). */
static bool
local_account(struct program *p, struct arena *a, uid_t uid,
    struct bytes *account)
{
	struct config_list list;
	struct bytes value, user;
	uid_t named;
	gid_t gid;

	config_list(p->config, "queue", NULL, "local-user", &list);
	while (config_list_next(&list, &value)) {
		if (bytes_word(&value, &user) &&
		    os_user(arena_str(a, user), &named, &gid) == 0 &&
		    named == uid) {
			*account = bytes_trim(value);
			return true;
		}
	}
	return false;
}

/* Root, and who we are: may read the queue by itself. */
static bool
is_owner(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

/* Of a server: for reports others are asked; a DSN goes back to one. */
static bool
kind_allowed(const struct add_request *r)
{
	return r->kind == QUEUE_MESSAGE || (r->kind == QUEUE_DSN &&
	    r->sender.n == 0 && r->count == 1);
}

/* Whose account it is: what a server says (*trusted); for others, their own.
 * NULL, or why it is refused. */
static const char *
find_account(struct program *p, struct arena *a, int sock,
    struct add_request *r, bool *trusted)
{
	uid_t uid;
	gid_t gid;
	pid_t pid;

	*trusted = false;
	if (os_peer(sock, &pid, &uid, &gid) == -1)
		return "the user is not known";
	/* root's own mail has no account either, unless it is a local-user */
	if (is_owner(uid) && (r->account.n > 0 || r->kind != QUEUE_MESSAGE)) {
		*trusted = true;
		return NULL;
	}
	/* who delivers passes on what members elsewhere are to get */
	if (p->forwards && uid == p->forwarder && !is_owner(uid) &&
	    r->kind == QUEUE_FORWARD && !r->list) {
		*trusted = true;
		return NULL;
	}
	if (is_trusted(p, uid) && !is_owner(uid) && !r->list) {
		*trusted = true;
		return kind_allowed(r) ? NULL
		    : "a message of this kind is not taken from this user";
	}
	r->kind = QUEUE_MESSAGE;
	r->login = BYTES_EMPTY;
	return local_account(p, a, uid, &r->account) ? NULL
	    : "this user may not send mail: no local-user in main.conf";
}

/* The message from a descriptor, mapped if it is a file: of one who may say
 * whose it is anyway, or our own. *map is to be unmapped, or NULL. -1 errno. */
static int
map_text(struct arena *a, int fd, struct bytes *out, void **map)
{
	struct buf b = BUF_INIT(TEXT_MAX);
	struct stat st;
	void *p;

	*map = NULL;
	if (fstat(fd, &st) == -1)
		return -1;
	if (S_ISREG(st.st_mode) && st.st_size > 0) {
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd,
		    0);
		if (p == MAP_FAILED)
			return -1;
		*out = bytes_of(p, (size_t)st.st_size);
		*map = p;
		return 0;
	}
	if (io_read_all(fd, &b, DEADLINE_NONE) == -1) {
		buf_free(&b);
		return -1;
	}
	*out = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return 0;
}

/*
 * A copy of the message of a local user, who can write to the file while it
 * is looked at: what was checked must be what is signed and sent. No more
 * than may be sent is read, and nobody is waited for long. -1 errno.
 */
static int
copy_text(struct arena *a, int fd, size_t max, struct bytes *out)
{
	struct buf b = BUF_INIT(max);
	int r;

	(void)lseek(fd, 0, SEEK_SET);	/* a pipe has no place */
	if ((r = io_read_all(fd, &b, deadline_in(REQUEST_TIMEOUT_MS))) == 0)
		*out = arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return r;
}

static int
read_text(struct program *p, struct arena *a, int fd, bool trusted,
    struct bytes *out, void **map)
{
	uint64_t max = config_get_size(p->config, "server", NULL,
	    "size-limit");

	return trusted ? map_text(a, fd, out, map)
	    : copy_text(a, fd, max < TEXT_MAX ? (size_t)max : TEXT_MAX, out);
}

static void
refuse_text(struct add_reply *reply)
{
	bool large = errno == EMSGSIZE;

	reply->code = large ? 552 : 451;
	reply->status = large ? BYTES("5.3.4") : BYTES("4.3.0");
	reply->text = large ? BYTES("the message is too large")
	    : BYTES("the message cannot be read");
}

static void
answer(struct program *p, struct arena *a, int sock, struct bytes fields,
    int text_fd, struct add_reply *reply)
{
	struct add_request r;
	struct bytes text;
	const char *why;
	bool trusted;
	void *map = NULL;

	*reply = (struct add_reply){ .code = 554, .status = BYTES("5.5.0"),
	    .text = BYTES("malformed request"), .next = BYTES_EMPTY };
	if (add_parse_request(a, fields, &r) == -1)
		return;
	text = r.text;
	if ((why = find_account(p, a, sock, &r, &trusted)) != NULL) {
		reply->code = 550;
		reply->status = BYTES("5.7.1");
		reply->text = bytes_str(why);
	} else if (text_fd != -1 && read_text(p, a, text_fd, trusted,
	    &text, &map) == -1)
		refuse_text(reply);
	else if (r.list)
		list_request(p, a, &r, reply);
	else
		store_request(p, a, &r, text, reply);
	if (map != NULL)
		(void)munmap(map, text.n);	/* what is mapped can be */
}

/* The keys were opened by the parent: no file of theirs is in reach. */
static int
confine(struct service *s)
{
	if (s->confined)
		return 0;
	s->confined = true;
	if (s->drop && os_drop(s->uid, s->gid) == -1) {
		msg_warnsys("cannot become another user");
		return -1;
	}
	if (os_sandbox_enter(&s->sandbox) == -1) {
		msg_warnsys("cannot enter sandbox");
		return -1;
	}
	return 0;
}

/* Requests one after another, until the peer closes. */
static int
serve(struct server_conn *conn, void *ctx)
{
	struct service *s = ctx;
	struct buf in = BUF_INIT(FRAME_MAX), out = BUF_INIT(FRAME_MAX);
	struct arena a = ARENA_INIT;
	struct add_reply reply;
	struct bytes fields;
	int fds[1], r;
	size_t nfds = 1;

	if (confine(s) == -1)
		return EXIT_TEMP;
	while ((r = frame_recv(conn->in, &in, &fields, fds, &nfds,
	    deadline_in(REQUEST_TIMEOUT_MS))) == 1) {
		answer(&s->program, &a, conn->in, fields,
		    nfds == 1 ? fds[0] : -1, &reply);
		if (nfds == 1)
			(void)close(fds[0]);	/* read only */
		frame_done(&in);
		buf_reset(&out);
		if (add_format_reply(&out, &reply) == -1 ||
		    io_write_all(conn->out, buf_bytes(&out),
		    deadline_in(REQUEST_TIMEOUT_MS)) == -1) {
			r = -1;
			break;
		}
		arena_reset(&a);
		nfds = 1;
	}
	buf_free(&in);
	buf_free(&out);
	arena_free(&a);
	return r == 0 ? EXIT_YES : EXIT_TEMP;
}

/* ---- by hand ---- */

static int
exit_of(uint64_t code)
{
	return code < 300 ? EXIT_YES : code < 500 ? EXIT_TEMP : EXIT_PERM;
}

static int
by_hand(struct program *p, const char *account, const char *sender,
    char *const rcpts[], size_t count)
{
	struct arena a = ARENA_INIT;
	struct add_request r;
	struct add_reply reply;
	struct bytes text;
	void *map;
	char id[QUEUE_ID_TEXT];

	(void)add_parse_request(&a, BYTES_EMPTY, &r);	/* all zero */
	r.account = bytes_str(account);
	r.sender = bytes_str(sender);
	r.smtputf8 = 1;
	r.rcpts = arena_zalloc(&a, count, sizeof(*r.rcpts));
	for (r.count = 0; r.count < count; r.count++)
		r.rcpts[r.count] = (struct add_rcpt){
		    bytes_str(rcpts[r.count]), BYTES_EMPTY, 0 };
	if (load(p) == -1)
		return EXIT_TEMP;
	if (!config_account_exists(p->config, r.account))
		msg_die(EXIT_PERM, "there is no account %s", account);
	if (map_text(&a, STDIN_FILENO, &text, &map) == -1)
		msg_diesys(EXIT_TEMP, "cannot read message");
	store_request(p, &a, &r, text, &reply);
	if (reply.code >= 300)
		msg_die(exit_of(reply.code), "%llu %.*s %.*s",
		    (unsigned long long)reply.code, BYTES_ARG(reply.status),
		    BYTES_ARG(reply.text));
	queue_id_format(id, reply.id, 0);
	if (printf("%s\n", id) < 0 || fflush(stdout) != 0)
		msg_diesys(EXIT_TEMP, "cannot write");
	arena_free(&a);
	return EXIT_YES;
}

/* ---- main ---- */

static void
set_forwarder(struct program *p, const char *name)
{
	gid_t gid;

	if (name[0] == '\0')
		return;		/* who we are may, anyway */
	p->forwards = true;
	if (os_user(name, &p->forwarder, &gid) == -1)
		msg_diesys(exit_for(errno), "no user %s", name);
}

static void
add_trusted(struct program *p, const char *name)
{
	gid_t gid;

	if (name[0] == '\0')
		return;		/* who we are is trusted anyway */
	if (p->ntrusted == TRUSTED_MAX)
		msg_die(EXIT_PERM, "more than %d users with -t", TRUSTED_MAX);
	if (os_user(name, &p->trusted[p->ntrusted++], &gid) == -1)
		msg_diesys(exit_for(errno), "no user %s", name);
}

static void
set_user(struct service *s, const char *name)
{
	if (name[0] == '\0')
		return;		/* stay who we are */
	if (os_user(name, &s->uid, &s->gid) == -1)
		msg_diesys(exit_for(errno), "no user %s", name);
	s->drop = true;
}

static int
run(struct service *s)
{
	int code;

	s->server = (struct server){
		.name = "queue-add",
		.limits = SERVER_LIMITS_LOCAL,
		.refusal = "",
		.prepare = prepare,
		.serve = serve,
		.ctx = s,
		.keep = KEEP_CONNECTIONS,
		.notify_fd = -1,
	};
	code = server_run(&s->server);
	free(s->sandbox.filter);
	return code;
}

int
main(int argc, char *argv[])
{
	struct service s = { .program = { .config = NULL } };
	const char *account = NULL, *sender = NULL;
	int c, code;

	msg_init("queue-add");
	while ((c = getopt(argc, argv, "a:f:m:t:u:")) != -1) {
		switch (c) {
		case 'a':
			account = optarg;
			break;
		case 'f':
			sender = optarg;
			break;
		case 'm':
			set_forwarder(&s.program, optarg);
			break;
		case 't':
			add_trusted(&s.program, optarg);
			break;
		case 'u':
			set_user(&s, optarg);
			break;
		default:
			msg_usage(usage);
		}
	}
	if (account == NULL ? argc != optind || sender != NULL
	    : argc == optind || s.program.ntrusted > 0 || s.drop ||
	    s.program.forwards)
		msg_usage(usage);
	if (account != NULL)
		code = by_hand(&s.program, account, sender == NULL ? ""
		    : sender, argv + optind, (size_t)(argc - optind));
	else
		code = run(&s);
	unload(&s.program);
	return code;
}
