#include "dkim/internal.h"

#include <errno.h>

const char *const DKIM_SIGN_FIELDS[] = {
	"From", "To", "Cc", "Bcc", "Reply-To", "References", "In-Reply-To",
	"Subject", "Date", "Message-Id", "Content-Type",
};
const size_t DKIM_SIGN_FIELDS_COUNT =
    sizeof DKIM_SIGN_FIELDS / sizeof DKIM_SIGN_FIELDS[0];

/* A b= of 8192 bits has 1368 characters, h= up to DKIM_NAMES_MAX names. */
#define SIGNATURE_FIELD_MAX 65536

static int
bad(const char **why, int err, const char *text)
{
	*why = text;
	errno = err;
	return -1;
}

/* ---- what is signed ---- */

/* ftext without ";" and ":", which h= cannot carry (RFC 5322 3.6.8). */
static bool
field_name_ok(struct bytes s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == ';' ||
		    s.p[i] == ':')
			return false;
	}
	return s.n > 0;
}

struct names {
	struct bytes name[DKIM_NAMES_MAX];
	size_t n;
};

/*
 * One name per instance in the message, and one more to seal it: an instance
 * added later breaks the signature (RFC 6376 5.4).
 */
static int
add_name(struct names *out, const struct dkim_message *m, struct bytes name,
    bool seal, const char **why)
{
	size_t count = dkim_message_count(m, name) + (seal ? 1 : 0);

	if (!field_name_ok(name))
		return bad(why, EBADMSG, "bad field name to sign");
	if (count > DKIM_NAMES_MAX - out->n)
		return bad(why, EMSGSIZE, "too many fields to sign");
	while (count-- > 0)
		out->name[out->n++] = name;
	return 0;
}

static int
choose_names(struct names *out, const struct dkim_message *m,
    const struct dkim_signer *s, const char **why)
{
	size_t i, n = s->fields != NULL ? s->field_count
	    : DKIM_SIGN_FIELDS_COUNT;
	bool has_from = false;
	struct bytes name;

	out->n = 0;
	for (i = 0; i < n; i++) {
		name = s->fields != NULL ? s->fields[i]
		    : bytes_str(DKIM_SIGN_FIELDS[i]);
		has_from = has_from || bytes_caseeq(name, BYTES("From"));
		if (add_name(out, m, name, !s->no_seal, why) == -1)
			return -1;
	}
	if (!has_from)
		return bad(why, EBADMSG, "From must be signed");
	return 0;
}

/* ---- one signature ---- */

struct job {
	struct arena *arena;
	struct dkim_message m;
	struct dkim_body_wishes bodies;
};

/* dkim-quoted-printable (RFC 6376 2.11). */
static struct bytes
encode_dqp(struct arena *a, struct bytes s)
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char *p = arena_alloc(a, 3 * s.n);
	size_t i, n = 0;
	int c;

	for (i = 0; i < s.n; i++) {
		c = s.p[i];
		if (c > ' ' && c < 0x7f && c != ';' && c != '=') {
			p[n++] = (unsigned char)c;
			continue;
		}
		p[n++] = '=';
		p[n++] = (unsigned char)hex[c >> 4];
		p[n++] = (unsigned char)hex[c & 15];
	}
	return bytes_of(p, n);
}

static const char *
canon_text(const struct dkim_signer *s)
{
	if (s->header_canon == DKIM_RELAXED)
		return s->body_canon == DKIM_RELAXED ? "relaxed/relaxed"
		    : "relaxed/simple";
	return s->body_canon == DKIM_RELAXED ? "simple/relaxed"
	    : "simple/simple";
}

/* Domain, selector and identity that our own verifier would take. */
static int
check_signer(struct arena *a, const struct dkim_signer *s,
    struct bytes *domain, struct bytes *selector, const char **why)
{
	struct bytes below;
	size_t at;

	if (dkim_name_parse(a, s->domain, domain) == -1)
		return bad(why, EBADMSG, "bad domain to sign for");
	if (dkim_name_parse(a, s->selector, selector) == -1)
		return bad(why, EBADMSG, "bad selector");
	if (s->identity.n == 0)
		return 0;
	if (!bytes_rchr(s->identity, '@', &at) ||
	    dkim_name_parse(a, bytes_from(s->identity, at + 1), &below) == -1 ||
	    !dkim_name_within(below, *domain))
		return bad(why, EBADMSG, "identity is not within the domain");
	return 0;
}

/* The tags up to and with "b=". */
static void
add_tags(struct dkim_folder *f, struct job *j, const struct dkim_signer *s,
    struct bytes domain, struct bytes selector)
{
	const char *algorithm = dkim_key_is_ed25519(s->key) ? "ed25519-sha256"
	    : "rsa-sha256";

