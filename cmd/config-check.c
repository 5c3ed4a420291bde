/*
 * config-check - owners and modes of what the services have on disk
 *
 * One table says how everything is to be. A tree is walked with descriptors,
 * never through a symbolic link, since its owner may be a process that was
 * taken over and the caller is the superuser.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "config/config.h"
#include "os/os.h"

static const char usage[] = "usage: config-check -p [-afs]";

#define DEPTH_MAX 16	/* of a tree; an account needs five */

enum who { ROOT, NET, TLS, AUTH, MAIL, QUEUE, JWKS, STS, WHO_COUNT };

static const struct {
	const char *name, *env;
} users[WHO_COUNT] = {
	[ROOT] = { "root", NULL },
	[NET] = { "pm-net", "PIPEMAIL_USER_NET" },
	[TLS] = { "pm-tls", "PIPEMAIL_USER_TLS" },
	[AUTH] = { "pm-auth", "PIPEMAIL_USER_AUTH" },
	[MAIL] = { "pm-mail", "PIPEMAIL_USER_MAIL" },
	[JWKS] = { "pm-jwks", "PIPEMAIL_USER_JWKS" },
	[QUEUE] = { "pm-queue", "PIPEMAIL_USER_QUEUE" },
	[STS] = { "pm-sts", "PIPEMAIL_USER_STS" },
};

enum place { ETC, VAR, RUN };
enum kind {
	DIRECTORY,	/* made where it is missing */
	TREE,		/* one, and all below: these modes at most */
	DEEP,		/* the same, of any size: mail */
	PLAIN,		/* a file or socket, checked where it is there */
};

struct rule {
	enum place place;
	const char *path;	/* below; "": the place itself */
	enum kind kind;
	enum who owner, group;
	mode_t mode, files;	/* files: of a TREE's files */
};

static const struct rule rules[] = {
	{ ETC, "", DIRECTORY, ROOT, ROOT, 0755, 0 },
	{ ETC, "main.conf", PLAIN, ROOT, ROOT, 0644, 0 },
	{ ETC, "domains", TREE, ROOT, ROOT, 0755, 0644 },
	{ ETC, "accounts", TREE, ROOT, ROOT, 0755, 0644 },
	{ ETC, "dkim", TREE, ROOT, ROOT, 0700, 0600 },
	{ ETC, "tls", TREE, ROOT, ROOT, 0700, 0600 },
	{ VAR, "", DIRECTORY, ROOT, ROOT, 0751, 0 },
	{ VAR, "config.cdb", PLAIN, ROOT, ROOT, 0644, 0 },
	{ VAR, "accounts", DEEP, MAIL, MAIL, 0700, 0600 },
	{ VAR, "auth", TREE, AUTH, AUTH, 0700, 0600 },
	/* Set-group-ID: what is made there has the group of its reader. */
	{ VAR, "jwks", TREE, JWKS, AUTH, 02750, 0660 },
	{ VAR, "cache", DIRECTORY, ROOT, ROOT, 0751, 0 },
	{ VAR, "cache/mtasts", TREE, STS, STS, 0700, 0600 },
	{ VAR, "queue", TREE, QUEUE, QUEUE, 0700, 0600 },
	{ VAR, "spool", TREE, NET, NET, 0700, 0600 },
	{ VAR, "spool-mail", TREE, MAIL, MAIL, 0700, 0600 },
	{ RUN, "", DIRECTORY, ROOT, ROOT, 0755, 0 },
	{ RUN, "limits", DIRECTORY, ROOT, ROOT, 0755, 0 },
	{ RUN, "limits/auth", TREE, AUTH, AUTH, 0750, 0640 },
	{ RUN, "limits/net", TREE, NET, NET, 0750, 0640 },
	{ RUN, "limits/tls", TREE, TLS, TLS, 0750, 0640 },
	{ RUN, "metrics", DIRECTORY, ROOT, ROOT, 0755, 0 },
	{ RUN, "metrics/net", TREE, NET, NET, 0755, 0644 },
	{ RUN, "watch", TREE, MAIL, MAIL, 0700, 0600 },
	{ RUN, "lmtp", PLAIN, MAIL, NET, 0660, 0 },
	{ RUN, "imap", PLAIN, MAIL, NET, 0660, 0 },
	/* Two users connect: one owns it, the other has its group. */
	{ RUN, "auth", PLAIN, MAIL, NET, 0660, 0 },
	{ RUN, "imap-login", PLAIN, MAIL, NET, 0660, 0 },
	{ RUN, "tls", PLAIN, ROOT, NET, 0660, 0 },
	{ RUN, "mtasts", PLAIN, STS, NET, 0660, 0 },
	/* Users of the system send mail, too. */
	{ RUN, "queue-add", PLAIN, ROOT, ROOT, 0666, 0 },
	{ RUN, "queue", PLAIN, QUEUE, QUEUE, 0600, 0 },
	{ RUN, "smtp-out", PLAIN, NET, QUEUE, 0660, 0 },
};

