/*
 * appendparse.c - syntax of APPEND and REPLACE (RFC 3501 6.3.11, 3502, 3516,
 * 4469, 6855, 8508)
 *
 * The command comes in stretches that end in a literal with message bytes,
 * which does not stay in memory. What a stretch says is put down as a list of
 * things to do; the literals of strings (names, URLs) are part of a stretch.
 */
#include "imap/append.h"

static bool
parse_replaced(struct imap *im, struct parser *p)
{
	struct append *ap = &im->append;
	struct imap_set set;
	uint32_t *uids;
	size_t n;

	if (!parse_space(p) || !parse_set(p, &set))
		return false;
	if (set.saved || set.n != 1 ||
	    set.ranges[0].first != set.ranges[0].last)
		return parse_fail(p, "expected one message");
	if (!box_uids(im, &set, im->is_uid, &uids, &n))
		return parse_fail(p, "no such message number");
	ap->replace = true;
	if (n == 1)
		ap->replaced = uids[0];
	return true;
}

bool
append_parse_head(struct imap *im, struct parser *p, bool replace,
    struct bytes *name)
{
	if (replace && !parse_replaced(im, p))
		return false;
	return parse_space(p) && parse_mailbox(p, name);
}

static struct append_op *
add_op(struct imap *im, struct parser *p, enum append_op_kind kind)
{
	struct append *ap = &im->append;
	struct append_op *op = arena_zalloc(&im->arena, 1, sizeof(*op));

	if (++ap->op_count > IMAP_APPEND_PARTS_MAX) {
		/* RFC 9738 3.1: all or none. */
		p->refused = kind == OP_MESSAGE;
		(void)parse_fail_code(p, p->refused ? "MESSAGELIMIT 1000"
		    : NULL, "more than 1000 messages and parts");
	}
	op->kind = kind;
	op->url = BYTES_EMPTY;
	*ap->end = op;
	ap->end = &op->next;
	return op;
}

/* The flags are views into the command, which goes before it ends. */
static void
keep_flags(struct imap *im, struct flag_list *flags)
{
	size_t i;

	for (i = 0; i < flags->keyword_count; i++)
		flags->keywords[i] = arena_bytes(&im->arena,
		    flags->keywords[i]);
}

/* "[flags] [date] " and what kind of data follows. */
static bool
parse_message(struct imap *im, struct parser *p)
{
	struct append *ap = &im->append;
	struct append_op *op = add_op(im, p, OP_MESSAGE);

	if (bytes_at(p->s, 0) == '(') {
		if (!parse_flags(p, false, &op->flags) || !parse_space(p))
			return false;
		keep_flags(im, &op->flags);
	}
	if (bytes_at(p->s, 0) == '"' &&
	    (!parse_date_time(p, &op->internal_date) || !parse_space(p)))
		return false;
	ap->parts = bytes_caseskip(&p->s, BYTES("CATENATE ("));
	op->parts = ap->parts;
	if (ap->parts)
		ap->at = AT_PART;
	else if (bytes_caseskip(&p->s, BYTES("UTF8 (")))
		ap->at = AT_UTF8;
	else
		ap->at = AT_DATA;
	return true;
}

/* "URL x", or "TEXT " and data. */
static bool
parse_part(struct imap *im, struct parser *p)
{
	struct append *ap = &im->append;
	struct bytes url;

	if (bytes_caseskip(&p->s, BYTES("TEXT "))) {
		/* It is data of the same message, but counts as a part. */
		if (++ap->op_count > IMAP_APPEND_PARTS_MAX)
			return parse_fail(p,
			    "more than 1000 messages and parts");
		ap->at = AT_PART_DATA;
		return true;
	}
	if (!bytes_caseskip(&p->s, BYTES("URL ")))
		return parse_fail(p, "expected TEXT or URL");
	ap->at = AT_URL;
	if (!parse_astring(p, &url))
		return false;
	add_op(im, p, OP_URL)->url = arena_bytes(&im->arena, url);
	ap->at = AT_PART_END;
	return true;
}

/* At the place for data: its literal is what comes next, or nothing is. */
static enum append_found
parse_data(struct append *ap, struct parser *p, bool literal)
{
	ap->binary = parse_optional(p, '~') && ap->at != AT_UTF8;
	if (p->s.n > 0 || !literal) {
		(void)parse_fail(p, "expected a message");
		return FOUND_ERROR;
	}
	ap->at = ap->at == AT_UTF8 ? AT_UTF8_END
	    : ap->at == AT_PART_DATA ? AT_PART_END : AT_MESSAGE_END;
	return FOUND_DATA;
}

enum append_found
append_parse(struct imap *im, struct parser *p, bool literal)
{
	struct append *ap = &im->append;

	while (p->why == NULL) {
		switch (ap->at) {
		case AT_MESSAGE_END:
			if (p->s.n == 0 && !literal)
				return FOUND_END;
			if (ap->replace) {
				(void)parse_fail(p, "one message only");
				break;
			}
			/* FALLTHROUGH */
		case AT_MESSAGE:
			if (parse_space(p))
				(void)parse_message(im, p);	/* p->why */
			break;
		case AT_DATA:
		case AT_UTF8:
		case AT_PART_DATA:
			return parse_data(ap, p, literal);
		case AT_UTF8_END:
			if (parse_char(p, ')'))
				ap->at = AT_MESSAGE_END;
			break;
		case AT_PART:
		case AT_URL:
			(void)parse_part(im, p);	/* p->why */
			break;
		case AT_PART_END:
			ap->at = parse_optional(p, ')') ? AT_MESSAGE_END
			    : parse_space(p) ? AT_PART : AT_PART_END;
			break;
		}
	}
	return literal && p->s.n == 0 && ap->at == AT_URL ? FOUND_STRING
	    : FOUND_ERROR;
}
