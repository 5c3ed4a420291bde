/*
 * os.h - what is not POSIX: descriptor passing, sockets, sandbox, Linux
 */
#ifndef OS_H
#define OS_H

#include "base/base.h"

#include <pthread.h>
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
/* Bytes that can be read from a stream socket now; -1. */
int os_unread(int fd);

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
/*
 * Shared locks on single bytes of an open file or directory, by number. They
 * are the descriptor's, not the process's, and end with it. 0, -1.
 */
int os_byte_hold(int fd, uint32_t at);
int os_byte_release(int fd, uint32_t at);
/* Whether another descriptor holds it: 1, 0, -1. */
int os_byte_held(int fd, uint32_t at);
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
/*
 * For commands that the superuser runs by hand: be, by effective ids, the
 * owner and group of path, or of what is above it as long as it is not
 * there. Others, and who is in a sandbox, stay who they are. 0 or -1 errno.
 */
int os_be_owner(const char *path);
/* The same for one new file in the open folder dir. */
int os_give_to_owner(int fd, int dir);
/* Make fd descriptor 0, kept open across exec, and close fd itself. */
int os_to_stdin(int fd);

/*
 * ---- what stays in reach (Landlock) ----
 * A set of what may be opened or connected to, made by a parent and entered
 * by its children, or made and entered at once; each one entered narrows
 * further, for good. Unix sockets that are connected to by a path, and what
 * is open already, are not concerned. Where the kernel has none (and under
 * the address sanitizer) all of these do nothing and answer 0.
 */
enum {
	OS_REACH_READ = 1,	/* read files, list folders */
	OS_REACH_WRITE = 2,	/* that, and write, make, move, remove */
	OS_REACH_EXEC = 4,	/* start programs */
};
struct os_reach {
	int fd;			/* 0: none */
	int held;		/* a file below /proc, open; 0: none */
	int abi;
	uint64_t handled;
};
/* The version of it the kernel has, 0 none that is of use. */
int os_reach_version(void);
/*
 * Nothing is in reach, and TCP neither (ABI 4), save what free_to (READ,
 * EXEC or 0) says of every file. 0 or -1; os_reach_end closes it.
 */
int os_reach_begin(struct os_reach *r, unsigned int free_to);
/* What is below path, or that file. What is there now is meant; if nothing
 * is, nothing comes in reach. Of /proc one path only. 0 or -1. */
int os_reach_path(struct os_reach *r, const char *path, unsigned int what);
/* TCP connections to that port. */
int os_reach_port(struct os_reach *r, int port);
/* Needs no_new_privs, which os_sandbox_enter sets. */
int os_reach_enter(const struct os_reach *r);
void os_reach_end(struct os_reach *r);

/*
 * Sandbox in two steps: os_sandbox_make builds the seccomp program once in
 * the parent (no memory limits, and all in reach yet), os_sandbox_enter
 * applies no_new_privs, rlimits, what stays in reach and the filter in the
 * child. Under the address sanitizer only no_new_privs and files are
 * applied. Whoever makes a call that is not allowed writes a line with its
 * number to standard error and dies of SIGSYS.
 */
enum os_sandbox_kind {
	/* Sockets, files (also create, link, rename, unlink), memory that is
	 * not executable. No exec, no fork, no signals. */
	OS_SANDBOX_NET,
	/* For who starts other people's filters: these need nearly all a
	 * system has, so only the calls no filter needs (ptrace, mount,
	 * setuid, ...) fail, with EPERM. */
	OS_SANDBOX_FILTERS,
	/* As NET, and directories, FIFOs, modes, inotify, late libraries,
	 * and to narrow its reach further. */
	OS_SANDBOX_STORE,
	/* For programs that a user wrote down: as FILTERS, and no sockets, no
	 * signals to others, no leaving the session, nothing shared. */
	OS_SANDBOX_USER,
	/* For who starts workers: as STORE, and fork, signals, other users
	 * and further sandboxes. No exec. */
	OS_SANDBOX_PARENT,
};
struct os_sandbox {
	void *filter;		/* sock_filter array; NULL: kernel has none */
	size_t length;
	uint64_t memory_bytes;	/* RLIMIT_AS, 0: unlimited */
	uint64_t cpu_seconds;	/* RLIMIT_CPU, 0: unchanged */
	uint64_t file_bytes;	/* RLIMIT_FSIZE, 0: unchanged */
	unsigned int files;	/* RLIMIT_NOFILE, 0: unchanged */
	struct os_reach reach;	/* begun by the caller; ended with it */
};
int os_sandbox_make(struct os_sandbox *s, enum os_sandbox_kind kind);
int os_sandbox_enter(const struct os_sandbox *s);
void os_sandbox_free(struct os_sandbox *s);

/* inotify on a directory: a non-blocking descriptor that becomes readable
 * when an entry is made, moved, removed or was written to. -1 when there is
 * none left: callers poll directory times instead. */
