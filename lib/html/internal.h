/*
 * internal.h - shared by the files of lib/html only
 */
#ifndef HTML_INTERNAL_H
#define HTML_INTERNAL_H

#include "html/html.h"

/* A name with its length, for tables. */
#define HTML_NAME(s) { (const unsigned char *)(s), sizeof(s) - 1 }

/* The bytes of the reference s begins with ("&"), 0: it is none. */
size_t html_reference(struct bytes s, uint32_t *code_point);

#endif
