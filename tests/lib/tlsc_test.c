/*
 * tlsc_test.c - the client of outgoing TLS, against lib/tls in this process
 *
 * DANE with chains and servers over the network: tests/cmd/dane-check.t.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "clientkey/clientkey.h"
#include "os/os.h"
#include "tls/tls.h"
#include "tlsc/tlsc.h"

#define B(lit) BYTES(lit)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct arena arena;
static struct tls_tickets tickets;
static char ca_path[64];	/* the server's certificate, as a root */
static struct buf server_pem;

/* ---- certificates ---- */

static void
write_file(char path[64], struct bytes s)
{
	int fd;

	assert_true(snprintf(path, 64, "/tmp/tlsc_test.XXXXXX") < 64);
	fd = mkstemp(path);
	assert_true(fd != -1);
	assert_int_equal(io_write_all(fd, s, DEADLINE_NONE), 0);
	assert_int_equal(close(fd), 0);
}

static EVP_PKEY *
read_key(struct bytes pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(key);
	return key;
}

static X509 *
read_cert(struct bytes pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(x);
	return x;
}

/* The same with dates of last year, or of next. */
static void
redate(struct buf *pem, long from_days, long to_days)
{
	EVP_PKEY *key = read_key(buf_bytes(pem));
	X509 *x = read_cert(buf_bytes(pem));
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x),
	    from_days * 86400));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x),
	    to_days * 86400));
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0,
	    NULL, NULL), 1);
	assert_int_equal(PEM_write_bio_X509(bio, x), 1);
	n = BIO_get_mem_data(bio, &p);
	buf_reset(pem);
	assert_int_equal(buf_add(pem, bytes_of(p, (size_t)n)), 0);
	BIO_free(bio);
	X509_free(x);
	EVP_PKEY_free(key);
}

static struct bytes
cert_of(struct bytes pem)
{
	size_t at;

	assert_true(bytes_find(pem, B("-----BEGIN CERT"), &at));
	return bytes_from(pem, at);
}

static struct bytes
key_of(struct bytes pem)
{
	size_t at;

	assert_true(bytes_find(pem, B("-----BEGIN CERT"), &at));
	return bytes_first(pem, at);
}

static int
set_up(void **state)
{
	const char *why;

	(void)state;
	server_pem = BUF_INIT(65536);
	assert_int_equal(tls_self_signed(&server_pem, B("mx.example"), false,
	    10, &why), 0);
	write_file(ca_path, cert_of(buf_bytes(&server_pem)));
	tls_tickets_init(&tickets, 1000000);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlink(ca_path);
	buf_free(&server_pem);
	arena_free(&arena);
	return 0;
}

/* ---- both ends ---- */

struct pair {
	int fd[2];
	struct tls_server *s;
	struct tls *server;
	struct tlsc_ctx *ctx;
	struct tlsc *client;
};

static struct tls_server *
make_server(struct bytes pem)
{
	struct tls_options o = { .hostname = "mx.example",
	    .min_version = B("1.2"), .client_auth = true };
	struct tls_certs *certs = tls_certs_new();
	struct tls_server *s;
	const char *why = "";

	if (tls_certs_add(certs, "mx.example.pem", pem, &why) == -1)
		fail_msg("%s", why);
	tls_certs_seal(certs);
	s = tls_server_new(&o, certs, &tickets);
	assert_non_null(s);
	return s;
}

static struct pair
connect_pair(struct bytes pem, const struct tlsc_settings *settings,
    const struct tlsc_options *o)
{
	struct tls_accept a = { .listener = TLS_SMTP, .client_cert = true };
	struct pair p = { .s = make_server(pem) };
	const char *why = "";

	assert_int_equal(os_socketpair(p.fd), 0);
	p.server = tls_accept(p.s, &a, p.fd[1]);
	assert_non_null(p.server);
	p.ctx = tlsc_ctx_new(settings, &why);
	if (p.ctx == NULL)
		fail_msg("%s", why);
	p.client = tlsc_new(p.ctx, o, p.fd[0]);
	assert_non_null(p.client);
	return p;
}

