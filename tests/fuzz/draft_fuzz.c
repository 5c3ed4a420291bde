/*
 * draft_fuzz.c - a message on its way between processes, with bytes changed
 *
 * It is refused, or what comes of it is within its bounds and the same when it
 * is packed and unpacked again. An even first byte: bytes as they are; an odd
 * one: a whole draft, cut or longer by the second byte, with others in it: two
 * bytes where and one what, each.
 */
#include "store/draft.h"

#include <stdint.h>
#include <stdlib.h>

static const char text[] = "Authentication-Results: mx.test; dkim=pass "
    "header.d=x.org\nReceived: from h.org (unknown [192.0.2.1]) by mx.test; "
    "x\nFrom: a@x.org\nTo: b@y.org\nSubject: Re: one\nReferences: <1@x> "
    "<2@x>\nMessage-ID: <3@x>\n\nsome text to be searched\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
make(struct arena *a, struct buf *out)
{
	struct bytes content = bytes_str(text);
	struct draft d = { .tmp = "1.M2P3Q4.h,S=5,W=6", .fd = -1,
	    .flags = STORE_SEEN, .m = { .suffix = BYTES_EMPTY,
	    .base = BYTES_EMPTY, .extension = BYTES("\1") },
	    .text = BYTES_EMPTY };

	message_parse(a, content, &d.m, &d.text, NULL);
	thread_read(a, content, &d.thread);
	origin_row_read(a, content, "mx.test", &d.origin);
	must(d.origin.n > 0 && d.thread.reference_count > 0);
	must(draft_pack(out, &d) == 0);
}

static void
same_message(const struct store_message *a, const struct store_message *b)
{
	struct buf x = BUF_INIT(SIZE_MAX / 2), y = BUF_INIT(SIZE_MAX / 2);

	must(message_encode(&x, a) == 0 && message_encode(&y, b) == 0);
	must(bytes_eq(buf_bytes(&x), buf_bytes(&y)));
	buf_free(&x);
	buf_free(&y);
}

static void
same_origin(const struct origin_row *a, const struct origin_row *b)
{
	must(a->n <= ORIGIN_ENTRIES_MAX && a->n == b->n);
	must(a->date == b->date && a->from_validated == b->from_validated &&
	    a->local_part == b->local_part);
	for (size_t i = 0; i < a->n; i++) {
		must((unsigned int)a->entry[i].key < STORE_ORIGIN_KEYS);
		must(a->entry[i].key == b->entry[i].key &&
		    a->entry[i].hash == b->entry[i].hash);
	}
}

static void
same(const struct draft *a, const struct draft *b)
{
	const struct store_thread *t = &a->thread;

	must(strlen(a->tmp) > 0 && strlen(a->tmp) <= MAILDIR_FILE_MAX);
	must(strchr(a->tmp, '/') == NULL && a->tmp[0] != '.');
	must(strcmp(a->tmp, b->tmp) == 0);
	must((a->flags & ~(uint32_t)STORE_FLAGS_ALL) == 0);
	must(a->flags == b->flags && bytes_eq(a->text, b->text));
	must(a->fd == -1 && a->written && !a->placed && !a->in_cur);
	must(t->parent_count <= STORE_PARENTS_MAX &&
	    t->reference_count <= STORE_REFERENCES_MAX);
	must(memcmp(t->references, b->thread.references,
	    sizeof(t->references)) == 0);
	must(t->message_id == b->thread.message_id &&
	    t->subject == b->thread.subject);
	same_message(&a->m, &b->m);
	same_origin(&a->origin, &b->origin);
}

/* The whole, cut or longer, with others in it. */
static void
damage(struct buf *b, const uint8_t *data, size_t size)
{
	size_t at;

	if (data[0] < 128)
		b->n -= data[0] < b->n ? data[0] : b->n;
	else
		for (at = 128; at < data[0]; at++)
			must(buf_addc(b, 'x') == 0);
	for (at = 1; at + 3 <= size && b->n > 0; at += 3)
		b->p[(data[at] << 8 | data[at + 1]) % b->n] = data[at + 2];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf in = BUF_INIT(SIZE_MAX / 2), again = BUF_INIT(SIZE_MAX / 2);
	struct arena a = ARENA_INIT;
	struct draft d, e;

	if (size >= 2 && data[0] % 2 == 1) {
		make(&a, &in);
		damage(&in, data + 1, size - 1);
	} else {
		must(buf_add(&in, bytes_of(data, size)) == 0);
	}
	if (draft_unpack(&a, buf_bytes(&in), &d) == 0) {
		must(draft_pack(&again, &d) == 0);
		must(draft_unpack(&a, buf_bytes(&again), &e) == 0);
		same(&d, &e);
	} else {
		must(size != 2 || data[0] % 2 == 0 || data[1] != 0);
	}
	buf_free(&in);
	buf_free(&again);
	arena_free(&a);
	return 0;
}
