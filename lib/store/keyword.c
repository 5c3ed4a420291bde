/*
 * Flags and keywords. A mailbox numbers its keywords; the first 26 have a
 * letter in file names through dovecot-keywords, further ones live in the
 * index alone. $Junk and the like are flags to us and keywords to the file.
 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>

static const struct {
	const char *name;
	char letter;
} flag_names[10] = {
	{ "\\Seen", 'S' }, { "\\Answered", 'R' }, { "\\Flagged", 'F' },
	{ "\\Deleted", 'T' }, { "\\Draft", 'D' }, { "$Forwarded", 'P' },
	{ "$Junk", 0 }, { "$NotJunk", 0 }, { "$Phishing", 0 },
	{ "$MDNSent", 0 },
};

/* How other programs spell some of them. */
static const struct {
	const char *name;
	uint32_t flag;
} aliases[] = {
	{ "Forwarded", STORE_FORWARDED }, { "Junk", STORE_JUNK },
	{ "NonJunk", STORE_NOTJUNK }, { "$NonJunk", STORE_NOTJUNK },
	{ "NotJunk", STORE_NOTJUNK }, { "Phishing", STORE_PHISHING },
	{ "MDNSent", STORE_MDNSENT },
};

static const char *const use_names[5] = {
	"\\Sent", "\\Archive", "\\Trash", "\\Drafts", "\\Junk",
};

#define FIRST_KEYWORD_FLAG 6	/* index of $Junk */
#define FLAG_COUNT 10

const char *
store_flag_name(uint32_t flag)
{
	unsigned int i;

	for (i = 0; i < FLAG_COUNT; i++) {
		if (flag == 1u << i)
			return flag_names[i].name;
	}
	return NULL;
}

uint32_t
store_flag_find(struct bytes name)
{
	unsigned int i;

	for (i = 0; i < FLAG_COUNT; i++) {
		if (bytes_caseeq(name, bytes_str(flag_names[i].name)))
			return 1u << i;
	}
	for (i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (bytes_caseeq(name, bytes_str(aliases[i].name)))
			return aliases[i].flag;
	}
	return 0;
}

void
store_flag_letters(uint32_t flags, char out[STORE_FLAG_LETTERS_MAX])
{
	static const char letters[] = "DFPRST";
	unsigned int i, j, n = 0;

	for (i = 0; letters[i] != '\0'; i++) {
		for (j = 0; j < FIRST_KEYWORD_FLAG; j++) {
			if (flag_names[j].letter == letters[i] &&
			    (flags & 1u << j) != 0)
				out[n++] = letters[i];
		}
	}
	out[n] = '\0';
}

const char *
store_use_name(uint32_t use)
{
	unsigned int i;

	for (i = 0; i < 5; i++) {
		if (use == 1u << i)
			return use_names[i];
	}
	return NULL;
}

uint32_t
store_use_find(struct bytes name)
{
	unsigned int i;

	for (i = 0; i < 5; i++) {
		if (bytes_caseeq(name, bytes_str(use_names[i])))
			return 1u << i;
	}
	return 0;
}

/* RFC 9051 flag-keyword: an atom; a backslash is for system flags. */
static bool
is_keyword(struct bytes s)
{
	size_t i, at;

	if (s.n == 0 || s.n > STORE_KEYWORD_MAX)
		return false;
	for (i = 0; i < s.n; i++) {
		int c = s.p[i];

		if (c <= ' ' || c >= 0x7f ||
		    bytes_chr(BYTES("(){%*\"\\]"), c, &at))
			return false;
	}
	return true;
}

/* ---- the keywords of a mailbox ---- */

static void
note_name(struct keywords *k, unsigned int i, struct bytes name)
{
	uint32_t flag = store_flag_find(name);
	unsigned int f;

	k->name[i] = name;
	if (i >= k->count)
		k->count = i + 1;
	for (f = FIRST_KEYWORD_FLAG; f < FLAG_COUNT; f++) {
		if (flag == 1u << f && k->flag_number[f] == -1)
			k->flag_number[f] = (int)i;
	}
}

