/*
 * session.c - the machine after login: commands, replies, modes
 *
 * One command at a time. Most reply at once; FETCH, APPEND and IDLE are
 * modes that are stepped, so that neither a long answer nor a long message
 * is ever held in memory.
 */
#include "imap/notify.h"
#include "imap/url.h"

#include <stdlib.h>

struct imap *
session_new(const struct imap_options *o)
{
	struct imap *im = mem_zalloc(1, sizeof(*im));

	im->o = *o;
	input_init(&im->in);
	im->out = BUF_INIT(OUT_MAX);
	im->append.fd = -1;
	im->off = caps_parse(o->capabilities_off);
	if (!o->unauthenticate)
		im->off |= CAP_BIT(CAP_UNAUTHENTICATE);
	return im;
}

struct imap *
imap_new(const struct imap_options *o, struct bytes tag)
{
	struct imap *im = session_new(o);

	if (tag.n == 0)
		buf_adds(&im->out, "* PREAUTH");
	else
		buf_add(&im->out, tag);
	buf_adds(&im->out, tag.n == 0 ? " [CAPABILITY " : " OK [CAPABILITY ");
	session_capabilities(im);
	if (tag.n == 0)
		buf_printf(&im->out, "] logged in as %s\r\n", o->account);
	else
		buf_adds(&im->out, "] logged in\r\n");
	im->stats.commands = tag.n > 0;
	return im;
}

void
imap_free(struct imap *im)
{
	if (im == NULL)
		return;
	append_drop(im);
	url_fetch_drop(im);
	search_job_drop(im);
	list_drop(im);
	box_close(im);
	notify_free(im->notify);
	input_free(&im->in);
	buf_free(&im->out);
	arena_free(&im->arena);
	free(im);
}

size_t
imap_room(const struct imap *im)
{
	return input_room(&im->in);
}

struct buf *
imap_output(struct imap *im)
{
	return &im->out;
}

uint32_t
imap_mailbox(const struct imap *im)
{
	return im->box.id;
}

bool
imap_watches_all(const struct imap *im)
{
	return im->notify != NULL && im->notify->groups != NULL;
}

void
imap_stats(const struct imap *im, struct imap_stats *out)
{
	*out = im->stats;
}

void
imap_bye(struct imap *im, const char *code, const char *reason)
{
	if (im->mode == MODE_CLOSE)
		return;
	if (code != NULL && code[0] != '\0')
		buf_printf(&im->out, "* BYE [%s] %s\r\n", code, reason);
	else
		buf_printf(&im->out, "* BYE %s\r\n", reason);
	im->mode = MODE_CLOSE;
}

void
imap_input(struct imap *im, struct bytes s)
{
	if (input_add(&im->in, s) == -1)
		imap_bye(im, "TOOBIG", "too much input");
}

void
imap_input_end(struct imap *im)
{
	im->input_ended = true;
}

void
imap_changed(struct imap *im, bool outside)
{
	im->changed = true;
	im->changed_outside = im->changed_outside || outside;
}

struct parser
session_parser(struct imap *im, struct bytes s)
{
	return (struct parser){ .s = s, .a = &im->arena,
	    .utf8_names = utf8_names(im),
	    .uid_only = enabled(im, CAP_UIDONLY), .store = im->o.store,
	    .no_charset = enabled(im, CAP_UTF8_ACCEPT) };
}

void
session_tag(struct imap *im, struct bytes tag)
{
	memcpy(im->tag_text, tag.p, tag.n);
	im->tag = bytes_of(im->tag_text, tag.n);
}

void
session_enable(struct imap *im, uint64_t set)
{
	bool had = enabled(im, CAP_CONDSTORE);

	im->enabled |= set;
	if (!had && enabled(im, CAP_CONDSTORE) && im->box.id != 0)
		buf_printf(&im->out, "* OK [HIGHESTMODSEQ %llu] changes are "
		    "numbered\r\n", (unsigned long long)
		    box_highest(&im->box));
}

/* ---- IDLE (RFC 2177) ---- */

void
idle_begin(struct imap *im)
{
	im->mode = MODE_IDLE;
	im->changed = im->changed_outside = true;	/* look at once */
}

void
command_idle(struct imap *im, struct parser *p)
{
	if (!parse_end(p))
		return;
	buf_adds(&im->out, "+ idling\r\n");
	idle_begin(im);
}

/* Say what changed since the last look. */
static void
look(struct imap *im, bool expunges)
{
	if (im->changed_outside && im->box.id != 0)
		(void)store_sync(im->o.store, im->box.id,
		    !im->box.read_only);	/* as NOOP */
	im->changed = im->changed_outside = false;
	box_sync(im, expunges);
	notify_say(im);
	arena_reset(&im->arena);
}

