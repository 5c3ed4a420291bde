/* tlsreq_test.c - requests to tls-serve, replies, and the asking side */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/os.h"
#include "tlsreq/tlsreq.h"

#define B(lit) BYTES(lit)

/* Of fields, with the length that belongs to them; then with other ones. */
static void
requests(void **state)
{
	static const struct {
		struct bytes fields;
		int result;
	} all[] = {
		{ B("listener=imap\0"), 0 },
		{ B("listener=imap\0implicit=yes\0"), 0 },
		{ B("listener=imap\0remote=1.2.3.4\0"), 0 },
		{ B("listener=a\0alpn=a\0alpn=b\0alpn=c\0alpn=d\0"), 0 },
		{ B("listener=a\0alpn=a\0alpn=b\0alpn=c\0alpn=d\0alpn=e\0"),
		    -1 },
		{ B(""), -1 },
		{ B("listener=imap"), -1 },	/* no NUL at the end */
		{ B("listener=imap\0\0"), -1 },
		{ B("listener=\0"), -1 },
		{ B("listener=im p\0"), -1 },
		{ B("listener=im\x80p\0"), -1 },
		{ B("implicit=yes\0"), -1 },
		{ B("listener=imap\0client-cert\0"), -1 },
		{ B("listener=imap\0implicit=no\0"), -1 },
		{ B("listener=imap\0implicit=yes\0implicit=yes\0"), -1 },
		{ B("listener=imap\0listener=smtp\0"), -1 },
		{ B("listener=imap\0x=y\0"), -1 },
		{ B("listener=imap\0remote=1.2.3.x\0"), -1 },
		{ B("listener=imap\0greeting=* OK\r\n\0greeting-bound==\0"),
		    0 },
		{ B("listener=imap\0greeting=a\0"), -1 },
		{ B("listener=imap\0greeting-bound=b\0"), -1 },
		{ B("listener=imap\0greeting=a\0greeting-bound=b\0"
		    "greeting=a\0"), -1 },
		{ B("listener=imap\0greeting=\0greeting-bound=b\0"), -1 },
		{ B("listener=imap\0greeting=a\0greeting-bound=b\0"
		    "greeting-key=c\0"), -1 },
	};
	struct tlsreq r;
	size_t i;
	int wrong;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		for (wrong = -1; wrong <= 1; wrong++) {
			struct buf b = BUF_INIT(TLSREQ_MAX);
			int got, want = wrong == 0 ? all[i].result : -1;

			buf_addc(&b, 0);
			buf_addc(&b, ((int)all[i].fields.n + wrong) & 255);
			buf_add(&b, all[i].fields);
			got = tlsreq_parse(buf_bytes(&b), &r);
			if (got != want)
				fail_msg("request %zu (%d): %d", i, wrong, got);
			buf_free(&b);
		}
	}
	assert_int_equal(tlsreq_parse(BYTES_EMPTY, &r), -1);
	assert_int_equal(tlsreq_parse(B("\0"), &r), -1);
}

static void
request_there_and_back(void **state)
{
	struct tlsreq r = { .listener = B("submission"),
	    .alpn = { B("h2"), B("http/1.1") }, .nalpn = 2, .implicit = true,
	    .client_cert = true }, q;
	struct buf b = BUF_INIT(TLSREQ_MAX);
	size_t i;

	(void)state;
	assert_int_equal(ip_parse(B("2001:db8::5"), &r.remote), 0);
	assert_int_equal(tlsreq_format(&b, &r), 0);
	assert_int_equal(tlsreq_parse(buf_bytes(&b), &q), 0);
	assert_true(bytes_eq(q.listener, r.listener));
	assert_int_equal(q.nalpn, 2);
	assert_true(bytes_eq(q.alpn[1], r.alpn[1]));
	assert_true(q.implicit && q.client_cert);
	assert_true(ip_eq(&q.remote, &r.remote));
	for (i = 0; i < b.n; i++)
		assert_int_equal(tlsreq_parse(bytes_first(buf_bytes(&b), i),
		    &q), -1);
	/* limits */
	r.alpn[0] = B("12345678901234567890123456789012");
	r.nalpn = TLSREQ_ALPNS_MAX;
	for (i = 1; i < TLSREQ_ALPNS_MAX; i++)
		r.alpn[i] = r.alpn[0];
	buf_reset(&b);
	assert_int_equal(tlsreq_format(&b, &r), 0);
	r.alpn[0] = B("123456789012345678901234567890123");
	assert_int_equal(tlsreq_format(&b, &r), -1);
	assert_int_equal(errno, EINVAL);
	r.alpn[0] = B("h2");
	r.nalpn = TLSREQ_ALPNS_MAX + 1;
	assert_int_equal(tlsreq_format(&b, &r), -1);
	buf_free(&b);
}

static void
greetings(void **state)
{
	static unsigned char text[TLSREQ_GREETING_MAX + 1];
	struct tlsreq r = { .listener = B("imap") }, q;
	struct buf b = BUF_INIT(TLSREQ_MAX);
	size_t i;

	(void)state;
	memset(text, 'g', sizeof(text));
	for (i = 0; i < TLSREQ_GREETINGS; i++) {
		text[i] = (unsigned char)('0' + i);
		r.greeting[i] = bytes_of(text + i, TLSREQ_GREETING_MAX - i);
	}
	assert_int_equal(tlsreq_format(&b, &r), 0);
	assert_int_equal(tlsreq_parse(buf_bytes(&b), &q), 0);
	for (i = 0; i < TLSREQ_GREETINGS; i++)
		assert_true(bytes_eq(q.greeting[i], r.greeting[i]));
	/* one byte past the limit, one that is empty, a NUL */
	r.greeting[1] = bytes_of(text, TLSREQ_GREETING_MAX + 1);
	assert_int_equal(tlsreq_format(&b, &r), -1);
	assert_int_equal(errno, EINVAL);
	r.greeting[1] = BYTES_EMPTY;
	assert_int_equal(tlsreq_format(&b, &r), -1);
	r.greeting[1] = B("a\0b");
	assert_int_equal(tlsreq_format(&b, &r), -1);
	buf_free(&b);
}

