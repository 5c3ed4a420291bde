/*
 * format.c - a decision as a field and as a line
 */
#include "judge/judge.h"

#include "trace/trace.h"

static const char *const checks[] = {
	[JUDGE_NONE] = "none", [JUDGE_PASS] = "pass", [JUDGE_FAIL] = "fail",
	[JUDGE_SOFTFAIL] = "softfail", [JUDGE_NEUTRAL] = "neutral",
	[JUDGE_TEMPERROR] = "temperror", [JUDGE_PERMERROR] = "permerror",
};
#define CHECKS (sizeof(checks) / sizeof(checks[0]))

const char *
judge_check_name(enum judge_check c)
{
	return checks[c];
}

enum judge_check
judge_check_find(struct bytes word)
{
	for (size_t i = 0; i < CHECKS; i++) {
		if (bytes_caseeq(word, bytes_str(checks[i])))
			return (enum judge_check)i;
	}
	return JUDGE_NONE;
}

/* Columns of a line before it is folded (RFC 5322 2.1.1). */
#define WIDTH 78

struct folder {
	struct buf *out;
	size_t column;
};

/* One word, on a new line where it does not fit. */
static void
put_word(struct folder *f, struct bytes word)
{
	if (f->column + 1 + word.n > WIDTH) {
		(void)buf_adds(f->out, "\n\t");
		f->column = 8;
	} else {
		(void)buf_addc(f->out, ' ');
		f->column++;
	}
	(void)buf_add(f->out, word);
	f->column += word.n;
}

/* Bytes of a word that make a line of their own, characters whole. */
static size_t
line_of(struct bytes word)
{
	size_t n = WIDTH - 8;

	while (n > 1 && (bytes_at(word, n) & 0xc0) == 0x80)
		n--;
	return n;
}

/* A stranger's words may be long: they are cut to lines of their own. */
static void
put_text(struct folder *f, struct bytes text)
{
	struct buf clean = BUF_INIT(JUDGE_FIELD_MAX);
	struct bytes rest, word, piece;

	/* what does not fit is left out */
	(void)trace_clean(&clean, text, false, JUDGE_FIELD_MAX / 4);
	rest = buf_bytes(&clean);
	while (bytes_word(&rest, &word)) {
		while (word.n > WIDTH - 8 &&
		    bytes_cut(&word, line_of(word), &piece))
			put_word(f, piece);
		put_word(f, word);
	}
	buf_free(&clean);
}

int
judge_format_reason(struct buf *out, const struct judge_result *r)
{
	struct buf field = BUF_INIT(JUDGE_FIELD_MAX);
	struct folder f = { &field, 0 };
	size_t good;
	int n;

	(void)buf_printf(&field, "Pipemail-Reason: %s", r->reason);
	good = f.column = field.n;
	for (size_t i = 0; i < r->ntexts && !field.full; i++) {
		(void)buf_addc(&field, ';');
		f.column++;
		put_text(&f, r->texts[i]);
		if (!field.full)
			good = field.n;
	}
	n = buf_add(out, bytes_first(buf_bytes(&field), good)) == -1 ||
	    buf_addc(out, '\n') == -1 ? -1 : 0;
	buf_free(&field);
	return n;
}

int
judge_format_line(struct buf *out, const struct judge_result *r)
{
	(void)buf_adds(out, r->accept ? "pass"
	    : r->code < 500 ? "temperror" : "fail");
	(void)msg_column(out, bytes_str(r->reason));
	(void)msg_column(out, r->mailbox);
	if (r->accept)
		(void)buf_adds(out, "\t250\t2.0.0");
	else
		(void)buf_printf(out, "\t%d\t%.*s", r->code,
		    BYTES_ARG(r->status));
	(void)msg_column(out, r->destined);
	for (size_t i = 0; i < r->ntexts; i++)
		(void)msg_column(out, r->texts[i]);
	return out->full ? -1 : 0;
}
