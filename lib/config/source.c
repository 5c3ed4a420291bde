/*
 * source.c - the text files, read and checked line by line
 */
#include "config/internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "addr/addr.h"

#define MAIN_FILE "main.conf"
#define KEYS_MAX 128	/* keys of one section, for messages */

/* The file being read. */
struct file {
	struct source *s;
	enum config_file kind;
	const char *path;		/* relative to the etc directory */
	struct bytes owner;		/* domain or account name */
	const struct config_section *section;	/* NULL: unknown, skip */
	struct bytes name;		/* look-up name of the section */
};

void *
config_grow(struct arena *a, void *items, size_t n, size_t *size,
    size_t item_size)
{
	size_t more = *size == 0 ? 16 : *size * 2;
	void *p;

	if (n < *size)
		return items;
	p = arena_zalloc(a, more, item_size);
	if (n > 0)
		memcpy(p, items, n * item_size);
	*size = more;
	return p;
}

static void
add_named(struct source *s, struct named_list *list, struct named named)
{
	list->item = config_grow(s->a, list->item, list->n, &list->size,
	    sizeof(*list->item));
	list->item[list->n++] = named;
}

static void
add_entry(struct file *f, const struct config_key *key, struct bytes value,
    unsigned int line, bool none)
{
	struct source *s = f->s;

	s->entry = config_grow(s->a, s->entry, s->entries, &s->entries_size,
	    sizeof(*s->entry));
	s->entry[s->entries] = (struct entry){ key, f->name, value, f->path,
	    line, (unsigned int)s->entries, none };
	s->entries++;
}

/* The words, joined: "a, b, c". */
static const char *
join(struct arena *a, const char *const *words, size_t n)
{
	const char *text = n == 0 ? "none" : words[0];
	size_t i;

	for (i = 1; i < n; i++)
		text = arena_printf(a, "%s, %s", text, words[i]);
	return text;
}

static void
unknown_section(struct file *f, const struct config_item *item)
{
	const struct config_section *c;
	const char *words[KEYS_MAX];
	struct arena *a = f->s->a;
	size_t n = 0;

	for (c = config_sections; c->section != NULL && n < KEYS_MAX; c++) {
		if (c->file == f->kind)
			words[n++] = c->section;
	}
	config_problem(a, f->s->problems, f->path, item->line,
	    "unknown section %s%s; allowed here: %s",
	    config_quote(a, item->section),
	    config_suggest(a, item->section, words, n), join(a, words, n));
}

static void
unknown_key(struct file *f, const struct config_item *item)
{
	const struct config_key *k;
	const char *words[KEYS_MAX];
	struct arena *a = f->s->a;
	size_t n = 0;

	for (k = config_schema; k->section != NULL && n < KEYS_MAX; k++) {
		if (strcmp(k->section, f->section->section) == 0)
			words[n++] = k->key;
	}
	config_problem(a, f->s->problems, f->path, item->line,
	    "unknown key %s in [%s]%s; allowed: %s",
	    config_quote(a, item->key), f->section->section,
	    config_suggest(a, item->key, words, n), join(a, words, n));
}

static void
enter_address(struct file *f, const struct config_item *item)
{
	struct source *s = f->s;

	s->section = config_grow(s->a, s->section, s->sections,
	    &s->sections_size, sizeof(*s->section));
	s->section[s->sections++] = (struct address_section){ f->owner,
	    item->name, f->path, item->line };
	f->name = item->name;
}

static void
enter_static_dns(struct file *f, const struct config_item *item)
{
	struct source *s = f->s;
	const char *why;

	if (config_dns_name(s->a, item->name, &f->name, &why) == -1) {
		config_problem(s->a, s->problems, f->path, item->line,
		    "%s is no DNS name: %s",
		    config_quote(s->a, item->name), why);
		f->section = NULL;
		return;
	}
	add_named(s, &s->static_dns, (struct named){ f->name, f->name,
	    f->path });
}

/* "account/name"; what the name stands for is the account's. */
static void
enter_rule(struct file *f, const struct config_item *item)
{
	struct source *s = f->s;

	if (!config_account_valid(item->name)) {
		config_problem(s->a, s->problems, f->path, item->line,
		    "%s is no name for a rule: allowed are 1 to 64 of a-z, "
		    "0-9, ., _ and -, beginning with a letter or digit",
		    config_quote(s->a, item->name));
		f->section = NULL;
		return;
	}
	f->name = bytes_str(arena_printf(s->a, "%.*s/%.*s",
	    BYTES_ARG(f->owner), BYTES_ARG(item->name)));
	s->rule = config_grow(s->a, s->rule, s->rules, &s->rules_size,
	    sizeof(*s->rule));
	s->rule[s->rules++] = (struct address_section){ f->owner, f->name,
	    f->path, item->line };
}