static void
free_pair(struct pair *p)
{
	tlsc_free(p->client);
	tlsc_ctx_free(p->ctx);
	tls_free(p->server);
	tls_server_unref(p->s);
	close(p->fd[0]);
	close(p->fd[1]);
}

/* The client's last word. */
static enum tls_result
shake(struct pair *p)
{
	enum tls_result c = TLS_WANT_READ, s = TLS_WANT_READ;
	int i;

	for (i = 0; i < 20 && c != TLS_FAILED; i++) {
		if (c != TLS_OK)
			c = tlsc_handshake(p->client);
		if (s != TLS_OK && s != TLS_FAILED)
			s = tls_handshake(p->server);
		if (c == TLS_OK && s == TLS_OK)
			break;
	}
	return c;
}

static const struct tlsc_settings *
with_root(void)
{
	static struct tlsc_settings s;

	s = (struct tlsc_settings){ .ca_file = ca_path,
	    .client = BYTES_EMPTY };
	return &s;
}

static const struct tlsc_settings *
without_root(void)
{
	static const struct tlsc_settings s = { .ca_dir = "/nonexistent",
	    .client = { (const unsigned char *)"", 0 } };

	return &s;
}

/* ---- checks ---- */

static void
test_webpki(void **state)
{
	static const struct {
		const char *name;
		bool root;
		long from, to;		/* days; 0 0 as made */
		enum tlsresult result;
		const char *code;
	} all[] = {
		{ "mx.example", true, 0, 0, TLSRESULT_SUCCESS, "" },
		{ "MX.Example", true, 0, 0, TLSRESULT_SUCCESS, "" },
		{ "other.example", true, 0, 0,
		    TLSRESULT_CERTIFICATE_HOST_MISMATCH,
		    "x509-hostname mismatch" },
		{ "192.0.2.1", true, 0, 0,
		    TLSRESULT_CERTIFICATE_HOST_MISMATCH,
		    "x509-IP address mismatch" },
		{ "mx.example", false, 0, 0,
		    TLSRESULT_CERTIFICATE_NOT_TRUSTED,
		    "x509-self-signed certificate" },
		{ "mx.example", true, -400, -30,
		    TLSRESULT_CERTIFICATE_EXPIRED,
		    "x509-certificate has expired" },
		{ "mx.example", true, 30, 400,
		    TLSRESULT_CERTIFICATE_EXPIRED,
		    "x509-certificate is not yet valid" },
	};
	struct tlsc_facts f;
	size_t i;
	int enforce;

	(void)state;
	for (i = 0; i < 2 * COUNT(all); i++) {
		struct buf pem = BUF_INIT(65536);
		struct tlsc_options o = { .sni = B("mx.example"),
		    .name = bytes_str(all[i / 2].name),
		    .check = TLSC_WEBPKI };
		struct tlsc_settings s;
		char path[64];
		struct pair p;
		bool good = all[i / 2].result == TLSRESULT_SUCCESS;

		enforce = (int)(i % 2);
		o.enforce = enforce ? TLSC_WEBPKI : 0;
		assert_int_equal(buf_add(&pem, buf_bytes(&server_pem)), 0);
		if (all[i / 2].to != 0)
			redate(&pem, all[i / 2].from, all[i / 2].to);
		write_file(path, cert_of(buf_bytes(&pem)));
		s = all[i / 2].root ? (struct tlsc_settings){
		    .ca_file = path, .client = BYTES_EMPTY }
		    : *without_root();
		p = connect_pair(buf_bytes(&pem), &s, &o);
		assert_int_equal(shake(&p), good || !enforce ? TLS_OK
		    : TLS_FAILED);
		assert_int_equal(tlsc_finding(p.client)->result,
		    all[i / 2].result);
		assert_string_equal(tlsc_finding(p.client)->code,
		    all[i / 2].code);
		assert_int_equal(tlsc_finding(p.client)->why[0] == '\0',
		    good);
		if (good || !enforce) {
			tlsc_describe(p.client, &arena, &f);
			assert_int_equal(f.verified, good ? TLSC_WEBPKI : 0);
		}
		free_pair(&p);
		(void)unlink(path);
		buf_free(&pem);
	}
}

