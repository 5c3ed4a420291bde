/*
 * config.h - configuration: INI text checked whole, compiled to a CDB, read
 *
 * Administrators edit text (main.conf(5), domain.conf(5), account.conf(5));
 * config_compile turns it into var/config.cdb, whose keys config.cdb(5)
 * describes; every program maps that file and looks keys up.
 *
 * One table, config_schema, names each section and key with its type,
 * bounds and default. Looking up a key that is not in the table, or as
 * another type than the table's, is a broken invariant (assert). So the
 * typed functions cannot fail and callers never repeat a default: what is
 * not set, or was compiled by a version with other bounds, is the default.
 *
 * How a section is named when it is looked up:
 *   section       name            written in
 *   "server"      NULL            main.conf [server]
 *   "smtp-in"     NULL            main.conf [smtp-in]
 *   "lmtp-in"     NULL            main.conf [lmtp-in]
 *   "imap"        NULL            main.conf [imap]
 *   "auth"        NULL            main.conf [auth]
 *   "oauth"       NULL            main.conf [oauth]
 *   "static-dns"  DNS name        main.conf [static-dns "NAME"]
 *   "domain"      domain          domains/NAME.conf [domain]
 *   "account"     account name    accounts/NAME.conf [account]
 *   "mailboxes"   account name    accounts/NAME.conf [mailboxes]; a key not
 *                                 set there is taken from main.conf's
 *   "mailboxes"   NULL            main.conf [mailboxes]
 *   "address"     "local@domain" or "@domain" as config_address.address
 *                                 accounts/NAME.conf [address "..."]
 *   "rule"        as config_rules lists it: "account/name"
 *                                 accounts/NAME.conf [rule "..."]
 *   "alias"       "local@domain" as config_alias_find gives it
 *                                 domains/NAME.conf [alias "..."]
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "base/base.h"

/* ---- reading config.cdb ---- */

struct config;

/*
 * Map var/config.cdb (config_open: below dir_var()). NULL with errno:
 * ENOENT never compiled, EBADMSG not a whole file of this format version,
 * or not as it was written (its checksum), or what open(2) says. Costs
 * microseconds. Safe to use after fork; lookups change nothing and may be
 * interleaved. All bytes handed out are views into the map and live until
 * config_close.
 */
struct config *config_open(void);
struct config *config_open_at(const char *var_dir);
/* Of a bigger file the checksum is left to config_load: it takes longer than
 * the 0.1 ms that what runs once for each message may spend on it. */
#define CONFIG_SUM_BYTES (256 * 1024)
/* config_open for those who keep it: the checksum whatever the size, some
 * 0.3 ms for each MB. */
struct config *config_load(void);
/* What to say of an errno of these: for EBADMSG what can be done. */
const char *config_reason(int err);
/* config_load from a descriptor that another process opened, which stays the
 * caller's. config_replaced cannot tell then, and is not to be asked. */
struct config *config_open_fd(int fd);
/* Unmap and release; NULL is allowed. */
void config_close(struct config *c);
/*
 * Whether the file was replaced since it was opened: 1 yes (close and open
 * again), 0 no (also while it is missing), -1 errno. One stat(2).
 */
int config_replaced(const struct config *c);

/*
 * The first value of a key, or its default, in the form it is stored in
 * (config.cdb(5)): sizes in bytes, durations in seconds. 1; 0: not set and
 * no default, *value untouched. An empty value that was set is a value.
 */
int config_get(const struct config *c, const char *section, const char *name,
    const char *key, struct bytes *value);
/* As config_get, with BYTES_EMPTY for what is not set: for optional text. */
struct bytes config_get_text(const struct config *c, const char *section,
    const char *name, const char *key);
/*
 * For keys of type bool; number; size (bytes); duration (seconds). A key
 * that is not set and has no default is false or 0.
 */
bool config_get_bool(const struct config *c, const char *section,
    const char *name, const char *key);
uint64_t config_get_num(const struct config *c, const char *section,
    const char *name, const char *key);
uint64_t config_get_size(const struct config *c, const char *section,
    const char *name, const char *key);
uint64_t config_get_duration(const struct config *c, const char *section,
    const char *name, const char *key);
/* The same for keys of type decimal. */
double config_get_decimal(const struct config *c, const char *section,
    const char *name, const char *key);
