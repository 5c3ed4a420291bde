/*
 * chain.c - the fields of a chain: found, read, and put in order
 *
 * Fields are taken in any order; what counts is their i=. More than three for
 * each allowed instance cannot be a chain, so reading ends there.
 */
#include "arc/internal.h"

#include <errno.h>

static const char *const words[] = {
	[ARC_NONE] = "none", [ARC_PASS] = "pass", [ARC_FAIL] = "fail",
};

const char *
arc_result_text(enum arc_result r)
{
	return words[r];
}

static const struct arc_signature signature_none = {
	.sig = {
		.domain = { (const unsigned char *)"", 0 },
		.selector = { (const unsigned char *)"", 0 },
		.timestamp = -1, .expiration = -1,
	},
};

/* ---- i= ---- */

/* RFC 8617 4.2.1: 1 to 50. */
static int
parse_instance(struct bytes s, size_t *out)
{
	uint64_t n;

	if (num_parse(s, 1, ARC_SETS_MAX, &n) == -1)
		return -1;
	*out = (size_t)n;
	return 0;
}

/* Blanks, folds and comments (RFC 5322 3.2.2) off the front. */
static void
skip_cfws(struct bytes *s)
{
	size_t depth = 0, i;

	for (i = 0; i < s->n; i++) {
		if (s->p[i] == '(')
			depth++;
		else if (s->p[i] == ')' && depth > 0)
			depth--;
		else if (s->p[i] == '\\' && depth > 0)
			i++;
		else if (depth == 0 && !ascii_is_space(s->p[i]))
			break;
	}
	*s = bytes_from(*s, i);
}

/* arc-info = instance [CFWS] ";" authres-payload (RFC 8617 4.1.1). */
static int
parse_results(struct bytes value, size_t *instance, struct bytes *payload)
{
	uint64_t n;

	skip_cfws(&value);
	if (!bytes_skip(&value, BYTES("i")))
		return -1;
	skip_cfws(&value);
	if (!bytes_skip(&value, BYTES("=")))
		return -1;
	skip_cfws(&value);
	if (num_cut(&value, ARC_SETS_MAX, &n) == -1 || n < 1)
		return -1;
	skip_cfws(&value);
	if (!bytes_skip(&value, BYTES(";")))
		return -1;
	*instance = (size_t)n;
	*payload = bytes_trim(value);
	return 0;
}

/* ---- fields ---- */

enum kind { RESULTS, MESSAGE, SEAL };
static const char *const names[] = {
	[RESULTS] = "ARC-Authentication-Results",
	[MESSAGE] = "ARC-Message-Signature",
	[SEAL] = "ARC-Seal",
};
static const char *const twice[] = {
	[RESULTS] = "two ARC-Authentication-Results of one instance",
	[MESSAGE] = "two ARC-Message-Signatures of one instance",
	[SEAL] = "two ARC-Seals of one instance",
};
static const char *const malformed[] = {
	[RESULTS] = "ARC-Authentication-Results without i=",
	[MESSAGE] = "ARC-Message-Signature is no tag list with i=",
	[SEAL] = "ARC-Seal is no tag list with i=",
};

static bool
field_kind(const struct dkim_field *f, enum kind *out)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (bytes_caseeq(f->name, bytes_str(names[i]))) {
			*out = (enum kind)i;
			return true;
		}
	}
	return false;
}

static int
bad(struct arc_chain *c, size_t instance, const char *why)
{
	if (c->why[0] == '\0') {
		c->why = why;
		c->instance = (unsigned int)instance;
	}
	return -1;
}

/* A message signature may be wrong without breaking the chain. */
static void
read_message(struct arena *a, const struct dkim_tags *tags,
    struct arc_signature *s)
{
	size_t i;

	s->why = NULL;
	if (dkim_signature_read(a, tags, DKIM_KIND_MESSAGE, &s->sig,
	    &s->why) == -1)
		return;
	if (s->sig.has_length)
		s->why = "l= is not accepted";
	for (i = 0; i < s->sig.name_count; i++) {
		if (bytes_caseeq(s->sig.names[i], BYTES("ARC-Seal")))
			s->why = "h= names ARC-Seal";	/* 4.1.2 */
	}
}

static void
read_seal(struct arena *a, const struct dkim_tags *tags,
    struct arc_instance *set)
{
	struct arc_signature *s = &set->as;
	struct bytes cv;
	size_t i;

	s->why = NULL;
	if (dkim_signature_read(a, tags, DKIM_KIND_SEAL, &s->sig,
	    &s->why) == -1)
		return;
	s->why = "cv= is missing";
	if (!dkim_tags_find(tags, "cv", &cv))
		return;
	s->why = "bad cv=";
	for (i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (bytes_caseeq(cv, bytes_str(words[i]))) {
			set->cv = (enum arc_result)i;
			s->why = NULL;
		}
	}
}

