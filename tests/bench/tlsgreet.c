/*
 * tlsgreet.c - cheap TLS 1.3 clients for make bench
 *
 *   tlsgreet ADDR PORT SECONDS CONNS
 *
 * Full handshakes until the greeting, CONNS at a time; prints connections,
 * seconds and its own CPU seconds. It shares the cores with the server, so
 * it does what a client must and no more: RFC 8446 with X25519 and
 * TLS_AES_128_GCM_SHA256 by hand, one key pair for all, and no look at the
 * certificate. That the server's Finished can be decrypted, ours is taken
 * and "* OK" comes under the keys of both shows that it is a handshake.
 */
#define OPENSSL_SUPPRESS_DEPRECATED	/* SHA256_*, without a context each */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HASH 32
enum { CHANGE_CIPHER = 20, ALERT, HANDSHAKE, DATA };
enum { SERVER_HELLO = 2, CERTIFICATE = 11, ASKED = 13, FINISHED = 20 };

struct keys {
	unsigned char key[16], iv[12];
	unsigned long sequence;
};

struct conn {
	int fd;
	int hello;		/* the server's has come: keys are set */
	int asked;		/* for a certificate: there is none */
	int finished;
	SHA256_CTX transcript;
	unsigned char secret[HASH];	/* handshake, then the server's */
	unsigned char ours[HASH], theirs[HASH];
	struct keys in;
	size_t n, nplain;
	unsigned char text[16384], plain[16384];
};

struct load {
	struct sockaddr_in to;
	EVP_PKEY *key;
	EVP_PKEY_CTX *derive;
	EVP_CIPHER_CTX *cipher;
	unsigned char hello[256];	/* a record */
	size_t nhello;
	unsigned char early[HASH];	/* what the handshake secret is from */
	int set;
	long count;
	unsigned int from;
};

