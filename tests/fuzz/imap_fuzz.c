/*
 * imap_fuzz.c - bytes of a client against both IMAP machines
 *
 * Properties: before login, the replies do not depend on how the input is
 * cut into pieces; after login, whatever is said is a sequence of whole
 * lines with literals as long as they say, without message numbers once
 * UIDONLY is enabled; a set is the same after parse, format, parse.
 *
 * Of the first byte the low six bits choose the size of the pieces, the
 * others what is enabled.
 */
#include "folder.h"
#include "imap/imap.h"
#include "store/store.h"

#define INPUT_MAX 4096

static struct store *store;
static char account_dir[80], run_dir[80], tmp_dir[128];

static const char *const messages[] = {
	"From: \"A B\" <a@example.org>\nTo: b@example.org\n"
	    "Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\n"
	    "Date: Fri, 20 Nov 2026 12:00:00 +0100\n"
	    "Message-ID: <1@example.org>\nContent-Type: multipart/mixed; "
	    "boundary=x\n\n--x\n\ntext\n--x\nContent-Type: message/rfc822\n\n"
	    "Subject: inner\n\ninner text\n--x--\n",
	"Subject: two\n\nbody\r\nwith crlf\r\n\rand cr",
	"Content-Type: multipart/mixed; boundary=x\n\n--x\n"
	    "Content-Transfer-Encoding: base64\n\nYQBi\n--x\n"
	    "Content-Transfer-Encoding: quoted-printable\n\na=3D=\nb\n"
	    "--x--\n",
	"",
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
close_store(void)
{
	store_close(store);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct store_options o = { .account = "fuzz", .dir = account_dir,
	    .run = run_dir, .create = true };
	size_t i;

	(void)argc;
	(void)argv;
	make_dir("imap_fuzz");
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
		must(store_deliver(store, BYTES("T"), &m, NULL) == 0);
	}
	must(atexit(close_store) == 0);
	return 0;
}

