/*
 * tls_test.c - certificates by name, handshakes, what they tell
 *
 * The client is OpenSSL's, in this process, over a pair of sockets.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "os/os.h"
#include "tls/tls.h"

#define B(lit) BYTES(lit)

/* ---- certificates ---- */

static struct buf
pem_for(const char *name, bool rsa)
{
	struct buf b = BUF_INIT(65536);
	const char *why;

	assert_int_equal(tls_self_signed(&b, bytes_str(name), rsa, 10, &why),
	    0);
	return b;
}

static void
add(struct tls_certs *c, const char *file, const char *name, bool rsa)
{
	struct buf b = pem_for(name, rsa);
	const char *why = "";

	if (tls_certs_add(c, file, buf_bytes(&b), &why) == -1)
		fail_msg("%s: %s", file, why);
	buf_free(&b);
}

static struct tls_certs *
usual_certs(void)
{
	struct tls_certs *c = tls_certs_new();

	add(c, "mail.example.pem", "mail.example", false);
	add(c, "mail.example.rsa.pem", "mail.example", true);
	add(c, "Other.Example.pem", "other.example", false);
	add(c, "*.wild.example.pem", "*.wild.example", false);
	add(c, "x.wild.example.pem", "x.wild.example", false);
	add(c, "bundle.pem", "*.in-cert.example", false);
	add(c, "second.pem", "other.example", false);
	tls_certs_seal(c);
	return c;
}

static void
by_name(void **state)
{
	static const struct {
		const char *asked, *found;
	} all[] = {
		{ "mail.example", "mail.example" },
		{ "MAIL.Example", "mail.example" },
		{ "mail.example.", "mail.example" },
		{ "other.example", "other.example" },	/* not "second" */
		{ "second", "second" },
		{ "a.wild.example", "*.wild.example" },
		{ "x.wild.example", "x.wild.example" },
		{ "a.b.wild.example", NULL },	/* one label only */
		{ "wild.example", NULL },
		{ "*.wild.example", NULL },	/* nobody is called so */
		{ "foo.in-cert.example", "bundle" },
		{ "in-cert.example", NULL },
		{ "ample", NULL },
		{ "", NULL },
		{ ".", NULL },
		{ ".wild.example", NULL },
		{ "../mail.example", NULL },
		{ "mail.example..", NULL },
	};
	static char long_name[300];
	struct tls_certs *c = usual_certs();
	const char *got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		got = tls_certs_find(c, bytes_str(all[i].asked));
		if ((got == NULL) != (all[i].found == NULL) ||
		    (got != NULL && strcmp(got, all[i].found) != 0))
			fail_msg("%s: %s", all[i].asked,
			    got == NULL ? "none" : got);
	}
	memset(long_name, 'a', sizeof(long_name) - 1);
	assert_null(tls_certs_find(c, bytes_of(long_name, 255)));
	assert_null(tls_certs_find(c, bytes_of(long_name, 256)));
	assert_null(tls_certs_find(c, B("mail.example\0.evil")));
	assert_int_equal(tls_certs_count(c), 6);
	tls_certs_free(c);
}

static void
refused_files(void **state)
{
	struct tls_certs *c = tls_certs_new();
	struct buf ec = pem_for("a.example", false), two = pem_for("b", false);
	struct buf mixed = BUF_INIT(65536);
	struct bytes text = buf_bytes(&ec), key, cert;
	const char *why;
	size_t at = 0;

	(void)state;
	assert_true(bytes_find(text, B("-----BEGIN CERT"), &at));
	key = bytes_first(text, at);
	cert = bytes_from(text, at);
	assert_int_equal(tls_certs_add(c, "a.example.pem", key, &why), -1);
	assert_string_equal(why, "it holds no certificate");
	assert_int_equal(tls_certs_add(c, "a.example.pem", cert, &why), -1);
	assert_string_equal(why, "it holds no private key without password");
	assert_int_equal(tls_certs_add(c, "a.example.pem", B(""), &why), -1);
	assert_int_equal(tls_certs_add(c, "a.example.pem",
	    bytes_first(text, text.n - 60), &why), -1);
	/* b's key and a's certificate */
	assert_true(bytes_find(buf_bytes(&two), B("-----BEGIN CERT"), &at));
	buf_add(&mixed, bytes_first(buf_bytes(&two), at));
	buf_add(&mixed, cert);
	assert_int_equal(tls_certs_add(c, "a.example.pem", buf_bytes(&mixed),
	    &why), -1);
	assert_string_equal(why,
	    "its first certificate is not for its private key");
	assert_int_equal(tls_certs_add(c, "a.example.crt", text, &why), -1);
	assert_int_equal(tls_certs_add(c, "a/b.pem", text, &why), -1);
	assert_int_equal(tls_certs_add(c, ".pem", text, &why), -1);
	assert_int_equal(tls_certs_add(c, "a.example.rsa.pem", text, &why),
	    -1);
	assert_int_equal(tls_certs_count(c), 0);
	assert_int_equal(tls_certs_add(c, "a.example.pem", text, &why), 0);
	assert_int_equal(tls_certs_add(c, "a.example.ecdsa.pem", text, &why),
	    -1);
	assert_int_equal(errno, EBADMSG);
	tls_certs_free(c);
	buf_free(&ec);
	buf_free(&two);
	buf_free(&mixed);
}

