/*
 * base.h - bytes, arena, numbers, time, encodings, I/O, messages, processes
 *
 * The bottom module: everything includes it, it includes nothing of ours.
 * Error convention (doc/style.md): an action returns 0 or -1 with errno;
 * a question returns 1, 0 or -1. Running out of memory ends the process
 * with EXIT_TEMP, so no allocation here returns NULL.
 */
#ifndef BASE_H
#define BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

/* ---- exit codes: the interface between our programs ---- */

enum {
	EXIT_YES = 0,		/* done; or: yes */
	EXIT_NO = 1,		/* ran correctly, the answer is no */
	EXIT_DROP = 99,		/* filter contract: accept, then drop */
	EXIT_PERM = 100,	/* will never work */
	EXIT_TEMP = 111,	/* may work later */
	EXIT_NOEXEC = 126,
	EXIT_NOTFOUND = 127,
};

/* Temporary or permanent for an errno value; unknown values are temporary. */
int exit_for(int err);
/* Our exit code as sysexits(3) and back (111 <-> 75, 100 <-> 64/65...). */
int exit_to_sysexits(int code);
int exit_from_sysexits(int code);

/* ---- byte slices ---- */

/* A view of bytes another owns. An empty one points at "", never at NULL. */
struct bytes {
	const unsigned char *p;
	size_t n;
};

#define BYTES_EMPTY ((struct bytes){ (const unsigned char *)"", 0 })
/* A slice of a string literal; for literals only. */
#define BYTES(lit) \
	((struct bytes){ (const unsigned char *)("" lit), sizeof(lit) - 1 })
/* For printf: "%.*s", BYTES_ARG(s). Only for bytes known to hold no NUL. */
#define BYTES_ARG(s) (int)(s).n, (const char *)(s).p

static inline struct bytes
bytes_of(const void *p, size_t n)
{
	return n == 0 ? BYTES_EMPTY
	    : (struct bytes){ (const unsigned char *)p, n };
}

/* The bytes of a C string; NULL gives the empty slice. */
static inline struct bytes
bytes_str(const char *s)
{
	return s == NULL ? BYTES_EMPTY : bytes_of(s, strlen(s));
}

/* Move the first n bytes of *s to *head; false, and no change, if short. */
static inline bool
bytes_cut(struct bytes *s, size_t n, struct bytes *head)
{
	if (n > s->n)
		return false;
	*head = bytes_of(s->p, n);
	*s = bytes_of(s->p + n, s->n - n);
	return true;
}

/* The next byte, taken off *s, or -1 at the end. */
static inline int
bytes_next(struct bytes *s)
{
	int c;

	if (s->n == 0)
		return -1;
	c = s->p[0];
	s->p++;
	s->n--;
	return c;
}

/* The byte at index i, or -1 past the end. */
static inline int
bytes_at(struct bytes s, size_t i)
{
	return i < s.n ? s.p[i] : -1;
}

/* What is left after the first n bytes (all gone: the empty slice). */
struct bytes bytes_from(struct bytes s, size_t n);
/* At most the first n bytes. */
struct bytes bytes_first(struct bytes s, size_t n);
/* At most the last n bytes. */
struct bytes bytes_last(struct bytes s, size_t n);
bool bytes_eq(struct bytes a, struct bytes b);
/* ASCII letters compare without case; other bytes exactly. */
bool bytes_caseeq(struct bytes a, struct bytes b);
/* <0, 0, >0 by unsigned byte order, the shorter first. */
int bytes_cmp(struct bytes a, struct bytes b);
bool bytes_starts(struct bytes s, struct bytes prefix);
bool bytes_casestarts(struct bytes s, struct bytes prefix);
bool bytes_ends(struct bytes s, struct bytes suffix);
bool bytes_caseends(struct bytes s, struct bytes suffix);
/* Index of the first byte c / last byte c / first needle; false: none. */
bool bytes_chr(struct bytes s, int c, size_t *at);
bool bytes_rchr(struct bytes s, int c, size_t *at);
bool bytes_find(struct bytes s, struct bytes needle, size_t *at);
bool bytes_casefind(struct bytes s, struct bytes needle, size_t *at);
/* Its ASCII letters in lower or upper case, s.n bytes; out may be s.p. */
void bytes_lower(unsigned char *out, struct bytes s);
void bytes_upper(unsigned char *out, struct bytes s);
/* Take prefix off *s if it is there; tells whether it was. */
bool bytes_skip(struct bytes *s, struct bytes prefix);
bool bytes_caseskip(struct bytes *s, struct bytes prefix);
/*
 * Take the part before the first c to *head and drop c itself. Without a c
 * the whole of *s becomes *head and false is returned.
 */
