/* imap_limit_test.c - MESSAGELIMIT (RFC 9738): at the limit and past it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "imap/imap.h"
#include "store/store.h"

static struct store *store;
static char dir[] = "/tmp/imap_limit.XXXXXX";
static char account_dir[64], run_dir[64], tmp_dir[128];

static int
remove_entry(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* INBOX with the UIDs 2, 4, 5, 7; Other is empty. */
static int
make_store(void **state)
{
	static const uint32_t gone[] = { 1, 3, 6 };
	struct store_options o = { .account = "alice", .dir = account_dir,
	    .run = run_dir, .create = true };
	struct bytes text = BYTES("Subject: m\n\nx\n");
	struct store_incoming m = { .pieces = &text, .count = 1 };
	struct store_delivered d;
	int i;

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(account_dir, sizeof(account_dir), "%s/alice", dir);
	snprintf(run_dir, sizeof(run_dir), "%s/run", dir);
	snprintf(tmp_dir, sizeof(tmp_dir), "%s/Maildir/tmp", account_dir);
	if ((store = store_open(&o)) == NULL ||
	    store_mailbox_create(store, BYTES("Other"), 0, NULL) == -1)
		return -1;
	for (i = 0; i < 7; i++) {
		if (store_deliver(store, BYTES("INBOX"), &m, &d) == -1)
			return -1;
	}
	return store_expunge(store, d.mailbox, gone, 3, true, NULL);
}