static void
replies(void **state)
{
	static const struct {
		struct bytes in;
		int result;
	} all[] = {
		{ B("\0\4Peof"), 1 },
		{ B("\0\5Ggone"), 1 },
		{ B("\0\4Peofmore"), 1 },
		{ B("\0\4Pe"), 0 },
		{ B("\0"), 0 },
		{ B("\0\0"), -1 },
		{ B("\0\1P"), -1 },
		{ B("\0\4Xeof"), -1 },
		{ B("\0\4Pe f"), -1 },
		{ B("\xff\xffP"), -1 },
	};
	enum tlsreq_status status;
	struct bytes text;
	size_t i, size;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int got = tlsreq_parse_reply(all[i].in, &status, &text, &size);

		if (got != all[i].result)
			fail_msg("reply %zu: %d", i, got);
	}
}

/* A server made of one reply, given before the request is read. */
static int
run_with(struct bytes reply, bool with_fd, struct tlsreq_result *out,
    struct arena *a)
{
	struct tlsreq req = { .listener = B("imap") };
	unsigned char text[TLSREQ_MAX];
	int pair[2], net[2], fds[OS_FDS_MAX], r, err;
	size_t n;

	assert_int_equal(os_socketpair(pair), 0);
	assert_int_equal(os_socketpair(net), 0);
	if (reply.n > 0)
		assert_int_equal(os_send_fds(pair[1], reply, &net[1],
		    with_fd ? 1 : 0), 0);
	r = tlsreq_run(pair[0], net[0], &req, deadline_in(50), a, out);
	err = errno;
	assert_true(os_recv_fds(pair[1], text, sizeof(text), fds, &n,
	    deadline_in(1000)) > 2);
	assert_int_equal(n, 1);
	close(fds[0]);
	assert_int_equal(read(pair[1], text, 1), 0);	/* ctl was closed */
	close(pair[1]);
	close(net[0]);
	close(net[1]);
	errno = err;
	return r;
}

static void
asking(void **state)
{
	struct preface p = { .tls = true, .version = B("TLSv1.3"),
	    .cipher = B("X"), .authority = BYTES_EMPTY, .alpn = BYTES_EMPTY };
	struct buf preface = BUF_INIT(PREFACE_MAX);
	struct buf b = BUF_INIT(TLSREQ_REPLY_MAX);
	struct arena a = ARENA_INIT;
	struct tlsreq_result r;

	(void)state;
	assert_int_equal(preface_format(&preface, &p), 0);
	assert_int_equal(tlsreq_format_reply(&b, TLSREQ_DONE,
	    buf_bytes(&preface)), 0);
	assert_int_equal(run_with(buf_bytes(&b), true, &r, &a), 0);
	assert_true(r.preface.tls);
	assert_true(bytes_eq(r.preface.version, B("TLSv1.3")));
	assert_true(bytes_eq(r.raw, buf_bytes(&preface)));
	assert_true(os_is_socket(r.fd));
	close(r.fd);
	/* no descriptor */
	assert_int_equal(run_with(buf_bytes(&b), false, &r, &a), -1);
	assert_int_equal(errno, EBADMSG);
	/* reasons; a descriptor that comes with one is closed */
	assert_int_equal(run_with(B("\0\4Peof"), true, &r, &a), -1);
	assert_int_equal(errno, EPROTO);
	assert_string_equal(r.reason, "eof");
	assert_int_equal(run_with(B("\0\5Bbusy"), false, &r, &a), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(run_with(B("\0\3Rno"), false, &r, &a), -1);
	assert_int_equal(errno, EACCES);
	/* silence, and bytes that are no reply */
	assert_int_equal(run_with(BYTES_EMPTY, false, &r, &a), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_string_equal(r.reason, "timeout");
	assert_int_equal(run_with(B("\0\4Xeof"), false, &r, &a), -1);
	assert_int_equal(errno, EBADMSG);
	buf_free(&preface);
	buf_free(&b);
	arena_free(&a);
}

static void
nobody_there(void **state)
{
	struct tlsreq req = { .listener = B("imap") };
	struct arena a = ARENA_INIT;
	struct tlsreq_result r;
	int pair[2];

	(void)state;
	assert_int_equal(tlsreq_open("/nonexistent/tls", deadline_in(100)),
	    -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(os_socketpair(pair), 0);
	close(pair[1]);
	assert_int_equal(tlsreq_run(pair[0], 0, &req, deadline_in(100), &a,
	    &r), -1);
	assert_string_equal(r.reason, "tls-serve-unavailable");
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "requests good and bad", requests, NULL, NULL, NULL },
		{ "a request formatted is parsed, cut ones are refused",
		    request_there_and_back, NULL, NULL, NULL },
		{ "greetings, and their limits", greetings, NULL, NULL, NULL },
		{ "replies good and bad", replies, NULL, NULL, NULL },
		{ "every reply as result and errno", asking, NULL, NULL, NULL },
		{ "tls-serve is not there", nobody_there, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
