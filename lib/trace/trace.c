/*
 * trace.c - making trace fields
 */
#include "trace/trace.h"

#include <errno.h>

#include "os/os.h"
#include "unicode/unicode.h"

/* RFC 5322 2.1.1: lines should have no more characters than this. */
#define FOLD_COLUMN 78
/* Strangers' names in a Received field; longer ones are cut. */
#define NAME_BYTES_MAX 255
/* Version and cipher suite. */
#define TLS_BYTES_MAX 128
/* A path in a field; as many as a path may have. */
#define PATH_BYTES_MAX 1024

void
trace_id(char out[TRACE_ID_SIZE])
{
	unsigned char random[16];
	struct buf b = BUF_INIT(TRACE_ID_SIZE - 1);

	os_random(random, sizeof(random));
	if (base64url_encode(&b, bytes_of(random, sizeof(random))) == 0)
		memcpy(out, b.p, TRACE_ID_SIZE - 1);
	out[TRACE_ID_SIZE - 1] = '\0';
	buf_free(&b);
}

/* Can the code point stand in a field without being seen as something else:
 * no C0 or C1 control, no line or paragraph separator. */
static bool
is_plain(uint32_t c)
{
	return c >= 0x20 && (c < 0x7f || c > 0x9f) && c != 0x2028 &&
	    c != 0x2029;
}

int
trace_clean(struct buf *out, struct bytes s, bool in_comment, size_t max)
{
	size_t start = out->n;
	uint32_t c;
	int r;

	s = bytes_first(s, max);
	while ((r = unicode_next(&s, &c)) != 0) {
		if (r == -1 || !is_plain(c))
			r = buf_addc(out, '?');
		else if (in_comment && (c == '(' || c == ')' || c == '\\'))
			r = buf_printf(out, "\\%c", (int)c);
		else
			r = unicode_put(out, c);
		if (r == -1) {
			out->n = start;
			errno = EMSGSIZE;
			return -1;
		}
	}
	return 0;
}

/* A HELO or host name where a domain stands: no blanks, no specials. */
static int
add_name(struct buf *out, struct bytes s)
{
	uint32_t c;
	int r;

	s = bytes_first(s, NAME_BYTES_MAX);
	if (s.n == 0)
		return buf_adds(out, "unknown");
	while ((r = unicode_next(&s, &c)) != 0) {
		if (r == 1 && c < 0x80 && !ascii_is_alnum((int)c) &&
		    strchr("-._:[]", (int)c) == NULL)
			r = -1;
		if (r == -1 || !is_plain(c))
			r = buf_addc(out, '?');
		else
			r = unicode_put(out, c);
		if (r == -1)
			return -1;
	}
	return 0;
}

/* " (name [ip])" or " ([ip])"; nothing if both are unknown. */
static int
add_host_comment(struct buf *out, struct bytes name, const struct ip *ip)
{
	char text[IP_TEXT_MAX];

	if (ip->family == 0 && name.n == 0)
		return 0;
	if (buf_adds(out, " (") == -1)
		return -1;
	if (name.n > 0 && add_name(out, name) == -1)
		return -1;
	if (ip->family != 0 &&
	    buf_printf(out, "%s[%s]", name.n > 0 ? " " : "",
	    ip_format(ip, text)) == -1)
		return -1;
	return buf_addc(out, ')');
}

static int
add_from(struct buf *out, const struct trace_envelope *e)
{
	if (e->helo.n == 0 && e->remote.family == 0)
		return 0;
	if (buf_adds(out, "from ") == -1 || add_name(out, e->helo) == -1 ||
	    add_host_comment(out, e->remote_host, &e->remote) == -1)
		return -1;
	return buf_adds(out, "\n\t");
}

/* RFC 5321 4.4: Time-stamp-line. */
static int
add_received(struct buf *out, const struct trace_envelope *e,
    struct bytes hostname)
{
	if (buf_adds(out, "Received: ") == -1 || add_from(out, e) == -1 ||
	    buf_adds(out, "by ") == -1 || add_name(out, hostname) == -1 ||
	    add_host_comment(out, BYTES_EMPTY, &e->local) == -1)
		return -1;
	if (e->remote.family != 0 && buf_adds(out, " via tcp") == -1)
		return -1;
	if (e->with.n > 0 && (buf_adds(out, " with ") == -1 ||
	    add_name(out, e->with) == -1))
		return -1;
	if (e->requiretls && buf_adds(out, " (requiretls)") == -1)
		return -1;
	if (e->tls.n > 0 && (buf_adds(out, "\n\t(") == -1 ||
	    trace_clean(out, e->tls, true, TLS_BYTES_MAX) == -1 ||
	    buf_addc(out, ')') == -1))
		return -1;
	if (buf_adds(out, "\n\tid ") == -1 || add_name(out, e->id) == -1)
		return -1;
	if (e->nrecipients == 1 && e->recipients[0].n > 0 &&
	    (buf_adds(out, "\n\tfor <") == -1 ||
	    trace_clean(out, e->recipients[0], false, PATH_BYTES_MAX) == -1 ||
	    buf_addc(out, '>') == -1))
		return -1;
	if (buf_adds(out, ";\n\t") == -1 ||
	    date_format(out, e->time, date_local_zone(e->time)) == -1)
		return -1;
	return buf_addc(out, '\n');
}

