/* junk-score - is a message junk, by its words? See junk-score(1) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "account/account.h"
#include "base/base.h"
#include "junk/junk.h"
#include "mime/mime.h"
#include "store/store.h"

static const char usage[] =
    "usage: junk-score [-q] [-g grams] [-o name=value] -a account | -d file "
    "< message\n"
    "       junk-score -b [-g grams] [-o name=value] -a account | -d file "
    "path ...";

/* The default SMTP size limit is a tenth of that. */
#define MESSAGE_MAX ((size_t)1024 * 1024 * 1024)
#define LINE_MAX_BYTES ((size_t)64 * 1024)
#define FIELD "Pipemail-Junk"
#define OPTIONS_MAX 100
/* Columns of a line before it is folded (RFC 5322 2.1.1). */
#define LINE_WIDTH 78

/* A path that is not there was named by the caller. */
static int
exit_of(int err)
{
	return err == ENOENT ? EXIT_PERM : exit_for(err);
}

struct job {
	const char *account_name, *file_name;	/* one of them */
	struct account account;
	struct store_view *view;
	struct junk_file file;
	struct junk_counts *counts;
	struct junk_words words;
	struct junk_options options;
	const char *option[OPTIONS_MAX];	/* -o, after the account's */
	size_t option_count;
	unsigned int grams;	/* 0: the account's, or 1 */
	struct buf line;
	struct buf out;		/* of many, written now and then */
	bool quiet, many;
};

/* ---- options ---- */

static bool
read_number(const char *text, double max, double *out)
{
	char *end;
	double v;

	if (!ascii_is_digit(text[0]) && text[0] != '.')
		return false;
	v = strtod(text, &end);
	if (*end != '\0' || !(v >= 0 && v <= max))
		return false;
	*out = v;
	return true;
}

/* "threshold=0.9". */
static bool
set_option(struct junk_options *o, const char *text)
{
	double rare = o->rare_words, top = o->top_words,
	    significant = o->significant;
	const struct {
		const char *name;
		double *value, max;
	} table[] = {
		{ "threshold=", &o->threshold, 1 },
		{ "max-power=", &o->max_power, 0.5 },
		{ "ignore-words=", &o->ignore_words, 0.5 },
		{ "rare-words=", &rare, 9 },
		{ "prior=", &o->prior, 100 },
		{ "top-words=", &top, JUNK_WORDS_MAX },
		{ "norm=", &o->norm, 1 },
		{ "body=", &o->body, 100 },
		{ "scale=", &o->scale, 100 },
		{ "significant=", &significant, 1e6 },
	};
	struct bytes s = bytes_str(text), name;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		name = bytes_str(table[i].name);
		if (!bytes_starts(s, name))
			continue;
		if (!read_number(text + name.n, table[i].max, table[i].value))
			return false;
		o->rare_words = (unsigned int)rare;
		o->top_words = (unsigned int)top;
		o->significant = (unsigned int)significant;
		return true;
	}
	return false;
}

/* ---- judging ---- */

/* The line of a message in j->line; its exit code for -q. */
static int
judge(struct job *j, struct bytes message)
{
	struct junk_score s;

	junk_words_read(&j->words, message);
	buf_reset(&j->line);
	if (junk_score(j->counts, &j->words, &j->options, &s) == -1)
		return -1;
	if (junk_format_line(&j->line, &j->words, &j->options, &s) == -1)
		return -1;
	return !s.significant || s.probability > j->options.threshold
	    ? EXIT_NO : EXIT_YES;
}

static void
flush_out(struct job *j)
{
	if (io_write_all(STDOUT_FILENO, buf_bytes(&j->out), DEADLINE_NONE)
	    == -1)
		msg_diesys(EXIT_TEMP, "cannot write");
	buf_reset(&j->out);
}

static int
judge_one(void *ctx, const char *name, struct bytes message)
{
	struct job *j = ctx;

	if (judge(j, message) == -1)
		return -1;
	if (j->out.n + strlen(name) * 4 + j->line.n + 2 > j->out.max)
		flush_out(j);
	(void)msg_escape(&j->out, bytes_str(name));	/* there is room */
	(void)buf_addc(&j->out, '\t');
	(void)buf_add(&j->out, buf_bytes(&j->line));
	return buf_addc(&j->out, '\n');
}

static void
judge_many(struct job *j, char *const path[])
{
	struct arena a = ARENA_INIT;
	const char *where = "";

	if (junk_counts_load(j->counts) == -1)
		msg_diesys(exit_for(errno), "cannot read words");
	for (; *path != NULL; path++) {
		if (junk_walk(&a, *path, judge_one, j, &where) == -1)
			msg_diesys(exit_of(errno), "cannot judge %s", where);
	}
	flush_out(j);
	arena_free(&a);
}

/* ---- the filter ---- */

/* The line "From sender date" of an mbox, which delivery agents put in front of
 * a message and want back there; empty: there is none. */
static struct bytes
postmark(struct bytes message)
{
	size_t at;

	return bytes_starts(message, BYTES("From ")) &&
	    bytes_chr(message, '\n', &at) ? bytes_first(message, at + 1)
	    : BYTES_EMPTY;
}

/* A column, continued after a comma where a line gets long. */
static void
add_column(struct buf *out, struct bytes column, const char *end)
{
	struct bytes piece;
	size_t width = 8;
	bool more = true;

	while (more) {
		more = bytes_split(&column, ',', &piece);
		if (width > 8 && width + piece.n + 1 > LINE_WIDTH) {
			(void)buf_adds(out, end);
			(void)buf_addc(out, '\t');
			width = 8;
		}
		(void)buf_add(out, piece);
		if (more)
			(void)buf_addc(out, ',');
		width += piece.n + 1;
	}
}