static void
chains(void **state)
{
	struct tls_certs *c = tls_certs_new();
	struct buf b = pem_for("a.example", false);
	struct bytes text = buf_bytes(&b), cert;
	struct buf all = BUF_INIT(65536);
	const char *why;
	size_t at = 0, i;

	(void)state;
	assert_true(bytes_find(text, B("-----BEGIN CERT"), &at));
	cert = bytes_from(text, at);
	buf_add(&all, text);
	for (i = 1; i < TLS_CHAIN_MAX; i++)
		buf_add(&all, cert);
	assert_int_equal(tls_certs_add(c, "a.example.pem", buf_bytes(&all),
	    &why), 0);
	buf_add(&all, cert);
	assert_int_equal(tls_certs_add(c, "b.example.pem", buf_bytes(&all),
	    &why), -1);
	assert_string_equal(why, "it holds too many certificates");
	tls_certs_free(c);
	buf_free(&b);
	buf_free(&all);
}

static void
expiry(void **state)
{
	static const struct {
		unsigned int days;
		const char *why;
	} all[] = {
		{ 1, "a certificate in it expires within 7 days" },
		{ TLS_EXPIRY_DAYS - 1,
		    "a certificate in it expires within 7 days" },
		{ TLS_EXPIRY_DAYS + 1, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct tls_certs *c = tls_certs_new();
		struct buf b = BUF_INIT(65536);
		const char *why = "";

		assert_int_equal(tls_self_signed(&b, B("a.example"), false,
		    all[i].days, &why), 0);
		assert_int_equal(tls_certs_add(c, "a.example.pem",
		    buf_bytes(&b), &why), 0);
		assert_true(why == all[i].why || (why != NULL &&
		    all[i].why != NULL && strcmp(why, all[i].why) == 0));
		buf_free(&b);
		tls_certs_free(c);
	}
}

static void
self_signed(void **state)
{
	static const struct {
		struct bytes name;
		unsigned int days;
		int result;
	} all[] = {
		{ B("localhost"), 1, 0 },
		{ B("*.example.org"), 36500, 0 },
		{ B("127.0.0.1"), 1, 0 },
		{ B("::1"), 1, 0 },
		{ B(""), 1, -1 },
		{ B("a b"), 1, -1 },
		{ B("a,DNS:b"), 1, -1 },
		{ B("a/b"), 1, -1 },
		{ B("-a"), 1, -1 },
		{ B("a"), 0, -1 },
		{ B("a"), 36501, -1 },
	};
	struct buf b = BUF_INIT(65536);
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		buf_reset(&b);
		assert_int_equal(tls_self_signed(&b, all[i].name, false,
		    all[i].days, &why), all[i].result);
		assert_int_equal(b.n > 0, all[i].result == 0);
	}
	buf_free(&b);
}

/* ---- handshakes ---- */

struct peer {
	SSL_CTX *ctx;
	SSL *ssl;
	struct tls *tls;
	int pair[2];
};

static struct tls_tickets tickets;