static int
remove_store(void **state)
{
	(void)state;
	store_close(store);
	return nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static int
each_store(void **state)
{
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	return make_store(state);
}

/* What is said to commands with INBOX selected and that limit. */
static char *
say(const char *in, uint32_t limit, const char *off)
{
	struct imap_options o = { .store = store, .account = "alice",
	    .tmp_dir = tmp_dir, .append_max = 200000,
	    .message_limit = limit, .capabilities_off = off };
	struct imap *im = imap_new(&o, BYTES("t"));
	struct buf said = BUF_INIT(1024 * 1024);
	enum imap_action a;
	char *text;

	imap_input(im, BYTES("s SELECT INBOX\r\n"));
	while (imap_step(im) == IMAP_WRITE)
		buf_reset(imap_output(im));
	buf_reset(imap_output(im));
	imap_input(im, bytes_str(in));
	do {
		a = imap_step(im);
		buf_add(&said, buf_bytes(imap_output(im)));
		buf_reset(imap_output(im));
	} while (a == IMAP_WRITE || a == IMAP_BUSY);
	imap_free(im);
	buf_addc(&said, 0);
	text = mem_strdup((const char *)said.p);
	buf_free(&said);
	return text;
}

/* Without the numbers that differ from run to run: after COPYUID and the
 * like. */
static void
hide_numbers(char *text)
{
	static const char *const before[] = { "COPYUID ", "UIDVALIDITY ",
	    "HIGHESTMODSEQ ", "MODSEQ (" };
	char *at, *end;
	size_t i;

	for (i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		for (at = text; (at = strstr(at, before[i])) != NULL;) {
			at += strlen(before[i]);
			end = at + strspn(at, "0123456789");
			memmove(at, end, strlen(end) + 1);
		}
	}
}

static void
rows(void **state)
{
	static const struct {
		uint32_t limit;
		const char *in, *want;
	} r[] = {
		{ 4, "a FETCH 1:* UID\r\n",
		    "* 1 FETCH (UID 2)\r\n* 2 FETCH (UID 4)\r\n"
		    "* 3 FETCH (UID 5)\r\n* 4 FETCH (UID 7)\r\n"
		    "a OK FETCH done\r\n" },
		{ 3, "a FETCH 1:* UID\r\nb NOOP\r\n",
		    "* 2 FETCH (UID 4)\r\n* 3 FETCH (UID 5)\r\n"
		    "* 4 FETCH (UID 7)\r\n"
		    "a OK [MESSAGELIMIT 3 4] FETCH done\r\n"
		    "b OK NOOP done\r\n" },
		{ 2, "a FETCH 1,3:4 UID\r\n",
		    "* 3 FETCH (UID 5)\r\n* 4 FETCH (UID 7)\r\n"
		    "a OK [MESSAGELIMIT 2 5] FETCH done\r\n" },
		{ 2, "a UID FETCH 1:2,4,6:9 UID\r\n",
		    "* 2 FETCH (UID 4)\r\n* 4 FETCH (UID 7)\r\n"
		    "a OK [MESSAGELIMIT 2 4] UID FETCH done\r\n" },
		{ 2, "a UID FETCH 1:3,6:* UID\r\n",
		    "* 1 FETCH (UID 2)\r\n* 4 FETCH (UID 7)\r\n"
		    "a OK UID FETCH done\r\n" },
		{ 2, "a FETCH 1:* UID (PARTIAL -1:-2)\r\n",
		    "* 3 FETCH (UID 5)\r\n* 4 FETCH (UID 7)\r\n"
		    "a OK FETCH done\r\n" },
		{ 2, "a FETCH 1:* UID (PARTIAL 1:3)\r\n",
		    "a NO [MESSAGELIMIT 2] PARTIAL asks for too many\r\n" },
		{ 3, "a UID SEARCH ALL\r\nb SEARCH UNDELETED\r\n",
		    "* SEARCH 4 5 7\r\n"
		    "a OK [MESSAGELIMIT 3 4] UID SEARCH done\r\n"
		    "* SEARCH 2 3 4\r\n"
		    "b OK [MESSAGELIMIT 3 4] SEARCH done\r\n" },
		{ 4, "a UID SEARCH ALL\r\n",
		    "* SEARCH 2 4 5 7\r\na OK UID SEARCH done\r\n" },
		{ 2, "a UID SEARCH UID 1:4\r\nb SEARCH 1:2 (UNDELETED)\r\n"
		    "c UID SEARCH (UNDELETED UIDBEFORE 5)\r\n"
		    "d UID SEARCH UIDAFTER 2\r\n",
		    "* SEARCH 2 4\r\na OK UID SEARCH done\r\n"
		    "* SEARCH 1 2\r\nb OK SEARCH done\r\n"
		    "* SEARCH 2 4\r\nc OK UID SEARCH done\r\n"
		    "* SEARCH 5 7\r\n"
		    "d OK [MESSAGELIMIT 2 5] UID SEARCH done\r\n" },
		{ 9, "a UID SEARCH UIDAFTER 4\r\nb UID SEARCH UIDAFTER 7\r\n"
		    "c UID SEARCH UIDAFTER 4294967295\r\n"
		    "d UID SEARCH UIDBEFORE 4\r\ne UID SEARCH UIDBEFORE 1\r\n"
		    "f UID SEARCH NOT UIDBEFORE 5\r\n"
		    "g SEARCH UIDBEFORE 0\r\nh SEARCH UIDAFTER *\r\n",
		    "* SEARCH 5 7\r\na OK UID SEARCH done\r\n"
		    "* SEARCH\r\nb OK UID SEARCH done\r\n"
		    "* SEARCH\r\nc OK UID SEARCH done\r\n"
		    "* SEARCH 2\r\nd OK UID SEARCH done\r\n"
		    "* SEARCH\r\ne OK UID SEARCH done\r\n"
		    "* SEARCH 5 7\r\nf OK UID SEARCH done\r\n"
		    "g BAD expected a UID\r\nh BAD expected a number\r\n" },
		{ 3, "a UID SEARCH RETURN (SAVE) ALL\r\nb UID SEARCH $\r\n"
		    "c SEARCH RETURN (COUNT MIN) ALL\r\n",
		    "a OK [MESSAGELIMIT 3 4] UID SEARCH done\r\n"
		    "* SEARCH 4 5 7\r\nb OK UID SEARCH done\r\n"
		    "* ESEARCH (TAG \"c\") MIN 2 COUNT 3\r\n"
		    "c OK [MESSAGELIMIT 3 4] SEARCH done\r\n" },
		{ 3, "a SORT (ARRIVAL) UTF-8 ALL\r\n"
		    "b THREAD REFS UTF-8 ALL\r\n"
		    "c UID SORT (ARRIVAL) UTF-8 UIDAFTER 2\r\n"
		    "d UID THREAD ORDEREDSUBJECT UTF-8 UID 4:5\r\n",
		    "a NO [MESSAGELIMIT 3] too many messages\r\n"
		    "b NO [MESSAGELIMIT 3] too many messages\r\n"
		    "* SORT 4 5 7\r\nc OK UID SORT done\r\n"
		    "* THREAD (4 5)\r\nd OK UID THREAD done\r\n" },
		{ 4, "a SORT (ARRIVAL) UTF-8 ALL\r\n",
		    "* SORT 1 2 3 4\r\na OK SORT done\r\n" },
		{ 3, "a ESEARCH RETURN (COUNT) ALL\r\n"
		    "b ESEARCH IN (personal) RETURN (COUNT) UID 4:9\r\n",
		    "* ESEARCH (TAG \"a\" MAILBOX INBOX UIDVALIDITY ) UID "
		    "COUNT 3\r\na OK [MESSAGELIMIT 3 4] ESEARCH done\r\n"
		    "* ESEARCH (TAG \"b\" MAILBOX INBOX UIDVALIDITY ) UID "
		    "COUNT 3\r\nb OK ESEARCH done\r\n" },
		{ 3, "a UID STORE 1:* +FLAGS (x)\r\n",
		    "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft "
		    "$Forwarded $Junk $NotJunk $Phishing $MDNSent x)\r\n"
		    "* 2 FETCH (UID 4 FLAGS (\\Recent x))\r\n"
		    "* 3 FETCH (UID 5 FLAGS (\\Recent x))\r\n"
		    "* 4 FETCH (UID 7 FLAGS (\\Recent x))\r\n"
		    "a OK [MESSAGELIMIT 3 4] UID STORE done\r\n" },
		{ 4, "a STORE 1:* +FLAGS.SILENT (\\Seen)\r\n",
		    "a OK STORE done\r\n" },
		{ 2, "a STORE 1:* +FLAGS.SILENT (\\Seen)\r\n"
		    "b UID SEARCH UNSEEN UIDBEFORE 5\r\n",
		    "a OK [MESSAGELIMIT 2 5] STORE done\r\n"
		    "* SEARCH 2 4\r\nb OK UID SEARCH done\r\n" },
		{ 1, "e ENABLE CONDSTORE\r\n"
		    "a UID STORE 1:* (UNCHANGEDSINCE 1) +FLAGS (x)\r\n",
		    "* ENABLED CONDSTORE\r\n* OK [HIGHESTMODSEQ ] changes are "
		    "numbered\r\ne OK ENABLE done\r\n"
		    "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft "
		    "$Forwarded $Junk $NotJunk $Phishing $MDNSent x)\r\n"
		    "* NO [MESSAGELIMIT 1 7] not done for all messages\r\n"
		    "a OK [MODIFIED 7] some messages changed since\r\n" },
		{ 3, "a COPY 1:* Other\r\nb UID COPY 1:4 Other\r\n",
		    "a NO [MESSAGELIMIT 3 4] too many messages to copy at "
		    "once\r\nb OK [COPYUID  2,4 1:2] UID COPY done\r\n" },
		{ 4, "a COPY 1:* Other\r\n",
		    "a OK [COPYUID  2,4:5,7 1:4] COPY done\r\n" },
		{ 3, "a UID MOVE 1:* Other\r\nb UID MOVE 1:* Other\r\n",
		    "* OK [COPYUID  4:5,7 1:3] moved\r\n* 2 EXPUNGE\r\n"
		    "* 2 EXPUNGE\r\n* 2 EXPUNGE\r\n"
		    "a OK [MESSAGELIMIT 3 4] UID MOVE done\r\n"
		    "* OK [COPYUID  2 4] moved\r\n* 1 EXPUNGE\r\n"
		    "b OK UID MOVE done\r\n" },
		{ 2, "a STORE 1:2 +FLAGS.SILENT (\\Deleted)\r\n"
		    "b STORE 3 +FLAGS.SILENT (\\Deleted)\r\n"
		    "c UID EXPUNGE 1:*\r\nd UID EXPUNGE 1:*\r\n",
		    "a OK STORE done\r\nb OK STORE done\r\n"
		    "* 2 EXPUNGE\r\n* 2 EXPUNGE\r\n"
		    "c OK [MESSAGELIMIT 2 4] UID EXPUNGE done\r\n"
		    "* 1 EXPUNGE\r\nd OK UID EXPUNGE done\r\n" },
		{ 2, "e ENABLE CONDSTORE\r\n"
		    "a STORE 1:2 +FLAGS.SILENT (\\Deleted)\r\n"
		    "b STORE 3 +FLAGS.SILENT (\\Deleted)\r\n"
		    "c UID EXPUNGE 1:*\r\n",
		    "* ENABLED CONDSTORE\r\n* OK [HIGHESTMODSEQ ] changes are "
		    "numbered\r\ne OK ENABLE done\r\n"
		    "* 1 FETCH (UID 2 MODSEQ ())\r\n"
		    "* 2 FETCH (UID 4 MODSEQ ())\r\n"
		    "a OK STORE done\r\n* 3 FETCH (UID 5 MODSEQ ())\r\n"
		    "b OK STORE done\r\n* 2 EXPUNGE\r\n* 2 EXPUNGE\r\n"
		    "* NO [MESSAGELIMIT 2 4] not done for all messages\r\n"
		    "c OK [HIGHESTMODSEQ ] UID EXPUNGE done\r\n" },
		{ 1, "a STORE 1 +FLAGS.SILENT (\\Deleted)\r\n"
		    "b STORE 2 +FLAGS.SILENT (\\Deleted)\r\nc EXPUNGE\r\n",
		    "a OK STORE done\r\nb OK STORE done\r\n"
		    "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\nc OK EXPUNGE done\r\n" },
	};
	char *got;
	size_t i;

	for (i = 0; i < sizeof(r) / sizeof(r[0]); i++) {
		assert_int_equal(each_store(state), 0);
		got = say(r[i].in, r[i].limit, NULL);
		hide_numbers(got);
		assert_string_equal(got, r[i].want);
		free(got);
		assert_int_equal(remove_store(state), 0);
	}
}

static void
switched_off(void **state)
{
	char *got;

	assert_int_equal(each_store(state), 0);
	got = say("a UID SEARCH ALL\r\n", 3, "MESSAGELIMIT");
	assert_string_equal(got,
	    "* SEARCH 2 4 5 7\r\na OK UID SEARCH done\r\n");
	free(got);
	assert_int_equal(remove_store(state), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "I-23 MESSAGELIMIT (RFC 9738): at the limit and past it",
		    rows, NULL, NULL, NULL },
		{ "I-23 MESSAGELIMIT is not kept where it is switched off",
		    switched_off, NULL, NULL, NULL },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
