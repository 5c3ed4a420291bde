/*
 * Records of the index (pipemail-store(5)). All numbers are big-endian; the
 * first byte of a record is the version of its layout.
 */
#include "store/be16.h"
#include "store/internal.h"

#include <errno.h>

#define STATE_SIZE 128
#define MODSEQ_MAX (UINT64_MAX >> 2)	/* half of what RFC 7162 allows */
#define STATE_SIZE_1 104	/* of format 1 */
#define MBOX_SIZE 112
#define MBOX_SUBSCRIBED 1
#define MBOX_NEW_EMPTY 2
#define MESSAGE_SIZE 76
#define CHANGE_SIZE 16

int
unreadable(void)
{
	kv_suspect();
	errno = EBADMSG;
	return -1;
}

static int
too_long(void)
{
	errno = EMSGSIZE;
	return -1;
}

void
key_message(unsigned char out[KEY_MESSAGE], uint32_t mailbox, uint32_t uid)
{
	be32_put(out, mailbox);
	be32_put(out + 4, uid);
}

void
key_change(unsigned char out[KEY_CHANGE], uint64_t modseq, uint32_t n)
{
	be64_put(out, modseq);
	be32_put(out + 8, n);
}

/* ---- stamps: seconds, nanoseconds with the settled mark on top ---- */

#define STAMP_SIZE 12
#define STAMP_SETTLED 0x80000000u

static void
stamp_put(unsigned char *out, const struct stamp *s)
{
	be64_put(out, (uint64_t)s->sec);
	be32_put(out + 8, s->nsec | (s->settled ? STAMP_SETTLED : 0));
}

static struct stamp
stamp_get(const unsigned char *in)
{
	uint32_t n = be32_get(in + 8);

	return (struct stamp){ (int64_t)be64_get(in), n & ~STAMP_SETTLED,
	    (n & STAMP_SETTLED) != 0 };
}

/* ---- state ---- */

int
state_encode(struct buf *out, const struct state *st)
{
	unsigned char r[STATE_SIZE] = { 2, (unsigned char)st->phase };

	be32_put(r + 4, st->next_mailbox);
	be32_put(r + 8, st->last_uidvalidity);
	be64_put(r + 12, st->modseq);
	be64_put(r + 20, st->floor);
	be64_put(r + 28, st->quota_bytes);
	stamp_put(r + 36, &st->list);
	stamp_put(r + 48, &st->subscriptions);
	be64_put(r + 60, (uint64_t)st->swept);
	memcpy(r + 68, st->boot, 36);
	be32_put(r + 104, st->at_mailbox);
	be32_put(r + 108, st->at_uid);
	be64_put(r + 112, st->mark_modseq);
	be64_put(r + 120, (uint64_t)st->mark_time);
	return buf_add(out, bytes_of(r, sizeof(r)));
}

int
state_decode(struct bytes s, struct state *out)
{
	if (s.n < STATE_SIZE_1 || s.p[0] < 1 || s.p[0] > 2 ||
	    be64_get(s.p + 12) > MODSEQ_MAX ||
	    (s.p[0] == 2 && (s.n < STATE_SIZE || s.p[1] > PHASE_ASSIGN)))
		return unreadable();
	*out = (struct state){
		.next_mailbox = be32_get(s.p + 4),
		.last_uidvalidity = be32_get(s.p + 8),
		.modseq = be64_get(s.p + 12),
		.floor = be64_get(s.p + 20),
		.quota_bytes = be64_get(s.p + 28),
		.list = stamp_get(s.p + 36),
		.subscriptions = stamp_get(s.p + 48),
		.swept = (int64_t)be64_get(s.p + 60),
	};
	memcpy(out->boot, s.p + 68, 36);
	out->phase = PHASE_REPARSE;	/* format 1 */
	if (s.p[0] == 1)
		return 0;
	out->phase = (enum phase)s.p[1];
	out->at_mailbox = be32_get(s.p + 104);
	out->at_uid = be32_get(s.p + 108);
	out->mark_modseq = be64_get(s.p + 112);
	out->mark_time = (int64_t)be64_get(s.p + 120);
	return 0;
}

/* ---- mailbox ---- */

