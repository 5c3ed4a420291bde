/* signature.c - the DKIM-Signature field and the key record as values */
#include "dkim/parts.h"

#include <errno.h>

#include "psl/psl.h"

static int
bad(const char **why, const char *text)
{
	*why = text;
	errno = EBADMSG;
	return -1;
}

static bool
is_word(struct bytes s, const char *word)
{
	return bytes_caseeq(s, bytes_str(word));
}

/* Take the next item of a colon separated list, FWS dropped. */
static bool
list_next(struct bytes *rest, bool *more, struct bytes *item)
{
	if (!*more)
		return false;
	*more = bytes_split(rest, ':', item);
	*item = bytes_trim(*item);
	return true;
}

/* Whether the list has one of the words. */
static bool
list_has(struct bytes list, const char *a, const char *b)
{
	struct bytes item;
	bool more = true;

	while (list_next(&list, &more, &item)) {
		if (is_word(item, a) || (b != NULL && is_word(item, b)))
			return true;
	}
	return false;
}

/* base64string: base64 with FWS anywhere (RFC 6376 2.10). */
static int
base64_value(struct arena *a, struct bytes s, struct bytes *out)
{
	unsigned char *packed = arena_alloc(a, s.n);
	struct buf decoded = BUF_INIT(s.n);
	size_t i, n = 0;
	int r;

	for (i = 0; i < s.n; i++) {
		packed[n] = s.p[i];
		n += !ascii_is_space(s.p[i]);
	}
	r = base64_decode(&decoded, bytes_of(packed, n));
	if (r == 0)
		*out = arena_bytes(a, buf_bytes(&decoded));
	buf_free(&decoded);
	return r;
}

/* dkim-quoted-printable (RFC 6376 2.11): FWS does not count. */
static int
decode_dqp(struct arena *a, struct bytes s, struct bytes *out)
{
	unsigned char *p = arena_alloc(a, s.n);
	size_t i, n = 0;
	int high, low;

	for (i = 0; i < s.n; i++) {
		if (ascii_is_space(s.p[i]))
			continue;
		if (s.p[i] != '=') {
			p[n++] = s.p[i];
			continue;
		}
		high = ascii_hex_value(bytes_at(s, i + 1));
		low = ascii_hex_value(bytes_at(s, i + 2));
		if (high == -1 || low == -1)
			return -1;
		p[n++] = (unsigned char)(high << 4 | low);
		i += 2;
	}
	*out = bytes_of(p, n);
	return 0;
}

/* ---- the tags of a signature, each RFC 6376 3.5 ---- */

static int
parse_algorithm(struct bytes s, struct dkim_signature *out, const char **why)
{
	if (is_word(s, "rsa-sha256"))
		out->algorithm = DKIM_RSA_SHA256;
	else if (is_word(s, "ed25519-sha256"))
		out->algorithm = DKIM_ED25519_SHA256;
	else if (is_word(s, "rsa-sha1"))	/* RFC 8301 3.1 */
		return bad(why, "rsa-sha1 is not accepted");
	else
		return bad(why, "unknown algorithm");
	return 0;
}

static bool
parse_canon_word(struct bytes s, enum dkim_canon *out)
{
	if (is_word(s, "simple"))
		*out = DKIM_SIMPLE;
	else if (is_word(s, "relaxed"))
		*out = DKIM_RELAXED;
	else
		return false;
	return true;
}

static int
parse_canon(struct bytes s, struct dkim_signature *out, const char **why)
{
	struct bytes header;
	bool has_body = bytes_split(&s, '/', &header);

	out->body_canon = DKIM_SIMPLE;
	if (!parse_canon_word(bytes_trim(header), &out->header_canon) ||
	    (has_body && !parse_canon_word(bytes_trim(s), &out->body_canon)))
		return bad(why, "unknown canonicalization");
	return 0;
}

static int
parse_names(struct arena *a, struct bytes s, bool strict,
    struct dkim_signature *out, const char **why)
{
	struct bytes rest = s, item;
	bool more = true, has_from = !strict;
	size_t n = 1, i;

	for (i = 0; i < s.n; i++)
		n += s.p[i] == ':';
	if (n > DKIM_NAMES_MAX)
		return bad(why, "too many names in h=");
	out->names = arena_zalloc(a, n, sizeof *out->names);
	while (list_next(&rest, &more, &item)) {
		if (item.n == 0 && strict)
			return bad(why, "empty name in h=");
		has_from = has_from || is_word(item, "from");
		out->names[out->name_count++] = item;
	}
	return has_from ? 0 : bad(why, "From is not signed");
}

