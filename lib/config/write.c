/*
 * write.c - the checked text as config.cdb, put in place in one step
 *
 * States of var/config.cdb.tmp: made and locked; written; renamed over
 * config.cdb. A kill before the rename leaves the old config.cdb and a
 * temporary file that the next compilation locks, empties and uses again.
 */
#include "config/internal.h"

#include <cdb.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/os.h"

#define TMP_NAME CONFIG_FILE_NAME ".tmp"
#define RECORD_MAX ((size_t)64 * 1024 * 1024)	/* names of all accounts */
#define LOCK_TRIES 100

/* Adding records; the first failure stays. */
struct maker {
	struct cdb_make cdb;
	struct buf key, value;
	size_t records;
	bool failed;
};

static void
put(struct maker *m)
{
	if (m->failed)
		return;
	if (m->key.full || m->value.full) {
		errno = EMSGSIZE;
		m->failed = true;
	} else if (cdb_make_add(&m->cdb, m->key.p, (unsigned int)m->key.n,
	    m->value.n > 0 ? m->value.p : (const unsigned char *)"",
	    (unsigned int)m->value.n) != 0) {
		m->failed = true;
	} else {
		m->records++;
	}
}

/* Start a record: its letter and the first part of its key. */
static void
begin(struct maker *m, int letter, struct bytes first)
{
	buf_reset(&m->key);
	buf_reset(&m->value);
	buf_addc(&m->key, letter);
	buf_add(&m->key, first);
}

static void
key_part(struct maker *m, struct bytes part)
{
	buf_addc(&m->key, '\0');
	buf_add(&m->key, part);
}

static void
value_part(struct maker *m, struct bytes part)
{
	buf_add(&m->value, part);
	buf_addc(&m->value, '\0');
}

static void
put_plain(struct maker *m, const char *key, const char *value)
{
	buf_reset(&m->key);
	buf_reset(&m->value);
	buf_adds(&m->key, key);
	buf_adds(&m->value, value);
	put(m);
}

/* Runs of entries with the same key, in order, make one record each. */
static void
put_values(struct maker *m, const struct source *s)
{
	const struct entry *e, *last = NULL;
	size_t i;

	for (i = 0; i < s->entries; i++) {
		e = &s->entry[i];
		if (last == NULL || last->key != e->key
		    || !bytes_eq(last->name, e->name)) {
			if (last != NULL)
				put(m);
			begin(m, RECORD_VALUES, bytes_str(e->key->section));
			key_part(m, e->name);
			key_part(m, bytes_str(e->key->key));
		}
		if (!e->none)
			value_part(m, e->value);
		last = e;
	}
	if (last != NULL)
		put(m);
}

static void
put_names(struct maker *m, const char *section, const struct named_list *list)
{
	size_t i;

	begin(m, RECORD_NAMES, bytes_str(section));
	for (i = 0; i < list->n; i++) {
		if (i == 0
		    || !bytes_eq(list->item[i - 1].name, list->item[i].name))
			value_part(m, list->item[i].name);
	}
	put(m);
}

static void
put_owner_names(struct maker *m, const struct source *s, const char *section,
    bool alias)
{
	size_t i;

	begin(m, RECORD_NAMES, bytes_str(section));
	for (i = 0; i < s->owners; i++) {
		if (s->owner[i].alias == alias)
			value_part(m, s->owner[i].address);
	}
	put(m);
}

/* They are in the order of reading, account by account. */
static void
put_rules(struct maker *m, const struct source *s)
{
	size_t i;

	for (i = 0; i < s->rules; i++) {
		if (i == 0 || !bytes_eq(s->rule[i - 1].account,
		    s->rule[i].account))
			begin(m, RECORD_RULES, s->rule[i].account);
		value_part(m, s->rule[i].name);
		if (i + 1 == s->rules || !bytes_eq(s->rule[i + 1].account,
		    s->rule[i].account))
			put(m);
	}
}

/* For each domain the local parts that take reports. */
static void
put_reports(struct maker *m, const struct source *s)
{
	const struct owner *o;
	size_t i, n = 0;
	int kinds;

	for (i = 0; i < s->owners; i++) {
		o = &s->owner[i];
		if (i > 0 && n > 0 && !bytes_eq(o[-1].domain, o->domain)) {
			put(m);
			n = 0;
		}
		if ((kinds = config_takes_reports(s, o)) == 0)
			continue;
		if (n++ == 0)
			begin(m, RECORD_REPORTS, o->domain);
		for (; kinds != 0; kinds &= kinds - 1) {
			buf_addc(&m->value, (kinds & 1) != 0 ? 'D' : 'T');
			value_part(m, o->local_part);
		}
	}
	if (n > 0)
		put(m);
}

static void
put_owners(struct maker *m, const struct source *s)
{
	const struct owner *o;
	size_t i;

	put_owner_names(m, s, "address", false);
	put_owner_names(m, s, "alias", true);
	for (i = 0; i < s->owners; i++) {
		o = &s->owner[i];
		if (o->alias) {
			begin(m, RECORD_ALIAS, o->domain);
			key_part(m, o->local_part);
			value_part(m, o->address);
			put(m);
			continue;
		}
		begin(m, o->catch_all ? RECORD_CATCH_ALL : RECORD_ADDRESS,
		    o->domain);
		if (!o->catch_all)
			key_part(m, o->local_part);
		value_part(m, o->account);
		value_part(m, o->mailbox);
		value_part(m, o->address);
		put(m);
	}
}

