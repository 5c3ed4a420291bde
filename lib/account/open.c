#include "account/account.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
	const char *key;
	uint32_t use;
} initial_keys[STORE_INITIALS] = {
	{ "sent", STORE_USE_SENT }, { "archive", STORE_USE_ARCHIVE },
	{ "trash", STORE_USE_TRASH }, { "drafts", STORE_USE_DRAFTS },
	{ "junk", STORE_USE_JUNK },
};

int
account_format_report(struct buf *out, const struct store_report *r)
{
	(void)buf_adds(out, r->event);	/* full tells, here and below */
	if (r->name[0] != '\0')
		(void)buf_printf(out, " %s", r->name);
	if (r->folder[0] != '\0')
		(void)buf_printf(out, " in %s", r->folder);
	if (r->uid != 0)
		(void)buf_printf(out, " as UID %lu", (unsigned long)r->uid);
	if (out->full) {
		errno = EMSGSIZE;
		return -1;
	}
	return 0;
}

static void
on_report(void *ctx, const struct store_report *r)
{
	struct account *a = ctx;
	struct buf b = BUF_INIT(4096);

	/* These end in a failure, whose message they make. */
	if (bytes_eq(bytes_str(r->event), BYTES("newer-format")) ||
	    bytes_eq(bytes_str(r->event), BYTES("no-maildir"))) {
		(void)snprintf(a->problem, sizeof(a->problem), "%s%s",
		    r->event[0] == 'n' && r->event[1] == 'o'
		    ? "there is an index but no Maildir in " : "",
		    r->name);	/* cut off if too long */
	} else if (bytes_eq(bytes_str(r->event), BYTES("adopted")) &&
	    !a->note_each) {
		a->adopted++;	/* ordinary: told in one line at the end */
	} else if (a->note != NULL && account_format_report(&b, r) == 0 &&
	    buf_addc(&b, '\0') == 0) {
		a->note((const char *)b.p);
	}
	buf_free(&b);
}

static const char *
reason(int err)
{
	switch (err) {
	case ENOENT:
		return "no such account";
	case EINVAL:
		return "not an account name";
	case EBADMSG:
		return "damaged";
	default:
		return strerror(err);
	}
}

/* Those with a special use, then the regular ones; values are C strings in
 * the map. */
static void
initial_mailboxes(const struct config *c, const char *name, struct arena *a,
    struct store_options *o)
{
	struct store_initial *initial;
	struct config_list more;
	struct bytes value;
	size_t i, n = STORE_INITIALS;

	config_list(c, "mailboxes", name, "more", &more);
	while (config_list_next(&more, &value))
		n++;
	initial = arena_zalloc(a, n, sizeof(*initial));
	for (i = 0; i < STORE_INITIALS; i++) {
		/* each has a default */
		initial[i].name = (const char *)config_get_text(c,
		    "mailboxes", name, initial_keys[i].key).p;
		initial[i].use = initial_keys[i].use;
	}
	config_list(c, "mailboxes", name, "more", &more);
	for (; i < n && config_list_next(&more, &value); i++)
		initial[i].name = (const char *)value.p;
	o->initial = initial;
	o->initials = n;
}

bool
account_junk_on(const struct config *c, const char *name)
{
	return c == NULL || config_get_bool(c, "junk", name, "filter");
}

void
account_junk_options(const struct config *c, const char *name,
    struct junk_options *o)
{
	*o = JUNK_DEFAULT;
	if (c == NULL)
		return;
	o->threshold = config_get_decimal(c, "junk", name, "threshold");
	o->max_power = config_get_decimal(c, "junk", name, "max-power");
	o->ignore_words = config_get_decimal(c, "junk", name, "ignore-words");
	o->prior = config_get_decimal(c, "junk", name, "prior");
	o->norm = config_get_decimal(c, "junk", name, "norm");
	o->body = config_get_decimal(c, "junk", name, "body");
	o->scale = config_get_decimal(c, "junk", name, "scale");
	o->rare_words = (unsigned int)config_get_num(c, "junk", name,
	    "rare-words");
	o->top_words = (unsigned int)config_get_num(c, "junk", name,
	    "top-words");
	o->significant = (unsigned int)config_get_num(c, "junk", name,
	    "significant");
}

/* A C string in the map, or NULL. */
static const char *
expression(const struct config *c, const char *name, const char *key)
{
	struct bytes value;

	return config_get(c, "junk", name, key, &value) == 1
	    ? (const char *)value.p : NULL;
}