/* A field is there whole or not at all. */
static int
whole(struct buf *out, size_t start, int r)
{
	if (r == 0)
		return 0;
	out->n = start;
	errno = EMSGSIZE;
	return -1;
}

int
trace_received(struct buf *out, const struct trace_envelope *e,
    struct bytes hostname)
{
	size_t start = out->n;

	return whole(out, start, add_received(out, e, hostname));
}

struct bytes
trace_received_for(struct arena *a, struct bytes field, struct bytes address)
{
	struct buf out = BUF_INIT(TRACE_FIELD_MAX);
	struct bytes result = field;
	size_t at;

	/* the date holds no semicolon, and a stranger's text no fold */
	if (bytes_find(field, BYTES("\n\tfor <"), &at) ||
	    !bytes_rchr(field, ';', &at))
		return field;
	if (buf_add(&out, bytes_first(field, at)) == 0 &&
	    buf_adds(&out, "\n\tfor <") == 0 &&
	    trace_clean(&out, address, false, PATH_BYTES_MAX) == 0 &&
	    buf_addc(&out, '>') == 0 &&
	    buf_add(&out, bytes_from(field, at)) == 0)
		result = arena_bytes(a, buf_bytes(&out));
	buf_free(&out);
	return result;
}

static int
add_path(struct buf *out, const char *start, struct bytes path,
    const char *end)
{
	if (buf_adds(out, start) == -1 ||
	    trace_clean(out, path, false, PATH_BYTES_MAX) == -1)
		return -1;
	return buf_adds(out, end);
}

int
trace_return_path(struct buf *out, struct bytes sender)
{
	size_t start = out->n;

	return whole(out, start,
	    add_path(out, "Return-Path: <", sender, ">\n"));
}

int
trace_delivered_to(struct buf *out, struct bytes address)
{
	size_t start = out->n;

	return whole(out, start,
	    add_path(out, "Delivered-To: ", address, "\n"));
}

/*
 * The word that begins at i ends before the next single blank; a blank beside
 * another blank is no place to fold, so that unfolding gives the text again.
 */
static size_t
word_end(struct bytes s, size_t i)
{
	for (i++; i < s.n; i++) {
		if (s.p[i] == ' ' && s.p[i - 1] != ' ' &&
		    bytes_at(s, i + 1) != ' ' && bytes_at(s, i + 1) != -1)
			return i;
	}
	return s.n;
}

/* Is what follows the word in a quoted string, if what it follows was? */
static bool
ends_quoted(struct bytes word, bool quoted)
{
	int c;

	while ((c = bytes_next(&word)) != -1) {
		if (c == '"')
			quoted = !quoted;
		else if (c == '\\' && quoted)
			(void)bytes_next(&word);
	}
	return quoted;
}

/*
 * Append s, folding at single blanks; *column is where the line stands. The
 * fold stands for the blank; in a quoted string it is no more than that one,
 * for there each counts.
 */
static int
add_folded(struct buf *out, struct bytes s, size_t *column)
{
	bool quoted = false;
	size_t i = 0, end;

	while (i < s.n) {
		end = word_end(s, i);
		if (i > 0 && *column + (end - i) >= FOLD_COLUMN) {
			if (buf_adds(out, quoted ? "\n " : "\n\t ") == -1)
				return -1;
			*column = quoted ? 1 : 9;
			i++;
		}
		quoted = ends_quoted(bytes_of(s.p + i, end - i), quoted);
		if (buf_add(out, bytes_of(s.p + i, end - i)) == -1)
			return -1;
		*column += end - i;
		i = end;
	}
	return 0;
}

static int
add_results(struct buf *out, struct bytes authserv_id,
    const struct bytes *resinfo, size_t n)
{
	struct buf clean = BUF_INIT(TRACE_RESULTS_MAX);
	size_t column;
	int r;

	if (buf_adds(out, "Authentication-Results: ") == -1 ||
	    add_name(out, authserv_id) == -1)
		return -1;
	if (n == 0)
		return buf_adds(out, "; none\n");
	for (size_t i = 0; i < n; i++) {
		column = 8;
		buf_reset(&clean);
		r = trace_clean(&clean, resinfo[i], false, TRACE_RESULTS_MAX);
		if (r == -1 || buf_adds(out, ";\n\t") == -1 ||
		    add_folded(out, buf_bytes(&clean), &column) == -1) {
			buf_free(&clean);
			return -1;
		}
	}
	buf_free(&clean);
	return buf_addc(out, '\n');
}

int
trace_results(struct buf *out, struct bytes authserv_id,
    const struct bytes *resinfo, size_t n)
{
	size_t start = out->n;

	return whole(out, start, add_results(out, authserv_id, resinfo, n));
}
