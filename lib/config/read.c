/*
 * read.c - config.cdb, mapped and looked up
 */
#include "config/internal.h"

#include <assert.h>
#include <cdb.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define TOC_BYTES 2048		/* 256 tables: position, length */
#define LOOKUP_MAX (CONFIG_NAME_MAX + 2 * CONFIG_KEY_MAX + 4)

/* Keys of the schema, by a hash of their names: a power of two, twice as many
 * as there are at least. */
#define SLOTS 1024

struct config {
	struct cdb cdb;
	char *path;
	struct stat st;
	uint16_t slot[SLOTS];		/* place in config_schema + 1, or 0 */
};

/* ---- opening ---- */

/* The cdb functions note positions in their struct: work on a copy. */
static int
lookup(const struct config *c, struct bytes key, struct bytes *value)
{
	struct cdb cdb = c->cdb;
	const void *p;

	if (cdb_find(&cdb, key.p, (unsigned int)key.n) <= 0)
		return 0;
	p = cdb_getdata(&cdb);
	if (p == NULL && cdb_datalen(&cdb) > 0)
		return 0;
	*value = bytes_of(p, cdb_datalen(&cdb));
	return 1;
}

/*
 * The hash tables end the file, and were written after the records: a file
 * cut short, or never finished, does not end with them. The record
 * "complete" was added last and counts the records.
 */
static bool
is_whole(const struct config *c)
{
	const unsigned char *toc = cdb_get(&c->cdb, TOC_BYTES, 0);
	uint64_t end = TOC_BYTES, slots = 0, records, position, length;
	struct bytes value;
	size_t i;

	if (toc == NULL)
		return false;
	for (i = 0; i < TOC_BYTES; i += 8) {
		position = cdb_unpack(toc + i);
		length = cdb_unpack(toc + i + 4);
		slots += length;
		if (length > 0 && position + 8 * length > end)
			end = position + 8 * length;
	}
	if (end != (uint64_t)c->st.st_size)
		return false;
	if (!lookup(c, BYTES(CONFIG_KEY_VERSION), &value)
	    || !bytes_eq(value, BYTES(CONFIG_VERSION)))
		return false;
	/* Two slots for each record. */
	return lookup(c, BYTES(CONFIG_KEY_COMPLETE), &value)
	    && num_parse(value, 1, UINT32_MAX, &records) == 0
	    && slots == 2 * records;
}

void
config_sum(struct bytes file, size_t at, char out[CONFIG_SUM_DIGITS + 1])
{
	struct bytes rest = bytes_from(file, at + CONFIG_SUM_DIGITS);
	uLong sum = crc32_z(0, file.p, at);

	sum = crc32_z(sum, rest.p, rest.n);
	(void)snprintf(out, CONFIG_SUM_DIGITS + 1, "%08lx",
	    sum & 0xffffffff);	/* fits */
}

/* No byte of it was changed. */
static bool
is_unchanged(const struct config *c)
{
	size_t n = (size_t)c->st.st_size;
	const unsigned char *p = cdb_get(&c->cdb, (unsigned int)n, 0);
	char sum[CONFIG_SUM_DIGITS + 1];
	struct bytes value;

	if (p == NULL || !lookup(c, BYTES(CONFIG_KEY_SUM), &value) ||
	    value.n != CONFIG_SUM_DIGITS)
		return false;
	config_sum(bytes_of(p, n), (size_t)(value.p - p), sum);
	return bytes_eq(value, bytes_str(sum));
}

static uint32_t
hash_name(uint32_t h, const char *name)
{
	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 0x01000193;	/* FNV-1a */
	return h;
}

/* The slot of a key, or the empty one where it would be. */
static size_t
slot_of(const struct config *c, const char *section, const char *key)
{
	uint32_t h = hash_name(hash_name(0x811c9dc5, section) * 31, key);
	const struct config_key *k;
	size_t i;

	for (i = h % SLOTS; c->slot[i] != 0; i = (i + 1) % SLOTS) {
		k = &config_schema[c->slot[i] - 1];
		if (strcmp(k->key, key) == 0 &&
		    strcmp(k->section, section) == 0)
			break;
	}
	return i;
}