/* Before login: everything said, logins failing, in pieces of piece. */
static void
run_login(struct bytes in, size_t piece, struct buf *said)
{
	struct imap_login_options o = { .plain_login = true,
	    .mechanisms = "PLAIN LOGIN" };
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

#define MODES 4
#define MODE_UIDONLY 3
static const char *const preludes[MODES] = {
	"s EXAMINE INBOX\r\n",
	"e ENABLE QRESYNC\r\ns EXAMINE INBOX (QRESYNC (1 1))\r\n",
	"e ENABLE IMAP4rev2 UTF8=ACCEPT\r\ns SELECT T\r\n",
	"e ENABLE UIDONLY QRESYNC\r\ns EXAMINE INBOX\r\n",
};

/* "* 5 FETCH", "* 5 EXPUNGE": by message number. */
static bool
by_number(struct bytes line)
{
	uint64_t n;

	return bytes_skip(&line, BYTES("* ")) &&
	    num_cut(&line, UINT32_MAX, &n) == 0 &&
	    (bytes_starts(line, BYTES(" FETCH ")) ||
	    bytes_starts(line, BYTES(" EXPUNGE")));
}

/* Lines end in CRLF; a line that ends in {n} goes on after n bytes. */
static void
check_output(struct bytes s, bool uid_only)
{
	bool inside = false;
	struct bytes skipped;
	size_t at, open;
	uint64_t n;

	while (s.n > 0) {
		must(bytes_find(s, BYTES("\r\n"), &at));
		must(!uid_only || inside || !by_number(s));
		inside = false;
		if (at > 2 && s.p[at - 1] == '}' &&
		    bytes_rchr(bytes_first(s, at), '{', &open) &&
		    num_parse(bytes_of(s.p + open + 1, at - open - 2), 0,
		    UINT32_MAX, &n) == 0 && s.p[0] == '*') {
			at += n;
			inside = true;
		}
		must(bytes_cut(&s, at + 2, &skipped));
	}
}

/* A session in IDLE that can rest comes back as it was. */
static struct imap *
rest(struct imap *im, const struct imap_options *o)
{
	struct buf state = BUF_INIT(IMAP_REST_MAX), again = state;
	struct imap *back = im;

	if (imap_keep(im, &state)) {
		must((back = imap_restore(o, buf_bytes(&state))) != NULL);
		imap_free(im);
		must(imap_step(back) == IMAP_IDLE);
		must(imap_keep(back, &again));
		must(bytes_eq(buf_bytes(&state), buf_bytes(&again)));
	}
	buf_free(&state);
	buf_free(&again);
	return back;
}

/* What imap-idle and imap-serve tell each other. */
static void
run_rest(struct bytes in)
{
	struct imap_options o = { .store = store, .account = "fuzz",
	    .tmp_dir = tmp_dir, .append_max = 1000 };
	struct buf b = BUF_INIT(IMAP_REST_MAX);
	struct imap_rest r;

	imap_free(imap_restore(&o, in));
	if (imap_rest_parse(in, &r) == 0) {
		must(imap_rest_format(&r, &b) == 0);
		must(bytes_eq(buf_bytes(&b), in));
		imap_free(imap_restore(&o, r.state));
	}
	buf_free(&b);
}

/* What a session and one of another account tell each other. */
static int
take(void *ctx, struct bytes s)
{
	return buf_add(ctx, s);
}

static void
run_ask(struct bytes in)
{
	struct imap_options o = { .store = store, .account = "fuzz",
	    .tmp_dir = tmp_dir, .append_max = 1000 };
	struct buf b = BUF_INIT(64 * 1024 * 1024);
	unsigned char head[IMAP_ANSWER_HEAD];
	struct imap_answer a;
	struct imap_ask q;

	if (imap_ask_parse(in, &q) == 0) {
		must(imap_ask_format(&q, &b) == 0);
		must(bytes_eq(buf_bytes(&b), in));
		buf_reset(&b);
		must(imap_answer(&o, &q, take, &b) != -1);
		must(b.n >= sizeof(head) &&
		    imap_answer_parse(b.p, 1000, &a) == 0);
		must(b.n == sizeof(head) + a.structure_bytes + a.data_bytes);
	}
	if (in.n >= sizeof(head) && imap_answer_parse(in.p, 1000, &a) == 0) {
		imap_answer_format(&a, head);
		must(bytes_eq(bytes_of(head, sizeof(head)),
		    bytes_first(in, sizeof(head))));
	}
	buf_free(&b);
}

/* After login. An output that ends in the middle is one that waits. */
static void
run_session(struct bytes in, size_t piece, unsigned int mode)
{
	struct imap_options o = { .store = store, .account = "fuzz",
	    .tmp_dir = tmp_dir, .append_max = 1000, .asks = true };
	struct imap *im = imap_new(&o, BYTES("t"));
	struct buf said = BUF_INIT(64 * 1024 * 1024);
	enum imap_action a;
	size_t n;

	imap_input(im, bytes_str(preludes[mode]));
	for (;;) {
		a = imap_step(im);
		buf_add(&said, buf_bytes(imap_output(im)));
		buf_reset(imap_output(im));
		if (a == IMAP_CLOSE)
			break;
		if (a == IMAP_ASK)
			imap_answered(im, NULL, -1);
		if (a == IMAP_WRITE || a == IMAP_BUSY || a == IMAP_ASK)
			continue;
		if (a == IMAP_IDLE) {
			im = rest(im, &o);
			imap_changed(im, false);
		}
		if (in.n == 0) {
			imap_input_end(im);
			continue;
		}
		n = piece < imap_room(im) ? piece : imap_room(im);
		must(n > 0);
		imap_input(im, bytes_first(in, n));
		in = bytes_from(in, n);
	}
	check_output(buf_bytes(&said), mode == MODE_UIDONLY);
	buf_free(&said);
	imap_free(im);
}

static bool
same(const struct imap_set *x, const struct imap_set *y)
{
	return x->n == y->n && (x->n == 0 ||
	    memcmp(x->ranges, y->ranges, x->n * sizeof(*x->ranges)) == 0);
}

static void
run_set(struct bytes in)
{
	struct arena a = ARENA_INIT;
	struct buf text = BUF_INIT(1024 * 1024);
	struct imap_set set, again, both;

	if (imap_set_parse(&a, in, &set) == 0) {
		imap_set_resolve(&set, 1000);
		must(imap_add_ranges(&text, &set) == 0);
		must(imap_set_parse(&a, buf_bytes(&text), &again) == 0);
		imap_set_resolve(&again, UINT32_MAX);
		imap_set_both(&a, &set, &again, &both);
		must(same(&set, &again) && same(&set, &both));
	}
	buf_free(&text);
	arena_free(&a);
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
	run_session(in, (size_t)data[0] % 64 + 1, data[0] / 64);
	run_set(in);
	run_rest(in);
	run_ask(in);
	buf_free(&whole);
	buf_free(&parts);
	return 0;
}
