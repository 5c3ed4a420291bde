/*
 * append.c - APPEND: a message streamed into an unnamed file, then stored
 *
 * The command is recognised when its literal is announced, so that a message
 * that cannot be taken is refused before it is sent; one sent without asking
 * (RFC 7888) is read over. Line ends become LF on the way.
 */
#include "imap/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/os.h"

#define BLOCK (64 * 1024)

enum refusal { REFUSE_NONE, REFUSE_NAME, REFUSE_NO_MAILBOX, REFUSE_QUOTA,
	REFUSE_SIZE, REFUSE_ERROR };

static void
reply_refusal(struct imap *im, int refusal)
{
	switch (refusal) {
	case REFUSE_NAME:
		reply_no(im, "CANNOT", "no mailbox can have this name");
		break;
	case REFUSE_NO_MAILBOX:
		reply_errno(im, ENOENT, true);
		break;
	case REFUSE_QUOTA:
		reply_errno(im, EDQUOT, false);
		break;
	case REFUSE_SIZE:
		reply_no(im, "TOOBIG", "message over the size limit");
		break;
	default:
		reply_errno(im, im->append.error, false);
		break;
	}
}

void
append_drop(struct imap *im)
{
	struct append *ap = &im->append;

	if (ap->fd != -1)
		(void)close(ap->fd);	/* unnamed: gone with it */
	buf_free(&ap->block);
	*ap = (struct append){ .fd = -1 };
}

/* "tag APPEND mailbox [flags] [date] " and nothing more. */
static bool
parse_prefix(struct imap *im, struct parser *p, struct bytes *name)
{
	struct append *ap = &im->append;
	struct bytes tag, word;

	if (!parse_tag(p, &tag) || !parse_space(p) || !parse_atom(p, &word) ||
	    !bytes_caseeq(word, BYTES("APPEND")) || !parse_space(p) ||
	    !parse_mailbox(p, name) || !parse_space(p))
		return false;
	if (bytes_at(p->s, 0) == '(' &&
	    (!parse_flags(p, false, &ap->flags) || !parse_space(p)))
		return false;
	if (bytes_at(p->s, 0) == '"' &&
	    (!parse_date_time(p, &ap->internal_date) || !parse_space(p)))
		return false;
	if (p->s.n > 0)
		return false;
	session_tag(im, tag);
	return true;
}

/* Why the message cannot be taken, as far as it can be known now. */
static int
find_refusal(struct imap *im, struct bytes name, uint64_t size)
{
	struct append *ap = &im->append;
	struct store_view *v;
	struct store_mailbox m;
	uint64_t used, limit;
	const char *why;
	int r;

	if (store_name_check(&im->arena, name, &name, &why) == -1)
		return REFUSE_NAME;
	if (size > im->o.append_max)
		return REFUSE_SIZE;
	if ((v = store_view_open(im->o.store)) == NULL) {
		ap->error = errno;
		return REFUSE_ERROR;
	}
	r = store_mailbox_find(v, name, &m);
	ap->error = errno;
	store_view_quota(v, &used, &limit);
	store_view_close(v);
	if (r == 1) {
		ap->mailbox = m.id;
		return limit != 0 && (used > limit || size > limit - used)
		    ? REFUSE_QUOTA : REFUSE_NONE;
	}
	return r == 0 ? REFUSE_NO_MAILBOX : REFUSE_ERROR;
}

int
append_begin(struct imap *im, struct bytes prefix)
{
	struct append *ap = &im->append;
	struct parser p = session_parser(im, prefix);
	struct bytes name;
	int refusal;

	append_drop(im);
	if (!parse_prefix(im, &p, &name)) {
		append_drop(im);
		return 0;
	}
	im->command = "APPEND";
	im->is_uid = im->by_number = false;
	ap->left = im->in.literal_bytes;
	ap->block = BUF_INIT(BLOCK);
	refusal = find_refusal(im, name, ap->left);
	if (refusal == REFUSE_NONE &&
	    (ap->fd = os_tmpfile(AT_FDCWD, im->o.tmp_dir)) == -1) {
		ap->error = errno;
		refusal = REFUSE_ERROR;
	}
	ap->refusal = refusal;
	if (refusal == REFUSE_SIZE && !im->in.literal_sync) {
		/* RFC 7888 4: not worth reading over. */
		reply_refusal(im, refusal);
		imap_bye(im, "TOOBIG", "message over the size limit");
		return 1;
	}
	if (refusal != REFUSE_NONE && im->in.literal_sync) {
		reply_refusal(im, refusal);
		im->stats.commands++;
		input_cut_literal(&im->in);
		arena_reset(&im->arena);
		return 1;
	}
	if (im->in.literal_sync)
		buf_adds(&im->out, "+ send the message\r\n");
	/* The flags are views into the command, which goes now. */
	for (size_t i = 0; i < ap->flags.keyword_count; i++)
		ap->flags.keywords[i] = arena_bytes(&im->arena,
		    ap->flags.keywords[i]);
	input_cut_literal(&im->in);
	im->mode = MODE_APPEND;
	return 1;
}

