/*
 * sendload.c - both ends of a server that sends, for make bench
 *
 *   sendload sink [-l RCPTMAX] PORT CERT.PEM COUNTS
 *	an SMTP server with STARTTLS on all of 127/8 that takes everything; a
 *	process for each connection. What it took is in the file COUNTS.
 *   sendload wait COUNTS RECIPIENTS SECONDS
 *	until so many were taken; prints when the last one was (monotonic
 *	seconds), exit 1: they did not come
 *   sendload counts COUNTS
 *	prints connections, handshakes, resumed ones, messages, recipients
 *   sendload submit [-c CONNECTIONS] [-d DOMAINS] [-m MESSAGES A SESSION]
 *	[-n MESSAGES] [-r RECIPIENTS A MESSAGE] PORT USER PASSWORD FROM
 *	STARTTLS, AUTH PLAIN, mail of 2 kB to rN@dN.example; prints when the
 *	first began and when the last was answered
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TEXT_BYTES 2048

/* What the sink has taken, in a file that is mapped by all. */
struct counts {
	unsigned long connections, handshakes, resumed, messages, recipients;
	unsigned long last_ns;
};

static void
die(const char *what)
{
	fprintf(stderr, "sendload: %s: %s\n", what, strerror(errno));
	ERR_print_errors_fp(stderr);
	exit(111);
}

static unsigned long
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (unsigned long)t.tv_sec * 1000000000UL +
	    (unsigned long)t.tv_nsec;
}

static void
add(unsigned long *p, unsigned long n)
{
	__atomic_add_fetch(p, n, __ATOMIC_SEQ_CST);
}

static struct counts *
map_counts(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	struct counts *c;

	if (fd == -1 || ftruncate(fd, sizeof(*c)) == -1)
		die(path);
	c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (c == MAP_FAILED)
		die(path);
	close(fd);
	return c;
}

/* ---- a connection, in clear or not ---- */

struct connection {
	int fd;
	SSL *ssl;
	char in[65536], out[131072];
	size_t in_from, in_to, out_n;
};

static int
fill(struct connection *c)
{
	ssize_t n;

	memmove(c->in, c->in + c->in_from, c->in_to - c->in_from);
	c->in_to -= c->in_from;
	c->in_from = 0;
	if (c->in_to == sizeof(c->in))
		return -1;
	n = c->ssl != NULL ? SSL_read(c->ssl, c->in + c->in_to,
	    (int)(sizeof(c->in) - c->in_to))
	    : read(c->fd, c->in + c->in_to, sizeof(c->in) - c->in_to);
	if (n <= 0)
		return -1;
	c->in_to += (size_t)n;
	return 0;
}

static int
flush(struct connection *c)
{
	size_t done = 0;
	ssize_t n;

	while (done < c->out_n) {
		n = c->ssl != NULL ? SSL_write(c->ssl, c->out + done,
		    (int)(c->out_n - done))
		    : write(c->fd, c->out + done, c->out_n - done);
		if (n <= 0)
			return -1;
		done += (size_t)n;
	}
	c->out_n = 0;
	return 0;
}

__attribute__((format(printf, 2, 3))) static void
say(struct connection *c, const char *format, ...)
{
	size_t room = sizeof(c->out) - c->out_n;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(c->out + c->out_n, room, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room) {
		fprintf(stderr, "sendload: too much output\n");
		exit(111);
	}
	c->out_n += (size_t)n;
}

/* A line without its end; what waits is sent before we wait. NULL: end. */
static char *
line(struct connection *c)
{
	char *from, *lf;

	for (;;) {
		from = c->in + c->in_from;
		lf = memchr(from, '\n', c->in_to - c->in_from);
		if (lf != NULL) {
			c->in_from += (size_t)(lf - from) + 1;
			if (lf > from && lf[-1] == '\r')
				lf--;
			*lf = '\0';
			return from;
		}
		if (flush(c) == -1 || fill(c) == -1)
			return NULL;
	}
}

static void
nodelay(int fd)
{
	int one = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* ---- the sink ---- */

struct sink {
	SSL_CTX *ctx;
	struct counts *counts;
	unsigned long rcpt_max;		/* 0: no LIMITS */
};

static int
begins(const char *s, const char *word)
{
	return strncasecmp(s, word, strlen(word)) == 0;
}

/* The text up to its end mark. */
static int
take_text(struct connection *c)
{
	char *s;

	while ((s = line(c)) != NULL) {
		if (s[0] == '.' && s[1] == '\0')
			return 0;
	}
	return -1;
}

static int
start_tls(const struct sink *k, struct connection *c)
{
	if (flush(c) == -1)
		return -1;
	c->in_from = c->in_to = 0;
	c->ssl = SSL_new(k->ctx);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1 ||
	    SSL_accept(c->ssl) != 1)
		return -1;
	add(&k->counts->handshakes, 1);
	add(&k->counts->resumed, SSL_session_reused(c->ssl) ? 1 : 0);
	return 0;
}

