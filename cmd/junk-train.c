/* junk-train - count words of wanted and unwanted mail. See junk-train(1) */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "account/account.h"
#include "base/base.h"
#include "junk/junk.h"
#include "store/store.h"

static const char usage[] =
    "usage: junk-train [-uv] [-g grams] [-h path] [-s path] -d file\n"
    "       junk-train [-rv] [-m mailbox [uid ...]] -a account\n"
    "       junk-train -r [-v]";

#define PATHS_MAX 1000

struct path {
	const char *name;
	enum junk_class class;
};

/* A path that is not there was named by the caller. */
static int
exit_of(int err)
{
	return err == ENOENT ? EXIT_PERM : exit_for(err);
}

struct job {
	struct path path[PATHS_MAX];
	size_t n;
	struct junk_file file;
	struct junk_words words;
	struct junk_batch *batch;
	enum junk_class class;
	int sign;
	uint64_t messages[2];
};

static void
add_path(struct job *j, const char *name, enum junk_class class)
{
	if (j->n == PATHS_MAX)
		msg_die(EXIT_PERM, "more than %d paths", PATHS_MAX);
	j->path[j->n++] = (struct path){ name, class };
}

static int
train(void *ctx, const char *name, struct bytes message)
{
	struct job *j = ctx;

	(void)name;		/* of no interest here */
	junk_words_read(&j->words, message);
	junk_batch_add(j->batch, &j->words, j->class, j->sign);
	j->messages[j->class]++;
	if (junk_batch_is_full(j->batch))
		return junk_batch_write(j->batch, j->file.txn,
		    j->file.table);
	return 0;
}

static void
train_all(struct job *j, const char *file)
{
	struct arena a = ARENA_INIT;
	const char *where = file;
	size_t i;

	for (i = 0; i < j->n; i++) {
		const char *name = j->path[i].name;

		j->class = j->path[i].class;
		if (junk_walk(&a, strcmp(name, "-") == 0 ? "/dev/stdin"
		    : name, train, j, &where) == -1)
			msg_diesys(exit_of(errno), "cannot train %s", where);
		arena_reset(&a);
	}
	if (junk_batch_write(j->batch, j->file.txn, j->file.table) == -1)
		msg_diesys(exit_for(errno), "cannot write %s", file);
	arena_free(&a);
}

/* Lines of a kind: now, and in all. */
static void
print_counts(const uint64_t now[2], uint32_t ham, uint32_t spam)
{
	if (printf("ham\t%llu\t%lu\nspam\t%llu\t%lu\n",
	    (unsigned long long)now[JUNK_HAM], (unsigned long)ham,
	    (unsigned long long)now[JUNK_SPAM], (unsigned long)spam) < 0 ||
	    fflush(stdout) == EOF)
		msg_diesys(EXIT_TEMP, "cannot write");
}

static void
finish(struct job *j, const char *file, bool verbose)
{
	uint32_t ham, spam;

	if (junk_totals(j->file.txn, j->file.table, &ham, &spam) == -1 ||
	    junk_file_close(&j->file, true) == -1)
		msg_diesys(exit_for(errno), "cannot write %s", file);
	if (verbose)
		print_counts(j->messages, ham, spam);
	junk_batch_free(j->batch);
	junk_words_free(&j->words);
}

static int
train_file(struct job *j, const char *file, unsigned int grams, bool verbose)
{
	const char *why;

	if (junk_file_open(&j->file, file, true, &why) == -1)
		msg_diesys(exit_of(errno), "cannot open %s: %s", file, why);
	junk_words_init(&j->words, grams, false);
	j->batch = junk_batch_new();
	train_all(j, file);
	finish(j, file, verbose);
	return EXIT_YES;
}

/* ---- an account ---- */

static void
note(const char *line)
{
	msg_info("%s", line);
}

/* What is trained of the open account. */
struct request {
	bool anew, verbose;
	const char *mailbox;		/* NULL: all */
	char **uids;			/* of it; none: all */
	size_t count;
};

/* What cannot be taken out any more, if there is such. */
static void
print_lost(const struct store_training_state *t)
{
	if (t->lost_ham + t->lost_spam > 0 && printf("lost\t%lu\t%lu\n",
	    (unsigned long)t->lost_ham, (unsigned long)t->lost_spam) < 0)
		msg_diesys(EXIT_TEMP, "cannot write");
}

