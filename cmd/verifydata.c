/* verifydata - prove the index against the Maildir. See verifydata(8) */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "account/account.h"
#include "base/base.h"
#include "maildir/maildir.h"

#include <fcntl.h>

static const char usage[] = "usage: verifydata [-ns] [-a account]";

struct verifying {
	const char *account;
	bool no_sync, skip_parse;
	uint64_t contradictions;
	int code;
};

static void
note(const char *line)
{
	msg_info("%s", line);
}

static void
found(void *ctx, const struct store_contradiction *c)
{
	const struct verifying *v = ctx;
	struct buf b = BUF_INIT(8192);

	(void)buf_printf(&b, "%s\t%s\t", v->account, c->kind); /* full tells */
	(void)msg_escape(&b, c->mailbox);
	(void)buf_printf(&b, "\t%lu\t", (unsigned long)c->uid);
	(void)msg_escape(&b, bytes_str(c->detail));
	if (buf_addc(&b, '\n') == -1 ||
	    fwrite(b.p, 1, b.n, stdout) != b.n)
		msg_diesys(EXIT_TEMP, "cannot write");
	buf_free(&b);
}

static void
verify(struct verifying *v)
{
	struct store_verify ask = { .found = found, .ctx = v,
	    .skip_parse = v->skip_parse };
	struct account a = { .note = note };
	uint64_t count = 0;

	if (account_open(&a, v->account) == -1) {
		msg_warn("cannot open account %s: %s", v->account, a.problem);
		if (v->code != EXIT_TEMP)
			v->code = account_exit(errno);
		return;
	}
	if ((!v->no_sync && store_sync(a.store, 0, false) == -1) ||
	    store_verify(a.store, &ask, &count) == -1) {
		msg_warnsys("cannot verify account %s", v->account);
		v->code = EXIT_TEMP;
	}
	v->contradictions += count;
	account_close(&a);
}

static void
verify_all(struct verifying *v)
{
	struct maildir_entry *e;
	struct arena a = ARENA_INIT;
	size_t count, i;
	int fd = open(arena_printf(&a, "%s/accounts", dir_var()),
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1 && errno == ENOENT)
		return;		/* no account yet */
	if (fd == -1 || maildir_scan(&a, fd, &e, &count) == -1)
		msg_diesys(EXIT_TEMP, "cannot list %s/accounts", dir_var());
	for (i = 0; i < count; i++) {
		v->account = e[i].name;
		if (store_account_valid(e[i].name))
			verify(v);
	}
	(void)close(fd);	/* nothing was written through it */
	arena_free(&a);
}

int
main(int argc, char *argv[])
{
	struct verifying v = { .code = EXIT_YES };
	int c;

	msg_init("verifydata");
	while ((c = getopt(argc, argv, "nsa:")) != -1) {
		switch (c) {
		case 'n':
			v.no_sync = true;
			break;
		case 's':
			v.skip_parse = true;
			break;
		case 'a':
			v.account = optarg;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (optind != argc)
		msg_die(EXIT_PERM, "%s", usage);
	if (v.account != NULL)
		verify(&v);
	else
		verify_all(&v);
	if (fflush(stdout) == EOF)
		msg_diesys(EXIT_TEMP, "cannot write");
	if (v.code != EXIT_YES)
		return v.code;
	return v.contradictions == 0 ? EXIT_YES : EXIT_NO;
}
