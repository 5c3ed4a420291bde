/*
 * match.c - the first rule whose conditions all hold (BEHAVIOUR 1.1)
 *
 * Whoever writes a message may make an expression cost more than there is. A
 * rule that cannot be decided so is passed over: mail goes where it would go
 * without. But nobody is to get past a rule that refuses: such rules have a
 * budget of their own, which no other rule uses up, and where one cannot be
 * decided the message is refused for now. So it is where a rule refuses
 * that stands behind one that cannot be decided: that one may have matched.
 */
#include "rules/internal.h"

#include <errno.h>

#include "mime/mime.h"
#include "regex/regex.h"
#include "unicode/unicode.h"

/* A field as expressions see it. */
struct field {
	struct bytes name, value;
};

struct matcher {
	struct arena *a;
	const struct rules_facts *f;
	struct regex_room *room;	/* made when first asked for */
	struct field *field;		/* made when first asked for */
	size_t nfields, size;
	bool has_fields;
	uint64_t steps[2];	/* of rules that deliver, that refuse */
	bool refuses;		/* the rule that is looked at */
	bool undecided;		/* its steps are used up */
	bool over_budget;	/* of any rule */
};

bool
rules_domain_is_within(struct bytes domain, struct bytes above)
{
	struct bytes rest;

	if (above.n == 0 || !bytes_ends(domain, above))
		return false;
	rest = bytes_first(domain, domain.n - above.n);
	return rest.n == 0 || bytes_ends(rest, BYTES("."));
}

/* ---- expressions ---- */

/* One that does not compile (the configuration's compiler was another one),
 * or for which no steps are left, does not match. */
static bool
matches(struct matcher *m, const struct regex *r, struct bytes text)
{
	uint64_t *steps = &m->steps[m->refuses];
	int found = 0;

	if (r != NULL && !m->undecided) {
		if (m->room == NULL)
			m->room = regex_room_new(m->a);
		found = regex_match_in(m->room, r, text, steps);
	}
	if (found == -1) {
		*steps = 0;
		m->undecided = m->over_budget = true;
	}
	return found == 1;
}

/* kept: where it is in code, which may be NULL. */
static struct regex *
compile(struct matcher *m, struct bytes pattern, struct rules_code *code,
    struct regex **kept)
{
	const char *why;

	if (m->steps[m->refuses] == 0)
		m->undecided = m->over_budget = true;
	if (m->undecided)
		return NULL;
	if (code == NULL || (*kept == NULL &&
	    code->arena->used_bytes >= RULES_KEEP_MAX))
		return regex_compile(m->a, pattern, &why);
	if (*kept == NULL)
		*kept = regex_compile(code->arena, pattern, &why);
	return *kept;
}

/* ---- header fields ---- */

static struct bytes
lower(struct arena *a, struct bytes s)
{
	struct bytes out;

	return !bytes_is_ascii(s) && unicode_lower(a, s, &out) == 0 ? out
	    : arena_lower(a, s);
}

/* Most messages have some thirty. */
static struct field *
next_field(struct matcher *m)
{
	struct field *old = m->field;

	if (m->nfields == m->size) {
		m->size = m->size == 0 ? 64 : m->size * 2;
		m->field = arena_zalloc(m->a, m->size, sizeof(*m->field));
		if (old != NULL)
			memcpy(m->field, old, m->nfields * sizeof(*old));
	}
	return &m->field[m->nfields++];
}

static void
read_fields(struct matcher *m)
{
	struct mime_field f;
	struct bytes header;

	m->has_fields = true;
	for (size_t i = 0; i < m->f->nheaders; i++) {
		header = m->f->header[i];
		while (m->nfields < RULES_FIELDS_MAX &&
		    mime_next_field(&header, &f))
			*next_field(m) = (struct field){
			    lower(m->a, f.name), lower(m->a, bytes_trim(
			    bytes_first(mime_unfold(m->a, f.body),
			    RULES_VALUE_MAX))) };
	}
}

static bool
header_matches(struct matcher *m, const struct rules_header *h,
    struct rules_code *code, struct rules_header_code *kept)
{
	struct regex *name = compile(m, h->name, code, &kept->name);
	struct regex *value = NULL;

	if (!m->has_fields)
		read_fields(m);
	for (size_t i = 0; i < m->nfields && !m->undecided; i++) {
		if (!matches(m, name, m->field[i].name))
			continue;
		if (value == NULL)
			value = compile(m, h->value, code, &kept->value);
		if (matches(m, value, m->field[i].value))
			return true;
	}
	return false;
}

/* ---- conditions ---- */

