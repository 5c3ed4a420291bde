/*
 * params.c - parameters of MAIL and RCPT
 *
 * RFC 1870 (SIZE), 6152 (BODY), 6531 (SMTPUTF8), 4954 (AUTH), 8689
 * (REQUIRETLS), 3461 (RET, ENVID, NOTIFY, ORCPT), 4865 (HOLDFOR, HOLDUNTIL),
 * 2852 (BY). One function a parameter; each may stand once.
 */
#include "smtp/smtp.h"
#include "smtp/internal.h"

#include <errno.h>

/* Parameters of one command; ten are known. */
#define PARAMS_MAX 16
/* RFC 3461 4.4 and 4.2. */
#define ENVID_MAX 100
#define ORCPT_MAX 500

struct param {
	const char *name;
	unsigned int bit;	/* given already */
	bool needs_value;
	/* 0 or the reply code, *why. */
	int (*read)(struct smtp *s, struct bytes value, const char **why);
};

/* ---- values ---- */

/* RFC 3461 4: "+HH" stands for a byte; others are printable but + and =. */
static int
decode_xtext(struct arena *a, struct bytes in, size_t max, struct bytes *out)
{
	unsigned char *p = arena_alloc(a, in.n);
	size_t n = 0;
	int c, high, low;

	if (in.n > max)
		return -1;
	while ((c = bytes_next(&in)) != -1) {
		if (c == '+') {
			high = bytes_next(&in);
			low = bytes_next(&in);
			/* RFC 3461 4: upper case hexadecimal */
			if (high == -1 || low == -1 || ascii_is_lower(high) ||
			    ascii_is_lower(low) ||
			    ascii_hex_value(high) == -1 ||
			    ascii_hex_value(low) == -1)
				return -1;
			c = ascii_hex_value(high) << 4 | ascii_hex_value(low);
			if (ascii_is_ctl(c))
				return -1;	/* it would end a field */
		} else if (c <= ' ' || c == '=' || c == 0x7f)
			return -1;
		p[n++] = (unsigned char)c;
	}
	*out = bytes_of(p, n);
	return 0;
}

/* Two digits, within bounds, and the byte that must follow (0: none). */
static bool
cut_two(struct bytes *s, int max, int after, int *out)
{
	int a = bytes_next(s), b = bytes_next(s);

	if (!ascii_is_digit(a) || !ascii_is_digit(b))
		return false;
	*out = (a - '0') * 10 + (b - '0');
	return *out <= max && (after == 0 || bytes_next(s) == after);
}

/* RFC 3339 5.6 "2026-11-21T12:00:00Z", fractions and zones too. */
static bool
parse_datetime(struct bytes s, int64_t *out)
{
	int century, year, month, day, hour, min, sec, sign, zh = 0, zm = 0;

	if (!cut_two(&s, 99, 0, &century) || !cut_two(&s, 99, '-', &year) ||
	    !cut_two(&s, 12, '-', &month) || !cut_two(&s, 31, 0, &day) ||
	    ascii_upper(bytes_next(&s)) != 'T' ||
	    !cut_two(&s, 23, ':', &hour) || !cut_two(&s, 59, ':', &min) ||
	    !cut_two(&s, 60, 0, &sec) || month == 0 || day == 0)
		return false;
	if (bytes_skip(&s, BYTES("."))) {
		if (!ascii_is_digit(bytes_at(s, 0)))
			return false;
		while (ascii_is_digit(bytes_at(s, 0)))
			s = bytes_from(s, 1);
	}
	sign = bytes_next(&s);
	if (sign == '+' || sign == '-') {
		if (!cut_two(&s, 23, ':', &zh) || !cut_two(&s, 59, 0, &zm))
			return false;
	} else if (ascii_upper(sign) != 'Z')
		return false;
	*out = date_to_unix(century * 100 + year, month, day, hour, min, sec)
	    - (sign == '-' ? -1 : 1) * (zh * 60 + zm) * 60;
	return s.n == 0;
}

/* ---- MAIL ---- */

static int
read_size(struct smtp *s, struct bytes value, const char **why)
{
	uint64_t n = UINT64_MAX;

	*why = "bad SIZE parameter";
	/* RFC 1870 3: up to 20 digits; more than 64 bits is too big */
	if (num_parse(value, 0, UINT64_MAX, &n) == -1 &&
	    (errno != ERANGE || value.n > 20))
		return 501;
	s->asked_mail.declared_size = n;
	return 0;
}