static void
index_keys(struct config *c)
{
	const struct config_key *k = config_schema;
	size_t n;

	for (n = 0; k[n].section != NULL; n++) {
		assert(n < SLOTS / 2);
		c->slot[slot_of(c, k[n].section, k[n].key)] =
		    (uint16_t)(n + 1);
	}
}

static int
map(struct config *c, int fd, bool any_size)
{
	if (fstat(fd, &c->st) == -1)
		return -1;
	if (!S_ISREG(c->st.st_mode) || c->st.st_size < TOC_BYTES) {
		errno = EBADMSG;
		return -1;
	}
	if (cdb_init(&c->cdb, fd) != 0)
		return -1;
	if (!is_whole(c) || ((any_size ||
	    c->st.st_size <= CONFIG_SUM_BYTES) && !is_unchanged(c))) {
		cdb_free(&c->cdb);
		errno = EBADMSG;
		return -1;
	}
	index_keys(c);
	return 0;
}

static struct config *
open_at(const char *var_dir, bool any_size)
{
	size_t n = strlen(var_dir) + sizeof("/" CONFIG_FILE_NAME);
	struct config *c = mem_zalloc(1, sizeof(*c));
	struct buf path = BUF_INIT(n);
	int fd, r = -1, err;

	buf_adds(&path, var_dir);
	buf_adds(&path, "/" CONFIG_FILE_NAME);
	buf_addc(&path, '\0');
	c->path = (char *)path.p;	/* now the config's */
	fd = open(c->path, O_RDONLY | O_CLOEXEC);
	if (fd != -1)
		r = map(c, fd, any_size);
	err = errno;
	if (fd != -1)
		(void)close(fd);	/* the map stays */
	if (r == -1) {
		free(c->path);
		free(c);
		errno = err;
		return NULL;
	}
	return c;
}

struct config *
config_open_fd(int fd)
{
	struct config *c = mem_zalloc(1, sizeof(*c));
	int err;

	if (map(c, fd, true) == 0)
		return c;
	err = errno;
	free(c);
	errno = err;
	return NULL;
}

struct config *
config_open_at(const char *var_dir)
{
	return open_at(var_dir, false);
}

struct config *
config_open(void)
{
	return open_at(dir_var(), false);
}

struct config *
config_load(void)
{
	return open_at(dir_var(), true);
}

const char *
config_reason(int err)
{
	return err == EBADMSG ? "config.cdb is damaged or of another version:"
	    " run config-compile" : strerror(err);
}

void
config_close(struct config *c)
{
	if (c == NULL)
		return;
	cdb_free(&c->cdb);
	free(c->path);
	free(c);
}

int
config_replaced(const struct config *c)
{
	struct stat st;

	assert(c->path != NULL);
	if (stat(c->path, &st) == -1)
		return errno == ENOENT ? 0 : -1;
	return st.st_ino != c->st.st_ino || st.st_dev != c->st.st_dev
	    || st.st_size != c->st.st_size
	    || st.st_mtim.tv_sec != c->st.st_mtim.tv_sec
	    || st.st_mtim.tv_nsec != c->st.st_mtim.tv_nsec;
}

/* ---- keys ---- */

/* A CDB key of up to three parts; nothing is found for one too long. */
static int
lookup_parts(const struct config *c, int letter, struct bytes first,
    const struct bytes *second, const struct bytes *third,
    struct bytes *value)
{
	unsigned char key[LOOKUP_MAX];
	size_t n = 0;