static bool
domain_matches(const struct rules_facts *f, struct bytes domain)
{
	if (rules_domain_is_within(f->helo_domain, domain) ||
	    rules_domain_is_within(f->mail_from_domain, domain))
		return true;
	for (size_t i = 0; i < f->ndkim_domains; i++) {
		if (rules_domain_is_within(f->dkim_domain[i], domain))
			return true;
	}
	return false;
}

static bool
mail_from_matches(struct matcher *m, const struct rule *r)
{
	struct rules_code *c = r->code;

	return matches(m, compile(m, r->mail_from, c, c == NULL ? NULL
	    : &c->mail_from), m->f->mail_from);
}

static bool
msg_from_matches(struct matcher *m, const struct rule *r)
{
	struct rules_code *c = r->code;

	return matches(m, compile(m, r->msg_from, c, c == NULL ? NULL
	    : &c->msg_from), m->f->from);
}

/* The key of a condition that does not hold; NULL: all do. Cheap ones
 * first. */
static const char *
failed_condition(struct matcher *m, const struct rule *r)
{
	struct rules_header_code none = { 0 };

	if (r->verified_domain.n > 0 &&
	    !domain_matches(m->f, r->verified_domain))
		return "verified-domain";
	if (r->msg_from.n > 0 && !m->f->has_from)
		return "msg-from";
	if (r->mail_from.n > 0 && !mail_from_matches(m, r))
		return "mail-from";
	if (r->msg_from.n > 0 && !msg_from_matches(m, r))
		return "msg-from";
	for (size_t i = 0; i < r->nheaders; i++) {
		if (!header_matches(m, &r->header[i], r->code,
		    r->code == NULL ? &none : &r->code->header[i]))
			return "header";
	}
	return NULL;
}

/* ---- the result ---- */

/* D-6: exactly this domain vouches. */
static bool
is_list(const struct rules_facts *f, struct bytes domain)
{
	if (domain.n == 0)
		return false;
	if (bytes_eq(f->mail_from_domain, domain))
		return true;
	for (size_t i = 0; i < f->ndkim_domains; i++) {
		if (bytes_eq(f->dkim_domain[i], domain))
			return true;
	}
	return false;
}

static void
take(const struct rule *r, const struct rules_facts *f,
    struct rules_result *out)
{
	out->rule = r->name;
	out->comment = r->comment;
	if (r->mailbox.n > 0)
		out->mailbox = r->mailbox;
	out->is_forward = r->forward;
	out->verified_domain = r->verified_domain;
	out->list_allow_domain = r->list_allow_domain;
	out->list_allowed = is_list(f, r->list_allow_domain);
	out->accept_rejects_to = r->accept_rejects_to;
	out->command = r->command;
	out->ncommands = r->ncommands;
	if (r->reply.n > 0)
		(void)config_split_reply(r->reply, &out->reply_code,
		    &out->reply_status, &out->reply_text);
}

/* Nobody knows whether it is refused: not now. */
static void
refuse_for_now(const struct rule *r, struct rules_result *out)
{
	out->rule = r->name;
	out->comment = BYTES_EMPTY;
	out->reply_code = 451;
	out->reply_status = BYTES("4.3.0");
	out->reply_text = BYTES("error processing");
}

/* 1 it decides, 0. */
static bool
decides(struct matcher *m, const struct rule *r, bool before_undecided,
    struct rules_result *out)
{
	const char *failed;

	m->refuses = r->reply.n > 0;
	m->undecided = false;
	failed = failed_condition(m, r);
	out->steps[out->nsteps++] = (struct rules_step){ r->name, failed,
	    m->undecided };
	if (m->refuses && (m->undecided ||
	    (failed == NULL && before_undecided)))
		refuse_for_now(r, out);
	else if (failed == NULL)
		take(r, m->f, out);
	return out->rule.n > 0;
}

void
rules_match(struct arena *a, const struct rule *rules, size_t n,
    struct bytes mailbox, const struct rules_facts *f,
    struct rules_result *out)
{
	struct matcher m = { .a = a, .f = f,
	    .steps = { RULES_STEPS_MAX / 2, RULES_STEPS_MAX / 2 } };
	bool undecided = false, done = false;

	*out = (struct rules_result){ .rule = BYTES_EMPTY,
	    .comment = BYTES_EMPTY, .mailbox = mailbox,
	    .verified_domain = BYTES_EMPTY, .list_allow_domain = BYTES_EMPTY,
	    .accept_rejects_to = BYTES_EMPTY, .reply_status = BYTES_EMPTY,
	    .reply_text = BYTES_EMPTY, .message_auth_required = BYTES_EMPTY };
	out->steps = arena_zalloc(a, n, sizeof(*out->steps));
	for (size_t i = 0; i < n && !done; i++) {
		done = decides(&m, &rules[i], undecided, out);
		undecided = undecided || m.undecided;
	}
	out->over_budget = m.over_budget;
}
