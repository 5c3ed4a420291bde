#include <errno.h>
#include <unistd.h>

#include "dkim/dkim.h"

static const char usage[] = "usage: dkim-sign [-n] [-c canon] [-f fields] "
    "[-i identity] [-T time] [-x seconds] -d domain -s selector -k file "
    "[-d domain] [-s selector] [-k file ...] < message";

/* More signatures than a verifier looks at serve no one. */
#define SIGNERS_MAX DKIM_SIGNATURES_MAX
#define MESSAGE_MAX ((size_t)1 << 30)

struct options {
	struct dkim_signer next;	/* what the next -k signs with */
	struct dkim_signer signer[SIGNERS_MAX];
	struct dkim_key *key[SIGNERS_MAX];
	size_t n;
	int64_t now, lifetime;
};

static enum dkim_canon
canon_word(struct bytes word)
{
	if (bytes_eq(word, BYTES("relaxed")))
		return DKIM_RELAXED;
	if (!bytes_eq(word, BYTES("simple")))
		msg_die(EXIT_PERM, "canonicalization is simple or relaxed");
	return DKIM_SIMPLE;
}

/* HEADER/BODY, or one word for both. */
static void
set_canon(struct dkim_signer *s, const char *text)
{
	struct bytes body = bytes_str(text), header;
	bool has_body = bytes_split(&body, '/', &header);

	s->header_canon = canon_word(header);
	s->body_canon = has_body ? canon_word(body) : s->header_canon;
}

static void
add_key(struct options *o, const char *path)
{
	const char *why;

	if (o->next.domain.n == 0 || o->next.selector.n == 0)
		msg_die(EXIT_PERM, "-d and -s must stand before -k");
	if (o->n == SIGNERS_MAX)
		msg_die(EXIT_PERM, "more than %d keys", SIGNERS_MAX);
	o->key[o->n] = dkim_key_open(path, &why);
	if (o->key[o->n] == NULL)
		msg_die(exit_for(errno), "cannot read key %s: %s", path, why);
	o->next.key = o->key[o->n];
	o->signer[o->n++] = o->next;
}

static int64_t
number(const char *text, uint64_t min, const char *what)
{
	uint64_t n;

	if (num_parse_duration(bytes_str(text), min, 999999999999, &n) == -1)
		msg_die(EXIT_PERM, "bad %s: %s", what, text);
	return (int64_t)n;
}

static void
parse_options(int argc, char *argv[], struct arena *a, struct options *o)
{
	int c;

	while ((c = getopt(argc, argv, "c:d:f:i:k:ns:T:x:")) != -1) {
		switch (c) {
		case 'c':
			set_canon(&o->next, optarg);
			break;
		case 'd':
			o->next.domain = bytes_str(optarg);
			break;
		case 'f':
			o->next.fields = dkim_names(a, bytes_str(optarg),
			    &o->next.field_count);
			break;
		case 'i':
			o->next.identity = bytes_str(optarg);
			break;
		case 'k':
			add_key(o, optarg);
			break;
		case 'n':
			o->next.no_seal = true;
			break;
		case 's':
			o->next.selector = bytes_str(optarg);
			break;
		case 'T':
			o->now = number(optarg, 0, "time");
			break;
		case 'x':
			o->lifetime = number(optarg, 1, "lifetime");
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (optind != argc || o->n == 0)
		msg_die(EXIT_PERM, "%s", usage);
}

/* The fields get the line ends the message has. */
static int
write_fields(struct bytes fields, bool crlf)
{
	unsigned char block[8192];
	struct writer w;
	struct bytes line;

	writer_init(&w, STDOUT_FILENO, block, sizeof block);
	while (bytes_line(&fields, &line)) {
		/* A failure is kept for the flush. */
		(void)writer_add(&w, line);
		(void)writer_adds(&w, crlf ? "\r\n" : "\n");
	}
	return writer_flush(&w);
}

int
main(int argc, char *argv[])
{
	struct options o = { .next = { .header_canon = DKIM_RELAXED,
	    .body_canon = DKIM_RELAXED } };
	struct buf message = BUF_INIT(MESSAGE_MAX);
	struct buf fields = BUF_INIT(MESSAGE_MAX);
	struct arena a = ARENA_INIT;
	struct bytes text, line = BYTES_EMPTY;
	const char *why;
	size_t i;

	msg_init("dkim-sign");
	o.now = time_wall_us() / 1000000;
	parse_options(argc, argv, &a, &o);
	for (i = 0; i < o.n; i++) {
		o.signer[i].now = o.now;
		o.signer[i].lifetime = o.lifetime;
	}
	if (io_read_all(STDIN_FILENO, &message, DEADLINE_NONE) == -1)
		msg_diesys(exit_for(errno), "cannot read message");
	text = buf_bytes(&message);
	if (dkim_sign(&a, text, o.signer, o.n, &fields, &why) == -1)
		msg_die(exit_for(errno), "cannot sign message: %s", why);
	(void)bytes_split(&text, '\n', &line);	/* or one line, without */
	if (write_fields(buf_bytes(&fields), bytes_ends(line, BYTES("\r"))) ==
	    -1 || io_write_all(STDOUT_FILENO, buf_bytes(&message),
	    DEADLINE_NONE) == -1)
		msg_diesys(EXIT_TEMP, "cannot write message");
	for (i = 0; i < o.n; i++)
		dkim_key_free(o.key[i]);
	buf_free(&message);
	buf_free(&fields);
	arena_free(&a);
	return EXIT_YES;
}