	dkim_fold_tag(f, j->arena, "v", BYTES("1"));
	dkim_fold_tag(f, j->arena, "a", bytes_str(algorithm));
	dkim_fold_tag(f, j->arena, "c", bytes_str(canon_text(s)));
	dkim_fold_tag(f, j->arena, "d", domain);
	dkim_fold_tag(f, j->arena, "s", selector);
	if (s->identity.n > 0)
		dkim_fold_tag(f, j->arena, "i",
		    encode_dqp(j->arena, s->identity));
	dkim_fold_tag(f, j->arena, "t", bytes_str(arena_printf(j->arena, "%lld",
	    (long long)s->now)));
	if (s->lifetime > 0)
		dkim_fold_tag(f, j->arena, "x", bytes_str(arena_printf(j->arena,
		    "%lld", (long long)s->now + s->lifetime)));
}

static void
add_names(struct dkim_folder *f, struct arena *a, const struct names *names)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		dkim_fold_add(f, bytes_str(arena_printf(a, "%s%.*s%s",
		    i == 0 ? "h=" : "", BYTES_ARG(names->name[i]),
		    i + 1 < names->n ? ":" : ";")), i == 0);
}

static void
add_body_hash(struct dkim_folder *f, struct job *j, const struct dkim_signer *s)
{
	struct buf text = BUF_INIT(DKIM_HASH_SIZE * 2);
	size_t i = dkim_body_wish(&j->bodies, s->body_canon, false, 0);

	/* Cannot overflow: 44 characters. */
	(void)base64_encode(&text,
	    bytes_of(j->bodies.w[i].hash, DKIM_HASH_SIZE));
	dkim_fold_tag(f, j->arena, "bh", buf_bytes(&text));
	buf_free(&text);
}

static int
add_signature(struct dkim_folder *f, struct job *j, const struct dkim_signer *s,
    const struct names *names, size_t start, const char **why)
{
	struct buf raw = BUF_INIT(DKIM_RSA_BITS_MAX / 8);
	struct buf text = BUF_INIT(DKIM_RSA_BITS_MAX / 4);
	unsigned char hash[DKIM_HASH_SIZE];
	struct bytes field = bytes_from(buf_bytes(f->out), start);
	int r = 0;

	if (dkim_header_hash(j->arena, &j->m, s->header_canon, names->name,
	    names->n, SIZE_MAX, field, hash) == -1 ||
	    dkim_key_sign(s->key, hash, &raw) == -1 ||
	    base64_encode(&text, buf_bytes(&raw)) == -1)
		r = bad(why, EIO, "libcrypto could not sign");
	else
		dkim_fold_base64(f, buf_bytes(&text));
	(void)buf_addc(f->out, '\n');
	buf_free(&raw);
	buf_free(&text);
	return r;
}

static int
sign_one(struct job *j, const struct dkim_signer *s, struct buf *out,
    const char **why)
{
	struct dkim_folder f = { out, 0 };
	struct bytes domain, selector;
	struct names names;
	size_t start = out->n;

	if (check_signer(j->arena, s, &domain, &selector, why) == -1 ||
	    choose_names(&names, &j->m, s, why) == -1)
		return -1;
	dkim_fold_add(&f, BYTES("DKIM-Signature:"), false);
	add_tags(&f, j, s, domain, selector);
	add_names(&f, j->arena, &names);
	add_body_hash(&f, j, s);
	dkim_fold_add(&f, BYTES("b="), true);
	if (out->full)
		return bad(why, EMSGSIZE, "signatures are too long");
	if (add_signature(&f, j, s, &names, start, why) == -1)
		return -1;
	return out->full ? bad(why, EMSGSIZE, "signatures are too long") : 0;
}

int
dkim_sign(struct arena *a, struct bytes message,
    const struct dkim_signer *signer, size_t n, struct buf *out,
    const char **why)
{
	struct buf text = BUF_INIT(n * SIGNATURE_FIELD_MAX);
	struct job j = { .arena = a };
	int r = 0, err;
	size_t i;

	dkim_message_split(a, message, &j.m);
	/* It would become part of the field put in front of it. */
	if (ascii_is_wsp(bytes_at(message, 0)))
		return bad(why, EBADMSG, "message begins with a blank");
	if (dkim_message_count(&j.m, BYTES("From")) != 1)
		return bad(why, EBADMSG, "not exactly one From field");
	/* Two forms of the body at most, however many signers. */
	for (i = 0; i < n; i++)
		(void)dkim_body_wish(&j.bodies, signer[i].body_canon, false, 0);
	if (dkim_body_hash(&j.bodies, j.m.body) == -1)
		return bad(why, EIO, "libcrypto could not hash");
	for (i = 0; i < n && r == 0; i++)
		r = sign_one(&j, &signer[i], &text, why);
	if (r == 0 && buf_add(out, buf_bytes(&text)) == -1)
		r = bad(why, EMSGSIZE, "signatures are too long");
	err = errno;
	buf_free(&text);
	errno = err;
	return r;
}

const struct bytes *
dkim_names(struct arena *a, struct bytes list, size_t *count)
{
	struct bytes *names = arena_zalloc(a, list.n + 1, sizeof(*names));
	bool more = true;

	for (*count = 0; more; ++*count)
		more = bytes_split(&list, ':', &names[*count]);
	return names;
}
