/*
 * mime-show - what is in a message: its parts, IMAP's view, text, fields
 */
#include <errno.h>
#include <unistd.h>

#include "addr/addr.h"
#include "base/base.h"
#include "mime/mime.h"
#include "unicode/unicode.h"

static const char usage[] =
    "usage: mime-show [-e | -s | -t | -b part | -h field] < message";

/* The default SMTP size limit is a tenth of that. */
#define MESSAGE_MAX ((size_t)1024 * 1024 * 1024)
/* IMAP's view grows with the number of parts, at worst about 200 times. */
#define OUTPUT_MAX ((size_t)4 * 1024 * 1024 * 1024)
#define TEXT_MAX ((size_t)256 * 1024 * 1024)

struct job {
	struct arena arena;
	struct mime_tree *tree;
	struct buf out;
};

/* One line of the part tree; names escaped, as outside text is. */
static void
show_part(struct job *j, const struct mime_part *p)
{
	struct bytes name = mime_part_name(&j->arena, p);

	(void)mime_format_section(&j->out, p);		/* full is checked */
	if (p->is_multipart)
		(void)buf_adds(&j->out, p->parent == NULL ? "TEXT" : ".TEXT");
	(void)buf_addc(&j->out, '\t');
	(void)msg_escape(&j->out, arena_lower(&j->arena, p->type.type));
	(void)buf_addc(&j->out, '/');
	(void)msg_escape(&j->out, arena_lower(&j->arena, p->type.subtype));
	(void)buf_printf(&j->out, "\t%llu\t",
	    (unsigned long long)p->body_size);
	(void)msg_escape(&j->out, p->encoding.n == 0 ? BYTES("7bit")
	    : arena_lower(&j->arena, p->encoding));
	(void)buf_addc(&j->out, '\t');
	(void)msg_escape(&j->out, name);
	(void)buf_addc(&j->out, '\n');
}

static void
show_tree(struct job *j)
{
	static const struct {
		unsigned int flag;
		const char *text;
	} notes[] = {
		{ MIME_CUT_DEPTH, "parts nested too deep are not taken apart" },
		{ MIME_CUT_PARTS, "too many parts, the last ones left out" },
		{ MIME_CUT_HEADER, "header section too long, its end unread" },
	};
	const struct mime_part *p;
	size_t i;

	for (p = j->tree->root; p != NULL; p = mime_next_part(p))
		show_part(j, p);
	for (i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		if ((j->tree->flags & notes[i].flag) != 0)
			msg_warn("%s", notes[i].text);
	}
}

static void
show_text(struct job *j)
{
	const struct mime_part *p = NULL;
	size_t left = TEXT_MAX;
	struct bytes text;

	while (mime_next_text(&j->arena, j->tree, &p, &left, &text)) {
		(void)mime_add_lf(&j->out, text);	/* full is checked */
		if (text.n > 0 && !bytes_ends(text, BYTES("\n")))
			(void)buf_addc(&j->out, '\n');
	}
	if (left == 0)
		msg_warn("text is longer than %zu bytes, its end left out",
		    TEXT_MAX);
}

static int
show_body(struct job *j, const char *section)
{
	const struct mime_part *p = mime_find_part(j->tree,
	    bytes_str(section));
	int r;

	if (p == NULL && errno == ENOENT)
		return EXIT_NO;
	if (p == NULL)
		msg_die(EXIT_PERM, "%s: not a part number", section);
	r = mime_decode_body(&j->out, p);
	if (r == 0)
		msg_die(EXIT_PERM, "cannot decode part %s: %s", section,
		    "unknown Content-Transfer-Encoding");
	return EXIT_YES;
}

/* Each field of that name, one line each. */
static int
show_field(struct job *j, const char *name)
{
	struct bytes header = j->tree->root->header;
	struct mime_field f;
	int code = EXIT_NO;

	while (mime_next_field(&header, &f)) {
		if (f.name.n == 0 || !bytes_caseeq(f.name, bytes_str(name)))
			continue;
		(void)buf_add(&j->out, mime_decode_words(&j->arena,
		    mime_unfold(&j->arena, f.body)));	/* full is checked */
		(void)buf_addc(&j->out, '\n');
		code = EXIT_YES;
	}
	return code;
}

static int
show(struct job *j, int what, const char *operand)
{
	switch (what) {
	case 'e':
		(void)mime_format_envelope(&j->arena, &j->out,
		    j->tree->root->header);		/* full is checked */
		(void)buf_addc(&j->out, '\n');
		return EXIT_YES;
	case 's':
		(void)mime_format_bodystructure(&j->arena, &j->out, j->tree,
		    true);
		(void)buf_addc(&j->out, '\n');
		return EXIT_YES;
	case 't':
		show_text(j);
		return EXIT_YES;
	case 'b':
		return show_body(j, operand);
	case 'h':
		return show_field(j, operand);
	default:
		show_tree(j);
		return EXIT_YES;
	}
}

int
main(int argc, char *argv[])
{
	struct job j = { ARENA_INIT, NULL, BUF_INIT(OUTPUT_MAX) };
	struct buf message = BUF_INIT(MESSAGE_MAX);
	const char *operand = NULL;
	int c, code, what = 0;

	msg_init("mime-show");
	while ((c = getopt(argc, argv, "estb:h:")) != -1) {
		if (c == '?' || what != 0)
			msg_die(EXIT_PERM, "%s", usage);
		what = c;
		operand = optarg;
	}
	if (argc != optind)
		msg_die(EXIT_PERM, "%s", usage);
	if (io_read_all(STDIN_FILENO, &message, DEADLINE_NONE) == -1)
		msg_diesys(exit_for(errno), "cannot read message");
	j.tree = mime_parse(&j.arena, mime_skip_from_line(
	    buf_bytes(&message)));
	code = show(&j, what, operand);
	if (j.out.full)
		msg_die(EXIT_PERM, "cannot show message: output too long");
	if (io_write_all(STDOUT_FILENO, buf_bytes(&j.out),
	    DEADLINE_NONE) == -1)
		msg_diesys(exit_for(errno), "cannot write");
	return code;
}