static struct tls_server *
server(const char *min)
{
	struct tls_options o = { .hostname = "mail.example",
	    .min_version = bytes_str(min), .client_auth = true,
	    .tickets = { false, true, true, true } };
	struct tls_server *s;

	if (tickets.period == 0)
		tls_tickets_init(&tickets, 1000000);
	s = tls_server_new(&o, usual_certs(), &tickets);
	assert_non_null(s);
	return s;
}

static struct peer
peer_new(struct tls_server *s, enum tls_listener l, const char *name)
{
	struct tls_accept a = { .listener = l, .client_cert = true,
	    .alpn = { B("imap"), B("h2") }, .nalpn = 2 };
	struct peer p = { .ctx = SSL_CTX_new(TLS_client_method()) };

	assert_int_equal(os_socketpair(p.pair), 0);
	p.tls = tls_accept(s, &a, p.pair[1]);
	assert_non_null(p.tls);
	p.ssl = SSL_new(p.ctx);
	SSL_set_fd(p.ssl, p.pair[0]);
	if (name != NULL)
		SSL_set_tlsext_host_name(p.ssl, name);
	SSL_set_connect_state(p.ssl);
	return p;
}

static void
peer_free(struct peer *p)
{
	SSL_free(p->ssl);
	SSL_CTX_free(p->ctx);
	tls_free(p->tls);
	close(p->pair[0]);
	close(p->pair[1]);
}

/* Both ends in turn; the server's last word. */
static enum tls_result
handshake(struct peer *p)
{
	enum tls_result r = TLS_WANT_READ;
	int i;

	for (i = 0; i < 20 && r != TLS_OK && r != TLS_FAILED; i++) {
		ERR_clear_error();
		(void)SSL_do_handshake(p->ssl);
		r = tls_handshake(p->tls);
	}
	ERR_clear_error();
	(void)SSL_do_handshake(p->ssl);
	return r;
}

/* The common name of the certificate the client saw. */
static const char *
seen(const struct peer *p, char out[64])
{
	X509 *x = SSL_get0_peer_certificate(p->ssl);

	if (x == NULL || X509_NAME_get_text_by_NID(X509_get_subject_name(x),
	    NID_commonName, out, 64) < 0)
		return "none";
	return out;
}

static void
names(void **state)
{
	static const struct {
		enum tls_listener listener;
		const char *asked, *seen;
		bool named, unknown;
	} all[] = {
		{ TLS_IMAP, NULL, "mail.example", false, false },
		{ TLS_IMAP, "other.example", "other.example", true, false },
		{ TLS_IMAP, "a.wild.example", "*.wild.example", true, false },
		{ TLS_IMAP, "nobody.example", NULL, true, true },
		{ TLS_SUBMISSION, "nobody.example", NULL, true, true },
		{ TLS_HTTP, "nobody.example", NULL, true, true },
		{ TLS_SMTP, "nobody.example", "mail.example", true, true },
		{ TLS_SMTP, "other.example", "other.example", true, false },
		{ TLS_IMAP, "127.0.0.1", "mail.example", false, false },
	};
	struct tls_server *s = server("1.2");
	bool named, unknown;
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct peer p = peer_new(s, all[i].listener, all[i].asked);
		enum tls_result r = handshake(&p);

		tls_names(p.tls, &named, &unknown);
		assert_int_equal(named, all[i].named);
		assert_int_equal(unknown, all[i].unknown);
		if (all[i].seen == NULL) {
			assert_int_equal(r, TLS_FAILED);
			assert_int_equal(tls_failure(p.tls),
			    TLS_REASON_UNKNOWN_NAME);
		} else {
			assert_int_equal(r, TLS_OK);
			assert_string_equal(seen(&p, text), all[i].seen);
		}
		peer_free(&p);
	}
	tls_server_unref(s);
}

static void
give_client_cert(struct peer *p, unsigned char spki[32])
{
	struct buf b = pem_for("client", false);
	BIO *bio = BIO_new_mem_buf(b.p, (int)b.n);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	assert_true(n > 0);
	sha256_of(bytes_of(der, (size_t)n), spki);
	OPENSSL_free(der);
	assert_int_equal(SSL_use_certificate(p->ssl, x), 1);
	assert_int_equal(SSL_use_PrivateKey(p->ssl, key), 1);
	X509_free(x);
	EVP_PKEY_free(key);
	BIO_free(bio);
	buf_free(&b);
}