/* i= is [local-part]@domain, the domain within d=. */
static int
parse_identity(struct arena *a, struct bytes s, struct dkim_signature *out,
    const char **why)
{
	struct bytes identity, domain;
	size_t at;

	if (decode_dqp(a, s, &identity) == -1 ||
	    identity.n > DKIM_IDENTITY_MAX ||
	    !bytes_rchr(identity, '@', &at) ||
	    dkim_name_parse(a, bytes_from(identity, at + 1), &domain) == -1)
		return bad(why, "bad i=");
	if (!dkim_name_within(domain, out->domain))
		return bad(why, "i= is not within d=");
	out->identity = identity;
	out->identity_domain = domain;
	return 0;
}

/* 1*12DIGIT. */
static int
parse_time(struct bytes s, int64_t *out)
{
	uint64_t v;

	if (num_parse(s, 0, 999999999999, &v) == -1)
		return -1;
	*out = (int64_t)v;
	return 0;
}

/* 1*76DIGIT: what does not fit is larger than any body. */
static int
parse_length(struct bytes s, struct dkim_signature *out)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (!ascii_is_digit(s.p[i]))
			return -1;
	}
	if (s.n == 0 || s.n > 76)
		return -1;
	if (num_parse(s, 0, UINT64_MAX, &out->length) == -1)
		out->length = UINT64_MAX;
	out->has_length = true;
	return 0;
}

static int
parse_optional(struct arena *a, const struct dkim_tags *t,
    enum dkim_kind kind, struct dkim_signature *out, const char **why)
{
	struct bytes v;

	if (dkim_tags_find(t, "t", &v) && parse_time(v, &out->timestamp) == -1)
		return bad(why, "bad t=");
	if (kind == DKIM_KIND_SEAL)
		return 0;
	/* Who leaves c= out of an ARC-Message-Signature signs relaxed. */
	if (kind == DKIM_KIND_MESSAGE)
		out->header_canon = out->body_canon = DKIM_RELAXED;
	if (dkim_tags_find(t, "c", &v) && parse_canon(v, out, why) == -1)
		return -1;
	if (dkim_tags_find(t, "l", &v) && parse_length(v, out) == -1)
		return bad(why, "bad l=");
	if (dkim_tags_find(t, "x", &v) && parse_time(v, &out->expiration) == -1)
		return bad(why, "bad x=");
	if (out->timestamp != -1 && out->expiration != -1 &&
	    out->expiration <= out->timestamp)
		return bad(why, "x= is not after t=");
	if (dkim_tags_find(t, "q", &v) && !list_has(v, "dns/txt", NULL))
		return bad(why, "q= has no known query method");
	if (kind == DKIM_KIND_DKIM && dkim_tags_find(t, "i", &v))
		return parse_identity(a, v, out, why);
	return 0;
}

/* RFC 6008 4: the first characters of b=, to tell signatures apart. */
static struct bytes
first_of_b(struct arena *a, struct bytes b)
{
	unsigned char *p = arena_alloc(a, 8);
	size_t i, n = 0;

	for (i = 0; i < b.n && n < 8; i++) {
		if (!ascii_is_space(b.p[i]))
			p[n++] = b.p[i];
	}
	return bytes_of(p, n);
}

/* Who signed: kept also if the rest is refused, for the report. */
static int
parse_signer(struct arena *a, const struct dkim_tags *t,
    struct dkim_signature *out, const char **why)
{
	struct bytes v;

	if (dkim_tags_find(t, "b", &v))
		out->b_prefix = first_of_b(a, v);
	if (!dkim_tags_find(t, "d", &v))
		return bad(why, "d= is missing");
	if (dkim_name_parse(a, v, &out->domain) == -1)
		return bad(why, "bad d=");
	out->identity_domain = out->domain;
	if (!dkim_tags_find(t, "s", &v))
		return bad(why, "s= is missing");
	if (dkim_name_parse(a, v, &out->selector) == -1)
		return bad(why, "bad s=");
	return 0;
}

static int
parse_hashed(struct arena *a, const struct dkim_tags *t, enum dkim_kind kind,
    struct dkim_signature *out, const char **why)
{
	struct bytes v;

	if (!dkim_tags_find(t, "bh", &v))
		return bad(why, "bh= is missing");
	if (base64_value(a, v, &out->bh) == -1 || out->bh.n != DKIM_HASH_SIZE)
		return bad(why, "bh= is no SHA-256 hash");
	if (!dkim_tags_find(t, "h", &v))
		return bad(why, "h= is missing");
	return parse_names(a, v, kind == DKIM_KIND_DKIM, out, why);
}

static int
parse_required(struct arena *a, const struct dkim_tags *t,
    enum dkim_kind kind, struct dkim_signature *out, const char **why)
{
	struct bytes v;

