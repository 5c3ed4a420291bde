/* fold.c - signature fields as folded text */
#include "dkim/parts.h"

/* Columns before a fold; a tab counts as eight. */
#define COLUMN_MAX 76

void
dkim_fold_add(struct dkim_folder *f, struct bytes text, bool space)
{
	if (f->column + (space ? 1 : 0) + text.n > COLUMN_MAX) {
		(void)buf_adds(f->out, "\n\t");
		f->column = 8;
	} else if (space) {
		(void)buf_addc(f->out, ' ');
		f->column++;
	}
	(void)buf_add(f->out, text);
	f->column += text.n;
}

void
dkim_fold_tag(struct dkim_folder *f, struct arena *a, const char *name,
    struct bytes value)
{
	dkim_fold_add(f, bytes_str(arena_printf(a, "%s=%.*s;", name,
	    BYTES_ARG(value))), true);
}

void
dkim_fold_base64(struct dkim_folder *f, struct bytes text)
{
	struct bytes part;

	while (text.n > 0) {
		if (f->column >= COLUMN_MAX) {
			(void)buf_adds(f->out, "\n\t");
			f->column = 8;
		}
		part = bytes_first(text, COLUMN_MAX - f->column);
		text = bytes_from(text, part.n);
		(void)buf_add(f->out, part);
		f->column += part.n;
	}
}
