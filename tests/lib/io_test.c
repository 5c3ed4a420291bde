/* io_test - descriptors, buffered input and output, messages, processes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
make_pipe(int p[2])
{
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
}

/* A child that writes s to fd in pieces with pauses, then ends. */
static pid_t
slow_writer(int p[2], const char *s, size_t piece)
{
	pid_t pid = fork();
	size_t n = strlen(s), i;

	assert_int_not_equal(pid, -1);
	if (pid != 0) {
		assert_int_equal(close(p[1]), 0);
		return pid;
	}
	for (i = 0; i < n; i += piece) {
		if (io_write_all(p[1], bytes_first(bytes_str(s + i), piece),
		    DEADLINE_NONE) == -1)
			_exit(1);
		(void)usleep(2000);
	}
	_exit(0);
}

static void
reap(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_read_full(void **state)
{
	char out[8] = "";
	int p[2];
	pid_t pid;

	(void)state;
	make_pipe(p);
	pid = slow_writer(p, "abcdefgh", 3);
	assert_int_equal(io_read_full(p[0], out, 6, deadline_in(5000)), 1);
	assert_memory_equal(out, "abcdef", 6);
	errno = 0;
	assert_int_equal(io_read_full(p[0], out, 6, deadline_in(5000)), -1);
	assert_int_equal(errno, EPROTO);	/* the end, in the middle */
	assert_int_equal(io_read_full(p[0], out, 6, deadline_in(5000)), 0);
	reap(pid);
	assert_int_equal(close(p[0]), 0);
}

static void
test_read_all_cap(void **state)
{
	struct buf at = BUF_INIT(8), past = BUF_INIT(7);
	int p[2];

	(void)state;
	make_pipe(p);
	reap(slow_writer(p, "abcdefgh", 3));
	assert_int_equal(io_read_all(p[0], &at, DEADLINE_NONE), 0);
	assert_int_equal(at.n, 8);
	assert_memory_equal(at.p, "abcdefgh", 8);
	assert_int_equal(close(p[0]), 0);
	make_pipe(p);
	reap(slow_writer(p, "abcdefgh", 3));
	errno = 0;
	assert_int_equal(io_read_all(p[0], &past, DEADLINE_NONE), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(close(p[0]), 0);
	buf_free(&at);
	buf_free(&past);
}

static void
test_read_file(void **state)
{
	char name[] = "/tmp/io_test.XXXXXX";
	struct buf b = BUF_INIT(100000), small = BUF_INIT(99998);
	static unsigned char data[99999];
	int fd = mkstemp(name);

	(void)state;
	assert_true(fd >= 0);
	memset(data, 'x', sizeof(data));
	assert_int_equal(io_write_all(fd, bytes_of(data, sizeof(data)),
	    deadline_in(5000)), 0);
	assert_int_equal(io_read_file(AT_FDCWD, name, &b), 0);
	assert_int_equal(b.n, sizeof(data));
	assert_memory_equal(b.p, data, sizeof(data));
	assert_int_equal(io_read_file(AT_FDCWD, name, &small), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(io_read_file(AT_FDCWD, name, &b), -1);
	assert_int_equal(errno, ENOENT);
	buf_free(&b);
	buf_free(&small);
	assert_int_equal(close(fd), 0);
}

static void
test_timeouts(void **state)
{
	static unsigned char big[4 << 20];
	int p[2], s[2], i;
	char c;
	int64_t start;

	(void)state;
	make_pipe(p);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	start = time_mono_ms();
	assert_int_equal(io_read_some(p[0], &c, 1, deadline_in(50)), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(io_read_full(s[0], &c, 1, deadline_in(0)), -1);
	assert_int_equal(errno, ETIMEDOUT);
	/* Blocking and not, a pipe and a socket: nobody reads them. */
	for (i = 0; i < 2; i++) {
		assert_int_equal(io_write_all(p[1], bytes_of(big, sizeof(big)),
		    deadline_in(50)), -1);
		assert_int_equal(errno, ETIMEDOUT);
		assert_int_equal(io_write_all(s[1], bytes_of(big, sizeof(big)),
		    deadline_in(50)), -1);
		assert_int_equal(errno, ETIMEDOUT);
		assert_int_equal(fcntl(p[1], F_SETFL, O_NONBLOCK), 0);
		assert_int_equal(fcntl(s[1], F_SETFL, O_NONBLOCK), 0);
	}
	assert_in_range(time_mono_ms() - start, 250, 20000);
	for (i = 0; i < 2; i++) {
		assert_int_equal(close(p[i]), 0);
		assert_int_equal(close(s[i]), 0);
	}
}

/* More than any socket buffer goes through, byte for byte. */
static void
test_write_all(void **state)
{
	static unsigned char out[3000000], in[3000000];
	size_t i;
	pid_t pid;
	int s[2], kind;

	(void)state;
	for (i = 0; i < sizeof(out); i++)
		out[i] = (unsigned char)(i * 7 % 251);
	for (kind = 0; kind < 4; kind++) {
		if (kind < 2)
			assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0,
			    s), 0);
		else
			make_pipe(s);
		if (kind % 2 == 1)
			assert_int_equal(fcntl(s[1], F_SETFL, O_NONBLOCK), 0);
		pid = fork();
		assert_int_not_equal(pid, -1);
		if (pid == 0) {
			(void)close(s[0]);
			_exit(io_write_all(s[1], bytes_of(out, sizeof(out)),
			    deadline_in(20000)) == 0 ? 0 : 1);
		}
		assert_int_equal(close(s[1]), 0);
		memset(in, 0, sizeof(in));
		assert_int_equal(io_read_full(s[0], in, sizeof(in),
		    deadline_in(20000)), 1);
		assert_memory_equal(in, out, sizeof(in));
		reap(pid);
		assert_int_equal(close(s[0]), 0);
	}
}

static void
test_reader_lines(void **state)
{
	static const char *const want[] = {
		"one\n", "\n", "two\r\n", "1234567\n", "last",
	};
	unsigned char space[8];
	struct bytes line;
	struct reader r;
	size_t i;
	int p[2];
	pid_t pid;

	(void)state;
	make_pipe(p);
	pid = slow_writer(p, "one\n\ntwo\r\n1234567\nlast", 5);
	reader_init(&r, p[0], space, sizeof(space));
	r.deadline = deadline_in(10000);
	for (i = 0; i < COUNT(want); i++) {
		assert_int_equal(reader_line(&r, &line), 1);
		assert_true(bytes_eq(line, bytes_str(want[i])));
	}
	assert_int_equal(reader_line(&r, &line), 0);
	assert_int_equal(reader_line(&r, &line), 0);
	reap(pid);
	assert_int_equal(close(p[0]), 0);

	make_pipe(p);		/* one byte past what the buffer holds */
	pid = slow_writer(p, "12345678\nx", 20);
	reader_init(&r, p[0], space, sizeof(space));
	errno = 0;
	assert_int_equal(reader_line(&r, &line), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(reader_peek(&r, &line), 1);
	assert_int_equal(line.n, 8);
	reader_skip(&r, 8);
	assert_int_equal(reader_line(&r, &line), 1);
	assert_true(bytes_eq(line, BYTES("\n")));
	assert_int_equal(reader_peek(&r, &line), 1);
	assert_true(bytes_eq(line, BYTES("x")));
	reader_skip(&r, 99);
	assert_int_equal(reader_pending(&r).n, 0);
	assert_int_equal(reader_peek(&r, &line), 0);
	reap(pid);
	assert_int_equal(close(p[0]), 0);
}

static void
test_reader_timeout(void **state)
{
	unsigned char space[16];
	struct bytes line;
	struct reader r;
	int p[2];

	(void)state;
	make_pipe(p);
	reader_init(&r, p[0], space, sizeof(space));
	assert_int_equal(io_write_all(p[1], BYTES("half"), DEADLINE_NONE), 0);
	r.deadline = deadline_in(30);
	assert_int_equal(reader_line(&r, &line), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(io_write_all(p[1], BYTES(" line\nz"), DEADLINE_NONE),
	    0);
	r.deadline = deadline_in(5000);
	assert_int_equal(reader_line(&r, &line), 1);
	assert_true(bytes_eq(line, BYTES("half line\n")));
	assert_true(bytes_eq(reader_pending(&r), BYTES("z")));
	assert_int_equal(close(p[0]), 0);
	assert_int_equal(close(p[1]), 0);
}

static void
test_writer(void **state)
{
	unsigned char space[8];
	struct buf b = BUF_INIT(1000);
	struct writer w;
	int p[2], full;

	(void)state;
	make_pipe(p);
	writer_init(&w, p[1], space, sizeof(space));
	assert_int_equal(writer_adds(&w, "1234"), 0);
	assert_int_equal(writer_adds(&w, "5678"), 0);	/* at its size */
	assert_int_equal(w.n, 8);
	assert_int_equal(writer_adds(&w, "9"), 0);	/* past it */
	assert_int_equal(w.n, 1);
	assert_int_equal(writer_printf(&w, "%s", "abc"), 0);
	assert_int_equal(writer_printf(&w, "%020d", 7), 0);
	assert_int_equal(writer_add(&w, BYTES("longer than the buffer")), 0);
	assert_int_equal(writer_flush(&w), 0);
	assert_int_equal(writer_flush(&w), 0);
	assert_int_equal(close(p[1]), 0);
	assert_int_equal(io_read_all(p[0], &b, DEADLINE_NONE), 0);
	assert_true(bytes_eq(buf_bytes(&b), BYTES(
	    "123456789abc00000000000000000007longer than the buffer")));
	assert_int_equal(close(p[0]), 0);

	full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(full >= 0);
	writer_init(&w, full, space, sizeof(space));
	assert_int_equal(writer_adds(&w, "x"), 0);
	assert_int_equal(writer_flush(&w), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(writer_adds(&w, "x"), -1);	/* stays failed */
	assert_int_equal(writer_printf(&w, "x"), -1);
	assert_int_equal(writer_flush(&w), -1);
	assert_int_equal(close(full), 0);
	buf_free(&b);
}

/* What f writes to standard error in a child; its exit code in *code. */
static void
capture(void (*f)(void), struct buf *out, int *code)
{
	int p[2], status;
	pid_t pid;

	buf_reset(out);
	make_pipe(p);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (dup2(p[1], 2) == -1)
			_exit(50);
		f();
		_exit(51);
	}
	assert_int_equal(close(p[1]), 0);
	assert_int_equal(io_read_all(p[0], out, deadline_in(10000)), 0);
	assert_int_equal(close(p[0]), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	*code = WEXITSTATUS(status);
}

static void
say_messages(void)
{
	msg_init("prog");
	msg_info("%s", "one\ntwo\x1b[1m \\ \xc3\xa4 \xff \xc2\x9b "
	    "\xed\xa0\x80");
	errno = ENOENT;
	msg_warnsys("cannot open %s", "x");
	if (errno != ENOENT)
		_exit(52);
	errno = EIO;
	msg_diesys(exit_for(errno), "cannot read");
}

static void
say_long(void)
{
	static char text[5000];

	memset(text, 'x', sizeof(text) - 1);
	msg_warn("start %s", text);
	msg_die(EXIT_PERM, "done");
}

static void
test_messages(void **state)
{
	struct buf b = BUF_INIT(100000);
	int code;

	(void)state;
	capture(say_messages, &b, &code);
	assert_int_equal(code, EXIT_TEMP);
	assert_int_equal(buf_addc(&b, '\0'), 0);
	assert_string_equal((char *)b.p,
	    "prog: info: one\\x0atwo\\x1b[1m \\\\ \xc3\xa4 \\xff \\xc2\\x9b "
	    "\\xed\\xa0\\x80\n"
	    "prog: warning: cannot open x: No such file or directory\n"
	    "prog: fatal: cannot read: Input/output error\n");
	capture(say_long, &b, &code);
	assert_int_equal(code, EXIT_PERM);
	assert_int_equal(buf_addc(&b, '\0'), 0);
	assert_string_equal((char *)b.p,
	    "pipemail: warning: message too long: start %s\n"
	    "pipemail: fatal: done\n");
	buf_free(&b);
}

static void
say_log(void)
{
	struct logline l;
	char big[600];
	int i;

	log_begin(&l, LOG_INFO, "delivered");
	log_str(&l, "from", "a@example.org");
	log_bytes(&l, "empty", BYTES(""));
	log_bytes(&l, "odd", BYTES("a \"b\"=\\\n\0"));
	log_num(&l, "size", INT64_MIN);
	log_err(&l, ENOENT);
	log_end(&l);
	log_begin(&l, LOG_DEBUG, "hidden");
	log_str(&l, "a", "b");
	log_end(&l);
	log_set_level(LOG_ERROR);
	log_begin(&l, LOG_WARN, "hidden");
	log_end(&l);
	log_set_level(LOG_DEBUG);
	memset(big, 'y', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_begin(&l, LOG_DEBUG, "big");
	for (i = 0; i < 20; i++)
		log_str(&l, "k", big);
	log_num(&l, "code", 250);
	log_end(&l);
	_exit(0);
}

static void
test_log(void **state)
{
	struct buf b = BUF_INIT(100000);
	struct bytes s, line;
	int code;

	(void)state;
	capture(say_log, &b, &code);
	assert_int_equal(code, 0);
	s = buf_bytes(&b);
	assert_true(bytes_line(&s, &line));
	assert_true(bytes_eq(line, BYTES("l=info m=delivered "
	    "from=a@example.org empty=\"\" "
	    "odd=\"a \\\"b\\\"=\\\\\\x0a\\x00\" size=-9223372036854775808 "
	    "err=\"No such file or directory\"")));
	assert_true(bytes_line(&s, &line));
	assert_true(bytes_starts(line, BYTES("l=debug m=big k=yyyy")));
	assert_true(bytes_ends(line, BYTES("yyy code=250 cut=1")));
	assert_in_range(line.n, 1700, 2047);
	assert_false(bytes_line(&s, &line));
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "whole reads, and the end in the middle", test_read_full,
		    NULL, NULL, NULL },
		{ "reading everything, at the cap and past it",
		    test_read_all_cap, NULL, NULL, NULL },
		{ "reading a file", test_read_file, NULL, NULL, NULL },
		{ "reads and writes end at their deadline", test_timeouts,
		    NULL, NULL, NULL },
		{ "writes resume, pipes and sockets", test_write_all,
		    NULL, NULL, NULL },
		{ "lines, at the buffer size and past it", test_reader_lines,
		    NULL, NULL, NULL },
		{ "a line goes on after a time-out", test_reader_timeout,
		    NULL, NULL, NULL },
		{ "buffered output, and a full disk", test_writer,
		    NULL, NULL, NULL },
		{ "messages are one escaped line", test_messages,
		    NULL, NULL, NULL },
		{ "O-12 logfmt lines, levels, cut", test_log,
		    NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
