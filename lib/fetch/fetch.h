/*
 * fetch.h - small documents by HTTPS, with libcurl
 *
 * One GET request (RFC 9110), whole reply in memory. Certificates are always
 * checked, TLS is 1.2 or newer, and a redirection stays with the schemes that
 * were allowed. Neither proxies nor passwords are taken from the environment
 * or from files.
 */
#ifndef FETCH_H
#define FETCH_H

#include "base/base.h"

#define FETCH_REDIRECTS_MAX 3	/* to another host, with a slash, and one */
#define FETCH_CONNECT_MS 10000	/* of the time for all, to connect */
#define FETCH_HEADER_MAX ((size_t)64 * 1024)	/* as large servers allow */
#define FETCH_ETAG_MAX 256	/* a longer one is as none */

struct fetch_request {
	const char *url;
	const char *ca_file;	/* PEM; NULL: those the system trusts */
	const char *etag;	/* of the copy at hand; NULL: none */
	size_t body_max;
	unsigned int timeout_ms;	/* for all of it */
	bool allow_http;	/* else https only; never http after https */
	bool no_redirects;	/* a redirection is the reply */
	/* Where to connect to in place of the URL's host and port, "::" ADDRESS
	 * ":" PORT as CURLOPT_CONNECT_TO has it (an IPv6 address in brackets);
	 * the certificate is still for the URL's host. NULL: there. */
	const char *connect_to;
};
struct fetch_reply {
	unsigned int status;	/* of the last reply, after redirections */
	struct buf body;
	int64_t max_age;	/* seconds, Cache-Control; -1: not said */
	char etag[FETCH_ETAG_MAX + 1];	/* "": none */
};

/*
 * fetch_get - send the request, wait for the reply
 * 0 when there is one, whatever its status; the caller frees body. -1 with
 * *why, constant text, and nothing to free: EMSGSIZE body or header over its
 * limit, ETIMEDOUT, EACCES the scheme is not allowed, EKEYREJECTED the
 * certificate is wrong, EPROTO the protocol is, EINVAL url or ca_file are,
 * EAGAIN the rest.
 */
int fetch_get(const struct fetch_request *q, struct fetch_reply *r,
    const char **why);

/*
 * The seconds of max-age in a Cache-Control field body (RFC 9111 5.2.2.1);
 * 0 for no-store and no-cache; at most FETCH_AGE_MAX; -1: it says neither.
 */
#define FETCH_AGE_MAX INT64_C(2147483648)	/* RFC 9111 1.2.2 */
int64_t fetch_max_age(struct bytes field_body);

#endif
