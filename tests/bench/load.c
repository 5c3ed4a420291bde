/*
 * load.c - small load tools for make bench
 *
 *   load bare DIR N SIZE          write, fsync, link, fsync directory
 *   load lmtp SOCKET N SIZE RCPT  one LMTP connection, one message a time
 *   load lmtp SOCKET N FILE RCPT IDENT
 *                                 the same as smtp-in would hand them on, each
 *                                 from another address
 *   load smtp ADDR PORT N CONNS FILE FROM RCPT [NET]
 *                                 one connection for each message, each from
 *                                 the next of 24 addresses of the /24 NET
 * Each prints messages per second as a number.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void
die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(111);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long
number(const char *s)
{
	return strtol(s, NULL, 10);
}

/* A message of about size bytes with CRLF line ends. */
static char *
make_message(long size, size_t *length)
{
	static const char head[] = "From: Sender <s@sender.example>\r\n"
	    "To: mail@localhost\r\nSubject: load\r\n"
	    "Date: Fri, 20 Nov 2026 12:00:00 +0000\r\n\r\n";
	char *m = malloc((size_t)size + 256);
	size_t n = sizeof(head) - 1;

	if (m == NULL)
		die("memory");
	memcpy(m, head, n);
	while (n < (size_t)size) {
		memset(m + n, 'x', 70);
		memcpy(m + n + 70, "\r\n", 2);
		n += 72;
	}
	*length = n;
	return m;
}

static double
bare(const char *dir, long count, long size)
{
	size_t n;
	char *m = make_message(size, &n);
	char from[4096], to[4096];
	double t = now();
	long i;
	int d = open(dir, O_RDONLY | O_DIRECTORY);

	/* may be there from an earlier round, as the Maildir is */
	if (d == -1 || (mkdirat(d, "tmp", 0700) == -1 && errno != EEXIST) ||
	    (mkdirat(d, "new", 0700) == -1 && errno != EEXIST))
		die(dir);
	close(d);
	snprintf(to, sizeof(to), "%s/new", dir);
	if ((d = open(to, O_RDONLY | O_DIRECTORY)) == -1)
		die(to);
	for (i = 0; i < count; i++) {
		int fd;

		snprintf(from, sizeof(from), "%s/tmp/%ld.m%ld", dir,
		    (long)getpid(), i);
		snprintf(to, sizeof(to), "%s/new/%ld.m%ld", dir,
		    (long)getpid(), i);
		fd = open(from, O_WRONLY | O_CREAT | O_EXCL, 0600);
		if (fd == -1 || write(fd, m, n) != (ssize_t)n ||
		    fsync(fd) == -1 || close(fd) == -1 ||
		    link(from, to) == -1 || fsync(d) == -1 ||
		    unlink(from) == -1)
			die(from);
	}
	free(m);
	return (double)count / (now() - t);
}

struct connection {
	int fd;
	char buf[4096];
	size_t n;
};

/* One reply; its first digit. */
static int
reply(struct connection *c)
{
	for (;;) {
		char *lf = memchr(c->buf, '\n', c->n);

		if (lf != NULL) {
			int digit = c->buf[0];
			int more = c->buf[3] == '-';
			size_t line = (size_t)(lf - c->buf) + 1;

			if (digit != '2' && digit != '3')
				fprintf(stderr, "load: %.*s", (int)line,
				    c->buf);
			memmove(c->buf, c->buf + line, c->n - line);
			c->n -= line;
			if (!more)
				return digit;
			continue;
		}
		ssize_t r = read(c->fd, c->buf + c->n,
		    sizeof(c->buf) - c->n);

		if (r <= 0)
			die("connection");
		c->n += (size_t)r;
	}
}

static void
say(struct connection *c, const char *s, size_t n, int want)
{
	if (write(c->fd, s, n) != (ssize_t)n)
		die("write");
	if (want != 0 && reply(c) != want)
		exit(1);
}

static void
transaction(struct connection *c, const char *from, const char *rcpt,
    const char *m, size_t n)
{
	char line[1024];
	int k = snprintf(line, sizeof(line), "MAIL FROM:<%s>\r\n", from);

	say(c, line, (size_t)k, '2');
	k = snprintf(line, sizeof(line), "RCPT TO:<%s>\r\n", rcpt);
	say(c, line, (size_t)k, '2');
	say(c, "DATA\r\n", 6, '3');
	say(c, m, n, 0);
	say(c, ".\r\n", 3, '2');
}

/* The same in two writes (RFC 2920), as smtp-in hands a message on. */
static void
pipelined(struct connection *c, const char *from, const char *rcpt,
    const char *text, size_t n)
{
	char line[1024];
	int k = snprintf(line, sizeof(line), "MAIL FROM:<%s>\r\n"
	    "RCPT TO:<%s>\r\nDATA\r\n", from, rcpt);

	say(c, line, (size_t)k, '2');
	if (reply(c) != '2' || reply(c) != '3')
		exit(1);
	say(c, text, n, '2');
}

