/*
 * tlsload.c - TLS 1.3 clients for make bench
 *
 *   tlsload idle ADDR PORT N [USER PASS]    open (and log in) N, then wait
 *                                           for the end of standard input
 *   tlsload fetch ADDR PORT USER PASS       all messages of INBOX, whole
 *   tlsload login ADDR PORT N MECHANISM USER PASS     one after the other
 *
 * fetch prints bytes and seconds; the others say when they are done.
 * Certificates are not checked, sessions not resumed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void
die(const char *what)
{
	fprintf(stderr, "tlsload: %s: %s\n", what, strerror(errno));
	ERR_print_errors_fp(stderr);
	exit(111);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static SSL_CTX *
context(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL ||
	    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set1_groups_list(ctx, "X25519:P-256") != 1)
		die("context");
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ctx, 1);
	return ctx;
}

/* Loopback has 65536 ports for each address we come from. */
static int
dial(const char *addr, const char *port, int flags, unsigned int from)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	struct sockaddr_in own = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0), one = 1;

	sa.sin_port = htons((unsigned short)strtol(port, NULL, 10));
	if (fd == -1 || inet_pton(AF_INET, addr, &sa.sin_addr) != 1)
		die(addr);
	own.sin_addr.s_addr = htonl(0x7f000001u + (from & 7));
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, (void *)&own, sizeof(own)) == -1)
		die("bind");
	if (connect(fd, (void *)&sa, sizeof(sa)) == -1 && errno != EINPROGRESS)
		die("connect");
	return fd;
}

/* ---- one after the other ---- */

static SSL *
open_one(SSL_CTX *ctx, const char *addr, const char *port, unsigned int from)
{
	SSL *ssl = SSL_new(ctx);

	if (ssl == NULL || SSL_set_fd(ssl, dial(addr, port, 0, from)) != 1 ||
	    SSL_connect(ssl) != 1)
		die("handshake");
	return ssl;
}

static void
close_one(SSL *ssl)
{
	struct linger l = { 1, 0 };

	setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
}

/* Read up to a line that begins with start; the line. */
static const char *
line_of(SSL *ssl, const char *start)
{
	static char text[65536];
	size_t n = 0;
	char *line, *lf;
	int r;

	for (;;) {
		r = SSL_read(ssl, text + n, (int)(sizeof(text) - 1 - n));
		if (r <= 0)
			die("closed");
		n += (size_t)r;
		text[n] = '\0';
		for (line = text; (lf = strchr(line, '\n')) != NULL;
		    line = lf + 1) {
			if (strncmp(line, start, strlen(start)) == 0)
				return line;
		}
		if (n == sizeof(text) - 1)
			die("line");
	}
}

static void
say(SSL *ssl, const char *text)
{
	if (SSL_write(ssl, text, (int)strlen(text)) <= 0)
		die("write");
}

static void
expect(SSL *ssl, const char *tag)
{
	const char *line = line_of(ssl, tag);

	if (strncmp(line + strlen(tag), "OK", 2) != 0) {
		fprintf(stderr, "tlsload: %.200s\n", line);
		exit(1);
	}
}

static void
log_in(SSL *ssl, const char *user, const char *password)
{
	char text[512];

	snprintf(text, sizeof(text), "a LOGIN %s %s\r\n", user, password);
	(void)line_of(ssl, "* OK");
	say(ssl, text);
	expect(ssl, "a ");
}

static void
idle(char **arg, int login)
{
	SSL_CTX *ctx = context();
	long n = strtol(arg[2], NULL, 10), i;
	struct rlimit l;
	char c;

	getrlimit(RLIMIT_NOFILE, &l);
	l.rlim_cur = l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
	for (i = 0; i < n; i++) {
		SSL *ssl = open_one(ctx, arg[0], arg[1], (unsigned int)i);

		if (!login) {
			(void)line_of(ssl, "* OK");
			continue;
		}
		log_in(ssl, arg[3], arg[4]);
		say(ssl, "b SELECT INBOX\r\n");
		expect(ssl, "b ");
		say(ssl, "c IDLE\r\n");
		(void)line_of(ssl, "+ ");
	}
	puts("ready");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		continue;
}

static void
fetch(char **arg)
{
	SSL *ssl = open_one(context(), arg[0], arg[1], 0);
	static char text[65536], tail[16];
	double start, bytes = 0;
	int r;

	log_in(ssl, arg[2], arg[3]);
	say(ssl, "b SELECT INBOX\r\n");
	expect(ssl, "b ");
	start = now();
	say(ssl, "zz9 FETCH 1:* (BODY.PEEK[])\r\n");
	for (;;) {
		r = SSL_read(ssl, text + sizeof(tail),
		    (int)(sizeof(text) - sizeof(tail)) - 1);
		if (r <= 0)
			die("closed");
		bytes += r;
		memcpy(text, tail, sizeof(tail));
		text[sizeof(tail) + (size_t)r] = '\0';
		memcpy(tail, text + r, sizeof(tail));
		/* the answer's last line is shorter than a read is */
		if (text[sizeof(tail) + (size_t)r - 1] == '\n' &&
		    (memmem(text + (r > 200 ? r - 200 : 0),
		    sizeof(tail) + (size_t)(r > 200 ? 200 : r), "\nzz9 OK", 7)
		    != NULL))
			break;
	}
	printf("%.0f %.4f\n", bytes, now() - start);
	close_one(ssl);
}

