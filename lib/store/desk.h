/*
 * desk.h - deliveries of several processes in one commit: a part of store.h
 *
 * Each delivery changes the same few pages of the index and waits for the
 * disk, one after the other. So the processes of a server that deliver at the
 * same time share a desk: who has a message ready while another delivers to
 * the account puts what the index is to know of it there, and the next to
 * have the account delivers all that lies there, as one change with one
 * commit. Nobody waits for others to come; a lone delivery is as without.
 *
 * What is promised is the same: a delivery returns when its message survives
 * power loss. Whoever ends while others' messages are in its hands leaves
 * each of them either in tmp/, and its owner delivers it, or in new/, where it
 * is delivered (desk.c has the states).
 */
#ifndef STORE_DESK_H
#define STORE_DESK_H

struct store_desk;

/*
 * For struct store_options of processes that are forked afterwards, and which
 * trust each other with the mail of all accounts. NULL with errno.
 */
struct store_desk *store_desk_make(void);
void store_desk_free(struct store_desk *d);	/* NULL: nothing */

#endif
