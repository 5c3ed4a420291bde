/* get.c - one request with libcurl */
#include "fetch/fetch.h"

#include <curl/curl.h>
#include <errno.h>

struct transfer {
	struct fetch_reply reply;
	size_t header_bytes;
	bool header_full;
};

static size_t
take_body(char *p, size_t size, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	size_t n = size * count;	/* size is 1 */

	return buf_add(&t->reply.body, bytes_of(p, n)) == 0 ? n : 0;
}

/* A field line; a status line begins the header section of a reply, and what
 * the one before said (a redirection) counts no more. */
static size_t
take_header(char *p, size_t size, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	size_t n = size * count;
	struct bytes body = bytes_of(p, n), name;
	int64_t age;

	t->header_bytes += n;	/* libcurl gives at most 100 kB */
	if (t->header_bytes > FETCH_HEADER_MAX) {
		t->header_full = true;
		return 0;
	}
	if (bytes_starts(body, BYTES("HTTP/"))) {
		t->reply.max_age = -1;
		t->reply.etag[0] = '\0';
		return n;
	}
	(void)bytes_split(&body, ':', &name);
	body = bytes_trim(body);
	if (bytes_caseeq(name, BYTES("Cache-Control"))) {
		age = fetch_max_age(body);
		if (age != -1 && (t->reply.max_age == -1 ||
		    age < t->reply.max_age))
			t->reply.max_age = age;
	} else if (bytes_caseeq(name, BYTES("ETag")) &&
	    body.n <= FETCH_ETAG_MAX && !bytes_has_nul(body)) {
		memcpy(t->reply.etag, body.p, body.n);
		t->reply.etag[body.n] = '\0';
	}
	return n;
}

static int
error_of(CURLcode code)
{
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return ETIMEDOUT;
	case CURLE_UNSUPPORTED_PROTOCOL:
		return EACCES;
	case CURLE_URL_MALFORMAT:
	case CURLE_SSL_CACERT_BADFILE:
		return EINVAL;
	case CURLE_PEER_FAILED_VERIFICATION:
		return EKEYREJECTED;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_TOO_MANY_REDIRECTS:
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
		return EPROTO;
	default:
		return EAGAIN;
	}
}

/* Each must be known: an option that is not set leaves a door open. */
static bool
set_up(CURL *c, const struct fetch_request *q, struct transfer *t)
{
	bool plain = q->allow_http &&
	    bytes_casestarts(bytes_str(q->url), BYTES("http:"));
	const char *schemes = plain ? "http,https" : "https";

#define SET(option, value) \
	(curl_easy_setopt(c, CURLOPT_##option, (value)) == CURLE_OK)
	return SET(URL, q->url) && SET(PROTOCOLS_STR, schemes) &&
	    SET(REDIR_PROTOCOLS_STR, schemes) &&
	    SET(FOLLOWLOCATION, q->no_redirects ? 0L : 1L) &&
	    SET(MAXREDIRS, (long)FETCH_REDIRECTS_MAX) && SET(HTTPGET, 1L) &&
	    SET(SSL_VERIFYPEER, 1L) && SET(SSL_VERIFYHOST, 2L) &&
	    SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
	    (q->ca_file == NULL || (SET(CAINFO, q->ca_file) &&
	    SET(CAPATH, NULL))) &&
	    SET(PROXY, "") && SET(NETRC, (long)CURL_NETRC_IGNORED) &&
	    SET(NOSIGNAL, 1L) && SET(TIMEOUT_MS, (long)q->timeout_ms) &&
	    SET(CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_MS) &&
	    SET(USERAGENT, "pipemail/" VERSION) &&
	    SET(WRITEFUNCTION, take_body) && SET(WRITEDATA, t) &&
	    SET(HEADERFUNCTION, take_header) && SET(HEADERDATA, t);
#undef SET
}

static struct curl_slist *
make_fields(struct arena *a, const struct fetch_request *q)
{
	struct curl_slist *list = curl_slist_append(NULL,
	    "Accept: application/json, */*;q=0.1"), *longer;

	if (list == NULL)
		mem_exhausted();
	if (q->etag == NULL || q->etag[0] == '\0')
		return list;
	longer = curl_slist_append(list, arena_printf(a, "If-None-Match: %s",
	    q->etag));
	if (longer == NULL)
		mem_exhausted();
	return longer;
}

static CURLcode
perform(CURL *c, const struct fetch_request *q, struct transfer *t)
{
	struct arena a = ARENA_INIT;
	struct curl_slist *fields = make_fields(&a, q), *to = NULL;
	CURLcode code = CURLE_FAILED_INIT;
	long status = 0;

	if (q->connect_to != NULL &&
	    (to = curl_slist_append(NULL, q->connect_to)) == NULL)
		mem_exhausted();
	if (set_up(c, q, t) &&
	    curl_easy_setopt(c, CURLOPT_CONNECT_TO, to) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_HTTPHEADER, fields) == CURLE_OK)
		code = curl_easy_perform(c);
	if (code == CURLE_OK)
		code = curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	t->reply.status = (unsigned int)status;
	curl_slist_free_all(fields);
	curl_slist_free_all(to);
	arena_free(&a);
	return code;
}

int
fetch_get(const struct fetch_request *q, struct fetch_reply *r,
    const char **why)
{
	struct transfer t = { .reply = { .body = BUF_INIT(q->body_max),
	    .max_age = -1 } };
	CURLcode code = CURLE_FAILED_INIT;
	CURL *c;

	/* counted: as often as curl_global_cleanup */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
		if ((c = curl_easy_init()) != NULL)
			code = perform(c, q, &t);
		curl_easy_cleanup(c);
		curl_global_cleanup();
	}
	if (code == CURLE_OUT_OF_MEMORY)
		mem_exhausted();
	if (code == CURLE_OK) {
		*r = t.reply;
		return 0;
	}
	*why = t.header_full ? "header section larger than 64 kB"
	    : t.reply.body.full ? "reply too large"
	    : code == CURLE_UNSUPPORTED_PROTOCOL ? "scheme not allowed"
	    : curl_easy_strerror(code);
	buf_free(&t.reply.body);
	errno = t.header_full || t.reply.body.full ? EMSGSIZE
	    : error_of(code);
	return -1;
}