static void
facts(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct tls_server *s = server("1.2");
	unsigned char spki[32], exporter[32], digest[32];
	struct arena a = ARENA_INIT;
	struct preface f;
	struct tls_facts facts;
	unsigned int n;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct peer p = peer_new(s, TLS_IMAP, "mail.example");

		SSL_set_max_proto_version(p.ssl, versions[i]);
		SSL_set_alpn_protos(p.ssl, (const unsigned char *)"\2h2\4imap",
		    8);
		give_client_cert(&p, spki);
		assert_int_equal(handshake(&p), TLS_OK);
		assert_int_equal(tls_describe(p.tls, &a, &f), 0);
		tls_facts(p.tls, &facts);
		assert_int_equal(facts.version, i == 0 ? TLS_1_2 : TLS_1_3);
		assert_false(facts.resumed);
		assert_true(bytes_eq(f.version, i == 0 ? B("TLSv1.2")
		    : B("TLSv1.3")));
		assert_true(bytes_eq(f.alpn, B("imap")));
		assert_true(bytes_eq(f.authority, B("mail.example")));
		assert_true(f.client_cert);
		assert_true(bytes_eq(f.client_key, bytes_of(spki, 32)));
		assert_int_equal(SSL_export_keying_material(p.ssl, exporter,
		    32, "EXPORTER-Channel-Binding", 24,
		    (const unsigned char *)"", 0, 1), 1);
		assert_true(bytes_eq(f.exporter, bytes_of(exporter, 32)));
		X509_digest(SSL_get0_peer_certificate(p.ssl), EVP_sha256(),
		    digest, &n);
		assert_true(bytes_eq(f.end_point, bytes_of(digest, 32)));
		peer_free(&p);
	}
	arena_free(&a);
	tls_server_unref(s);
}

/* Both are there and the client's signature algorithms choose. */
static void
rsa_beside_ecdsa(void **state)
{
	struct tls_server *s = server("1.2");
	struct peer p = peer_new(s, TLS_IMAP, "mail.example");

	(void)state;
	SSL_set1_sigalgs_list(p.ssl, "RSA-PSS+SHA256");
	assert_int_equal(handshake(&p), TLS_OK);
	assert_int_equal(EVP_PKEY_get_base_id(X509_get0_pubkey(
	    SSL_get0_peer_certificate(p.ssl))), EVP_PKEY_RSA);
	peer_free(&p);
	p = peer_new(s, TLS_IMAP, "mail.example");
	assert_int_equal(handshake(&p), TLS_OK);
	assert_int_equal(EVP_PKEY_get_base_id(X509_get0_pubkey(
	    SSL_get0_peer_certificate(p.ssl))), EVP_PKEY_EC);
	peer_free(&p);
	p = peer_new(s, TLS_IMAP, "other.example");
	SSL_set1_sigalgs_list(p.ssl, "RSA-PSS+SHA256");
	assert_int_equal(handshake(&p), TLS_FAILED);
	assert_int_equal(tls_failure(p.tls), TLS_REASON_CIPHER);
	peer_free(&p);
	tls_server_unref(s);
}

static void
versions(void **state)
{
	static const struct {
		const char *min;
		int client;	/* the only one it speaks */
		enum tls_result result;
	} all[] = {
		{ "1.0", TLS1_VERSION, TLS_OK },
		{ "1.1", TLS1_VERSION, TLS_FAILED },
		{ "1.1", TLS1_1_VERSION, TLS_OK },
		{ "1.2", TLS1_1_VERSION, TLS_FAILED },
		{ "1.2", TLS1_2_VERSION, TLS_OK },
		{ "1.3", TLS1_2_VERSION, TLS_FAILED },
		{ "1.3", TLS1_3_VERSION, TLS_OK },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct tls_server *s = server(all[i].min);
		struct peer p = peer_new(s, TLS_SMTP, NULL);

		SSL_set_cipher_list(p.ssl, "ALL:@SECLEVEL=0");
		SSL_set_min_proto_version(p.ssl, all[i].client);
		SSL_set_max_proto_version(p.ssl, all[i].client);
		assert_int_equal(handshake(&p), all[i].result);
		if (all[i].result == TLS_FAILED)
			assert_int_equal(tls_failure(p.tls),
			    TLS_REASON_VERSION);
		peer_free(&p);
		tls_server_unref(s);
	}
}

