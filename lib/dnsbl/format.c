/*
 * format.c - results as text
 */
#include "dnsbl/dnsbl.h"

#include <errno.h>

const char *
dnsbl_result_name(enum dnsbl_result result)
{
	switch (result) {
	case DNSBL_PASS:
		return "pass";
	case DNSBL_FAIL:
		return "fail";
	case DNSBL_TEMPERROR:
		return "temperror";
	case DNSBL_POLICY:
		return "policy";
	case DNSBL_NONE:
		break;
	}
	return "none";
}

const char *
dnsbl_state_name(enum dnsbl_state state)
{
	switch (state) {
	case DNSBL_HEALTHY:
		return "healthy";
	case DNSBL_UNKNOWN:
		return "unknown";
	case DNSBL_LISTS_ALL:
		return "lists all";
	case DNSBL_LISTS_NOTHING:
		break;
	}
	return "lists nothing";
}

/* A quoted-string; text is printable ASCII. */
static int
add_quoted(struct buf *out, struct bytes text)
{
	int r = buf_addc(out, '"'), c;

	while (r == 0 && (c = bytes_next(&text)) != -1) {
		if (c == '"' || c == '\\')
			r = buf_addc(out, '\\');
		if (r == 0)
			r = buf_addc(out, c);
	}
	return r == 0 ? buf_addc(out, '"') : -1;
}

/* RFC 8904 2: where it is listed, as what, and why. */
static int
add_listing(struct buf *out, const struct dnsbl_answer *answer)
{
	char code[IP_TEXT_MAX];

	if (buf_printf(out, " dns.zone=%.*s policy.ip=%s",
	    BYTES_ARG(answer->zone), ip_format(&answer->code, code)) == -1)
		return -1;
	if (answer->authentic && buf_adds(out, " dns.sec=yes") == -1)
		return -1;
	if (answer->text.n == 0)
		return 0;
	return buf_adds(out, " policy.txt=") == -1 ? -1
	    : add_quoted(out, answer->text);
}

int
dnsbl_format_resinfo(struct buf *out, const struct dnsbl *r)
{
	size_t start = out->n;

	if (buf_printf(out, "dnsbl=%s", dnsbl_result_name(r->result)) == -1 ||
	    (r->result == DNSBL_FAIL &&
	    add_listing(out, &r->answers[r->nanswers - 1]) == -1)) {
		out->n = start;
		errno = EMSGSIZE;
		return -1;
	}
	return 0;
}

int
dnsbl_format_line(struct buf *out, const struct ip *ip,
    const struct dnsbl_answer *answer)
{
	struct bytes zone = answer->zone.n > 0 ? answer->zone : BYTES("-");
	struct bytes text = answer->text;
	char address[IP_TEXT_MAX], code[IP_TEXT_MAX];

	if (text.n == 0)
		text = bytes_str(answer->why[0] != '\0' ? answer->why : "-");
	return buf_printf(out, "%s\t%s\t%.*s\t%s\t%.*s",
	    dnsbl_result_name(answer->result), ip->family == 0 ? "-"
	    : ip_format(ip, address), BYTES_ARG(zone),
	    answer->code.family == 0 ? "-" : ip_format(&answer->code, code),
	    BYTES_ARG(text));
}
