/*
 * searchjob.c - SEARCH, SORT, THREAD and ESEARCH in steps, with a word to
 * the client every ten seconds (RFC 9585)
 */
#include "imap/search.h"

#include <errno.h>

/* So long other things wait: a client that closes, the end of the server. */
#define STEP_MS 100

enum job_kind { JOB_SEARCH, JOB_SORT, JOB_THREAD, JOB_MULTI };

struct search_job {
	enum job_kind kind;
	struct search_args args;
	struct search search;
	struct sort sort;
	struct thread thread;
	struct multi multi;
	int64_t said_ms;		/* when the client last heard of it */
};

/* ---- beginning ---- */

static struct search_job *
job_new(struct imap *im, enum job_kind kind)
{
	struct search_job *j = arena_zalloc(&im->arena, 1, sizeof(*j));

	j->kind = kind;
	j->said_ms = time_mono_ms();
	return j;
}

/* RFC 5182 2.1: a search that fails with NO empties "$". */
static void
job_failed(struct imap *im, const struct search_job *j)
{
	if (j->args.ret.save)
		box_save(im, NULL, 0);
}

/* After a parser said no: BAD, or NO to a filter, is the caller's; to a
 * charset it is said here. RFC 5466 3.1 wants BAD beside FILTER. */
static void
refuse(struct imap *im, const struct parser *p, const struct search_job *j)
{
	static const char code[] = "BADCHARSET (US-ASCII UTF-8)";

	if (j->args.bad_charset || p->refused)
		job_failed(im, j);
	if (!j->args.bad_charset)
		return;
	if (parse_search_filter(p))
		reply_bad_code(im, code, "FILTER is in UTF-8");
	else
		reply_no(im, code, "charset is not supported");
}

/* Begin, about the highest messages only (RFC 9738). SORT and THREAD of a part
 * would mean nothing. 0, 1 too many for them, -1. */
static int
job_start(struct imap *im, struct search_job *j)
{
	if (search_begin(&j->search) == -1)
		return -1;
	if (j->search.im == NULL || !search_limit(&j->search,
	    message_limit(im), &im->limited) ||
	    (j->kind != JOB_SORT && j->kind != JOB_THREAD))
		return 0;
	im->limited = 0;
	return 1;
}

static void
job_begin(struct imap *im, struct search_job *j)
{
	struct search *s = &j->search;
	int r;

	if (j->args.modseq)
		session_enable(im, CAP_BIT(CAP_CONDSTORE));
	/* RFC 7162 3.2.10: then UID SEARCH tells of no expunge either. */
	im->by_number = im->by_number || j->args.numbers;
	*s = (struct search){ .store = im->o.store, .mailbox = im->box.id,
	    .im = im, .root = j->args.root };
	if (j->kind == JOB_SORT) {
		s->hit = sort_hit;
		s->ctx = &j->sort;
	} else if (j->kind == JOB_THREAD) {
		s->hit = thread_hit;
		s->ctx = &j->thread;
	}
	im->search = j;
	im->mode = MODE_SEARCH;
	if (j->kind == JOB_MULTI)
		return;
	if ((r = job_start(im, j)) == 0)
		return;
	job_failed(im, j);
	if (r == 1)
		reply_no(im, limit_code(im, 0), "too many messages");
	else
		reply_errno(im, errno, false);
	search_job_drop(im);
	im->mode = MODE_COMMAND;
}

/* RFC 5267 4.3: one tag cannot tell of two searches. */
static bool
tag_is_used(struct imap *im, struct parser *p, const struct search_job *j)
{
	return j->args.ret.update && context_has_tag(im) &&
	    !parse_fail(p, "a search with this tag is kept up to date");
}

void
command_search(struct imap *im, struct parser *p)
{
	struct search_job *j = job_new(im, JOB_SEARCH);

	if (!parse_search(p, &j->args)) {
		refuse(im, p, j);
		return;
	}
	if (tag_is_used(im, p, j))
		return;
	/* RFC 9051 6.4.4: ESEARCH, asked for or not. */
	if (!j->args.ret.given && enabled(im, CAP_IMAP4REV2))
		j->args.ret.given = j->args.ret.all = true;
	job_begin(im, j);
}

