/*
 * internal.h - what the files of lib/config share
 */
#ifndef CONFIG_INTERNAL_H
#define CONFIG_INTERNAL_H

#include "config/config.h"

#include <errno.h>

#define CONFIG_FILE_NAME "config.cdb"
/* A new number whenever an old reader would misread a new file. */
#define CONFIG_VERSION "pipemail config 1"
/*
 * The first byte of each CDB key says what the record is (config.cdb(5));
 * the three records about the file itself have lower-case words as keys.
 */
enum {
	RECORD_VALUES = 'S',	/* section NUL name NUL key: values */
	RECORD_NAMES = 'N',	/* section: names */
	RECORD_ADDRESS = 'A',	/* domain NUL local part: owner */
	RECORD_CATCH_ALL = 'C',	/* domain: owner */
	RECORD_DOMAIN = 'D',	/* a form of a domain: the domain */
	RECORD_ACCOUNT = 'U',	/* account: nothing */
	RECORD_RULES = 'R',	/* account: names of its rules, in order */
	RECORD_ALIAS = 'L',	/* domain NUL local part: name */
	RECORD_REPORTS = 'P',	/* domain: D or T and local part */
};
#define CONFIG_KEY_VERSION "version"
#define CONFIG_KEY_COMPLETE "complete"
#define CONFIG_KEY_SUM "sum"
#define CONFIG_SUM_DIGITS 8

/* CRC-32 of a file but for the digits at a place in it that note it, as
 * hexadecimal digits and a NUL. */
void config_sum(struct bytes file, size_t at,
    char out[CONFIG_SUM_DIGITS + 1]);

/* Values of one line are several words. */
static inline bool
config_type_is_words(enum config_type type)
{
	return type == CONFIG_STAGE || type == CONFIG_SEPARATORS;
}

/* The default's values, empty if there is none. */
struct config_list config_standard_list(const struct config_key *key);

/* ---- problem.c ---- */

void config_problem(struct arena *a, struct config_problems *to,
    const char *file, unsigned int line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void config_warning(struct arena *a, struct config_problems *to,
    const char *file, unsigned int line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* s for a person, in quotes, escaped, shortened: a C string. */
const char *config_quote(struct arena *a, struct bytes s);
/* " (did you mean "x"?)" for the nearest word if it is near, or "". */
const char *config_suggest(struct arena *a, struct bytes s,
    const char *const *words, size_t count);
/* By file and line. */
void config_problems_sort(struct arena *a, struct config_problems *p);

/* ---- value.c ---- */

/*
 * Check one value (of word types: one word) as far as it can be checked
 * without the other files and bring it to the form that is stored. -1
 * EBADMSG with *why.
 */
int config_value_check(struct arena *a, const struct config_key *key,
    struct bytes value, struct bytes *out, const char **why);
/* The same for what rules and aliases are made of (value_rule.c). */
int config_value_check_rule(struct arena *a, const struct config_key *key,
    struct bytes value, struct bytes *out, const char **why);
/* Parse a stored number, size or duration; -1 out of bounds. */
int config_value_number(const struct config_key *key, struct bytes value,
    uint64_t *out);
int config_value_three(const struct config_key *key, struct bytes value,
    uint64_t out[3]);
/* A DNS name: A-labels, lower case, underscores, no final dot. */
int config_dns_name(struct arena *a, struct bytes s, struct bytes *out,
    const char **why);
/*
 * Split a destination: the address and the mailbox (normalised; empty if
 * none is given). -1 EBADMSG with *why.
 */
int config_split_destination(struct arena *a, struct bytes s,
    struct bytes *address, struct bytes *mailbox, const char **why);

/* ---- source.c: the text, read ---- */

/* A value with where it was written. */
struct entry {
	const struct config_key *key;
	struct bytes name;	/* of the section when looked up */
	struct bytes value;
	const char *file;
	unsigned int line;
	unsigned int order;	/* of reading */
	bool none;		/* the key is set to no words at all */
};

/* A domain or account: a file. */
struct named {
	struct bytes name;
	struct bytes ascii;	/* of a domain: A-label form */
	const char *file;
};

struct named_list {
	struct named *item;
	size_t n, size;
};

/* Who gets an address. */
struct owner {
	struct bytes account, mailbox;
	struct bytes local_part;	/* canonical, unquoted */
	struct bytes domain;
	struct bytes address;		/* as text */
	const char *file;
	unsigned int line;
	bool catch_all;
	bool alias;			/* account is empty */
};

/* A header that names something: [address "..."], [rule "..."] (name is
 * "account/..."), [alias "..."] (name is "...@domain"). */
struct address_section {
	struct bytes account;		/* or domain */
	struct bytes name;		/* as written */
	const char *file;
	unsigned int line;
};

/* dmarc-reports and tls-reports of a domain. */
struct report_address {
	struct owner to;		/* its address fields */
	int kind;
};

struct source {
	struct arena *a;
	struct config_problems *problems;
	const char *failed;	/* path that could not be read */
	struct entry *entry;
	size_t entries, entries_size;
	struct named_list domains, accounts, static_dns, transports;
	struct address_section *section;
	size_t sections, sections_size;
	struct report_address *report;
	size_t reports, reports_size;
	struct address_section *rule, *alias;
	size_t rules, rules_size, aliases, aliases_size;
	struct owner *owner;
	size_t owners, owners_size;
};

/* Read all files; -1 errno with s->failed set. */
int config_source_read(struct source *s, const char *etc_dir);
/* Room for one more item in an arena array of n. */
void *config_grow(struct arena *a, void *items, size_t n, size_t *size,
    size_t item_size);

/* ---- check.c: the text as a whole ---- */

/* All that needs more than one line; leaves entries, names, owners sorted. */
void config_source_check(struct source *s);
/* The first entry of a key; entries must be sorted. */
const struct entry *config_entry_find(const struct source *s,
    const char *section, struct bytes name, const char *key);
struct owner *config_owner_find(const struct source *s,
    const struct owner *want);
/*
 * What an address in the text means, into the address fields of *o. The
 * syntax was checked when it was read. False: its domain is not hosted,
 * which is *domain.
 */
bool config_resolve(const struct source *s, struct bytes text,
    struct owner *o, struct bytes *domain);

/* ---- check_rules.c ---- */

/* Aliases as owners of their addresses, before these are sorted. */
void config_check_aliases(struct source *s, void (*add)(struct source *,
    struct bytes text, const struct owner *o));
/* Their sections, and those of rules. */
void config_check_rules(struct source *s);
/* Which reports the address takes, 0: none; its local part may then hold
 * separators. */
#define CONFIG_DMARC_REPORTS 1
#define CONFIG_TLS_REPORTS 2
void config_collect_reports(struct source *s);
int config_takes_reports(const struct source *s, const struct owner *o);

/* ---- write.c ---- */

struct config_writer {
	int dir_fd;		/* -1: none */
	int fd;
};
/* Open and lock the temporary file in var_dir. -1 errno. */
int config_writer_open(struct config_writer *w, const char *var_dir);
/* Write the records and put the file in place, durably. */
int config_writer_commit(struct config_writer *w, const struct source *s);
/* Give up what was not committed, and close. */
void config_writer_close(struct config_writer *w);

/* A checked "local@domain" or "@domain", the domain in U-labels and lower case,
 * in the arena. 0, -1 EBADMSG with *why. */
int config_any_address(struct arena *a, struct bytes value,
    struct bytes *out, const char **why);

#endif