struct checker {
	struct arena arena;
	uid_t uid[WHO_COUNT];
	gid_t gid[WHO_COUNT];
	bool single;		/* all services are the calling user */
	bool fix;
	bool quick;		/* not into DEEP trees, no sockets */
	unsigned long left;	/* deviations that are still there */
};

/* What one thing is to be. */
struct wanted {
	uid_t uid;
	gid_t gid;
	mode_t mode;
	bool at_most;		/* less is right, too */
};

static const char *
owner_text(struct checker *c, uid_t uid, gid_t gid)
{
	const struct passwd *pw = getpwuid(uid);
	const char *user = pw != NULL ? arena_printf(&c->arena, "%s",
	    pw->pw_name) : arena_printf(&c->arena, "%lu", (unsigned long)uid);
	const struct group *gr = getgrgid(gid);

	return gr != NULL ? arena_printf(&c->arena, "%s:%s", user,
	    gr->gr_name) : arena_printf(&c->arena, "%s:%lu", user,
	    (unsigned long)gid);
}

static void
report(struct checker *c, const char *path, const char *what,
    const char *is, const char *want)
{
	printf("%s: %s %s, %s %s\n", path, what, is,
	    c->fix ? "now" : "should be", want);
	if (!c->fix)
		c->left++;
}

static const char *
mode_text(struct checker *c, mode_t mode)
{
	return arena_printf(&c->arena, "%04o", (unsigned int)mode);
}

/*
 * fd was opened with O_PATH: the thing that was looked at is the one that is
 * changed. A file with a second name may be someone else's.
 */
static void
fix_owner(struct checker *c, int fd, const char *path, const struct stat *st,
    const struct wanted *w)
{
	if (!c->fix)
		return;
	if (S_ISREG(st->st_mode) && st->st_nlink > 1) {
		msg_warn("cannot change owner of %s: it has %lu names", path,
		    (unsigned long)st->st_nlink);
		c->left++;
	} else if (fchownat(fd, "", w->uid, w->gid, AT_EMPTY_PATH) == -1) {
		msg_warnsys("cannot change owner of %s", path);
		c->left++;
	}
}

static void
fix_mode(struct checker *c, int fd, const char *path, mode_t mode)
{
	const char *self;

	if (!c->fix)
		return;
	self = arena_printf(&c->arena, "/proc/self/fd/%d", fd);
	if (chmod(self, mode) == -1) {
		msg_warnsys("cannot change mode of %s", path);
		c->left++;
	}
}

static void
check_one(struct checker *c, int fd, const char *path, const struct stat *st,
    const struct wanted *w)
{
	mode_t mode = st->st_mode & 07777;
	mode_t want = w->at_most ? mode & w->mode : w->mode;

	if (c->single)
		want = mode & w->mode;
	if (st->st_uid != w->uid || (!c->single && st->st_gid != w->gid)) {
		report(c, path, "owner", owner_text(c, st->st_uid,
		    st->st_gid), owner_text(c, w->uid, c->single ? st->st_gid
		    : w->gid));
		fix_owner(c, fd, path, st, w);
	}
	if (mode != want) {
		report(c, path, "mode", mode_text(c, mode),
		    mode_text(c, w->at_most ? want : w->mode));
		fix_mode(c, fd, path, want);
	}
}

/* ---- trees ---- */

static void check_tree(struct checker *c, int fd, const char *path,
    const struct rule *r, unsigned int depth);

static void
check_entry(struct checker *c, int dir, const char *name, const char *path,
    const struct rule *r, unsigned int depth)
{
	struct wanted w = { c->uid[r->owner], c->gid[r->group], r->files,
	    true };
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1) {
		if (errno != ENOENT) {	/* gone meanwhile: mail moves */
			msg_warnsys("cannot look at %s", path);
			c->left++;
		}
	} else if (S_ISDIR(st.st_mode)) {
		w.mode = r->mode;
		check_one(c, fd, path, &st, &w);
		if (r->kind != DEEP || !c->quick)
			check_tree(c, fd, path, r, depth + 1);
	} else if (!S_ISLNK(st.st_mode)) {
		check_one(c, fd, path, &st, &w);
	}
	if (fd != -1)
		(void)close(fd);
}