static void
failures(void **state)
{
	static const struct {
		struct bytes sent;
		bool end;
		enum tls_reason reason;
	} all[] = {
		{ B(""), true, TLS_REASON_EOF },
		{ B("\x16\3\1"), true, TLS_REASON_EOF },
		{ B("GET / HTTP/1.1\r\n\r\n"), false, TLS_REASON_NOT_TLS },
		{ B("A001 CAPABILITY\r\n"), false, TLS_REASON_NOT_TLS },
		{ B("EHLO there\r\n"), false, TLS_REASON_NOT_TLS },
		{ B("\x15\3\1\0\2\2\x2a"), false, TLS_REASON_PROTOCOL },
		{ B("\x16\3\1\0\5\1\0\0\1\0"), false, TLS_REASON_PROTOCOL },
		{ B("\x16\3\1\0\4\x0e\0\0\0"), false, TLS_REASON_PROTOCOL },
	};
	struct tls_server *s = server("1.2");
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct peer p = peer_new(s, TLS_IMAP, NULL);
		enum tls_result r;

		assert_int_equal(io_write_all(p.pair[0], all[i].sent,
		    DEADLINE_NONE), 0);
		if (all[i].end)
			shutdown(p.pair[0], SHUT_WR);
		r = tls_handshake(p.tls);
		if (r != TLS_FAILED || tls_failure(p.tls) != all[i].reason)
			fail_msg("%zu: %d, %s", i, (int)r,
			    tls_reason_name(tls_failure(p.tls)));
		peer_free(&p);
	}
	tls_server_unref(s);
}

/* A client that checks certificates does not like ours. */
static void
alert_received(void **state)
{
	static const int both[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct tls_server *s = server("1.2");
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct peer p = peer_new(s, TLS_IMAP, NULL);

		SSL_set_max_proto_version(p.ssl, both[i]);
		SSL_set_verify(p.ssl, SSL_VERIFY_PEER, NULL);
		assert_int_equal(handshake(&p), TLS_FAILED);
		assert_int_equal(tls_failure(p.tls), TLS_REASON_ALERT);
		assert_int_equal(tls_alert(p.tls), SSL_AD_UNKNOWN_CA);
		peer_free(&p);
	}
	tls_server_unref(s);
}

static void
alpn(void **state)
{
	struct tls_server *s = server("1.2");
	struct peer p = peer_new(s, TLS_HTTP, "mail.example");

	(void)state;
	SSL_set_alpn_protos(p.ssl, (const unsigned char *)"\3foo", 4);
	assert_int_equal(handshake(&p), TLS_FAILED);
	assert_int_equal(tls_failure(p.tls), TLS_REASON_ALPN);
	peer_free(&p);
	tls_server_unref(s);
}

/* ---- tickets ---- */

static SSL_SESSION *kept;

static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	SSL_SESSION_free(kept);
	kept = session;
	return 1;
}