bool bytes_split(struct bytes *s, int c, struct bytes *head);
/*
 * Take one line off *s, up to LF or the end, without its LF and one CR
 * before it. False if *s is empty.
 */
bool bytes_line(struct bytes *s, struct bytes *line);
/* Take the next word (run of bytes other than SP and HTAB); false: none. */
bool bytes_word(struct bytes *s, struct bytes *word);
/* Without SP, HTAB, CR, LF at both ends / the front / the end. */
struct bytes bytes_trim(struct bytes s);
struct bytes bytes_ltrim(struct bytes s);
struct bytes bytes_rtrim(struct bytes s);
bool bytes_has_nul(struct bytes s);
/* True if all bytes are below 0x80. */
bool bytes_is_ascii(struct bytes s);
/* How many bytes are c. */
size_t bytes_count(struct bytes s, int c);
/* Constant time in the contents (not the lengths): for secrets. */
bool bytes_equal_secret(struct bytes a, struct bytes b);
/* FNV-1a, for hash tables of trusted or bounded input only. */
uint64_t bytes_hash(struct bytes s);
/* Wipe memory so that the compiler cannot leave it out. */
void secret_wipe(void *p, size_t n);

/* ---- ASCII classes: the locale never decides what an address is ---- */

static inline bool
ascii_is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_is_upper(int c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool
ascii_is_lower(int c)
{
	return c >= 'a' && c <= 'z';
}

static inline bool
ascii_is_alpha(int c)
{
	return ascii_is_upper(c) || ascii_is_lower(c);
}

static inline bool
ascii_is_alnum(int c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c);
}

static inline bool
ascii_is_wsp(int c)
{
	return c == ' ' || c == '\t';
}

/* SP, HTAB, CR, LF. */
static inline bool
ascii_is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline bool
ascii_is_ctl(int c)
{
	return (c >= 0 && c < 0x20) || c == 0x7f;
}

/* The value of a hex digit, or -1. */
int ascii_hex_value(int c);

static inline int
ascii_lower(int c)
{
	return ascii_is_upper(c) ? c + 32 : c;
}

static inline int
ascii_upper(int c)
{
	return ascii_is_lower(c) ? c - 32 : c;
}

/* ---- arena: what a job makes, released by one reset ---- */

struct arena_block;
struct arena {
	struct arena_block *head;	/* current block first */
	size_t used_bytes;		/* handed out since the last reset */
};

#define ARENA_INIT ((struct arena){ NULL, 0 })

/* n bytes aligned for any type, not initialised. n may be 0. */
void *arena_alloc(struct arena *a, size_t n);
/* The same for count items of size bytes, zeroed, overflow checked. */
void *arena_zalloc(struct arena *a, size_t count, size_t size);
/* A copy that lives as long as the arena. */
struct bytes arena_bytes(struct arena *a, struct bytes s);
/* A copy with ASCII letters lowered. */
struct bytes arena_lower(struct arena *a, struct bytes s);
/* A C string copy; NULL with EINVAL if s holds a NUL. */
char *arena_str(struct arena *a, struct bytes s);
/* Formatted C string. */
char *arena_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Everything made so far is gone; keeps one block for reuse. */
void arena_reset(struct arena *a);
/* Everything is gone and the memory given back. */
void arena_free(struct arena *a);

/* ---- growing buffer with a cap ---- */

/*
 * Bytes that grow up to max. Past max nothing is added, full is set, and
 * stays set until buf_reset, so that a writer may check once at the end.
 */
struct buf {
	unsigned char *p;
	size_t n;
	size_t size;
	size_t max;
	bool full;
};

#define BUF_INIT(limit) ((struct buf){ NULL, 0, 0, (limit), false })

