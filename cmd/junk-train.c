/* junk-train - count words of wanted and unwanted mail. See junk-train(1) */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/base.h"
#include "junk/junk.h"

static const char usage[] =
    "usage: junk-train [-uv] [-g grams] [-h path] [-s path] -d file";

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

static void
finish(struct job *j, const char *file, bool verbose)
{
	uint32_t ham, spam;

	if (junk_totals(j->file.txn, j->file.table, &ham, &spam) == -1 ||
	    junk_file_close(&j->file, true) == -1)
		msg_diesys(exit_for(errno), "cannot write %s", file);
	if (verbose && (printf("ham\t%llu\t%lu\nspam\t%llu\t%lu\n",
	    (unsigned long long)j->messages[JUNK_HAM], (unsigned long)ham,
	    (unsigned long long)j->messages[JUNK_SPAM], (unsigned long)spam)
	    < 0 || fflush(stdout) == EOF))
		msg_diesys(EXIT_TEMP, "cannot write");
	junk_batch_free(j->batch);
	junk_words_free(&j->words);
}

int
main(int argc, char *argv[])
{
	static struct job j = { .sign = 1 };
	const char *file = NULL, *why;
	bool verbose = false;
	uint64_t grams = 1;
	int c;

	msg_init("junk-train");
	while ((c = getopt(argc, argv, "uvd:g:h:s:")) != -1) {
		if (c == 'u')
			j.sign = -1;
		else if (c == 'v')
			verbose = true;
		else if (c == 'd')
			file = optarg;
		else if (c == 'h')
			add_path(&j, optarg, JUNK_HAM);
		else if (c == 's')
			add_path(&j, optarg, JUNK_SPAM);
		else if (c != 'g' || num_parse(bytes_str(optarg), 1, 7,
		    &grams) == -1)
			msg_die(EXIT_PERM, "%s", usage);
	}
	if (file == NULL || j.n == 0 || optind != argc)
		msg_die(EXIT_PERM, "%s", usage);
	if (junk_file_open(&j.file, file, true, &why) == -1)
		msg_diesys(exit_of(errno), "cannot open %s: %s", file, why);
	junk_words_init(&j.words, (unsigned int)grams, false);
	j.batch = junk_batch_new();
	train_all(&j, file);
	finish(&j, file, verbose);
	return EXIT_YES;
}