	if (kind == DKIM_KIND_DKIM && !dkim_tags_find(t, "v", &v))
		return bad(why, "v= is missing");
	if (kind == DKIM_KIND_DKIM && !bytes_eq(v, BYTES("1")))
		return bad(why, "unknown version");
	if (!dkim_tags_find(t, "a", &v))
		return bad(why, "a= is missing");
	if (parse_algorithm(v, out, why) == -1)
		return -1;
	if (!dkim_tags_find(t, "b", &v))
		return bad(why, "b= is missing");
	if (v.n == 0 || base64_value(a, v, &out->b) == -1)
		return bad(why, "bad base64 in b=");
	if (kind != DKIM_KIND_SEAL)
		return parse_hashed(a, t, kind, out, why);
	return dkim_tags_find(t, "h", &v) ? bad(why, "a seal has no h=") : 0;
}

static const struct dkim_signature signature_none = {
	.domain = { (const unsigned char *)"", 0 },
	.selector = { (const unsigned char *)"", 0 },
	.identity = { (const unsigned char *)"", 0 },
	.identity_domain = { (const unsigned char *)"", 0 },
	.b = { (const unsigned char *)"", 0 },
	.bh = { (const unsigned char *)"", 0 },
	.b_prefix = { (const unsigned char *)"", 0 },
	.timestamp = -1, .expiration = -1,
};

int
dkim_signature_read(struct arena *a, const struct dkim_tags *tags,
    enum dkim_kind kind, struct dkim_signature *out, const char **why)
{
	*out = signature_none;
	if (parse_signer(a, tags, out, why) == -1 ||
	    parse_required(a, tags, kind, out, why) == -1 ||
	    parse_optional(a, tags, kind, out, why) == -1)
		return -1;
	if (psl_domain_is_suffix(out->domain)) {
		*why = "d= is a public suffix";
		errno = EACCES;
		return -1;
	}
	return 0;
}

int
dkim_signature_parse(struct arena *a, struct bytes value,
    struct dkim_signature *out, const char **why)
{
	struct dkim_tags tags;

	*out = signature_none;
	if (value.n > DKIM_FIELD_MAX) {
		*why = "signature field is too long";
		errno = EMSGSIZE;
		return -1;
	}
	if (dkim_tags_parse(value, &tags, why) == -1)
		return -1;
	return dkim_signature_read(a, &tags, DKIM_KIND_DKIM, out, why);
}

/* ---- key records ---- */

static int
record_from_tags(struct arena *a, const struct dkim_tags *t,
    struct dkim_record *out, const char **why)
{
	struct bytes v;

	if (dkim_tags_find(t, "v", &v) && (!bytes_eq(v, BYTES("DKIM1")) ||
	    !bytes_eq(t->tag[0].name, BYTES("v"))))
		return bad(why, "key record of an unknown version");
	if (dkim_tags_find(t, "k", &v)) {
		out->is_ed25519 = is_word(v, "ed25519");
		if (!out->is_ed25519 && !is_word(v, "rsa"))
			return bad(why, "key record of an unknown key type");
	}
	if (dkim_tags_find(t, "h", &v))
		out->sha256 = list_has(v, "sha256", NULL);
	if (dkim_tags_find(t, "s", &v))
		out->email = list_has(v, "email", "*");
	if (dkim_tags_find(t, "t", &v)) {
		out->testing = list_has(v, "y", NULL);
		out->strict = list_has(v, "s", NULL);
	}
	if (!dkim_tags_find(t, "p", &v))
		return bad(why, "key record without p=");
	out->revoked = v.n == 0;
	if (base64_value(a, v, &out->key) == -1)
		return bad(why, "bad base64 in the key record");
	return 0;
}

int
dkim_record_parse(struct arena *a, struct bytes text,
    struct dkim_record *out, const char **why)
{
	struct dkim_record r = { .sha256 = true, .email = true,
	    .key = BYTES_EMPTY };
	struct dkim_tags tags;

	if (text.n > DKIM_RECORD_MAX) {
		*why = "key record is too long";
		errno = EMSGSIZE;
		return -1;
	}
	if (dkim_tags_parse(text, &tags, why) == -1) {
		*why = "key record is no tag list";
		return -1;
	}
	if (record_from_tags(a, &tags, &r, why) == -1)
		return -1;
	*out = r;
	return 0;
}

const char *
dkim_record_refusal(const struct dkim_record *r, enum dkim_algorithm algorithm)
{
	if (r->revoked)
		return "key is revoked";
	if (!r->email)
		return "key is not for email";
	if (!r->sha256)
		return "key is not for sha256";
	if (r->is_ed25519 != (algorithm == DKIM_ED25519_SHA256))
		return "key is of another type than the signature";
	return NULL;
}
