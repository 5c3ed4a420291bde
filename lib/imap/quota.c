/*
 * quota.c - GETQUOTA, GETQUOTAROOT (RFC 9208: QUOTA=RES-STORAGE)
 *
 * An account with a limit has one root, "", that holds all its mailboxes; one
 * without has none. Only the administrator sets limits: no QUOTASET.
 */
#include "imap/internal.h"

#include <errno.h>

/* RFC 9208 5.1: STORAGE counts units of 1024 bytes. */
#define UNIT 1024

/* "* QUOTA", if there is a limit. 1, 0 none, -1. */
static int
add_quota(struct imap *im)
{
	struct store_view *v = store_view_open(im->o.store);
	uint64_t used, limit;

	if (v == NULL)
		return -1;
	store_view_quota(v, &used, &limit);
	store_view_close(v);
	if (limit == 0)
		return 0;
	used = used / UNIT + (used % UNIT != 0);
	limit /= UNIT;
	buf_printf(&im->out, "* QUOTA \"\" (STORAGE %llu %llu)\r\n",
	    (unsigned long long)used, (unsigned long long)limit);
	return 1;
}

void
command_getquota(struct imap *im, struct parser *p)
{
	struct bytes root;
	int r;

	if (!parse_space(p) || !parse_astring(p, &root) || !parse_end(p))
		return;
	r = root.n > 0 ? 0 : add_quota(im);
	if (r == 1)
		reply_done(im);
	else if (r == 0)
		reply_no(im, "NONEXISTENT", "no such quota root");
	else
		reply_errno(im, errno, false);
}

static int
mailbox_exists(struct imap *im, struct bytes name)
{
	struct store_view *v = store_view_open(im->o.store);
	struct store_mailbox m;
	int r = v == NULL ? -1 : store_mailbox_find(v, name, &m);

	store_view_close(v);
	if (r == 0)
		errno = ENOENT;
	return r == 1 ? 0 : -1;
}

void
command_getquotaroot(struct imap *im, struct parser *p)
{
	struct store_view *v;
	struct bytes name;
	uint64_t used, limit;

	if (!parse_space(p) || !parse_mailbox(p, &name) || !parse_end(p) ||
	    !check_name(im, &name))
		return;
	if (mailbox_exists(im, name) == -1 ||
	    (v = store_view_open(im->o.store)) == NULL) {
		reply_errno(im, errno, false);
		return;
	}
	store_view_quota(v, &used, &limit);
	store_view_close(v);
	buf_adds(&im->out, "* QUOTAROOT ");
	add_mailbox(im, name);
	buf_adds(&im->out, limit == 0 ? "\r\n" : " \"\"\r\n");
	if (limit != 0 && add_quota(im) == -1)
		reply_errno(im, errno, false);
	else
		reply_done(im);
}
