/*
 * queue-fill COUNT DOMAINS - that many messages, 99 of 100 of them for
 * DOMAINS dead destinations, the others held; texts are links to a few files
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "queue/queue.h"

#define LINKS_MAX 50000		/* file systems allow 65,000 */

static void
make_text(const char *dir, uint64_t id, uint64_t i)
{
	static char from[4096];
	char path[4096], sub[4096];
	FILE *f;

	if (snprintf(sub, sizeof(sub), "%s/queue/message/%02x", dir,
	    (unsigned int)(id % 256)) < 0 ||
	    snprintf(path, sizeof(path), "%s/%llx", sub,
	    (unsigned long long)id) < 0)
		exit(111);
	(void)mkdir(sub, 0700);		/* there already, mostly */
	if (i % LINKS_MAX != 0) {
		if (link(from, path) == -1)
			exit(111);
		return;
	}
	memcpy(from, path, sizeof(from));
	if ((f = fopen(path, "w")) == NULL ||
	    fputs("From: mail@localhost\n\ntext\n", f) == EOF ||
	    fclose(f) == EOF)
		exit(111);
}

static void
put(struct queue_txn *t, struct arena *a, uint64_t i, uint64_t domains,
    int64_t now)
{
	struct queue_message m;
	struct queue_rcpt r;

	(void)queue_message_parse(BYTES_EMPTY, &m);
	(void)queue_rcpt_parse(BYTES_EMPTY, &r);
	m.id = 1000000000000000 + i;
	m.account = BYTES("mail");
	m.sender = BYTES("mail@localhost");
	m.subject = BYTES("a message that waits in the queue");
	m.size = 2000;
	m.submitted = m.release = now;
	m.expires = now + 5 * 86400;
	r.address = bytes_str(arena_printf(a, "u%d@deadslow%d.example",
	    (int)i, (int)(i % domains)));
	r.domain = bytes_str(arena_printf(a, "deadslow%d.example",
	    (int)(i % domains)));
	r.dest = r.domain;
	r.next = now;
	r.held = i % 100 == 99;
	make_text(dir_var(), m.id, i);
	if (queue_put(t, &m, &r, 1) == -1)
		exit(111);
}

int
main(int argc, char *argv[])
{
	struct arena a = ARENA_INIT;
	struct queue *q = queue_open(arena_printf(&a, "%s/queue", dir_var()));
	uint64_t count = strtoull(argv[1], NULL, 10), i = 0;
	uint64_t domains = strtoull(argv[argc - 1], NULL, 10);
	struct queue_txn *t;

	if (q == NULL)
		return 111;
	while (i < count) {
		if ((t = queue_begin(q, true)) == NULL)
			return 111;
		do {
			put(t, &a, i++, domains, time_wall_us() / 1000000);
		} while (i % 5000 != 0 && i < count);
		if (queue_commit(t, i >= count) == -1)
			return 111;
		arena_reset(&a);
	}
	queue_close(q);
	return 0;
}
