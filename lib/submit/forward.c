/*
 * forward.c - messages of others, to members of an alias elsewhere (B-4)
 *
 * They go on as they came: what is added at the front does not break a
 * signature. Who gets them has nothing else to judge them by, for the sender
 * of the envelope is ours.
 */
#include "submit/internal.h"

#include <errno.h>

#include "arc/arc.h"
#include "recipient/recipient.h"
#include "trace/trace.h"

static bool
is_result(struct bytes resinfo, const char *text)
{
	struct bytes word;

	return bytes_word(&resinfo, &word) &&
	    bytes_caseeq(word, bytes_str(text));
}

static bool
has_result(const struct trace_block *b, const char *text)
{
	for (size_t i = 0; i < b->nresinfo; i++) {
		if (is_result(b->resinfo[i], text))
			return true;
	}
	return false;
}

/* What arc_verify said; false: it was not asked. */
static bool
find_chain(const struct trace_block *b, enum arc_result *out)
{
	if (has_result(b, "arc=none"))
		*out = ARC_NONE;
	else if (has_result(b, "arc=pass"))
		*out = ARC_PASS;
	else if (has_result(b, "arc=fail"))
		*out = ARC_FAIL;
	else
		return false;
	return true;
}

/* The body of our Authentication-Results. */
static bool
make_results(struct arena *a, struct bytes hostname,
    const struct trace_block *b, struct bytes *out)
{
	struct buf text = BUF_INIT(TRACE_RESULTS_MAX);
	struct bytes name;
	int r = trace_results(&text, hostname, b->resinfo, b->nresinfo);

	*out = arena_bytes(a, buf_bytes(&text));
	buf_free(&text);
	if (r == -1)
		return false;
	(void)bytes_split(out, ':', &name);	/* it is a field */
	*out = bytes_trim(*out);
	return true;
}

/* The alias that is the login of the request, and its domain. */
static bool
find_alias(struct submit *s, struct recipient_alias *out,
    struct bytes *domain)
{
	struct recipient found;
	struct path path;
	const char *why;

	if (addr_parse_mailbox(s->a, s->request->login, ADDR_SMTPUTF8, &path,
	    &why) == -1 || recipient_find(s->config, s->a, &path,
	    &found) != 1 || found.alias.n == 0)
		return false;
	recipient_alias_read(s->config, s->a, found.alias, out);
	*domain = found.domain;
	return true;
}

/* Of ours: one whose copy could not be stored when the message came. */
static bool
is_here(const struct recipient_alias *alias, struct bytes address)
{
	for (size_t i = 0; i < alias->nmembers; i++) {
		if (bytes_eq(alias->member[i].address, address))
			return true;
	}
	return false;
}

static bool
is_elsewhere(const struct recipient_alias *alias, struct bytes address)
{
	for (size_t i = 0; i < alias->nexternals; i++) {
		if (bytes_eq(alias->external[i], address))
			return true;
	}
	return false;
}

/* Whoever asks has no say in who gets it, and from whom. *leaves: it is for
 * members elsewhere. */
static bool
is_of_alias(const struct add_request *q, const struct recipient_alias *alias,
    bool *leaves)
{
	*leaves = false;
	if (q->sender.n > 0 && !bytes_eq(q->sender, alias->bounces_to))
		return false;
	for (size_t i = 0; i < q->count; i++) {
		if (is_elsewhere(alias, q->rcpts[i].address))
			*leaves = true;
		else if (!is_here(alias, q->rcpts[i].address))
			return false;
	}
	return true;
}

static bool
seal(struct submit *s, const struct trace_block *b, struct bytes hostname,
    struct bytes domain, struct buf *out)
{
	struct arc_sealer sealer = { .now = s->now };
	const char *why;

	return s->keys != NULL && find_chain(b, &sealer.chain) &&
	    sealer.chain != ARC_FAIL &&
	    make_results(s->a, hostname, b, &sealer.results) &&
	    submit_seal(s->keys, s->a, domain, BYTES_EMPTY, s->body, &sealer,
	    out, &why) == 0;
}

int
submit_vouch(struct submit *s, struct buf *out, struct submit_reply *reply)
{
	struct trace_block block = { .received = BYTES_EMPTY };
	struct bytes hostname = config_get_text(s->config, "server", NULL,
	    "hostname"), rest, domain;
	struct recipient_alias alias;
	bool leaves;

	if (!find_alias(s, &alias, &domain) ||
	    !is_of_alias(s->request, &alias, &leaves))
		return submit_fail(reply, 550, "5.7.1",
		    "these are no members of this alias");
	if (!leaves)
		return 0;
	if (trace_block_parse(s->a, s->body, hostname, BYTES_EMPTY, &block,
	    &rest) != 1 || (!seal(s, &block, hostname, domain,
	    out) &&
	    !has_result(&block, "dkim=pass")))
		return submit_fail(reply, 550, "5.7.20",
		    "nothing would vouch for it elsewhere: no signature of "
		    "it is valid, and it cannot be sealed");
	return 0;
}
