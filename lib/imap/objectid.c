/*
 * objectid.c - MAILBOXID, EMAILID and THREADID (RFC 8474)
 *
 * A UIDVALIDITY is given to one mailbox of an account only and stays through
 * renaming and the loss of the index, so it is the mailbox's id. A message
 * is known by the unique part of its file name, which a copy or a move keeps.
 */
#include "imap/internal.h"

#include <stdio.h>

void
add_mailbox_id(struct buf *out, const struct store_mailbox *m)
{
	buf_printf(out, "(F%lx)", (unsigned long)m->uidvalidity);
}

void
email_id(const struct store_message *m, char out[EMAIL_ID_SIZE])
{
	struct bytes rest = m->base, unique;
	unsigned char hash[32];
	struct buf b = BUF_INIT(EMAIL_ID_SIZE);

	if (!bytes_split(&rest, ',', &unique))
		unique = m->base;
	sha256_of(unique, hash);
	buf_addc(&b, 'M');
	hex_encode(&b, bytes_of(hash, EMAIL_ID_BYTES));
	memcpy(out, b.p, b.n);
	out[b.n] = '\0';
	buf_free(&b);
}

bool
thread_id(struct store_view *v, const struct store_message *m,
    char out[THREAD_ID_SIZE])
{
	struct store_thread t;

	if (store_thread_get(v, m->mailbox, m->uid, &t) != 1 || t.id == 0)
		return false;
	(void)snprintf(out, THREAD_ID_SIZE, "T%016llx",
	    (unsigned long long)t.id);	/* 17 bytes */
	return true;
}