static void
test_unverified(void **state)
{
	struct tlsc_options o = { .sni = B("mx.example") };
	struct pair p = connect_pair(buf_bytes(&server_pem), without_root(),
	    &o);
	struct tlsc_facts f;

	(void)state;
	assert_int_equal(shake(&p), TLS_OK);
	assert_int_equal(tlsc_finding(p.client)->result, TLSRESULT_SUCCESS);
	tlsc_describe(p.client, &arena, &f);
	assert_int_equal(f.verified, 0);
	assert_int_equal(f.version, TLS_1_3);
	assert_true(f.leaf.n > 0);
	free_pair(&p);
}

static struct dane
dane_for(struct bytes pem, struct dane_record *r)
{
	const char *why;

	assert_int_equal(dane_make(pem, DANE_EE, DANE_SPKI, DANE_SHA256,
	    &arena, r, &why), 0);
	return (struct dane){ .state = DANE_USABLE, .records = r,
	    .nrecords = 1, .base = B("mx.example"), .nnames = 1,
	    .names = { B("mx.example") } };
}

static void
test_dane(void **state)
{
	struct buf other = BUF_INIT(65536);
	struct dane_record good, bad;
	struct dane right, wrong;
	struct tlsc_options o = { .sni = B("mx.example"),
	    .check = TLSC_DANE, .enforce = TLSC_DANE };
	struct tlsc_facts f;
	struct pair p;
	const char *why;

	(void)state;
	assert_int_equal(tls_self_signed(&other, B("mx.example"), false, 10,
	    &why), 0);
	right = dane_for(buf_bytes(&server_pem), &good);
	wrong = dane_for(buf_bytes(&other), &bad);
	o.dane = &right;
	p = connect_pair(buf_bytes(&server_pem), without_root(), &o);
	assert_int_equal(shake(&p), TLS_OK);
	tlsc_describe(p.client, &arena, &f);
	assert_int_equal(f.verified, TLSC_DANE);
	assert_true(f.dane.verified);
	free_pair(&p);
	o.dane = &wrong;
	p = connect_pair(buf_bytes(&server_pem), without_root(), &o);
	assert_int_equal(shake(&p), TLS_FAILED);
	assert_int_equal(tlsc_finding(p.client)->result,
	    TLSRESULT_TLSA_INVALID);
	assert_int_equal(tlsc_finding(p.client)->check, TLSC_DANE);
	free_pair(&p);
	o.enforce = 0;		/* TLS-Required: No */
	p = connect_pair(buf_bytes(&server_pem), without_root(), &o);
	assert_int_equal(shake(&p), TLS_OK);
	assert_int_equal(tlsc_finding(p.client)->result,
	    TLSRESULT_TLSA_INVALID);
	free_pair(&p);
	/* Both: a WebPKI finding that is not enforced gives way. */
	o.check = TLSC_DANE | TLSC_WEBPKI;
	o.enforce = TLSC_WEBPKI;
	o.name = B("mx.example");
	p = connect_pair(buf_bytes(&server_pem), without_root(), &o);
	assert_int_equal(shake(&p), TLS_FAILED);
	assert_int_equal(tlsc_finding(p.client)->check, TLSC_WEBPKI);
	free_pair(&p);
	buf_free(&other);
}

/* ---- what both ends agree on ---- */