/* For keys of type three numbers, such as open-limits. */
void config_get_three(const struct config *c, const char *section,
    const char *name, const char *key, uint64_t out[3]);

/*
 * All values of a key, in the order written (words of a list key are one
 * value each). Set but empty ("stages-in =") gives none, not the default.
 *
 *	struct config_list list;
 *	struct bytes value;
 *
 *	config_list(c, "smtp-in", NULL, "stages-in", &list);
 *	while (config_list_next(&list, &value))
 *		...
 */
struct config_list {
	struct bytes rest;	/* values, each followed by a NUL */
};
void config_list(const struct config *c, const char *section,
    const char *name, const char *key, struct config_list *list);
bool config_list_next(struct config_list *list, struct bytes *value);

/*
 * The names in use for a section: "domain" (U-label form), "account",
 * "static-dns" (A-label form), "transport" in byte order; "address" (as
 * config_address.address) and "alias" by domain. Read with config_list_next.
 */
void config_names(const struct config *c, const char *section,
    struct config_list *list);
/*
 * Every value (defaults too) and every name handed out holds no NUL and is
 * followed by one, so (const char *)value.p is a C string as long as value
 * lives: config_list(c, "static-dns", (const char *)name.p, "txt", &list)
 * gives the TXT records of a listed name.
 */

/*
 * Everything that is set, in the order of the file: start with a zeroed
 * walk. 1 with *entry, 0 end, -1 EBADMSG (a damaged file).
 */
struct config_walk {
	unsigned int at;
};
struct config_entry {
	struct bytes section, name;	/* C strings; name may be "" */
	struct bytes key;		/* not followed by a NUL */
	struct config_list values;
};
int config_walk_next(const struct config *c, struct config_walk *walk,
    struct config_entry *entry);

/* Whether account is configured: 1 or 0. */
bool config_account_exists(const struct config *c, struct bytes account);

/*
 * A hosted domain by its U-label (NFC, lower case) or A-label form; ASCII
 * letters compare without case. *name becomes the form to look "domain"
 * keys up with, a C string. False: not hosted.
 */
bool config_domain_find(const struct config *c, struct bytes domain,
    struct bytes *name);

/*
 * The owner of an address. local is the canonical local part as bytes, not
 * quoted (so "" is the empty one); domain is the form config_domain_find
 * gave. With local NULL: the catch-all "@domain". Exact: folding and
 * separators are lib/recipient's. False: nobody's, *out untouched.
 */
struct config_address {
	struct bytes account;	/* a C string */
	struct bytes mailbox;	/* a C string; never empty, default "Inbox" */
	struct bytes address;	/* as written, normalised: name of "address"
				 * section look-ups; a C string */
};
bool config_address_find(const struct config *c, const struct bytes *local,
    struct bytes domain, struct config_address *out);

/* The names of an account's rules, in the order written. */
#define CONFIG_RULES_MAX 1000
void config_rules(const struct config *c, struct bytes account,
    struct config_list *list);
/* An alias, by local part and domain as above; *name is the name of its
 * section. False: there is none. */
bool config_alias_find(const struct config *c, struct bytes local,
    struct bytes domain, struct bytes *name);
/*
 * Local parts of a hosted domain that take reports, of any domain
 * (dmarc-reports, tls-reports): each is a 'D' or a 'T' and the canonical
 * local part (D-16).
 */
void config_reports(const struct config *c, struct bytes domain,
    struct config_list *list);

/* ---- values ---- */

/*
 * A reply as it is stored, "550 5.7.1 text": its three parts. -1 EBADMSG.
 */
int config_split_reply(struct bytes value, int *code, struct bytes *status,
    struct bytes *text);
/* A pair of expressions as it is stored. -1 EBADMSG. */
int config_split_pair(struct bytes value, struct bytes *first,
    struct bytes *second);

/*
 * The form in which a local part is looked up (before any separator is
 * cut): "postmaster" in any case is lower case; others are NFC, and lower
 * case unless case_sensitive. -1 EBADMSG: not UTF-8.
 */
int config_fold_local_part(struct arena *a, struct bytes local_part,
    bool case_sensitive, struct bytes *out);

/* "192.0.2.1:53" or "[2001:db8::1]:53". -1 EBADMSG. */
int config_parse_ip_port(struct bytes s, struct ip *ip, int *port);

