/*
 * db.c - the environment var/auth/: verifiers, app passwords, client keys,
 * secrets of one-time passwords
 *
 * pipemail-auth(5) has the layout. Each change is one durable transaction.
 */
#include "sasl/internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "kv/kv.h"
#include "os/os.h"
#include "unicode/unicode.h"

/* Address space only: a million login attempts at 300 bytes, and keys. */
#define MAP_BYTES ((size_t)1 << 30)

/* In the order of the SASL_TABLE_ numbers. */
static const char *const tables[] = {
	"verifier", "app", "key", "totp", "server", "attempt", NULL
};

#define RECORD_VERSION 1
/* App password: version, services and NUL, verifier. */
#define APP_BYTES_MAX (2 + SASL_PARAM_MAX + 1 + SASL_VERIFIER_BYTES_MAX)
/* Client key: version, flags, time, three texts. */
#define KEY_BYTES_MAX (3 + 8 + SASL_ACCOUNT_MAX + SASL_NAME_MAX + \
	SASL_LABEL_MAX + 3)
#define KEY_NO_PREAUTH 1
#define TOTP_BYTES (2 + 8 + 8 + TOTP_SECRET_BYTES)

struct sasl_db {
	struct kv *kv;
};

struct kv *
sasl_db_kv(struct sasl_db *db)
{
	return db->kv;
}

struct sasl_db *
sasl_db_open(const char *var_dir, bool for_writing)
{
	struct sasl_db *db;
	struct stat st;
	struct kv *kv;
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/auth", var_dir);

	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	if (os_be_owner(path) == -1)
		return NULL;
	if (for_writing) {
		if (mkdir(path, 0700) == -1 && errno != EEXIST)
			return NULL;
	} else if (stat(path, &st) == -1) {
		return NULL;
	}
	kv = kv_open(path, MAP_BYTES, tables);
	if (kv == NULL)
		return NULL;
	db = mem_zalloc(1, sizeof(*db));
	db->kv = kv;
	return db;
}

void
sasl_db_close(struct sasl_db *db)
{
	if (db == NULL)
		return;
	kv_close(db->kv);
	free(db);
}

/* ---- one record ---- */

static int
end_failed(struct kv_txn *t)
{
	int saved = errno;

	kv_abort(t);
	errno = saved;
	return -1;
}

static int
put(struct sasl_db *db, unsigned int table, struct bytes key,
    struct bytes value)
{
	struct kv_txn *t = kv_begin(db->kv, true);

	if (t == NULL)
		return -1;
	if (kv_put(t, table, key, value) == -1)
		return end_failed(t);
	return kv_commit(t, true);
}

/* 1 removed, 0 was not there, -1. */
static int
removed(struct sasl_db *db, unsigned int table, struct bytes key)
{
	struct kv_txn *t = kv_begin(db->kv, true);
	int r;

	if (t == NULL)
		return -1;
	r = kv_delete(t, table, key);
	if (r == 1)
		return kv_commit(t, true) == -1 ? -1 : 1;
	(void)end_failed(t);
	return r;
}

static void
wipe(struct buf *b)
{
	if (b->size > 0)
		secret_wipe(b->p, b->size);
	buf_free(b);
}

int
sasl_db_get(struct sasl_db *db, const char *account,
    struct sasl_verifier *out)
{
	struct kv_txn *t = kv_begin(db->kv, false);
	struct bytes value;
	int r, saved;

	if (t == NULL)
		return -1;
	r = kv_get(t, SASL_TABLE_VERIFIER, bytes_str(account), &value);
	if (r == 1) {
		r = sasl_verifier_parse(value, out);
	} else if (r == 0) {
		errno = ENOENT;
		r = -1;
	}
	saved = errno;
	kv_abort(t);
	errno = saved;
	return r;
}

int
sasl_db_put(struct sasl_db *db, const char *account,
    const struct sasl_verifier *v)
{
	struct buf b = BUF_INIT(SASL_VERIFIER_BYTES_MAX);
	int r = sasl_verifier_format(v, &b), saved;

	if (r == 0)
		r = put(db, SASL_TABLE_VERIFIER, bytes_str(account),
		    buf_bytes(&b));
	saved = errno;
	wipe(&b);
	errno = saved;
	return r;
}

int
sasl_db_remove(struct sasl_db *db, const char *account)
{
	return removed(db, SASL_TABLE_VERIFIER, bytes_str(account));
}