/* The charset must be there (RFC 5256 5). */
static bool
parse_charset_keys(struct parser *p, struct search_args *out)
{
	if (!parse_space(p) || !parse_search_charset(p, &out->bad_charset) ||
	    !parse_space(p))
		return false;
	out->text = arena_bytes(p->a, p->s);
	return parse_search_keys(p, out);
}

void
command_sort(struct imap *im, struct parser *p)
{
	struct search_job *j = job_new(im, JOB_SORT);

	if (!parse_space(p) || (bytes_caseskip(&p->s, BYTES("RETURN ")) &&
	    (!parse_search_return(p, &j->args.ret) || !parse_space(p))))
		return;
	if (!parse_sort(p, &j->sort) || !parse_charset_keys(p, &j->args)) {
		refuse(im, p, j);
		return;
	}
	if (!tag_is_used(im, p, j))
		job_begin(im, j);
}

void
command_thread(struct imap *im, struct parser *p)
{
	struct search_job *j = job_new(im, JOB_THREAD);

	j->thread.a = &im->arena;
	if (!parse_space(p) || !parse_thread(p, &j->thread.how))
		return;
	if (!parse_charset_keys(p, &j->args)) {
		refuse(im, p, j);
		return;
	}
	job_begin(im, j);
}

/* RFC 7377: without IN it is about the selected mailbox. */
void
command_esearch(struct imap *im, struct parser *p)
{
	struct search_job *j = job_new(im, JOB_MULTI);

	if (!parse_multi(im, p, &j->multi))
		return;
	if (!parse_search(p, &j->args)) {
		refuse(im, p, j);
		return;
	}
	if ((j->args.ret.update || j->args.ret.save) &&
	    !j->multi.selected_only) {
		(void)parse_fail(p, "not for several mailboxes");
		return;
	}
	if (tag_is_used(im, p, j))
		return;
	if (!j->args.ret.given)
		j->args.ret.given = j->args.ret.all = true;
	if (multi_find(im, &j->multi) == -1) {
		reply_errno(im, errno, false);
		return;
	}
	job_begin(im, j);
}

/* ---- the answer ---- */

static void
answer_thread(struct imap *im, struct search_job *j)
{
	const struct search_result *f = &j->search.found;
	uint32_t *numbers = arena_zalloc(&im->arena, f->n + 1,
	    sizeof(*numbers));
	size_t i;

	for (i = 0; i < f->n; i++)
		numbers[i] = im->is_uid ? f->hits[i].uid
		    : f->hits[i].index + 1;
	buf_adds(&im->out, "* THREAD");
	(void)thread_format(&im->out, &j->thread, numbers); /* full tells */
	buf_adds(&im->out, "\r\n");
}

static void
answer(struct imap *im, struct search_job *j)
{
	struct search_result *found = &j->search.found;

	if (j->kind == JOB_THREAD) {
		answer_thread(im, j);
		return;
	}
	if (j->kind == JOB_SORT)
		sort_found(&j->sort, found);
	/* First: "$" is still what it was for the keys. */
	if (j->args.ret.update)
		context_keep(im, &j->args, j->kind == JOB_SORT
		    ? &j->sort : NULL, NULL, found);
	search_answer(im, j->kind == JOB_SORT ? "SORT" : "SEARCH", &j->args,
	    found);
}

