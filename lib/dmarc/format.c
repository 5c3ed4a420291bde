/*
 * format.c - results as text, and read back from it
 */
#include "dmarc/dmarc.h"

#include <limits.h>

#include "trace/trace.h"

/* " (p=reject sp=none pct=20 override sampled_out with dnssec)" */
static void
put_comment(struct buf *out, const struct dmarc *r)
{
	const struct dmarc_record *d = &r->found.record;
	bool found = r->found.status == DMARC_FOUND;
	size_t start;

	if (!found && !r->found.authentic)
		return;
	(void)buf_adds(out, " (");
	start = out->n;
	if (found) {
		(void)buf_printf(out, "p=%s", dmarc_policy_name(d->p));
		if (d->has_sp)
			(void)buf_printf(out, " sp=%s",
			    dmarc_policy_name(d->sp));
		if (d->pct != 100)
			(void)buf_printf(out, " pct=%u", d->pct);
	}
	if (r->sampled_out)
		(void)buf_adds(out, " override sampled_out");
	if (r->arc_instance != 0)
		(void)buf_adds(out, " override local_policy");
	if (r->found.authentic)
		(void)buf_printf(out, "%swith dnssec",
		    out->n > start ? " " : "");
	(void)buf_addc(out, ')');
}

/* A full buffer stays marked and is looked at once, at the end. */
int
dmarc_format_resinfo(struct buf *out, const struct dmarc *r)
{
	(void)buf_printf(out, "dmarc=%s", dmarc_result_name(r->result));
	put_comment(out, r);
	if (r->reason[0] != '\0')
		(void)buf_printf(out, " reason=\"%s\"", r->reason);
	if (r->from.n > 0)	/* A-labels: a token */
		(void)buf_printf(out, " header.from=%.*s",
		    BYTES_ARG(r->from));
	(void)buf_printf(out, " policy.dmarc=%s policy.alignment=%s",
	    dmarc_policy_name(r->disposition),
	    dmarc_alignment_name(r->alignment));
	if (r->arc_instance != 0)
		(void)buf_printf(out, " policy.arc=%u", r->arc_instance);
	return out->full ? -1 : 0;
}

int
dmarc_format_line(struct buf *out, const struct dmarc *r)
{
	(void)buf_adds(out, dmarc_result_name(r->result));
	(void)msg_column(out, r->from);
	(void)msg_column(out, bytes_str(dmarc_policy_name(r->disposition)));
	(void)msg_column(out, bytes_str(dmarc_alignment_name(r->alignment)));
	(void)msg_column(out, r->found.domain);
	(void)msg_column(out, r->found.text);
	(void)msg_column(out, r->sampled_out ? BYTES("left out by pct=")
	    : r->arc_instance != 0 ? BYTES("a trusted ARC set says pass")
	    : bytes_str(r->reason));
	return out->full ? -1 : 0;
}

/* ---- reading ---- */

static struct dmarc_auth
auth_of(struct bytes word, struct bytes domain)
{
	struct dmarc_auth auth = { DMARC_WORD_OTHER, domain };

	if (bytes_caseeq(word, BYTES("pass")))
		auth.word = DMARC_WORD_PASS;
	else if (bytes_caseeq(word, BYTES("temperror")))
		auth.word = DMARC_WORD_TEMPERROR;
	return auth;
}

/* The domain of smtp.mailfrom=, or smtp.helo= for a null reverse-path. */
static struct bytes
spf_domain(const struct trace_resinfo *r)
{
	struct bytes value = BYTES_EMPTY;
	size_t at;

	if (!trace_resinfo_get(r, "smtp", "mailfrom", &value))
		(void)trace_resinfo_get(r, "smtp", "helo", &value);
	return bytes_rchr(value, '@', &at) ? bytes_from(value, at + 1) : value;
}

void
dmarc_read_auth(struct arena *a, const struct bytes *resinfo, size_t n,
    struct dmarc_input *in)
{
	struct dmarc_auth *dkim = arena_zalloc(a, n, sizeof(*dkim));
	struct trace_resinfo r;
	struct bytes d;

	in->dkim = dkim;
	in->ndkim = 0;
	in->spf = (struct dmarc_auth){ DMARC_WORD_OTHER, BYTES_EMPTY };
	for (size_t i = 0; i < n; i++) {
		if (trace_resinfo_parse(a, resinfo[i], &r) == -1)
			continue;
		if (bytes_caseeq(r.method, BYTES("spf")))
			in->spf = auth_of(r.result, spf_domain(&r));
		else if (bytes_caseeq(r.method, BYTES("dkim")) &&
		    trace_resinfo_get(&r, "header", "d", &d))
			dkim[in->ndkim++] = auth_of(r.result, d);
	}
}

/* The index of a word in a table of the enum's names, else 0: "none". */
static unsigned int
word_index(struct bytes word, const char *(*name)(unsigned int),
    unsigned int last)
{
	for (unsigned int i = 0; i <= last; i++) {
		if (bytes_caseeq(word, bytes_str(name(i))))
			return i;
	}
	return 0;
}

static const char *
result_at(unsigned int i)
{
	return dmarc_result_name((enum dmarc_result)i);
}

static const char *
policy_at(unsigned int i)
{
	return dmarc_policy_name((enum dmarc_policy)i);
}

static const char *
alignment_at(unsigned int i)
{
	return dmarc_alignment_name((enum dmarc_alignment)i);
}

bool
dmarc_read_facts(struct arena *a, const struct bytes *resinfo, size_t n,
    struct dmarc_facts *out)
{
	struct trace_resinfo r;
	struct bytes value;
	uint64_t instance;

	for (size_t i = 0; i < n; i++) {
		if (trace_resinfo_parse(a, resinfo[i], &r) == -1 ||
		    !bytes_caseeq(r.method, BYTES("dmarc")))
			continue;
		*out = (struct dmarc_facts){ .from = BYTES_EMPTY };
		out->result = (enum dmarc_result)word_index(r.result,
		    result_at, DMARC_PERMERROR);
		if (trace_resinfo_get(&r, "policy", "dmarc", &value))
			out->disposition = (enum dmarc_policy)word_index(
			    value, policy_at, DMARC_POLICY_REJECT);
		if (trace_resinfo_get(&r, "policy", "alignment", &value))
			out->alignment = (enum dmarc_alignment)word_index(
			    value, alignment_at, DMARC_ALIGNED_STRICT);
		if (trace_resinfo_get(&r, "policy", "arc", &value) &&
		    num_parse(value, 1, UINT_MAX, &instance) == 0)
			out->arc_instance = (unsigned int)instance;
		(void)trace_resinfo_get(&r, "header", "from", &out->from);
		return true;
	}
	return false;
}
