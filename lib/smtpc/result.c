/*
 * result.c - what became of a recipient, or of a session
 */
#include "smtpc/internal.h"

#include "unicode/unicode.h"

const char *
smtpc_step_name(enum smtpc_step step)
{
	static const char *const names[SMTPC_STEPS] = {
		"connect", "greeting", "EHLO", "STARTTLS", "TLS", "AUTH",
		"check", "RSET", "MAIL", "RCPT", "DATA", "text", "end",
		"ready", "QUIT",
	};

	return (size_t)step < SMTPC_STEPS ? names[step] : "";
}

enum smtpc_class
smtpc_class_of(int code)
{
	return code < 400 ? SMTPC_OK
	    : code < 500 ? SMTPC_TEMPORARY : SMTPC_PERMANENT;
}

void
smtpc_result_reply(struct smtpc_result *out, struct arena *a,
    enum smtpc_class class, enum smtpc_step step, const struct smtpc_reply *r)
{
	*out = (struct smtpc_result){ .class = class, .step = step,
	    .code = r->code };
	memcpy(out->status, r->status, sizeof(out->status));
	out->text = arena_bytes(a, unicode_first(r->text, SMTPC_TEXT_MAX));
}

void
smtpc_result_why(struct smtpc_result *out, enum smtpc_class class,
    enum smtpc_step step, const char *status, const char *why)
{
	*out = (struct smtpc_result){ .class = class, .step = step,
	    .text = BYTES_EMPTY, .why = why };
	assert(strlen(status) < sizeof(out->status));
	memcpy(out->status, status, strlen(status) + 1);
}
