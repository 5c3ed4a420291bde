/*
 * The facts of any message below any trusted block: a decision comes of them,
 * its field is one field, its line one line. A subject of any bytes holds no
 * word for an author whose key it was not made with.
 */
#include <stdlib.h>

#include "judge/judge.h"
#include "trace/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const unsigned char key[JUDGE_KEY_BYTES] = "a key";

static void
check(bool good)
{
	if (!good)
		abort();
}

static int
ask_rates(void *ctx, struct bytes *text)
{
	(void)ctx;
	(void)text;
	return 0;
}

/* What strangers wrote comes back in the texts. */
static int
ask_reputation(void *ctx, struct bytes mailbox, const struct judge_sender *s,
    struct judge_reputation *out)
{
	(void)ctx;
	check(mailbox.n > 0 && s->ndkim <= 100);
	*out = (struct judge_reputation){ JUDGE_UNKNOWN, false, "none",
	    s->from_address };
	return 0;
}

static int
ask_key(void *ctx, unsigned char out[JUDGE_KEY_BYTES])
{
	(void)ctx;
	memcpy(out, key, JUDGE_KEY_BYTES);
	return 0;
}

static int
ask_content(void *ctx, struct judge_content *out)
{
	const struct judge_facts *f = ctx;

	*out = (struct judge_content){ (double)(f->subject.n % 11) / 10,
	    f->subject.n % 2 == 0, f->subject };
	return 0;
}

static void
check_texts(const struct judge_result *r)
{
	struct buf b = BUF_INIT(1 << 20);
	struct bytes rest, field, line;

	check(judge_format_reason(&b, r) == 0);
	rest = buf_bytes(&b);
	check(rest.n <= JUDGE_FIELD_MAX + 1 && !bytes_has_nul(rest));
	check(trace_field_cut(&rest, &field) && rest.n == 0);
	check(trace_field_is(field, BYTES("Pipemail-Reason")));
	while (bytes_line(&field, &line))
		check(line.n <= 79 && bytes_trim(line).n > 0);
	buf_reset(&b);
	if (judge_format_line(&b, r) == 0)
		check(!bytes_find(buf_bytes(&b), BYTES("\n"),
		    &(size_t){ 0 }));
	buf_free(&b);
}

static void
check_result(const struct judge_result *r)
{
	check(r->reason[0] != '\0' && r->mailbox.n > 0);
	check(r->accept ? r->code == 0 : r->code >= 400 && r->code < 600);
	check(!r->first_time || r->accept);
	check(!r->to_rejects || !r->accept);
	check_texts(r);
}

static void
decide(struct arena *a, struct judge_facts *f, unsigned int how)
{
	const struct judge_ask ask = { .ctx = f, .rates = ask_rates,
	    .reputation = ask_reputation, .key = ask_key,
	    .content = ask_content };
	struct judge_rule rule = { .address = BYTES("a@example.org"),
	    .canonical = BYTES("a@example.org"), .mailbox = BYTES_EMPTY,
	    .list_domain = (how & 1) != 0 ? BYTES("example.net")
	    : BYTES_EMPTY, .verified_domain = BYTES("example.net"),
	    .is_forward = (how & 2) != 0, .accept_rejects_to = (how & 4) != 0
	    ? BYTES("Kept") : BYTES_EMPTY, .auth_required = (how & 8) != 0
	    ? BYTES("no") : BYTES_EMPTY, .reply_status = BYTES_EMPTY,
	    .reply_text = BYTES_EMPTY };
	const struct judge_settings s = { .introbox = (how & 16) != 0
	    ? BYTES("Introbox") : BYTES_EMPTY, .subjectpass_seconds =
	    (how & 32) != 0 ? 43200 : 0, .junk = (how & 64) != 0,
	    .threshold = 0.6, .first_time_delay = true };
	struct judge_result r;
	const char *why;

	judge_decide(a, f, &rule, &s, &ask, &r);
	check_result(&r);
	check(!judge_token_check(key, BYTES("other@example.net"), f->subject,
	    f->now, 43200, &why));
	check(why[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct trace_block block = { .received = BYTES_EMPTY };
	struct trace_envelope e = { .sender = BYTES("b@example.net"),
	    .helo = BYTES("h.example"), .id = BYTES_EMPTY, .time = 1800000000 };
	struct bytes message, rest;
	struct judge_facts f;

	if (size == 0)
		return 0;
	message = rest = bytes_of(data + 1, size - 1);
	(void)trace_block_parse(&a, message, BYTES("mx.example.org"),
	    BYTES_EMPTY, &block, &rest);	/* or none */
	judge_read_facts(&a, &block, &e, rest, &f);
	check(f.naddressed <= JUDGE_ADDRESSED_MAX);
	decide(&a, &f, data[0]);
	arena_free(&a);
	return 0;
}