/* "name@domain". */
static void
enter_alias(struct file *f, const struct config_item *item)
{
	struct source *s = f->s;
	struct path path;
	const char *why;

	f->name = bytes_str(arena_printf(s->a, "%.*s@%.*s",
	    BYTES_ARG(item->name), BYTES_ARG(f->owner)));
	if (addr_parse_mailbox(s->a, f->name, ADDR_SMTPUTF8, &path,
	    &why) == -1) {
		config_problem(s->a, s->problems, f->path, item->line,
		    "%s is no local part: %s; allowed is what stands before "
		    "the @ of an address", config_quote(s->a, item->name),
		    why);
		f->section = NULL;
		return;
	}
	s->alias = config_grow(s->a, s->alias, s->aliases, &s->aliases_size,
	    sizeof(*s->alias));
	s->alias[s->aliases++] = (struct address_section){ f->owner, f->name,
	    f->path, item->line };
}

static void
enter_transport(struct file *f, const struct config_item *item)
{
	struct source *s = f->s;

	if (!config_account_valid(item->name) ||
	    bytes_eq(item->name, BYTES("direct")) ||
	    bytes_eq(item->name, BYTES("local"))) {
		config_problem(s->a, s->problems, f->path, item->line,
		    "%s is no name for a transport: allowed are a-z, 0-9, "
		    "., _ and -, but not \"direct\" and \"local\", which "
		    "there are", config_quote(s->a, item->name));
		f->section = NULL;
		return;
	}
	f->name = item->name;
	add_named(s, &s->transports, (struct named){ f->name, f->name,
	    f->path });
}

static void
enter_section(struct file *f, const struct config_item *item)
{
	const struct config_section *c;
	bool wants_name;

	f->section = NULL;
	for (c = config_sections; c->section != NULL; c++) {
		if (c->file == f->kind
		    && bytes_eq(bytes_str(c->section), item->section))
			break;
	}
	if (c->section == NULL) {
		unknown_section(f, item);
		return;
	}
	wants_name = c->naming != CONFIG_NAME_NONE;
	if (wants_name != item->has_name) {
		config_problem(f->s->a, f->s->problems, f->path, item->line,
		    wants_name ? "[%s] has no name: allowed is [%s \"name\"]"
		    : "[%s] has a name: allowed is [%s]",
		    c->section, c->section);
		return;
	}
	f->section = c;
	switch (c->naming) {
	case CONFIG_NAME_NONE:
		f->name = f->owner;
		break;
	case CONFIG_NAME_DNS:
		enter_static_dns(f, item);
		break;
	case CONFIG_NAME_ADDRESS:
		enter_address(f, item);
		break;
	case CONFIG_NAME_WORD:
		enter_transport(f, item);
		break;
	case CONFIG_NAME_RULE:
		enter_rule(f, item);
		break;
	case CONFIG_NAME_ALIAS:
		enter_alias(f, item);
		break;
	}
}

static void
read_value(struct file *f, const struct config_key *key, struct bytes value,
    unsigned int line)
{
	struct arena *a = f->s->a;
	struct buf allowed = BUF_INIT(1024);
	struct bytes stored;
	const char *why;

	if (config_value_check(a, key, value, &stored, &why) == 0) {
		add_entry(f, key, stored, line, false);
		return;
	}
	(void)config_type_format(&allowed, key);	/* cut: still a help */
	config_problem(a, f->s->problems, f->path, line,
	    "%s is no value for \"%s\": %s; allowed: %.*s",
	    config_quote(a, value), key->key, why,
	    BYTES_ARG(buf_bytes(&allowed)));
	buf_free(&allowed);
}

static void
read_item(struct file *f, const struct config_item *item)
{
	const struct config_key *key;
	struct bytes words = item->value, word;

	if (item->header) {
		enter_section(f, item);
		return;
	}
	if (f->section == NULL)
		return;
	key = config_key_find(item->section, item->key);
	if (key == NULL) {
		unknown_key(f, item);
		return;
	}
	if (!config_type_is_words(key->type)
	    || (key->type == CONFIG_STAGE
	    && bytes_starts(words, BYTES("|")))) {
		read_value(f, key, item->value, item->line);
		return;
	}
	if (bytes_trim(words).n == 0)
		add_entry(f, key, BYTES_EMPTY, item->line, true);
	while (bytes_word(&words, &word))
		read_value(f, key, word, item->line);
}