/* Each returns 0, or -1 with EMSGSIZE and the buffer unchanged. */
int buf_add(struct buf *b, struct bytes s);
int buf_addc(struct buf *b, int c);
int buf_adds(struct buf *b, const char *s);
/* A number in decimal; where there are many, faster than buf_printf. */
int buf_addnum(struct buf *b, uint64_t n);
int buf_printf(struct buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int buf_vprintf(struct buf *b, const char *format, va_list ap)
    __attribute__((format(printf, 2, 0)));
/* Room for n more bytes at b->p + b->n, for a read(2); 0 or -1 EMSGSIZE. */
int buf_room(struct buf *b, size_t n);
/* Drop the first n bytes (n <= b->n). */
void buf_drop(struct buf *b, size_t n);
struct bytes buf_bytes(const struct buf *b);
/* Empty, memory kept. */
void buf_reset(struct buf *b);
void buf_free(struct buf *b);

/* malloc, calloc-like and realloc that end the process when memory is out. */
void *mem_alloc(size_t n);
/* What they do then, for memory that comes from elsewhere. */
_Noreturn void mem_exhausted(void);
void *mem_zalloc(size_t count, size_t size);
void *mem_realloc(void *p, size_t n);
char *mem_strdup(const char *s);

/* ---- numbers ---- */

/* False on overflow, *out untouched. */
static inline bool
size_add(size_t a, size_t b, size_t *out)
{
	size_t r;

	if (__builtin_add_overflow(a, b, &r))
		return false;
	*out = r;
	return true;
}

static inline bool
size_mul(size_t a, size_t b, size_t *out)
{
	size_t r;

	if (__builtin_mul_overflow(a, b, &r))
		return false;
	*out = r;
	return true;
}

/*
 * The whole of s as an unsigned decimal number, digits only, within
 * [min, max]. -1 with EBADMSG (no number) or ERANGE; *out untouched.
 */
int num_parse(struct bytes s, uint64_t min, uint64_t max, uint64_t *out);
/* The same with an optional leading '-'. */
int num_parse_signed(struct bytes s, int64_t min, int64_t max, int64_t *out);
/*
 * Take leading decimal digits off *s. -1 with EBADMSG (no digit) or ERANGE
 * (> max); *s untouched then.
 */
int num_cut(struct bytes *s, uint64_t max, uint64_t *out);
/* A size with optional suffix K, M, G (1024-based), within [min, max]. */
int num_parse_size(struct bytes s, uint64_t min, uint64_t max, uint64_t *out);
/* A duration in seconds with optional suffix s, m, h, d, w. */
int num_parse_duration(struct bytes s, uint64_t min, uint64_t max,
    uint64_t *seconds);

/* Big-endian fixed-width numbers, so that byte order is number order. */
void be32_put(unsigned char out[4], uint32_t v);
void be64_put(unsigned char out[8], uint64_t v);
static inline uint32_t
be32_get(const unsigned char in[4])
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 |
	    (uint32_t)in[2] << 8 | in[3];
}
static inline uint64_t
be64_get(const unsigned char in[8])
{
	return (uint64_t)in[0] << 56 | (uint64_t)in[1] << 48 |
	    (uint64_t)in[2] << 40 | (uint64_t)in[3] << 32 | be32_get(in + 4);
}

/* ---- time ---- */

/* Monotonic milliseconds, for deadlines. */
int64_t time_mono_ms(void);
/* Wall clock: microseconds since 1970. */
int64_t time_wall_us(void);

#define DEADLINE_NONE INT64_MAX
/* A deadline timeout_ms from now. */
int64_t deadline_in(int64_t timeout_ms);
/* Milliseconds left for poll(2): -1 none, 0 passed, else > 0. */
int deadline_left(int64_t deadline);

/* Seconds since 1970 of a proleptic Gregorian UTC date; no checks. */
int64_t date_to_unix(int64_t year, int month, int day, int hour, int min,
    int sec);
struct date {
	int64_t year;
	int month, day, hour, min, sec;	/* month and day from 1 */
	int weekday;			/* 0 Sunday */
};
struct date date_from_unix(int64_t seconds);
/*
 * An RFC 5322 3.3 date-time with the obsolete forms of 4.3, comments and
 * folds. *zone_minutes is east of UTC (unknown zones: 0). -1 EBADMSG.
 */
int date_parse(struct bytes s, int64_t *seconds, int *zone_minutes);
/* "Fri, 20 Nov 2026 12:00:00 +0100"; zone in minutes east. */
int date_format(struct buf *out, int64_t seconds, int zone_minutes);
#define DATE_MONTHS "JanFebMarAprMayJunJulAugSepOctNovDec"
/* 1-12 for a three-letter English month in any case, else 0. */
int date_month(struct bytes name);
/* The local zone at that instant, minutes east of UTC. */
int date_local_zone(int64_t seconds);

/*
 * ---- encodings; all append to out, -1 EMSGSIZE when it is full ----
 * With EMSGSIZE the strict ones and the encoders of fixed length leave out
 * unchanged; the lax decoders and qp_encode leave what fitted, so that a
 * preview is a small buffer.
 */