int
mbox_encode(struct buf *out, const struct mbox *m)
{
	unsigned char r[MBOX_SIZE] = { 1 };

	r[1] = (unsigned char)((m->subscribed ? MBOX_SUBSCRIBED : 0) |
	    (m->new_empty ? MBOX_NEW_EMPTY : 0));
	be16_put(r + 2, m->use);
	be32_put(r + 4, m->uidvalidity);
	be32_put(r + 8, m->uidnext);
	be32_put(r + 12, m->reserved);
	be64_put(r + 16, m->createseq);
	be64_put(r + 24, m->modseq);
	be64_put(r + 32, m->size_bytes);
	be32_put(r + 40, m->total);
	be32_put(r + 44, m->unseen);
	be32_put(r + 48, m->unread);
	be32_put(r + 52, m->deleted);
	stamp_put(r + 56, &m->stamp_new);
	stamp_put(r + 68, &m->stamp_cur);
	stamp_put(r + 80, &m->stamp_keywords);
	be32_put(r + 92, m->recent_from);
	if (buf_add(out, bytes_of(r, sizeof(r))) == -1)
		return -1;
	return buf_add(out, m->name);
}

int
mbox_decode(uint32_t id, struct bytes s, struct mbox *out)
{
	const unsigned char *p = s.p;

	if (s.n <= MBOX_SIZE || p[0] != 1)
		return unreadable();
	*out = (struct mbox){
		.id = id,
		.subscribed = (p[1] & MBOX_SUBSCRIBED) != 0,
		.new_empty = (p[1] & MBOX_NEW_EMPTY) != 0,
		.use = be16_get(p + 2),
		.uidvalidity = be32_get(p + 4), .uidnext = be32_get(p + 8),
		.reserved = be32_get(p + 12), .createseq = be64_get(p + 16),
		.modseq = be64_get(p + 24), .size_bytes = be64_get(p + 32),
		.total = be32_get(p + 40), .unseen = be32_get(p + 44),
		.unread = be32_get(p + 48), .deleted = be32_get(p + 52),
		.stamp_new = stamp_get(p + 56),
		.stamp_cur = stamp_get(p + 68),
		.stamp_keywords = stamp_get(p + 80),
		.recent_from = be32_get(p + 92),
		.name = bytes_from(s, MBOX_SIZE),
	};
	return 0;
}

void
mbox_export(const struct mbox *m, struct store_mailbox *out)
{
	*out = (struct store_mailbox){
		.id = m->id, .name = m->name, .uidvalidity = m->uidvalidity,
		.uidnext = m->uidnext, .createseq = m->createseq,
		.modseq = m->modseq, .total = m->total, .unseen = m->unseen,
		.unread = m->unread, .deleted = m->deleted,
		.size_bytes = m->size_bytes, .use = m->use,
		.subscribed = m->subscribed, .recent_from = m->recent_from,
	};
}

/* ---- message ---- */

/* Bytes of the keyword bits that are needed, lowest keywords first. */
static size_t
bits_put(unsigned char out[STORE_KEYWORDS_MAX / 8],
    const struct store_keywords *k)
{
	size_t n = 0, i;

	for (i = 0; i < STORE_KEYWORDS_MAX / 8; i++) {
		out[i] = (unsigned char)(k->bits[i / 8] >> (i % 8 * 8) & 0xff);
		if (out[i] != 0)
			n = i + 1;
	}
	return n;
}

int
message_encode(struct buf *out, const struct store_message *m)
{
	unsigned char r[MESSAGE_SIZE] = { 1 }, bits[STORE_KEYWORDS_MAX / 8];
	size_t n = bits_put(bits, &m->keywords);

	if (m->base.n > 255 || m->suffix.n > 255 || m->preview.n > 0xffff ||
	    m->extension.n > 0xffff || m->envelope.n > TEXT_MAX ||
	    m->bodystructure.n > TEXT_MAX)
		return too_long();
	r[1] = (unsigned char)m->training;
	be16_put(r + 2, m->flags);
	be64_put(r + 4, m->size);
	be64_put(r + 12, m->size_crlf);
	be64_put(r + 20, (uint64_t)m->internal_date);
	be64_put(r + 28, (uint64_t)m->save_date);
	be64_put(r + 36, m->createseq);
	be64_put(r + 44, m->modseq);
	be64_put(r + 52, m->message_id_hash);
	r[60] = (unsigned char)n;
	r[61] = (unsigned char)m->suffix.n;
	r[62] = (unsigned char)m->base.n;
	r[63] = (unsigned char)m->parse_version;
	be16_put(r + 64, (uint32_t)m->preview.n);
	be16_put(r + 66, (uint32_t)m->extension.n);
	be32_put(r + 68, (uint32_t)m->envelope.n);
	be32_put(r + 72, (uint32_t)m->bodystructure.n);
	if (buf_add(out, bytes_of(r, sizeof(r))) == -1 ||
	    buf_add(out, bytes_of(bits, n)) == -1 ||
	    buf_add(out, m->suffix) == -1 || buf_add(out, m->base) == -1 ||
	    buf_add(out, m->preview) == -1 ||
	    buf_add(out, m->extension) == -1 ||
	    buf_add(out, m->envelope) == -1)
		return -1;
	return buf_add(out, m->bodystructure);
}

