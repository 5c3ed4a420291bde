/* lines.c - listings of an account that wait for their reader without a view */
#include "account/account.h"

#include <errno.h>
#include <stdio.h>

/* One line more than fills it, or all lines of one change. */
#define TEXT_MAX ((size_t)1 << 30)

static void
view_open(struct account_lines *l)
{
	if ((l->view = store_view_open(l->store)) == NULL)
		msg_diesys(account_exit(errno), "cannot read the index");
}

static void
write_out(struct account_lines *l)
{
	store_view_close(l->view);
	l->view = NULL;
	if (fwrite(l->text.p, 1, l->text.n, stdout) != l->text.n)
		account_die_write();
	buf_reset(&l->text);
}

void
account_lines_begin(struct account_lines *l, struct store *s)
{
	*l = (struct account_lines){ .store = s, .text = BUF_INIT(TEXT_MAX) };
	view_open(l);
}

void
account_lines_add(struct account_lines *l, struct bytes line)
{
	if (buf_add(&l->text, line) == -1)
		msg_diesys(EXIT_TEMP, "cannot keep so many lines");
}

bool
account_lines_turn(struct account_lines *l)
{
	if (l->text.n < ACCOUNT_LINES_BYTES)
		return false;
	write_out(l);
	view_open(l);
	return true;
}

void
account_lines_end(struct account_lines *l)
{
	write_out(l);
	buf_free(&l->text);
	if (fflush(stdout) == EOF)
		account_die_write();
}
