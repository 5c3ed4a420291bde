/*
 * header.c - the header section as it is submitted
 */
#include "compose/internal.h"

#include <errno.h>

#include "mime/mime.h"
#include "os/os.h"
#include "trace/trace.h"

#define ADDRESS_MAX (ADDR_PATH_MAX * 2)	/* quoting may double it */

unsigned int
resent_bit(struct bytes name)
{
	static const char *const names[] = { "Date", "From", "Sender", "To",
	    "Cc", "Bcc", "Message-ID" };

	if (!bytes_caseskip(&name, BYTES("Resent-")))
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (bytes_caseeq(name, bytes_str(names[i])))
			return 1U << i;
	}
	return 0;
}

struct bytes
resent_block(struct bytes message, unsigned int *seen)
{
	struct bytes rest = message, field, parsed;
	struct mime_field f;
	size_t n = 0;
	unsigned int bit;

	*seen = 0;
	while (trace_field_cut(&rest, &field)) {
		parsed = field;
		bit = mime_next_field(&parsed, &f) ? resent_bit(f.name) : 0;
		if ((bit & *seen) != 0)
			break;
		*seen |= bit;
		n += field.n;
	}
	return bytes_first(message, n);
}

struct bytes
member_text(struct arena *a, const struct addr_member *m)
{
	struct buf b = BUF_INIT(ADDRESS_MAX);
	struct bytes out;

	/* What does not fit is longer than any address. */
	(void)addr_format_local_part(&b, m->mailbox);
	if (m->domain.n > 0) {
		(void)buf_addc(&b, '@');
		(void)buf_add(&b, m->domain);
	}
	out = b.full ? BYTES_EMPTY : arena_bytes(a, buf_bytes(&b));
	buf_free(&b);
	return out;
}

static void
add_from(struct buf *out, const char *field, struct bytes name,
    struct bytes address)
{
	struct buf phrase = BUF_INIT(COMPOSE_NAME_MAX * 4);

	/* A name that cannot be said is left out. */
	if (name.n > 0 && compose_add_name(&phrase, name) == 0)
		(void)buf_printf(out, "%s: %.*s <%.*s>\n", field,
		    BYTES_ARG(buf_bytes(&phrase)), BYTES_ARG(address));
	else
		(void)buf_printf(out, "%s: %.*s\n", field,
		    BYTES_ARG(address));
	buf_free(&phrase);
}

/* The only mailbox of a field; NULL: none, or several. */
static const struct addr_member *
only_mailbox(struct arena *a, struct bytes body)
{
	const struct addr_member *only = NULL;
	struct addr_list list;

	addr_parse_list(a, body, &list);
	for (const struct addr_member *m = list.first; m != NULL;
	    m = m->next) {
		if (m->kind != ADDR_MAILBOX)
			continue;
		if (only != NULL || !m->has_mailbox || m->mailbox.n == 0)
			return NULL;
		only = m;
	}
	return only;
}

/* The field as it is, or with our address and its display name. */
static void
copy_from(const struct compose *c, struct arena *a, const char *field,
    const struct mime_field *f, struct buf *out)
{
	const struct addr_member *m = only_mailbox(a, f->body);

	if (m == NULL || c->may_use(c->ctx, a, member_text(a, m)))
		(void)buf_add(out, f->raw);	/* full is told at the end */
	else
		add_from(out, field, m->has_name ? bytes_trim(m->display_name)
		    : BYTES_EMPTY, c->address);
}

/* That the buffer is full is told at the end, here and below. */
static void
add_date(const struct compose *c, const char *field, struct buf *out)
{
	(void)buf_printf(out, "%s: ", field);
	(void)date_format(out, c->now, date_local_zone(c->now));
	(void)buf_addc(out, '\n');
}

static void
add_id(const struct compose *c, const char *field, struct buf *out)
{
	struct bytes domain = c->address;
	unsigned char random[12];
	size_t at;

	if (bytes_rchr(domain, '@', &at))
		domain = bytes_from(domain, at + 1);
	os_random(random, sizeof(random));
	(void)buf_printf(out, "%s: <", field);
	(void)base64url_encode(out, bytes_of(random, sizeof(random)));
	(void)buf_printf(out, "@%.*s>\n", BYTES_ARG(domain));
}

static void
add_resent(const struct compose *c, unsigned int seen, struct buf *out)
{
	if ((seen & RESENT_FROM) == 0)
		add_from(out, "Resent-From", c->name, c->address);
	if ((seen & RESENT_DATE) == 0)
		add_date(c, "Resent-Date", out);
	if ((seen & RESENT_MESSAGE_ID) == 0)
		add_id(c, "Resent-Message-ID", out);
}

/* One field, into the new header section. */
static void
copy_field(const struct compose *c, struct arena *a, struct bytes field,
    bool resent, bool in_block, struct buf *out)
{
	struct bytes parsed = field;
	struct mime_field f;

	if (!mime_next_field(&parsed, &f))
		return;
	if (!c->keep_bcc && (bytes_caseeq(f.name, BYTES("Bcc")) ||
	    bytes_caseeq(f.name, BYTES("Resent-Bcc"))))
		return;
	if (!resent && bytes_caseeq(f.name, BYTES("From")))
		copy_from(c, a, "From", &f, out);
	else if (in_block && bytes_caseeq(f.name, BYTES("Resent-From")))
		copy_from(c, a, "Resent-From", &f, out);
	else
		(void)buf_add(out, f.raw);	/* full is told at the end */
	if (out->n > 0 && out->p[out->n - 1] != '\n')
		(void)buf_addc(out, '\n');	/* likewise */
}

int
compose_header(const struct compose *c, struct arena *a,
    struct bytes message, struct buf *header, struct bytes *body)
{
	struct bytes field, top, all;
	unsigned int seen;

	message = mime_skip_from_line(message);
	top = resent_block(message, &seen);
	all = message;
	if (seen != 0)
		add_resent(c, seen, header);
	while (trace_field_cut(&message, &field))
		copy_field(c, a, field, seen != 0,
		    all.n - message.n <= top.n, header);
	all = bytes_first(all, all.n - message.n);
	if (mime_count_fields(all, BYTES("From")) == 0)
		add_from(header, "From", c->name, c->address);
	if (c->complete && mime_count_fields(all, BYTES("Date")) == 0)
		add_date(c, "Date", header);
	if (c->complete && mime_count_fields(all, BYTES("Message-ID")) == 0)
		add_id(c, "Message-ID", header);
	/* An empty line ends the section; text without one has its own. */
	(void)buf_addc(header, '\n');	/* full is told below */
	if (!bytes_skip(&message, BYTES("\n")))
		(void)bytes_skip(&message, BYTES("\r\n"));
	*body = message;
	if (!header->full)
		return 0;
	errno = EMSGSIZE;
	return -1;
}
