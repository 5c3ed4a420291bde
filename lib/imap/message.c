/*
 * message.c - messages of the selected mailbox: from the index first
 *
 * A message another session expunged has no record any more; until this
 * client was told, it is read from its file (I-20).
 */
#include "imap/internal.h"

#include <errno.h>

/* Going on beats a new search for gaps up to this many messages. */
#define WALK_STEPS 16

void
walk_init(struct walk *w, struct store_view *v, uint32_t mailbox)
{
	*w = (struct walk){ .view = v, .mailbox = mailbox };
}

int
walk_at(struct walk *w, uint32_t uid)
{
	unsigned int steps;
	int r = 1;

	for (steps = 0; w->started && !w->ended && w->at.uid < uid &&
	    steps < WALK_STEPS; steps++) {
		r = store_message_next(w->view, &w->at);
		if (r == -1)
			return -1;
		w->ended = r == 0;
	}
	if (!w->started || (!w->ended && w->at.uid < uid)) {
		r = store_message_first(w->view, w->mailbox, uid, &w->at);
		if (r == -1)
			return -1;
		w->started = true;
		w->ended = r == 0;
	}
	return !w->ended && w->at.uid == uid;
}

int
walk_to(struct walk *w, uint32_t uid, struct store_message *m)
{
	int r = walk_at(w, uid);

	if (r == 1)
		*m = w->at;
	return r;
}

void
message_reset(struct message *m)
{
	if (m->mapped)
		store_unmap(m->file);
	arena_free(&m->arena);
	*m = (struct message){ .arena = ARENA_INIT };
}

void
message_set(struct message *m, uint32_t uid,
    const struct store_message *record)
{
	if (m->uid != uid || m->mailbox != 0) {
		if (m->mapped || m->mailbox != 0)
			message_reset(m);
		m->uid = uid;
	}
	m->has_record = record != NULL;
	if (record != NULL)
		m->record = *record;
}

int
message_load(struct store *store, uint32_t mailbox, struct message *m)
{
	if (m->mapped)
		return 0;
	if (store_message_map(store, m->mailbox != 0 ? m->mailbox : mailbox,
	    m->uid, &m->file) == -1)
		return -1;
	m->mapped = true;
	return 0;
}

int
message_load_tree(struct store *store, uint32_t mailbox, struct message *m)
{
	if (m->tree != NULL)
		return 0;
	if (message_load(store, mailbox, m) == -1)
		return -1;
	m->tree = mime_parse(&m->arena, m->file);
	return 0;
}

int
message_file(struct imap *im, struct message *m)
{
	return message_load(im->o.store, im->box.id, m);
}

int
message_tree(struct imap *im, struct message *m)
{
	return message_load_tree(im->o.store, im->box.id, m);
}
