/* TEXTFILE: a text that comes as a descriptor, through a whole session */
#include "smtp/smtp.h"
#include "os/os.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define WAIT_MS 10000
#define SIZE_LIMIT 200000

/* ---- the server, a process ---- */

static void
accept_rcpt(struct smtp_session *s)
{
	if (bytes_starts(smtp_asked(s->smtp)->text, BYTES("no")))
		smtp_rcpt_refuse(s->smtp, 550, "5.1.1", BYTES("no such user"));
	else
		smtp_rcpt_accept(s->smtp);
}

/* Says what the text is, to each recipient. */
static void
say_text(struct smtp_session *s, struct bytes text)
{
	char what[64];

	(void)snprintf(what, sizeof(what), "%zu %016llx", text.n,
	    (unsigned long long)bytes_hash(text));
	while (smtp_replies_due(s->smtp) > 0)
		smtp_reply(s->smtp, 250, "2.0.0", bytes_str(what));
}

static void
say_nothing(struct smtp_session *s, const char *why)
{
	(void)s;
	(void)why;
}

static pid_t
serve(int fd, bool textfile)
{
	struct smtp_session s = { .options = { .hostname = BYTES("h"),
	    .banner = BYTES(""), .lmtp = true, .size_limit = SIZE_LIMIT,
	    .recipients_max = 10, .chunking = true, .textfile = textfile },
	    .in = fd,
	    .out = fd, .is_socket = true, .line_timeout_ms = WAIT_MS,
	    .data_timeout_ms = WAIT_MS, .spool_dir = "/tmp",
	    .rcpt = accept_rcpt, .message = say_text,
	    .refused = say_nothing };
	pid_t pid = fork();

	if (pid == 0) {
		(void)smtp_session_run(&s);
		_exit(0);
	}
	return pid;
}

/* ---- the client ---- */

enum kind { OF_MEMORY, OF_PIPE, OF_DEVICE, NO_FILE };

static int
make_file(enum kind kind, struct bytes text)
{
	int fds[2];

	if (kind == OF_PIPE) {
		assert_int_equal(pipe(fds), 0);
		assert_int_equal(write(fds[1], text.p, text.n), text.n);
		close(fds[1]);
		return fds[0];
	}
	if (kind == OF_DEVICE)
		return open("/dev/zero", O_RDONLY);
	fds[0] = os_memory_file("text");
	assert_true(fds[0] != -1);
	assert_int_equal(pwrite(fds[0], text.p, text.n, 0), text.n);
	return fds[0];
}

