/*
 * internal.h - shared by the files of lib/mime only
 */
#ifndef MIME_INTERNAL_H
#define MIME_INTERNAL_H

#include "mime/mime.h"

/* Fields within the limits of the tree and ENVELOPE; *cut: some were not. */
struct field_walk {
	struct bytes rest;
	size_t left;			/* fields */
	bool cut;
};
void field_walk_init(struct field_walk *w, struct bytes header);
bool field_walk_next(struct field_walk *w, struct mime_field *out);

/* A cursor over a structured field body: skip blanks and comments. */
void value_skip_cfws(struct bytes *s);

/* s with every LF, CR and NUL as a blank (decoded text is one line). */
struct bytes value_without_controls(struct arena *a, struct bytes s);

/*
 * A field body on one line: line ends dropped, and the blanks that follow
 * the colon; other blanks are kept, as unfolding has it (RFC 5322 2.2.3).
 */
struct bytes value_one_line(struct arena *a, struct bytes s);

/* The word of a Content-Transfer-Encoding and so on: one token. */
struct bytes value_token(struct bytes body);

/* HTML as the text a person sees, blanks collapsed, at most limit bytes. */
struct bytes html_to_text(struct arena *a, struct bytes html, size_t limit);

/* ---- IMAP strings; 0 or -1 EMSGSIZE ---- */

/* Quoted, or a literal if a quoted string cannot carry it. */
int imap_put_string(struct buf *out, struct bytes s);
/* The same without line ends. */
int imap_put_line(struct arena *a, struct buf *out, struct bytes s);
/* Text for people: runs of blanks become one. */
int imap_put_text(struct arena *a, struct buf *out, struct bytes s);

#endif