static char *
read_message(const char *path, size_t *length)
{
	FILE *f = fopen(path, "r");
	char *m = malloc(4 << 20);
	int c;

	if (f == NULL || m == NULL)
		die(path);
	*length = 0;
	while ((c = getc(f)) != EOF && *length < (4 << 20) - 4) {
		if (c == '\n' && (*length == 0 || m[*length - 1] != '\r'))
			m[(*length)++] = '\r';
		m[(*length)++] = (char)c;
	}
	fclose(f);
	return m;
}

/* In networks that history.py does not use, few of one in a minute. */
static void
forward(struct connection *c, const char *ident)
{
	static unsigned int n;
	unsigned int v = (unsigned int)getpid() * 64 + n++;
	char line[256];
	int k = snprintf(line, sizeof(line), "XFORWARD ADDR=203.%u.%u.%u "
	    "HELO=mail.new.example PROTO=ESMTP IDENT=%s\r\n", 18 + v % 2,
	    v / 2 % 251, v % 250 + 1, ident);

	say(c, line, (size_t)k, '2');
}

static double
lmtp(const char *path, long count, const char *what, const char *rcpt,
    const char *ident)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct connection c = { 0 };
	size_t n;
	char *m = ident == NULL ? make_message(number(what), &n)
	    : read_message(what, &n);
	double t;
	long i;

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	c.fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (c.fd == -1 || connect(c.fd, (void *)&sa, sizeof(sa)) == -1)
		die(path);
	reply(&c);
	say(&c, "LHLO load\r\n", 11, '2');
	memcpy(m + n, ".\r\n", 3);	/* make_message leaves room */
	t = now();
	for (i = 0; i < count; i++) {
		if (ident != NULL)
			forward(&c, ident);
		pipelined(&c, ident == NULL ? "s@sender.example"
		    : "s@new.example", rcpt, m, n + 3);
	}
	t = (double)count / (now() - t);
	free(m);
	return t;
}

/* Address 10, 20 .. 240 of the net, or any. */
static void
come_from(int fd, const char *net, long i)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	int one = 1;

	if (net == NULL)
		return;
	if (inet_pton(AF_INET, net, &sa.sin_addr) != 1)
		die(net);
	sa.sin_addr.s_addr |= htonl((uint32_t)(10 + i % 24 * 10));
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one,
	    sizeof(one));
	if (bind(fd, (void *)&sa, sizeof(sa)) == -1)
		die(net);
}

static void
one_connection(const struct sockaddr_in *sa, const char *net, long i,
    const char *from, const char *rcpt, const char *m, size_t n)
{
	struct connection c = { 0 };
	int one = 1;

	c.fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c.fd == -1)
		die("socket");
	come_from(c.fd, net, i);
	if (connect(c.fd, (const void *)sa, sizeof(*sa)) == -1)
		die("connect");
	setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	reply(&c);
	say(&c, "EHLO mail.sender.example\r\n", 26, '2');
	transaction(&c, from, rcpt, m, n);
	say(&c, "QUIT\r\n", 6, '2');
	close(c.fd);
}

static double
smtp(char **arg)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	long count = number(arg[2]), connections = number(arg[3]), i, k;
	size_t n;
	char *m = read_message(arg[4], &n);
	double t = now();
	int status, bad = 0;

	sa.sin_port = htons((unsigned short)number(arg[1]));
	if (inet_pton(AF_INET, arg[0], &sa.sin_addr) != 1)
		die(arg[0]);
	for (k = 0; k < connections; k++) {
		if (fork() != 0)
			continue;
		for (i = k; i < count; i += connections)
			one_connection(&sa, arg[7], i, arg[5], arg[6], m, n);
		_exit(0);
	}
	while (wait(&status) > 0)
		bad |= status;
	if (bad != 0)
		exit(1);
	free(m);
	return (double)count / (now() - t);
}

int
main(int argc, char *argv[])
{
	if (argc == 5 && strcmp(argv[1], "bare") == 0)
		printf("%.1f\n", bare(argv[2], number(argv[3]),
		    number(argv[4])));
	else if ((argc == 6 || argc == 7) && strcmp(argv[1], "lmtp") == 0)
		printf("%.1f\n", lmtp(argv[2], number(argv[3]), argv[4],
		    argv[5], argv[6]));
	else if ((argc == 9 || argc == 10) && strcmp(argv[1], "smtp") == 0)
		printf("%.1f\n", smtp(argv + 2));
	else
		return 100;
	return 0;
}
