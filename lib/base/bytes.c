/*
 * bytes.c - slices: compare, search, cut
 *
 * Together with the inline functions of base.h the one place where pointers
 * into outside data are moved.
 */
#include "base/base.h"

#include "base/eight.h"

struct bytes
bytes_from(struct bytes s, size_t n)
{
	return n >= s.n ? BYTES_EMPTY : bytes_of(s.p + n, s.n - n);
}

struct bytes
bytes_first(struct bytes s, size_t n)
{
	return bytes_of(s.p, n < s.n ? n : s.n);
}

struct bytes
bytes_last(struct bytes s, size_t n)
{
	return n >= s.n ? s : bytes_from(s, s.n - n);
}

bool
bytes_eq(struct bytes a, struct bytes b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

bool
bytes_caseeq(struct bytes a, struct bytes b)
{
	size_t i;

	if (a.n != b.n)
		return false;
	for (i = 0; i < a.n; i++) {
		if (a.p[i] != b.p[i] &&
		    ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	}
	return true;
}

int
bytes_cmp(struct bytes a, struct bytes b)
{
	int r = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	if (r != 0)
		return r;
	return a.n < b.n ? -1 : a.n > b.n;
}

bool
bytes_starts(struct bytes s, struct bytes prefix)
{
	return s.n >= prefix.n && memcmp(s.p, prefix.p, prefix.n) == 0;
}

bool
bytes_casestarts(struct bytes s, struct bytes prefix)
{
	return bytes_caseeq(bytes_first(s, prefix.n), prefix);
}

bool
bytes_ends(struct bytes s, struct bytes suffix)
{
	return bytes_eq(bytes_last(s, suffix.n), suffix);
}

bool
bytes_caseends(struct bytes s, struct bytes suffix)
{
	return bytes_caseeq(bytes_last(s, suffix.n), suffix);
}

bool
bytes_chr(struct bytes s, int c, size_t *at)
{
	const unsigned char *q = memchr(s.p, c, s.n);

	if (q == NULL)
		return false;
	*at = (size_t)(q - s.p);
	return true;
}

bool
bytes_rchr(struct bytes s, int c, size_t *at)
{
	const unsigned char *q = memrchr(s.p, c, s.n);

	if (q == NULL)
		return false;
	*at = (size_t)(q - s.p);
	return true;
}

bool
bytes_find(struct bytes s, struct bytes needle, size_t *at)
{
	const unsigned char *q = memmem(s.p, s.n, needle.p, needle.n);

	if (q == NULL)
		return false;
	*at = (size_t)(q - s.p);
	return true;
}

/* The place of a byte of a word that few texts are full of. */
static size_t
rare_place(struct bytes word)
{
	static const unsigned char often[] = " etaoinshrdluc";
	size_t i;

	for (i = 0; i < word.n; i++) {
		if (memchr(often, ascii_lower(word.p[i]),
		    sizeof(often) - 1) == NULL)
			return i;
	}
	return 0;
}

/* The next place of c from p on, below end, or NULL. */
static const unsigned char *
next_place(const unsigned char *p, const unsigned char *end, int c)
{
	return memchr(p, c, (size_t)(end - p));
}

bool
bytes_casefind(struct bytes s, struct bytes needle, size_t *at)
{
	const unsigned char *from, *end, *low, *high;
	size_t k = rare_place(needle);
	int c;

	if (needle.n > s.n)
		return false;
	if (needle.n == 0) {
		*at = 0;
		return true;
	}
	/* Where byte k of the needle may stand, in either case. */
	from = s.p + k;
	end = from + (s.n - needle.n) + 1;
	c = needle.p[k];
	low = next_place(from, end, ascii_lower(c));
	high = ascii_lower(c) == ascii_upper(c) ? NULL
	    : next_place(from, end, ascii_upper(c));
	while (low != NULL || high != NULL) {
		bool is_low = high == NULL || (low != NULL && low < high);
		const unsigned char **next = is_low ? &low : &high;

		from = *next;
		if (bytes_caseeq(bytes_of(from - k, needle.n), needle)) {
			*at = (size_t)(from - k - s.p);
			return true;
		}
		*next = next_place(from + 1, end, *from);
	}
	return false;
}

/* Loops over so many bytes, which the compiler knows, become vectors. */
#define BLOCK 64

static unsigned char
other_case(unsigned char c, unsigned char first)
{
	return (unsigned char)(c ^ ((unsigned char)(c - first) < 26) << 5);
}

/* Change the case of the 26 letters from first on. out may be s. */
static void
change_case(unsigned char *out, struct bytes s, unsigned char first)
{
	unsigned char block[BLOCK];
	size_t i = 0, k;

	for (; s.n - i >= BLOCK; i += BLOCK) {
		memcpy(block, s.p + i, BLOCK);
		for (k = 0; k < BLOCK; k++)
			block[k] = other_case(block[k], first);
		memcpy(out + i, block, BLOCK);
	}
	for (; i < s.n; i++)
		out[i] = other_case(s.p[i], first);
}

void
bytes_lower(unsigned char *out, struct bytes s)
{
	change_case(out, s, 'A');
}

void
bytes_upper(unsigned char *out, struct bytes s)
{
	change_case(out, s, 'a');
}

bool
bytes_skip(struct bytes *s, struct bytes prefix)
{
	if (!bytes_starts(*s, prefix))
		return false;
	*s = bytes_from(*s, prefix.n);
	return true;
}

bool
bytes_caseskip(struct bytes *s, struct bytes prefix)
{
	if (!bytes_casestarts(*s, prefix))
		return false;
	*s = bytes_from(*s, prefix.n);
	return true;
}

bool
bytes_split(struct bytes *s, int c, struct bytes *head)
{
	size_t at;

	if (!bytes_chr(*s, c, &at)) {
		*head = *s;
		*s = BYTES_EMPTY;
		return false;
	}
	*head = bytes_first(*s, at);
	*s = bytes_from(*s, at + 1);
	return true;
}

bool
bytes_line(struct bytes *s, struct bytes *line)
{
	if (s->n == 0)
		return false;
	if (bytes_split(s, '\n', line) && bytes_ends(*line, BYTES("\r")))
		*line = bytes_first(*line, line->n - 1);
	return true;
}

bool
bytes_word(struct bytes *s, struct bytes *word)
{
	size_t i = 0, start;

	while (i < s->n && ascii_is_wsp(s->p[i]))
		i++;
	start = i;
	while (i < s->n && !ascii_is_wsp(s->p[i]))
		i++;
	if (start == i)
		return false;
	*word = bytes_of(s->p + start, i - start);
	*s = bytes_from(*s, i);
	return true;
}

struct bytes
bytes_ltrim(struct bytes s)
{
	size_t i = 0;

	while (i < s.n && ascii_is_space(s.p[i]))
		i++;
	return bytes_from(s, i);
}

struct bytes
bytes_rtrim(struct bytes s)
{
	while (s.n > 0 && ascii_is_space(s.p[s.n - 1]))
		s.n--;
	return bytes_of(s.p, s.n);
}

struct bytes
bytes_trim(struct bytes s)
{
	return bytes_rtrim(bytes_ltrim(s));
}

bool
bytes_has_nul(struct bytes s)
{
	return memchr(s.p, '\0', s.n) != NULL;
}

bool
bytes_is_ascii(struct bytes s)
{
	uint64_t w[4], seen = 0, other = 0;
	size_t i = 0;

	for (; s.n - i >= sizeof(w); i += sizeof(w)) {
		memcpy(w, s.p + i, sizeof(w));
		seen |= w[0] | w[1];
		other |= w[2] | w[3];
	}
	for (seen |= other; s.n - i >= sizeof(w[0]); i += sizeof(w[0])) {
		memcpy(w, s.p + i, sizeof(w[0]));
		seen |= w[0];
	}
	for (; i < s.n; i++)
		seen |= s.p[i];
	return (seen & EIGHT_TOP) == 0;
}

size_t
bytes_count(struct bytes s, int c)
{
	const unsigned char wanted = (unsigned char)c;
	unsigned char block[BLOCK], counts[BLOCK];
	size_t n = 0, i = 0, k, rounds;

	while (s.n - i >= BLOCK) {
		memset(counts, 0, BLOCK);
		/* as often as a byte can count */
		for (rounds = 0; rounds < 255 && s.n - i >= BLOCK; rounds++) {
			memcpy(block, s.p + i, BLOCK);
			for (k = 0; k < BLOCK; k++)
				counts[k] = (unsigned char)(counts[k] +
				    (block[k] == wanted));
			i += BLOCK;
		}
		for (k = 0; k < BLOCK; k++)
			n += counts[k];
	}
	for (; i < s.n; i++)
		n += s.p[i] == wanted;
	return n;
}

bool
bytes_equal_secret(struct bytes a, struct bytes b)
{
	volatile unsigned char diff = 0;
	size_t i;

	if (a.n != b.n)
		return false;
	for (i = 0; i < a.n; i++)
		diff = (unsigned char)(diff | (a.p[i] ^ b.p[i]));
	return diff == 0;
}

uint64_t
bytes_hash(struct bytes s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * UINT64_C(0x100000001b3);
	return h;
}

void
secret_wipe(void *p, size_t n)
{
	if (n > 0)		/* p may be NULL then */
		explicit_bzero(p, n);
}

int
ascii_hex_value(int c)
{
	if (ascii_is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}
