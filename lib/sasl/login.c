/*
 * login.c - is this the account's password?
 *
 * Whatever is wrong (no such user, no password set, wrong password) costs
 * one key derivation and gives the same answer, so that nobody learns which
 * addresses exist.
 */
#include "sasl/sasl.h"

#include <errno.h>

#include "addr/addr.h"
#include "config/config.h"
#include "unicode/unicode.h"

static bool
copy_account(char to[SASL_ACCOUNT_MAX + 1], struct bytes name)
{
	if (name.n > SASL_ACCOUNT_MAX || bytes_has_nul(name))
		return false;
	memcpy(to, name.p, name.n);
	to[name.n] = '\0';
	return true;
}

/* An address exactly as configured: no separators, no catch-all. */
static bool
account_of_address(const struct config *config, struct arena *a,
    struct bytes name, char account[SASL_ACCOUNT_MAX + 1])
{
	struct config_address found;
	struct bytes domain, local;
	struct path path;
	const char *why;

	if (addr_parse_mailbox(a, name, ADDR_SMTPUTF8, &path, &why) == -1 ||
	    !config_domain_find(config, path.domain, &domain))
		return false;
	local = path.local_part;
	if (!config_get_bool(config, "domain", (const char *)domain.p,
	    "case-sensitive") && unicode_lower(a, local, &local) == -1)
		return false;
	return config_address_find(config, &local, domain, &found) &&
	    copy_account(account, found.account);
}

int
sasl_account_of(const struct config *config, struct bytes name,
    char account[SASL_ACCOUNT_MAX + 1])
{
	struct arena a = ARENA_INIT;
	struct bytes normal;
	bool found = false;
	size_t at;

	if (unicode_nfc(&a, name, &normal) == 0) {
		if (bytes_chr(normal, '@', &at)) {
			found = account_of_address(config, &a, normal,
			    account);
		} else {
			found = config_account_valid(normal) &&
			    config_account_exists(config, normal) &&
			    copy_account(account, normal);
		}
	}
	arena_free(&a);
	return found;
}

/* 1 the verifier is there, 0 none, -1 errno. */
static int
find_verifier(const struct config *config, struct sasl_db *db,
    struct bytes authcid, char account[SASL_ACCOUNT_MAX + 1],
    struct sasl_verifier *v, const char **why)
{
	int r = sasl_account_of(config, authcid, account);

	*why = "unknown user";
	if (r != 1)
		return r;
	*why = "no password set";
	if (db == NULL)
		return 0;
	if (sasl_db_get(db, account, v) == -1)
		return errno == ENOENT ? 0 : -1;
	*why = "wrong password";
	return 1;
}

static void
outcome(struct sasl_outcome *out, enum sasl_result result, const char *reason,
    const char *why)
{
	size_t n = strlen(reason);

	if (n > SASL_REASON_MAX)
		n = SASL_REASON_MAX;
	out->result = result;
	memcpy(out->reason, reason, n);
	out->reason[n] = '\0';
	out->why = why;
}

/* The password was right: may this account log in, and as authzid? */
static void
allow(const struct config *config, const char *account,
    struct bytes authzid, struct sasl_outcome *out)
{
	char other[SASL_ACCOUNT_MAX + 1];
	struct bytes text;

	if (authzid.n > 0 && (sasl_account_of(config, authzid, other) != 1 ||
	    !bytes_eq(bytes_str(other), bytes_str(account)))) {
		outcome(out, SASL_WRONG, "", "authorization as another user");
		return;
	}
	if (config_get(config, "account", account, "login-disabled", &text)
	    == 1 && text.n > 0) {
		text = unicode_first(text, SASL_REASON_MAX);
		outcome(out, SASL_DISABLED, "", "login disabled");
		memcpy(out->reason, text.p, text.n);
		out->reason[text.n] = '\0';
		return;
	}
	outcome(out, SASL_OK, "", "ok");
	memcpy(out->account, account, strlen(account) + 1);
}

void
sasl_login(const struct config *config, struct sasl_db *db,
    struct bytes authzid, struct bytes authcid, struct bytes password,
    struct sasl_outcome *out)
{
	char account[SASL_ACCOUNT_MAX + 1] = "";
	struct buf normal = BUF_INIT(4 * SASL_PASSWORD_MAX);
	struct sasl_verifier v;
	const char *why = "", *ignored;
	int have, right;

	*out = (struct sasl_outcome){ .result = SASL_WRONG };
	have = find_verifier(config, db, authcid, account, &v, &why);
	if (sasl_password_normal(password, &normal, &ignored) == -1)
		buf_reset(&normal);	/* never a password: checked as wrong */
	right = sasl_verifier_check(have == 1 ? &v : NULL,
	    buf_bytes(&normal));
	if (have == -1 || right == -1) {
		outcome(out, SASL_TEMPORARY, "authentication is unavailable",
		    "cannot read verifier");
	} else if (right == 1) {
		allow(config, account, authzid, out);
	} else {
		outcome(out, SASL_WRONG, "", why);
	}
	secret_wipe(&v, sizeof(v));
	if (normal.size > 0)
		secret_wipe(normal.p, normal.size);
	buf_free(&normal);
}
