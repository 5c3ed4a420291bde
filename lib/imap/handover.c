/*
 * handover.c - what goes with a descriptor from imap-login to imap-serve
 *
 * "PMH2", the length of what follows as four bytes, then five fields each
 * ended by NUL, the length of the preface as four bytes, the preface, and the
 * pending input (pipemail-auth(5)).
 */
#include "imap/imap.h"

#include <errno.h>

#include "preface/preface.h"

#define MAGIC "PMH2"
#define HEAD 8
#define FIELDS 5

int
imap_handover_format(const struct imap_handover *h, struct buf *out)
{
	const struct bytes fields[FIELDS] = { h->ticket, h->tag, h->session,
	    h->remote_ip, h->local_ip };
	unsigned char length[4], preface[4];
	size_t i, n = h->pending.n + 4 + h->preface.n;

	for (i = 0; i < FIELDS; i++) {
		if (bytes_has_nul(fields[i])) {
			errno = EINVAL;
			return -1;
		}
		n += fields[i].n + 1;
	}
	if (n > IMAP_HANDOVER_MAX - HEAD || h->preface.n > PREFACE_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	be32_put(length, (uint32_t)n);
	be32_put(preface, (uint32_t)h->preface.n);
	if (buf_adds(out, MAGIC) == -1 ||
	    buf_add(out, bytes_of(length, 4)) == -1)
		return -1;
	for (i = 0; i < FIELDS; i++) {
		if (buf_add(out, fields[i]) == -1 || buf_addc(out, 0) == -1)
			return -1;
	}
	if (buf_add(out, bytes_of(preface, 4)) == -1 ||
	    buf_add(out, h->preface) == -1)
		return -1;
	return buf_add(out, h->pending);
}

int
imap_handover_length(struct bytes s, size_t *need)
{
	*need = HEAD;
	if (s.n < HEAD)
		return 0;
	if (!bytes_starts(s, BYTES(MAGIC)) ||
	    be32_get(s.p + 4) > IMAP_HANDOVER_MAX - HEAD) {
		errno = EBADMSG;
		return -1;
	}
	*need = HEAD + be32_get(s.p + 4);
	return 0;
}

int
imap_handover_parse(struct bytes s, struct imap_handover *out)
{
	struct imap_handover h;
	struct bytes *const fields[FIELDS] = { &h.ticket, &h.tag, &h.session,
	    &h.remote_ip, &h.local_ip };
	struct bytes size;
	size_t need, i;

	if (imap_handover_length(s, &need) == -1)
		return -1;
	if (s.n != need || need == HEAD) {
		errno = EBADMSG;
		return -1;
	}
	s = bytes_from(s, HEAD);
	for (i = 0; i < FIELDS; i++) {
		if (!bytes_split(&s, '\0', fields[i])) {
			errno = EBADMSG;
			return -1;
		}
	}
	if (!bytes_cut(&s, 4, &size) || be32_get(size.p) > PREFACE_MAX ||
	    !bytes_cut(&s, be32_get(size.p), &h.preface)) {
		errno = EBADMSG;
		return -1;
	}
	h.pending = s;
	*out = h;
	return 0;
}
