/*
 * flags.h - flags and keywords in responses (flags.c)
 */
#ifndef IMAP_FLAGS_H
#define IMAP_FLAGS_H

#include "imap/imap.h"
#include "store/store.h"

/* "* FLAGS (...)" and, at SELECT, PERMANENTFLAGS: what is in it is told. */
void add_flag_lists(struct imap *im, struct store_view *v, bool permanent);
/*
 * RFC 3501 7.2.6: what flags there are is said before one is used. FLAGS, if
 * the message has a keyword that is not told yet; before a response begins.
 */
void tell_keywords(struct imap *im, struct store_view *v,
    const struct store_message *m);
/* Whether there is any. */
bool keywords_untold(struct imap *im, struct store_view *v);
/* The client knows all of the mailbox. */
void keywords_are_told(struct imap *im, struct store_view *v);
/* "(\Seen ...)". A keyword that is not told yet is left out: it came while the
 * response was under way, so the next sync tells of both. */
void add_flags(struct imap *im, struct store_view *v,
    const struct store_message *m);
/* "* 4 FETCH (" for the message with that index, or "* 9 UIDFETCH (" with
 * its UID (RFC 9586). */
void add_fetch_head(struct imap *im, size_t index);
/* A whole response: flags unless silent, MODSEQ once that was enabled. */
void add_flags_response(struct imap *im, struct store_view *v, size_t index,
    const struct store_message *m, bool with_uid, bool silent);

#endif