/* Text of a file into the arena: 1; 0 a problem was noted; -1 errno. */
static int
load(struct source *s, int etc, const char *path, struct bytes *text)
{
	struct buf b = BUF_INIT(CONFIG_FILE_MAX);
	int r = io_read_file(etc, path, &b);

	if (r == 0) {
		*text = arena_bytes(s->a, buf_bytes(&b));
		r = 1;
	} else if (errno == EMSGSIZE) {
		config_problem(s->a, s->problems, path, 0,
		    "file too big: at most 1 MiB");
		r = 0;
	} else if (errno == ENOENT) {
		config_problem(s->a, s->problems, path, 0,
		    "no such file: needed is a text file");
		r = 0;
	} else if (errno == EISDIR) {
		config_problem(s->a, s->problems, path, 0,
		    "is a directory: allowed is a text file");
		r = 0;
	} else {
		s->failed = path;
		r = -1;
	}
	buf_free(&b);
	return r;
}

static int
read_file(struct source *s, int etc, enum config_file kind, const char *path,
    struct bytes owner)
{
	struct file f = { .s = s, .kind = kind, .path = path,
	    .owner = owner, .name = owner };
	struct config_item *items;
	struct bytes text;
	size_t i, n;
	int r;

	if ((r = load(s, etc, path, &text)) != 1)
		return r;
	config_parse(s->a, path, text, &items, &n, s->problems);
	for (i = 0; i < n; i++)
		read_item(&f, &items[i]);
	return 0;
}

/* ---- the directories ---- */

static int
string_cmp(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/*
 * The entries of etc/dir, sorted, without those that start with a dot. A
 * directory that is missing has none.
 */
static int
list_dir(struct source *s, int etc, const char *dir, char ***names,
    size_t *count)
{
	int fd = openat(etc, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;
	char **list = NULL;
	struct dirent *d;
	size_t n = 0, size = 0;
	DIR *stream;

	*names = NULL;
	*count = 0;
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1 || (stream = fdopendir(fd)) == NULL) {
		err = errno;
		s->failed = dir;
		if (fd != -1)
			(void)close(fd);	/* already failing */
		errno = err;
		return -1;
	}
	while (errno = 0, (d = readdir(stream)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		list = config_grow(s->a, list, n, &size, sizeof(*list));
		list[n++] = arena_str(s->a, bytes_str(d->d_name));
	}
	err = errno;
	(void)closedir(stream);		/* only read from */
	if (err != 0) {
		s->failed = dir;
		errno = err;
		return -1;
	}
	if (n > 0)
		qsort(list, n, sizeof(*list), string_cmp);
	*names = list;
	*count = n;
	return 0;
}

static bool
domain_of_file(struct source *s, const char *path, struct bytes stem,
    struct named *out)
{
	const char *why;

	if (addr_parse_domain(s->a, stem, ADDR_SMTPUTF8, &out->name,
	    &out->ascii, &why) == -1) {
		config_problem(s->a, s->problems, path, 0,
		    "%s is no domain name: %s; allowed: DOMAIN.conf",
		    config_quote(s->a, stem), why);
		return false;
	}
	return true;
}

static bool
account_of_file(struct source *s, const char *path, struct bytes stem,
    struct named *out)
{
	if (!config_account_valid(stem)) {
		config_problem(s->a, s->problems, path, 0,
		    "%s is no account name: allowed are 1 to 64 of a-z, 0-9, "
		    "., _ and -, beginning with a letter or digit, without "
		    "\"..\"", config_quote(s->a, stem));
		return false;
	}
	out->name = stem;
	out->ascii = stem;
	return true;
}

static int
read_dir(struct source *s, int etc, enum config_file kind, const char *dir)
{
	bool is_domain = kind == CONFIG_FILE_DOMAIN, good;
	struct named_list *list = is_domain ? &s->domains : &s->accounts;
	struct named named;
	struct bytes stem;
	const char *path;
	char **names;
	size_t i, n;

	if (list_dir(s, etc, dir, &names, &n) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		path = arena_printf(s->a, "%s/%s", dir, names[i]);
		stem = bytes_str(names[i]);
		if (!bytes_ends(stem, BYTES(".conf"))) {
			config_warning(s->a, s->problems, path, 0,
			    "ignored: the name does not end in .conf");
			continue;
		}
		stem = bytes_first(stem, stem.n - 5);
		named.file = path;
		good = is_domain ? domain_of_file(s, path, stem, &named)
		    : account_of_file(s, path, stem, &named);
		if (!good)
			continue;
		add_named(s, list, named);
		if (read_file(s, etc, kind, path, named.name) == -1)
			return -1;
	}
	return 0;
}

int
config_source_read(struct source *s, const char *etc_dir)
{
	int etc, r, err;

	etc = open(etc_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (etc == -1) {
		s->failed = ".";
		return -1;
	}
	r = read_file(s, etc, CONFIG_FILE_MAIN, MAIN_FILE, BYTES_EMPTY);
	if (r == 0)
		r = read_dir(s, etc, CONFIG_FILE_DOMAIN, "domains");
	if (r == 0)
		r = read_dir(s, etc, CONFIG_FILE_ACCOUNT, "accounts");
	err = errno;
	(void)close(etc);	/* only read from */
	errno = err;
	return r;
}
