/*
 * stage.h - the chain a received message goes through
 *
 * A stage takes a message and its envelope and yields trace fields plus a
 * verdict (pipemail-filter(7)). Builtin stages run in process; a path or
 * "|command" is an external filter. stage_filter_main turns a builtin stage
 * into a command that keeps the same contract, and both ways give the same
 * bytes.
 *
 * For who writes a check: lib/X holds the check and the text of its resinfo
 * and fields; lib/stage/builtin_X.c joins it to a job (see struct
 * stage_builtin); cmd/X-check.c is options plus stage_filter_main:
 *
 *	struct stage_filter f = STAGE_FILTER_INIT;
 *	msg_init("spf-check");
 *	while ((c = getopt(argc, argv, "qi:h:s:")) != -1)
 *		if (!stage_filter_option(&f, c, optarg))
 *			msg_die(EXIT_PERM, "%s", usage);
 *	if (optind != argc)
 *		msg_die(EXIT_PERM, "%s", usage);
 *	code = stage_filter_main(&stage_spf, &f);
 *	if (f.why[0] != '\0')
 *		msg_die(code, "%s", f.why);
 *	return code;
 */
#ifndef STAGE_H
#define STAGE_H

#include "base/base.h"
#include "trace/trace.h"

struct config;
struct dns;
struct dns_options;
struct dnsbl_options;

enum stage_verdict {
	STAGE_PASS,
	STAGE_DROP,		/* accept, then throw away (99) */
	STAGE_REJECT,		/* 550, text is the reply (100) */
	STAGE_TEMP,		/* 451 (111) */
};

/* What configuration says; made once, used by all jobs of a process. */
struct stage_options {
	struct bytes hostname;		/* our authserv-id too */
	const struct dns_options *dns;
	const struct dnsbl_options *dnsbl;	/* zones; no shared health */
	int64_t timeout_ms;		/* whole chain, DNS and filters */
	size_t message_max_bytes;	/* output of a filter, input by hand */
	const struct bytes *arc_trusted;	/* arc-trusted of [smtp-in] */
	size_t narc_trusted;
	/* What filters are started by, a program and its arguments up to a
	 * NULL; NULL: nothing. */
	const char *const *wrapper;
};

/*
 * What configuration c says; section, "smtp-in" or "lmtp-in", has the
 * stage-timeout. c may be NULL: defaults, and the host name is the system's.
 * Lives in the arena, with views into c. Needs no network.
 */
const struct stage_options *stage_options_new(struct arena *a,
    const struct config *c, const char *section);
/*
 * How the configuration in place has names looked up, for commands: none was
 * compiled, and the defaults hold. All in the arena. NULL with errno.
 */
const struct dns_options *stage_dns_configured(struct arena *a);
/* Append a line with a tab between name and value (msg_column): a record taken
 * apart, for commands. 0, -1. */
int stage_add_tag(struct buf *out, const char *name, struct bytes value);
/* A filter may add this much to a message of the size limit. */
#define STAGE_GROWTH_MAX (1024 * 1024)
/* Whole chain, if no configuration says otherwise. */
#define STAGE_TIMEOUT_MS 60000

/* One message on its way through the chain. */
struct stage_job {
	/* set by who starts it (stage_job_init) */
	struct arena *arena;		/* everything the job makes */
	const struct stage_options *options;
	struct trace_envelope envelope;	/* ip, helo, sender, recipients */
	struct bytes message;		/* LF form, without the trusted block */
	int64_t deadline;		/* every stage ends before it */
	const void *check;		/* struct stage_filter's, else NULL */

	/* filled by stages */
	struct trace_block block;
	enum stage_verdict verdict;
	struct bytes reply;		/* REJECT, TEMP: text, one line */
	struct bytes at;		/* the stage that did not pass */
	const char *why;		/* TEMP, for the log: constant text */
	struct bytes reports;		/* lines for -q, set by stage_run */
	int report_exit;		/* exit code of -q */

	/* private */
	struct dns *dns;
	bool received_done;
	void *started;		/* by the stage that runs now */
	size_t resinfo_size, spf_size;	/* room in the block's lists */
	struct buf report_buf;
	int report_counts[3];	/* pass, temperror, other */
	bool is_guarded;
};

/*
 * A builtin stage. run looks at job->message and job->envelope and calls
 * stage_add_*. 0; or -1 with errno, which is the verdict TEMP: a check whose
 * DNS fails reports temperror instead. Runs in a process that holds no
 * secrets.
 */
struct stage_builtin {
	const char *name;	/* "spf-check" */
	const char *method;	/* "spf": replaces its earlier resinfo */
	const char *field;	/* "Received-SPF", replaced too; or NULL */
	bool reads_message;	/* -q with -i still needs the message */
	int (*run)(struct stage_job *job);
	/*
	 * Or NULL: send the first look-ups, without waiting. Called for all
	 * builtin stages up to the next filter before the first of them runs,
	 * so that their look-ups are in flight together; what it returns
	 * (arena; NULL: nothing was started) is job->started in run.
	 */
	void *(*start)(struct stage_job *job);
	/*
	 * Or NULL: called for all of them, too, once all have started: take
	 * the first answers and ask what follows from them.
	 */
	void (*go_on)(void *started);
};
/* job->started, or what start gives now; NULL with errno. */
void *stage_started(struct stage_job *job,
    const struct stage_builtin *stage);
extern const struct stage_builtin stage_iprev, stage_spf, stage_dkim,
    stage_arc, stage_dmarc, stage_dnsbl;

