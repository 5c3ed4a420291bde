/*
 * urlauth.c - GENURLAUTH, RESETKEY (RFC 4467); urlfetch.c has URLFETCH
 *
 * The one mechanism, INTERNAL, signs the URL with a key of the mailbox, 256
 * random bits in the store, and HMAC-SHA-256 (RFC 2104). Sign and check are
 * made where that store is open: in a session of the URL's user, or in what
 * answers the session of another (urlanswer.c).
 */
#include "imap/url.h"

#include <errno.h>

/* In front of the token: what made it. */
#define TOKEN_VERSION "01"
#define DIGEST_BYTES 32
#define TOKEN_BYTES (2 + 2 * DIGEST_BYTES)

/* The token of a URL in hexadecimal. 1, 0 there is no key, -1. */
static int
make_token(struct imap *im, const struct imap_url *u, uint32_t mailbox,
    bool make_key, struct buf *out)
{
	unsigned char key[STORE_KEY_BYTES], digest[DIGEST_BYTES];
	int r = store_mailbox_key(im->o.store, mailbox, make_key, key);

	if (r != 1)
		return r;
	hmac_sha256(key, &u->rump, 1, digest);
	secret_wipe(key, sizeof(key));
	buf_adds(out, TOKEN_VERSION);
	(void)hex_encode(out, bytes_of(digest, sizeof(digest))); /* fits */
	return 1;
}

/* RFC 4467 3: who may use it. */
static bool
access_known(struct bytes access)
{
	struct bytes rest = access;

	return bytes_caseeq(access, BYTES("anonymous")) ||
	    bytes_caseeq(access, BYTES("authuser")) ||
	    ((bytes_caseskip(&rest, BYTES("user+")) ||
	    bytes_caseskip(&rest, BYTES("submit+"))) && rest.n > 0);
}

bool
url_is_of(struct imap *im, struct bytes user, const char *account)
{
	return im->o.is_account == NULL
	    ? bytes_eq(user, bytes_str(account))
	    : im->o.is_account(im->o.is_account_ctx, user, account);
}

/* ---- GENURLAUTH ---- */

/* The URL with its token into out. False: replied. */
static bool
sign_url(struct imap *im, struct bytes text, struct buf *out)
{
	struct imap_url u;
	struct store_mailbox m;
	struct buf token = BUF_INIT(TOKEN_BYTES);
	int r;

	/* The user is whose key signs it (RFC 4467 7): this account. */
	if (url_parse(&im->arena, text, &u) == -1 ||
	    !url_is_of(im, u.user, im->o.account) ||
	    u.token.n > 0 || !access_known(u.access)) {
		reply_bad(im, "not a URL to be authorized");
		return false;
	}
	r = url_mailbox(im, &u, &m);
	if (r == 1)
		r = make_token(im, &u, m.id, true, &token);
	if (r == 1) {
		buf_add(out, u.rump);
		buf_adds(out, ":INTERNAL:");
		buf_add(out, buf_bytes(&token));
	} else {
		reply_errno(im, r == 0 ? ENOENT : errno, false);
	}
	buf_free(&token);
	return r == 1;
}

void
command_genurlauth(struct imap *im, struct parser *p)
{
	struct buf line = BUF_INIT(IMAP_COMMAND_MAX * 2), url = line;
	struct bytes text, mechanism;
	size_t n = 0;

	buf_adds(&line, "* GENURLAUTH");
	do {
		if (!parse_space(p) || !parse_astring(p, &text) ||
		    !parse_space(p) || !parse_atom(p, &mechanism))
			break;
		if (++n > IMAP_URLS_MAX) {
			(void)parse_fail(p, "too many URLs");
		} else if (!bytes_caseeq(mechanism, BYTES("INTERNAL"))) {
			(void)parse_fail(p, "unknown mechanism");
		} else if (!sign_url(im, text, &url)) {
			goto end;	/* it was answered */
		} else {
			buf_addc(&line, ' ');
			imap_add_astring(&line, buf_bytes(&url));
			buf_reset(&url);
		}
	} while (p->why == NULL && p->s.n > 0);
	if (p->why == NULL) {
		buf_add(&im->out, buf_bytes(&line));
		buf_adds(&im->out, "\r\n");
		reply_done(im);
	}
end:
	p->s = BYTES_EMPTY;
	buf_free(&line);
	buf_free(&url);
}

/* ---- RESETKEY ---- */

static int
reset_key(struct imap *im, struct bytes name, bool all)
{
	struct imap_url u = { .mailbox = name };
	struct store_mailbox m = { .id = 0 };
	int r = all ? 1 : url_mailbox(im, &u, &m);

	if (r == 0)
		errno = ENOENT;
	return r == 1 ? store_mailbox_key_drop(im->o.store, m.id) : -1;
}

void
command_resetkey(struct imap *im, struct parser *p)
{
	struct bytes name = BYTES_EMPTY, mechanism;
	bool all = p->s.n == 0;

	if (!all && (!parse_space(p) || !parse_mailbox(p, &name)))
		return;
	while (p->s.n > 0) {
		if (!parse_space(p) || !parse_atom(p, &mechanism))
			return;
		if (!bytes_caseeq(mechanism, BYTES("INTERNAL"))) {
			(void)parse_fail(p, "unknown mechanism");
			return;
		}
	}
	if (reset_key(im, name, all) == -1) {
		reply_errno(im, errno, false);
		return;
	}
	box_sync(im, true);
	if (all)
		reply_ok(im, NULL, "RESETKEY done");
	else
		reply_ok(im, "URLMECH INTERNAL", "RESETKEY done");
}

/* ---- for URLFETCH ---- */

bool
url_in_force(struct imap *im, const struct imap_url *u, const char *who)
{
	struct bytes user = u->access;

	/* "submit+" is for submission servers, which this is not. */
	if (u->token.n == 0 || u->user.n == 0 || !access_known(u->access) ||
	    bytes_casestarts(u->access, BYTES("submit+")) ||
	    !bytes_caseeq(u->mechanism, BYTES("INTERNAL")) ||
	    u->expire < time_wall_us() / 1000000)
		return false;
	return !bytes_caseskip(&user, BYTES("user+")) ||
	    url_is_of(im, user, who);
}

int
url_authorized(struct imap *im, const struct imap_url *u, const char *who)
{
	struct buf token = BUF_INIT(TOKEN_BYTES);
	struct store_mailbox m;
	int r;

	if (!url_in_force(im, u, who))
		return 0;
	r = url_mailbox(im, u, &m);
	if (r == 1)
		r = make_token(im, u, m.id, false, &token);
	if (r == 1)
		r = bytes_equal_secret(buf_bytes(&token), u->token);
	buf_free(&token);
	return r;
}
