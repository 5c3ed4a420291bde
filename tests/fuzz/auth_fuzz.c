/*
 * auth_fuzz.c - bytes of a client against the auth protocol
 *
 * Properties: what is said does not depend on how the input is cut, but for
 * what is random, nor does the number of logins reported; each line is of the
 * protocol and no longer than a client reads; a decision that was put off is
 * answered or dropped.
 */
#include <errno.h>
#include <stdlib.h>

#include "sasl/sasl.h"

#define SAID_MAX (1 << 20)

struct world {
	struct sasl_backend backend;
	struct sasl_request *later;
	size_t ended;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
give_secrets(void *ctx, const struct sasl_request *r,
    struct sasl_secrets *out)
{
	(void)ctx;
	*out = (struct sasl_secrets){ .iterations = 4096,
	    .salt_bytes = SASL_SALT_BYTES, .why = "unknown user",
	    .missing = r->sasl.authcid.n % 2 == 1 };
}

/* By the length of the name: right, wrong, disabled, later. */
static void
decide(void *ctx, struct sasl_request *r, enum sasl_action action,
    struct sasl_outcome *out)
{
	struct world *w = ctx;

	must(action == SASL_PASSWORD || action == SASL_CLIENT_KEY ||
	    action == SASL_TOKEN || action == SASL_REFUSED);
	*out = (struct sasl_outcome){ .result = SASL_WRONG, .why = "w" };
	if (action == SASL_REFUSED)
		return;
	switch (r->sasl.authcid.n % 4) {
	case 0:
		out->result = SASL_OK;
		memcpy(out->account, "alice", 6);
		break;
	case 1:
		out->result = SASL_DISABLED;
		memcpy(out->reason, "a\tb", 4);
		break;
	case 2:
		if (w->later == NULL) {
			out->result = SASL_LATER;
			w->later = r;
		}
		break;
	default:
		break;
	}
}

static void
dropped(void *ctx, struct sasl_request *r)
{
	struct world *w = ctx;

	must(w->later == r);
	w->later = NULL;
}

static void
ended(void *ctx, const struct sasl_request *r, const struct sasl_outcome *o)
{
	struct world *w = ctx;

	must(o->result != SASL_LATER && o->why != NULL);
	must(strlen(r->from.service) <= SASL_PARAM_MAX &&
	    strlen(r->from.remote_ip) <= SASL_PARAM_MAX &&
	    strlen(r->from.agent) <= SASL_PARAM_MAX);
	w->ended++;
}

static int64_t
now(void)
{
	return 1000;
}

/* Kind and id of each line: the rest may be random. */
static void
check_lines(struct bytes s, struct buf *kinds)
{
	static const char *const words[] = {
		"VERSION", "MECH", "SPID", "CUID", "COOKIE", "DONE", "OK",
		"CONT", "FAIL",
	};
	struct bytes line, word, id;
	size_t i;

	while (s.n > 0) {
		must(s.p[s.n - 1] == '\n' && bytes_line(&s, &line));
		must(line.n < SASL_LINE_MAX && !bytes_has_nul(line));
		bytes_split(&line, '\t', &word);
		for (i = 0; i < 9 && !bytes_eq(word, bytes_str(words[i]));
		    i++)
			;
		must(i < 9);
		bytes_split(&line, '\t', &id);
		buf_add(kinds, word);
		if (i > 5)
			buf_add(kinds, id);
		buf_addc(kinds, '\n');
	}
}

static size_t
run(struct bytes in, size_t piece, struct buf *kinds)
{
	struct world w = { .backend = { .secrets = give_secrets,
	    .decide = decide, .dropped = dropped, .ended = ended,
	    .now_ms = now } };
	struct buf said = BUF_INIT(SAID_MAX);
	struct sasl_outcome late = { .result = SASL_WRONG, .why = "late" };
	struct sasl_peer *p;
	struct bytes part;
	int r = 0;

	w.backend.ctx = &w;
	w.backend.tickets = sasl_tickets_new();
	p = sasl_peer_new(&w.backend, 1, 1);
	while (r != -1 && in.n > 0) {
		part = bytes_first(in, piece);
		part = bytes_first(part, sasl_peer_room(p));
		in = bytes_from(in, part.n);
		sasl_peer_input(p, part);
		do {
			r = sasl_peer_step(p);
			if (w.later != NULL) {
				struct sasl_request *later = w.later;

				w.later = NULL;
				sasl_peer_decided(later, &late);
			}
			buf_add(&said, buf_bytes(sasl_peer_output(p)));
			buf_reset(sasl_peer_output(p));
		} while (r == 1);
		must(r != -1 || errno == EPROTO || errno == EMSGSIZE);
	}
	sasl_peer_free(p);
	must(w.later == NULL);
	must(!said.full);
	check_lines(buf_bytes(&said), kinds);
	buf_free(&said);
	sasl_tickets_free(w.backend.tickets);
	return w.ended;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char hello[] = "VERSION\t1\t2\nCPID\t1\n";
	struct buf in = BUF_INIT(SAID_MAX);
	struct buf one = BUF_INIT(SAID_MAX), two = BUF_INIT(SAID_MAX);
	size_t ends;

	if (size > 4 * SASL_LINE_MAX)
		return 0;
	buf_adds(&in, hello);
	buf_add(&in, bytes_of(data, size));
	ends = run(buf_bytes(&in), SIZE_MAX, &one);
	must(ends == run(buf_bytes(&in), 7, &two));
	must(bytes_eq(buf_bytes(&one), buf_bytes(&two)));
	(void)run(bytes_of(data, size), SIZE_MAX, &one);
	buf_free(&in);
	buf_free(&one);
	buf_free(&two);
	return 0;
}
