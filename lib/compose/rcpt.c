/*
 * rcpt.c - whom a message is for
 */
#include "compose/internal.h"

#include <errno.h>

#include "mime/mime.h"
#include "trace/trace.h"

static int
fail(int err, const char **why, const char *text)
{
	*why = text;
	errno = err;
	return -1;
}

static int
add_one(struct compose_rcpts *out, struct bytes address, const char **why)
{
	for (size_t i = 0; i < out->count; i++) {
		if (bytes_eq(out->address[i], address))
			return 0;
	}
	if (out->count == COMPOSE_RCPTS_MAX)
		return fail(EMSGSIZE, why, "more than 1000 recipients");
	out->address[out->count++] = address;
	return 0;
}

/* Checked as a path is; a name without domain as if it had one. */
static int
add_member(struct arena *a, const struct addr_member *m,
    struct compose_rcpts *out, const char **why)
{
	struct bytes text = member_text(a, m);
	struct path path;

	/* Without a domain every member counts as bad. */
	if (!m->has_mailbox || m->mailbox.n == 0 ||
	    (m->is_bad && m->domain.n > 0))
		return fail(EBADMSG, why, "not an address");
	if (addr_parse_mailbox(a, m->domain.n > 0 ? text : bytes_str(
	    arena_printf(a, "%.*s@localhost", BYTES_ARG(text))),
	    ADDR_SMTPUTF8, &path, why) == -1) {
		errno = EBADMSG;
		return -1;
	}
	return add_one(out, text, why);
}

/* What is one bare address must be that from end to end; the reader of lists
 * passes over what it does not understand. */
static bool
is_cut_short(struct arena *a, struct bytes list, const struct addr_list *m)
{
	size_t at;

	for (size_t i = 0; i < list.n; i++) {
		if (bytes_chr(BYTES("\"<(,:;\\"), list.p[i], &at))
			return false;
	}
	list = bytes_trim(list);
	return list.n > 0 && (m->first == NULL ||
	    !bytes_eq(member_text(a, m->first), list));
}

int
compose_add_rcpts(struct arena *a, struct bytes list,
    struct compose_rcpts *out, const char **why)
{
	struct addr_list members;

	if (bytes_has_nul(list))
		return fail(EBADMSG, why, "a NUL");
	addr_parse_list(a, list, &members);
	if (members.is_cut)
		return fail(EMSGSIZE, why, "more than 1000 recipients");
	if (is_cut_short(a, list, &members))
		return fail(EBADMSG, why, "not an address");
	for (const struct addr_member *m = members.first; m != NULL;
	    m = m->next) {
		if (m->kind == ADDR_MAILBOX &&
		    add_member(a, m, out, why) == -1)
			return -1;
	}
	return 0;
}

int
compose_read_rcpts(struct arena *a, struct bytes message,
    struct compose_rcpts *out, const char **why)
{
	static const char *const names[] = { "To", "Cc", "Bcc" };
	static const char *const resent[] = { "Resent-To", "Resent-Cc",
	    "Resent-Bcc" };
	struct bytes field, block;
	struct mime_field f;
	unsigned int seen;

	message = mime_skip_from_line(message);
	block = resent_block(message, &seen);
	if (seen != 0)
		message = block;
	while (trace_field_cut(&message, &field)) {
		if (!mime_next_field(&field, &f))
			continue;
		for (size_t i = 0; i < 3; i++) {
			if (bytes_caseeq(f.name, bytes_str(seen != 0
			    ? resent[i] : names[i])) &&
			    compose_add_rcpts(a, f.body, out, why) == -1)
				return -1;
		}
	}
	return 0;
}
