/*
 * local.c - the user who calls, accounts and names of this machine
 */
#include "sendmail.h"

#include <errno.h>
#include <pwd.h>
#include <unistd.h>

#include "os/os.h"

#define HOSTNAME_MAX 256

/* The first field of gecos, "&" being the user's name (passwd(5)). */
static struct bytes
gecos_name(struct arena *a, const struct passwd *pw)
{
	struct buf b = BUF_INIT(COMPOSE_NAME_MAX);
	struct bytes rest = bytes_str(pw->pw_gecos), name, out;
	int c;

	(void)bytes_split(&rest, ',', &name);
	while ((c = bytes_next(&name)) != -1) {
		if (c != '&') {
			(void)buf_addc(&b, c);	/* a long one is left out */
			continue;
		}
		(void)buf_addc(&b, ascii_upper((unsigned char)
		    pw->pw_name[0]));
		(void)buf_adds(&b, pw->pw_name + 1);
	}
	out = b.full ? BYTES_EMPTY : arena_bytes(a,
	    bytes_trim(buf_bytes(&b)));
	buf_free(&b);
	return out;
}

/* local-user = USER ACCOUNT. */
static bool
find_account(struct local *l, struct bytes user, struct bytes *account)
{
	struct config_list list;
	struct bytes value, name;

	if (l->config == NULL)
		return false;
	config_list(l->config, "queue", NULL, "local-user", &list);
	while (config_list_next(&list, &value)) {
		if (bytes_word(&value, &name) && bytes_eq(name, user)) {
			*account = arena_bytes(&l->arena, bytes_trim(value));
			return true;
		}
	}
	return false;
}

/* The first address of an account that is not a catch-all. */
static bool
find_address(struct local *l, struct bytes account, struct bytes *address)
{
	struct config_list list;
	struct bytes value;
	struct path path;
	const char *why;

	config_list(l->config, "account", arena_str(&l->arena, account),
	    "address", &list);
	while (config_list_next(&list, &value)) {
		/* a mailbox's name may follow; quoted blanks do not parse */
		if (bytes_word(&value, address) &&
		    addr_parse_mailbox(&l->arena, *address, ADDR_SMTPUTF8,
		    &path, &why) == 0)
			return true;
	}
	return false;
}

void
local_open(struct local *l)
{
	char host[HOSTNAME_MAX];
	struct passwd *pw;
	struct bytes name;

	*l = (struct local){ .arena = ARENA_INIT, .account = BYTES_EMPTY };
	pw = getpwuid(getuid());
	if (pw == NULL) {
		msg_die(EX_NOUSER, "cannot send: user id %lu has no name",
		    (unsigned long)getuid());
		return;		/* not reached */
	}
	l->user = arena_bytes(&l->arena, bytes_str(pw->pw_name));
	l->full_name = gecos_name(&l->arena, pw);
	l->home = env_get("HOME");
	if (l->home == NULL)
		l->home = arena_printf(&l->arena, "%s", pw->pw_dir);
	if (os_hostname(host, sizeof(host)) == -1)
		msg_diesys(EX_OSERR, "cannot read the host's name");
	l->hostname = arena_lower(&l->arena, bytes_str(host));
	l->config = config_open();
	if (l->config == NULL && errno != ENOENT && errno != EACCES)
		msg_warn("cannot read %s/config.cdb: %s", dir_var(),
		    config_reason(errno));
	if (find_account(l, l->user, &l->account)) {
		name = config_get_text(l->config, "account",
		    arena_str(&l->arena, l->account), "full-name");
		if (name.n > 0)
			l->full_name = name;
	}
	l->address = local_complete(l, l->user);
}

void
local_close(struct local *l)
{
	if (l->config != NULL)
		config_close(l->config);
	arena_free(&l->arena);
}

static bool
is_here(const struct local *l, struct bytes domain)
{
	struct bytes found;

	if (l->config != NULL && config_domain_find(l->config, domain,
	    &found))
		return false;
	return bytes_caseeq(domain, l->hostname) ||
	    bytes_caseeq(domain, BYTES("localhost")) ||
	    (l->config != NULL && bytes_caseeq(domain, config_get_text(
	    l->config, "server", NULL, "hostname")));
}

struct bytes
local_complete(struct local *l, struct bytes address)
{
	struct bytes name = address, account, found;
	size_t at;

	if (bytes_rchr(address, '@', &at)) {
		if (!is_here(l, bytes_from(address, at + 1)))
			return address;
		name = bytes_first(address, at);
	}
	if (find_account(l, name, &account) &&
	    find_address(l, account, &found))
		return found;
	return bytes_str(arena_printf(&l->arena, "%.*s@%.*s",
	    BYTES_ARG(name), BYTES_ARG(l->hostname)));
}

bool
local_may_use(void *ctx, struct arena *a, struct bytes address)
{
	const struct local *l = ctx;
	size_t at;

	(void)a;
	return bytes_rchr(address, '@', &at) &&
	    !is_here(l, bytes_from(address, at + 1));
}