static void
test_bindings(void **state)
{
	struct tlsc_options o = { .sni = B("mx.example") };
	struct pair p = connect_pair(buf_bytes(&server_pem), with_root(),
	    &o);
	struct tls_facts sf;
	struct tlsc_facts f;
	struct preface preface;

	(void)state;
	assert_int_equal(shake(&p), TLS_OK);
	tlsc_describe(p.client, &arena, &f);
	assert_int_equal(tls_describe(p.server, &arena, &preface, &sf), 0);
	assert_int_equal(f.exporter.n, 32);
	assert_true(bytes_eq(f.exporter, preface.exporter));
	assert_int_equal(f.end_point.n, 32);
	assert_true(bytes_eq(f.end_point, preface.end_point));
	assert_true(bytes_eq(preface.authority, B("mx.example")));
	assert_string_equal((const char *)preface.cipher.p, f.cipher);
	assert_false(f.client_cert);
	assert_false(preface.client_cert);
	free_pair(&p);
}

/* The server sees the key of that PEM. */
static void
check_client(struct bytes pem, struct bytes id_from)
{
	struct tlsc_settings s = { .ca_file = ca_path, .client = pem };
	struct tlsc_options o = { .sni = B("mx.example") };
	struct pair p = connect_pair(buf_bytes(&server_pem), &s, &o);
	unsigned char id[CLIENTKEY_ID_BYTES];
	struct tls_facts sf;
	struct tlsc_facts f;
	struct preface preface;
	const char *why;

	assert_int_equal(shake(&p), TLS_OK);
	tlsc_describe(p.client, &arena, &f);
	assert_true(f.client_cert);
	assert_int_equal(tls_describe(p.server, &arena, &preface, &sf), 0);
	assert_true(preface.client_cert);
	assert_int_equal(clientkey_id(id_from, id, &why), 0);
	assert_true(bytes_eq(preface.client_key, bytes_of(id, sizeof(id))));
	free_pair(&p);
}

static void
test_client_certs(void **state)
{
	static const enum clientkey_type types[] = { CLIENTKEY_ECDSA,
	    CLIENTKEY_RSA, CLIENTKEY_ED25519 };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(types); i++) {
		struct buf key = BUF_INIT(CLIENTKEY_FILE_MAX);
		struct buf cert = BUF_INIT(CLIENTKEY_FILE_MAX);
		struct buf p12 = BUF_INIT(CLIENTKEY_FILE_MAX);
		struct buf both = BUF_INIT(2 * CLIENTKEY_FILE_MAX);
		struct tlsc_settings s = { .ca_file = ca_path };
		const char *why = "";

		assert_int_equal(clientkey_generate(types[i], "me", "pw",
		    &key, &cert, &p12), 0);
		assert_int_equal(buf_add(&both, buf_bytes(&key)), 0);
		assert_int_equal(buf_add(&both, buf_bytes(&cert)), 0);
		check_client(buf_bytes(&both), buf_bytes(&cert));
		s.client = buf_bytes(&key);
		if (types[i] == CLIENTKEY_ED25519) {
			check_client(buf_bytes(&key), buf_bytes(&cert));
		} else {
			assert_null(tlsc_ctx_new(&s, &why));
			assert_int_equal(errno, EBADMSG);
			assert_true(bytes_ends(bytes_str(why),
			    B("not an Ed25519 key")));
		}
		buf_free(&key);
		buf_free(&cert);
		buf_free(&p12);
		buf_free(&both);
	}
}

static void
test_refused_settings(void **state)
{
	struct buf mixed = BUF_INIT(65536), other = BUF_INIT(65536);
	struct buf large = BUF_INIT(TLSC_CERT_MAX + 1);
	struct tlsc_settings s = { .ca_file = ca_path };
	const char *why;

	(void)state;
	assert_int_equal(tls_self_signed(&other, B("b"), false, 10, &why),
	    0);
	buf_add(&mixed, key_of(buf_bytes(&other)));
	buf_add(&mixed, cert_of(buf_bytes(&server_pem)));
	s.client = buf_bytes(&mixed);
	assert_null(tlsc_ctx_new(&s, &why));
	assert_string_equal(why, "the key is not that of the certificate");
	s.client = cert_of(buf_bytes(&server_pem));
	assert_null(tlsc_ctx_new(&s, &why));
	assert_string_equal(why,
	    "there is no private key in PEM without a passphrase");
	/* At the limit, and one past it. */
	buf_add(&large, buf_bytes(&server_pem));
	while (large.n < TLSC_CERT_MAX)
		buf_addc(&large, '\n');
	s.client = buf_bytes(&large);
	tlsc_ctx_free(tlsc_ctx_new(&s, &why));
	assert_string_equal(why, "the key is not that of the certificate");
	buf_addc(&large, '\n');
	s.client = buf_bytes(&large);
	assert_null(tlsc_ctx_new(&s, &why));
	assert_string_equal(why,
	    "the file with the client's key is too large");
	s = (struct tlsc_settings){ .ca_file = "/nonexistent",
	    .client = BYTES_EMPTY };
	assert_null(tlsc_ctx_new(&s, &why));
	assert_int_equal(errno, EBADMSG);
	buf_free(&mixed);
	buf_free(&other);
	buf_free(&large);
}

