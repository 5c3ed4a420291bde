/*
 * trust.c - what those we trust recorded of a message
 *
 * Any sealer can write any results, and can change the message at will. So
 * only an unbroken row of trusted ones, from the newest down, counts: each of
 * them took the message from another of the row, or recorded what it found
 * when the message came from outside.
 */
#include "arc/internal.h"

/* One resinfo without comments; more is none that counts. */
#define RESINFO_MAX 4096

static bool
is_trusted(const struct bytes *trusted, size_t n, struct bytes domain)
{
	size_t i, below;

	for (i = 0; i < n; i++) {
		if (bytes_caseeq(domain, trusted[i]))
			return true;
		if (trusted[i].n == 0 || domain.n <= trusted[i].n)
			continue;
		below = domain.n - trusted[i].n;
		if (bytes_caseends(domain, trusted[i]) &&
		    domain.p[below - 1] == '.')
			return true;
	}
	return false;
}

/* Take a comment (RFC 5322 3.2.2) off *s, which begins with "(". */
static void
skip_comment(struct bytes *s)
{
	size_t depth = 0;
	int c;

	do {
		c = bytes_next(s);
		if (c == '\\')
			(void)bytes_next(s);	/* -1 at the end, as below */
		depth += c == '(';
		depth -= c == ')';
	} while (depth > 0 && s->n > 0);
}

/* A quoted string without its quotes, so that it stays one word and is no
 * property; the quote before it is taken already. */
static void
add_quoted(struct buf *out, struct bytes *s)
{
	int c;

	while (s->n > 0 && (c = bytes_next(s)) != '"') {
		if (c == '\\')
			c = bytes_next(s);
		/* a full buffer is seen by next_resinfo */
		(void)buf_addc(out, c == -1 || c == '=' || ascii_is_space(c)
		    ? '?' : c);
	}
}

/* The next resinfo of *rest as words with one kind of blank; false at the
 * end. One that is too long is empty. */
static bool
next_resinfo(struct bytes *rest, struct buf *out)
{
	int c;

	buf_reset(out);
	if (rest->n == 0)
		return false;
	while (rest->n > 0 && bytes_at(*rest, 0) != ';') {
		if (bytes_at(*rest, 0) == '(') {
			skip_comment(rest);
			c = ' ';
		} else if ((c = bytes_next(rest)) == '"') {
			add_quoted(out, rest);
			continue;
		}
		(void)buf_addc(out, ascii_is_space(c) ? ' ' : c);
	}
	(void)bytes_next(rest);		/* the ";", if there is one */
	if (out->full)
		buf_reset(out);
	return true;
}

/* dmarc=pass ... header.from=DOMAIN */
static bool
is_dmarc_pass(struct bytes resinfo, struct bytes from_domain)
{
	struct bytes word;

	if (!bytes_word(&resinfo, &word) ||
	    !bytes_caseeq(word, BYTES("dmarc=pass")))
		return false;
	while (bytes_word(&resinfo, &word)) {
		if (bytes_caseskip(&word, BYTES("header.from=")))
			return bytes_caseeq(word, from_domain);
	}
	return false;
}

static bool
says_pass(struct bytes results, struct bytes from_domain)
{
	struct buf b = BUF_INIT(RESINFO_MAX);
	bool found = false;

	/* the first is the authserv-id: no resinfo, whatever it looks like */
	if (next_resinfo(&results, &b)) {
		while (!found && next_resinfo(&results, &b))
			found = is_dmarc_pass(buf_bytes(&b), from_domain);
	}
	buf_free(&b);
	return found;
}

bool
arc_vouches(const struct arc_verdict *v, const struct bytes *trusted,
    size_t n, struct bytes from_domain, unsigned int *instance)
{
	size_t i;

	if (v->result != ARC_PASS || v->n == 0 || from_domain.n == 0 ||
	    !v->set[v->n - 1].signs_from)
		return false;
	for (i = v->n; i-- > 0;) {
		if (!is_trusted(trusted, n, v->set[i].domain))
			return false;
		if (says_pass(v->set[i].results, from_domain)) {
			*instance = (unsigned int)i + 1;
			return true;
		}
	}
	return false;
}

/* smtp.remote-ip= of any resinfo. */
static bool
remote_ip(struct bytes results, struct ip *ip)
{
	struct buf b = BUF_INIT(RESINFO_MAX);
	bool found = false;
	struct bytes s, word;

	while (!found && next_resinfo(&results, &b)) {
		s = buf_bytes(&b);
		while (!found && bytes_word(&s, &word))
			found = bytes_caseskip(&word,
			    BYTES("smtp.remote-ip=")) &&
			    ip_parse(word, ip) == 0;
	}
	buf_free(&b);
	return found;
}

/* A full buffer stays marked and is looked at once, at the end. */
int
arc_format_reason(struct buf *out, const struct arc_verdict *v)
{
	char text[IP_TEXT_MAX];
	struct ip ip;
	size_t i;

	(void)buf_printf(out, "arc=%s", arc_result_text(v->result));
	for (i = v->n; i-- > 0;)
		(void)buf_printf(out, " as[%zu].d=%.*s as[%zu].s=%.*s", i + 1,
		    BYTES_ARG(v->set[i].domain), i + 1,
		    BYTES_ARG(v->set[i].selector));
	if (v->n > 0 && remote_ip(v->set[0].results, &ip))
		(void)buf_printf(out, " remote-ip[1]=%s",
		    ip_format(&ip, text));
	return out->full ? -1 : 0;
}