static void
put_domains(struct maker *m, const struct source *s)
{
	const struct named *d;
	size_t i;

	for (i = 0; i < s->domains.n; i++) {
		d = &s->domains.item[i];
		begin(m, RECORD_DOMAIN, d->name);
		value_part(m, d->name);
		put(m);
		if (bytes_eq(d->name, d->ascii))
			continue;
		begin(m, RECORD_DOMAIN, d->ascii);
		value_part(m, d->name);
		put(m);
	}
}

/* The file is whole but for its checksum. */
static int
write_sum(int fd)
{
	char sum[CONFIG_SUM_DIGITS + 1];
	struct cdb cdb;
	unsigned int at;
	struct stat st;
	ssize_t r = -1;

	if (fstat(fd, &st) == -1 || cdb_init(&cdb, fd) != 0)
		return -1;
	if (cdb_find(&cdb, CONFIG_KEY_SUM, sizeof(CONFIG_KEY_SUM) - 1) == 1) {
		at = cdb_datapos(&cdb);
		config_sum(bytes_of(cdb_get(&cdb, (unsigned int)st.st_size,
		    0), (size_t)st.st_size), at, sum);
		r = pwrite(fd, sum, CONFIG_SUM_DIGITS, at);
	}
	cdb_free(&cdb);
	if (r != CONFIG_SUM_DIGITS && r != -1)
		errno = ENOSPC;
	return r == CONFIG_SUM_DIGITS ? 0 : -1;
}

static int
write_records(int fd, const struct source *s)
{
	struct maker m = { .key = BUF_INIT(CONFIG_LINE_MAX * 2),
	    .value = BUF_INIT(RECORD_MAX) };
	char number[32];
	size_t i;
	int r, err;

	if (cdb_make_start(&m.cdb, fd) != 0)
		return -1;
	put_plain(&m, CONFIG_KEY_VERSION, CONFIG_VERSION);
	put_values(&m, s);
	put_names(&m, "domain", &s->domains);
	put_names(&m, "account", &s->accounts);
	put_names(&m, "static-dns", &s->static_dns);
	put_names(&m, "transport", &s->transports);
	put_owners(&m, s);
	put_rules(&m, s);
	put_reports(&m, s);
	put_domains(&m, s);
	for (i = 0; i < s->accounts.n; i++) {
		begin(&m, RECORD_ACCOUNT, s->accounts.item[i].name);
		put(&m);
	}
	put_plain(&m, CONFIG_KEY_SUM, "--------");	/* write_sum */
	(void)snprintf(number, sizeof(number), "%zu", m.records + 1);
	put_plain(&m, CONFIG_KEY_COMPLETE, number);
	err = errno;
	r = cdb_make_finish(&m.cdb) == 0 && !m.failed ? 0 : -1;
	if (m.failed)
		errno = err;
	buf_free(&m.key);
	buf_free(&m.value);
	return r;
}

/* Whether fd is still what TMP_NAME names: 1, 0, -1. */
static int
is_current(int dir_fd, int fd)
{
	struct stat open_file, named;

	if (fstat(fd, &open_file) == -1)
		return -1;
	if (fstatat(dir_fd, TMP_NAME, &named, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	return open_file.st_dev == named.st_dev
	    && open_file.st_ino == named.st_ino;
}

/*
 * The temporary file, locked. Whoever held it may have renamed it while we
 * waited: then what we locked is no longer it, and we try again.
 */
static int
open_tmp(int dir_fd)
{
	int fd, r, err, i;

	for (i = 0; i < LOCK_TRIES; i++) {
		fd = openat(dir_fd, TMP_NAME,
		    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (fd == -1)
			return -1;
		r = -1;
		if (flock(fd, LOCK_EX) == 0)
			r = is_current(dir_fd, fd);
		if (r == 1)
			return fd;
		err = errno;
		(void)close(fd);	/* nothing was written */
		errno = err;
		if (r == -1)
			return -1;
	}
	errno = EAGAIN;
	return -1;
}

int
config_writer_open(struct config_writer *w, const char *var_dir)
{
	int dir_fd, fd, err;

	dir_fd = open(var_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd == -1)
		return -1;
	if ((fd = open_tmp(dir_fd)) == -1) {
		err = errno;
		(void)close(dir_fd);	/* only read from */
		errno = err;
		return -1;
	}
	w->dir_fd = dir_fd;
	w->fd = fd;
	return 0;
}

int
config_writer_commit(struct config_writer *w, const struct source *s)
{
	/* What a killed run left; and readable whatever the umask: programs
	 * of other users read it, and it holds no secret. */
	if (ftruncate(w->fd, 0) == -1 || fchmod(w->fd, 0644) == -1
	    || os_give_to_owner(w->fd, w->dir_fd) == -1
	    || write_records(w->fd, s) == -1 ||
	    write_sum(w->fd) == -1 || fsync(w->fd) == -1)
		return -1;
	if (renameat(w->dir_fd, TMP_NAME, w->dir_fd, CONFIG_FILE_NAME) == -1)
		return -1;
	(void)close(w->fd);	/* synced; also gives up the lock */
	w->fd = -1;
	return fsync(w->dir_fd);
}

void
config_writer_close(struct config_writer *w)
{
	int err = errno;

	if (w->fd != -1) {
		/* Still locked, so it is ours to remove. */
		(void)unlinkat(w->dir_fd, TMP_NAME, 0);
		(void)close(w->fd);	/* not wanted any more */
	}
	if (w->dir_fd != -1)
		(void)close(w->dir_fd);	/* only read from */
	w->fd = -1;
	w->dir_fd = -1;
	errno = err;
}