/* The builtin of that name, or NULL. */
const struct stage_builtin *stage_builtin_find(struct bytes name);

/*
 * The resolver of the job: one for all its stages, made at first use and
 * closed by stage_job_end.
 */
struct dns *stage_dns(struct stage_job *job);

/*
 * Add one resinfo of our Authentication-Results, without ";" and line ends:
 * "spf=pass smtp.mailfrom=a@example.org". Copied.
 */
void stage_add_resinfo(struct stage_job *job, struct bytes resinfo);
/* Add one whole Received-SPF field with its LF. Copied. */
void stage_add_field(struct stage_job *job, struct bytes field);
/*
 * Add one line for -q, without LF: result word, tab, details. The exit code
 * of -q is 0 if any result is pass, else 111 if any is temperror, else 1;
 * with_exit false: a line that does not count for the exit code.
 */
void stage_add_report(struct stage_job *job, struct bytes line,
    bool with_exit);
/* The verified reverse name of the client, used for the Received field when
 * the envelope has none and the field is not written yet. Copied. */
void stage_set_remote_host(struct stage_job *job, struct bytes name);
/* Stop the chain with REJECT or TEMP; text is cut to one clean line. */
void stage_set_verdict(struct stage_job *job, enum stage_verdict verdict,
    struct bytes text);

/*
 * Start a job for a message as it came from a stranger: forged
 * Authentication-Results fields are removed from it. arena and options must
 * outlive the job.
 */
void stage_job_init(struct stage_job *job, struct arena *a,
    const struct stage_options *options, const struct trace_envelope *e,
    struct bytes message);
void stage_job_end(struct stage_job *job);
/*
 * Go on with a message that has a trusted block in front (its id is the
 * envelope's, unless that is empty); without one as stage_job_init.
 */
void stage_job_resume(struct stage_job *job, struct bytes message);

/* A parsed stage list. */
struct stage_item {
	const struct stage_builtin *builtin;	/* or NULL: */
	struct bytes command;	/* "/path/to/filter" or "|command" */
};
struct stage_list {
	struct stage_item *item;
	size_t n;
	bool has_filters;	/* the sandbox must allow fork and exec */
};
/* Names per list. */
#define STAGE_LIST_MAX 64

/*
 * The values of a key such as stages-in: each value holds builtin names and
 * absolute paths separated by blanks, or is one "|command". -1 with EBADMSG
 * or EMSGSIZE, *why is constant text.
 */
int stage_list_parse(struct arena *a, const struct bytes *values, size_t n,
    struct stage_list *list, const char **why);

/*
 * Run the stages in order until one does not pass; the result is in
 * job->verdict. stage_job_prefix gives what stands in front of job->message.
 */
void stage_run(struct stage_job *job, const struct stage_list *list);
/*
 * Between begin and end a builtin stage that crashes, or that is at work
 * seconds after the job's deadline, ends the process with EXIT_TEMP; before
 * that a line with the stage's name goes to the log and "451 ..." to fd, where
 * an SMTP client waits for its reply. One job of a process at a time; from the
 * first on nobody else may use SIGALRM, which may come between jobs, too.
 */
void stage_guard_begin(struct stage_job *job, int fd);
void stage_guard_end(struct stage_job *job);
/* The stage that runs now; nothing without a guard. */
void stage_guard_name(const struct stage_job *job, struct bytes name);
/* The same for what follows the stages: it has as long as they had, from now
 * on. */
void stage_guard_timed(const struct stage_job *job, struct bytes name);
/* And for what may take longer: from now on only a crash ends the process. */
void stage_guard_untimed(const struct stage_job *job, struct bytes name);
/* A wait within that, for what other processes hold: it has as long as the
 * stages had, or what is left where time runs. Then as before. */
void stage_guard_wait(const struct stage_job *job, struct bytes name);
void stage_guard_waited(const struct stage_job *job);
/* The trusted block as text: Authentication-Results, Received-SPF, Received,
 * and above them what filters put in front. 0 or -1 EMSGSIZE. */
int stage_job_prefix(struct stage_job *job, struct buf *out);
/* More is no trusted block. */
#define STAGE_PREFIX_MAX (256 * 1024)

/*
 * Run one external filter on the message (pipemail-filter(7)): 0 and *out is
 * its output in the arena if it passed; otherwise -1 with the verdict set.
 */
int stage_filter_run(struct stage_job *job, struct bytes command,
    struct bytes prefix, struct bytes *out);
/* First line of what a filter wrote to standard error. */
#define STAGE_REPLY_MAX 400

/* ---- a builtin stage as a command ---- */

struct stage_filter {
	int in, out;			/* 0 and 1 */
	bool quiet;			/* -q: verdict lines, no message */
	const char *ip;			/* -i, else TCPREMOTEIP */
	const char *helo;		/* -h, else HELO */
	const char *sender;		/* -s, else SENDER */
	/* Options of this check alone, handed to its run: dkim-verify gives a
	 * struct dkim_policy. NULL: as in the server. */
	const void *check;
	char why[1024];			/* what to tell the user; "": nothing */
};
#define STAGE_FILTER_INIT ((struct stage_filter){ .in = 0, .out = 1 })

/* Takes -q, -i IP, -h HELO, -s SENDER; false for other letters. */
bool stage_filter_option(struct stage_filter *f, int c, const char *arg);
/*
 * The body of the command: with -q and -i no message is read. Returns the
 * exit code (pipemail-filter(7); with -q DESIGN "Fixed interfaces").
 */
int stage_filter_main(const struct stage_builtin *stage,
    struct stage_filter *f);

#endif
