/* internal.h - what the files of lib/trace share */
#ifndef TRACE_INTERNAL_H
#define TRACE_INTERNAL_H

#include "trace/trace.h"

/* Bytes of the comment or quoted string at the start of s, brackets or
 * quotes included; 0: unclosed, or nested too deep. */
size_t trace_comment_length(struct bytes s);
size_t trace_quoted_length(struct bytes s);

#endif