/* ---- logins ---- */

static void
hmac(const unsigned char *key, const void *p, size_t n, unsigned char *out)
{
	unsigned int size;

	if (HMAC(EVP_sha256(), key, 32, p, n, out, &size) == NULL)
		die("hmac");
}

static const char *
to64(const void *p, size_t n)
{
	static char text[4096];

	if (EVP_EncodeBlock((unsigned char *)text, p, (int)n) < 0)
		die("base64");
	return text;
}

/* What is between "r=", "s=", ... and the next comma. */
static void
attribute(const char *text, char name, char *out, size_t size)
{
	const char *p = text, *end;

	while (p[0] != name || p[1] != '=') {
		if ((p = strchr(p, ',')) == NULL)
			die("attribute");
		p++;
	}
	p += 2;
	end = p + strcspn(p, ",");
	if ((size_t)(end - p) >= size)
		die("attribute");
	memcpy(out, p, (size_t)(end - p));
	out[end - p] = '\0';
}

/* The salted password, derived once: this is about the server. */
static const unsigned char *
salted(const char *password, const char *server)
{
	static unsigned char key[32];
	static char known[128];
	char salt[128], rounds[16];
	unsigned char raw[128];
	int n;

	attribute(server, 's', salt, sizeof(salt));
	attribute(server, 'i', rounds, sizeof(rounds));
	if (strcmp(known, salt) == 0)
		return key;
	n = EVP_DecodeBlock(raw, (unsigned char *)salt, (int)strlen(salt));
	while (n > 0 && salt[strlen(salt) - 1] == '=') {
		salt[strlen(salt) - 1] = '\0';
		n--;
	}
	if (PKCS5_PBKDF2_HMAC(password, (int)strlen(password), raw, n,
	    (int)strtol(rounds, NULL, 10), EVP_sha256(), 32, key) != 1)
		die("pbkdf2");
	attribute(server, 's', known, sizeof(known));
	return key;
}

static void
scram(SSL *ssl, const char *user, const char *password)
{
	char bare[128], text[4096], server[1024], final[8192], nonce[256];
	unsigned char client[32], stored[32], proof[32];
	const unsigned char *key;
	const char *line;
	size_t i;
	int n;

	(void)line_of(ssl, "* OK");
	snprintf(bare, sizeof(bare), "n=%s,r=benchbenchbench", user);
	n = snprintf(text, sizeof(text), "n,,%s", bare);
	snprintf(final, sizeof(final), "a AUTHENTICATE SCRAM-SHA-256 %s\r\n",
	    to64(text, (size_t)n));
	say(ssl, final);
	line = line_of(ssl, "+ ") + 2;
	n = EVP_DecodeBlock((unsigned char *)server,
	    (const unsigned char *)line, (int)strcspn(line, "\r\n"));
	if (n <= 0)
		die("challenge");
	server[n] = '\0';
	key = salted(password, server);
	attribute(server, 'r', nonce, sizeof(nonce));
	snprintf(final, sizeof(final), "c=biws,r=%s", nonce);
	n = snprintf(text, sizeof(text), "%s,%s,%s", bare, server, final);
	hmac(key, "Client Key", 10, client);
	if (EVP_Digest(client, 32, stored, NULL, EVP_sha256(), NULL) != 1)
		die("sha256");
	hmac(stored, text, (size_t)n, proof);
	for (i = 0; i < 32; i++)
		proof[i] ^= client[i];
	n = snprintf(text, sizeof(text), "%s,p=%s", final, to64(proof, 32));
	snprintf(final, sizeof(final), "%s\r\n", to64(text, (size_t)n));
	say(ssl, final);
	(void)line_of(ssl, "+ ");
	say(ssl, "\r\n");
	expect(ssl, "a ");
}

static void
logins(char **arg)
{
	SSL_CTX *ctx = context();
	long n = strtol(arg[2], NULL, 10), i;

	for (i = 0; i < n; i++) {
		SSL *ssl = open_one(ctx, arg[0], arg[1], (unsigned int)i);

		if (strcmp(arg[3], "SCRAM-SHA-256") == 0)
			scram(ssl, arg[4], arg[5]);
		else if (strcmp(arg[3], "none") == 0)
			(void)line_of(ssl, "* OK");
		else
			log_in(ssl, arg[4], arg[5]);
		close_one(ssl);
	}
	puts("done");
}

int
main(int argc, char *argv[])
{
	if ((argc == 5 || argc == 7) && strcmp(argv[1], "idle") == 0)
		idle(argv + 2, argc == 7);
	else if (argc == 6 && strcmp(argv[1], "fetch") == 0)
		fetch(argv + 2);
	else if (argc == 8 && strcmp(argv[1], "login") == 0)
		logins(argv + 2);
	else
		return 100;
	return 0;
}