static int
read_body(struct smtp *s, struct bytes value, const char **why)
{
	*why = "bad BODY parameter";
	s->asked_mail.body_8bit = bytes_caseeq(value, BYTES("8BITMIME"));
	s->asked_mail.body_binary = s->o.binary &&
	    bytes_caseeq(value, BYTES("BINARYMIME"));
	return s->asked_mail.body_8bit || s->asked_mail.body_binary ||
	    bytes_caseeq(value, BYTES("7BIT")) ? 0 : 501;
}

static int
read_smtputf8(struct smtp *s, struct bytes value, const char **why)
{
	(void)value;	/* there is none */
	(void)why;	/* it cannot fail */
	s->asked_mail.smtputf8 = true;
	return 0;
}

/* RFC 4954 5: told by a peer nobody vouches for, not used. */
static int
read_auth(struct smtp *s, struct bytes value, const char **why)
{
	struct bytes sender;

	*why = "bad AUTH parameter";
	return bytes_eq(value, BYTES("<>")) ||
	    decode_xtext(&s->job, value, ADDR_PATH_MAX, &sender) == 0
	    ? 0 : 501;
}

static int
read_requiretls(struct smtp *s, struct bytes value, const char **why)
{
	(void)value;	/* there is none */
	*why = "REQUIRETLS needs TLS";
	if (!s->o.tls && !s->o.lmtp)	/* run/lmtp is on this machine */
		return 530;
	*why = "REQUIRETLS is not offered";
	if (!s->o.requiretls)
		return 555;
	s->asked_mail.requiretls = true;
	return 0;
}

static int
read_ret(struct smtp *s, struct bytes value, const char **why)
{
	*why = "RET is FULL or HDRS";
	s->asked_mail.ret_full = bytes_caseeq(value, BYTES("FULL"));
	s->asked_mail.ret_headers = bytes_caseeq(value, BYTES("HDRS"));
	return s->asked_mail.ret_full || s->asked_mail.ret_headers ? 0 : 501;
}

static int
read_envid(struct smtp *s, struct bytes value, const char **why)
{
	*why = "bad ENVID parameter";
	return decode_xtext(&s->job, value, ENVID_MAX,
	    &s->asked_mail.envid) == 0 ? 0 : 501;
}

static int
read_holdfor(struct smtp *s, struct bytes value, const char **why)
{
	uint64_t n;

	*why = "bad HOLDFOR parameter, or longer than is announced";
	if (value.n > 9 || num_parse(value, 1, SMTP_HOLD_MAX_S, &n) == -1)
		return 501;
	s->asked_mail.hold_s = (int64_t)n;
	return 0;
}

static int
read_holduntil(struct smtp *s, struct bytes value, const char **why)
{
	int64_t when;

	*why = "bad HOLDUNTIL parameter, or later than is announced";
	if (!parse_datetime(value, &when) || when > s->o.hold_until_max)
		return 501;
	s->asked_mail.hold_until = when;
	return 0;
}

/* "120;R", "-5;NT". */
static int
read_by(struct smtp *s, struct bytes value, const char **why)
{
	struct smtp_envelope *e = &s->asked_mail;
	struct bytes number;
	int64_t n;

	*why = "bad BY parameter";
	if (!bytes_split(&value, ';', &number) || number.n > 10 ||
	    num_parse_signed(number, -999999999, 999999999, &n) == -1)
		return 501;
	e->by_return = ascii_upper(bytes_at(value, 0)) == 'R';
	if (!e->by_return && ascii_upper(bytes_at(value, 0)) != 'N')
		return 501;
	value = bytes_from(value, 1);
	e->by_trace = bytes_caseeq(value, BYTES("T"));
	if (value.n > 0 && !e->by_trace)
		return 501;
	*why = "with mode R the time must be ahead";
	if (e->by_return && n <= 0)
		return 501;
	e->has_by = true;
	e->by_s = n;
	return 0;
}

/* ---- RCPT ---- */

static int
read_notify(struct smtp *s, struct bytes value, const char **why)
{
	static const char *const words[] = { "NEVER", "SUCCESS", "FAILURE",
	    "DELAY" };
	struct bytes word;
	unsigned int bit;
	bool more = true;

	*why = "NOTIFY is NEVER, or of SUCCESS, FAILURE, DELAY with commas";
	s->asked.notify = 0;
	while (more) {
		more = bytes_split(&value, ',', &word);
		for (bit = 0; bit < 4; bit++) {
			if (bytes_caseeq(word, bytes_str(words[bit])))
				break;
		}
		if (bit == 4 || (s->asked.notify & 1u << bit) != 0)
			return 501;
		s->asked.notify |= 1u << bit;
	}
	return (s->asked.notify & 1) != 0 && s->asked.notify != 1 ? 501 : 0;
}

