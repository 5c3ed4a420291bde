/*
 * limit.h - MESSAGELIMIT (RFC 9738)
 */
#ifndef IMAP_LIMIT_H
#define IMAP_LIMIT_H

#include "imap/imap.h"

/*
 * limit.c (RFC 9738): how many messages one command may be about. What is over
 * it is left out, the lowest UIDs first; im->limited makes the tagged reply
 * say so.
 */
uint32_t message_limit(const struct imap *im);
/* Of a resolved set of numbers or UIDs. */
void limit_set(struct imap *im, struct imap_set *set, bool by_uid);
/* Of ascending UIDs. */
void limit_uids(struct imap *im, uint32_t **uids, size_t *n);
/* "MESSAGELIMIT 1000 23221" in the arena; lowest 0: not known. */
const char *limit_code(struct imap *im, uint32_t lowest);

#endif