int
sasl_db_server_secret(struct sasl_db *db, unsigned char out[32])
{
	struct kv_txn *t = kv_begin(db->kv, true);
	struct bytes value;
	int r;

	if (t == NULL)
		return -1;
	r = kv_get(t, SASL_TABLE_SERVER, BYTES("secret"), &value);
	if (r == 1 && value.n == 32) {
		memcpy(out, value.p, 32);
		kv_abort(t);
		return 0;
	}
	if (r != -1) {
		os_random(out, 32);
		r = kv_put(t, SASL_TABLE_SERVER, BYTES("secret"),
		    bytes_of(out, 32));
	}
	return r == -1 ? end_failed(t) : kv_commit(t, true);
}

/* ---- app passwords ---- */

bool
sasl_label_valid(struct bytes s)
{
	uint32_t c;
	int r;

	if (s.n == 0 || s.n > SASL_LABEL_MAX)
		return false;
	while ((r = unicode_next(&s, &c)) == 1) {
		if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			return false;
	}
	return r == 0;
}

bool
sasl_services_has(const char *services, const char *service)
{
	struct bytes rest = bytes_str(services), word;
	struct bytes wanted = bytes_str(service);

	if (rest.n == 0)
		return true;
	if (bytes_eq(wanted, BYTES("submission")) ||
	    bytes_eq(wanted, BYTES("submissions")))
		wanted = BYTES("smtp");
	while (rest.n > 0) {
		bytes_split(&rest, ',', &word);
		if (bytes_eq(word, wanted))
			return true;
	}
	return false;
}

/* The account, a NUL, the label. */
static void
app_key(struct buf *b, const char *account, const char *label)
{
	buf_adds(b, account);
	buf_addc(b, 0);
	buf_adds(b, label);
}

#define APP_KEY_MAX (SASL_ACCOUNT_MAX + 1 + SASL_LABEL_MAX)

static bool
app_parse(struct bytes label, struct bytes s, struct sasl_credential *c)
{
	struct bytes services;

	if (label.n == 0 || label.n > SASL_LABEL_MAX ||
	    bytes_next(&s) != 0 || bytes_next(&s) != RECORD_VERSION ||
	    !bytes_split(&s, '\0', &services) ||
	    services.n > SASL_PARAM_MAX ||
	    sasl_verifier_parse(s, &c->verifier) == -1)
		return false;
	memcpy(c->label, label.p, label.n);
	memcpy(c->services, services.p, services.n);
	return true;
}

/* App passwords of account from the cursor on; -1 EBADMSG. */
static int
read_apps(struct kv_cursor *cursor, const char *account,
    struct sasl_credential *list, size_t *count)
{
	struct buf prefix = BUF_INIT(APP_KEY_MAX);
	struct bytes key, value;
	int r;

	app_key(&prefix, account, "");
	key = buf_bytes(&prefix);
	r = kv_seek(cursor, &key, &value);
	while (r == 1 && bytes_skip(&key, buf_bytes(&prefix))) {
		if (*count == 1 + SASL_APPS_MAX ||
		    !app_parse(key, value, &list[*count])) {
			errno = EBADMSG;
			r = -1;
			break;
		}
		++*count;
		r = kv_next(cursor, &key, &value);
	}
	buf_free(&prefix);
	return r == -1 ? -1 : 0;
}

void
sasl_credentials_wipe(struct sasl_credential *list, size_t count)
{
	if (list != NULL)
		secret_wipe(list, count * sizeof(*list));
	free(list);
}

int
sasl_db_credentials(struct sasl_db *db, const char *account,
    struct sasl_credential **list, size_t *count)
{
	struct sasl_credential *all = mem_zalloc(1 + SASL_APPS_MAX,
	    sizeof(*all));
	struct kv_txn *t = kv_begin(db->kv, false);
	struct kv_cursor *cursor = NULL;
	struct bytes value;
	size_t n = 0;
	int r = -1, saved;

	if (t != NULL)
		r = kv_get(t, SASL_TABLE_VERIFIER, bytes_str(account),
		    &value);
	if (r == 1 && (r = sasl_verifier_parse(value,
	    &all[0].verifier)) == 0)
		n = 1;
	if (r == 0 && (cursor = kv_cursor_open(t, SASL_TABLE_APP)) == NULL)
		r = -1;
	if (r == 0)
		r = read_apps(cursor, account, all, &n);
	saved = errno;
	kv_cursor_close(cursor);
	kv_abort(t);
	if (r == -1) {
		sasl_credentials_wipe(all, 1 + SASL_APPS_MAX);
		errno = saved;
		return -1;
	}
	*list = all;
	*count = n;
	return 0;
}