int
keywords_load(struct work *w, struct box *b)
{
	unsigned char from[6] = { 0 };
	struct bytes key = key_of(from, sizeof(from)), value;
	struct keywords *k;
	struct kv_cursor *c;
	unsigned int i;
	int r;

	if (b->keywords != NULL)
		return 0;
	if ((c = kv_cursor_open(w->t, TABLE_KEYWORD)) == NULL)
		return -1;
	k = mem_zalloc(1, sizeof(*k));
	for (i = 0; i < STORE_KEYWORDS_MAX; i++)
		k->name[i] = BYTES_EMPTY;
	for (i = 0; i < FLAG_COUNT; i++)
		k->flag_number[i] = -1;
	b->keywords = k;
	be32_put(from, b->rec.id);
	for (r = kv_seek(c, &key, &value); r == 1;
	    r = kv_next(c, &key, &value)) {
		if (key.n != 6 || be32_get(key.p) != b->rec.id)
			break;
		i = (unsigned int)(key.p[4] << 8 | key.p[5]);
		if (i < STORE_KEYWORDS_MAX)
			note_name(k, i, arena_bytes(&w->arena, value));
	}
	kv_cursor_close(c);
	return r == -1 ? -1 : 0;
}

static int
put_name(struct work *w, struct box *b, unsigned int i, struct bytes name)
{
	unsigned char key[6];

	be32_put(key, b->rec.id);
	key[4] = (unsigned char)(i >> 8);
	key[5] = (unsigned char)(i & 0xff);
	note_name(b->keywords, i, name);
	if (kv_put(w->t, TABLE_KEYWORD, key_of(key, 6), name) == -1)
		return -1;
	return work_change(w, STORE_CHANGE_KEYWORDS, b, 0);
}

int
keywords_number(struct work *w, struct box *b, struct bytes name,
    unsigned int *number)
{
	uint32_t flag = store_flag_find(name);
	struct keywords *k;
	unsigned int i;

	if (keywords_load(w, b) == -1)
		return -1;
	k = b->keywords;
	for (i = 0; i < k->count; i++) {
		if (k->name[i].n > 0 && (bytes_caseeq(k->name[i], name) ||
		    (flag != 0 && store_flag_find(k->name[i]) == flag))) {
			*number = i;
			return 0;
		}
	}
	if (!is_keyword(name)) {
		errno = EINVAL;
		return -1;
	}
	for (i = 0; i < STORE_KEYWORDS_MAX && k->name[i].n > 0; i++)
		continue;
	if (i == STORE_KEYWORDS_MAX) {
		errno = EOVERFLOW;
		return -1;
	}
	*number = i;
	k->dirty_file |= i < STORE_LETTERS;
	return put_name(w, b, i, flag != 0 ? bytes_str(store_flag_name(flag))
	    : arena_lower(&w->arena, name));
}

int
keywords_of(struct work *w, struct box *b, const struct bytes *names,
    size_t count, uint32_t *flags, struct store_keywords *bits)
{
	unsigned int n, f;
	uint32_t flag;
	size_t i;

	*bits = (struct store_keywords){ { 0 } };
	for (i = 0; i < count; i++) {
		if ((flag = store_flag_find(names[i])) != 0) {
			*flags |= flag;
			continue;
		}
		if (keywords_number(w, b, names[i], &n) == -1)
			return -1;
		bits->bits[n / 64] |= (uint64_t)1 << (n % 64);
		w->durable |= n >= STORE_LETTERS;
	}
	/* Flags that are keywords to the file need a number too. */
	for (f = FIRST_KEYWORD_FLAG; f < FLAG_COUNT; f++) {
		if ((*flags & 1u << f) == 0)
			continue;
		if (keywords_number(w, b, bytes_str(flag_names[f].name), &n)
		    == -1)
			return -1;
		w->durable |= n >= STORE_LETTERS;
	}
	return 0;
}

