/*
 * filters.c - programs of an account, on a message for it (B-32)
 *
 * Those of its configuration and of its file .pipemail come before its rules,
 * which see what they print; those of a rule once the message is accepted.
 * filter-run keeps each from all but its account's own folder.
 */
#include "lmtp_in.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of .pipemail: a person writes it. */
#define FILE_MAX ((size_t)64 * 1024)

struct list {
	struct bytes value[STAGE_LIST_MAX];
	size_t n;
	bool too_many;
};

static void
add(struct list *l, struct bytes command)
{
	if (l->n == STAGE_LIST_MAX)
		l->too_many = true;
	else
		l->value[l->n++] = command;
}

static void
log_wrong(struct smtp_session *s, struct bytes account, const char *why,
    int64_t line)
{
	struct deliverer *d = s->ctx;
	struct logline l;

	log_begin(&l, LOG_WARN, "user-filters");
	log_num(&l, "cid", (int64_t)d->conn->id);
	log_str(&l, "id", deliver_id(s));
	log_bytes(&l, "account", account);
	if (line > 0)
		log_num(&l, "line", line);
	log_str(&l, "why", why);
	log_end(&l);
}

/* ---- .pipemail ---- */

/* The text of a file that others than its owner cannot write: 1, 0 there is
 * none, -1 with *why. */
static int
read_file(const char *path, struct buf *out, const char **why)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int r = -1;

	if (fd == -1 && errno == ENOENT)
		return 0;
	*why = "it cannot be read";
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		*why = "it is no plain file";
	else if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
	    (st.st_uid != geteuid() && st.st_uid != 0))
		*why = "others may write to it";
	else if (st.st_size > (off_t)FILE_MAX)
		*why = "it is longer than 64 KiB";
	else if (io_read_all(fd, out, DEADLINE_NONE) == 0)
		r = 1;
	(void)close(fd);	/* only read from */
	return r;
}

/* Lines "|command" and "/path", comments. -1: a line is neither. */
static int
read_lines(struct arena *a, struct bytes text, struct list *out,
    int64_t *number)
{
	struct bytes line;

	*number = 0;
	while (bytes_line(&text, &line)) {
		(*number)++;
		line = bytes_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if ((line.p[0] != '|' && line.p[0] != '/') ||
		    bytes_has_nul(line))
			return -1;
		add(out, arena_bytes(a, line));
	}
	return 0;
}

static int
add_file(struct smtp_session *s, struct stage_job *job,
    struct bytes account, struct list *out)
{
	struct buf text = BUF_INIT(FILE_MAX);
	const char *why = "";
	int64_t line = 0;
	int r;

	r = read_file(arena_printf(job->arena, "%s/accounts/%.*s/.pipemail",
	    dir_var(), BYTES_ARG(account)), &text, &why);
	if (r == 1 && read_lines(job->arena, buf_bytes(&text), out,
	    &line) == -1) {
		why = "a line is neither |command nor /path";
		r = -1;
	}
	if (r == -1)
		log_wrong(s, account, why, line);
	buf_free(&text);
	return r;
}

/* ---- running ---- */

static bool
are_allowed(struct smtp_session *s)
{
	struct deliverer *d = s->ctx;

	return config_get_bool(d->settings->config, "lmtp-in", NULL,
	    "user-filters");
}

static void
run(struct smtp_session *s, struct bytes account, struct stage_job *job,
    struct list *commands)
{
	const struct stage_options *options = job->options;
	struct stage_options confined = *options;
	const char *wrapper[] = { "filter-run", "-a", arena_str(job->arena,
	    account), NULL };
	struct stage_list list;
	const char *why = "";

	if (commands->n == 0 && !commands->too_many)
		return;
	if (commands->too_many || stage_list_parse(job->arena,
	    commands->value, commands->n, &list, &why) == -1) {
		log_wrong(s, account, commands->too_many ? "too many" : why,
		    0);
		stage_set_verdict(job, STAGE_TEMP,
		    BYTES("the filters of the recipient are wrong"));
		return;
	}
	confined.wrapper = wrapper;
	job->options = &confined;
	stage_run(job, &list);
	job->options = options;
}

void
filters_before(struct smtp_session *s, const struct recipient *to,
    struct stage_job *job)
{
	struct deliverer *d = s->ctx;
	struct list commands = { .n = 0 };
	struct config_list list;
	struct bytes value;

	if (!are_allowed(s))
		return;
	config_list(d->settings->config, "account",
	    (const char *)to->account.p, "filter", &list);
	while (config_list_next(&list, &value))
		add(&commands, value);
	if (add_file(s, job, to->account, &commands) == -1)
		stage_set_verdict(job, STAGE_TEMP,
		    BYTES("the filters of the recipient are wrong"));
	else
		run(s, to->account, job, &commands);
}

void
filters_after(struct smtp_session *s, const struct recipient *to,
    const struct rules_result *rules, struct stage_job *job)
{
	struct list commands = { .n = 0 };

	if (rules->ncommands == 0 || !are_allowed(s))
		return;
	for (size_t i = 0; i < rules->ncommands; i++)
		add(&commands, rules->command[i]);
	run(s, to->account, job, &commands);
}
