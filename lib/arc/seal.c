/*
 * seal.c - one more set for a message that is forwarded (RFC 8617 5.1)
 */
#include "arc/internal.h"

#include <errno.h>

const char *const ARC_SEAL_FIELDS[] = {
	"From", "To", "Cc", "Reply-To", "References", "In-Reply-To",
	"Subject", "Date", "Message-Id", "MIME-Version", "Content-Type",
	"DKIM-Signature",
};
const size_t ARC_SEAL_FIELDS_COUNT =
    sizeof ARC_SEAL_FIELDS / sizeof ARC_SEAL_FIELDS[0];

/* Three fields; the names of h= and b= are bounded by DKIM. */
#define SET_MAX (3 * ARC_FIELD_MAX)

/* One set in the making. */
struct job {
	struct arena *arena;
	const struct arc_sealer *s;
	struct arc_chain c;
	size_t instance;
	struct bytes domain, selector;
	struct bytes name[DKIM_NAMES_MAX];
	size_t names;
	struct bytes results, message, seal;	/* whole fields */
};

static int
bad(const char **why, int err, const char *text)
{
	*why = text;
	errno = err;
	return -1;
}

/* ---- what may be sealed ---- */

/* The text of a field: each line but the first begins with a blank. */
static bool
is_folded(struct bytes s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\n' ? !ascii_is_wsp(bytes_at(s, i + 1))
		    : ascii_is_ctl(s.p[i]) && s.p[i] != '\t')
			return false;
	}
	return s.n > 0;
}

static int
check_chain(struct job *j, const char **why)
{
	const struct arc_chain *c = &j->c;

	if (c->ended)
		return bad(why, EACCES, "chain was broken before");
	if (c->highest >= ARC_SETS_MAX)
		return bad(why, EMSGSIZE, "more than 50 ARC sets");
	if (j->s->chain == ARC_FAIL ? c->highest == 0 && c->why[0] == '\0'
	    : j->s->chain == ARC_PASS ? c->n == 0
	    : c->n > 0 || c->why[0] != '\0')
		return bad(why, EBADMSG,
		    "the message has another chain than was verified");
	j->instance = c->highest + 1;
	return 0;
}

static int
check_signer(struct job *j, const char **why)
{
	if (dkim_name_parse(j->arena, j->s->domain, &j->domain) == -1)
		return bad(why, EBADMSG, "bad domain to seal for");
	if (dkim_name_parse(j->arena, j->s->selector, &j->selector) == -1)
		return bad(why, EBADMSG, "bad selector");
	if (j->s->results.n > ARC_RESULTS_MAX)
		return bad(why, EMSGSIZE, "results are too long");
	if (!is_folded(j->s->results))
		return bad(why, EBADMSG, "results are no text of a field");
	return 0;
}

/* RFC 8617 4.1.2: not these; letters, digits and "-" of the others. */
static bool
may_sign(struct bytes name)
{
	size_t i;

	for (i = 0; i < name.n; i++) {
		if (!ascii_is_alnum(name.p[i]) && name.p[i] != '-' &&
		    name.p[i] != '_')
			return false;
	}
	return name.n > 0 && !bytes_casestarts(name, BYTES("ARC-")) &&
	    !bytes_caseeq(name, BYTES("Authentication-Results"));
}

/* Each name for each such field; From once more, so that none is added. */
static int
choose_names(struct job *j, const char **why)
{
	size_t i, count, n = j->s->fields != NULL ? j->s->field_count
	    : ARC_SEAL_FIELDS_COUNT;
	bool has_from = false, from;
	struct bytes name;

	for (i = 0; i < n; i++) {
		name = j->s->fields != NULL ? j->s->fields[i]
		    : bytes_str(ARC_SEAL_FIELDS[i]);
		if (!may_sign(name))
			return bad(why, EBADMSG, "bad field name to sign");
		from = bytes_caseeq(name, BYTES("From"));
		has_from = has_from || from;
		count = dkim_message_count(&j->c.m, name) + (from ? 1 : 0);
		if (count > DKIM_NAMES_MAX - j->names)
			return bad(why, EMSGSIZE, "too many fields to sign");
		while (count-- > 0)
			j->name[j->names++] = name;
	}
	return has_from ? 0 : bad(why, EBADMSG, "From must be signed");
}

/* ---- the fields ---- */

static const char *
algorithm(const struct job *j)
{
	return dkim_key_is_ed25519(j->s->key) ? "ed25519-sha256"
	    : "rsa-sha256";
}

static struct bytes
decimal(struct job *j, int64_t n)
{
	return bytes_str(arena_printf(j->arena, "%lld", (long long)n));
}

/* The tags both signatures have. */
static void
add_signer(struct dkim_folder *f, struct job *j)
{
	dkim_fold_tag(f, j->arena, "a", bytes_str(algorithm(j)));
	dkim_fold_tag(f, j->arena, "d", j->domain);
	dkim_fold_tag(f, j->arena, "s", j->selector);
	dkim_fold_tag(f, j->arena, "t", decimal(j, j->s->now));
}

/* The field so far, which ends in "b=", and its signature. */
static int
add_signature(struct dkim_folder *f, struct job *j,
    const unsigned char hash[DKIM_HASH_SIZE], struct bytes *field,
    const char **why)
{
	struct buf raw = BUF_INIT(DKIM_RSA_BITS_MAX / 8);
	struct buf text = BUF_INIT(DKIM_RSA_BITS_MAX / 4);
	int r = 0;

	if (dkim_key_sign(j->s->key, hash, &raw) == -1 ||
	    base64_encode(&text, buf_bytes(&raw)) == -1)
		r = bad(why, EIO, "libcrypto could not sign");
	else
		dkim_fold_base64(f, buf_bytes(&text));
	(void)buf_addc(f->out, '\n');	/* a full buffer stays marked */
	buf_free(&raw);
	buf_free(&text);
	if (r == 0 && f->out->full)
		r = bad(why, EMSGSIZE, "ARC field is too long");
	if (r == 0)
		*field = arena_bytes(j->arena, buf_bytes(f->out));
	return r;
}