static void
test_refused_options(void **state)
{
	static char label[300];
	struct tlsc_options o = { .sni = B("a\0b") };
	struct tlsc_ctx *ctx;
	const char *why;
	struct tlsc *t;
	int fds[2];

	(void)state;
	ctx = tlsc_ctx_new(without_root(), &why);
	assert_non_null(ctx);
	assert_int_equal(os_socketpair(fds), 0);
	assert_null(tlsc_new(ctx, &o, fds[0]));
	assert_int_equal(errno, EINVAL);
	memset(label, 'a', sizeof(label));
	o.sni = bytes_of(label, 255);
	t = tlsc_new(ctx, &o, fds[0]);
	assert_non_null(t);
	tlsc_free(t);
	o.sni = bytes_of(label, 256);
	assert_null(tlsc_new(ctx, &o, fds[0]));
	o = (struct tlsc_options){ .sni = BYTES_EMPTY, .name = BYTES_EMPTY,
	    .check = TLSC_WEBPKI };
	assert_null(tlsc_new(ctx, &o, fds[0]));
	o.check = TLSC_DANE;
	assert_null(tlsc_new(ctx, &o, fds[0]));
	o.check = 0;
	o.sni = B("192.0.2.1");		/* no name: none is asked for */
	t = tlsc_new(ctx, &o, fds[0]);
	assert_non_null(t);
	tlsc_free(t);
	tlsc_ctx_free(ctx);
	close(fds[0]);
	close(fds[1]);
}

/* ---- peers that misbehave ---- */

static void
check_peer(struct bytes sent, bool close_it, enum tls_reason reason, int err,
    const char *code)
{
	struct tlsc_options o = { .sni = B("mx.example") };
	const char *why;
	struct tlsc_ctx *ctx = tlsc_ctx_new(without_root(), &why);
	struct tlsc *t;
	int fds[2];

	assert_int_equal(os_socketpair(fds), 0);
	t = tlsc_new(ctx, &o, fds[0]);
	assert_int_equal(io_write_all(fds[1], sent, DEADLINE_NONE), 0);
	if (close_it)
		assert_int_equal(shutdown(fds[1], SHUT_WR), 0);
	assert_int_equal(tlsc_connect(t, deadline_in(200)), -1);
	assert_int_equal(errno, err);
	assert_int_equal(tlsc_finding(t)->reason, reason);
	assert_int_equal(tlsc_finding(t)->result,
	    TLSRESULT_VALIDATION_FAILURE);
	assert_string_equal(tlsc_finding(t)->code, code);
	tlsc_free(t);
	tlsc_ctx_free(ctx);
	close(fds[0]);
	close(fds[1]);
}

static void
test_bad_peers(void **state)
{
	(void)state;
	check_peer(B(""), false, TLS_REASON_TIMEOUT, ETIMEDOUT,
	    "tls-timeout");
	check_peer(B(""), true, TLS_REASON_EOF, EPROTO, "tls-eof");
	check_peer(B("250 this is no TLS\r\n"), false, TLS_REASON_NOT_TLS,
	    EPROTO, "tls-not-tls");
	check_peer(B("\x15\3\3\0\2\2\x28"), false, TLS_REASON_ALERT, EPROTO,
	    "tls-remote-alert-40-handshake_failure");
	check_peer(B("\x15\3\3\0\2\2\x46"), false, TLS_REASON_ALERT, EPROTO,
	    "tls-remote-alert-70-protocol_version");
}

