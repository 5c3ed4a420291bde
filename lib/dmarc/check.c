/*
 * check.c - alignment and the decision (RFC 7489 3.1, 6.6.2)
 */
#include "dmarc/dmarc.h"

#include "psl/psl.h"
#include "unicode/unicode.h"

static const char *const results[] = {
	[DMARC_NONE] = "none", [DMARC_PASS] = "pass", [DMARC_FAIL] = "fail",
	[DMARC_TEMPERROR] = "temperror", [DMARC_PERMERROR] = "permerror",
};
static const char *const alignments[] = {
	[DMARC_ALIGNED_NONE] = "none",
	[DMARC_ALIGNED_RELAXED] = "relaxed",
	[DMARC_ALIGNED_DMARC] = "dmarc",
	[DMARC_ALIGNED_STRICT] = "strict",
};

const char *
dmarc_result_name(enum dmarc_result r)
{
	return results[r];
}

const char *
dmarc_alignment_name(enum dmarc_alignment c)
{
	return alignments[c];
}

unsigned int
dmarc_draw(struct bytes id)
{
	unsigned char hash[32];

	sha256_of(id, hash);
	/* 2^32 is so much larger than 100 that no number is favoured */
	return be32_get(hash) % 100;
}

/* ---- alignment ---- */

struct judged {
	struct arena *arena;
	const struct dmarc_input *in;
	struct bytes org;	/* of From */
};

/* NONE, RELAXED or STRICT: how near the domain is to that of From. */
static enum dmarc_alignment
nearness(const struct judged *j, struct bytes domain)
{
	struct bytes ascii;

	if (idna_to_ascii(j->arena, domain, &ascii, NULL) == -1 ||
	    !dns_name_valid(ascii))
		return DMARC_ALIGNED_NONE;
	if (dns_name_eq(ascii, j->in->from))
		return DMARC_ALIGNED_STRICT;
	if (dns_name_eq(psl_organisational_domain(j->arena, ascii), j->org))
		return DMARC_ALIGNED_RELAXED;
	return DMARC_ALIGNED_NONE;
}

static void
raise_alignment(struct dmarc *out, enum dmarc_alignment near)
{
	if (near > out->alignment)
		out->alignment = near;
}

/*
 * What one identifier contributes. *aligned: it passes and is as near as the
 * record wants; *unsure: it would be near enough, and may pass later.
 */
static void
weigh(const struct judged *j, const struct dmarc_auth *auth, bool strict,
    struct dmarc *out, bool *aligned, bool *unsure)
{
	enum dmarc_alignment near;
	bool enough;

	if (auth->word == DMARC_WORD_OTHER || auth->domain.n == 0)
		return;
	near = nearness(j, auth->domain);
	enough = near >= (strict ? DMARC_ALIGNED_STRICT
	    : DMARC_ALIGNED_RELAXED);
	if (auth->word == DMARC_WORD_TEMPERROR) {
		*unsure = *unsure || enough;
		return;
	}
	raise_alignment(out, near);
	*aligned = *aligned || enough;
}

void
dmarc_set_vouched(struct dmarc *r, unsigned int arc_instance)
{
	r->arc_instance = arc_instance;
	r->disposition = DMARC_POLICY_NONE;
}

/* ---- the decision ---- */

/* What the owner of the domain asks for, this time. */
static void
dispose(const struct dmarc_input *in, struct dmarc *out)
{
	if (out->result != DMARC_FAIL ||
	    out->policy == DMARC_POLICY_NONE)
		return;
	if (in->draw >= out->found.record.pct)
		out->sampled_out = true;
	else
		out->disposition = out->policy;
}

static void
decide(const struct dmarc_input *in, bool unsure, struct dmarc *out)
{
	bool passes = out->spf_aligned || out->dkim_aligned;

	switch (out->found.status) {
	case DMARC_ABSENT:
		out->result = DMARC_NONE;
		out->reason = out->found.why;
		return;
	case DMARC_UNKNOWN:
		out->result = DMARC_TEMPERROR;
		out->reason = out->found.why;
		return;
	case DMARC_MALFORMED:
		out->result = DMARC_PERMERROR;
		out->reason = out->found.why;
		return;
	case DMARC_FOUND:
		break;
	}
	out->policy = out->found.from_above ? out->found.record.sp
	    : out->found.record.p;
	if (passes) {
		out->result = DMARC_PASS;
		if (out->alignment == DMARC_ALIGNED_RELAXED)
			out->alignment = DMARC_ALIGNED_DMARC;
	} else if (unsure) {
		out->result = DMARC_TEMPERROR;
		out->reason = "SPF or DKIM could not be judged now";
	} else {
		out->result = DMARC_FAIL;
		dispose(in, out);
	}
}

void
dmarc_check(struct arena *a, const struct dmarc_input *in,
    struct dmarc_finder *f, struct dmarc *out)
{
	struct judged j = { a, in, BYTES_EMPTY };
	const struct dmarc_record *r = &out->found.record;
	bool unsure = false;

	*out = (struct dmarc){ .reason = "", .from = in->from };
	out->found = (struct dmarc_found){ .status = DMARC_ABSENT, .why = "",
	    .domain = BYTES_EMPTY, .text = BYTES_EMPTY };
	if (f == NULL || in->from.n == 0) {
		out->result = DMARC_NONE;
		out->reason = in->from_why;
		out->from = BYTES_EMPTY;
		return;
	}
	dmarc_find_finish(f, &out->found);
	j.org = psl_organisational_domain(a, in->from);
	weigh(&j, &in->spf, r->strict_spf, out, &out->spf_aligned, &unsure);
	for (size_t i = 0; i < in->ndkim; i++)
		weigh(&j, &in->dkim[i], r->strict_dkim, out,
		    &out->dkim_aligned, &unsure);
	decide(in, unsure, out);
}