static int
app_format(const struct sasl_credential *c, struct buf *out)
{
	buf_addc(out, 0);
	buf_addc(out, RECORD_VERSION);
	buf_adds(out, c->services);
	buf_addc(out, 0);
	return sasl_verifier_format(&c->verifier, out);
}

int
sasl_db_app_add(struct sasl_db *db, const char *account,
    const struct sasl_credential *c)
{
	struct sasl_credential *list;
	struct buf key = BUF_INIT(APP_KEY_MAX), b = BUF_INIT(APP_BYTES_MAX);
	size_t count, apps = 0, i;
	bool used = false;
	int r, saved;

	/* One administrator at a time: a race adds one too many. */
	if (sasl_db_credentials(db, account, &list, &count) == -1)
		return -1;
	for (i = 0; i < count; i++) {
		apps += list[i].label[0] != '\0';
		used = used || strcmp(list[i].label, c->label) == 0;
	}
	sasl_credentials_wipe(list, count);
	if (used || apps == SASL_APPS_MAX) {
		errno = used ? EEXIST : EMSGSIZE;
		return -1;
	}
	app_key(&key, account, c->label);
	r = app_format(c, &b);
	if (r == 0)
		r = put(db, SASL_TABLE_APP, buf_bytes(&key), buf_bytes(&b));
	saved = errno;
	wipe(&b);
	buf_free(&key);
	errno = saved;
	return r;
}

int
sasl_db_app_remove(struct sasl_db *db, const char *account,
    const char *label)
{
	struct buf key = BUF_INIT(APP_KEY_MAX);
	int r;

	app_key(&key, account, label);
	r = key.full || label[0] == '\0' ? 0
	    : removed(db, SASL_TABLE_APP, buf_bytes(&key));
	buf_free(&key);
	return r;
}

/* ---- client keys ---- */

static bool
take_text(struct bytes *s, char *to, size_t max)
{
	struct bytes text;

	if (!bytes_split(s, '\0', &text) || text.n > max)
		return false;
	memcpy(to, text.p, text.n);
	to[text.n] = '\0';
	return true;
}

static int
key_parse(struct bytes id, struct bytes s, struct sasl_client_key *k)
{
	struct bytes head;
	struct sasl_client_key r = { 0 };

	if (id.n != CLIENTKEY_ID_BYTES || !bytes_cut(&s, 11, &head) ||
	    head.p[0] != 0 || head.p[1] != RECORD_VERSION ||
	    !take_text(&s, r.account, SASL_ACCOUNT_MAX) ||
	    !take_text(&s, r.login, SASL_NAME_MAX) ||
	    !take_text(&s, r.label, SASL_LABEL_MAX) || s.n != 0) {
		errno = EBADMSG;
		return -1;
	}
	memcpy(r.id, id.p, id.n);
	r.no_preauth = (head.p[2] & KEY_NO_PREAUTH) != 0;
	r.added = (int64_t)(be64_get(head.p + 3) & INT64_MAX);
	*k = r;
	return 0;
}

int
sasl_db_key_get(struct sasl_db *db,
    const unsigned char id[CLIENTKEY_ID_BYTES], struct sasl_client_key *out)
{
	struct kv_txn *t = kv_begin(db->kv, false);
	struct bytes key = bytes_of(id, CLIENTKEY_ID_BYTES), value;
	int r, saved;

	if (t == NULL)
		return -1;
	r = kv_get(t, SASL_TABLE_KEY, key, &value);
	if (r == 1 && key_parse(key, value, out) == -1)
		r = -1;
	saved = errno;
	kv_abort(t);
	errno = saved;
	return r;
}

int
sasl_db_key_list(struct sasl_db *db, const char *account,
    struct sasl_client_key **list, size_t *count)
{
	struct kv_txn *t = kv_begin(db->kv, false);
	struct kv_cursor *cursor;
	struct sasl_client_key *all = NULL, k;
	struct bytes key = BYTES("\0"), value;
	size_t n = 0;
	int r, saved;

