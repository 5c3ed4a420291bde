/*
 * imap_fuzz.c - bytes of a client against both IMAP machines
 *
 * Properties: before login, the replies do not depend on how the input is
 * cut into pieces; after login, whatever is said is a sequence of whole
 * lines with literals as long as they say.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "imap/imap.h"
#include "store/store.h"

#define INPUT_MAX 4096

static struct store *store;
static char dir[] = "/tmp/imap_fuzz.XXXXXX";
static char account_dir[64], run_dir[64], tmp_dir[128];

static const char *const messages[] = {
	"From: \"A B\" <a@example.org>\nTo: b@example.org\n"
	    "Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\n"
	    "Date: Fri, 20 Nov 2026 12:00:00 +0100\n"
	    "Message-ID: <1@example.org>\nContent-Type: multipart/mixed; "
	    "boundary=x\n\n--x\n\ntext\n--x\nContent-Type: message/rfc822\n\n"
	    "Subject: inner\n\ninner text\n--x--\n",
	"Subject: two\n\nbody\r\nwith crlf\r\n\rand cr",
	"",
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static int
remove_entry(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
remove_dir(void)
{
	store_close(store);
	nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct store_options o = { .account = "fuzz", .dir = account_dir,
	    .run = run_dir, .create = true };
	size_t i;

	(void)argc;
	(void)argv;
	must(mkdtemp(dir) != NULL);
	snprintf(account_dir, sizeof(account_dir), "%s/fuzz", dir);
	snprintf(run_dir, sizeof(run_dir), "%s/run", dir);
	snprintf(tmp_dir, sizeof(tmp_dir), "%s/Maildir/tmp", account_dir);
	store = store_open(&o);
	must(store != NULL);
	for (i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		struct bytes piece = bytes_str(messages[i]);
		struct store_incoming m = { .pieces = &piece, .count = 1,
		    .internal_date = 1790000000 };

		must(store_deliver(store, BYTES("INBOX"), &m, NULL) == 0);
	}
	atexit(remove_dir);
	return 0;
}

/* Before login: everything said, logins failing, in pieces of piece. */
static void
run_login(struct bytes in, size_t piece, struct buf *said)
{
	struct imap_login_options o = { true, "PLAIN LOGIN" };
	struct imap_login *l = imap_login_new(&o);
	enum imap_login_action a;

	for (;;) {
		a = imap_login_step(l);
		buf_add(said, buf_bytes(imap_login_output(l)));
		buf_reset(imap_login_output(l));
		if (a == IMAP_LOGIN_CLOSE)
			break;
		if (a == IMAP_LOGIN_AUTH && !imap_login_has_response(l))
			imap_login_challenge(l, BYTES("VXNlcm5hbWU6"));
		else if (a == IMAP_LOGIN_AUTH || a == IMAP_LOGIN_CONTINUE)
			imap_login_failed(l, "AUTHENTICATIONFAILED", "");
		if (a != IMAP_LOGIN_READ)
			continue;
		if (in.n == 0)
			break;
		imap_login_input(l, bytes_first(in, piece));
		in = bytes_from(in, piece);
	}
	imap_login_free(l);
}

/* Lines end in CRLF; a line that ends in {n} goes on after n bytes. */
static void
check_output(struct bytes s)
{
	struct bytes skipped;
	size_t at, open;
	uint64_t n;

	while (s.n > 0) {
		must(bytes_find(s, BYTES("\r\n"), &at));
		if (at > 2 && s.p[at - 1] == '}' &&
		    bytes_rchr(bytes_first(s, at), '{', &open) &&
		    num_parse(bytes_of(s.p + open + 1, at - open - 2), 0,
		    UINT32_MAX, &n) == 0 && s.p[0] == '*')
			at += n;
		must(bytes_cut(&s, at + 2, &skipped));
	}
}

/* After login. An output that ends in the middle is one that waits. */
static void
run_session(struct bytes in, size_t piece)
{
	struct imap_options o = { .store = store, .account = "fuzz",
	    .tmp_dir = tmp_dir, .append_max = 1000 };
	struct imap *im = imap_new(&o, BYTES("t"));
	struct buf said = BUF_INIT(64 * 1024 * 1024);
	enum imap_action a;
	size_t n;

	imap_input(im, BYTES("s EXAMINE INBOX\r\n"));
	for (;;) {
		a = imap_step(im);
		buf_add(&said, buf_bytes(imap_output(im)));
		buf_reset(imap_output(im));
		if (a == IMAP_CLOSE)
			break;
		if (a == IMAP_WRITE)
			continue;
		if (a == IMAP_IDLE)
			imap_changed(im, false);
		if (in.n == 0) {
			imap_input_end(im);
			continue;
		}
		n = piece < imap_room(im) ? piece : imap_room(im);
		must(n > 0);
		imap_input(im, bytes_first(in, n));
		in = bytes_from(in, n);
	}
	check_output(buf_bytes(&said));
	buf_free(&said);
	imap_free(im);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT(1024 * 1024), parts = whole;
	struct bytes in = bytes_of(data, size);

	if (size < 1 || size > INPUT_MAX)
		return 0;
	in = bytes_from(in, 1);
	run_login(in, SIZE_MAX, &whole);
	run_login(in, (size_t)data[0] % 16 + 1, &parts);
	must(bytes_eq(buf_bytes(&whole), buf_bytes(&parts)));
	run_session(in, (size_t)data[0] + 1);
	buf_free(&whole);
	buf_free(&parts);
	return 0;
}