/* The set with that number, made with those below it if need be. */
static struct arc_instance *
instance_of(struct arc_chain *c, size_t number)
{
	for (; c->n < number; c->n++)
		c->set[c->n] = (struct arc_instance){ .results = SIZE_MAX,
		    .message = SIZE_MAX, .seal = SIZE_MAX,
		    .payload = BYTES_EMPTY, .cv = ARC_NONE,
		    .ams = signature_none, .as = signature_none };
	return &c->set[number - 1];
}

static size_t *
place_of(struct arc_instance *set, enum kind kind)
{
	return kind == RESULTS ? &set->results : kind == MESSAGE
	    ? &set->message : &set->seal;
}

static int
read_field(struct arena *a, struct arc_chain *c, size_t at, enum kind kind)
{
	struct bytes value = c->m.field[at].raw, name, s, payload = BYTES_EMPTY;
	struct arc_instance *set;
	struct dkim_tags tags;
	const char *why;
	size_t number, *place;

	(void)bytes_split(&value, ':', &name);	/* it is a field */
	if (value.n > ARC_FIELD_MAX)
		return bad(c, 0, "ARC field is too long");
	if (kind == RESULTS ? parse_results(value, &number, &payload) == -1
	    : dkim_tags_parse(value, &tags, &why) == -1 ||
	    !dkim_tags_find(&tags, "i", &s) ||
	    parse_instance(s, &number) == -1)
		return bad(c, 0, malformed[kind]);
	set = instance_of(c, number);
	place = place_of(set, kind);
	if (*place != SIZE_MAX)
		return bad(c, number, twice[kind]);
	*place = at;
	if (kind == RESULTS)
		set->payload = payload;
	else if (kind == MESSAGE)
		read_message(a, &tags, &set->ams);
	else
		read_seal(a, &tags, set);
	return 0;
}

/* ---- the chain ---- */

/* All of them, also after a bad one: who seals needs the highest instance. */
static void
read_fields(struct arena *a, struct arc_chain *c)
{
	enum kind kind = RESULTS;
	size_t i, fields = 0;

	for (i = 0; i < c->m.n; i++) {
		if (!field_kind(&c->m.field[i], &kind))
			continue;
		if (++fields > 3 * ARC_SETS_MAX) {
			(void)bad(c, 0, "more than 50 ARC sets");
			return;
		}
		/* what is wrong is noted in the chain */
		(void)read_field(a, c, i, kind);
	}
}

/* RFC 8617 5.2, steps 2 and 3; c->n is at least 1. */
static void
check_structure(struct arc_chain *c)
{
	const struct arc_instance *set;
	size_t i;

	for (i = 0; i < c->n; i++) {
		set = &c->set[i];
		if (set->results == SIZE_MAX || set->message == SIZE_MAX ||
		    set->seal == SIZE_MAX) {
			(void)bad(c, i + 1, "ARC set is not complete");
			return;
		}
	}
	for (i = c->n; i-- > 0;) {
		set = &c->set[i];
		if (set->as.why != NULL) {
			(void)bad(c, i + 1, set->as.why);
			return;
		}
		if (set->cv == ARC_FAIL) {
			(void)bad(c, i + 1, "chain was broken before");
			return;
		}
		if (set->cv != (i == 0 ? ARC_NONE : ARC_PASS)) {
			(void)bad(c, i + 1, "cv= does not fit the instance");
			return;
		}
	}
}

void
arc_chain_read(struct arena *a, struct bytes message, struct arc_chain *out)
{
	out->n = 0;
	out->why = "";
	out->instance = 0;
	dkim_message_split(a, message, &out->m);
	read_fields(a, out);
	if (out->why[0] == '\0' && out->n > 0)
		check_structure(out);
	out->highest = out->n;
	out->ended = out->n > 0 && out->set[out->n - 1].cv == ARC_FAIL;
	if (out->why[0] != '\0')
		out->n = 0;
}

static bool
signs_from(const struct arc_chain *c, const struct dkim_signature *sig)
{
	size_t i, named = 0;

	for (i = 0; i < sig->name_count; i++)
		named += bytes_caseeq(sig->names[i], BYTES("From"));
	return named > 0 && named >= dkim_message_count(&c->m, BYTES("From"));
}

void
arc_chain_sets(const struct arc_chain *c, struct arc_verdict *out)
{
	size_t i;

	*out = (struct arc_verdict){ .reason = c->why,
	    .instance = c->instance };
	out->result = c->why[0] != '\0' ? ARC_FAIL : c->n > 0 ? ARC_PASS
	    : ARC_NONE;
	for (i = 0; i < c->n; i++)
		out->set[out->n++] = (struct arc_set){
			.results = c->set[i].payload,
			.cv = c->set[i].cv,
			.domain = c->set[i].as.sig.domain,
			.selector = c->set[i].as.sig.selector,
			.message_domain = c->set[i].ams.sig.domain,
			.signs_from = signs_from(c, &c->set[i].ams.sig),
			.timestamp = c->set[i].as.sig.timestamp,
		};
}

void
arc_read(struct arena *a, struct bytes message, struct arc_verdict *out)
{
	struct arc_chain *c = arena_zalloc(a, 1, sizeof *c);

	arc_chain_read(a, message, c);
	arc_chain_sets(c, out);
}
