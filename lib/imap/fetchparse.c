/*
 * fetchparse.c - what FETCH asks for (RFC 3501 6.4.5, 9 fetch-att)
 */
#include "imap/notify.h"

/* Items of one FETCH: each costs a look at each message. */
#define ITEMS_MAX 200
/* Numbers in a section: as deep as parts are looked for. */
#define SECTION_DEPTH_MAX MIME_DEPTH_MAX

struct item_list {
	struct fetch_item *first, **last;
	size_t n;
};

static struct fetch_item *
add_item(struct parser *p, struct item_list *list, enum item_kind kind)
{
	struct fetch_item *i = arena_zalloc(p->a, 1, sizeof(*i));

	i->kind = kind;
	i->peek = true;
	i->length = UINT64_MAX;
	*list->last = i;
	list->last = &i->next;
	list->n++;
	return i;
}

/* "(name name ...)" after HEADER.FIELDS. */
static bool
parse_fields(struct parser *p, struct fetch_item *item)
{
	struct bytes name;

	if (!parse_space(p) || !parse_char(p, '('))
		return false;
	/* A name takes two bytes of what is left. */
	item->fields = arena_zalloc(p->a, p->s.n / 2 + 1,
	    sizeof(*item->fields));
	do {
		if (!parse_astring(p, &name))
			return false;
		/* FETCH goes on when the command's bytes are gone. */
		item->fields[item->field_count++] = arena_bytes(p->a, name);
	} while (parse_optional(p, ' '));
	return parse_char(p, ')');
}

/* "1.2." or "1.2": the numbers without a final dot. */
static bool
parse_numbers(struct parser *p, struct bytes *part, bool *more)
{
	struct bytes start = p->s;
	size_t depth = 0;
	uint64_t n;

	*part = BYTES_EMPTY;
	*more = true;
	while (ascii_is_digit(bytes_at(p->s, 0))) {
		if (!parse_number(p, UINT32_MAX, &n))
			return false;
		if (n == 0 || ++depth > SECTION_DEPTH_MAX)
			return parse_fail(p, "wrong section");
		*part = bytes_first(start, start.n - p->s.n);
		*more = parse_optional(p, '.');
		if (!*more)
			break;
	}
	*part = arena_bytes(p->a, *part);
	return true;
}

static bool
parse_section_text(struct parser *p, struct fetch_item *item)
{
	struct bytes word = parse_word(p);

	if (bytes_caseeq(word, BYTES("HEADER")))
		item->what = SECTION_HEADER;
	else if (bytes_caseeq(word, BYTES("TEXT")))
		item->what = SECTION_TEXT;
	else if (bytes_caseeq(word, BYTES("MIME")) && item->part.n > 0)
		item->what = SECTION_MIME;
	else if (bytes_caseeq(word, BYTES("HEADER.FIELDS")))
		item->what = SECTION_FIELDS;
	else if (bytes_caseeq(word, BYTES("HEADER.FIELDS.NOT")))
		item->what = SECTION_FIELDS_NOT;
	else
		return parse_fail(p, "wrong section");
	if (item->what == SECTION_FIELDS || item->what == SECTION_FIELDS_NOT)
		return parse_fields(p, item);
	return true;
}

static bool
parse_partial(struct parser *p, struct fetch_item *item)
{
	if (!parse_optional(p, '<'))
		return true;
	item->partial = true;
	if (!parse_number(p, INT64_MAX, &item->offset) ||
	    !parse_char(p, '.') ||
	    !parse_number(p, INT64_MAX, &item->length) ||
	    !parse_char(p, '>'))
		return false;
	return item->length > 0 || parse_fail(p, "wrong partial");
}

/* "BODY[...]<...>" as it is answered: section in upper case, fields as
 * given, the offset without the length. */