/*
 * An account name: [a-z0-9][a-z0-9._-]{0,63} without "..", so that it is a
 * file name. A view that passes holds no NUL.
 */
#define CONFIG_ACCOUNT_MAX 64
bool config_account_valid(struct bytes name);

/* ---- the schema ---- */

enum config_type {
	CONFIG_BOOL,		/* yes or no */
	CONFIG_NUMBER,		/* min .. max */
	CONFIG_SIZE,		/* bytes with K, M, G; min .. max */
	CONFIG_DURATION,	/* seconds with s, m, h, d, w; min .. max */
	CONFIG_THREE,		/* three numbers, each min .. max */
	CONFIG_CHOICE,		/* one of the words in allowed */
	CONFIG_TEXT,		/* UTF-8 without control characters */
	CONFIG_ADDRESS,		/* local@domain of a configured account */
	CONFIG_DESTINATION,	/* local@domain or @domain, then a mailbox */
	CONFIG_ACCOUNT,		/* name of a configured account */
	CONFIG_MAILBOX,		/* mailbox name */
	CONFIG_HOST,		/* host name, kept in A-label form */
	CONFIG_DNS_NAME,	/* as host, underscores allowed */
	CONFIG_IPV4,
	CONFIG_IPV6,
	CONFIG_IP_PORT,		/* address and port */
	CONFIG_STAGE,		/* stage names, a path, or |command */
	CONFIG_SEPARATORS,	/* words, each allowed in a local part */
	CONFIG_DNS_MX,		/* preference and host */
	CONFIG_ROUTE,		/* transport and conditions (route.h) */
	CONFIG_OWN_ADDRESS,	/* address = ... of the same account */
	CONFIG_ANY_ADDRESS,	/* local@domain or @domain, of anybody */
	CONFIG_REGEX,		/* regex.h */
	CONFIG_REGEX_PAIR,	/* two, a blank between; none in the first */
	CONFIG_REPLY,		/* code, enhanced code, text */
	CONFIG_DECIMAL,		/* "0.95"; min .. max in millionths */
};

#define CONFIG_DECIMAL_ONE 1000000	/* min and max of decimals are in
				 * these: six digits behind the point */

/* In which of the three kinds of file a section stands. */
enum config_file {
	CONFIG_FILE_MAIN,
	CONFIG_FILE_DOMAIN,
	CONFIG_FILE_ACCOUNT,
};

/* What stands after the section's name in its header. */
enum config_naming {
	CONFIG_NAME_NONE,		/* [server] */
	CONFIG_NAME_DNS,	/* [static-dns "name"] */
	CONFIG_NAME_ADDRESS,	/* [address "local@domain"] */
	CONFIG_NAME_WORD,	/* [transport "name"], as account names */
	CONFIG_NAME_RULE,	/* [rule "name"], the same */
	CONFIG_NAME_ALIAS,	/* [alias "local part"] */
};

struct config_section {
	enum config_file file;
	const char *section;
	enum config_naming naming;
};

struct config_key {
	const char *section;
	const char *key;
	enum config_type type;
	bool repeatable;
	bool required;
	uint64_t min, max;	/* numbers, sizes, durations (seconds) */
	const char *standard;	/* default as stored; NULL: none. Of a key of
				 * words: each followed by a NUL, then a NUL */
	const char *allowed;	/* CONFIG_CHOICE, CONFIG_STAGE: the words */
};

/* Both end with an entry whose section is NULL. */
extern const struct config_section config_sections[];
extern const struct config_key config_schema[];
/* The entry, or NULL. */
const struct config_key *config_key_find(struct bytes section,
    struct bytes key);
/* The type in words, with its bounds or choices: "a duration, 1s to 1d". */
int config_type_format(struct buf *out, const struct config_key *key);
/* The default as it would be written in a file; nothing if there is none. */
int config_standard_format(struct buf *out, const struct config_key *key);

/* ---- INI text ---- */

#define CONFIG_LINE_MAX 4096	/* bytes of a line without its LF: a value is
				 * meant to be read by a person */
#define CONFIG_FILE_MAX (1024 * 1024)	/* bytes of a file; a thousand static
				 * DNS records are 100 kB */
#define CONFIG_NAME_MAX 512	/* bytes of a section's quoted name: local
				 * part 64, domain 255, quoting */
#define CONFIG_KEY_MAX 64	/* bytes of a section word or a key */