/* ---- bytes ---- */

static void
test_stream(void **state)
{
	struct tlsc_options o = { .sni = B("mx.example") };
	struct pair p = connect_pair(buf_bytes(&server_pem), with_root(),
	    &o);
	char in[64];
	size_t n;

	(void)state;
	assert_int_equal(shake(&p), TLS_OK);
	assert_int_equal(tlsc_send(p.client, B("EHLO me\r\n"),
	    deadline_in(1000)), 0);
	assert_int_equal(tls_read(p.server, in, sizeof(in), &n), TLS_OK);
	assert_int_equal(n, 9);
	assert_int_equal(tlsc_receive(p.client, in, sizeof(in),
	    deadline_in(50)), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(tls_write(p.server, B("250 you\r\n"), &n), TLS_OK);
	assert_int_equal(tlsc_receive(p.client, in, 4, deadline_in(1000)),
	    4);
	assert_true(tlsc_pending(p.client));
	assert_int_equal(tlsc_receive(p.client, in, sizeof(in),
	    deadline_in(1000)), 5);
	assert_int_equal(tls_end(p.server), TLS_OK);
	assert_int_equal(tlsc_receive(p.client, in, sizeof(in),
	    deadline_in(1000)), 0);
	assert_int_equal(tlsc_end(p.client), TLS_OK);
	free_pair(&p);
}

/* The server takes no more: what cannot be written in time is not. */
static void
test_stuck(void **state)
{
	struct tlsc_options o = { .sni = B("mx.example") };
	struct pair p = connect_pair(buf_bytes(&server_pem), with_root(),
	    &o);
	size_t n = 4 << 20;
	char *p4 = mem_zalloc(n, 1);

	(void)state;
	assert_int_equal(shake(&p), TLS_OK);
	assert_int_equal(tlsc_send(p.client, bytes_of(p4, n),
	    deadline_in(100)), -1);
	assert_int_equal(errno, ETIMEDOUT);
	free(p4);
	free_pair(&p);
}

/* ---- the choice ---- */

#define W TLSC_WEBPKI
#define D TLSC_DANE

static void
test_choose(void **state)
{
	static const struct {
		const char *name;
		struct tlsc_policy p;
		bool refuse, defer, required, plain;
		unsigned int check, enforce;
	} all[] = {
		{ "opportunistic", { 0 }, false, false, false, true, 0, 0 },
		{ "DMARC report", { .no_plaintext = true },
		    false, false, false, false, 0, 0 },
		{ "enforced", { .sts_enforce = true },
		    false, false, true, false, W, W },
		{ "testing", { .sts_testing = true },
		    false, false, false, true, W, 0 },
		{ "DANE", { .dane = DANE_USABLE },
		    false, false, true, false, D, D },
		{ "DANE and enforced", { .dane = DANE_USABLE,
		    .sts_enforce = true },
		    false, false, true, false, D | W, D | W },
		{ "DANE and testing", { .dane = DANE_USABLE,
		    .sts_testing = true },
		    false, false, true, false, D | W, D },
		{ "DANE unusable", { .dane = DANE_UNUSABLE },
		    false, false, true, false, 0, 0 },
		{ "DANE failed", { .dane = DANE_FAILED },
		    false, true, false, false, 0, 0 },
		{ "No", { .tls_required_no = true },
		    false, false, false, true, 0, 0 },
		{ "No, DANE", { .tls_required_no = true,
		    .dane = DANE_USABLE },
		    false, false, false, true, D, 0 },
		{ "No, DANE failed", { .tls_required_no = true,
		    .dane = DANE_FAILED },
		    false, false, false, true, 0, 0 },
		{ "No, enforced", { .tls_required_no = true,
		    .sts_enforce = true },
		    false, false, false, true, W, 0 },
		{ "No, unusable", { .tls_required_no = true,
		    .dane = DANE_UNUSABLE },
		    false, false, false, true, 0, 0 },
		{ "REQUIRETLS", { .requiretls = true },
		    true, false, false, false, 0, 0 },
		{ "REQUIRETLS, unusable", { .requiretls = true,
		    .dane = DANE_UNUSABLE },
		    true, false, true, false, 0, 0 },
		{ "REQUIRETLS, testing", { .requiretls = true,
		    .sts_testing = true },
		    true, false, false, false, W, 0 },
		{ "REQUIRETLS, DANE", { .requiretls = true,
		    .dane = DANE_USABLE },
		    false, false, true, false, D, D },
		{ "REQUIRETLS, enforced", { .requiretls = true,
		    .sts_enforce = true },
		    false, false, true, false, W, W },
		{ "REQUIRETLS and No", { .requiretls = true,
		    .tls_required_no = true, .sts_enforce = true },
		    false, false, true, false, W, W },
		{ "submission", { .submission = true },
		    false, false, true, false, W, W },
		{ "submission, No", { .submission = true,
		    .tls_required_no = true },
		    false, false, true, false, W, W },
		{ "submission, insecure", { .submission = true,
		    .insecure = true },
		    false, false, true, false, 0, 0 },
		{ "submission, insecure, REQUIRETLS", { .submission = true,
		    .insecure = true, .requiretls = true },
		    true, false, true, false, 0, 0 },
		{ "submission, REQUIRETLS", { .submission = true,
		    .requiretls = true },
		    false, false, true, false, W, W },
	};
	struct tlsc_choice c;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(all); i++) {
		tlsc_choose(&all[i].p, &c);
		if (c.refuse != all[i].refuse || c.defer != all[i].defer ||
		    c.required != all[i].required ||
		    c.plain_retry != all[i].plain ||
		    c.check != all[i].check || c.enforce != all[i].enforce)
			fail_msg("%s: refuse %d defer %d required %d plain "
			    "%d check %u enforce %u", all[i].name, c.refuse,
			    c.defer, c.required, c.plain_retry, c.check,
			    c.enforce);
		if (c.refuse || c.defer)
			assert_true(c.why[0] != '\0');
	}
}

