/* Tests of lib/judge, steps 12 to 20: history and signs of junk; texts. */
#include "judge_fixture.h"

#include "trace/trace.h"

static void conclusive_junk(struct world *w)
{
	on_conclusive(w);
	w->rep.junk = JUDGE_JUNK;
	w->rep.method = "msgfromfull";
}
static void conclusive_unknown(struct world *w)
{
	on_conclusive(w);
	w->rep.junk = JUDGE_UNKNOWN;
}
static void spf_known(struct world *w)
{
	on_spf(w);
	w->rep.method = "msgfromdomain";
}
static void spf_hard(struct world *w) { w->f.spf = JUDGE_FAIL; }
static void spf_neutral(struct world *w) { w->f.spf = JUDGE_NEUTRAL; }
static void spf_ip(struct world *w)
{
	on_spf(w);
	w->rep.method = "ip3";
}
static void iprev_known(struct world *w)
{
	on_iprev(w);
	w->rep.method = "msgfromdomain";
}
static void iprev_unknown(struct world *w) { w->f.iprev = JUDGE_FAIL; }
static void token_off(struct world *w)
{
	on_token(w);
	w->s.subjectpass_seconds = 0;
	on_content(w);
}
static void token_no_from(struct world *w)
{
	on_token(w);
	w->f.sender.from_address = BYTES_EMPTY;
	on_content(w);
}
static void token_error(struct world *w)
{
	on_token(w);
	w->key_error = -1;
}
static void junk_off(struct world *w)
{
	on_content(w);
	w->s.junk = false;
}
static void few_learnt(struct world *w)
{
	on_content(w);
	w->content.significant = false;
}
static void few_learnt_iprev(struct world *w)
{
	few_learnt(w);
	w->f.iprev = JUDGE_PERMERROR;
}
static void few_learnt_unchecked(struct world *w)
{
	few_learnt(w);
	w->f.iprev = JUDGE_NONE;
}
static void strict(struct world *w, double p)
{
	w->content.probability = p;
}
static void strict_iprev(struct world *w)
{
	strict(w, 0.26);
	w->f.iprev = JUDGE_TEMPERROR;
}
static void strict_iprev_below(struct world *w)
{
	strict(w, 0.25);
	w->f.iprev = JUDGE_TEMPERROR;
}
static void strict_tls(struct world *w)
{
	strict(w, 0.26);
	w->f.tls = false;
}
static void strict_to(struct world *w)
{
	strict(w, 0.26);
	w->f.naddressed = 0;
}
static void strict_to_forward(struct world *w)
{
	strict_to(w);
	w->rule.is_forward = true;
}
static void strict_to_empty(struct world *w)
{
	strict_to(w);
	w->rule.address = BYTES("\"\"@example.org");
}
static void strict_low(struct world *w)
{
	strict(w, 0.24);
	w->s.threshold = 0.1;
	w->f.tls = false;
}
static void content_error(struct world *w) { w->content_error = -1; }
static void no_lists(struct world *w)
{
	on_listed(w);
	w->ask.listed = NULL;
}
static void give(struct world *w)
{
	on_listed(w);
	w->s.subjectpass_seconds = 43200;
}
static void give_mild(struct world *w)
{
	w->s.subjectpass_seconds = 43200;
	w->s.threshold = 0.6;
	w->content.probability = 0.7;
}
static void give_not_mild(struct world *w)
{
	give_mild(w);
	w->content.probability = 0.9;
}
static void give_known(struct world *w)
{
	give(w);
	w->rep.method = "ip3";
}
static void give_no_dmarc(struct world *w)
{
	give(w);
	w->f.dmarc = DMARC_NONE;
}
static void give_error(struct world *w)
{
	give(w);
	w->key_error = -1;
}

