#include "dkim/internal.h"

#include <errno.h>

#include "mime/mime.h"

uint64_t
dkim_name_hash(struct bytes name)
{
	uint64_t h = 0xcbf29ce484222325;	/* FNV-1a */
	size_t i;

	for (i = 0; i < name.n; i++)
		h = (h ^ (uint64_t)ascii_lower(name.p[i])) * 0x100000001b3;
	return h;
}

/* Chains of fields whose names may be equal, from the lowest up. */
static void
index_names(struct arena *a, struct dkim_message *m)
{
	size_t size = 32, i, *lowest;

	while (size < m->n)
		size *= 2;
	m->mask = size - 1;
	m->lowest = arena_zalloc(a, size, sizeof *m->lowest);
	for (i = 0; i < size; i++)
		m->lowest[i] = SIZE_MAX;
	for (i = 0; i < m->n; i++) {
		lowest = &m->lowest[m->field[i].hash & m->mask];
		m->field[i].above = *lowest;
		*lowest = i;
	}
}

void
dkim_message_split(struct arena *a, struct bytes message,
    struct dkim_message *out)
{
	struct bytes header, rest;
	struct mime_field f;
	size_t n = 0;

	mime_split(message, &header, &out->body);
	for (rest = header; mime_next_field(&rest, &f); n++)
		;
	out->field = arena_zalloc(a, n + 1, sizeof *out->field);
	for (out->n = 0; out->n < n && mime_next_field(&header, &f); out->n++) {
		out->field[out->n].raw = f.raw;
		out->field[out->n].name = f.name;
		out->field[out->n].hash = dkim_name_hash(f.name);
	}
	index_names(a, out);
}

static bool
is_named(const struct dkim_field *f, struct bytes name, uint64_t hash)
{
	return f->hash == hash && f->name.n > 0 && bytes_caseeq(f->name, name);
}

size_t
dkim_message_count(const struct dkim_message *m, struct bytes name)
{
	uint64_t hash = dkim_name_hash(name);
	size_t i, n = 0;

	for (i = m->lowest[hash & m->mask]; i != SIZE_MAX;
	    i = m->field[i].above)
		n += is_named(&m->field[i], name, hash);
	return n;
}

/* ---- header hash ---- */

struct bytes
dkim_without_b(struct arena *a, struct bytes field)
{
	struct bytes rest = field, spec, name, copy;
	size_t before, after;

	(void)bytes_split(&rest, ':', &name);	/* the field has a colon */
	while (rest.n > 0) {
		before = field.n - rest.n;
		(void)bytes_split(&rest, ';', &spec);	/* or the last one */
		if (!bytes_split(&spec, '=', &name) ||
		    !bytes_eq(bytes_trim(name), BYTES("b")))
			continue;
		before += name.n + 1;
		after = before + spec.n;
		copy = arena_bytes(a, field);
		memmove((unsigned char *)copy.p + before, field.p + after,
		    field.n - after);
		copy.n -= spec.n;
		return copy;
	}
	return field;
}

/* RFC 6376 5.4.2: the lowest instance not yet taken; a name that has none
 * left stands for nothing. */
static const struct dkim_field *
take_field(const struct dkim_message *m, struct bytes name, size_t skip,
    unsigned char *taken)
{
	uint64_t hash = dkim_name_hash(name);
	size_t i;

	for (i = m->lowest[hash & m->mask]; i != SIZE_MAX;
	    i = m->field[i].above) {
		if (i == skip || taken[i] != 0 ||
		    !is_named(&m->field[i], name, hash))
			continue;
		taken[i] = 1;
		return &m->field[i];
	}
	return NULL;
}

static void
add_to_digest(void *ctx, struct bytes block)
{
	dkim_digest_add(ctx, block);
}

int
dkim_header_hash(struct arena *a, const struct dkim_message *m,
    enum dkim_canon canon, const struct bytes *names, size_t n, size_t skip,
    struct bytes unsigned_field, unsigned char out[DKIM_HASH_SIZE])
{
	unsigned char *taken = arena_zalloc(a, m->n + 1, 1);
	const struct dkim_field *f;
	struct dkim_digest digest;
	struct dkim_sink sink;
	size_t i;

	dkim_digest_init(&digest);
	dkim_sink_init(&sink, add_to_digest, &digest);
	for (i = 0; i < n; i++) {
		f = take_field(m, names[i], skip, taken);
		if (f != NULL)
			dkim_sink_field(&sink, canon, f->raw, true);
	}
	dkim_sink_field(&sink, canon, unsigned_field, false);
	dkim_sink_end(&sink);
	return dkim_digest_end(&digest, out);
}
