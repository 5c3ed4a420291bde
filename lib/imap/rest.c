/*
 * rest.c - what goes with a descriptor from imap-serve to imap-idle, and back
 *
 * "PMR1", the length of what follows as four bytes; why, one byte; seconds
 * the client may still be silent, four; the seal; four fields each ended by
 * NUL; the length of the preface as four bytes, the preface, and the state.
 */
#include "imap/imap.h"

#include <errno.h>

#include "preface/preface.h"

#define MAGIC "PMR1"
#define HEAD 8
#define FIELDS 4

void
imap_seal(const unsigned char key[IMAP_SEAL_SIZE], struct bytes account,
    unsigned char out[IMAP_SEAL_SIZE])
{
	hmac_sha256(key, &account, 1, out);
}

int
imap_rest_format(const struct imap_rest *r, struct buf *out)
{
	const struct bytes fields[FIELDS] = { r->account, r->session,
	    r->remote_ip, r->folder };
	unsigned char n4[4];
	size_t i, n = 1 + 4 + IMAP_SEAL_SIZE + 4 + r->preface.n + r->state.n;

	for (i = 0; i < FIELDS; i++) {
		if (bytes_has_nul(fields[i])) {
			errno = EINVAL;
			return -1;
		}
		n += fields[i].n + 1;
	}
	if (n > IMAP_REST_MAX - HEAD || r->preface.n > PREFACE_MAX ||
	    r->seal.n != IMAP_SEAL_SIZE) {
		errno = EMSGSIZE;
		return -1;
	}
	be32_put(n4, (uint32_t)n);
	(void)buf_adds(out, MAGIC);	/* full tells, here and on */
	(void)buf_add(out, bytes_of(n4, 4));
	(void)buf_addc(out, r->why);
	be32_put(n4, r->seconds);
	(void)buf_add(out, bytes_of(n4, 4));
	(void)buf_add(out, r->seal);
	for (i = 0; i < FIELDS; i++) {
		(void)buf_add(out, fields[i]);
		(void)buf_addc(out, 0);
	}
	be32_put(n4, (uint32_t)r->preface.n);
	(void)buf_add(out, bytes_of(n4, 4));
	(void)buf_add(out, r->preface);
	(void)buf_add(out, r->state);
	if (out->full)
		errno = EMSGSIZE;
	return out->full ? -1 : 0;
}

static int
malformed(void)
{
	errno = EBADMSG;
	return -1;
}

bool
imap_is_rest(struct bytes s)
{
	return bytes_starts(s, BYTES(MAGIC));
}

int
imap_rest_length(struct bytes s, size_t *need)
{
	*need = HEAD;
	if (s.n < HEAD)
		return 0;
	if (!imap_is_rest(s) || be32_get(s.p + 4) > IMAP_REST_MAX - HEAD)
		return malformed();
	*need = HEAD + be32_get(s.p + 4);
	return 0;
}

int
imap_rest_parse(struct bytes s, struct imap_rest *out)
{
	struct imap_rest r;
	struct bytes *const fields[FIELDS] = { &r.account, &r.session,
	    &r.remote_ip, &r.folder };
	struct bytes part;
	size_t need, i;

	if (imap_rest_length(s, &need) == -1)
		return -1;
	if (s.n != need || need == HEAD)
		return malformed();
	s = bytes_from(s, HEAD);
	if (!bytes_cut(&s, 1, &part))
		return malformed();
	r.why = part.p[0];
	if (!bytes_cut(&s, 4, &part))
		return malformed();
	r.seconds = be32_get(part.p);
	if (!bytes_cut(&s, IMAP_SEAL_SIZE, &r.seal))
		return malformed();
	for (i = 0; i < FIELDS; i++) {
		if (!bytes_split(&s, '\0', fields[i]))
			return malformed();
	}
	if (!bytes_cut(&s, 4, &part) || be32_get(part.p) > PREFACE_MAX ||
	    !bytes_cut(&s, be32_get(part.p), &r.preface))
		return malformed();
	r.state = s;
	*out = r;
	return 0;
}