static enum imap_action
idle_step(struct imap *im)
{
	struct bytes line;
	int r;

	if (im->changed)
		look(im, true);
	if (notify_fetch(im))
		return IMAP_WRITE;
	r = input_line(&im->in, &line);
	if (r == 0)
		return im->input_ended ? IMAP_CLOSE : IMAP_IDLE;
	im->mode = MODE_COMMAND;
	if (r == -1) {
		imap_bye(im, NULL, "line over 16384 bytes");
		return IMAP_WRITE;
	}
	if (bytes_caseeq(line, BYTES("DONE")))
		reply_done(im);
	else
		reply_bad(im, "expected DONE");
	input_done(&im->in);
	arena_reset(&im->arena);
	return IMAP_WRITE;
}

/* ---- stepping ---- */

/* One that was not sent yet costs the command, else the connection. */
static void
refuse_literal(struct imap *im, const char *why)
{
	struct parser p = session_parser(im, buf_bytes(&im->in.b));
	struct bytes tag;

	if (!im->in.literal_sync || !parse_tag(&p, &tag)) {
		imap_bye(im, "TOOBIG", why);
		return;
	}
	session_tag(im, tag);
	reply_no(im, "TOOBIG", why);
	input_cut_literal(&im->in, false);
	arena_reset(&im->arena);
}

static void
announced_literal(struct imap *im)
{
	const char *why;

	if (!im->in.literal_sync &&
	    (im->off & CAP_BIT(CAP_LITERAL_PLUS)) != 0 &&
	    im->in.literal_bytes > IMAP_LITERAL_MINUS_MAX) {
		imap_bye(im, "TOOBIG", "literal over 4096 bytes unasked");
		return;
	}
	if (append_begin(im, bytes_first(buf_bytes(&im->in.b),
	    im->in.literal_at)) == 1)
		return;
	why = input_literal_refused(&im->in);
	if (why != NULL) {
		refuse_literal(im, why);
		return;
	}
	if (im->in.literal_sync)
		buf_adds(&im->out, "+ go on\r\n");
	input_literal_take(&im->in);
}

static void
whole_command(struct imap *im)
{
	run_command(im);
	input_done(&im->in);
	/* What the command could not say. */
	im->changed = im->changed || im->notify != NULL;
	if (im->mode == MODE_COMMAND)
		arena_reset(&im->arena);
}

bool
session_next(struct imap *im, void (*literal)(struct imap *im),
    void (*command)(struct imap *im))
{
	switch (input_next(&im->in)) {
	case INPUT_MORE:
		return false;
	case INPUT_TOO_LONG:
		imap_bye(im, NULL, input_too_long(&im->in));
		break;
	case INPUT_LITERAL:
		literal(im);
		break;
	case INPUT_COMMAND:
		command(im);
		break;
	}
	return true;
}

void
imap_trim(struct imap *im)
{
	input_trim(&im->in);
	if (im->out.n == 0)
		buf_free(&im->out);
	if (im->mode != MODE_COMMAND && im->mode != MODE_IDLE)
		return;
	message_reset(&im->message);
	arena_free(&im->arena);
}

/* Between commands (RFC 5465 3.1): what is to be told now. True: more has to
 * be done before the client is waited for. */
static bool
notify_step(struct imap *im)
{
	if (!notify_listens(im) || !im->changed)
		return false;
	look(im, !im->notify->delayed);
	return notify_fetch(im);
}

static enum imap_action
wait_action(struct imap *im)
{
	if (im->out.n > 0)
		return IMAP_WRITE;
	if (im->input_ended)
		return IMAP_CLOSE;
	return im->mode == MODE_IDLE || (im->mode == MODE_COMMAND &&
	    notify_listens(im)) ? IMAP_IDLE : IMAP_READ;
}

enum imap_action
imap_step(struct imap *im)
{
	while (im->out.n < OUT_SOFT && !im->out.full) {
		if (im->compress_begins) {
			im->compress_begins = false;
			return IMAP_COMPRESS;
		}
		switch (im->mode) {
		case MODE_COMMAND:
			if (!notify_fetch(im) && !session_next(im,
			    announced_literal, whole_command) &&
			    !notify_step(im))
				return wait_action(im);
			break;
		case MODE_FETCH:
			fetch_step(im);
			break;
		case MODE_APPEND:
			append_step(im);
			if (im->mode == MODE_APPEND)
				return wait_action(im);
			break;
		case MODE_SEARCH:
			search_job_step(im);
			if (im->mode == MODE_SEARCH)
				return IMAP_BUSY;
			break;
		case MODE_LIST:
			list_step(im);
			break;
		case MODE_URLFETCH:
			url_fetch_step(im);
			if (im->url_fetch.asking)
				return im->out.n > 0 ? IMAP_WRITE : IMAP_ASK;
			break;
		case MODE_IDLE:
			if (idle_step(im) == IMAP_CLOSE)
				return IMAP_CLOSE;
			if (im->mode == MODE_IDLE)
				return wait_action(im);
			break;
		case MODE_UNAUTHENTICATE:
			return im->out.n > 0 ? IMAP_WRITE
			    : IMAP_UNAUTHENTICATE;
		case MODE_CLOSE:
			return IMAP_CLOSE;
		}
	}
	if (im->out.full) {
		/* Nothing legal can follow half a response. */
		im->mode = MODE_CLOSE;
		return IMAP_CLOSE;
	}
	return IMAP_WRITE;
}
