/* judge_fixture.h - a message and its world, to be changed by each row */
#ifndef JUDGE_FIXTURE_H
#define JUDGE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>

#include "judge/judge.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct arena arena;

enum {				/* what was asked */
	RATES = 1, REPORT = 2, REPUTATION = 4, KEY = 8, CONTENT = 16,
	LISTED = 32,
};

struct world {
	struct judge_facts f;
	struct judge_rule rule;
	struct judge_settings s;
	int rates, report, rep_error, key_error, content_error, listed;
	struct judge_reputation rep;
	struct judge_content content;
	struct judge_ask ask;
	unsigned int asked;
	struct bytes asked_mailbox;
	struct judge_sender asked_sender;
};

static const unsigned char key[JUDGE_KEY_BYTES] = "0123456789abcdef";

static inline int
ask_rates(void *ctx, struct bytes *text)
{
	struct world *w = ctx;

	w->asked |= RATES;
	*text = BYTES("500 messages in a minute");
	errno = EIO;
	return w->rates;
}

static inline int
ask_report(void *ctx, struct bytes *text)
{
	struct world *w = ctx;

	w->asked |= REPORT;
	*text = BYTES("no report in it");
	return w->report;
}

static inline int
ask_reputation(void *ctx, struct bytes mailbox, const struct judge_sender *s,
    struct judge_reputation *out)
{
	struct world *w = ctx;

	w->asked |= REPUTATION;
	w->asked_mailbox = mailbox;
	w->asked_sender = *s;
	errno = EIO;
	if (w->rep_error == 0)
		*out = w->rep;
	return w->rep_error;
}

static inline int
ask_key(void *ctx, unsigned char out[JUDGE_KEY_BYTES])
{
	struct world *w = ctx;

	w->asked |= KEY;
	errno = EIO;
	memcpy(out, key, JUDGE_KEY_BYTES);
	return w->key_error;
}

static inline int
ask_content(void *ctx, struct judge_content *out)
{
	struct world *w = ctx;

	w->asked |= CONTENT;
	errno = EIO;
	if (w->content_error == 0)
		*out = w->content;
	return w->content_error;
}

static inline int
ask_listed(void *ctx, struct judge_listing *out)
{
	struct world *w = ctx;

	w->asked |= LISTED;
	*out = (struct judge_listing){ BYTES("bl.example"),
	    BYTES("open relay") };
	return w->listed;
}

static const struct bytes to[] = { { (const unsigned char *)
    "alice@example.org", 17 } };
static const struct bytes dkim[] = {
	{ (const unsigned char *)"author.example", 14 },
	{ (const unsigned char *)"forward.example", 15 },
};

/* A stranger whose message has nothing bad about it. */
static inline void
set_up(struct world *w)
{
	*w = (struct world){ 0 };
	w->f = (struct judge_facts){
		.iprev = JUDGE_PASS, .spf = JUDGE_PASS, .dmarc = DMARC_PASS,
		.tls = true, .addressed = to, .naddressed = 1,
		.subject = BYTES("hello"), .id = BYTES("id"),
		.size = 1000, .now = 1800000000,
	};
	w->f.sender = (struct judge_sender){
		.from_address = BYTES("a@author.example"),
		.from_domain = BYTES("author.example"),
		.alignment = DMARC_ALIGNED_STRICT,
		.mail_from = BYTES("bounce@author.example"),
		.mail_from_domain = BYTES("author.example"),
		.mail_from_validated = true,
		.helo = BYTES("mx.author.example"), .helo_validated = true,
		.dkim = dkim, .ndkim = 2,
	};
	assert_int_equal(ip_parse(BYTES("192.0.2.1"), &w->f.sender.remote),
	    0);
	w->rule = (struct judge_rule){ .address = BYTES("alice@example.org"),
	    .canonical = BYTES("alice@example.org"), .mailbox = BYTES_EMPTY,
	    .list_domain = BYTES_EMPTY, .verified_domain = BYTES_EMPTY,
	    .accept_rejects_to = BYTES_EMPTY, .auth_required = BYTES_EMPTY,
	    .reply_status = BYTES_EMPTY, .reply_text = BYTES_EMPTY };
	w->s = (struct judge_settings){ .introbox = BYTES_EMPTY,
	    .junk = true, .threshold = 0.95, .first_time_delay = true };
	w->rep = (struct judge_reputation){ .method = "none",
	    .text = BYTES_EMPTY };
	w->content = (struct judge_content){ 0.1, true, BYTES("ham=hello") };
	w->ask = (struct judge_ask){ .ctx = w, .rates = ask_rates,
	    .report = ask_report, .reputation = ask_reputation,
	    .key = ask_key, .content = ask_content, .listed = ask_listed };
}

