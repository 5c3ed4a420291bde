/* reputation-show - what is known of a sender. See reputation-show(1) */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "account/account.h"
#include "addr/addr.h"
#include "base/base.h"
#include "psl/psl.h"
#include "reputation/reputation.h"

static const char usage[] =
    "usage: reputation-show [-ru] [-d domain] [-e helo] [-f address] "
    "[-i address] [-m mailbox] -a account address\n"
    "       reputation-show [-r] [-m mailbox] -a account < message";

/* The default SMTP size limit is a tenth of that. */
#define MESSAGE_MAX ((size_t)1024 * 1024 * 1024)
#define LINE_MAX_BYTES ((size_t)1024 * 1024)

struct request {
	struct account a;
	const char *account, *mailbox;
	struct origin origin;
	bool given;		/* by options or an operand */
	bool rates;
	bool unvalidated;
	struct store_view *view;
	struct arena arena;
	struct buf out;
};

static void
note(const char *line)
{
	msg_info("%s", line);
}

static _Noreturn void
die_read(void)
{
	msg_diesys(account_exit(errno), "cannot read the index");
}

/* ---- the sender ---- */

static struct bytes
read_domain(struct request *q, const char *text)
{
	struct bytes unicode, ascii;
	const char *why;

	if (addr_parse_domain(&q->arena, bytes_str(text), ADDR_SMTPUTF8,
	    &unicode, &ascii, &why) == -1)
		msg_die(EXIT_PERM, "%s is no domain: %s", text, why);
	return ascii;
}

static void
read_address(struct request *q, const char *text, struct bytes *local,
    struct bytes *domain)
{
	struct path p;
	const char *why;

	if (addr_parse_mailbox(&q->arena, bytes_str(text), ADDR_SMTPUTF8, &p,
	    &why) == -1)
		msg_die(EXIT_PERM, "%s is no address: %s", text, why);
	*local = arena_lower(&q->arena, p.local_part);
	*domain = p.domain_ascii;
}

static void
add_domain(struct request *q, const char *text)
{
	struct origin *o = &q->origin;

	if (o->ndkim == ORIGIN_DKIM_MAX)
		msg_die(EXIT_PERM, "more than %d domains", ORIGIN_DKIM_MAX);
	o->dkim[o->ndkim++] = read_domain(q, text);
}

static void
read_options(struct request *q, int argc, char *argv[])
{
	struct origin *o = &q->origin;
	int c;

	while ((c = getopt(argc, argv, "a:d:e:f:i:m:ru")) != -1) {
		q->given |= c == 'd' || c == 'e' || c == 'f' || c == 'i' ||
		    c == 'u';
		if (c == 'a')
			q->account = optarg;
		else if (c == 'd')
			add_domain(q, optarg);
		else if (c == 'e')
			o->helo = read_domain(q, optarg);
		else if (c == 'f')
			read_address(q, optarg, &o->mail_from_local,
			    &o->mail_from_domain);
		else if (c == 'i' && ip_parse(bytes_str(optarg), &o->ip)
		    == -1)
			msg_die(EXIT_PERM, "%s is no IP address", optarg);
		else if (c == 'm')
			q->mailbox = optarg;
		else if (c == 'r')
			q->rates = true;
		else if (c == 'u')
			q->unvalidated = true;
		else if (c != 'i')
			msg_usage(usage);
	}
	if (q->account == NULL || argc - optind > 1 ||
	    (q->given && argc == optind))
		msg_usage(usage);
	o->helo_validated = o->helo.n > 0;
	o->mail_from_validated = o->mail_from_domain.n > 0;
	if (argc == optind)
		return;
	q->given = true;
	read_address(q, argv[optind], &o->from_local, &o->from_domain);
	o->from_org = psl_organisational_domain(&q->arena, o->from_domain);
	o->from_validated = !q->unvalidated;
}

static void
read_message(struct request *q)
{
	struct buf in = BUF_INIT(MESSAGE_MAX);
	struct bytes message, hostname;

	if (q->a.config == NULL)
		msg_die(EXIT_PERM, "no configuration says whose results count");
	hostname = config_get_text(q->a.config, "server", NULL, "hostname");
	if (io_read_all(STDIN_FILENO, &in, DEADLINE_NONE) == -1)
		msg_diesys(exit_for(errno), "cannot read the message");
	message = arena_bytes(&q->arena, buf_bytes(&in));
	buf_free(&in);
	if (!origin_of_stored(&q->arena, message, hostname, &q->origin))
		msg_die(EXIT_PERM,
		    "the message was not received by this server");
}

/* ---- what is printed ---- */