/* Of one mailbox of several; those where nothing was found are left out. */
static void
answer_multi(struct imap *im, struct search_job *j)
{
	const struct search_result *f = &j->search.found;
	const struct search_return *r = &j->args.ret;
	uint32_t *uids;
	size_t i;

	if (r->update)
		context_keep(im, &j->args, NULL, &j->multi.mailbox, f);
	if (r->save)
		search_save(im, r, f);
	if (f->n == 0 || !(r->min || r->max || r->all || r->count ||
	    r->partial))
		return;
	uids = arena_zalloc(&im->arena, f->n, sizeof(*uids));
	for (i = 0; i < f->n; i++)
		uids[i] = f->hits[i].uid;
	multi_head(im, im->tag, &j->multi.mailbox);
	add_returned(&im->out, r, uids, f->n);
	add_found_modseq(im, &j->args, f);
	buf_adds(&im->out, "\r\n");
}

/* ---- going on ---- */

void
search_job_drop(struct imap *im)
{
	struct search_job *j = im->search;

	if (j == NULL)
		return;
	search_end(&j->search);
	sort_free(&j->sort);
	thread_free(&j->thread);
	im->search = NULL;
}

/* RFC 5530, RFC 2180 4.3: some were passed over that the client believes to
 * be there, and that it is told of only later. */
static bool
gone_untold(const struct imap *im, const struct search_job *j)
{
	return j->kind != JOB_MULTI && j->search.some_gone && im->by_number;
}

static void
job_end(struct imap *im, int err)
{
	struct search_job *j = im->search;

	if (err != 0) {
		job_failed(im, j);
		reply_errno(im, err, false);
	} else {
		if (j->kind != JOB_MULTI)
			answer(im, j);
		reply_done_code(im, gone_untold(im, j) ? "EXPUNGEISSUED"
		    : NULL);
	}
	search_job_drop(im);
	im->mode = MODE_COMMAND;
	arena_reset(&im->arena);
}

/* Sets were resolved for the mailbox before. */
static bool
parse_again(struct imap *im, struct search_args *args)
{
	struct parser p = session_parser(im, args->text);
	struct search_args again;

	p.filters = args->filters;
	if (!parse_search_keys(&p, &again))
		return false;
	args->root = again.root;
	return true;
}

/* The next mailbox of several: 1, 0 it was the last one, -1. */
static int
next_mailbox(struct imap *im, struct search_job *j)
{
	struct search *s = &j->search;
	int r = multi_next(im, &j->multi);

	if (r != 1)
		return r;
	search_end(s);
	if (!parse_again(im, &j->args)) {
		errno = EBADMSG;
		return -1;
	}
	*s = (struct search){ .store = im->o.store,
	    .mailbox = j->multi.mailbox.id, .root = j->args.root,
	    .im = j->multi.selected_only ? im : NULL };
	return job_start(im, j) == -1 ? -1 : 1;
}

/* 1 there is more, 0 done, -1. */
static int
job_step(struct imap *im, struct search_job *j, int64_t ms)
{
	int r = 0;

	if (j->kind != JOB_MULTI || j->multi.begun)
		r = search_step(&j->search, ms);
	if (j->kind != JOB_MULTI || r != 0)
		return r;
	if (j->multi.begun)
		answer_multi(im, j);
	return next_mailbox(im, j);
}

/* RFC 9585 4 */
static void
tell_progress(struct imap *im, struct search_job *j, int64_t every)
{
	bool multi = j->kind == JOB_MULTI;
	int64_t now = time_mono_ms();

	if (now - j->said_ms < every)
		return;
	j->said_ms = now;
	buf_adds(&im->out, "* OK [INPROGRESS (");
	imap_add_string(&im->out, im->tag);
	buf_printf(&im->out, " %zu %zu)] searching\r\n",
	    multi ? j->multi.at - 1 : j->search.index,
	    multi ? j->multi.count : im->box.announced);
}

void
search_job_step(struct imap *im)
{
	struct search_job *j = im->search;
	int64_t every = im->o.progress_ms > 0 ? im->o.progress_ms
	    : IMAP_PROGRESS_SECONDS * 1000;
	int r = job_step(im, j, every < STEP_MS ? every : STEP_MS);

	if (r == 1)
		tell_progress(im, j, every);
	else
		job_end(im, r == -1 ? errno : 0);
}
