/*
 * imap_serve.h - shared by the files of imap-serve
 */
#ifndef IMAP_SERVE_H
#define IMAP_SERVE_H

#include "compress/compress.h"
#include "config/config.h"
#include "imap/imap.h"
#include "store/store.h"

/* One client, its account open. */
struct session {
	int in, out;
	const char *account;
	const struct config *config;	/* NULL: nothing was ever compiled */
	struct bytes tag;		/* empty: PREAUTH */
	struct bytes pending;		/* read before the login */
	struct store *store;
	const char *tmp_dir;
	/* What goes to imap-idle and comes back; seal empty: nothing does. */
	struct bytes seal, cid, remote_ip, local_ip, preface;
	struct bytes state;		/* came back: go on with it */
	bool late;			/* and was silent for too long */
	bool returned;			/* and its client has not spoken yet */
	int64_t rest_at;		/* not handed over before; 0: at once */
	int64_t ask_at;			/* no URL is asked for before; 0 */
	const char *capabilities_off;	/* imap_options; may be NULL */
	uint32_t message_limit;
	uint64_t append_max;
	int64_t idle_ms;
	struct compress *compress;	/* NULL: bytes go as they are */
	struct buf raw;			/* read, not yet decompressed */
	struct buf packed;		/* compressed, not yet written */
	struct imap_stats stats;	/* set when it ended */
	const char *end;		/* why, for the log; NULL: it rests */
};

/* A client that takes nothing of an answer for so long is gone. */
#define WRITE_MS (5 * 60 * 1000)

/* ---- wire.c: the client's bytes, compressed (RFC 4978) or not ---- */

/* From here on they are. */
void wire_compress(struct session *s);
/* And not any more; what was read is dropped. */
void wire_plain(struct session *s);
/* Input is there without a read(2). */
bool wire_ready(const struct session *s);
/* Some of what the client sent, as much as there is room for. 0, -1 errno. */
int wire_read(struct session *s, struct imap *im);
/* All of the output. 0, -1 errno. */
int wire_write(struct session *s, struct imap *im);
/* Give back memory before a long wait. */
void wire_trim(struct session *s);

/*
 * unauth.c (RFC 8437): give the connection to a new imap-login. 1 it has it,
 * 0 it is not there and nothing was said, -1 errno: it is lost.
 */
int session_unauthenticate(struct session *s, struct imap *im);
/* Whether that can be. */
bool session_can_unauthenticate(const struct session *s);

/* ---- ask.c: URLs of other accounts (RFC 4467) ---- */

/* imap-serve did not answer a question: the next one is not asked before. */
#define ASK_AGAIN_MS 10000
/* To IMAP_ASK: ask run/imap, and imap_answered. */
void session_ask(struct session *s, struct imap *im);
/* Answer what another session asks over link: q's seal was found right. The
 * account is open and all else out of reach. 1 it gave something, 0 nothing,
 * -1 errno: the link is lost. */
int session_answer(const struct session *s, const struct imap_ask *q,
    int fd);
/* Of imap_options. */
bool session_is_account(const void *config, struct bytes user,
    const char *account);

/* Serve until the client goes. 0, or -1 errno. */
int session_run(struct session *s);
/* imap-idle is not there, or full: it is not asked again before. Longer than
 * it takes to be started anew. */
#define REST_AGAIN_MS 10000
/*
 * rest.c: hand a session in IDLE to imap-idle. True: it has it, and nothing
 * may be said to the client any more. quiet is asked last, when from then on
 * imap-idle sees what happens: false: something did, and the session stays.
 */
bool session_rest(struct session *s, struct imap *im,
    bool (*quiet)(void *ctx), void *ctx);
/* A message whose file another program cuts short ends this process alone. */
void session_on_bus(void);
/* SIGTERM and SIGINT end sessions with BYE from here on. */
void session_signals(void);

#endif