static const struct expect rows[] = {
	{ "J-5 step 12: conclusive junk", conclusive_junk, "msgfromfull",
	    false, 451, "Inbox", "Inbox" },
	{ "step 12: unknown concludes nothing", conclusive_unknown,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "J-19 step 14: not where the domain is known", spf_known,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "J-19 step 14: fail", spf_hard, "spf-policy", false, 451, "Inbox",
	    "Inbox" },
	{ "J-19 step 14: neutral is no failure", spf_neutral,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "J-19 step 14: addresses are weak", spf_ip, "spf-policy", false,
	    451, "Inbox", "Inbox" },
	{ "J-19 step 15: not where the domain is known", iprev_known,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "J-19 step 15: not without signs of junk", iprev_unknown,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "J-16 step 16: it is off", token_off, "junk-content", false, 451,
	    "Inbox", "Inbox" },
	{ "J-16 step 16: no From address", token_no_from, "junk-content",
	    false, 451, "Inbox", "Inbox" },
	{ "J-16 step 16: no key", token_error, "subjectpass-error", false,
	    451, "Inbox", "Inbox" },
	{ "step 17: content is not judged", junk_off, "no-bad-signals",
	    true, 0, "Inbox", "" },
	{ "J-7 step 17: too little learnt", few_learnt, "no-bad-signals",
	    true, 0, "Inbox", "" },
	{ "J-7 step 17: unless iprev is bad", few_learnt_iprev,
	    "junk-content-strict", false, 451, "Inbox", "Inbox" },
	{ "J-7 step 17: iprev was not checked", few_learnt_unchecked,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "J-6 step 17: bad iprev", strict_iprev, "junk-content-strict",
	    false, 451, "Inbox", "Inbox" },
	{ "J-6 step 17: at the threshold it passes", strict_iprev_below,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "J-6 step 17: no TLS", strict_tls, "junk-content-strict", false,
	    451, "Inbox", "Inbox" },
	{ "J-6 step 17: not in To or Cc", strict_to, "junk-content-strict",
	    false, 451, "Inbox", "Inbox" },
	{ "J-6 step 17: but forwarded", strict_to_forward, "no-bad-signals",
	    true, 0, "Inbox", "" },
	{ "J-6 step 17: an empty local part is found", strict_to_empty,
	    "no-bad-signals", true, 0, "Inbox", "" },
	{ "J-6 step 17: a lower threshold stays", strict_low,
	    "junk-content", false, 451, "Inbox", "Inbox" },
	{ "J-5 step 17: it cannot be judged", content_error, "junk-error",
	    false, 451, "Inbox", "Inbox" },
	{ "J-18 step 18: no lists", no_lists, "no-bad-signals", true, 0,
	    "Inbox", "" },
	{ "J-16 step 20: a token for who is listed", give,
	    "give-subjectpass", false, 550, "Inbox", "Inbox" },
	{ "J-16 step 20: a token for mild junk", give_mild,
	    "give-subjectpass", false, 550, "Inbox", "Inbox" },
	{ "J-16 step 20: none for what is clear", give_not_mild,
	    "junk-content", false, 451, "Inbox", "Inbox" },
	{ "J-16 step 20: none for known hosts", give_known,
	    "dns-blocklisted", false, 451, "Inbox", "Inbox" },
	{ "J-16 step 20: none without DMARC", give_no_dmarc,
	    "dns-blocklisted", false, 451, "Inbox", "Inbox" },
	{ "J-16 step 20: no key", give_error, "subjectpass-error", false,
	    451, "Inbox", "Inbox" },
};

static void
test_rows(void **state)
{
	(void)state;
	check_rows(rows, COUNT(rows));
}

/* ---- what else comes out ---- */

static bool
has_text(const struct judge_result *r, const char *text)
{
	for (size_t i = 0; i < r->ntexts; i++) {
		if (bytes_find(r->texts[i], bytes_str(text),
		    &(size_t){ 0 }))
			return true;
	}
	return false;
}

static void
test_texts(void **state)
{
	struct buf b = BUF_INIT(2 * JUDGE_FIELD_MAX);
	struct judge_result r;
	struct world w;
	char token[JUDGE_TOKEN_SIZE];

	(void)state;
	print_message("# J-4 words, scores and threshold in the reason\n");
	set_up(&w);
	w.f.tls = false;
	strict(&w, 0.3);
	w.rep.text = BYTES("nothing known");
	decide(&w, &r);
	assert_true(has_text(&r, "nothing known"));
	assert_true(has_text(&r, "no TLS"));
	assert_true(has_text(&r, "content 0.300000, threshold 0.250"));
	assert_true(has_text(&r, "ham=hello"));
	assert_int_equal(judge_format_reason(&b, &r), 0);
	assert_true(bytes_eq(buf_bytes(&b), BYTES("Pipemail-Reason: "
	    "junk-content-strict; nothing known; no TLS; content 0.300000,\n"
	    "\tthreshold 0.250; ham=hello\n")));
	buf_reset(&b);
	assert_int_equal(judge_format_line(&b, &r), 0);
	assert_true(bytes_eq(buf_bytes(&b), BYTES("temperror\t"
	    "junk-content-strict\tInbox\t451\t4.3.0\tInbox\tnothing known\t"
	    "no TLS\tcontent 0.300000, threshold 0.250\tham=hello")));

	print_message("# J-6 step 17: of several signs the first is told\n");
	set_up(&w);
	strict_iprev(&w);
	strict_tls(&w);
	strict_to(&w);
	decide(&w, &r);
	assert_true(has_text(&r, "no reverse name"));
	assert_false(has_text(&r, "no TLS"));
	w.f.iprev = JUDGE_PASS;
	decide(&w, &r);
	assert_true(has_text(&r, "no TLS"));
	assert_false(has_text(&r, "recipient not in To or Cc"));

	print_message("# J-18 the list and its text\n");
	set_up(&w);
	on_listed(&w);
	decide(&w, &r);
	assert_true(has_text(&r, "listed by bl.example"));
	assert_true(has_text(&r, "open relay"));

	print_message("# J-16 the reply has a fresh token\n");
	set_up(&w);
	give(&w);
	decide(&w, &r);
	judge_token_make(key, w.f.sender.from_address, w.f.now, token);
	assert_true(bytes_find(r.text, bytes_str(token), &(size_t){ 0 }));
	assert_true(bytes_eq(r.status, BYTES("5.7.1")));
	assert_true(has_text(&r, "dns-blocklisted"));

	print_message("# J-4 nothing breaks out of the field\n");
	buf_reset(&b);
	r = (struct judge_result){ .reason = "junk-content",
	    .texts = { BYTES("a\nSubject: x\r\n\x01\xff b") }, .ntexts = 1 };
	assert_int_equal(judge_format_reason(&b, &r), 0);
	assert_true(bytes_eq(buf_bytes(&b), BYTES("Pipemail-Reason: "
	    "junk-content; a?Subject: x???? b\n")));
	buf_free(&b);
}