static void
flush(struct request *q)
{
	if (q->out.full)
		msg_die(EXIT_TEMP, "too long a line");
	if (io_write_all(STDOUT_FILENO, buf_bytes(&q->out), DEADLINE_NONE)
	    == -1)
		account_die_write();
	buf_reset(&q->out);
}

static void
add_message(struct request *q, const struct reputation_message *m)
{
	struct bytes from, subject;
	struct store_message record;
	struct store_mailbox box;
	struct buf *b = &q->out;
	int r = store_message_get(q->view, m->mailbox, m->uid, &record);

	if (r == 1)
		r = store_mailbox_get(q->view, m->mailbox, &box);
	if (r == -1)
		die_read();
	if (r != 1)
		return;		/* verifydata tells of it */
	account_envelope(&q->arena, record.envelope, &from, &subject);
	(void)msg_escape(b, box.name);	/* full tells, here and below */
	(void)buf_printf(b, "\t%lu\t", (unsigned long)m->uid);
	(void)account_format_time(b, m->date);
	(void)buf_printf(b, "\t%s\t", m->junk ? "junk" : "ham");
	(void)msg_escape(b, from);
	(void)buf_addc(b, '\t');
	(void)msg_escape(b, subject);
	(void)buf_addc(b, '\n');
}

static void
show_reputation(struct request *q, int64_t now)
{
	struct reputation_store s = { .view = q->view, .arena = &q->arena };
	struct reputation_source source = reputation_of_store(&s);
	struct store_mailbox box;
	struct reputation r;
	struct bytes name;
	int found;

	if (store_name_check(&q->arena, bytes_str(q->mailbox == NULL
	    ? "INBOX" : q->mailbox), &name, NULL) == -1)
		msg_die(EXIT_PERM, "%s is no mailbox name", q->mailbox);
	if ((found = store_mailbox_find(q->view, name, &box)) == -1)
		die_read();
	s.mailbox = found == 1 ? box.id : 0;
	if (reputation_judge(&q->arena, &source, &q->origin, now, &r) == -1)
		die_read();
	(void)buf_printf(&q->out, "%s\t%s\t%s\t%c\t%.*s",
	    reputation_method_name(r.method), reputation_junk_name(r.junk),
	    r.conclusive ? "conclusive" : "inconclusive", r.step,
	    BYTES_ARG(r.why));	/* full tells, here and below */
	if (r.sent != 0)
		(void)buf_addc(&q->out, '\t');
	if (r.sent != 0)
		(void)account_format_time(&q->out, r.sent);
	(void)buf_addc(&q->out, '\n');
	for (size_t i = 0; i < r.nmessages; i++) {
		add_message(q, &r.messages[i]);
		flush(q);
	}
	flush(q);
}

/* The exit code: is there room for another message? */
static int
show_rates(struct request *q, int64_t now)
{
	static const char *const window[REPUTATION_WINDOWS] = {
		[REPUTATION_MINUTE] = "minute", [REPUTATION_DAY] = "day" };
	struct ip mask[ORIGIN_MASKS];
	struct reputation_rates r;
	char text[IP_TEXT_MAX];
	const char *limit;

	if (q->origin.ip.family == 0)
		msg_die(EXIT_PERM, "no IP address is given");
	if (reputation_rates_of_store(q->view, &q->origin.ip, now, &r) == -1)
		die_read();
	origin_masks(&q->origin.ip, mask);
	for (int w = 0; w < REPUTATION_WINDOWS; w++) {
		for (int m = 0; m < ORIGIN_MASKS; m++)
			(void)buf_printf(&q->out, "%s\t%s\t%llu\t%llu\n",
			    window[w], ip_format(&mask[m], text),
			    (unsigned long long)r.count[w][m],
			    (unsigned long long)r.bytes[w][m]); /* fits */
	}
	if ((limit = reputation_rates_check(&r, 0)) != NULL)
		(void)buf_printf(&q->out, "limit\t%s\n", limit); /* fits */
	flush(q);
	return limit == NULL ? EXIT_YES : EXIT_NO;
}

int
main(int argc, char *argv[])
{
	struct request q = { .a = { .note = note }, .arena = ARENA_INIT,
	    .origin = { .ndkim = 0 }, .out = BUF_INIT(LINE_MAX_BYTES) };
	int64_t now = time_wall_us() / 1000000;
	int code = EXIT_YES;

	msg_init("reputation-show");
	read_options(&q, argc, argv);
	account_start(&q.a, q.account, NULL, NULL);
	if (!q.given)
		read_message(&q);
	if ((q.view = store_view_open(q.a.store)) == NULL)
		die_read();
	if (q.rates)
		code = show_rates(&q, now);
	else
		show_reputation(&q, now);
	store_view_close(q.view);
	account_close(&q.a);
	buf_free(&q.out);
	arena_free(&q.arena);
	return code;
}
