/* store-deliver - put a message into an account. See store-deliver(1) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "account/account.h"
#include "base/base.h"
#include "mime/mime.h"
#include "trace/trace.h"

#define SIZE_DEFAULT (100 * 1024 * 1024)	/* size-limit's default */

static const char usage[] =
    "usage: store-deliver [-v] -a account [-m mailbox] [-f flags] < message";

static void
note(const char *line)
{
	msg_info("%s", line);
}

/* The message from standard input, LF form. */
static struct bytes
read_message(struct account *a, struct buf *raw)
{
	size_t limit = a->config == NULL ? SIZE_DEFAULT
	    : (size_t)config_get_size(a->config, "server", NULL,
	    "size-limit");
	struct buf lf;
	size_t at;

	*raw = BUF_INIT(limit);
	if (io_read_all(STDIN_FILENO, raw, DEADLINE_NONE) == -1)
		msg_diesys(exit_for(errno), "cannot read the message");
	if (!bytes_chr(buf_bytes(raw), '\r', &at))
		return buf_bytes(raw);
	lf = BUF_INIT(limit);
	if (mime_add_lf(&lf, buf_bytes(raw)) == -1)
		msg_diesys(exit_for(errno), "cannot convert the message");
	buf_free(raw);
	*raw = lf;
	return buf_bytes(raw);
}

/* What final delivery adds in front (RFC 5321 4.4, R-35). */
static struct bytes
fields(struct buf *b)
{
	const char *recipient = env_get("RECIPIENT");
	const char *sender = getenv("SENDER");	/* empty: the null path */

	if ((recipient != NULL &&
	    trace_delivered_to(b, bytes_str(recipient)) == -1) ||
	    (sender != NULL &&
	    trace_return_path(b, bytes_str(sender)) == -1))
		msg_diesys(exit_for(errno), "cannot make trace fields");
	return buf_bytes(b);
}

/* What judge(1) put on top stays there, as lmtp-in has it. */
static struct bytes
cut_reason(struct bytes *message)
{
	struct bytes rest = *message, field;

	if (!trace_field_cut(&rest, &field) ||
	    !trace_field_is(field, BYTES("Pipemail-Reason")))
		return BYTES_EMPTY;
	*message = rest;
	return field;
}

static void
print_place(struct account *a, const char *mailbox,
    const struct store_delivered *d)
{
	struct buf path = BUF_INIT(4096);

	if (store_message_path(a->store, d->mailbox, d->uid, &path) == -1)
		msg_diesys(account_exit(errno), "cannot find the message");
	if (printf("%s\t%lu\t%.*s\n", mailbox, (unsigned long)d->uid,
	    BYTES_ARG(buf_bytes(&path))) < 0 || fflush(stdout) == EOF)
		account_die_write();
	buf_free(&path);
}

int
main(int argc, char *argv[])
{
	const char *name = NULL, *mailbox = "INBOX", *flags = "";
	struct buf raw, trace = BUF_INIT(2 * TRACE_FIELD_MAX);
	struct account a = { .note = note };
	struct store_incoming in = { 0 };
	struct store_delivered done;
	struct bytes pieces[3], *names;
	bool verbose = false;
	int c;

	msg_init("store-deliver");
	while ((c = getopt(argc, argv, "va:m:f:")) != -1) {
		switch (c) {
		case 'v':
			verbose = true;
			break;
		case 'a':
			name = optarg;
			break;
		case 'm':
			mailbox = optarg;
			break;
		case 'f':
			flags = optarg;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (name == NULL || optind != argc)
		msg_die(EXIT_PERM, "%s", usage);
	if (account_open(&a, name) == -1)
		msg_die(account_exit(errno), "cannot open account %s: %s",
		    name, a.problem);
	if (account_flags(&a.arena, bytes_str(flags), &in.flags, &names,
	    &in.keyword_count) == -1)
		msg_die(EXIT_PERM, "cannot understand flags %s", flags);
	in.keywords = names;
	pieces[2] = read_message(&a, &raw);
	pieces[1] = fields(&trace);
	pieces[0] = cut_reason(&pieces[2]);
	in.pieces = pieces;
	in.count = 3;
	if (store_deliver(a.store, bytes_str(mailbox), &in, &done) == -1)
		msg_diesys(account_exit(errno), "cannot deliver to %s of %s",
		    mailbox, name);
	if (verbose)
		print_place(&a, mailbox, &done);
	buf_free(&raw);
	buf_free(&trace);
	account_close(&a);
	return EXIT_YES;
}
