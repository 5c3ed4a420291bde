/*
 * imap_serve.h - shared by the files of imap-serve
 */
#ifndef IMAP_SERVE_H
#define IMAP_SERVE_H

#include "imap/imap.h"
#include "store/store.h"

/* One client, its account open. */
struct session {
	int in, out;
	const char *account;
	struct bytes tag;		/* empty: PREAUTH */
	struct bytes pending;		/* read before the login */
	struct store *store;
	const char *tmp_dir;
	const char *capabilities_off;	/* imap_options; may be NULL */
	uint64_t append_max;
	int64_t idle_ms;
	struct imap_stats stats;	/* set when it ended */
	const char *end;		/* why, for the log */
};

/* Serve until the client goes. 0, or -1 errno. */
int session_run(struct session *s);
/* SIGTERM and SIGINT end sessions with BYE from here on. */
void session_signals(void);

#endif
