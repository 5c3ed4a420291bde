/* internal.h - what the files of lib/trace share */
#ifndef TRACE_INTERNAL_H
#define TRACE_INTERNAL_H

#include "trace/trace.h"

/* Bytes of the comment, of the quoted string, that s begins with; 0: it is not
 * closed, or comments are nested too deep. */
size_t trace_comment_length(struct bytes s);
size_t trace_quoted_length(struct bytes s);
/*
 * Take the next comment, quoted string, ";" or word off *s, with its
 * brackets or quotes. False at the end or where one is not closed.
 */
bool trace_next_token(struct bytes *s, struct bytes *token);
/* What stands behind the colon of a whole field. */
struct bytes trace_field_body(struct bytes field);
/* Is it an Authentication-Results field with our name? */
bool trace_is_ours(struct arena *a, struct bytes field,
    struct bytes hostname);

#endif