static int
add_body_hash(struct dkim_folder *f, struct job *j)
{
	struct dkim_body_wishes w = { .n = 0 };
	struct buf text = BUF_INIT(DKIM_HASH_SIZE * 2);

	(void)dkim_body_wish(&w, DKIM_RELAXED, false, 0);	/* index 0 */
	if (dkim_body_hash(&w, j->c.m.body) == -1)
		return -1;
	/* Cannot overflow: 44 characters. */
	(void)base64_encode(&text, bytes_of(w.w[0].hash, DKIM_HASH_SIZE));
	dkim_fold_tag(f, j->arena, "bh", buf_bytes(&text));
	buf_free(&text);
	return 0;
}

static int
make_message(struct job *j, struct buf *b, const char **why)
{
	struct dkim_folder f = { b, 0 };
	unsigned char hash[DKIM_HASH_SIZE];
	size_t i;

	buf_reset(b);
	dkim_fold_add(&f, BYTES("ARC-Message-Signature:"), false);
	dkim_fold_tag(&f, j->arena, "i", decimal(j, (int64_t)j->instance));
	dkim_fold_tag(&f, j->arena, "c", BYTES("relaxed/relaxed"));
	add_signer(&f, j);
	for (i = 0; i < j->names; i++)
		dkim_fold_add(&f, bytes_str(arena_printf(j->arena,
		    "%s%.*s%s", i == 0 ? "h=" : "", BYTES_ARG(j->name[i]),
		    i + 1 < j->names ? ":" : ";")), i == 0);
	if (add_body_hash(&f, j) == -1)
		return bad(why, EIO, "libcrypto could not hash");
	dkim_fold_add(&f, BYTES("b="), true);
	if (b->full)
		return bad(why, EMSGSIZE, "ARC field is too long");
	if (dkim_header_hash(j->arena, &j->c.m, DKIM_RELAXED, j->name,
	    j->names, SIZE_MAX, buf_bytes(b), hash) == -1)
		return bad(why, EIO, "libcrypto could not hash");
	return add_signature(&f, j, hash, &j->message, why);
}

/* RFC 8617 5.1.2: a seal that says fail covers its own set only. */
static int
seal_hash(struct job *j, struct bytes seal,
    unsigned char hash[DKIM_HASH_SIZE])
{
	const struct arc_instance *set;
	struct arc_sealing s;
	size_t i;
	int r = 0;

	arc_sealing_init(&s);
	for (i = 0; i < j->c.n && j->s->chain == ARC_PASS && r == 0; i++) {
		set = &j->c.set[i];
		r = arc_sealing_next(&s, j->arena,
		    j->c.m.field[set->results].raw,
		    j->c.m.field[set->message].raw,
		    j->c.m.field[set->seal].raw, hash);
	}
	if (r == 0)
		r = arc_sealing_next(&s, j->arena, j->results, j->message,
		    seal, hash);
	arc_sealing_free(&s);
	return r;
}

static int
make_seal(struct job *j, struct buf *b, const char **why)
{
	struct dkim_folder f = { b, 0 };
	unsigned char hash[DKIM_HASH_SIZE];

	buf_reset(b);
	dkim_fold_add(&f, BYTES("ARC-Seal:"), false);
	dkim_fold_tag(&f, j->arena, "i", decimal(j, (int64_t)j->instance));
	dkim_fold_tag(&f, j->arena, "cv",
	    bytes_str(arc_result_text(j->s->chain)));
	add_signer(&f, j);
	dkim_fold_add(&f, BYTES("b="), true);
	if (b->full || seal_hash(j, buf_bytes(b), hash) == -1)
		return bad(why, EMSGSIZE, "ARC field is too long");
	return add_signature(&f, j, hash, &j->seal, why);
}

int
arc_seal(struct arena *a, struct bytes message,
    const struct arc_sealer *sealer, struct buf *out, const char **why)
{
	struct job *j = arena_zalloc(a, 1, sizeof *j);
	struct buf b = BUF_INIT(ARC_FIELD_MAX), set = BUF_INIT(SET_MAX);
	int r, err;

	j->arena = a;
	j->s = sealer;
	/* It would become part of the field put in front of it. */
	if (ascii_is_wsp(bytes_at(message, 0)))
		return bad(why, EBADMSG, "message begins with a blank");
	arc_chain_read(a, message, &j->c);
	if (check_chain(j, why) == -1 || check_signer(j, why) == -1 ||
	    choose_names(j, why) == -1)
		return -1;
	j->results = bytes_str(arena_printf(a,
	    "ARC-Authentication-Results: i=%zu; %.*s\n", j->instance,
	    BYTES_ARG(sealer->results)));
	r = make_message(j, &b, why);
	if (r == 0)
		r = make_seal(j, &b, why);
	if (r == 0 && (buf_add(&set, j->seal) == -1 ||
	    buf_add(&set, j->message) == -1 ||
	    buf_add(&set, j->results) == -1 ||
	    buf_add(out, buf_bytes(&set)) == -1))
		r = bad(why, EMSGSIZE, "fields are too long");
	err = errno;
	buf_free(&b);
	buf_free(&set);
	errno = err;
	return r;
}