/*
 * One line "key = value" with the section it stands in; a section header
 * without keys gives one item with an empty key. name is empty and
 * has_name false for [section].
 */
struct config_item {
	struct bytes section;
	struct bytes name;
	struct bytes key;
	struct bytes value;
	unsigned int line;	/* from 1 */
	bool has_name;
	bool header;		/* the section header itself, key is empty */
};

/* A problem found, in the arena of the call. */
struct config_problem {
	struct config_problem *next;
	const char *file;	/* path relative to the etc directory */
	unsigned int line;	/* 0: the whole file */
	bool warning;		/* compiled nonetheless */
	const char *text;	/* what is wrong, what is allowed; escaped */
};
struct config_problems {
	struct config_problem *first, *last;
	size_t errors, warnings;
};

/*
 * Parse one file's text to *items (in the arena, in order, *count of them),
 * adding a problem for each line that cannot be read; such lines give no
 * item. file is used in problems only. Never fails otherwise: problems
 * tells. Keys and sections are checked against the schema by
 * config_compile, not here.
 */
void config_parse(struct arena *a, const char *file, struct bytes text,
    struct config_item **items, size_t *count,
    struct config_problems *problems);
/*
 * The items as text that parses to the same items (line numbers aside). -1
 * with EMSGSIZE: out is full; EINVAL: a value that no line can carry (NUL,
 * line feed, other controls, longer than a line).
 */
int config_format(struct buf *out, const struct config_item *items,
    size_t count);
/* A value as it is written after "key = ", quoted where it must be; errors
 * as config_format. */
int config_format_value(struct buf *out, struct bytes value);

/*
 * The text of a file with the key of [section] set to value, or without it
 * (NULL); comments and all other lines stay. What is set several times is
 * set once. -1: EMSGSIZE out is full, EINVAL as config_format_value.
 */
int config_edit(struct buf *out, struct bytes text, const char *section,
    const char *key, const struct bytes *value);
/* Changes of one section, [section "name"] or, with name empty, [section]. */
enum config_change_kind {
	CONFIG_SECTION_NEW,	/* at the end; key and value unused */
	CONFIG_SECTION_REMOVE,	/* the header, and all to its last key */
	CONFIG_VALUE_SET,	/* once, as config_edit */
	CONFIG_VALUE_ADD,	/* one more, behind the others of the key */
	CONFIG_VALUE_DROP,	/* the lines of key with that value */
	CONFIG_VALUE_UNSET,	/* all lines of the key */
};
struct config_change {
	enum config_change_kind kind;
	const char *section;
	struct bytes name;	/* as written in the file */
	const char *key;
	struct bytes value;
};
/*
 * The text of a file with one change made; comments and all other lines
 * stay, a comment behind a line that goes, too. -1: EEXIST the new section is
 * there, ENOENT the section is not, or no line is to be dropped; EMSGSIZE,
 * EINVAL as config_edit, EBADMSG the text has errors.
 */
int config_change(struct arena *a, struct buf *out, struct bytes text,
    const struct config_change *c);
/*
 * Put a changed text in place of old in etc/dir_name/name, and compile; the
 * old one again if it does not. -1: EBADMSG the configuration has errors, to
 * begin with or then: *problems, and nothing was changed; another errno as
 * config_compile and config_replace, with *failed.
 */
int config_apply(struct arena *a, const char *dir_name, const char *name,
    struct bytes old, struct bytes changed, struct config_problems *problems,
    const char **failed);
/*
 * Replace the existing file etc_dir/dir_name/name, atomically and durably,
 * keeping its mode and owner. -1: EACCES it is no plain file, ...
 */
int config_replace(const char *etc_dir, const char *dir_name,
    const char *name, struct bytes text);

/* ---- compiling ---- */

/*
 * Read all text below etc_dir, check it, and unless check_only replace
 * var_dir/config.cdb atomically and durably. Problems (all of them, errors
 * and warnings) are in the arena. 0: done; problems->errors is 0. -1 with
 * EBADMSG: problems says why and nothing was changed; another errno: a file
 * or directory could not be read or written (*failed, if not NULL, is its
 * path, in the arena), and the old file stands.
 */
int config_compile(struct arena *a, const char *etc_dir, const char *var_dir,
    bool check_only, struct config_problems *problems, const char **failed);

#endif
