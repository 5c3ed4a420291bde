/*
 * appenddata.c - messages of an APPEND on their way: one unnamed file
 *
 * Line ends become LF as they are written. What is binary (RFC 3516) or put
 * together of parts (RFC 4469) is written as it comes, and converted to the
 * end of the file when the message is whole.
 */
#include "imap/append.h"
#include "imap/url.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "os/os.h"

void
append_refuse(struct imap *im, enum refusal refusal)
{
	if (im->append.refusal != REFUSE_NONE)
		return;
	im->append.error = errno;
	im->append.refusal = refusal;
}

void
append_refuse_code(struct imap *im, enum refusal refusal, const char *code,
    const char *why)
{
	if (im->append.refusal == REFUSE_NONE) {
		im->append.code = code;
		im->append.why = why;
	}
	append_refuse(im, refusal);
}

/* ---- the file ---- */

static void
write_block(struct imap *im)
{
	struct append *ap = &im->append;

	if (ap->fd == -1 && ap->refusal == REFUSE_NONE && ap->block.n > 0 &&
	    (ap->fd = os_tmpfile(AT_FDCWD, im->o.tmp_dir)) == -1)
		append_refuse(im, REFUSE_ERROR);
	if (ap->refusal == REFUSE_NONE && ap->block.n > 0) {
		if (io_write_all(ap->fd, buf_bytes(&ap->block),
		    DEADLINE_NONE) == -1)
			append_refuse(im, REFUSE_ERROR);
		else
			ap->written += ap->block.n;
	}
	buf_reset(&ap->block);
}

static void
put_byte(struct imap *im, int c)
{
	struct append *ap = &im->append;

	if (ap->block.n + 2 > APPEND_BLOCK)
		write_block(im);
	if (ap->after_cr && c != '\n')
		buf_addc(&ap->block, '\r');
	ap->after_cr = c == '\r';
	if (!ap->after_cr)
		buf_addc(&ap->block, c);
}

void
append_lines(struct imap *im, struct bytes s)
{
	int c;

	while (im->append.refusal == REFUSE_NONE &&
	    (c = bytes_next(&s)) != -1)
		put_byte(im, c);
}

void
append_raw(struct imap *im, struct bytes s)
{
	struct append *ap = &im->append;
	struct bytes part;

	while (s.n > 0 && ap->refusal == REFUSE_NONE) {
		part = bytes_first(s, APPEND_BLOCK - ap->block.n);
		buf_add(&ap->block, part);
		s = bytes_from(s, part.n);
		if (ap->block.n == APPEND_BLOCK)
			write_block(im);
	}
}

static void
put_end(struct imap *im)
{
	struct append *ap = &im->append;

	if (ap->after_cr)
		buf_addc(&ap->block, '\r');
	ap->after_cr = false;
	write_block(im);
}

const unsigned char *
append_map(const struct append *ap)
{
	void *map;

	if (ap->written == 0)
		return (const unsigned char *)"";
	map = mmap(NULL, (size_t)ap->written, PROT_READ, MAP_SHARED, ap->fd,
	    0);
	return map == MAP_FAILED ? NULL : map;
}

void
append_unmap(const unsigned char *map, uint64_t size)
{
	if (size > 0)
		(void)munmap((void *)(uintptr_t)map, (size_t)size);
		/* our own map */
}

/* ---- messages ---- */

static int
add_converted(void *ctx, struct bytes piece)
{
	struct imap *im = ctx;

	append_raw(im, piece);
	if (im->append.refusal == REFUSE_NONE)
		return 0;
	errno = im->append.error;
	return -1;
}

/* The message as it was sent becomes one in lines, at the end of the file. */
static void
convert(struct imap *im, struct append_message *m)
{
	struct append *ap = &im->append;
	struct arena a = ARENA_INIT;
	uint64_t size = ap->written;
	const unsigned char *map = append_map(ap);
	const char *why = "cannot be converted";
	struct bytes sent;

	if (map == NULL) {
		append_refuse(im, REFUSE_ERROR);
		return;
	}
	sent = bytes_of(map + m->from, (size_t)(m->to - m->from));
	m->from = ap->written;
	if (!m->binary)
		append_lines(im, sent);
	else if (mime_from_binary(&a, sent, add_converted, im, &why) == -1)
		append_refuse_code(im, REFUSE_CODE, "UNKNOWN-CTE", why);
	put_end(im);
	m->to = ap->written;
	append_unmap(map, size);
	arena_free(&a);
}