/* The field: the columns, each from a line of its own on. */
static void
add_field(struct buf *out, struct bytes columns, const char *end)
{
	struct bytes column;
	bool more = true;

	(void)buf_adds(out, FIELD ": ");	/* the caller looks at full */
	while (more) {
		more = bytes_split(&columns, '\t', &column);
		add_column(out, column, end);
		(void)buf_adds(out, more ? ";" : "");
		(void)buf_adds(out, end);
		if (more)
			(void)buf_addc(out, '\t');
	}
}

/* Forged fields are not copied. */
static void
write_message(struct job *j, struct bytes message)
{
	struct bytes first = postmark(message), header, body;
	struct bytes text = bytes_from(message, first.n);
	struct mime_field f;
	const char *end = "\n";
	size_t at;

	if (bytes_chr(message, '\n', &at) && at > 0 &&
	    message.p[at - 1] == '\r')
		end = "\r\n";
	mime_split(text, &header, &body);
	(void)buf_add(&j->out, first);		/* full is checked */
	add_field(&j->out, buf_bytes(&j->line), end);
	body = bytes_from(text, header.n);
	while (mime_next_field(&header, &f)) {
		if (!bytes_caseeq(f.name, BYTES(FIELD)))
			(void)buf_add(&j->out, f.raw);
	}
	(void)buf_add(&j->out, body);
	if (j->out.full)
		msg_die(EXIT_PERM, "too large a message");
	flush_out(j);
}

static int
filter(struct job *j)
{
	struct buf in = BUF_INIT(MESSAGE_MAX);
	int code;

	if (io_read_all(STDIN_FILENO, &in, DEADLINE_NONE) == -1)
		msg_diesys(exit_for(errno), "cannot read message");
	code = judge(j, buf_bytes(&in));
	if (code == -1)
		msg_diesys(exit_for(errno), "cannot judge");
	if (j->quiet) {
		(void)buf_add(&j->out, buf_bytes(&j->line)); /* it fits */
		(void)buf_addc(&j->out, '\n');
		flush_out(j);
	} else {
		write_message(j, buf_bytes(&in));
	}
	buf_free(&in);
	return j->quiet ? code : EXIT_YES;
}

/* ---- where the counts are ---- */

static void
note(const char *line)
{
	msg_info("%s", line);
}

static void
open_counts(struct job *j)
{
	const char *why;

	if (j->file_name != NULL) {
		if (junk_file_open(&j->file, j->file_name, false, &why) == -1)
			msg_diesys(exit_of(errno), "cannot open %s: %s",
			    j->file_name, why);
		j->counts = junk_counts_open(j->file.txn, j->file.table);
		return;
	}
	j->account.note = note;
	if (account_open(&j->account, j->account_name) == -1)
		msg_die(account_exit(errno), "cannot open account %s: %s",
		    j->account_name, j->account.problem);
	if ((j->view = store_view_open(j->account.store)) == NULL)
		msg_diesys(account_exit(errno), "cannot read the index");
	j->counts = store_junk_counts(j->view);
	account_junk_options(j->account.config, j->account_name, &j->options);
	if (j->grams == 0)
		j->grams = store_junk_grams(j->view);
}

/* What is given in arguments counts more than the account's. */
static void
set_options(struct job *j)
{
	size_t i;

	for (i = 0; i < j->option_count; i++)
		(void)set_option(&j->options, j->option[i]); /* was read */
}

static void
close_counts(struct job *j)
{
	junk_counts_close(j->counts);
	if (j->file_name != NULL) {
		(void)junk_file_close(&j->file, false);	/* only read */
		return;
	}
	store_view_close(j->view);
	account_close(&j->account);
}

static void
read_options(struct job *j, int argc, char *argv[])
{
	struct junk_options ignored = JUNK_DEFAULT;
	uint64_t grams = 0;
	int c;

	while ((c = getopt(argc, argv, "bqa:d:g:o:")) != -1) {
		if (c == 'b')
			j->many = true;
		else if (c == 'q')
			j->quiet = true;
		else if (c == 'a')
			j->account_name = optarg;
		else if (c == 'd')
			j->file_name = optarg;
		else if (c == 'o' && j->option_count < OPTIONS_MAX &&
		    set_option(&ignored, optarg))
			j->option[j->option_count++] = optarg;
		else if (c != 'g' || num_parse(bytes_str(optarg), 1, 7,
		    &grams) == -1)
			msg_usage(usage);
	}
	j->grams = (unsigned int)grams;
	if ((j->file_name == NULL) == (j->account_name == NULL) ||
	    j->many == (optind == argc) || (j->many && j->quiet))
		msg_usage(usage);
}

int
main(int argc, char *argv[])
{
	struct job j = { .options = JUNK_DEFAULT,
	    .line = BUF_INIT(LINE_MAX_BYTES),
	    .out = BUF_INIT(MESSAGE_MAX + LINE_MAX_BYTES) };
	int code = EXIT_YES;

	msg_init("junk-score");
	read_options(&j, argc, argv);
	if (j.many)
		j.out.max = 4 * LINE_MAX_BYTES;
	open_counts(&j);
	set_options(&j);
	junk_words_init(&j.words, j.grams, true);
	if (j.many)
		judge_many(&j, argv + optind);
	else
		code = filter(&j);
	close_counts(&j);
	junk_words_free(&j.words);
	buf_free(&j.line);
	buf_free(&j.out);
	return code;
}