/* Now, in all, and what is lost. */
static int
tell(struct store *s, const struct store_training_fill *done,
    const char *title)
{
	struct store_training_state state = { 0 };
	struct store_view *v = store_view_open(s);
	struct junk_counts *c;
	uint32_t ham, spam;
	int r;

	if (v == NULL)
		return -1;
	c = store_junk_counts(v);
	r = junk_counts_totals(c, &ham, &spam);
	junk_counts_close(c);
	if (r == 0)
		r = store_training_state(v, &state);
	store_view_close(v);
	if (r == -1)
		return -1;
	if (title != NULL && printf("account\t%s\n", title) < 0)
		msg_diesys(EXIT_TEMP, "cannot write");
	print_lost(&state);
	print_counts((uint64_t[]){ done->ham, done->spam }, ham, spam);
	return 0;
}

static int
train_store(struct account *a, const struct request *q, const char *title)
{
	struct store_training_fill ask = { .anew = q->anew };
	uint32_t *uids;

	if (q->mailbox == NULL) {
		if (store_sync(a->store, 0, false) == -1)
			return -1;
	} else if (account_mailbox(a, q->mailbox, &ask.mailbox) == -1) {
		return -1;
	} else if (q->count > 0) {
		account_start_uids(a, ask.mailbox, q->uids, q->count, &uids,
		    &ask.count);
		ask.uids = uids;
	}
	if (store_training_fill(a->store, &ask) == -1)
		return -1;
	return q->verbose ? tell(a->store, &ask, title) : 0;
}

static int
train_account(const char *name, const struct request *q, const char *title)
{
	struct account a = { .note = note };
	int code = EXIT_YES;

	if (account_open(&a, name) == -1) {
		msg_warn("cannot open account %s: %s", name, a.problem);
		return account_exit(errno);
	}
	if (train_store(&a, q, title) == -1) {
		code = account_exit(errno);
		msg_warnsys("cannot train account %s", name);
	}
	account_close(&a);
	return code;
}

struct request_all {
	const struct request *q;
	int code;
};

/* One that cannot be trained does not keep the others from it. */
static void
train_each(void *ctx, const char *name)
{
	struct request_all *all = ctx;

	if (train_account(name, all->q, name) != EXIT_YES)
		all->code = EXIT_TEMP;
}

static int
train_accounts(const struct request *q)
{
	struct request_all all = { q, EXIT_YES };

	account_each(train_each, &all);
	return all.code;
}

int
main(int argc, char *argv[])
{
	static struct job j = { .sign = 1 };
	const char *file = NULL, *account = NULL;
	struct request q = { 0 };
	uint64_t grams = 0;
	int c;

	msg_init("junk-train");
	while ((c = getopt(argc, argv, "ruva:d:g:h:m:s:")) != -1) {
		if (c == 'u')
			j.sign = -1;
		else if (c == 'r')
			q.anew = true;
		else if (c == 'v')
			q.verbose = true;
		else if (c == 'a')
			account = optarg;
		else if (c == 'd')
			file = optarg;
		else if (c == 'm')
			q.mailbox = optarg;
		else if (c == 'h')
			add_path(&j, optarg, JUNK_HAM);
		else if (c == 's')
			add_path(&j, optarg, JUNK_SPAM);
		else if (c != 'g' || num_parse(bytes_str(optarg), 1, 7,
		    &grams) == -1)
			msg_usage(usage);
	}
	q.uids = argv + optind;
	q.count = (size_t)(argc - optind);
	if ((q.count > 0 && q.mailbox == NULL) ||
	    (q.mailbox != NULL && account == NULL) ||
	    (file != NULL ? account != NULL || j.n == 0 || q.anew
	    : (account == NULL && !q.anew) || j.n > 0 || j.sign == -1 ||
	    grams != 0))
		msg_usage(usage);
	if (file != NULL)
		return train_file(&j, file, (unsigned int)grams, q.verbose);
	return account == NULL ? train_accounts(&q)
	    : train_account(account, &q, NULL);
}
