/* counters.c - what became of requests, by reason (R-30, L-9) */
#include "tls/tls.h"

#include <stdio.h>

static const char *const reason_names[TLS_REASONS] = {
	"none", "eof", "reset", "alert", "not-tls", "no-common-version",
	"no-common-cipher", "no-common-alpn", "unknown-name", "protocol",
	"timeout", "abandoned", "handshake-limit", "busy", "not-a-socket",
	"bad-request", "no-certificate", "internal",
};

const char *
tls_reason_name(enum tls_reason r)
{
	return reason_names[r];
}

static const struct {
	int number;
	const char *name;
} alerts[] = {
	{ 0, "close_notify" }, { 10, "unexpected_message" },
	{ 20, "bad_record_mac" }, { 22, "record_overflow" },
	{ 40, "handshake_failure" }, { 42, "bad_certificate" },
	{ 43, "unsupported_certificate" }, { 44, "certificate_revoked" },
	{ 45, "certificate_expired" }, { 46, "certificate_unknown" },
	{ 47, "illegal_parameter" }, { 48, "unknown_ca" },
	{ 49, "access_denied" }, { 50, "decode_error" },
	{ 51, "decrypt_error" }, { 70, "protocol_version" },
	{ 71, "insufficient_security" }, { 80, "internal_error" },
	{ 86, "inappropriate_fallback" }, { 90, "user_canceled" },
	{ 100, "no_renegotiation" }, { 109, "missing_extension" },
	{ 110, "unsupported_extension" }, { 112, "unrecognized_name" },
	{ 113, "bad_certificate_status_response" },
	{ 115, "unknown_psk_identity" }, { 116, "certificate_required" },
	{ 120, "no_application_protocol" },
};

const char *
tls_alert_name(int alert, char out[TLS_ALERT_NAME_MAX])
{
	size_t i;
	int n;

	for (i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++) {
		if (alerts[i].number == alert) {
			n = snprintf(out, TLS_ALERT_NAME_MAX, "%s",
			    alerts[i].name);
			return n > 0 ? out : "";
		}
	}
	n = snprintf(out, TLS_ALERT_NAME_MAX, "number_%d", alert);
	return n > 0 ? out : "";
}

/* A structure of counters only is an array of them. */
void
tls_counters_add(struct tls_counters *sum, const struct tls_counters *c)
{
	uint64_t *to = (uint64_t *)(void *)sum;
	const uint64_t *from = (const uint64_t *)(const void *)c;
	size_t i;

	for (i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

static void
log_count(struct logline *l, const char *prefix, const char *name, uint64_t n)
{
	char key[80];
	int r;

	if (n == 0)
		return;
	r = snprintf(key, sizeof(key), "%s%s", prefix, name);
	if (r > 0 && (size_t)r < sizeof(key))
		log_num(l, key, (int64_t)n);
}

void
tls_counters_log(const struct tls_counters *c, enum tls_listener listener)
{
	char name[TLS_ALERT_NAME_MAX];
	uint64_t done = 0;
	struct logline l;
	int i;

	log_begin(&l, LOG_INFO, "tls-counters");
	log_str(&l, "listener", tls_listener_name(listener));
	log_count(&l, "", "starttls", c->requests[0]);
	log_count(&l, "", "implicit", c->requests[1]);
	for (i = 0; i < TLS_VERSIONS; i++) {
		log_count(&l, "done-",
		    tls_version_name((enum tls_version)i), c->done[i]);
		done += c->done[i];
	}
	log_count(&l, "", "open", done - c->closed);
	log_count(&l, "", "resumed", c->resumed);
	log_count(&l, "", "kernel-tls", c->kernel);
	log_count(&l, "", "client-certs", c->client_certs);
	log_count(&l, "", "name-missing", c->name_missing);
	log_count(&l, "", "name-unknown", c->name_unknown);
	for (i = 1; i < TLS_REASONS; i++)
		log_count(&l, "failed-",
		    tls_reason_name((enum tls_reason)i), c->failed[i]);
	for (i = 0; i < TLS_ALERTS; i++)
		log_count(&l, "alert-", tls_alert_name(i, name), c->alerts[i]);
	log_count(&l, "", "bytes-in", c->bytes_in);
	log_count(&l, "", "bytes-out", c->bytes_out);
	log_end(&l);
}
