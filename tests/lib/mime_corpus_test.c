/*
 * mime_corpus_test.c - ENVELOPE and BODYSTRUCTURE of a corpus of messages,
 * good and bad, against what another IMAP server says of them
 *
 * The differences kept are named below with their reasons, as
 * doc/mime-differences.md explains them; any other one fails the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "mime/mime.h"
#include "vectors.h"

/* Sections of doc/mime-differences.md. */
enum reason { NO_TYPE, NO_SEMICOLON, UNQUOTED, ENCODING_TAIL, LONG_BOUNDARY,
	BOUNDARY_2231, REASONS };

static const char *const reason_names[REASONS] = {
	"Content-Type unreadable: text/plain",
	"parameters after a missing or doubled semicolon",
	"values that should have been quoted",
	"Content-Transfer-Encoding followed by something",
	"boundaries longer than 80 bytes",
	"boundaries in RFC 2231 encoding",
};

static const struct {
	const char *file;
	enum reason reason;
} kept[] = {
	{ "enmime__mail_mime-bad-content-type.raw.eml", NO_SEMICOLON },
	{ "enmime__mail_mime-blank-media-name.raw.eml", NO_SEMICOLON },
	{ "enmime__mail_mime-unquoted-tspecials-param.raw.eml", UNQUOTED },
	{ "enmime__parts_ctype-invalid-characters.raw.eml", NO_TYPE },
	{ "enmime__parts_empty-ctype-bad-content.raw.eml", NO_TYPE },
	{ "flanker__spam_broken-ctype.eml", NO_TYPE },
	{ "mail-parser__malformed_016.eml", LONG_BOUNDARY },
	{ "mail-parser__malformed_017.eml", NO_SEMICOLON },
	{ "mail-rb__error_emails_content_transfer_encoding_with_semi_colon"
	  ".eml", ENCODING_TAIL },
	{ "mail-rb__mime_emails_raw_email_with_binary_encoded.eml",
	  UNQUOTED },
	{ "mail-rb__plain_emails_raw_email_bad_time.eml", UNQUOTED },
	{ "mime4j__mimetools-testmsgs_double-semicolon.msg", NO_SEMICOLON },
	{ "mime4j__mimetools-testmsgs_multi-digest.msg", NO_TYPE },
	{ "mime4j__testmsgs_very-long-boundary.msg", LONG_BOUNDARY },
	{ "mimekit__mbox_issue1189-summary.txt.eml", NO_TYPE },
	{ "roundcube__src_mail0.eml", BOUNDARY_2231 },
};

#define KEPT (sizeof(kept) / sizeof(kept[0]))
/* Fewer messages than that would be another corpus. */
#define MESSAGES_MIN 490

struct figures {
	size_t messages, sizes, envelopes, structures, kept;
	size_t by_reason[REASONS];
	bool failed;
};

static bool
is_kept(struct bytes file, enum reason *reason)
{
	size_t i;

	for (i = 0; i < KEPT; i++) {
		if (bytes_eq(file, bytes_str(kept[i].file))) {
			*reason = kept[i].reason;
			return true;
		}
	}
	return false;
}

static void
report(const char *what, struct bytes file, struct bytes want,
    struct bytes got)
{
	print_message("# %s of %.*s\n", what, BYTES_ARG(file));
	/* Both may hold anything: only their sizes are shown. */
	print_message("#   %zu bytes expected, %zu here\n", want.n, got.n);
}

static void
check_message(struct arena *a, const struct json *v, struct figures *n)
{
	struct buf lf = BUF_INIT((size_t)64 << 20);
	struct buf out = BUF_INIT((size_t)64 << 20);
	struct bytes file = json_text(v, "file"), raw, want;
	struct mime_tree *t;
	enum reason reason;
	uint64_t size;

	assert_true(vectors_read(a, arena_printf(a, "mime/msgs/%.*s",
	    BYTES_ARG(file)), &raw));
	assert_int_equal(mime_add_lf(&lf, mime_skip_from_line(raw)), 0);
	n->messages++;
	assert_int_equal(num_parse(json_text(v, "rfc822_size"), 0, SIZE_MAX,
	    &size), 0);
	if (mime_crlf_size(buf_bytes(&lf)) == size)
		n->sizes++;
	else
		print_message("# size of %.*s\n", BYTES_ARG(file));
	t = mime_parse(a, buf_bytes(&lf));
	assert_int_equal(mime_format_envelope(a, &out, t->root->header), 0);
	want = json_text(v, "envelope");
	if (bytes_eq(buf_bytes(&out), want))
		n->envelopes++;
	else
		report("ENVELOPE", file, want, buf_bytes(&out));
	buf_reset(&out);
	assert_int_equal(mime_format_bodystructure(a, &out, t, true), 0);
	want = json_text(v, "bodystructure");
	if (bytes_eq(buf_bytes(&out), want)) {
		n->structures++;
	} else if (is_kept(file, &reason)) {
		n->kept++;
		n->by_reason[reason]++;
	} else {
		n->failed = true;
		report("BODYSTRUCTURE", file, want, buf_bytes(&out));
	}
	buf_free(&lf);
	buf_free(&out);
}

static struct figures
run(struct bytes data)
{
	struct figures n = { 0 };
	struct arena a = ARENA_INIT;
	struct bytes line;

	while (bytes_line(&data, &line)) {
		check_message(&a, json_parse(&a, line, true), &n);
		arena_reset(&a);
	}
	arena_free(&a);
	return n;
}

static void
test_corpus(void **state)
{
	struct arena a = ARENA_INIT;
	struct figures n;
	struct bytes data;
	size_t i;

	(void)state;
	if (!vectors_read(&a, "mime/dovecot.jsonl", &data))
		return;
	n = run(data);
	arena_free(&a);
	print_message("# %zu messages: size equal on %zu, ENVELOPE on %zu, "
	    "BODYSTRUCTURE on %zu, kept differences %zu\n", n.messages,
	    n.sizes, n.envelopes, n.structures, n.kept);
	for (i = 0; i < REASONS; i++)
		print_message("#   %zu: %s\n", n.by_reason[i],
		    reason_names[i]);
	assert_true(n.messages >= MESSAGES_MIN);
	assert_int_equal(n.sizes, n.messages);
	assert_int_equal(n.envelopes, n.messages);
	assert_int_equal(n.structures + n.kept, n.messages);
	assert_false(n.failed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "ENVELOPE and BODYSTRUCTURE of a corpus of messages",
		    test_corpus, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
