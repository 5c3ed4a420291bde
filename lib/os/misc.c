/* misc.c - random bytes, names, users, watching directories, memory */
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <malloc.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>

void
os_random(void *p, size_t n)
{
	unsigned char *q = p;
	ssize_t r;

	while (n > 0) {
		r = getrandom(q, n, 0);
		if (r > 0) {
			q += r;
			n -= (size_t)r;
		} else if (r == 0 || errno != EINTR) {
			abort();	/* going on without would be worse */
		}
	}
}

int
os_boot_id(char out[37])
{
	struct buf b = BUF_INIT(64);
	int r = io_read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", &b);

	if (r == 0 && bytes_rtrim(buf_bytes(&b)).n == 36) {
		memcpy(out, b.p, 36);
		out[36] = '\0';
	} else if (r == 0) {
		errno = EBADMSG;
		r = -1;
	}
	buf_free(&b);
	return r;
}

int
os_hostname(char *out, size_t size)
{
	char name[256];		/* HOST_NAME_MAX is 64 on Linux */
	size_t n;

	if (gethostname(name, sizeof(name)) == -1)
		return -1;
	n = strnlen(name, sizeof(name));
	if (n >= size || n == sizeof(name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(out, name, n + 1);
	return 0;
}

/* Either buffer is far past what any entry needs. */
#define ENTRY_MAX 16384

static int
id_parse(const char *text, uid_t *id)
{
	uint64_t v;

	/* 2^32 - 1 means "no change" to chown(2). */
	if (num_parse(bytes_str(text), 0, UINT32_MAX - 1, &v) == -1)
		return -1;
	*id = (uid_t)v;
	return 0;
}

int
os_user(const char *name, uid_t *uid, gid_t *gid)
{
	char space[ENTRY_MAX];
	struct passwd pw, *found;
	int err = getpwnam_r(name, &pw, space, sizeof(space), &found);

	if (err == 0 && found == NULL && id_parse(name, uid) == 0) {
		*gid = (gid_t)*uid;
		return 0;
	}
	if (err != 0 || found == NULL) {
		errno = err == 0 ? ENOENT : err;
		return -1;
	}
	*uid = pw.pw_uid;
	*gid = pw.pw_gid;
	return 0;
}

int
os_group(const char *name, gid_t *gid)
{
	char space[ENTRY_MAX];
	struct group gr, *found;
	uid_t id;
	int err = getgrnam_r(name, &gr, space, sizeof(space), &found);

	if (err == 0 && found == NULL && id_parse(name, &id) == 0) {
		*gid = (gid_t)id;
		return 0;
	}
	if (err != 0 || found == NULL) {
		errno = err == 0 ? ENOENT : err;
		return -1;
	}
	*gid = gr.gr_gid;
	return 0;
}

int
os_to_stdin(int fd)
{
	if (fd == STDIN_FILENO)		/* it was closed: only the flag */
		return fcntl(fd, F_SETFD, 0);
	if (dup2(fd, STDIN_FILENO) == -1)
		return -1;
	return close(fd);
}

static int
refuse(int err)
{
	errno = err;
	return -1;
}

int
os_drop(uid_t uid, gid_t gid)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;

	if (uid == 0 || gid == 0)
		return refuse(EINVAL);
	if (geteuid() == 0 && setgroups(0, NULL) == -1)
		return -1;
	if (setresgid(gid, gid, gid) == -1 || setresuid(uid, uid, uid) == -1)
		return -1;
	if (getresuid(&ruid, &euid, &suid) == -1 ||
	    getresgid(&rgid, &egid, &sgid) == -1)
		return -1;
	if (ruid != uid || euid != uid || suid != uid || rgid != gid ||
	    egid != gid || sgid != gid)
		return refuse(EPERM);
	/* The way back must be shut. */
	if (setuid(0) == 0 || setgid(0) == 0)
		return refuse(EPERM);
	return 0;
}

int
os_watches_new(void)
{
	return inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
}

int
os_watches_add(int fd, const char *path)
{
	return inotify_add_watch(fd, path, IN_CREATE | IN_MOVED_FROM |
	    IN_MOVED_TO | IN_DELETE | IN_CLOSE_WRITE | IN_DELETE_SELF |
	    IN_MOVE_SELF | IN_ONLYDIR);
}

int
os_watches_add_self(int fd, const char *path)
{
	return inotify_add_watch(fd, path, IN_DELETE_SELF | IN_MOVE_SELF |
	    IN_ONLYDIR);
}

void
os_watches_remove(int fd, int number)
{
	(void)inotify_rm_watch(fd, number);	/* gone with its directory */
}

size_t
os_watches_next(int fd, int numbers[OS_WATCHES_BATCH])
{
	unsigned char text[OS_WATCHES_BATCH * sizeof(struct inotify_event)];
	struct inotify_event e;
	size_t at = 0, n = 0;
	ssize_t got;

	do
		got = read(fd, text, sizeof(text));
	while (got == -1 && errno == EINTR);
	while (got > 0 && at + sizeof(e) <= (size_t)got) {
		memcpy(&e, text + at, sizeof(e));
		at += sizeof(e) + e.len;
		if ((e.mask & IN_Q_OVERFLOW) != 0)
			numbers[n++] = OS_WATCHES_LOST;
		else if ((e.mask & IN_IGNORED) == 0)
			numbers[n++] = e.wd;
	}
	return n;
}

int
os_watch_dir(const char *path)
{
	int fd = os_watches_new(), err;

	if (fd == -1)
		return -1;
	if (os_watches_add(fd, path) == -1) {
		err = errno;
		(void)close(fd);	/* nothing in it */
		return refuse(err);
	}
	return fd;
}

void
os_watch_drain(int fd)
{
	unsigned char events[4096];
	ssize_t r;

	do
		r = read(fd, events, sizeof(events));
	while (r > 0 || (r == -1 && errno == EINTR));
}

void
os_set_name(const char *name)
{
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);	/* cuts at 15 */
}

void *
os_alloc_unshared(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		mem_exhausted();
	(void)madvise(p, n, MADV_DONTFORK);	/* slower without, no more */
	return p;
}

void *
os_map_unshared(int fd, size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, n, MADV_DONTFORK);	/* slower without, no more */
	return p;
}

void
os_free_unshared(void *p, size_t n)
{
	if (p != NULL)
		(void)munmap(p, n);	/* a mapping of ours */
}

/* Two buffers for input and output and what a message of a few kB needs. */
#define HEAP_ROOM (480 * 1024)

void
os_heap_room(void)
{
	/* Where malloc(3) knows no such option, nothing is lost. */
	(void)mallopt(M_TOP_PAD, HEAP_ROOM);
	free(mem_alloc(HEAP_ROOM / 4));	/* from the heap, not a mapping */
}

void
os_heap_keep(int bytes, int piece_bytes)
{
	/* Only speed depends on it. */
	(void)mallopt(M_TRIM_THRESHOLD, bytes);
	(void)mallopt(M_MMAP_THRESHOLD, piece_bytes);
}
