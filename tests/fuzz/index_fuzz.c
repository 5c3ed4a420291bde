/*
 * index_fuzz.c - an index with bytes changed, or cut short, at the first
 * opening under another boot
 *
 * It is refused or repaired: whatever the index says, what is opened can be
 * read, verified and rebuilt (store-index -r), and then all messages of the
 * Maildir are in it and nothing contradicts.
 *
 * The input is what damage.h makes of the file.
 */
#include "damage.h"
#include "store/store.h"

#include <errno.h>
#include <sys/stat.h>

#define MESSAGES 4

static char account[80], kept[80], run[80];

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Copy one file or folder of the kept account to the one that is opened. */
static int
copy_entry(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	struct buf b = BUF_INIT(1 << 20);
	char to[256];

	(void)st;
	(void)ftw;
	(void)snprintf(to, sizeof(to), "%s%s", account, path + strlen(kept));
	if (type == FTW_D)
		return mkdir(to, 0700) == 0 || errno == EEXIST ? 0 : -1;
	must(io_read_file(AT_FDCWD, path, &b) == 0);
	write_file(to, b.p, b.n);
	buf_free(&b);
	return 0;
}

static struct store *
open_store(bool create)
{
	struct store_options o = { .account = "fuzz", .dir = account,
	    .run = run, .hostname = "mail.test", .create = create };

	return store_open(&o);
}

static void
fill(struct store *s)
{
	static const char *const text[] = { "Subject: one\nMessage-ID: <1@x>"
	    "\n\nbody\n", "Authentication-Results: mail.test; dkim=pass "
	    "header.d=x.org\nReceived: from h.org (unknown [192.0.2.1]) by "
	    "mail.test; x\nFrom: a@x.org\nSubject: Re: one\n"
	    "References: <1@x>\n\nagain\n" };
	struct bytes piece, blue = BYTES("blue");
	struct store_incoming m = { .pieces = &piece, .count = 1,
	    .internal_date = 1790000000 };
	size_t i;

	for (i = 0; i < MESSAGES; i++) {
		piece = bytes_str(text[i % 2]);
		m.flags = i == 1 ? STORE_SEEN | STORE_JUNK : 0;
		m.keywords = i == 2 ? &blue : NULL;
		m.keyword_count = i == 2;
		must(store_deliver(s, i == 3 ? BYTES("T") : BYTES("INBOX"),
		    &m, NULL) == 0);
	}
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[128], away[128];
	struct store *s;

	(void)argc;
	(void)argv;
	make_dir("index_fuzz");
	(void)snprintf(account, sizeof(account), "%s/fuzz", dir);
	(void)snprintf(kept, sizeof(kept), "%s/kept", dir);
	(void)snprintf(run, sizeof(run), "%s/run", dir);
	must((s = open_store(true)) != NULL);
	fill(s);
	store_close(s);
	(void)snprintf(path, sizeof(path), "%s/index/data.mdb", account);
	learn_file(path);
	must(rename(account, kept) == 0);
	(void)snprintf(away, sizeof(away), "%s/index", kept);
	remove_tree(away);
	return 0;
}

/*
 * The account as it was, with the changed index, under another boot. Names of
 * files and numbers of mailboxes are others in each process, so an input alone
 * does not repeat a failure: kept/ and damaged.mdb, which an abort leaves in
 * the folder, do.
 */
static void
restore(struct bytes in)
{
	struct buf b;
	char path[128];

	remove_tree(account);
	must(nftw(kept, copy_entry, 16, FTW_PHYS) == 0);
	(void)snprintf(path, sizeof(path), "%s/index", account);
	must(mkdir(path, 0700) == 0);
	damage_file(in, &b);
	(void)snprintf(path, sizeof(path), "%s/index/data.mdb", account);
	write_file(path, b.p, b.n);
	(void)snprintf(path, sizeof(path), "%s/damaged.mdb", dir);
	write_file(path, b.p, b.n);
	buf_free(&b);
}

static void
read_thread(struct store_view *v, const struct store_message *m)
{
	struct store_place at = { 0, 0 };
	struct store_thread t;

	if (store_thread_get(v, m->mailbox, m->uid, &t) != 1)
		return;
	while (store_thread_next(v, t.id, &at) == 1)
		;
}

static void
read_rest(struct store_view *v, uint32_t mailbox)
{
	struct store_change change;
	struct store_uids uids;
	uint32_t i, n = 0;
	int r;

	for (r = store_uids_first(v, mailbox, &uids); r == 1;
	    r = store_uids_next(v, &uids)) {
		if (store_uids_want_unseen(v, &uids) == -1)
			break;
		for (i = 0; i < STORE_UID_BLOCK; i++)
			n += store_uids_has(&uids, i) +
			    store_uids_unseen(&uids, i);
	}
	for (r = store_change_first(v, 0, &change); r == 1;
	    r = store_change_next(v, &change))
		n += change.uid_last;
	(void)n;		/* read to be read */
}

/* Everything a reader may look at; the number of messages. */
static uint64_t
read_all(struct store *s)
{
	struct store_view *v = store_view_open(s);
	struct bytes at = BYTES_EMPTY;
	struct store_mailbox box;
	struct store_message m;
	uint64_t n = 0;

	if (v == NULL)
		return 0;
	while (store_mailbox_next(v, &at, &box) == 1) {
		int r = store_message_first(v, box.id, 1, &m);

		for (; r == 1; r = store_message_next(v, &m)) {
			read_thread(v, &m);
			n++;
		}
		read_rest(v, box.id);
	}
	store_view_close(v);
	return n;
}

static void
count_one(void *ctx, const struct store_contradiction *c)
{
	(void)c;
	++*(uint64_t *)ctx;
}

/* After that there is none to be. */
static void
tell(void *ctx, const struct store_contradiction *c)
{
	(void)fprintf(stderr, "%s %.*s %u %s\n", c->kind,
	    BYTES_ARG(c->mailbox), c->uid, c->detail);
	count_one(ctx, c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t seen = 0, count = 0;
	struct store_verify v = { .found = count_one, .ctx = &seen };
	struct store *s;

	if (size > CHANGE * CHANGES_MAX)
		return 0;
	restore(bytes_of(data, size));
	if ((s = open_store(false)) == NULL)
		return 0;
	(void)read_all(s);
	(void)store_verify(s, &v, &count);
	if (store_rebuild(s) == 0) {
		seen = 0;
		v.found = tell;
		must(store_verify(s, &v, &count) == 0);
		must(count == 0 && seen == 0);
		must(read_all(s) == MESSAGES);
	}
	store_close(s);
	return 0;
}