void
append_end(struct imap *im)
{
	struct append *ap = &im->append;
	struct append_message *m;

	if (ap->count == 0 || ap->refusal != REFUSE_NONE)
		return;
	m = &ap->messages[ap->count - 1];
	put_end(im);
	m->to = ap->written;
	if (ap->refusal == REFUSE_NONE && (m->parts || m->binary))
		convert(im, m);
}

static void
begin_message(struct imap *im, const struct append_op *op)
{
	struct append *ap = &im->append;

	append_end(im);
	if (ap->count == ap->size) {
		ap->size = ap->size == 0 ? 1 : ap->size * 2;
		ap->messages = mem_realloc(ap->messages,
		    ap->size * sizeof(*ap->messages));
	}
	ap->messages[ap->count++] = (struct append_message){
		.flags = op->flags, .internal_date = op->internal_date,
		.parts = op->parts, .from = ap->written };
}

static uint64_t
total_max(uint64_t append_max)
{
	return append_max > UINT64_MAX / IMAP_APPEND_TOTAL ? UINT64_MAX
	    : append_max * IMAP_APPEND_TOTAL;
}

void
append_room(struct imap *im, uint64_t octets)
{
	struct append *ap = &im->append;
	struct append_message *m = &ap->messages[ap->count - 1];
	struct store_view *v;
	uint64_t used, limit;

	if (ap->refusal != REFUSE_NONE)
		return;
	m->octets += octets;
	ap->total += octets;
	if (m->octets > im->o.append_max || ap->total >
	    total_max(im->o.append_max)) {
		append_refuse(im, REFUSE_SIZE);
		return;
	}
	if ((v = store_view_open(im->o.store)) == NULL) {
		append_refuse(im, REFUSE_ERROR);
		return;
	}
	store_view_quota(v, &used, &limit);
	store_view_close(v);
	if (limit != 0 && (used > limit || ap->total > limit - used))
		append_refuse(im, REFUSE_QUOTA);
}

/* RFC 4469 5: a URL that names nothing here. */
static void
refuse_url(struct imap *im, struct bytes url)
{
	const char *code = "BADURL";
	size_t i;

	for (i = 0; i < url.n && url.p[i] > 0x20 && url.p[i] < 0x7f &&
	    url.p[i] != ']' && url.p[i] != '\\'; i++)
		;
	if (i == url.n)
		code = arena_printf(&im->arena, "BADURL %.*s",
		    BYTES_ARG(url));
	append_refuse_code(im, REFUSE_CODE, code, "no such message or part");
}

static void
add_url(struct imap *im, struct bytes text)
{
	struct buf block = BUF_INIT(APPEND_BLOCK * 2);
	struct message m = { .arena = ARENA_INIT };
	struct stream s;
	struct imap_url u;
	bool end = false;
	/* What this server has, without leave of another (RFC 4469 3). */
	int r = url_parse(&im->arena, text, &u) == -1 || u.host.n > 0 ||
	    u.access.n > 0 ? 0 : url_text(im, &u, &m, &s);

	if (r == 0)
		refuse_url(im, text);
	else if (r == -1)
		append_refuse(im, REFUSE_ERROR);
	else
		append_room(im, s.left);
	while (!end && im->append.refusal == REFUSE_NONE) {
		end = stream_add(&s, &block, APPEND_BLOCK);
		append_raw(im, buf_bytes(&block));
		buf_reset(&block);
	}
	buf_free(&block);
	message_reset(&m);
}

void
append_run(struct imap *im)
{
	struct append *ap = &im->append;
	const struct append_op *op;

	for (op = ap->ops; op != NULL && ap->refusal == REFUSE_NONE;
	    op = op->next) {
		if (op->kind == OP_MESSAGE)
			begin_message(im, op);
		else
			add_url(im, op->url);
	}
	ap->ops = NULL;
	ap->end = &ap->ops;
}
