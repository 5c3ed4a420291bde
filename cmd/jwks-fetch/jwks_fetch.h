/* jwks_fetch.h - what the files of jwks-fetch share */
#ifndef JWKS_FETCH_H
#define JWKS_FETCH_H

#include "config/config.h"
#include "fetch/fetch.h"

/* The issuer, as configured; the text lives as long as its arena. */
struct issuer {
	const char *name;
	const char *keys_url;	/* NULL: ask the issuer */
	const char *ca_file;	/* NULL: the system's */
	bool allow_http;
	unsigned int timeout_ms;
	int64_t refresh_seconds;
};
/* 1; 0 with *why: nothing is to be fetched. */
int issuer_load(struct arena *a, const struct config *c, struct issuer *out,
    const char **why);

/* What came of it. */
struct fetched {
	bool replaced;		/* the file, by other keys */
	size_t keys;
	int64_t max_age;	/* seconds; -1: not said */
	char etag[FETCH_ETAG_MAX + 1];
	char path[1024];	/* of the file */
};
/*
 * keys_fetch - get the issuer's keys, check them, replace the file
 * etag: of the keys in the file; "": none. -1, reported in a log line with
 * the event "keys-not-fetched", and the file is as it was.
 */
int keys_fetch(const struct issuer *is, const char *etag,
    struct fetched *out);

/* Fetch until a signal ends the process. */
_Noreturn void loop_run(void);

#endif
