/*
 * msg.c - what a program tells people, on standard error
 *
 * The program's name is set once by msg_init, before anything else runs, and
 * is constant from then on: the one mutable object at file scope here.
 */
#include "base/base.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define MSG_MAX 4096		/* a longer message is cut */

static const char *program_name = "pipemail";

void
msg_init(const char *program)
{
	struct sigaction sa = { .sa_handler = SIG_IGN };

	program_name = program;
	(void)sigemptyset(&sa.sa_mask);		/* cannot fail */
	(void)sigaction(SIGPIPE, &sa, NULL);	/* nor can this */
}

const char *
msg_program(void)
{
	return program_name;
}

/* Length of the UTF-8 character (RFC 3629) at the front of s; 0: none. */
static size_t
utf8_length(struct bytes s)
{
	unsigned int c = s.p[0], lo = 0x80, hi = 0xbf;
	size_t n, i;

	if (c >= 0xc2 && c <= 0xdf)
		n = 2;
	else if (c >= 0xe0 && c <= 0xef)
		n = 3;
	else if (c >= 0xf0 && c <= 0xf4)
		n = 4;
	else
		return 0;
	if (s.n < n)
		return 0;
	if (c == 0xc2 || c == 0xe0)	/* C1 controls; overlong */
		lo = 0xa0;
	else if (c == 0xed)		/* surrogates */
		hi = 0x9f;
	else if (c == 0xf0)		/* overlong */
		lo = 0x90;
	else if (c == 0xf4)		/* past U+10FFFF */
		hi = 0x8f;
	if (s.p[1] < lo || s.p[1] > hi)
		return 0;
	for (i = 2; i < n; i++) {
		if ((s.p[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}

int
msg_escape(struct buf *b, struct bytes s)
{
	struct bytes piece;
	size_t n;
	int r;

	while (s.n > 0) {
		n = 1;
		if (s.p[0] == '\\')
			r = buf_add(b, BYTES("\\\\"));
		else if (s.p[0] >= 0x80 && (n = utf8_length(s)) == 0)
			r = buf_printf(b, "\\x%02x", s.p[0]);
		else if (ascii_is_ctl(s.p[0]))
			r = buf_printf(b, "\\x%02x", s.p[0]);
		else
			r = buf_add(b, bytes_first(s, n));
		if (r == -1)
			return -1;
		(void)bytes_cut(&s, n == 0 ? 1 : n, &piece);	/* there */
	}
	return 0;
}

int
msg_column(struct buf *b, struct bytes s)
{
	if (buf_addc(b, '\t') == -1)
		return -1;
	return s.n == 0 ? buf_addc(b, '-') : msg_escape(b, s);
}

/* Standard error that fails leaves nobody to tell. */
static void __attribute__((format(printf, 3, 0)))
say(const char *level, int err, const char *format, va_list ap)
{
	struct buf text = BUF_INIT(MSG_MAX), line = BUF_INIT(4 * MSG_MAX + 256);
	int saved = errno;

	if (buf_vprintf(&text, format, ap) == -1) {
		buf_reset(&text);
		(void)buf_adds(&text, "message too long: ");	/* fits */
		(void)buf_add(&text, bytes_first(bytes_str(format), 256));
	}
	if (err != 0)
		(void)buf_printf(&text, ": %s", strerror(err));
	/* Escaped text is at most four times as long: all this fits. */
	(void)buf_printf(&line, "%s: %s: ", program_name, level);
	(void)msg_escape(&line, buf_bytes(&text));
	(void)buf_addc(&line, '\n');
	(void)io_write_all(STDERR_FILENO, buf_bytes(&line), DEADLINE_NONE);
	buf_free(&text);
	buf_free(&line);
	errno = saved;
}

#define SAY(level, err) do {			\
	va_list ap;				\
						\
	va_start(ap, format);			\
	say(level, err, format, ap);		\
	va_end(ap);				\
} while (0)

void
msg_info(const char *format, ...)
{
	SAY("info", 0);
}

void
msg_warn(const char *format, ...)
{
	SAY("warning", 0);
}

void
msg_warnsys(const char *format, ...)
{
	SAY("warning", errno);
}

void
msg_usage(const char *usage)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	if (buf_printf(&b, "%s: fatal: %s\n", msg_program(), usage) == 0)
		/* there is nobody left to tell of a failure */
		(void)io_write_all(STDERR_FILENO, buf_bytes(&b),
		    DEADLINE_NONE);
	_exit(EXIT_PERM);
}

void
msg_die(int code, const char *format, ...)
{
	SAY("fatal", 0);
	_exit(code);
}

void
msg_diesys(int code, const char *format, ...)
{
	SAY("fatal", errno);
	_exit(code);
}