/* All below the directory fd; its path is for messages. */
static void
check_tree(struct checker *c, int fd, const char *path, const struct rule *r,
    unsigned int depth)
{
	struct arena a = ARENA_INIT;
	struct dirent *e;
	int copy = -1;
	DIR *d;

	if (depth == DEPTH_MAX)
		errno = ELOOP;
	else
		copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy == -1 || (d = fdopendir(copy)) == NULL) {
		msg_warnsys("cannot read %s", path);
		c->left++;
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0)
			continue;
		check_entry(c, copy, e->d_name, arena_printf(&a, "%s/%s",
		    path, e->d_name), r, depth);
	}
	(void)closedir(d);	/* was only read */
	arena_free(&a);
	arena_reset(&c->arena);
}

/* ---- the table ---- */

static void
missing(struct checker *c, const char *path, const struct rule *r)
{
	/* One user alone: a service makes what it needs. */
	if (r->kind == PLAIN || (c->single && !c->fix))
		return;
	printf("%s: missing%s\n", path, c->fix ? ", now made" : "");
	if (!c->fix) {
		c->left++;
	} else if (mkdir(path, 0700) == -1 && errno != EEXIST) {
		msg_warnsys("cannot create %s", path);
		c->left++;
	}
}

static void
check_rule(struct checker *c, const struct rule *r)
{
	const char *base = r->place == ETC ? dir_etc()
	    : r->place == VAR ? dir_var() : dir_run();
	struct arena a = ARENA_INIT;
	const char *path = r->path[0] == '\0' ? base
	    : arena_printf(&a, "%s/%s", base, r->path);
	/* The places themselves may be links: these are the owner's. */
	int flags = O_PATH | O_CLOEXEC | (r->path[0] == '\0' ? 0
	    : O_NOFOLLOW);
	struct wanted w = { c->uid[r->owner], c->gid[r->group], r->mode,
	    false };
	struct stat st;
	int fd = open(path, flags);

	if (fd == -1 && errno == ENOENT) {
		missing(c, path, r);
		fd = open(path, flags);
	}
	if (fd == -1 && errno != ENOENT) {
		msg_warnsys("cannot look at %s", path);
		c->left++;
	} else if (fd != -1 && fstat(fd, &st) == 0 && !S_ISLNK(st.st_mode)) {
		check_one(c, fd, path, &st, &w);
		if (r->kind == TREE || r->kind == DEEP)
			check_tree(c, fd, path, r, 0);
	}
	if (fd != -1)
		(void)close(fd);
	arena_free(&a);
	arena_reset(&c->arena);
}

static void
find_users(struct checker *c)
{
	const char *name;
	size_t i, own = 0;

	for (i = 0; i < WHO_COUNT; i++) {
		name = users[i].env == NULL ? NULL : getenv(users[i].env);
		if (name == NULL)
			name = users[i].name;
		if (name[0] == '\0') {
			c->uid[i] = geteuid();
			c->gid[i] = getegid();
			own++;
		} else if (os_user(name, &c->uid[i], &c->gid[i]) == -1) {
			msg_diesys(errno == ENOENT ? EXIT_PERM : EXIT_TEMP,
			    "cannot find user %s", name);
		}
	}
	c->single = own == WHO_COUNT - 1;	/* all but root */
	if (c->single) {
		c->uid[ROOT] = geteuid();
		c->gid[ROOT] = getegid();
	}
}

/* Whether it is as it was written; a service that starts mends unless it says
 * otherwise. */
static void
check_config(struct checker *c, bool starts)
{
	struct config *config = config_load();

	if (config == NULL && errno != ENOENT) {
		msg_warn("cannot open configuration: %s",
		    config_reason(errno));
		c->left++;
	}
	if (starts)
		c->fix = config == NULL || !config_get_bool(config, "server",
		    NULL, "no-fix-permissions");
	config_close(config);
}

static void
check_all(struct checker *c)
{
	const size_t n = sizeof(rules) / sizeof(rules[0]);

	for (size_t i = 0; i < n; i++) {
		/* Sockets are made by services that start just now. */
		if (!c->quick || rules[i].place != RUN ||
		    rules[i].kind != PLAIN)
			check_rule(c, &rules[i]);
	}
}

int
main(int argc, char *argv[])
{
	struct checker c = { .arena = ARENA_INIT };
	bool permissions = false, starts = false;
	int o;

	msg_init("config-check");
	while ((o = getopt(argc, argv, "afps")) != -1) {
		switch (o) {
		case 'a':
			starts = true;
			break;
		case 'f':
			c.fix = true;
			break;
		case 'p':
			permissions = true;
			break;
		case 's':
			c.quick = true;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (!permissions || optind != argc)
		msg_die(EXIT_PERM, "%s", usage);
	find_users(&c);
	check_config(&c, starts);
	check_all(&c);
	arena_free(&c.arena);
	if (fflush(stdout) == EOF || ferror(stdout))
		msg_diesys(EXIT_TEMP, "cannot print");
	return c.left == 0 ? EXIT_YES : EXIT_NO;
}
