/*
 * reach.c - what of the file system and of TCP a process keeps (Landlock)
 *
 * A rule set is a descriptor: the parent makes it once, and a child that
 * enters it makes one system call. Rules name what is there when they are
 * made, not paths: a file that is replaced later is another one, so rules
 * are for folders. Neither libc nor the kernel headers in use know all of
 * it, so what linux/landlock.h says is repeated here.
 *
 * Below ABI 2 (Linux 5.19) no file can be moved between two folders by whom
 * it limits at all, which Maildirs need: such a kernel counts as having none.
 */
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/internal.h"

#define ABI_LEAST 2
#define ABI_TRUNCATE 3
#define ABI_TCP 4
#define ABI_DEVICES 5
#define ABI_SCOPES 6

/* Rights to files, in the order of their bits. */
#define FS_EXECUTE ((uint64_t)1 << 0)
#define FS_WRITE_FILE ((uint64_t)1 << 1)
#define FS_READ_FILE ((uint64_t)1 << 2)
#define FS_READ_DIR ((uint64_t)1 << 3)
/* Remove, make, and move between folders: bits 4 to 13. */
#define FS_ENTRIES ((uint64_t)0x3ff << 4)
/* Make devices, of characters and of blocks: never. */
#define FS_DEVICES ((uint64_t)1 << 6 | (uint64_t)1 << 11)
#define FS_TRUNCATE ((uint64_t)1 << 14)
#define FS_IOCTL_DEV ((uint64_t)1 << 15)
#define FS_READ (FS_READ_FILE | FS_READ_DIR)
/* What can be said of a thing that is no folder. */
#define FS_OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | \
	FS_TRUNCATE | FS_IOCTL_DEV)
#define TCP_BIND ((uint64_t)1 << 0)
#define TCP_CONNECT ((uint64_t)1 << 1)
#define SCOPE_ABSTRACT ((uint64_t)1 << 0)

struct ruleset_attr {
	uint64_t fs, tcp, scopes;
};
struct path_rule {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));
struct port_rule {
	uint64_t allowed, port;
};
enum { RULE_PATH = 1, RULE_PORT = 2 };
#define GET_VERSION 1u

static int
add_rule(int fd, int type, const void *rule)
{
	return (int)syscall(SYS_landlock_add_rule, fd, type, rule, 0);
}

int
os_reach_version(void)
{
	long r = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	    GET_VERSION);

	return r < ABI_LEAST || UNDER_SANITIZER ? 0 : (int)r;
}

/* What changes files, as far as the kernel knows it. */
static uint64_t
changing(int abi)
{
	return FS_WRITE_FILE | FS_ENTRIES |
	    (abi >= ABI_TRUNCATE ? FS_TRUNCATE : 0);
}

static struct ruleset_attr
all_of(int abi, unsigned int free_to)
{
	struct ruleset_attr a = { .fs = changing(abi) | FS_EXECUTE };

	if ((free_to & OS_REACH_READ) == 0)
		a.fs |= FS_READ;
	if (abi >= ABI_DEVICES)
		a.fs |= FS_IOCTL_DEV;
	if ((free_to & OS_REACH_EXEC) != 0)
		a.fs &= ~FS_EXECUTE;
	if (abi >= ABI_TCP)
		a.tcp = TCP_BIND | TCP_CONNECT;
	if (abi >= ABI_SCOPES)
		a.scopes = SCOPE_ABSTRACT;
	return a;
}

int
os_reach_begin(struct os_reach *r, unsigned int free_to)
{
	int abi = os_reach_version(), fd;
	struct ruleset_attr a = all_of(abi, free_to);

	*r = (struct os_reach){ .fd = 0 };
	if (abi == 0)
		return 0;
	/* What is behind the part a kernel knows must be zero, and is. */
	fd = (int)syscall(SYS_landlock_create_ruleset, &a, sizeof(a), 0u);
	if (fd == -1)
		return errno == EOPNOTSUPP || errno == ENOSYS ? 0 : -1;
	if (fd == 0) {		/* 0 stands for none */
		fd = fcntl(0, F_DUPFD_CLOEXEC, 3);
		(void)close(0);		/* the copy stays */
		if (fd == -1)
			return -1;
	}
	*r = (struct os_reach){ .fd = fd, .abi = abi, .handled = a.fs };
	return 0;
}

static uint64_t
rights_of(const struct os_reach *r, unsigned int what, mode_t mode)
{
	uint64_t rights = 0;

	if ((what & OS_REACH_READ) != 0)
		rights |= FS_READ;
	if ((what & OS_REACH_WRITE) != 0)
		rights |= FS_READ | (changing(r->abi) & ~FS_DEVICES);
	if ((what & OS_REACH_EXEC) != 0)
		rights |= FS_EXECUTE;
	if (!S_ISDIR(mode))
		rights &= FS_OF_FILES;
	return rights & r->handled;
}

int
os_reach_path(struct os_reach *r, const char *path, unsigned int what)
{
	struct path_rule rule = { .allowed = 0 };
	struct stat st;
	int result = -1, err;

	if (r->fd == 0)
		return 0;
	rule.parent = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent == -1)
		return errno == ENOENT ? 0 : -1;
	if (fstat(rule.parent, &st) == 0) {
		rule.allowed = rights_of(r, what, st.st_mode);
		result = rule.allowed == 0 ? 0
		    : add_rule(r->fd, RULE_PATH, &rule);
	}
	/* A file of /proc is another one when nobody has it open. */
	if (result == 0 && r->held == 0 &&
	    bytes_starts(bytes_str(path), BYTES("/proc/"))) {
		r->held = rule.parent;
		return 0;
	}
	err = errno;
	(void)close(rule.parent);	/* the rule holds what it needs */
	errno = err;
	return result;
}

int
os_reach_port(struct os_reach *r, int port)
{
	struct port_rule rule = { TCP_CONNECT, (uint64_t)port };

	return r->fd == 0 || r->abi < ABI_TCP ? 0
	    : add_rule(r->fd, RULE_PORT, &rule);
}

int
os_reach_enter(const struct os_reach *r)
{
	if (r->fd == 0)
		return 0;
	return (int)syscall(SYS_landlock_restrict_self, r->fd, 0u);
}

void
os_reach_end(struct os_reach *r)
{
	if (r->fd != 0)
		(void)close(r->fd);	/* whoever entered it stays in it */
	if (r->held != 0)
		(void)close(r->held);	/* nothing is read from it */
	*r = (struct os_reach){ .fd = 0 };
}