/* What the server says to those commands. */
static void
talk(bool textfile, const char *commands, enum kind kind, struct bytes text,
    struct buf *said)
{
	int pair[2], fd = make_file(kind, text);
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid = serve(pair[1], textfile);
	assert_true(pid > 0);
	close(pair[1]);
	assert_int_equal(os_send_fds(pair[0], bytes_str(commands), &fd,
	    kind == NO_FILE ? 0 : 1), 0);
	close(fd);
	assert_int_equal(shutdown(pair[0], SHUT_WR), 0);
	buf_reset(said);
	assert_int_equal(io_read_all(pair[0], said, deadline_in(WAIT_MS)), 0);
	close(pair[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

#define ENVELOPE "LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<u@d.example>\r\n"

static struct bytes
after_envelope(struct bytes said)
{
	size_t at;

	assert_true(bytes_find(said, BYTES("250 2.1.5 recipient ok\r\n"),
	    &at));
	return bytes_from(said, at + 24);
}

static void
test_rows(void **state)
{
	static const struct {
		const char *command;
		enum kind kind;
		struct bytes text;
		const char *reply;	/* NULL: the text is taken */
	} row[] = {
		{ "TEXTFILE 4\r\n", OF_MEMORY, BYTES("a\nb\n"), NULL },
		{ "textfile 4\r\n", OF_MEMORY, BYTES("a\n.\n"), NULL },
		{ "TEXTFILE 0\r\n", OF_MEMORY, BYTES(""), NULL },
		{ "TEXTFILE 2\r\n", OF_MEMORY, BYTES("\xff\n"), NULL },
		{ "TEXTFILE 5\r\n", OF_MEMORY, BYTES("a\nb\n"), "451 4.3.0" },
		{ "TEXTFILE 4\r\n", OF_PIPE, BYTES("a\nb\n"), "451 4.3.0" },
		{ "TEXTFILE 4\r\n", OF_DEVICE, BYTES("\0\0\0\0"),
		    "451 4.3.0" },
		{ "TEXTFILE 4\r\n", NO_FILE, BYTES("a\nb\n"), "451 4.3.0" },
		{ "TEXTFILE 4\r\n", OF_MEMORY, BYTES("a\rb\n"), "554 5.6.0" },
		{ "TEXTFILE 4\r\n", OF_MEMORY, BYTES("ab\r\n"), "554 5.6.0" },
		{ "TEXTFILE 4\r\n", OF_MEMORY, BYTES("a\0b\n"), "554 5.6.0" },
		{ "TEXTFILE 3\r\n", OF_MEMORY, BYTES("a\nb\n"), "554 5.6.0" },
		{ "TEXTFILE\r\n", OF_MEMORY, BYTES("a\n"), "501 5.5.4" },
		{ "TEXTFILE -1\r\n", OF_MEMORY, BYTES("a\n"), "501 5.5.4" },
		{ "TEXTFILE 2 2\r\n", OF_MEMORY, BYTES("a\n"), "501 5.5.4" },
		{ "TEXTFILE 262144\r\n", OF_MEMORY, BYTES(""), "451 4.3.0" },
		{ "TEXTFILE 262145\r\n", OF_MEMORY, BYTES(""), "501 5.5.4" },
		{ "RSET\r\nTEXTFILE 2\r\n", OF_MEMORY, BYTES("a\n"),
		    "250 2.0.0 ok\r\n503 5.5.1" },
		{ "BDAT 1\r\naTEXTFILE 2\r\n", OF_MEMORY, BYTES("a\n"),
		    "250 2.0.0 chunk ok\r\n503 5.5.1" },
	};
	struct buf said = BUF_INIT(10000);
	char want[64], commands[200];

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		struct bytes reply;

		(void)snprintf(commands, sizeof(commands), ENVELOPE "%s",
		    row[i].command);
		(void)snprintf(want, sizeof(want), "250 2.0.0 %zu %016llx",
		    row[i].text.n,
		    (unsigned long long)bytes_hash(row[i].text));
		talk(true, commands, row[i].kind, row[i].text, &said);
		reply = after_envelope(buf_bytes(&said));
		if (!bytes_starts(reply, bytes_str(row[i].reply == NULL
		    ? want : row[i].reply)))
			fail_msg("row %zu: %.*s", i, BYTES_ARG(reply));
	}
	buf_free(&said);
}

/* A text as long as may be, and one that counts more on the wire. */
static void
test_sizes(void **state)
{
	static unsigned char text[SMTP_TEXTFILE_MAX];
	static const struct {
		size_t n, lines;
		const char *reply;
	} row[] = {
		{ SIZE_LIMIT - 1, 1, "250 2.0.0 199999 " },
		{ SIZE_LIMIT, 1, "552 5.3.4 " },
		{ SIZE_LIMIT - 10, 10, "250 2.0.0 199990 " },
		{ SIZE_LIMIT - 10, 11, "552 5.3.4 " },
		{ SIZE_LIMIT / 2, SIZE_LIMIT / 2, "250 2.0.0 100000 " },
		{ SIZE_LIMIT / 2 + 1, SIZE_LIMIT / 2 + 1, "552 5.3.4 " },
	};
	struct buf said = BUF_INIT(10000);
	char commands[200];

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		memset(text, 'x', sizeof(text));
		memset(text + row[i].n - row[i].lines, '\n', row[i].lines);
		(void)snprintf(commands, sizeof(commands),
		    ENVELOPE "TEXTFILE %zu\r\n", row[i].n);
		talk(true, commands, OF_MEMORY, bytes_of(text, row[i].n),
		    &said);
		assert_true(bytes_starts(after_envelope(buf_bytes(&said)),
		    bytes_str(row[i].reply)));
	}
	buf_free(&said);
}

/* Who may use it, and what comes before and after it. */
static void
test_order(void **state)
{
	const struct bytes text = BYTES("a\nb\n");
	struct buf said = BUF_INIT(10000);
	char want[200];
	size_t at;

	(void)state;
	talk(true, ENVELOPE, OF_MEMORY, text, &said);
	assert_true(bytes_find(buf_bytes(&said), BYTES("250-TEXTFILE\r\n"),
	    &at));
	talk(false, ENVELOPE "TEXTFILE 4\r\n", OF_MEMORY, text, &said);
	assert_false(bytes_find(buf_bytes(&said), BYTES("TEXTFILE"), &at));
	assert_true(bytes_starts(after_envelope(buf_bytes(&said)),
	    BYTES("502 ")));
	/* a reply for each; the file is there once; then others as ever */
	talk(true, ENVELOPE "RCPT TO:<no@d.example>\r\nRCPT TO:<v@d.example>"
	    "\r\nTEXTFILE 4\r\nMAIL FROM:<>\r\nRCPT TO:<u@d.example>\r\n"
	    "TEXTFILE 4\r\nMAIL FROM:<>\r\nRCPT TO:<u@d.example>\r\nDATA\r\n"
	    "a\r\nb\r\n.\r\n", OF_MEMORY, text, &said);
	(void)snprintf(want, sizeof(want), "250 2.0.0 4 %016llx\r\n",
	    (unsigned long long)bytes_hash(text));
	assert_true(bytes_starts(after_envelope(buf_bytes(&said)),
	    BYTES("550 5.1.1 no such user\r\n250 2.1.5 recipient ok\r\n"
	    "250 2.0.0 4 ")));
	for (int i = 0; i < 3; i++) {	/* two of the file, one of DATA */
		struct bytes rest = buf_bytes(&said);

		assert_true(bytes_find(rest, bytes_str(want), &at));
		said.p[at] = '#';
	}
	assert_false(bytes_find(buf_bytes(&said), bytes_str(want), &at));
	assert_true(bytes_find(buf_bytes(&said), BYTES("\r\n451 4.3.0 "),
	    &at));
	/* nobody wants it */
	talk(true, "LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<no@d.example>\r\n"
	    "TEXTFILE 4\r\nNOOP\r\n", OF_MEMORY, text, &said);
	assert_true(bytes_ends(buf_bytes(&said),
	    BYTES("554 5.5.1 no recipient was accepted\r\n"
	    "250 2.0.0 ok\r\n")));
	buf_free(&said);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "R-11 TEXTFILE takes lines of text from a file alone",
		    test_rows, NULL, NULL, NULL },
		{ "R-12 TEXTFILE counts a text as on the wire", test_sizes,
		    NULL, NULL, NULL },
		{ "TEXTFILE in the order of commands", test_order, NULL,
		    NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