/* Every line of a field of long texts is short and the whole has a limit. */
static void
test_long(void **state)
{
	struct buf b = BUF_INIT(2 * JUDGE_FIELD_MAX);
	struct judge_result r = { .reason = "junk-content" };
	char *long_text = arena_alloc(&arena, 2000);
	struct bytes rest, line;

	(void)state;
	print_message("# J-4 a field of JUDGE_FIELD_MAX, lines of 79\n");
	memset(long_text, 'x', 2000);
	for (size_t i = 0; i < 1000; i += 2)
		memcpy(long_text + i, "\xc3\xa4", 2);
	for (size_t i = 0; i < JUDGE_TEXTS_MAX; i++)
		r.texts[i] = bytes_of(long_text, i == 0 ? 20 : 2000);
	r.ntexts = JUDGE_TEXTS_MAX;
	assert_int_equal(judge_format_reason(&b, &r), 0);
	rest = buf_bytes(&b);
	assert_true(rest.n > JUDGE_FIELD_MAX / 2);
	assert_true(rest.n <= JUDGE_FIELD_MAX + 1);
	while (bytes_line(&rest, &line)) {
		assert_true(line.n > 0 && line.n <= 79);
		assert_false(bytes_find(line, BYTES("?"), &(size_t){ 0 }));
		assert_true(bytes_at(line, 0) == 'P' ||
		    bytes_at(line, 0) == '\t');
		/* no character is cut: a line does not begin within one */
		assert_true(bytes_at(line, 0) == 'P' ||
		    (bytes_at(line, 1) & 0xc0) != 0x80);
	}
	buf_free(&b);
}

/* Those of To and of Cc together. */
static void
test_addressed(void **state)
{
	struct trace_block block = { .nresinfo = 0, .received = BYTES_EMPTY };
	struct trace_envelope e = { .sender = BYTES_EMPTY, .id = BYTES_EMPTY,
	    .helo = BYTES_EMPTY, .tls = BYTES_EMPTY };
	struct buf b = BUF_INIT(64 * JUDGE_ADDRESSED_MAX);
	struct judge_facts f;

	(void)state;
	for (int over = 0; over <= 1; over++) {
		print_message("# addresses that are looked at, and %d more\n",
		    over);
		buf_reset(&b);
		for (int i = 0; i < JUDGE_ADDRESSED_MAX - 1; i++)
			assert_int_equal(buf_printf(&b, "%sa%d@b.example",
			    i == 0 ? "To: " : i == 500 ? "\nCc: " : ",\n ",
			    i), 0);
		assert_int_equal(buf_adds(&b, over ? "\nTo: x@y.example, "
		    "last@b.example\n\n" : "\nTo: last@b.example\n\n"), 0);
		judge_read_facts(&arena, &block, &e, buf_bytes(&b), &f);
		assert_int_equal(f.naddressed, JUDGE_ADDRESSED_MAX);
		assert_int_equal(bytes_eq(f.addressed[f.naddressed - 1],
		    BYTES("last@b.example")), !over);
	}
	buf_free(&b);
}

/* J-7: chance by the received-id, within 0.05, and the same each time. */
static void
test_jitter(void **state)
{
	double least = 1, most = 0, sum = 0, first = 0;
	struct judge_result r;
	struct world w;
	int accepted;

	(void)state;
	print_message("# J-7 step 17: +-0.05 by the received-id\n");
	for (int i = 0; i < 400; i++) {
		set_up(&w);
		w.s.threshold = 0.5;
		w.f.id = bytes_str(arena_printf(&arena, "id%d", i));
		for (double p = 0.44; p < 0.56; p += 0.001) {
			w.content.probability = p;
			decide(&w, &r);
			accepted = r.accept;
			decide(&w, &r);
			assert_int_equal(r.accept, accepted);
			if (!r.accept) {
				first = p;
				break;
			}
		}
		least = first < least ? first : least;
		most = first > most ? first : most;
		sum += first;
	}
	assert_true(least > 0.449 && least < 0.455);
	assert_true(most < 0.552 && most > 0.545);
	assert_true(sum / 400 > 0.49 && sum / 400 < 0.51);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_addressed),
		cmocka_unit_test(test_jitter),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, tear_down);
}