static void
test_results(void **state)
{
	enum tlsresult r;
	int i;

	(void)state;
	for (i = 0; i < TLSRESULTS; i++) {
		assert_int_equal(tlsresult_find(bytes_str(tlsresult_name(
		    (enum tlsresult)i)), &r), 0);
		assert_int_equal(r, i);
	}
	assert_int_equal(tlsresult_find(B("Validation-Failure"), &r), -1);
	assert_int_equal(errno, ENOENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "T-9 WebPKI findings, enforced and not", test_webpki, NULL,
		    NULL, NULL },
		{ "T-1 opportunistic TLS verifies nothing", test_unverified,
		    NULL, NULL, NULL },
		{ "T-2 DANE in a handshake, enforced and not", test_dane,
		    NULL, NULL, NULL },
		{ "channel bindings are the server's", test_bindings, NULL,
		    NULL, NULL },
		{ "client certificates; a bare Ed25519 key",
		    test_client_certs, NULL, NULL, NULL },
		{ "settings that are refused", test_refused_settings, NULL,
		    NULL, NULL },
		{ "names that are refused", test_refused_options, NULL, NULL,
		    NULL },
		{ "peers that send no TLS, or an alert", test_bad_peers,
		    NULL, NULL, NULL },
		{ "bytes with deadlines", test_stream, NULL, NULL, NULL },
		{ "a peer that reads no more", test_stuck, NULL, NULL,
		    NULL },
		{ "T-1 which TLS, and whether plain text may follow",
		    test_choose, NULL, NULL, NULL },
		{ "names of RFC 8460 results", test_results, NULL, NULL,
		    NULL },
	};

	msg_init("tlsc_test");	/* no SIGPIPE */
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