	if (first.n + (second == NULL ? 0 : second->n)
	    + (third == NULL ? 0 : third->n) + 3 > sizeof(key))
		return 0;
	key[n++] = (unsigned char)letter;
	memcpy(key + n, first.p, first.n);
	n += first.n;
	if (second != NULL) {
		key[n++] = '\0';
		memcpy(key + n, second->p, second->n);
		n += second->n;
	}
	if (third != NULL) {
		key[n++] = '\0';
		memcpy(key + n, third->p, third->n);
		n += third->n;
	}
	return lookup(c, bytes_of(key, n), value);
}

static const struct config_key *
key_of(const struct config *c, const char *section, const char *key)
{
	uint16_t place = c->slot[slot_of(c, section, key)];

	assert(place != 0);
	return &config_schema[place - 1];
}

/*
 * The record of a key: 1, or 0 if it is not set. Sections that stand in
 * main.conf and in an account's file are looked for in both.
 */
static int
record(const struct config *c, const struct config_key *k, const char *name,
    struct bytes *value)
{
	struct bytes section = bytes_str(k->section), key = bytes_str(k->key);
	struct bytes none = BYTES_EMPTY, named = bytes_str(name);

	if (lookup_parts(c, RECORD_VALUES, section, &named, &key, value))
		return 1;
	if (named.n == 0 || !(bytes_eq(section, BYTES("mailboxes")) ||
	    bytes_eq(section, BYTES("junk"))))
		return 0;
	return lookup_parts(c, RECORD_VALUES, section, &none, &key, value);
}

bool
config_list_next(struct config_list *list, struct bytes *value)
{
	if (list->rest.n == 0)
		return false;
	(void)bytes_split(&list->rest, '\0', value);	/* each has its NUL */
	return true;
}

void
config_list(const struct config *c, const char *section, const char *name,
    const char *key, struct config_list *list)
{
	const struct config_key *k = key_of(c, section, key);

	if (!record(c, k, name, &list->rest))
		*list = config_standard_list(k);
}

int
config_get(const struct config *c, const char *section, const char *name,
    const char *key, struct bytes *value)
{
	struct config_list list;

	config_list(c, section, name, key, &list);
	return config_list_next(&list, value);
}

struct bytes
config_get_text(const struct config *c, const char *section,
    const char *name, const char *key)
{
	struct bytes value = BYTES_EMPTY;

	(void)config_get(c, section, name, key, &value);
	return value;
}

/* A number as set, else as the default says, else 0. */
static uint64_t
number(const struct config *c, const char *section, const char *name,
    const char *key, enum config_type type)
{
	const struct config_key *k = key_of(c, section, key);
	struct bytes value;
	uint64_t n = 0;

	assert(k->type == type);
	if (config_get(c, section, name, key, &value) == 1
	    && config_value_number(k, value, &n) == 0)
		return n;
	if (k->standard != NULL)
		(void)config_value_number(k, bytes_str(k->standard), &n);
	return n;
}

bool
config_get_bool(const struct config *c, const char *section,
    const char *name, const char *key)
{
	struct bytes value;

	assert(key_of(c, section, key)->type == CONFIG_BOOL);
	return config_get(c, section, name, key, &value) == 1
	    && bytes_eq(value, BYTES("yes"));
}

uint64_t
config_get_num(const struct config *c, const char *section,
    const char *name, const char *key)
{
	return number(c, section, name, key, CONFIG_NUMBER);
}

uint64_t
config_get_size(const struct config *c, const char *section,
    const char *name, const char *key)
{
	return number(c, section, name, key, CONFIG_SIZE);
}

uint64_t
config_get_duration(const struct config *c, const char *section,
    const char *name, const char *key)
{
	return number(c, section, name, key, CONFIG_DURATION);
}

double
config_get_decimal(const struct config *c, const char *section,
    const char *name, const char *key)
{
	return (double)number(c, section, name, key, CONFIG_DECIMAL)
	    / CONFIG_DECIMAL_ONE;
}