/* A connection, with the kept session if there is one: resumed? */
static bool
connect_again(struct tls_server *s, enum tls_listener l, int version)
{
	struct peer p = peer_new(s, l, "mail.example");
	const SSL_SESSION *before = kept;
	unsigned char byte;
	size_t n;
	bool resumed;

	SSL_set_max_proto_version(p.ssl, version);
	SSL_CTX_set_session_cache_mode(p.ctx, SSL_SESS_CACHE_CLIENT |
	    SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(p.ctx, keep_session);
	if (kept != NULL)
		SSL_set_session(p.ssl, kept);
	assert_int_equal(handshake(&p), TLS_OK);
	assert_int_equal(tls_write(p.tls, B("x"), &n), TLS_OK);
	assert_int_equal(SSL_read(p.ssl, &byte, 1), 1);
	/* TLS 1.3: no ticket for who has said nothing */
	if (version == TLS1_3_VERSION)
		assert_ptr_equal(kept, before);
	assert_int_equal(SSL_write(p.ssl, "q", 1), 1);
	assert_int_equal(tls_read(p.tls, &byte, 1, &n), TLS_OK);
	assert_int_equal(tls_write(p.tls, B("x"), &n), TLS_OK);
	assert_int_equal(SSL_read(p.ssl, &byte, 1), 1);
	resumed = SSL_session_reused(p.ssl) == 1;
	SSL_shutdown(p.ssl);
	peer_free(&p);
	return resumed;
}

static void
session_tickets(void **state)
{
	static const int both[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct tls_server *s = server("1.2"), *again;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_false(connect_again(s, TLS_SMTP, both[i]));
		assert_true(kept == NULL || !SSL_SESSION_has_ticket(kept));
		SSL_SESSION_free(kept);
		kept = NULL;
		assert_false(connect_again(s, TLS_IMAP, both[i]));
		assert_non_null(kept);
		assert_true(connect_again(s, TLS_IMAP, both[i]));
		/* with new certificates too */
		again = server("1.2");
		assert_true(connect_again(again, TLS_IMAP, both[i]));
		tls_server_unref(again);
		/* not at another listener's */
		assert_false(connect_again(s, TLS_HTTP, both[i]));
		SSL_SESSION_free(kept);
		kept = NULL;
		/* the key of the period before is good, older ones are not */
		assert_false(connect_again(s, TLS_IMAP, both[i]));
		tls_tickets_advance(&tickets, (tickets.period + 1) *
		    TLS_TICKET_SECONDS);
		assert_true(connect_again(s, TLS_IMAP, both[i]));
		tls_tickets_advance(&tickets, (tickets.period + 2) *
		    TLS_TICKET_SECONDS);
		assert_false(connect_again(s, TLS_IMAP, both[i]));
		SSL_SESSION_free(kept);
		kept = NULL;
	}
	tls_server_unref(s);
}

/* Two that begin alike stay alike, whenever they look at the clock. */
static void
ticket_keys(void **state)
{
	struct tls_tickets a, b;
	int64_t t;

	(void)state;
	tls_tickets_init(&a, 500);
	b = a;
	for (t = 500; t < 20 * TLS_TICKET_SECONDS; t += 1000)
		tls_tickets_advance(&a, t);
	assert_memory_not_equal(a.current, b.current, 32);
	tls_tickets_advance(&b, t - 1000);
	assert_memory_equal(a.current, b.current, 32);
	assert_memory_equal(a.previous, b.previous, 32);
}

static void
words(void **state)
{
	char text[TLS_ALERT_NAME_MAX];
	enum tls_listener l;
	int i;

	(void)state;
	assert_string_equal(tls_alert_name(42, text), "bad_certificate");
	assert_string_equal(tls_alert_name(99, text), "number_99");
	for (i = 0; i < TLS_REASONS; i++)
		assert_non_null(tls_reason_name((enum tls_reason)i));
	assert_int_equal(tls_listener_find(B("submission"), &l), 0);
	assert_int_equal(l, TLS_SUBMISSION);
	assert_int_equal(tls_listener_find(B("pop3"), &l), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "certificates by name, wildcard of one label", by_name,
		    NULL, NULL, NULL },
		{ "certificate files that are refused", refused_files, NULL,
		    NULL, NULL },
		{ "a chain as long as is allowed, and longer", chains, NULL,
		    NULL, NULL },
		{ "a certificate that expires soon is told", expiry, NULL,
		    NULL, NULL },
		{ "self-signed certificates", self_signed, NULL, NULL, NULL },
		{ "R-31 L-7 unknown and missing server names", names, NULL,
		    NULL, NULL },
		{ "client key, ALPN and channel bindings equal on both sides",
		    facts, NULL, NULL, NULL },
		{ "RSA beside ECDSA", rsa_beside_ecdsa, NULL, NULL, NULL },
		{ "L-8 minimum version", versions, NULL, NULL, NULL },
		{ "R-30 failures have their reason", failures, NULL, NULL,
		    NULL },
		{ "R-30 the alert a client sends", alert_received, NULL, NULL,
		    NULL },
		{ "no ALPN in common", alpn, NULL, NULL, NULL },
		{ "R-32 session tickets by listener", session_tickets, NULL,
		    NULL, NULL },
		{ "ticket keys go on by themselves", ticket_keys, NULL, NULL,
		    NULL },
		{ "words for listeners, reasons, alerts", words, NULL, NULL,
		    NULL },
	};

	msg_init("tls_test");	/* no SIGPIPE */
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