static bool
format_name(struct parser *p, struct fetch_item *item)
{
	static const char *const words[] = { "", "HEADER", "HEADER.FIELDS",
	    "HEADER.FIELDS.NOT", "TEXT", "MIME" };
	struct buf b = BUF_INIT(IMAP_COMMAND_MAX);
	size_t i;

	buf_adds(&b, item->kind == ITEM_BINARY ? "BINARY["
	    : item->kind == ITEM_BINARY_SIZE ? "BINARY.SIZE[" : "BODY[");
	buf_add(&b, item->part);
	if (item->part.n > 0 && item->what != SECTION_ALL)
		buf_addc(&b, '.');
	buf_adds(&b, words[item->what]);
	for (i = 0; i < item->field_count; i++) {
		buf_adds(&b, i == 0 ? " (" : " ");
		imap_add_astring(&b, item->fields[i]);
	}
	buf_adds(&b, item->field_count > 0 ? ")]" : "]");
	if (item->partial)
		buf_printf(&b, "<%llu>", (unsigned long long)item->offset);
	item->name = arena_bytes(p->a, buf_bytes(&b));
	buf_free(&b);
	return true;
}

static bool
parse_section(struct parser *p, struct item_list *list, bool peek)
{
	struct fetch_item *item = add_item(p, list, ITEM_SECTION);
	bool more;

	item->peek = peek;
	if (!parse_char(p, '[') || !parse_numbers(p, &item->part, &more))
		return false;
	if (more && (item->part.n > 0 || bytes_at(p->s, 0) != ']') &&
	    !parse_section_text(p, item))
		return false;
	return parse_char(p, ']') && parse_partial(p, item) &&
	    format_name(p, item);
}

/* "[1.2]<0.10>" of BINARY: numbers only; BINARY.SIZE has no partial. */
static bool
parse_binary(struct parser *p, struct item_list *list, enum item_kind kind,
    bool peek)
{
	struct fetch_item *item = add_item(p, list, kind);
	bool more;

	item->peek = peek;
	if (!parse_char(p, '[') || !parse_numbers(p, &item->part, &more))
		return false;
	if (more && item->part.n > 0)
		return parse_fail(p, "wrong section");
	return parse_char(p, ']') && (kind == ITEM_BINARY_SIZE ||
	    parse_partial(p, item)) && format_name(p, item);
}

bool
parse_section_spec(struct parser *p, struct fetch_item *item)
{
	bool more;

	if (!parse_numbers(p, &item->part, &more))
		return false;
	if (more && (item->part.n > 0 || p->s.n > 0) &&
	    !parse_section_text(p, item))
		return false;
	return parse_end(p);
}

/* RFC822 and its relatives are sections under another name. */
static void
add_rfc822(struct parser *p, struct item_list *list, const char *name,
    enum section_what what, bool peek)
{
	struct fetch_item *item = add_item(p, list, ITEM_SECTION);

	item->what = what;
	item->peek = peek;
	item->name = bytes_str(name);
}

