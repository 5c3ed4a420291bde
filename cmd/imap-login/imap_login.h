/*
 * imap_login.h - the parts of imap-login
 */
#ifndef IMAP_LOGIN_H
#define IMAP_LOGIN_H

#include "config/config.h"
#include "front/front.h"
#include "imap/imap.h"
#include "os/os.h"
#include "server/server.h"

struct program {
	bool again;		/* connections come from other programs */
	struct config *config;
	struct os_sandbox sandbox;
	struct server server;
	struct front_options front;
	/* greetings of clients that have no process yet */
	struct front_mechanisms mechanisms;
	struct buf greeting[TLSREQ_GREETINGS];	/* behind TLS */
	struct buf clear[4];	/* 1: passwords may pass, + 2: STARTTLS */
	char config_file[1024];
	char auth_path[1024], imap_path[1024], tls_path[1024];
};

/* Whether passwords may come in clear on that connection. */
bool plain_allowed(const struct config *c, const struct server_conn *conn);

/* ---- early.c ---- */

/* For struct server. */
enum server_next early_hook(struct server_early *e, struct server_conn *conn,
    void *ctx);

/* ---- again.c: -u (RFC 8437) ---- */

/*
 * Take a connection that imap-serve gives back, or, with the tag
 * IMAP_TAG_NEW, that alpn-in has taken: conn becomes the client's,
 * *message what came with it, h views into that. 0, -1 errno.
 */
int again_receive(struct server_conn *conn, struct buf *message,
    struct imap_handover *h);

#endif