int
message_decode(struct bytes key, struct bytes value, struct store_message *m)
{
	const unsigned char *p = value.p;
	struct bytes rest = bytes_from(value, MESSAGE_SIZE), bits;
	size_t i;

	if (key.n != KEY_MESSAGE || value.n < MESSAGE_SIZE || p[0] != 1)
		return unreadable();
	m->mailbox = be32_get(key.p);
	m->uid = be32_get(key.p + 4);
	m->training = (enum store_training)p[1];
	m->flags = be16_get(p + 2);
	m->size = be64_get(p + 4);
	m->size_crlf = be64_get(p + 12);
	m->internal_date = (int64_t)be64_get(p + 20);
	m->save_date = (int64_t)be64_get(p + 28);
	m->createseq = be64_get(p + 36);
	m->modseq = be64_get(p + 44);
	m->message_id_hash = be64_get(p + 52);
	m->parse_version = p[63];
	m->keywords = (struct store_keywords){ { 0 } };
	if (p[60] > STORE_KEYWORDS_MAX / 8 ||
	    !bytes_cut(&rest, p[60], &bits) ||
	    !bytes_cut(&rest, p[61], &m->suffix) ||
	    !bytes_cut(&rest, p[62], &m->base) ||
	    !bytes_cut(&rest, be16_get(p + 64), &m->preview) ||
	    !bytes_cut(&rest, be16_get(p + 66), &m->extension) ||
	    !bytes_cut(&rest, be32_get(p + 68), &m->envelope) ||
	    !bytes_cut(&rest, be32_get(p + 72), &m->bodystructure))
		return unreadable();
	for (i = 0; i < bits.n; i++)
		m->keywords.bits[i / 8] |= (uint64_t)bits.p[i] << (i % 8 * 8);
	return 0;
}

/* ---- change ---- */

int
change_encode(struct buf *out, const struct store_change *c)
{
	unsigned char r[CHANGE_SIZE] = { 1, (unsigned char)c->kind };

	if (c->name.n > 0xffff)
		return too_long();
	be32_put(r + 2, c->mailbox);
	be32_put(r + 6, c->uid_first);
	be32_put(r + 10, c->uid_last);
	be16_put(r + 14, (uint32_t)c->name.n);
	if (buf_add(out, bytes_of(r, sizeof(r))) == -1 ||
	    buf_add(out, c->name) == -1)
		return -1;
	return buf_add(out, c->old_name);
}

int
change_decode(struct bytes key, struct bytes value, struct store_change *c)
{
	struct bytes rest = bytes_from(value, CHANGE_SIZE);

	if (key.n != KEY_CHANGE || value.n < CHANGE_SIZE ||
	    value.p[0] != 1)
		return unreadable();
	c->modseq = be64_get(key.p);
	c->kind = (enum store_change_kind)value.p[1];
	c->mailbox = be32_get(value.p + 2);
	c->uid_first = be32_get(value.p + 6);
	c->uid_last = be32_get(value.p + 10);
	if (!bytes_cut(&rest, be16_get(value.p + 14), &c->name))
		return unreadable();
	c->old_name = rest;
	return 0;
}

/* ---- tagged fields: tag 2 bytes, length 2 bytes, value ---- */

int
store_field_add(struct buf *b, enum store_tag tag, struct bytes value)
{
	unsigned char h[4];
	size_t before = b->n;

	if (value.n > 0xffff)
		return too_long();
	be16_put(h, (uint32_t)tag);
	be16_put(h + 2, (uint32_t)value.n);
	if (buf_add(b, bytes_of(h, sizeof(h))) == -1)
		return -1;
	if (buf_add(b, value) == -1) {
		b->n = before;
		return -1;
	}
	return 0;
}

int
store_field_next(struct bytes *area, enum store_tag *tag,
    struct bytes *value)
{
	struct bytes rest = *area, head;

	if (area->n == 0)
		return 0;
	if (!bytes_cut(&rest, 4, &head) ||
	    !bytes_cut(&rest, be16_get(head.p + 2), value))
		return unreadable();
	*tag = (enum store_tag)be16_get(head.p);
	*area = rest;
	return 1;
}
