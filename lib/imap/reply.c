/*
 * reply.c - tagged replies
 */
#include "imap/notify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void
reply_tagged(struct imap *im, const char *result, const char *code,
    const char *text)
{
	box_tell_delay(im);
	/* RFC 9738 3.1: beside another code it is said before. */
	if (im->limited != 0 && code == NULL)
		code = limit_code(im, im->limited);
	else if (im->limited != 0)
		buf_printf(&im->out, "* NO [%s] not done for all messages\r\n",
		    limit_code(im, im->limited));
	im->limited = 0;
	buf_add(&im->out, im->tag);
	if (code != NULL)
		buf_printf(&im->out, " %s [%s] %s\r\n", result, code, text);
	else
		buf_printf(&im->out, " %s %s\r\n", result, text);
}

void
reply_ok(struct imap *im, const char *code, const char *text)
{
	reply_tagged(im, "OK", code, text);
}

void
reply_no(struct imap *im, const char *code, const char *text)
{
	reply_tagged(im, "NO", code, text);
}

void
reply_bad(struct imap *im, const char *text)
{
	reply_bad_code(im, NULL, text);
}

void
reply_bad_code(struct imap *im, const char *code, const char *text)
{
	reply_tagged(im, "BAD", code, text);
	/* I-12: a first command that is none comes from no mail client. */
	if (im->stats.commands == 0)
		imap_bye(im, NULL, "please speak IMAP");
	else if (++im->bad >= IMAP_BAD_MAX)
		imap_bye(im, NULL, "too many bad commands");
}

void
reply_done(struct imap *im)
{
	reply_done_code(im, NULL);
}

void
reply_done_code(struct imap *im, const char *code)
{
	char text[64];

	/* RFC 3501 7.4.1: numbers hold while their replies are under way. */
	box_sync(im, !im->by_number);
	notify_say(im);
	(void)snprintf(text, sizeof(text), "%s%s done",
	    im->is_uid ? "UID " : "", im->command);	/* names are short */
	reply_tagged(im, "OK", code, text);
}

struct errno_reply {
	int err;
	const char *code, *text;
};

static const struct errno_reply errno_replies[] = {
	{ ENOENT, "NONEXISTENT", "no such mailbox" },
	{ EEXIST, "ALREADYEXISTS", "mailbox exists" },
	{ EDQUOT, "OVERQUOTA", "over quota" },
	{ EINVAL, "CANNOT", "no mailbox can have this name" },
	{ EPERM, "CANNOT", "not possible for INBOX" },
	{ ENOTEMPTY, "HASCHILDREN", "mailbox has children" },
	{ EOVERFLOW, "LIMIT", "too many keywords or mailboxes" },
	{ EMSGSIZE, "TOOBIG", "too big" },
	{ ENOSPC, "UNAVAILABLE", "disk is full" },
};

void
reply_errno(struct imap *im, int err, bool try_create)
{
	size_t i;

	im->limited = 0;		/* nothing was done */
	if (err == ENOENT && try_create) {
		reply_no(im, "TRYCREATE", "no such mailbox");
		return;
	}
	for (i = 0; i < sizeof(errno_replies) / sizeof(*errno_replies); i++) {
		if (errno_replies[i].err == err) {
			reply_no(im, errno_replies[i].code,
			    errno_replies[i].text);
			return;
		}
	}
	reply_no(im, "SERVERBUG", strerror(err));
}
