/*
 * offer.c - what a server says that it can do: the reply to EHLO
 */
#include "smtpc/smtpc.h"

#define MECHANISM_MAX 20	/* RFC 4422 3.1 */

static bool
has_word(struct bytes list, struct bytes word)
{
	struct bytes w;

	while (bytes_word(&list, &w)) {
		if (bytes_eq(w, word))
			return true;
	}
	return false;
}

static bool
is_mechanism(struct bytes word)
{
	for (size_t i = 0; i < word.n; i++) {
		if (!ascii_is_alnum(word.p[i]) && word.p[i] != '-' &&
		    word.p[i] != '_')
			return false;
	}
	return word.n > 0 && word.n <= MECHANISM_MAX;
}

static void
add_mechanisms(struct arena *a, struct bytes args, struct smtpc_offer *o)
{
	struct buf list = BUF_INIT(SMTPC_MECHANISMS_MAX * (MECHANISM_MAX + 1));
	unsigned char name[MECHANISM_MAX];
	struct bytes word;

	(void)buf_add(&list, o->auth);	/* it was made here: it fits */
	while (bytes_word(&args, &word)) {
		if (!is_mechanism(word))
			continue;
		for (size_t i = 0; i < word.n; i++)
			name[i] = (unsigned char)ascii_upper(word.p[i]);
		word = bytes_of(name, word.n);
		if (has_word(buf_bytes(&list), word))
			continue;
		if ((list.n > 0 && buf_addc(&list, ' ') == -1) ||
		    buf_add(&list, word) == -1)
			break;	/* SMTPC_MECHANISMS_MAX and more */
	}
	o->auth = bytes_rtrim(arena_bytes(a, buf_bytes(&list)));
	buf_free(&list);
}

/* The number in the first word; 0 if there is none that is right. */
static uint64_t
first_number(struct bytes args)
{
	struct bytes word;
	uint64_t n = 0;

	if (!bytes_word(&args, &word) ||
	    num_parse(word, 0, UINT64_MAX, &n) == -1)
		return 0;
	return n;
}

/* RFC 9422 3: one to six digits, not 0. The smaller of two counts. */
static void
set_limit(uint64_t *limit, struct bytes value)
{
	uint64_t n;

	if (num_parse(value, 1, 999999, &n) == 0 && (*limit == 0 || n < *limit))
		*limit = n;
}

static void
read_limits(struct bytes args, struct smtpc_offer *o)
{
	struct bytes word, name;

	while (bytes_word(&args, &word)) {
		if (!bytes_split(&word, '=', &name))
			continue;
		if (bytes_caseeq(name, BYTES("RCPTMAX")))
			set_limit(&o->rcpt_max, word);
		else if (bytes_caseeq(name, BYTES("MAILMAX")))
			set_limit(&o->mail_max, word);
		else if (bytes_caseeq(name, BYTES("RCPTDOMAINMAX")))
			set_limit(&o->rcpt_domain_max, word);
	}
}

static void
read_args(struct arena *a, unsigned int ext, struct bytes args,
    struct smtpc_offer *o)
{
	struct bytes word;

	switch (ext) {
	case SMTPC_EXT_SIZE:
		o->size = first_number(args);
		break;
	case SMTPC_EXT_AUTH:
		add_mechanisms(a, args, o);
		break;
	case SMTPC_EXT_LIMITS:
		read_limits(args, o);
		break;
	case SMTPC_EXT_DELIVERBY:
		o->deliverby_min = first_number(args);
		break;
	case SMTPC_EXT_FUTURERELEASE:
		o->hold_seconds_max = first_number(args);
		(void)bytes_word(&args, &word);	/* that number */
		if (bytes_word(&args, &word))
			o->hold_until_max = arena_bytes(a, word);
		break;
	case SMTPC_EXT_PRIORITY:
		if (bytes_word(&args, &word))
			o->priority = arena_bytes(a, word);
		break;
	default:
		break;		/* what follows the others means nothing */
	}
}

static const struct {
	const char *name;
	unsigned int ext;
} names[] = {
	{ "PIPELINING", SMTPC_EXT_PIPELINING },
	{ "SIZE", SMTPC_EXT_SIZE },
	{ "8BITMIME", SMTPC_EXT_8BITMIME },
	{ "SMTPUTF8", SMTPC_EXT_SMTPUTF8 },
	{ "STARTTLS", SMTPC_EXT_STARTTLS },
	{ "REQUIRETLS", SMTPC_EXT_REQUIRETLS },
	{ "DSN", SMTPC_EXT_DSN },
	{ "CHUNKING", SMTPC_EXT_CHUNKING },
	{ "BINARYMIME", SMTPC_EXT_BINARYMIME },
	{ "DELIVERBY", SMTPC_EXT_DELIVERBY },
	{ "FUTURERELEASE", SMTPC_EXT_FUTURERELEASE },
	{ "LIMITS", SMTPC_EXT_LIMITS },
	{ "AUTH", SMTPC_EXT_AUTH },
	{ "ENHANCEDSTATUSCODES", SMTPC_EXT_STATUS },
	{ "MT-PRIORITY", SMTPC_EXT_PRIORITY },
};

static void
read_line(struct arena *a, struct bytes line, struct smtpc_offer *o)
{
	struct bytes word;

	if (bytes_caseskip(&line, BYTES("AUTH="))) {
		o->ext |= SMTPC_EXT_AUTH;
		add_mechanisms(a, line, o);
		return;
	}
	if (!bytes_word(&line, &word))
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (bytes_caseeq(word, bytes_str(names[i].name))) {
			o->ext |= names[i].ext;
			read_args(a, names[i].ext, line, o);
		}
	}
}

void
smtpc_offer_parse(struct arena *a, const struct smtpc_reply *r,
    struct smtpc_offer *out)
{
	struct bytes rest = r->text, line, name;

	*out = (struct smtpc_offer){ .extended = true, .name = BYTES_EMPTY,
	    .auth = BYTES_EMPTY, .hold_until_max = BYTES_EMPTY,
	    .priority = BYTES_EMPTY };
	if (!bytes_line(&rest, &line))
		return;
	if (bytes_word(&line, &name))
		out->name = arena_bytes(a, name);
	while (bytes_line(&rest, &line))
		read_line(a, line, out);
}