/* RFC 4648 4, padded, no line breaks. */
int base64_encode(struct buf *out, struct bytes s);
/* RFC 4648 5 without padding. */
int base64url_encode(struct buf *out, struct bytes s);
/* Whether it looks like it: alphabet, padding, length. */
bool base64_valid(struct bytes s);
/* Strict RFC 4648 4: right padding, no other bytes. -1 EBADMSG. */
int base64_decode(struct buf *out, struct bytes s);
/*
 * RFC 2045 6.8 as mail is found: bytes outside the alphabet are skipped,
 * decoding ends at padding or the end. Never EBADMSG.
 */
int base64_decode_lax(struct buf *out, struct bytes s);
/* RFC 2045 6.7; wrong escapes are copied as they stand. */
int qp_decode(struct buf *out, struct bytes s);
/* RFC 2045 6.7 text with lines of at most 76; LF line ends in and out. */
int qp_encode(struct buf *out, struct bytes s);
/* RFC 2047 4.2: as qp, and "_" is space. */
int q_decode(struct buf *out, struct bytes s);
int hex_encode(struct buf *out, struct bytes s);
/* Even number of hex digits; -1 EBADMSG. */
int hex_decode(struct buf *out, struct bytes s);

/* ---- SHA-256 (FIPS 180-4) ---- */

struct sha256 {
	uint32_t h[8];
	uint64_t length_bytes;
	unsigned char block[64];
};
void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, struct bytes b);
void sha256_end(struct sha256 *s, unsigned char out[32]);
void sha256_of(struct bytes b, unsigned char out[32]);
/* HMAC-SHA-256 (RFC 2104) of n pieces that follow each other. */
void hmac_sha256(const unsigned char key[32], const struct bytes *pieces,
    size_t n, unsigned char out[32]);

/* ---- IP addresses ---- */

/* IPv4 in the first four bytes with the rest zero, or IPv6. */
struct ip {
	unsigned char a[16];
	int family;		/* AF_INET, AF_INET6; 0: none */
};
#define IP_TEXT_MAX 46		/* INET6_ADDRSTRLEN, with NUL */

/* Dotted quad or RFC 4291 text; v4-mapped IPv6 becomes IPv4. -1 EBADMSG. */
int ip_parse(struct bytes s, struct ip *out);
/* Canonical text (RFC 5952) into out; returns out. "unknown" for family 0. */
const char *ip_format(const struct ip *ip, char out[IP_TEXT_MAX]);
/* Keeps the first bits bits. */
struct ip ip_mask(const struct ip *ip, unsigned int bits);
#define IP_NETS 3	/* of a client: /32 /26 /21, of IPv6 /64 /48 /32 */
unsigned int ip_net_bits(bool v6, unsigned int i);	/* i < IP_NETS */
bool ip_eq(const struct ip *a, const struct ip *b);
/* Same family and the first bits bits equal. */
bool ip_in_net(const struct ip *ip, const struct ip *net, unsigned int bits);
bool ip_is_loopback(const struct ip *ip);
struct sockaddr;
/* From AF_INET or AF_INET6 (v4-mapped becomes IPv4); others family 0. */
void ip_from_sockaddr(const struct sockaddr *sa, struct ip *out, int *port);
struct sockaddr_storage;
/* Fills *sa; returns its length. */
size_t ip_to_sockaddr(const struct ip *ip, int port,
    struct sockaddr_storage *sa);

/* ---- descriptors ---- */

/* All bytes, resumed after EINTR and short counts. -1 errno; ETIMEDOUT past
 * the deadline (only for descriptors that poll). */
int io_write_all(int fd, struct bytes s, int64_t deadline);
/* Fill n bytes. 1 done, 0 end of file before the first, -1 (EPROTO: end in
 * the middle, ETIMEDOUT). */
int io_read_full(int fd, void *p, size_t n, int64_t deadline);
/* One read(2), after waiting for the deadline. >= 0 or -1. */
ssize_t io_read_some(int fd, void *p, size_t n, int64_t deadline);
/* Everything up to end of file, added to b; -1 EMSGSIZE past b->max. */
int io_read_all(int fd, struct buf *b, int64_t deadline);
/* A whole file below dirfd, at most max bytes, into b. */
int io_read_file(int dirfd, const char *path, struct buf *b);

/*
 * A new file of mode 0600 that holds s, on disk: for keys. Never over another
 * file (EEXIST), and none is left after a failure. 0 or -1.
 */
int io_write_new(const char *path, struct bytes s);

/* Buffered input. The buffer belongs to the caller. */
struct reader {
	int fd;
	unsigned char *p;
	size_t size;
	size_t start, end;	/* unread: p[start..end) */
	int64_t deadline;	/* for the next reads; DEADLINE_NONE */
	bool eof;
};
void reader_init(struct reader *r, int fd, void *p, size_t size);
/* More bytes into the buffer: 1 got some, 0 end of file, -1 errno
 * (EMSGSIZE when the buffer is full of unread bytes). */