int
keywords_flush(struct work *w, struct box *b)
{
	struct maildir_keywords file = { { NULL } };
	struct keywords *k = b->keywords;
	struct stat st;
	unsigned int i;
	int r;

	if (!k->dirty_file)
		return 0;
	if (b->folder == NULL && work_box_open(w, b->rec.id) == NULL)
		return -1;
	for (i = 0; i < STORE_LETTERS; i++) {
		struct bytes n = k->name[i];

		if (n.n > 0)
			file.name[i] = mem_strdup(arena_str(&w->arena, n));
	}
	r = maildir_keywords_write(b->folder->dir, &file);
	maildir_keywords_free(&file);
	if (r == -1)
		return -1;
	if (fstatat(b->folder->dir, "dovecot-keywords", &st,
	    AT_SYMLINK_NOFOLLOW) == 0) {
		b->rec.stamp_keywords = stamp_of(&st);
		b->dirty = true;
	}
	k->dirty_file = false;
	return 0;
}

/* ---- letters ---- */

void
letters_parse(const struct keywords *k, struct bytes letters,
    uint32_t *flags, struct store_keywords *bits)
{
	unsigned int f, n;
	size_t i;

	*flags = 0;
	*bits = (struct store_keywords){ { 0 } };
	for (i = 0; i < letters.n; i++) {
		int c = letters.p[i];

		for (f = 0; f < FIRST_KEYWORD_FLAG; f++) {
			if (flag_names[f].letter == c)
				*flags |= 1u << f;
		}
		if (!ascii_is_lower(c) || k == NULL)
			continue;
		n = (unsigned int)(c - 'a');
		if (k->name[n].n == 0)
			continue;
		if ((f = store_flag_find(k->name[n])) != 0)
			*flags |= f;
		else
			bits->bits[0] |= (uint64_t)1 << n;
	}
}

int
suffix_format(struct buf *out, const struct keywords *k, uint32_t flags,
    const struct store_keywords *bits, struct bytes old_letters)
{
	bool set[128] = { false };
	unsigned int f, n;
	size_t i;

	/* What others mean by letters we do not know stays. */
	for (i = 0; i < old_letters.n; i++) {
		int c = old_letters.p[i];

		if (ascii_is_upper(c) || (ascii_is_lower(c) &&
		    (k == NULL || k->name[c - 'a'].n == 0)))
			set[c] = true;
	}
	for (f = 0; f < FLAG_COUNT; f++) {
		bool on = (flags & 1u << f) != 0;

		if (f < FIRST_KEYWORD_FLAG)
			set[(int)flag_names[f].letter] = on;
		else if (on && k != NULL && k->flag_number[f] >= 0 &&
		    k->flag_number[f] < STORE_LETTERS)
			set['a' + k->flag_number[f]] = true;
	}
	for (n = 0; k != NULL && n < STORE_LETTERS; n++) {
		if (store_keyword_has(bits, n))
			set['a' + n] = true;
	}
	(void)buf_adds(out, ":2,");	/* full tells */
	for (n = 'A'; n <= 'z'; n++) {
		if (set[n])
			(void)buf_addc(out, (int)n);	/* full tells */
	}
	if (out->full) {
		errno = EMSGSIZE;
		return -1;
	}
	return 0;
}

bool
keywords_same(const struct store_keywords *a, const struct store_keywords *b)
{
	return memcmp(a->bits, b->bits, sizeof(a->bits)) == 0;
}

bool
keywords_beyond(const struct keywords *k, uint32_t flags,
    const struct store_keywords *bits)
{
	unsigned int f;

	for (f = FIRST_KEYWORD_FLAG; f < FLAG_COUNT; f++) {
		if ((flags & 1u << f) != 0 && (k == NULL ||
		    k->flag_number[f] < 0 ||
		    k->flag_number[f] >= STORE_LETTERS))
			return true;
	}
	return bits->bits[0] >> STORE_LETTERS != 0 || bits->bits[1] != 0 ||
	    bits->bits[2] != 0 || bits->bits[3] != 0;
}
