/* verifydata - prove the index against the Maildir. See verifydata(8) */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "account/account.h"
#include "base/base.h"

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
verify(void *ctx, const char *name)
{
	struct verifying *v = ctx;
	struct store_verify ask = { .found = found, .ctx = v,
	    .skip_parse = v->skip_parse };
	struct account a = { .note = note };
	uint64_t count = 0;

	v->account = name;
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
		verify(&v, v.account);
	else
		account_each(verify, &v);
	if (fflush(stdout) == EOF)
		msg_diesys(EXIT_TEMP, "cannot write");
	if (v.code != EXIT_YES)
		return v.code;
	return v.contradictions == 0 ? EXIT_YES : EXIT_NO;
}