	if (t == NULL)
		return -1;
	cursor = kv_cursor_open(t, SASL_TABLE_KEY);
	r = cursor == NULL ? -1 : kv_seek(cursor, &key, &value);
	while (r == 1) {
		if (key_parse(key, value, &k) == -1) {
			r = -1;
			break;
		}
		if (account == NULL || strcmp(account, k.account) == 0) {
			all = mem_realloc(all, (n + 1) * sizeof(*all));
			all[n++] = k;
		}
		r = kv_next(cursor, &key, &value);
	}
	saved = errno;
	kv_cursor_close(cursor);
	kv_abort(t);
	if (r == -1) {
		free(all);
		errno = saved;
		return -1;
	}
	*list = all;
	*count = n;
	return 0;
}

int
sasl_db_key_add(struct sasl_db *db, const struct sasl_client_key *k)
{
	struct sasl_client_key *list, other;
	struct buf b = BUF_INIT(KEY_BYTES_MAX);
	unsigned char added[8];
	size_t count;
	int r = sasl_db_key_get(db, k->id, &other);

	if (r == 0)
		r = sasl_db_key_list(db, k->account, &list, &count);
	else if (r == 1)
		errno = EEXIST;
	if (r != 0)
		return -1;
	free(list);
	if (count >= SASL_KEYS_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	be64_put(added, (uint64_t)k->added);
	buf_addc(&b, 0);
	buf_addc(&b, RECORD_VERSION);
	buf_addc(&b, k->no_preauth ? KEY_NO_PREAUTH : 0);
	buf_add(&b, bytes_of(added, sizeof(added)));
	buf_add(&b, bytes_of(k->account, strlen(k->account) + 1));
	buf_add(&b, bytes_of(k->login, strlen(k->login) + 1));
	buf_add(&b, bytes_of(k->label, strlen(k->label) + 1));
	r = put(db, SASL_TABLE_KEY, bytes_of(k->id, sizeof(k->id)),
	    buf_bytes(&b));
	buf_free(&b);
	return r;
}

int
sasl_db_key_remove(struct sasl_db *db, const char *account,
    const unsigned char id[CLIENTKEY_ID_BYTES])
{
	struct sasl_client_key k;
	int r = sasl_db_key_get(db, id, &k);

	if (r != 1)
		return r;
	if (strcmp(k.account, account) != 0)
		return 0;
	return removed(db, SASL_TABLE_KEY, bytes_of(id, CLIENTKEY_ID_BYTES));
}

/* ---- one-time passwords ---- */

int
sasl_db_totp_get(struct sasl_db *db, const char *account, struct totp *out)
{
	struct kv_txn *t = kv_begin(db->kv, false);
	struct bytes v;
	int r, saved;

	if (t == NULL)
		return -1;
	r = kv_get(t, SASL_TABLE_TOTP, bytes_str(account), &v);
	if (r == 1 && (v.n != TOTP_BYTES || v.p[0] != 0 ||
	    v.p[1] != RECORD_VERSION)) {
		errno = EBADMSG;
		r = -1;
	} else if (r == 1) {
		out->added = (int64_t)(be64_get(v.p + 2) & INT64_MAX);
		out->last = (int64_t)(be64_get(v.p + 10) & INT64_MAX);
		memcpy(out->secret, v.p + 18, TOTP_SECRET_BYTES);
	}
	saved = errno;
	kv_abort(t);
	errno = saved;
	return r;
}

int
sasl_db_totp_put(struct sasl_db *db, const char *account,
    const struct totp *t)
{
	unsigned char v[TOTP_BYTES] = { 0, RECORD_VERSION };
	int r;

	be64_put(v + 2, (uint64_t)t->added);
	be64_put(v + 10, (uint64_t)t->last);
	memcpy(v + 18, t->secret, TOTP_SECRET_BYTES);
	r = put(db, SASL_TABLE_TOTP, bytes_str(account),
	    bytes_of(v, sizeof(v)));
	secret_wipe(v, sizeof(v));
	return r;
}

int
sasl_db_totp_remove(struct sasl_db *db, const char *account)
{
	return removed(db, SASL_TABLE_TOTP, bytes_str(account));
}

int
sasl_db_totp_check(struct sasl_db *db, const char *account,
    struct bytes digits, int64_t seconds)
{
	struct totp t;
	int r = sasl_db_totp_get(db, account, &t);

	if (r == 0)
		errno = ENOENT;
	if (r != 1)
		return -1;
	r = totp_check(&t, digits, seconds) ? 1 : 0;
	if (r == 1 && sasl_db_totp_put(db, account, &t) == -1)
		r = -1;
	secret_wipe(&t, sizeof(t));
	return r;
}