static void
die(const char *what)
{
	fprintf(stderr, "tlsgreet: %s: %s\n", what, strerror(errno));
	exit(111);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
own_cpu(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	    (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

/* ---- key schedule (RFC 8446 7.1) ---- */

static void
hmac(const unsigned char key[HASH], const void *p, size_t n,
    unsigned char out[HASH])
{
	unsigned char pad[64];
	SHA256_CTX c;
	int i;

	for (i = 0; i < 64; i++)
		pad[i] = (unsigned char)((i < HASH ? key[i] : 0) ^ 0x36);
	SHA256_Init(&c);
	SHA256_Update(&c, pad, 64);
	SHA256_Update(&c, p, n);
	SHA256_Final(out, &c);
	for (i = 0; i < 64; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	SHA256_Init(&c);
	SHA256_Update(&c, pad, 64);
	SHA256_Update(&c, out, HASH);
	SHA256_Final(out, &c);
}

/* HKDF-Expand-Label; hash NULL: an empty context. */
static void
expand(const unsigned char secret[HASH], const char *label,
    const unsigned char *hash, void *out, size_t n)
{
	unsigned char info[96] = { 0, (unsigned char)n }, full[HASH];
	size_t at = 2, size = strlen(label);

	info[at++] = (unsigned char)(size + 6);
	memcpy(info + at, "tls13 ", 6);
	memcpy(info + at + 6, label, size);
	at += 6 + size;
	info[at++] = hash == NULL ? 0 : HASH;
	if (hash != NULL) {
		memcpy(info + at, hash, HASH);
		at += HASH;
	}
	info[at++] = 1;
	hmac(secret, info, at, full);
	memcpy(out, full, n);
}

static void
transcript(const struct conn *c, unsigned char out[HASH])
{
	SHA256_CTX copy = c->transcript;

	SHA256_Final(out, &copy);
}

/* Derive-Secret(secret, "derived", "") */
static void
derived(const unsigned char secret[HASH], unsigned char out[HASH])
{
	unsigned char empty[HASH];

	SHA256((const unsigned char *)"", 0, empty);
	expand(secret, "derived", empty, out, HASH);
}

static void
set_keys(struct keys *k, const unsigned char secret[HASH])
{
	expand(secret, "key", NULL, k->key, sizeof(k->key));
	expand(secret, "iv", NULL, k->iv, sizeof(k->iv));
	k->sequence = 0;
}

/* ---- records (RFC 8446 5.2) ---- */

/* Seal or open n bytes; the tag of 16 follows them. head: 5 bytes. */
static void
crypt_record(struct load *l, struct keys *k, int seal,
    const unsigned char *head, const unsigned char *p, size_t n,
    unsigned char *out)
{
	unsigned char nonce[12];
	int i, size;

	memcpy(nonce, k->iv, sizeof(nonce));
	for (i = 0; i < 8; i++)
		nonce[11 - i] ^= (unsigned char)(k->sequence >> (8 * i));
	k->sequence++;
	if (EVP_CipherInit_ex(l->cipher, NULL, NULL, k->key, nonce,
	    seal) != 1 || (!seal && EVP_CIPHER_CTX_ctrl(l->cipher,
	    EVP_CTRL_AEAD_SET_TAG, 16, (void *)(p + n)) != 1) ||
	    EVP_CipherUpdate(l->cipher, NULL, &size, head, 5) != 1 ||
	    EVP_CipherUpdate(l->cipher, out, &size, p, (int)n) != 1 ||
	    EVP_CipherFinal_ex(l->cipher, out + n, &size) != 1 ||
	    (seal && EVP_CIPHER_CTX_ctrl(l->cipher, EVP_CTRL_AEAD_GET_TAG, 16,
	    out + n) != 1))
		die("a record's tag");
}

/* ---- a connection ---- */

static void
begin(struct load *l, struct conn *c)
{
	struct sockaddr_in own = { .sin_family = AF_INET };
	struct epoll_event e = { .events = EPOLLIN, .data = { .ptr = c } };
	struct linger reset = { 1, 0 };
	int one = 1;

	c->n = c->nplain = 0;
	c->hello = c->asked = c->finished = 0;
	/* Loopback has 65536 ports for each address we come from; closed by
	 * a reset, so that none is left waiting. */
	own.sin_addr.s_addr = htonl(0x7f000001u + (l->from++ & 7));
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd == -1)
		die("socket");
	setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one,
	    sizeof(one));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (bind(c->fd, (void *)&own, sizeof(own)) == -1 ||
	    connect(c->fd, (void *)&l->to, sizeof(l->to)) == -1)
		die("connect");
	if (send(c->fd, l->hello, l->nhello, 0) != (ssize_t)l->nhello)
		die("send");
	SHA256_Init(&c->transcript);
	SHA256_Update(&c->transcript, l->hello + 5, l->nhello - 5);
	if (epoll_ctl(l->set, EPOLL_CTL_ADD, c->fd, &e) == -1)
		die("epoll_ctl");
}

/* p: the message. Its key share is the one that we offer one for. */
static void
server_hello(struct load *l, struct conn *c, const unsigned char *p, size_t n)
{
	const unsigned char *end = p + n, *q = p + 4 + 2 + 32, *share = NULL;
	unsigned char hash[HASH], shared[32];
	size_t size = sizeof(shared), len;
	EVP_PKEY *peer;

	if (n < 80 || p[0] != SERVER_HELLO)
		die("no ServerHello");
	q += 1 + q[0] + 2 + 1 + 2;
	while (q + 4 <= end) {
		len = (size_t)q[2] << 8 | q[3];
		if (q[0] == 0 && q[1] == 51 && len == 36)
			share = q + 8;
		q += 4 + len;
	}
	if (share == NULL || share + 32 > end)
		die("no X25519");
	peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, share, 32);
	if (peer == NULL || EVP_PKEY_derive_set_peer_ex(l->derive, peer,
	    0) != 1 || EVP_PKEY_derive(l->derive, shared, &size) != 1)
		die("X25519");
	EVP_PKEY_free(peer);
	SHA256_Update(&c->transcript, p, n);
	transcript(c, hash);
	hmac(l->early, shared, sizeof(shared), c->secret);
	expand(c->secret, "c hs traffic", hash, c->ours, HASH);
	expand(c->secret, "s hs traffic", hash, c->theirs, HASH);
	set_keys(&c->in, c->theirs);
	c->hello = 1;
}

/* Ours; and the keys of what the server says then. */
static void
finish(struct load *l, struct conn *c)
{
	static const unsigned char zero[HASH];
	static const unsigned char none[8] = { CERTIFICATE, 0, 0, 4 };
	static const unsigned char head[4] = { FINISHED, 0, 0, HASH };
	unsigned char message[sizeof(none) + 4 + HASH + 1], out[5 +
	    sizeof(message) + 16] = { DATA, 3, 3 };
	unsigned char hash[HASH], own[HASH], key[HASH], master[HASH];
	size_t n = c->asked ? sizeof(none) : 0;
	struct keys k;

	transcript(c, hash);
	memcpy(message, none, n);
	SHA256_Update(&c->transcript, none, n);
	transcript(c, own);
	expand(c->ours, "finished", NULL, key, HASH);
	memcpy(message + n, head, 4);
	hmac(key, own, HASH, message + n + 4);
	n += 4 + HASH;
	message[n++] = HANDSHAKE;
	out[4] = (unsigned char)(n + 16);
	set_keys(&k, c->ours);
	crypt_record(l, &k, 1, out, message, n, out + 5);
	n += 5 + 16;
	if (send(c->fd, out, n, 0) != (ssize_t)n)
		die("send");
	derived(c->secret, key);
	hmac(key, zero, HASH, master);
	expand(master, "s ap traffic", hash, c->theirs, HASH);
	set_keys(&c->in, c->theirs);
	c->finished = 1;
	c->nplain = 0;
}

/* Messages of the handshake, as far as they are there as a whole. */
static void
messages(struct load *l, struct conn *c)
{
	size_t at = 0, n;

	while (!c->finished && c->nplain - at >= 4) {
		n = 4 + ((size_t)c->plain[at + 2] << 8 | c->plain[at + 3]);
		if (c->plain[at + 1] != 0 || n > c->nplain - at)
			break;
		SHA256_Update(&c->transcript, c->plain + at, n);
		c->asked |= c->plain[at] == ASKED;
		if (c->plain[at] == FINISHED)
			finish(l, c);
		at += n;
	}
	if (c->finished)
		return;
	memmove(c->plain, c->plain + at, c->nplain - at);
	c->nplain -= at;
}

/* One record of n bytes. 1: the greeting is there. */
static int
record(struct load *l, struct conn *c, const unsigned char *p, size_t n)
{
	unsigned char *out = c->plain + c->nplain;

	if (p[0] == CHANGE_CIPHER)
		return 0;
	if (p[0] == HANDSHAKE && !c->hello) {
		server_hello(l, c, p + 5, n - 5);
		return 0;
	}
	if (p[0] != DATA || !c->hello || n < 5 + 17 ||
	    c->nplain + n > sizeof(c->plain))
		die("record");
	n -= 5 + 16;
	crypt_record(l, &c->in, 0, p, p + 5, n, out);
	while (n > 0 && out[n - 1] == 0)
		n--;
	if (n > 0 && out[n - 1] == HANDSHAKE) {
		c->nplain += n - 1;
		if (c->finished)
			c->nplain = 0;	/* a ticket */
		else
			messages(l, c);
		return 0;
	}
	if (!c->finished || n < 5 || out[n - 1] != DATA ||
	    memcmp(out, "* OK", 4) != 0)
		die("greeting");
	return 1;
}

static void
event(struct load *l, struct conn *c)
{
	ssize_t r = recv(c->fd, c->text + c->n, sizeof(c->text) - c->n,
	    MSG_DONTWAIT);
	size_t at = 0, n;
	int greeted = 0;

	if (r == -1 && errno == EAGAIN)
		return;
	if (r <= 0)
		die("closed");
	c->n += (size_t)r;
	while (c->n - at >= 5) {
		n = 5 + ((size_t)c->text[at + 3] << 8 | c->text[at + 4]);
		if (n > c->n - at)
			break;
		greeted |= record(l, c, c->text + at, n);
		at += n;
	}
	memmove(c->text, c->text + at, c->n - at);
	c->n -= at;
	if (!greeted)
		return;
	l->count++;
	close(c->fd);
	begin(l, c);
}

/* ---- beginning ---- */

static void
make_hello(struct load *l)
{
	static const unsigned char before[] = {
		HANDSHAKE, 3, 1, 0, 0, 1, 0, 0, 0, 3, 3,
	}, after[] = {
		0, 0, 2, 0x13, 0x01, 1, 0, 0, 75,	/* session, suites */
		0, 43, 0, 3, 2, 3, 4,			/* TLS 1.3 */
		0, 10, 0, 4, 0, 2, 0, 29,		/* X25519 */
		0, 13, 0, 8, 0, 6, 4, 3, 8, 4, 8, 7,	/* signatures */
		0, 45, 0, 2, 1, 1,			/* PSK with DHE */
		0, 51, 0, 38, 0, 36, 0, 29, 0, 32,	/* a share follows */
	};
	unsigned char *p = l->hello;
	size_t size = 32;

	memcpy(p, before, sizeof(before));
	p += sizeof(before);
	memset(p, 0x5a, 32);		/* random enough for a load */
	p += 32;
	memcpy(p, after, sizeof(after));
	p += sizeof(after);
	if (EVP_PKEY_get_raw_public_key(l->key, p, &size) != 1)
		die("key");
	l->nhello = (size_t)(p + size - l->hello);
	l->hello[4] = (unsigned char)(l->nhello - 5);
	l->hello[8] = (unsigned char)(l->nhello - 9);
}

static void
set_up(struct load *l, const char *addr, const char *port)
{
	static const unsigned char zero[HASH];
	unsigned char secret[HASH];

	l->to.sin_family = AF_INET;
	l->to.sin_port = htons((unsigned short)strtol(port, NULL, 10));
	if (inet_pton(AF_INET, addr, &l->to.sin_addr) != 1)
		die(addr);
	l->key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	l->derive = EVP_PKEY_CTX_new(l->key, NULL);
	l->cipher = EVP_CIPHER_CTX_new();
	l->set = epoll_create1(0);
	if (l->key == NULL || l->derive == NULL || l->cipher == NULL ||
	    EVP_PKEY_derive_init(l->derive) != 1 || l->set == -1 ||
	    EVP_CipherInit_ex(l->cipher, EVP_aes_128_gcm(), NULL, NULL, NULL,
	    1) != 1)
		die("set up");
	hmac(zero, zero, HASH, secret);
	derived(secret, l->early);
	make_hello(l);
}

int
main(int argc, char *argv[])
{
	struct load l = { .count = 0 };
	struct epoll_event got[64];
	double seconds, start, cpu;
	struct conn *all;
	long conns, i;

	if (argc != 5)
		return 100;
	signal(SIGPIPE, SIG_IGN);
	set_up(&l, argv[1], argv[2]);
	seconds = strtod(argv[3], NULL);
	conns = strtol(argv[4], NULL, 10);
	all = calloc((size_t)conns, sizeof(*all));
	if (all == NULL)
		die("memory");
	start = now();
	cpu = own_cpu();
	for (i = 0; i < conns; i++)
		begin(&l, &all[i]);
	while (now() - start < seconds) {
		int n = epoll_wait(l.set, got, 64, 1000);

		if (n == 0)
			die("nothing came for a second");
		while (n > 0)
			event(&l, got[--n].data.ptr);
	}
	printf("%ld %.4f %.4f\n", l.count, now() - start, own_cpu() - cpu);
	return 0;
}