static void
say_offer(const struct sink *k, struct connection *c)
{
	say(c, "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
	    "250-SIZE 100000000\r\n");
	if (k->rcpt_max > 0)
		say(c, "250-LIMITS RCPTMAX=%lu\r\n", k->rcpt_max);
	say(c, "%s250 ENHANCEDSTATUSCODES\r\n",
	    c->ssl == NULL ? "250-STARTTLS\r\n" : "");
}

static void
take(const struct sink *k, unsigned long recipients)
{
	add(&k->counts->messages, 1);
	__atomic_store_n(&k->counts->last_ns, now_ns(), __ATOMIC_SEQ_CST);
	add(&k->counts->recipients, recipients);
}

static void
serve(const struct sink *k, int fd)
{
	static struct connection c;
	unsigned long recipients = 0;
	char *s;

	c.fd = fd;
	nodelay(fd);
	add(&k->counts->connections, 1);
	say(&c, "220 sink ESMTP\r\n");
	while ((s = line(&c)) != NULL) {
		if (begins(s, "EHLO")) {
			say_offer(k, &c);
		} else if (begins(s, "STARTTLS")) {
			say(&c, "220 2.0.0 go\r\n");
			if (start_tls(k, &c) == -1)
				return;
		} else if (begins(s, "RCPT") && k->rcpt_max > 0 &&
		    recipients == k->rcpt_max) {
			say(&c, "452 4.5.3 too many\r\n");
		} else if (begins(s, "RCPT")) {
			recipients++;
			say(&c, "250 2.1.5 ok\r\n");
		} else if (begins(s, "DATA")) {
			say(&c, "354 go\r\n");
			if (take_text(&c) == -1)
				return;
			take(k, recipients);
			recipients = 0;
			say(&c, "250 2.0.0 taken\r\n");
		} else if (begins(s, "QUIT")) {
			say(&c, "221 2.0.0 bye\r\n");
			(void)flush(&c);
			return;
		} else {
			say(&c, "250 2.0.0 ok\r\n");
		}
	}
}

static int
sink(int argc, char *argv[])
{
	struct sink k = { .rcpt_max = 0 };
	struct sockaddr_in sa = { .sin_family = AF_INET };
	int c, s, fd, one = 1;

	while ((c = getopt(argc, argv, "l:")) == 'l')
		k.rcpt_max = strtoul(optarg, NULL, 10);
	if (c != -1 || argc - optind != 3)
		return 100;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGCHLD, SIG_IGN);		/* nobody waits for them */
	sa.sin_port = htons((unsigned short)strtoul(argv[optind], NULL, 10));
	k.ctx = SSL_CTX_new(TLS_server_method());
	if (k.ctx == NULL ||
	    SSL_CTX_use_certificate_chain_file(k.ctx, argv[optind + 1]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(k.ctx, argv[optind + 1],
	    SSL_FILETYPE_PEM) != 1)
		die(argv[optind + 1]);
	k.counts = map_counts(argv[optind + 2]);
	s = socket(AF_INET, SOCK_STREAM, 0);
	if (s == -1 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one,
	    sizeof(one)) == -1 || bind(s, (void *)&sa, sizeof(sa)) == -1 ||
	    listen(s, 1000) == -1)
		die("listen");
	for (;;) {
		if ((fd = accept(s, NULL, NULL)) == -1)
			continue;
		if (fork() == 0) {
			close(s);
			serve(&k, fd);
			_exit(0);
		}
		close(fd);
	}
}

static int
wait_counts(char *argv[])
{
	struct counts *c = map_counts(argv[0]);
	unsigned long want = strtoul(argv[1], NULL, 10);
	unsigned long until = now_ns() +
	    strtoul(argv[2], NULL, 10) * 1000000000UL;

	while (__atomic_load_n(&c->recipients, __ATOMIC_SEQ_CST) < want) {
		if (now_ns() > until)
			return 1;
		usleep(2000);
	}
	printf("%.6f\n", (double)c->last_ns / 1e9);
	return 0;
}

static int
show_counts(const char *path)
{
	const struct counts *c = map_counts(path);

	printf("%lu %lu %lu %lu %lu\n", c->connections, c->handshakes,
	    c->resumed, c->messages, c->recipients);
	return 0;
}

/* ---- the client ---- */

struct client {
	SSL_CTX *ctx;
	struct sockaddr_in sa;
	const char *user, *password, *from;
	unsigned long messages, connections, per_session, recipients, domains;
};

/* The reply's last line, which must begin with code. */
static void
expect(struct connection *c, const char *code)
{
	char *s;

	while ((s = line(c)) != NULL) {
		if (strncmp(s, code, 3) != 0) {
			fprintf(stderr, "sendload: %s\n", s);
			exit(1);
		}
		if (s[3] != '-')
			return;
	}
	fprintf(stderr, "sendload: the connection ended\n");
	exit(1);
}