int os_watch_dir(const char *path);
/* Empty it. */
void os_watch_drain(int fd);
/*
 * The same for many directories with one of the system's few (128 for a user)
 * instances: a descriptor as above with none yet, or -1. add gives the number
 * of a directory, the same one each time; -1 ENOSPC no more (poll), ENOENT.
 * next stores the numbers of directories where something happened, some of
 * them twice, and answers how many, 0 none; OS_WATCHES_LOST: nobody knows.
 */
#define OS_WATCHES_LOST (-1)
#define OS_WATCHES_BATCH 256
int os_watches_new(void);
int os_watches_add(int fd, const char *path);
/* Only whether the directory itself is moved or removed. */
int os_watches_add_self(int fd, const char *path);
void os_watches_remove(int fd, int number);
size_t os_watches_next(int fd, int numbers[OS_WATCHES_BATCH]);

/*
 * Counting, from begin to end, how often entries of some directories are made
 * and removed, by whatever process: a file made, linked, moved in, removed or
 * moved out is one, renamed in its directory two. What changed a directory
 * before a system call of the caller that changes the directory itself, as
 * utimensat(2), is counted: both hold the lock of the directory meanwhile.
 * The descriptors must be open for reading and nobody else's, and one counting
 * be done at a time in a thread; SIGIO and a realtime signal are blocked in it
 * meanwhile, so end must follow in every case, in that thread.
 * begin: -1 EOPNOTSUPP where others could change the file system unseen by
 * this kernel (network), EINVAL without dnotify. end: -1 EOVERFLOW if some
 * were lost; errno stays if not.
 */
#define OS_COUNTED_MAX 4
struct os_counting {
	int dirs[OS_COUNTED_MAX];
	size_t n;
	sigset_t before;
};
int os_counting_begin(struct os_counting *c, const int *dirs, size_t n);
int os_counting_end(struct os_counting *c, uint32_t *counts);

/*
 * Zeroed memory that children forked do not have: what is secret, or what
 * would cost the parent a copy of each page it writes after a fork. Out of
 * memory ends the process. n as it was to free it (NULL: nothing).
 */
void *os_alloc_unshared(size_t n);
void os_free_unshared(void *p, size_t n);
/* The first n bytes of a file, shared with all who map it, but not with
 * children forked; NULL with errno. Freed by os_free_unshared. */
void *os_map_unshared(int fd, size_t n);
/* For who forks often: let malloc(3) have some room now, so that children
 * need not extend the heap. */
void os_heap_room(void);
/* For who does the same again and again: what is freed stays with the process
 * up to so many bytes; pieces beyond the second number go back at once. */
void os_heap_keep(int bytes, int piece_bytes);

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

/* Close every descriptor from first on, but keep (<= 0: all of them). */
void os_close_from(int first, int keep);

/* Two connected ends, non-blocking and close-on-exec: a byte stream, or
 * messages whose bounds are kept. */
int os_socketpair(int fds[2]);
int os_messagepair(int fds[2]);
/* Zeroed memory that children share with their parent; NULL with errno. */
void *os_shared_memory(size_t size);
void os_shared_free(void *p, size_t size);

/* ---- in memory that processes share (shared.c) ---- */

/* A lock of which it is known when its holder has ended. */
struct os_lock {
	pthread_mutex_t mutex;
};
int os_lock_init(struct os_lock *l);
/* Never waits. OS_LOCK_LEFT: it is ours now, and its holder ended with it. */
enum os_lock_try { OS_LOCK_HELD, OS_LOCK_OURS, OS_LOCK_LEFT };
enum os_lock_try os_lock_try(struct os_lock *l);
void os_lock_leave(struct os_lock *l);
/* Wait while the word has that value, at most so long, until woken; it may
 * also return early. */
void os_word_wait(_Atomic uint32_t *word, uint32_t value, int timeout_ms);
/* Whoever waits. */
void os_word_wake(_Atomic uint32_t *word);

/* A file without a name or folder, open for reading and writing, close on
 * exec. A descriptor, or -1. */
int os_memory_file(const char *what);
/*
 * ---- before a fault ends the process ----
 *
 * SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, and SIGSYS in a sandbox: act is
 * called once, and may do what a signal handler may; then the process ends by
 * the signal as it would have. One act for the process, the last one given.
 * Who has a handler of another kind keeps it, and calls os_fault_act from it.
 */
void os_fault_last(void (*act)(void));
void os_fault_act(void);
/*
 * Called before act, but not for SIGSYS, with the number of the signal: it may
 * end the process. NULL: none. With the first one signals are taken from other
 * handlers; they get what it lets pass. To change it costs no system call.
 */
void os_fault_tell(void (*tell)(int signo));

/* No core dumps, no ptrace(2) by processes of the same user. */
int os_no_dump(void);

#endif