static void
write_block(struct append *ap)
{
	if (ap->fd != -1 && !ap->failed && ap->block.n > 0 &&
	    io_write_all(ap->fd, buf_bytes(&ap->block), DEADLINE_NONE)
	    == -1) {
		ap->failed = true;
		ap->error = errno;
	}
	buf_reset(&ap->block);
}

/* Take input into the file: CRLF becomes LF, a lone CR stays. */
static void
take_bytes(struct imap *im)
{
	struct append *ap = &im->append;
	struct bytes s = bytes_first(buf_bytes(&im->in.b),
	    ap->left < SIZE_MAX ? (size_t)ap->left : SIZE_MAX);
	size_t n = s.n;
	int c;

	while (ap->fd != -1 && (c = bytes_next(&s)) != -1) {
		if (ap->block.n + 2 > BLOCK)
			write_block(ap);
		if (ap->after_cr && c != '\n')
			buf_addc(&ap->block, '\r');
		ap->after_cr = c == '\r';
		if (!ap->after_cr)
			buf_addc(&ap->block, c);
	}
	ap->left -= n;
	input_drop(&im->in, n);
	if (ap->left == 0) {
		if (ap->after_cr)
			buf_addc(&ap->block, '\r');
		write_block(ap);
	}
}

/* The file's bytes to the store; 0 or -1. */
static int
store_message(struct imap *im, uint32_t *uid)
{
	struct append *ap = &im->append;
	struct bytes piece = BYTES_EMPTY;
	struct store_incoming m = { .pieces = &piece, .count = 1,
	    .flags = ap->flags.flags, .keywords = ap->flags.keywords,
	    .keyword_count = ap->flags.keyword_count,
	    .internal_date = ap->internal_date };
	off_t size = lseek(ap->fd, 0, SEEK_END);
	void *map = NULL;
	int r, saved;

	if (size == -1)
		return -1;
	if (size > 0) {
		map = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE,
		    ap->fd, 0);
		if (map == MAP_FAILED)
			return -1;
		piece = bytes_of(map, (size_t)size);
	}
	r = store_append(im->o.store, ap->mailbox, &m, 1, uid);
	saved = errno;
	if (size > 0)
		(void)munmap(map, (size_t)size);	/* cannot fail */
	errno = saved;
	return r;
}

static void
finish(struct imap *im)
{
	struct append *ap = &im->append;
	struct store_mailbox m;
	struct store_view *v;
	uint32_t uid;
	char code[64];
	int r;

	if (ap->failed) {
		reply_errno(im, ap->error, false);
		return;
	}
	if (ap->fd == -1) {
		reply_refusal(im, ap->refusal);
		return;
	}
	if (store_message(im, &uid) == -1) {
		reply_errno(im, errno, true);
		return;
	}
	im->stats.appended_messages++;
	v = store_view_open(im->o.store);
	r = v == NULL ? -1 : store_mailbox_get(v, ap->mailbox, &m);
	store_view_close(v);
	box_sync(im, true);
	if (r != 1) {
		reply_ok(im, NULL, "APPEND done");
		return;
	}
	(void)snprintf(code, sizeof(code), "APPENDUID %lu %lu",
	    (unsigned long)m.uidvalidity, (unsigned long)uid); /* fits */
	reply_ok(im, code, "APPEND done");
}

void
append_step(struct imap *im)
{
	struct append *ap = &im->append;
	struct bytes line;
	int r;

	if (ap->left > 0) {
		take_bytes(im);
		if (ap->left > 0)
			return;
	}
	r = input_line(&im->in, &line);
	if (r == 0)
		return;
	im->mode = MODE_COMMAND;
	if (r == -1) {
		imap_bye(im, NULL, "line over 16384 bytes");
	} else if (line.n != 0) {
		reply_bad(im, "one message only in APPEND");
	} else {
		finish(im);
		im->stats.commands++;
		im->bad = 0;
	}
	append_drop(im);
	input_done(&im->in);
	arena_reset(&im->arena);
}
