/*
 * lsub.c - LSUB (RFC 3501 6.3.9)
 */
#include "imap/list.h"

#include <errno.h>

static void
add_lsub(struct imap *im, const char *attribute, struct bytes name)
{
	buf_printf(&im->out, "* LSUB (%s) \"/\" ", attribute);
	add_mailbox(im, name);
	buf_adds(&im->out, "\r\n");
}

/*
 * RFC 3501 6.3.9: with "%", a level that is not subscribed but has
 * subscribed mailboxes below is answered as \Noselect. names are in byte
 * order, so a level's children are not always together: seen remembers.
 */
static void
lsub_levels(struct imap *im, const struct list_args *args, struct bytes name,
    struct buf *seen)
{
	struct bytes rest, known;
	size_t i;
	bool found;

	for (i = 0; i < name.n; i++) {
		struct bytes level = bytes_first(name, i);

		if (name.p[i] != '/' ||
		    !list_matches(args, level))
			continue;
		found = false;
		for (rest = buf_bytes(seen); !found &&
		    bytes_split(&rest, '\0', &known); )
			found = bytes_eq(known, level);
		if (found)
			continue;
		add_lsub(im, "\\Noselect", level);
		buf_add(seen, level);
		buf_addc(seen, 0);
	}
}

void
command_lsub(struct imap *im, struct parser *p)
{
	struct buf names = BUF_INIT(16 * 1024 * 1024), seen = names;
	struct bytes rest, name;
	struct list_args args;

	if (!parse_list(im, p, true, &args))
		return;
	if (!args.root && store_subscriptions(im->o.store, &names) == -1) {
		reply_errno(im, errno, false);
		buf_free(&names);
		return;
	}
	rest = buf_bytes(&names);
	while (bytes_split(&rest, '\0', &name)) {
		if (list_matches(&args, name)) {
			add_lsub(im, "", name);
			buf_add(&seen, name);
			buf_addc(&seen, 0);
		}
	}
	rest = buf_bytes(&names);
	while (bytes_ends(args.patterns[0], BYTES("%")) &&
	    bytes_split(&rest, '\0', &name))
		lsub_levels(im, &args, name, &seen);
	buf_free(&names);
	buf_free(&seen);
	reply_done(im);
}