void
config_get_three(const struct config *c, const char *section,
    const char *name, const char *key, uint64_t out[3])
{
	const struct config_key *k = key_of(c, section, key);
	struct bytes value;

	assert(k->type == CONFIG_THREE);
	if (config_get(c, section, name, key, &value) == 1
	    && config_value_three(k, value, out) == 0)
		return;
	out[0] = out[1] = out[2] = 0;
	if (k->standard != NULL)
		(void)config_value_three(k, bytes_str(k->standard), out);
}

/* ---- names, domains, addresses ---- */

void
config_names(const struct config *c, const char *section,
    struct config_list *list)
{
	list->rest = BYTES_EMPTY;
	(void)lookup_parts(c, RECORD_NAMES, bytes_str(section), NULL, NULL,
	    &list->rest);
}

bool
config_account_exists(const struct config *c, struct bytes account)
{
	struct bytes value;

	return lookup_parts(c, RECORD_ACCOUNT, account, NULL, NULL, &value);
}

bool
config_domain_find(const struct config *c, struct bytes domain,
    struct bytes *name)
{
	unsigned char lower[CONFIG_NAME_MAX];
	struct config_list list = { BYTES_EMPTY };
	size_t i;

	if (domain.n > sizeof(lower))
		return false;
	for (i = 0; i < domain.n; i++)
		lower[i] = (unsigned char)ascii_lower(domain.p[i]);
	return lookup_parts(c, RECORD_DOMAIN, bytes_of(lower, domain.n),
	    NULL, NULL, &list.rest) && config_list_next(&list, name);
}

bool
config_address_find(const struct config *c, const struct bytes *local,
    struct bytes domain, struct config_address *out)
{
	struct config_address found;
	struct config_list list;

	if (!lookup_parts(c, local == NULL ? RECORD_CATCH_ALL
	    : RECORD_ADDRESS, domain, local, NULL, &list.rest))
		return false;
	if (!config_list_next(&list, &found.account)
	    || !config_list_next(&list, &found.mailbox)
	    || !config_list_next(&list, &found.address))
		return false;
	*out = found;
	return true;
}

void
config_rules(const struct config *c, struct bytes account,
    struct config_list *list)
{
	list->rest = BYTES_EMPTY;
	(void)lookup_parts(c, RECORD_RULES, account, NULL, NULL,
	    &list->rest);
}

bool
config_alias_find(const struct config *c, struct bytes local,
    struct bytes domain, struct bytes *name)
{
	struct config_list list = { BYTES_EMPTY };

	return lookup_parts(c, RECORD_ALIAS, domain, &local, NULL,
	    &list.rest) && config_list_next(&list, name);
}

void
config_reports(const struct config *c, struct bytes domain,
    struct config_list *list)
{
	list->rest = BYTES_EMPTY;
	(void)lookup_parts(c, RECORD_REPORTS, domain, NULL, NULL,
	    &list->rest);
}

/* ---- everything ---- */

int
config_walk_next(const struct config *c, struct config_walk *walk,
    struct config_entry *entry)
{
	struct cdb cdb = c->cdb;
	struct config_list parts;
	const void *p;
	int r;

	if (walk->at == 0)
		cdb_seqinit(&walk->at, &cdb);
	while ((r = cdb_seqnext(&walk->at, &cdb)) > 0) {
		p = cdb_getkey(&cdb);
		parts.rest = bytes_of(p, p == NULL ? 0 : cdb_keylen(&cdb));
		if (bytes_next(&parts.rest) != RECORD_VALUES)
			continue;
		if (!config_list_next(&parts, &entry->section))
			break;
		(void)bytes_split(&parts.rest, '\0', &entry->name);
		entry->key = parts.rest;
		p = cdb_getdata(&cdb);
		entry->values.rest = bytes_of(p, p == NULL ? 0
		    : cdb_datalen(&cdb));
		return 1;
	}
	if (r == 0)
		return 0;
	errno = EBADMSG;
	return -1;
}