int reader_fill(struct reader *r);
/*
 * A line up to and including LF, as a view that holds until the next call.
 * 1; 0 at end of file (a last piece without LF is given as a line first);
 * -1 with EMSGSIZE when no LF is within the buffer size, ETIMEDOUT, ...
 */
int reader_line(struct reader *r, struct bytes *line);
/* Some unread bytes (at least 1), reading if there are none; 1, 0, -1. */
int reader_peek(struct reader *r, struct bytes *s);
/* Mark n bytes of what was peeked as read. */
void reader_skip(struct reader *r, size_t n);
struct bytes reader_pending(const struct reader *r);

/* Buffered output. The buffer belongs to the caller. */
struct writer {
	int fd;
	unsigned char *p;
	size_t size, n;
	int64_t deadline;
	bool failed;		/* a write failed: later calls fail too */
};
void writer_init(struct writer *w, int fd, void *p, size_t size);
int writer_add(struct writer *w, struct bytes s);
int writer_adds(struct writer *w, const char *s);
int writer_printf(struct writer *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int writer_flush(struct writer *w);

/* ---- messages on standard error: one line, one write, escaped ---- */

/* The name messages begin with; call once, first in main. Also ignores
 * SIGPIPE. */
void msg_init(const char *program);
const char *msg_program(void);
void msg_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void msg_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "...: strerror(errno)". */
void msg_warnsys(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
/* Constant usage text of several lines, as it stands; exits EXIT_PERM. */
_Noreturn void msg_usage(const char *usage);
_Noreturn void msg_die(int code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
_Noreturn void msg_diesys(int code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Append s to b for a person: control bytes (C1 in UTF-8 too) and bytes >= 0x80
 * that are not valid UTF-8 become \xNN, backslash becomes \\. */
int msg_escape(struct buf *b, struct bytes s);
/* Append a tab and s as a column of a line for programs: as msg_escape, "-" for
 * what is empty. 0, -1. */
int msg_column(struct buf *b, struct bytes s);

/* logfmt lines on standard error: l=info m=delivered from=... (O-12). */
enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
struct logline {
	/* Fields that do not fit are left out, values cut at 256 bytes; the
	 * line is then marked cut=1. */
	unsigned char text[2048];
	size_t n;
	bool on, cut;
};
/* Only lines of this level and above are written; default LOG_INFO. */
void log_set_level(enum log_level level);
void log_begin(struct logline *l, enum log_level level, const char *event);
void log_bytes(struct logline *l, const char *key, struct bytes value);
void log_str(struct logline *l, const char *key, const char *value);
void log_num(struct logline *l, const char *key, int64_t value);
void log_err(struct logline *l, int err);	/* err="text" */
void log_end(struct logline *l);		/* one write(2) */

/* ---- processes ---- */

struct spawn {
	char *const *argv;	/* argv[0] is searched in PATH if no '/' */
	char *const *env;	/* whole environment; NULL: env_clean() */
	int fd[3];		/* becomes 0, 1, 2; -1: /dev/null */
	const char *dir;	/* chdir there first; NULL: no */
	bool new_session;	/* setsid, so that the group can be killed */
};
/* The child's pid, or -1. Every other descriptor is closed in it, signals
 * are default, SIGPIPE too. A program that cannot be run exits 126/127. */
pid_t spawn_start(const struct spawn *s);
/*
 * Become the program argv[0], with SIGPIPE back to default. Comes back only
 * when that fails, with errno and the exit code to end with: EXIT_NOTFOUND
 * or EXIT_NOEXEC.
 */
int spawn_exec(char *const argv[]);
/*
 * Wait for pid until the deadline; past it the process (its group, if
 * group) is killed. Returns its exit code; death by signal or time-out is
 * EXIT_TEMP, with *signal_out (if not NULL) the signal, 0 none.
 */
int spawn_wait(pid_t pid, bool group, int64_t deadline, int *signal_out);
/*
 * A small environment in the arena: PATH, TZ, LANG-free, the PIPEMAIL_*
 * directories, plus extra "NAME=value" strings (NULL-terminated or NULL).
 */
char **env_clean(struct arena *a, const char *const extra[]);
/* getenv that gives NULL for an empty value. */
const char *env_get(const char *name);

/* The three directories: PIPEMAIL_ETC, _VAR, _RUN or the built-in ones. */
const char *dir_etc(void);
const char *dir_var(void);
const char *dir_run(void);

#endif