static void
log_in(const struct client *k, struct connection *c)
{
	unsigned char plain[256], text[512];
	int n = snprintf((char *)plain, sizeof(plain), "%c%s%c%s", 0, k->user,
	    0, k->password);

	if (n < 0 || (size_t)n >= sizeof(plain))
		exit(100);
	EVP_EncodeBlock(text, plain, n);
	say(c, "AUTH PLAIN %s\r\n", (char *)text);
	expect(c, "235");
}

static struct connection *
open_session(const struct client *k)
{
	struct connection *c = calloc(1, sizeof(*c));

	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd == -1 ||
	    connect(c->fd, (const void *)&k->sa, sizeof(k->sa)) == -1)
		die("connect");
	nodelay(c->fd);
	expect(c, "220");
	say(c, "EHLO client.example\r\n");
	expect(c, "250");
	say(c, "STARTTLS\r\n");
	expect(c, "220");
	c->ssl = SSL_new(k->ctx);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1 ||
	    SSL_connect(c->ssl) != 1)
		die("TLS");
	say(c, "EHLO client.example\r\n");
	expect(c, "250");
	log_in(k, c);
	return c;
}

static void
close_session(struct connection *c)
{
	say(c, "QUIT\r\n");
	expect(c, "221");
	SSL_free(c->ssl);
	close(c->fd);
	free(c);
}

static void
say_text(const struct client *k, struct connection *c, unsigned long n)
{
	size_t begin = c->out_n;
	unsigned int i = 0;

	say(c, "From: Sender <%s>\r\nTo: r%lu@d%lu.example\r\n"
	    "Subject: message %lu\r\n"
	    "Date: Fri, 20 Nov 2026 12:00:00 +0000\r\n"
	    "Message-ID: <%lu.%ld@peer.test>\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n\r\n", k->from, n,
	    n % k->domains, n, n, (long)getpid());
	while (c->out_n - begin < TEXT_BYTES)
		say(c, "line %u of a message, so that it has its size and its "
		    "lines\r\n", i++);
	say(c, ".\r\n");
}

static void
send_one(const struct client *k, struct connection *c, unsigned long n)
{
	unsigned long i;

	say(c, "MAIL FROM:<%s>\r\n", k->from);
	for (i = 0; i < k->recipients; i++)
		say(c, "RCPT TO:<r%lu@d%lu.example>\r\n", n + i,
		    (n + i) % k->domains);
	say(c, "DATA\r\n");
	for (i = 0; i <= k->recipients; i++)
		expect(c, "250");
	expect(c, "354");
	say_text(k, c, n);
	expect(c, "250");
}

static void
send_share(const struct client *k, unsigned long first)
{
	struct connection *c = NULL;
	unsigned long i, n = 0;

	for (i = first; i < k->messages; i += k->connections) {
		if (c == NULL)
			c = open_session(k);
		send_one(k, c, i);
		if (++n % k->per_session == 0) {
			close_session(c);
			c = NULL;
		}
	}
	if (c != NULL)
		close_session(c);
}

static int
submit(int argc, char *argv[])
{
	struct client k = { .messages = 1, .connections = 1,
	    .per_session = 10, .recipients = 1, .domains = 10 };
	unsigned long begin, i;
	int c, status, bad = 0;

	while ((c = getopt(argc, argv, "c:d:m:n:r:")) != -1) {
		unsigned long v = optarg == NULL ? 0
		    : strtoul(optarg, NULL, 10);

		if (c == '?' || v == 0)
			return 100;
		*(c == 'c' ? &k.connections : c == 'd' ? &k.domains
		    : c == 'm' ? &k.per_session : c == 'n' ? &k.messages
		    : &k.recipients) = v;
	}
	if (argc - optind != 4)
		return 100;
	k.sa.sin_family = AF_INET;
	k.sa.sin_port = htons((unsigned short)strtoul(argv[optind], NULL,
	    10));
	k.sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	k.user = argv[optind + 1];
	k.password = argv[optind + 2];
	k.from = argv[optind + 3];
	if ((k.ctx = SSL_CTX_new(TLS_client_method())) == NULL)
		die("context");
	begin = now_ns();
	for (i = 0; i < k.connections; i++) {
		if (fork() == 0) {
			send_share(&k, i);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		bad |= status;
	printf("%.6f %.6f\n", (double)begin / 1e9, (double)now_ns() / 1e9);
	return bad != 0;
}

int
main(int argc, char *argv[])
{
	if (argc > 1 && strcmp(argv[1], "sink") == 0)
		return sink(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "submit") == 0)
		return submit(argc - 1, argv + 1);
	if (argc == 5 && strcmp(argv[1], "wait") == 0)
		return wait_counts(argv + 2);
	if (argc == 3 && strcmp(argv[1], "counts") == 0)
		return show_counts(argv[2]);
	return 100;
}
