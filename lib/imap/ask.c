/*
 * ask.c - what a session asks of another account, and the head of the answer
 *
 * "PMU1", the length of what follows as four bytes; what is wanted, one byte;
 * the seal; four fields each ended by NUL; the URL. The answer begins with
 * "y" or "n", what the data is, one byte, and the lengths of the structure,
 * four bytes, and of the data, eight.
 */
#include "imap/imap.h"

#include <errno.h>

#define MAGIC "PMU1"
#define HEAD 8
#define FIELDS 4
#define WANT_ALL (IMAP_ASK_STRUCTURE | IMAP_ASK_BINARY | IMAP_ASK_BODY)

static int
malformed(void)
{
	errno = EBADMSG;
	return -1;
}

int
imap_ask_format(const struct imap_ask *q, struct buf *out)
{
	const struct bytes fields[FIELDS] = { q->account, q->user,
	    q->session, q->remote_ip };
	size_t i, n = 1 + IMAP_SEAL_SIZE + q->url.n;
	unsigned char length[4];

	for (i = 0; i < FIELDS; i++) {
		if (bytes_has_nul(fields[i])) {
			errno = EINVAL;
			return -1;
		}
		n += fields[i].n + 1;
	}
	if (n > IMAP_ASK_MAX - HEAD || q->seal.n != IMAP_SEAL_SIZE) {
		errno = EMSGSIZE;
		return -1;
	}
	be32_put(length, (uint32_t)n);
	(void)buf_adds(out, MAGIC);	/* full tells, here and on */
	(void)buf_add(out, bytes_of(length, 4));
	(void)buf_addc(out, q->want);
	(void)buf_add(out, q->seal);
	for (i = 0; i < FIELDS; i++) {
		(void)buf_add(out, fields[i]);
		(void)buf_addc(out, 0);
	}
	(void)buf_add(out, q->url);
	if (out->full)
		errno = EMSGSIZE;
	return out->full ? -1 : 0;
}

bool
imap_is_ask(struct bytes s)
{
	return bytes_starts(s, BYTES(MAGIC));
}

int
imap_ask_length(struct bytes s, size_t *need)
{
	*need = HEAD;
	if (s.n < HEAD)
		return 0;
	if (!imap_is_ask(s) || be32_get(s.p + 4) > IMAP_ASK_MAX - HEAD)
		return malformed();
	*need = HEAD + be32_get(s.p + 4);
	return 0;
}

int
imap_ask_parse(struct bytes s, struct imap_ask *out)
{
	struct imap_ask q;
	struct bytes *const fields[FIELDS] = { &q.account, &q.user,
	    &q.session, &q.remote_ip };
	struct bytes want;
	size_t need, i;

	if (imap_ask_length(s, &need) == -1)
		return -1;
	if (s.n != need || need == HEAD)
		return malformed();
	s = bytes_from(s, HEAD);
	if (!bytes_cut(&s, 1, &want) || want.p[0] > WANT_ALL ||
	    !bytes_cut(&s, IMAP_SEAL_SIZE, &q.seal))
		return malformed();
	q.want = want.p[0];
	for (i = 0; i < FIELDS; i++) {
		if (!bytes_split(&s, '\0', fields[i]))
			return malformed();
	}
	q.url = s;
	*out = q;
	return 0;
}

void
imap_answer_format(const struct imap_answer *a,
    unsigned char out[IMAP_ANSWER_HEAD])
{
	out[0] = a->found ? 'y' : 'n';
	out[1] = (unsigned char)a->data;
	be32_put(out + 2, a->structure_bytes);
	be64_put(out + 6, a->data_bytes);
}

int
imap_answer_parse(const unsigned char head[IMAP_ANSWER_HEAD],
    uint64_t data_max, struct imap_answer *out)
{
	struct imap_answer a = { .found = head[0] == 'y',
	    .data = head[1], .structure_bytes = be32_get(head + 2),
	    .data_bytes = be64_get(head + 6) };

	if ((!a.found && head[0] != 'n') || head[1] > IMAP_DATA_BINARY ||
	    ((!a.found || a.data < IMAP_DATA_TEXT) && a.data_bytes > 0) ||
	    (!a.found && (a.structure_bytes > 0 || a.data > 0)))
		return malformed();
	if (a.structure_bytes > IMAP_ANSWER_STRUCTURE_MAX ||
	    a.data_bytes > data_max) {
		errno = EMSGSIZE;
		return -1;
	}
	*out = a;
	return 0;
}