static int
read_orcpt(struct smtp *s, struct bytes value, const char **why)
{
	struct bytes type, rest = value, text;
	int c;

	*why = "bad ORCPT parameter";
	if (!bytes_split(&rest, ';', &type) || type.n == 0 || rest.n == 0 ||
	    decode_xtext(&s->job, rest, ORCPT_MAX, &text) == -1)
		return 501;
	for (size_t i = 0; i < type.n; i++) {
		c = type.p[i];
		if (!ascii_is_alnum(c) && c != '-' && c != '_' && c != '.')
			return 501;
	}
	s->asked.orcpt = bytes_str(arena_printf(&s->job, "%.*s;%.*s",
	    BYTES_ARG(type), BYTES_ARG(text)));
	return 0;
}

/* ---- tables ---- */

enum {
	GIVEN_HOLD = 1u << 10,		/* HOLDFOR and HOLDUNTIL exclude */
};

static const struct param mail_params[] = {
	{ "SIZE", 1u << 0, true, read_size },
	{ "BODY", 1u << 1, true, read_body },
	{ "SMTPUTF8", 1u << 2, false, read_smtputf8 },
	{ "AUTH", 1u << 3, true, read_auth },
	{ "REQUIRETLS", 1u << 4, false, read_requiretls },
	{ NULL, 0, false, NULL },
};
static const struct param mail_dsn_params[] = {
	{ "RET", 1u << 5, true, read_ret },
	{ "ENVID", 1u << 6, true, read_envid },
	{ NULL, 0, false, NULL },
};
static const struct param mail_send_params[] = {
	{ "HOLDFOR", GIVEN_HOLD, true, read_holdfor },
	{ "HOLDUNTIL", GIVEN_HOLD, true, read_holduntil },
	{ "BY", 1u << 7, true, read_by },
	{ NULL, 0, false, NULL },
};
static const struct param rcpt_dsn_params[] = {
	{ "NOTIFY", 1u << 0, true, read_notify },
	{ "ORCPT", 1u << 1, true, read_orcpt },
	{ NULL, 0, false, NULL },
};

static const struct param *
find(const struct param *table, struct bytes name)
{
	for (; table->name != NULL; table++) {
		if (bytes_caseeq(name, bytes_str(table->name)))
			return table;
	}
	return NULL;
}

static int
read_param(struct smtp *s, const struct param *p, unsigned int *given,
    bool has_value, struct bytes value, const char **why)
{
	if ((*given & p->bit) != 0) {
		*why = p->bit == GIVEN_HOLD
		    ? "HOLDFOR or HOLDUNTIL, once" : "a parameter twice";
		return 501;
	}
	if (has_value != p->needs_value || (has_value && value.n == 0)) {
		*why = p->needs_value ? "a parameter without its value"
		    : "a value where none may be";
		return 501;
	}
	*given |= p->bit;
	return p->read(s, value, why);
}

typedef const struct param *find_fn(const struct smtp *s, struct bytes name,
    bool has_value);

static const struct param *
find_mail(const struct smtp *s, struct bytes name, bool has_value)
{
	const struct param *p = find(mail_params, name);

	(void)has_value;	/* each parameter says itself */
	if (p == NULL && s->o.dsn)
		p = find(mail_dsn_params, name);
	if (p == NULL && s->o.hold_until_max != 0)
		p = find(mail_send_params, name);
	return p;
}

static const struct param *
find_rcpt(const struct smtp *s, struct bytes name, bool has_value)
{
	return has_value && s->o.dsn ? find(rcpt_dsn_params, name) : NULL;
}

static int
read_params(struct smtp *s, struct bytes args, find_fn *find_one,
    const char *unknown, const char **why)
{
	struct bytes word, name, value;
	const struct param *p;
	unsigned int given = 0;
	bool has_value;
	int code, n = 0;

	while (bytes_word(&args, &word)) {
		*why = "too many parameters";
		if (++n > PARAMS_MAX)
			return 501;
		value = word;
		has_value = bytes_split(&value, '=', &name);
		*why = unknown;
		if ((p = find_one(s, name, has_value)) == NULL)
			return 555;
		if ((code = read_param(s, p, &given, has_value, value,
		    why)) != 0)
			return code;
	}
	return 0;
}

int
smtp_mail_params(struct smtp *s, struct bytes args, const char **why)
{
	return read_params(s, args, find_mail, "unknown MAIL parameter", why);
}

int
smtp_rcpt_params(struct smtp *s, struct bytes args, const char **why)
{
	return read_params(s, args, find_rcpt, "unknown RCPT parameter", why);
}