static bool
parse_item(struct parser *p, struct item_list *list)
{
	static const struct {
		const char *name;
		enum item_kind kind;
	} simple[] = {
		{ "UID", ITEM_UID }, { "FLAGS", ITEM_FLAGS },
		{ "INTERNALDATE", ITEM_INTERNALDATE },
		{ "RFC822.SIZE", ITEM_SIZE }, { "ENVELOPE", ITEM_ENVELOPE },
		{ "BODYSTRUCTURE", ITEM_BODYSTRUCTURE },
		{ "MODSEQ", ITEM_MODSEQ }, { "SAVEDATE", ITEM_SAVEDATE },
		{ "EMAILID", ITEM_EMAILID }, { "THREADID", ITEM_THREADID },
	};
	struct bytes word = parse_word(p);
	size_t i;

	if (list->n >= ITEMS_MAX)
		return parse_fail(p, "too many items");
	for (i = 0; i < sizeof(simple) / sizeof(simple[0]); i++) {
		if (bytes_caseeq(word, bytes_str(simple[i].name))) {
			(void)add_item(p, list, simple[i].kind);
			return true;
		}
	}
	if (bytes_caseeq(word, BYTES("PREVIEW"))) {
		(void)add_item(p, list, ITEM_PREVIEW);
		/* RFC 8970 3.1; other lists are modifiers of FETCH. */
		(void)bytes_caseskip(&p->s, BYTES(" (LAZY)"));
	} else if (bytes_caseeq(word, BYTES("BODY"))) {
		if (bytes_at(p->s, 0) == '[')
			return parse_section(p, list, false);
		(void)add_item(p, list, ITEM_BODY);
	} else if (bytes_caseeq(word, BYTES("BODY.PEEK"))) {
		return parse_section(p, list, true);
	} else if (bytes_caseeq(word, BYTES("BINARY"))) {
		return parse_binary(p, list, ITEM_BINARY, false);
	} else if (bytes_caseeq(word, BYTES("BINARY.PEEK"))) {
		return parse_binary(p, list, ITEM_BINARY, true);
	} else if (bytes_caseeq(word, BYTES("BINARY.SIZE"))) {
		return parse_binary(p, list, ITEM_BINARY_SIZE, true);
	} else if (bytes_caseeq(word, BYTES("RFC822"))) {
		add_rfc822(p, list, "RFC822", SECTION_ALL, false);
	} else if (bytes_caseeq(word, BYTES("RFC822.HEADER"))) {
		add_rfc822(p, list, "RFC822.HEADER", SECTION_HEADER, true);
	} else if (bytes_caseeq(word, BYTES("RFC822.TEXT"))) {
		add_rfc822(p, list, "RFC822.TEXT", SECTION_TEXT, false);
	} else {
		return parse_fail(p, "unknown FETCH item");
	}
	return true;
}

/* ALL, FULL, FAST stand alone. */
static bool
parse_macro(struct parser *p, struct item_list *list)
{
	struct bytes before = p->s, word = parse_word(p);
	bool fast = bytes_caseeq(word, BYTES("FAST"));
	bool full = bytes_caseeq(word, BYTES("FULL"));

	if (!fast && !full && !bytes_caseeq(word, BYTES("ALL"))) {
		p->s = before;
		return false;
	}
	(void)add_item(p, list, ITEM_FLAGS);
	(void)add_item(p, list, ITEM_INTERNALDATE);
	(void)add_item(p, list, ITEM_SIZE);
	if (!fast)
		(void)add_item(p, list, ITEM_ENVELOPE);
	if (full)
		(void)add_item(p, list, ITEM_BODY);
	return true;
}

bool
parse_fetch_items(struct parser *p, struct fetch_item **items)
{
	struct item_list list = { NULL, &list.first, 0 };

	if (!parse_macro(p, &list)) {
		if (parse_optional(p, '(')) {
			do {
				if (!parse_item(p, &list))
					return false;
			} while (parse_optional(p, ' '));
			if (!parse_char(p, ')'))
				return false;
		} else if (!parse_item(p, &list)) {
			return false;
		}
	}
	*items = list.first;
	return true;
}

void
fetch_peek(struct fetch_item *items)
{
	for (; items != NULL; items = items->next)
		items->peek = true;
}

void
fetch_add_item(struct arena *a, struct fetch_item **items,
    enum item_kind kind)
{
	struct fetch_item *i;

	for (i = *items; i != NULL; i = i->next) {
		if (i->kind == kind)
			return;
	}
	i = arena_zalloc(a, 1, sizeof(*i));
	*i = (struct fetch_item){ .kind = kind, .peek = true, .next = *items };
	*items = i;
}

static bool
is_same(const struct fetch_item *a, const struct fetch_item *b)
{
	return a->kind == b->kind && a->name.n == b->name.n &&
	    (a->name.n == 0 || bytes_eq(a->name, b->name)) &&
	    a->partial == b->partial && a->offset == b->offset &&
	    a->length == b->length;
}

void
fetch_join_items(struct arena *a, struct fetch_item **items,
    const struct fetch_item *more)
{
	struct fetch_item **end;

	for (; more != NULL; more = more->next) {
		end = items;
		while (*end != NULL && !is_same(*end, more))
			end = &(*end)->next;
		if (*end != NULL)
			continue;
		*end = arena_zalloc(a, 1, sizeof(**end));
		**end = *more;
		(*end)->next = NULL;
	}
}
