/*
 * os.h - what is not POSIX: descriptor passing, sockets, sandbox, Linux
 */
#ifndef OS_H
#define OS_H

#include "base/base.h"

#include <signal.h>
#include <sys/types.h>

/* 1 if fd is a listening socket, 0 if not (or no socket), -1. */
int os_is_listening(int fd);
bool os_is_socket(int fd);

/* Non-blocking and close-on-exec accept; -1 errno. */
int os_accept(int fd);
/*
 * A stream socket bound to a path (mode as given by mode, an old socket
 * file is replaced) and listening. >= 0, or -1 (ENAMETOOLONG, ...).
 */
int os_listen_unix(const char *path, mode_t mode);
/* Connected within the deadline; -1 (ENOENT, ECONNREFUSED, ETIMEDOUT). */
int os_connect_unix(const char *path, int64_t deadline);
/* A listening TCP socket; IPv6 ones are IPv6 only. Port 0: any. */
int os_listen_tcp(const struct ip *ip, int port, int backlog);
int os_connect_tcp(const struct ip *ip, int port, int64_t deadline);
/* From an address of this machine; NULL, or of family 0: any. -1, also
 * EADDRNOTAVAIL. */
int os_connect_tcp_from(const struct ip *from, const struct ip *ip, int port,
    int64_t deadline);
int os_nodelay(int fd);

/*
 * Send n bytes (1 .. 65536) with up to OS_FDS_MAX descriptors as one message;
 * the descriptors stay open here. Receive: the number of bytes, 0 at end of
 * file, -1; *nfds descriptors are stored, close-on-exec, owned by the caller.
 * A truncated message is refused whole (EMSGSIZE), its descriptors closed.
 */
#define OS_FDS_MAX 4
int os_send_fds(int sock, struct bytes data, const int *fds, size_t nfds);
ssize_t os_recv_fds(int sock, void *data, size_t size, int *fds,
    size_t *nfds, int64_t deadline);
/* The credentials of the peer of a Unix socket; pid may be NULL. */
int os_peer(int sock, pid_t *pid, uid_t *uid, gid_t *gid);

/* An unnamed file below dirfd/path for reading and writing (O_TMPFILE, or
 * an unlinked file where the file system has none). */
int os_tmpfile(int dirfd, const char *path);
/* Random bytes of the kernel; cannot fail. */
void os_random(void *p, size_t n);
/* The kernel's boot id, 36 characters and a NUL. */
int os_boot_id(char out[37]);
/* Host name, NUL-terminated. */
int os_hostname(char *out, size_t size);
/* Become user and group, drop supplementary groups, prove it (SECURITY). */
int os_drop(uid_t uid, gid_t gid);

/* The ids of a user; -1 with ENOENT if there is none of that name. A number
 * that is no name means itself, and the group of the same number. */
int os_user(const char *name, uid_t *uid, gid_t *gid);
int os_group(const char *name, gid_t *gid);
/* Make fd descriptor 0, kept open across exec, and close fd itself. */
int os_to_stdin(int fd);

/*
 * Sandbox in two steps: os_sandbox_make builds the seccomp program once in
 * the parent (no file system, network or memory limits yet), os_sandbox_enter
 * applies no_new_privs, rlimits and the filter in the child. Under the
 * address sanitizer only no_new_privs and files are applied.
 */
enum os_sandbox_kind {
	/* Sockets, files (also create, link, rename, unlink), memory that is
	 * not executable. No exec, no fork, no signals: death by SIGSYS. */
	OS_SANDBOX_NET,
	/* For who starts other people's filters: these need nearly all a
	 * system has, so only the calls no filter needs (ptrace, mount,
	 * setuid, ...) fail, with EPERM. */
	OS_SANDBOX_FILTERS,
	/* As NET, and directories, FIFOs, modes, inotify, late libraries. */
	OS_SANDBOX_STORE,
};
struct os_sandbox {
	void *filter;		/* sock_filter array; NULL: kernel has none */
	size_t length;
	uint64_t memory_bytes;	/* RLIMIT_AS, 0: unlimited */
	unsigned int files;	/* RLIMIT_NOFILE, 0: unchanged */
};
int os_sandbox_make(struct os_sandbox *s, enum os_sandbox_kind kind);
int os_sandbox_enter(const struct os_sandbox *s);

/* inotify on a directory: a non-blocking descriptor that becomes readable
 * when an entry is made, moved or removed. -1 when there is none left:
 * callers poll directory times instead. */
int os_watch_dir(const char *path);
/* Empty it. */
void os_watch_drain(int fd);

/*
 * Zeroed memory that children forked do not have: what is secret, or what
 * would cost the parent a copy of each page it writes after a fork. Out of
 * memory ends the process. n as it was to free it (NULL: nothing).
 */
void *os_alloc_unshared(size_t n);
void os_free_unshared(void *p, size_t n);
/* For who forks often: let malloc(3) have some room now, so that children
 * need not extend the heap. */
void os_heap_room(void);

/* Process title is left alone; name shown by ps -c / top, at most 15. */
void os_set_name(const char *name);

/*
 * ---- events (epoll) ----
 * A set of descriptors, each with what is waited for and the caller's
 * pointer. A descriptor must be removed before it is closed: another process
 * may have it too, and then closing takes nothing out of the set.
 */
enum {
	OS_EVENT_READ = 1,
	OS_EVENT_WRITE = 2,
	/* Told whether waited for or not: both directions are shut; error. */
	OS_EVENT_HANGUP = 4,
	OS_EVENT_ERROR = 8,
	/* With os_events_add: of the processes that wait for this listening
	 * socket wake one. */
	OS_EVENT_SHARED = 16,
};
struct os_event {
	void *ctx;
	unsigned int what;
};
/* >= 0 or -1. */
int os_events_new(void);
int os_events_add(int set, int fd, unsigned int what, void *ctx);
int os_events_change(int set, int fd, unsigned int what, void *ctx);
int os_events_remove(int set, int fd);
/* The number of events stored, at most max; 0 when timeout_ms (-1: none)
 * passed; -1 (EINTR: a signal of unblocked came). */
int os_events_wait(int set, struct os_event *out, size_t max, int timeout_ms,
    const sigset_t *unblocked);

/* Two connected ends, non-blocking and close-on-exec: a byte stream, or
 * messages whose bounds are kept. */
int os_socketpair(int fds[2]);
int os_messagepair(int fds[2]);
/* Zeroed memory that children share with their parent; NULL with errno. */
void *os_shared_memory(size_t size);
/* No core dumps, no ptrace(2) by processes of the same user. */
int os_no_dump(void);

#endif