void
account_options(const struct config *c, const char *name, struct arena *a,
    struct store_options *o)
{
	initial_mailboxes(c, name, a, o);
	o->quota_bytes = config_get_size(c, "account", name, "quota");
	o->no_text = !config_get_bool(c, "account", name, "search-index");
	o->junk_flags = config_get_bool(c, "account", name, "junk-flags");
	/* Always there; a C string in the map. */
	o->hostname = (const char *)config_get_text(c, "server", NULL,
	    "hostname").p;
	o->junk.junk = expression(c, name, "junk-mailboxes");
	o->junk.neutral = expression(c, name, "neutral-mailboxes");
	o->junk.notjunk = expression(c, name, "notjunk-mailboxes");
	o->junk.training = account_junk_on(c, name);
	o->junk.grams = (unsigned int)config_get_num(c, "junk", name, "grams");
	o->create = config_account_exists(c, bytes_str(name));
}

static int
open_all(struct account *a, const char *name)
{
	struct store_options o = { .account = name, .report = on_report,
	    .ctx = a, .junk = { .training = true } };

	if (!store_account_valid(name)) {
		errno = EINVAL;
		return -1;
	}
	if (os_be_owner(arena_printf(&a->arena, "%s/accounts/%s", dir_var(),
	    name)) == -1)
		return -1;
	a->config = a->use != NULL ? a->use : config_open();
	if (a->config != NULL) {
		account_options(a->config, name, &a->arena, &o);
	} else if (errno != ENOENT) {
		(void)snprintf(a->problem, sizeof(a->problem),
		    "cannot read config.cdb: %s", config_reason(errno)); /*
		    fits */
		return -1;
	}
	a->store = store_open(&o);
	return a->store == NULL ? -1 : 0;
}

static void
close_config(struct account *a)
{
	if (a->config != a->use)
		config_close(a->config);
	a->config = NULL;
}

int
account_open(struct account *a, const char *name)
{
	int err;

	*a = (struct account){ .arena = ARENA_INIT, .note = a->note,
	    .note_each = a->note_each, .use = a->use };
	if (open_all(a, name) == 0)
		return 0;
	err = errno;
	if (a->problem[0] == '\0')
		(void)snprintf(a->problem, sizeof(a->problem), "%s",
		    reason(err));	/* fits */
	close_config(a);
	arena_free(&a->arena);
	errno = err;
	return -1;
}

static void
note_adopted(struct account *a)
{
	char line[80];

	if (a->adopted == 0 || a->note == NULL)
		return;
	(void)snprintf(line, sizeof(line), "adopted %zu message%s other "
	    "programs put there", a->adopted,
	    a->adopted == 1 ? "" : "s");	/* fits */
	a->note(line);
}

void
account_close(struct account *a)
{
	note_adopted(a);
	store_close(a->store);
	close_config(a);
	arena_free(&a->arena);
	a->store = NULL;
}

_Noreturn void
account_die_write(void)
{
	if (errno == EPIPE)
		_exit(EXIT_TEMP);
	msg_diesys(EXIT_TEMP, "cannot write");
}

int
account_exit(int err)
{
	switch (err) {
	case ENOENT:		/* no such account, mailbox or message */
	case EEXIST:
	case EPERM:
	case ENOTEMPTY:
	case EOVERFLOW:
	case EPROTONOSUPPORT:
		return EXIT_PERM;
	default:
		return exit_for(err);
	}
}

int
account_mailbox(struct account *a, const char *name, uint32_t *id)
{
	struct bytes n = bytes_str(name == NULL ? "INBOX" : name);
	struct store_mailbox m;
	struct store_view *v;
	struct bytes checked;
	int r, tries;

	if (store_name_check(&a->arena, n, &checked, NULL) == -1)
		return -1;
	/* A folder another program made may not be in the list yet. */
	for (tries = 0, r = 0; tries < 2 && r == 0; tries++) {
		if (tries == 1 && store_sync(a->store, 0, false) == -1)
			return -1;
		if ((v = store_view_open(a->store)) == NULL)
			return -1;
		r = store_mailbox_find(v, checked, &m);
		if (r == 1)
			*id = m.id;
		store_view_close(v);
	}
	if (r == 0)
		errno = ENOENT;
	if (r != 1)
		return -1;
	return store_sync(a->store, *id, false) == -1 ? -1 : 0;
}
