/*
 * frame.h - records of named values between our own processes
 *
 * A frame is a length of four bytes and that many bytes of fields; a field is
 * a name length (1), the name, a value length (4) and the value. All numbers
 * are big-endian. Names may repeat; their order is kept. A frame may come
 * with descriptors over a Unix socket. Both sides are pipemail, of the same
 * version; still everything is checked.
 */
#ifndef FRAME_H
#define FRAME_H

#include "base/base.h"

/* Bytes of a whole frame: a thousand recipients with all their parameters and
 * a message of SPOOL_MEMORY_MAX fit well. */
#define FRAME_MAX (4 * 1024 * 1024)
#define FRAME_NAME_MAX 32

struct frame_field {
	struct bytes name;	/* a-z, digits, "-" */
	struct bytes value;
};

/* Start a frame at the end of b: its place, for frame_end. */
size_t frame_begin(struct buf *b);
/* 0, or -1 EMSGSIZE (frame_end tells it again). name is a constant. */
int frame_add(struct buf *b, const char *name, struct bytes value);
int frame_add_str(struct buf *b, const char *name, const char *value);
int frame_add_num(struct buf *b, const char *name, int64_t n);
/* -1 EMSGSIZE: something did not fit. */
int frame_end(struct buf *b, size_t start);

/* Take one frame's fields off the front of *in. 1; 0 not whole yet; -1
 * EMSGSIZE. */
int frame_cut(struct bytes *in, struct bytes *fields);
/* Take the next field off *fields. 1; 0 end; -1 EBADMSG. */
int frame_next(struct bytes *fields, struct frame_field *f);
bool frame_is(const struct frame_field *f, const char *name);
/* A decimal value within bounds. -1 EBADMSG, *out untouched. */
int frame_num(const struct frame_field *f, int64_t min, int64_t max,
    int64_t *out);

/* Write what stands in b, the descriptors with its first bytes. -1 errno. */
int frame_send(int sock, struct bytes frame, const int *fds, size_t nfds,
    int64_t deadline);
/*
 * Read until one whole frame is in; what follows it stays in in. *nfds is the
 * room in fds before, and what came after; the descriptors are the caller's.
 * *fields is valid until in changes. 1; 0 end of file before the first byte;
 * -1 errno (EPROTO end within a frame, EMSGSIZE too large or too many
 * descriptors), all descriptors closed.
 */
int frame_recv(int sock, struct buf *in, struct bytes *fields, int *fds,
    size_t *nfds, int64_t deadline);
/* Drop the frame that frame_recv gave. */
void frame_done(struct buf *in);

#endif