static inline void
decide(struct world *w, struct judge_result *r)
{
	judge_decide(&arena, &w->f, &w->rule, &w->s, &w->ask, r);
}

/* ---- what each step decides by ---- */

static inline void on_rates(struct world *w) { w->rates = 1; }
static inline void on_rule(struct world *w)
{
	w->rule.reply_code = 553;
	w->rule.reply_status = BYTES("5.7.1");
	w->rule.reply_text = BYTES("not you");
}
static inline void on_list(struct world *w)
{
	w->rule.list_domain = BYTES("Author.example");
}
static inline void on_dmarc(struct world *w)
{
	w->f.dmarc = DMARC_FAIL;
	w->f.disposition = DMARC_POLICY_QUARANTINE;
}
static inline void on_required(struct world *w)
{
	w->rule.auth_required = BYTES("sign it");
	w->f.sender.alignment = DMARC_ALIGNED_NONE;
}
static inline void on_rep_error(struct world *w) { w->rep_error = -1; }
static inline void on_conclusive(struct world *w)
{
	w->rep.conclusive = true;
	w->rep.method = "dkimspf";
	if (w->rep.junk == JUDGE_UNKNOWN)
		w->rep.junk = JUDGE_HAM;
}
static inline void on_report(struct world *w)
{
	w->rule.takes_reports = true;
	w->report = 1;
}
static inline void on_spf(struct world *w) { w->f.spf = JUDGE_SOFTFAIL; }
static inline void on_iprev(struct world *w)
{
	w->f.iprev = JUDGE_FAIL;
	w->rep.junk = JUDGE_JUNK;
}
static inline void on_token(struct world *w)
{
	char text[JUDGE_TOKEN_SIZE];

	w->s.subjectpass_seconds = 43200;
	judge_token_make(key, w->f.sender.from_address, w->f.now - 3600,
	    text);
	w->f.subject = bytes_str(arena_printf(&arena, "hello %s", text));
}
static inline void on_content(struct world *w)
{
	w->content.probability = 0.9999;
}
static inline void on_listed(struct world *w) { w->listed = 1; }
static inline void on_nothing(struct world *w) { (void)w; }

/* ---- rows that change something on the way ---- */

struct expect {
	const char *what;
	void (*on)(struct world *w);
	const char *reason;
	bool accept;
	int code;
	const char *mailbox, *destined;
};

static inline void
check_rows(const struct expect *rows, size_t n)
{
	struct judge_result r;
	struct world w;

	for (size_t i = 0; i < n; i++) {
		print_message("# J-1 %s\n", rows[i].what);
		set_up(&w);
		rows[i].on(&w);
		decide(&w, &r);
		assert_string_equal(r.reason, rows[i].reason);
		assert_int_equal(r.accept, rows[i].accept);
		assert_int_equal(r.code, rows[i].code);
		assert_true(bytes_eq(r.mailbox, bytes_str(rows[i].mailbox)));
		assert_true(bytes_eq(r.destined,
		    bytes_str(rows[i].destined)));
	}
}

static inline int
tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

#endif
