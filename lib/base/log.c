/*
 * log.c - logfmt lines on standard error
 *
 * The level is set at start and on a new configuration; beside the program's
 * name in msg.c it is the one mutable object at file scope in this library.
 */
#include "base/base.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define VALUE_MAX 256		/* no value crowds out the others */

static enum log_level log_level_now = LOG_INFO;

void
log_set_level(enum log_level level)
{
	log_level_now = level;
}

/* All of s or nothing, with room left for the mark and the line end. */
static bool
put(struct logline *l, struct bytes s)
{
	static const char mark[] = " cut=1\n";

	if (s.n > sizeof(l->text) - (sizeof(mark) - 1) - l->n) {
		l->cut = true;
		return false;
	}
	memcpy(l->text + l->n, s.p, s.n);
	l->n += s.n;
	return true;
}

void
log_begin(struct logline *l, enum log_level level, const char *event)
{
	static const char names[][8] = { "error", "warn", "info", "debug" };

	l->n = 0;
	l->cut = false;
	l->on = level <= log_level_now;
	if (!l->on)
		return;
	(void)put(l, BYTES("l="));	/* the first bytes always fit */
	(void)put(l, bytes_str(names[level]));
	log_str(l, "m", event);
}

static bool
is_plain(struct bytes s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] == 0x7f || s.p[i] == '"' ||
		    s.p[i] == '=' || s.p[i] == '\\' || s.p[i] >= 0x80)
			return false;
	}
	return s.n > 0;
}

static void
put_quoted(struct buf *b, struct bytes s)
{
	struct bytes head;
	bool quote;

	/* The buffer holds any value of VALUE_MAX bytes. */
	(void)buf_addc(b, '"');
	do {
		quote = bytes_split(&s, '"', &head);
		(void)msg_escape(b, head);
		if (quote)
			(void)buf_adds(b, "\\\"");
	} while (quote);
	(void)buf_addc(b, '"');
}

void
log_bytes(struct logline *l, const char *key, struct bytes value)
{
	struct buf b = BUF_INIT(4 * VALUE_MAX + 2);
	size_t before = l->n;
	bool fits;

	if (!l->on)
		return;
	if (value.n > VALUE_MAX) {
		value = bytes_first(value, VALUE_MAX);
		l->cut = true;
	}
	fits = put(l, BYTES(" ")) && put(l, bytes_str(key)) &&
	    put(l, BYTES("="));
	if (fits && is_plain(value)) {
		fits = put(l, value);
	} else if (fits) {
		put_quoted(&b, value);
		fits = put(l, buf_bytes(&b));
		buf_free(&b);
	}
	if (!fits)
		l->n = before;
}

void
log_str(struct logline *l, const char *key, const char *value)
{
	log_bytes(l, key, bytes_str(value));
}

void
log_num(struct logline *l, const char *key, int64_t value)
{
	char text[24];
	int n;

	if (!l->on)
		return;
	n = snprintf(text, sizeof(text), "%lld", (long long)value);
	if (n > 0)	/* 20 digits and a sign fit */
		log_bytes(l, key, bytes_of(text, (size_t)n));
}

void
log_err(struct logline *l, int err)
{
	log_str(l, "err", strerror(err));
}

void
log_end(struct logline *l)
{
	int saved = errno;

	if (!l->on)
		return;
	if (l->cut) {
		memcpy(l->text + l->n, " cut=1", 6);
		l->n += 6;
	}
	l->text[l->n++] = '\n';
	/* A log that fails has nowhere to be reported. */
	(void)io_write_all(STDERR_FILENO, bytes_of(l->text, l->n),
	    DEADLINE_NONE);
	l->on = false;
	errno = saved;
}
