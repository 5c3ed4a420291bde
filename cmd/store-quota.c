/* store-quota - how much of its quota an account uses. See store-quota(1) */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "account/account.h"
#include "base/base.h"
#include "json/json.h"

#define LINE_MAX_BYTES 4096

static const char usage[] = "usage: store-quota [-j] -a account";

static void
note(const char *line)
{
	msg_info("%s", line);
}

static unsigned long
messages(struct store_view *v)
{
	struct bytes at = BYTES_EMPTY;
	struct store_mailbox box;
	unsigned long n = 0;
	int r;

	while ((r = store_mailbox_next(v, &at, &box)) == 1)
		n += box.total;
	if (r == -1)
		msg_diesys(account_exit(errno), "cannot read the index");
	return n;
}

static void
format(struct buf *b, bool json, const char *name, uint64_t used,
    uint64_t limit, unsigned long count)
{
	char of[32] = "-", percent[32] = "-";

	if (limit != 0) {
		(void)snprintf(of, sizeof(of), "%llu",
		    (unsigned long long)limit);	/* fits, as below */
		(void)snprintf(percent, sizeof(percent), "%.1f",
		    100.0 * (double)used / (double)limit);
	}
	if (json) {
		(void)buf_adds(b, "{\"account\":");	/* full tells */
		(void)json_quote(b, bytes_str(name));
		(void)buf_printf(b, ",\"used\":%llu,\"limit\":%s,"
		    "\"percent\":%s,\"messages\":%lu}\n",
		    (unsigned long long)used, limit != 0 ? of : "null",
		    limit != 0 ? percent : "null", count);
	} else {
		(void)buf_printf(b, "%s\t%llu\t%s\t%s\t%lu\n", name,
		    (unsigned long long)used, of, percent, count);
	}
}

/* True if there is room for one more byte. */
static bool
show(const char *name, bool json)
{
	struct account a = { .note = note };
	struct buf line = BUF_INIT(LINE_MAX_BYTES);
	struct store_view *v;
	uint64_t used, limit;

	account_start(&a, name, NULL, NULL);
	if (store_sync(a.store, 0, false) == -1 ||
	    (v = store_view_open(a.store)) == NULL)
		msg_diesys(account_exit(errno), "cannot read the index of %s",
		    name);
	store_view_quota(v, &used, &limit);
	format(&line, json, name, used, limit, messages(v));
	store_view_close(v);
	account_close(&a);
	if (fwrite(line.p, 1, line.n, stdout) != line.n ||
	    fflush(stdout) == EOF)
		account_die_write();
	buf_free(&line);
	return limit == 0 || used < limit;
}

int
main(int argc, char *argv[])
{
	const char *name = NULL;
	bool json = false;
	int c;

	msg_init("store-quota");
	while ((c = getopt(argc, argv, "ja:")) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'a':
			name = optarg;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (name == NULL || optind != argc)
		msg_die(EXIT_PERM, "%s", usage);
	return show(name, json) ? EXIT_YES : EXIT_NO;
}
