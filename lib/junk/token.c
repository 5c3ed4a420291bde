/*
 * token.c - the words of a text
 *
 * A word is a run of letters and digits, in lower case, with an apostrophe
 * between two letters. Dropped: too short or too long ones, all digits,
 * random ones (six consonants or digits 2-9 in a row) and numbers. ASCII,
 * nearly all of mail, goes by a table of classes.
 */
#include "junk/internal.h"

#include "base/eight.h"
#include "unicode/unicode.h"

#define RANDOM_RUN 6
#define DIGITS_RUN 4	/* so many in a row: a number */
#define HEX_RUN 3	/* the same in a word of hex digits alone */
#define MARKS_MAX 8	/* of "!!!!!!" so many are told apart */
#define SUM_MAX 12
#define BLOCKS_MIN 80	/* a shorter text has none */
#define PIECE 4096	/* of a text, to see whether the set is full */

enum {
	LETTER = 1,
	DIGIT = 2,
	HARD = 4,		/* counts for a random run */
	HEX = 8,
	UPPER = 16,
	MARK = 32,		/* ! ? $ */
	MORE = 64,		/* may end a word otherwise than a blank */
	BEYOND = 128,		/* ASCII */
};

#define U(c) (LETTER | UPPER | (c))
#define C (LETTER | HARD)
#define V LETTER
static const unsigned char classes[256] = {
	['!'] = MARK, ['?'] = MARK, ['$'] = MARK,
	['\''] = MORE, ['%'] = MORE, [':'] = MORE,
	['0'] = DIGIT | HEX, ['1'] = DIGIT | HEX,
	['2'] = DIGIT | HEX | HARD, ['3'] = DIGIT | HEX | HARD,
	['4'] = DIGIT | HEX | HARD, ['5'] = DIGIT | HEX | HARD,
	['6'] = DIGIT | HEX | HARD, ['7'] = DIGIT | HEX | HARD,
	['8'] = DIGIT | HEX | HARD, ['9'] = DIGIT | HEX | HARD,
	['a'] = V | HEX, ['b'] = C | HEX, ['c'] = C | HEX, ['d'] = C | HEX,
	['e'] = V | HEX, ['f'] = C | HEX, ['g'] = C, ['h'] = C, ['i'] = V,
	['j'] = C, ['k'] = C, ['l'] = C, ['m'] = C, ['n'] = C, ['o'] = V,
	['p'] = C, ['q'] = C, ['r'] = C, ['s'] = C, ['t'] = C, ['u'] = V,
	['v'] = C, ['w'] = C, ['x'] = C, ['y'] = V, ['z'] = C,
	['A'] = U(V | HEX), ['B'] = U(C | HEX), ['C'] = U(C | HEX),
	['D'] = U(C | HEX), ['E'] = U(V | HEX), ['F'] = U(C | HEX),
	['G'] = U(C), ['H'] = U(C), ['I'] = U(V), ['J'] = U(C), ['K'] = U(C),
	['L'] = U(C), ['M'] = U(C), ['N'] = U(C), ['O'] = U(V), ['P'] = U(C),
	['Q'] = U(C), ['R'] = U(C), ['S'] = U(C), ['T'] = U(C), ['U'] = U(V),
	['V'] = U(C), ['W'] = U(C), ['X'] = U(C), ['Y'] = U(V), ['Z'] = U(C),
};
#undef U
#undef C
#undef V

/* What is known of a word's bytes. */
struct bytes_seen {
	size_t n;	/* JUNK_WORD_MAX + 1 of all words that are longer */
	uint64_t hard, digits;	/* a bit for each that is one */
	/* Whether any is one (a letter, beyond ASCII), or is not one. */
	uint64_t letter, beyond, not_upper, not_digit, not_hex;
	bool last_digit;
};

struct scan {
	struct junk_words *w;
	const struct junk_prefix *prefix, *shout, *trait;
	struct bytes rest;
	bool traits;
	/* The word under way. */
	unsigned char word[JUNK_WORD_MAX + 1 + JUNK_PAD];
	struct bytes_seen seen;
	/* The words before, for pairs and triples. */
	unsigned char before[JUNK_GRAMS_MAX - 1][JUNK_WORD_MAX];
	size_t before_n[JUNK_GRAMS_MAX - 1];
};

static void
begin_word(struct scan *s)
{
	s->seen = (struct bytes_seen){ 0 };
}

/* ---- the end of a word ---- */

static inline bool
is_random(const struct bytes_seen *b)
{
	uint64_t two = b->hard & b->hard >> 1, four = two & two >> 2;

	return (four & two >> (RANDOM_RUN - 2)) != 0 && b->beyond == 0;
}

static bool
is_hex(const unsigned char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (p[i] < 0x80 && (classes[p[i]] & HEX) == 0)
			return false;
	}
	return true;
}

static inline bool
is_number(const struct bytes_seen *b, const unsigned char *word)
{
	uint64_t two = b->digits & b->digits >> 1;

	if ((two & two >> (DIGITS_RUN - 2)) != 0)
		return true;
	if ((two & b->digits >> (HEX_RUN - 1)) == 0)
		return false;
	if (b->n > 2 && word[0] == '0' && word[1] == 'x')
		return b->beyond == 0 && is_hex(word + 2, b->n - 2);
	return b->not_hex == 0 && is_hex(word, b->n);
}

/* Two or three words with blanks between, the last one being the new one. */
static void
put_gram(struct scan *s, size_t size, size_t count)
{
	unsigned char b[JUNK_GRAMS_MAX * (JUNK_WORD_MAX + 1) + JUNK_PAD];
	size_t i, n = 0;

	for (i = count - 1; i > 0; i--) {
		if (s->before_n[i - 1] == 0)
			return;
		memcpy(b + n, s->before[i - 1], s->before_n[i - 1]);
		n += s->before_n[i - 1];
		b[n++] = ' ';
	}
	memcpy(b + n, s->word, size);
	junk_words_put_padded(s->w, s->prefix, b, n + size);
}

static void
put_grams(struct scan *s, size_t size)
{
	if ((s->w->grams & 2) != 0)
		put_gram(s, size, 2);
	if ((s->w->grams & 4) != 0)
		put_gram(s, size, 3);
	memcpy(s->before[1], s->before[0], s->before_n[0]);
	s->before_n[1] = s->before_n[0];
	memcpy(s->before[0], s->word, size);
	s->before_n[0] = size;
}

static inline void
put_word(struct scan *s, const struct bytes_seen *b)
{
	if ((s->w->grams & 1) != 0)
		junk_words_put_padded(s->w, s->prefix, s->word, b->n);
	if (s->traits && b->not_upper == 0 && b->n >= JUNK_SHOUT_MIN)
		junk_words_put_padded(s->w, s->shout, s->word, b->n);
	if ((s->w->grams & ~1u) != 0)
		put_grams(s, b->n);
}

/* "50%": the sign is at the front of the rest. */
static void
put_percent(struct scan *s)
{
	size_t n = s->seen.n;

	if (!s->traits || n > SUM_MAX || bytes_at(s->rest, 0) != '%')
		return;
	s->word[n] = '%';
	junk_words_put(s->w, s->trait, bytes_of(s->word, n + 1));
}

/* Of a word that is more than digits. */
static inline bool
is_word(const struct bytes_seen *b, const unsigned char *word)
{
	return b->n >= JUNK_WORD_MIN && b->n <= JUNK_WORD_MAX &&
	    !is_random(b) && !is_number(b, word);
}

static void
end_word(struct scan *s)
{
	if (s->seen.n == 0)
		return;
	if (s->seen.not_digit == 0)
		put_percent(s);
	else if (is_word(&s->seen, s->word))
		put_word(s, &s->seen);
	begin_word(s);
}

/* ---- what words are made of ---- */

static void
add_byte(struct scan *s, unsigned char c, unsigned int class)
{
	struct bytes_seen *b = &s->seen;
	size_t at = b->n;

	s->word[at] = c;
	b->n += at <= JUNK_WORD_MAX;
	b->hard |= (uint64_t)((class & HARD) != 0) << at;
	b->digits |= (uint64_t)((class & DIGIT) != 0) << at;
	b->letter |= class & LETTER;
	b->beyond |= class & BEYOND;
	b->not_upper |= ~class & UPPER;
	b->not_digit |= ~class & DIGIT;
	b->not_hex |= ~class & HEX;
	b->last_digit = (class & DIGIT) != 0;
}

/*
 * What of the next eight bytes are ASCII letters and digits, up to the first
 * that is none: what add_byte does for each. How many.
 */
static inline size_t
add_eight(struct bytes_seen *b, unsigned char *word, const unsigned char *p)
{
	uint64_t x = eight_get(p), low = x | EIGHT(0x20U);
	uint64_t letter = eight_within(low, 'a', 'z');
	uint64_t stop = ~letter & EIGHT_TOP, digit = 0, in, hard;
	size_t k = eight_first(stop);

	/* Few words have digits. */
	if (k < 8 && ascii_is_digit(p[k])) {
		digit = eight_within(x, '0', '9');
		k = eight_first(stop & ~digit);
	}
	if (k == 0)
		return 0;
	in = EIGHT_TOP >> (64 - 8 * k);
	letter &= in;
	digit &= in;
	/* a e i m q u y are one another but for three bits */
	hard = letter & ~eight_is(low, 'o') & (eight_is(low, 'm') |
	    eight_is(low, 'q') | ~eight_is(low | EIGHT(0x1cU), 0x7d));
	if (digit != 0) {
		hard |= digit & ~eight_below(x, '2');
		b->digits |= eight_gather(digit) << b->n;
	}
	b->hard |= eight_gather(hard) << b->n;
	eight_put(word + b->n, x | letter >> 2);
	b->letter |= letter;
	b->not_upper |= digit | (letter & x << 2);
	b->not_digit |= letter;
	b->last_digit = digit >> (8 * k - 1) != 0;
	b->n += k;
	if (b->n > JUNK_WORD_MAX)
		b->n = JUNK_WORD_MAX + 1;
	return k;
}

/* Whether p, with end behind it, is an apostrophe within a word and eight bytes
 * more; it is added then as add_other does. */
static inline bool
add_apostrophe(struct bytes_seen *b, unsigned char *word,
    const unsigned char *p, const unsigned char *end)
{
	if (end - p <= 8 || *p != '\'' || b->letter == 0 || b->last_digit ||
	    !ascii_is_alpha(p[1]))
		return false;
	word[b->n] = '\'';
	b->n += b->n <= JUNK_WORD_MAX;
	b->not_digit = b->not_hex = 1;
	return true;
}

/*
 * A word of ASCII from its first letter or digit on, most often all of it and
 * what ends it; else its beginning is left under way.
 */
static void
add_ascii(struct scan *s)
{
	const unsigned char *p = s->rest.p, *end = p + s->rest.n;
	struct bytes_seen b = s->seen;
	bool ends, more;
	size_t k;

	do {
		do {
			k = add_eight(&b, s->word, p);
			p += k;
		} while (k == 8 && end - p >= 8);
		more = add_apostrophe(&b, s->word, p, end);
		p += more;
	} while (more);
	ends = p < end && *p < 0x80 && classes[*p] == 0;
	s->rest = bytes_of(p + ends, (size_t)(end - p) - ends);
	if (!ends) {
		s->seen = b;
		return;
	}
	if (b.not_digit != 0 && is_word(&b, s->word))
		put_word(s, &b);
	if (s->seen.n > 0)
		begin_word(s);
}

/* A scalar value beyond ASCII; how many bytes. */
static inline size_t
put_utf8(unsigned char out[4], uint32_t c)
{
	size_t n = 0;

	if (c < 0x800) {
		out[n++] = (unsigned char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			out[n++] = (unsigned char)(0xe0 | c >> 12);
		} else {
			out[n++] = (unsigned char)(0xf0 | c >> 18);
			out[n++] = 0x80 | (c >> 12 & 0x3f);
		}
		out[n++] = 0x80 | (c >> 6 & 0x3f);
	}
	out[n++] = 0x80 | (c & 0x3f);
	return n;
}

static void
add_digit(struct scan *s, uint32_t c)
{
	unsigned char utf8[4];
	size_t i, n = put_utf8(utf8, c);

	for (i = 0; i < n; i++)
		add_byte(s, utf8[i], DIGIT | HEX | BEYOND);
}

/* A letter or ideograph: what add_byte does for each of its bytes. Some are of
 * ASCII in lower case. */
static inline void
add_letter(struct scan *s, uint32_t c)
{
	struct bytes_seen *b = &s->seen;

	if (c < 0x80) {
		add_byte(s, (unsigned char)c, LETTER | BEYOND);
		return;
	}
	b->n += put_utf8(s->word + b->n, c);
	if (b->n > JUNK_WORD_MAX)
		b->n = JUNK_WORD_MAX + 1;
	b->letter = b->beyond = 1;
	b->not_upper = b->not_digit = b->not_hex = 1;
	b->last_digit = false;
}

/*
 * Scripts that part no words: each character with the one after it is a word.
 */
static void
put_ideographs(struct scan *s, uint32_t first)
{
	struct bytes rest;
	uint32_t second, lower;

	end_word(s);
	rest = s->rest;
	if (unicode_next(&rest, &second) != 1 ||
	    unicode_classify(second, &lower) != UNICODE_IDEOGRAPH)
		return;
	add_letter(s, first);
	add_letter(s, second);
	put_word(s, &s->seen);
	begin_word(s);
}

static void
add_beyond_ascii(struct scan *s)
{
	uint32_t code_point, lower;

	code_point = unicode_two(s->rest);
	if (code_point != 0) {
		s->rest = bytes_of(s->rest.p + 2, s->rest.n - 2);
	} else if (unicode_next(&s->rest, &code_point) != 1) {
		end_word(s);
		return;
	}
	switch (unicode_classify(code_point, &lower)) {
	case UNICODE_LETTER:
		add_letter(s, lower);
		break;
	case UNICODE_DIGIT:
		add_digit(s, lower);
		break;
	case UNICODE_IDEOGRAPH:
		put_ideographs(s, code_point);
		break;
	case UNICODE_IGNORABLE:
		break;
	case UNICODE_OTHER:
		/* the apostrophe of typographers */
		if (code_point == 0x2019 && s->seen.n > 0 &&
		    ascii_is_alpha(bytes_at(s->rest, 0)))
			add_byte(s, '\'', LETTER | UPPER);
		else
			end_word(s);
		break;
	}
}

/* ---- traits ---- */

/* A run of one of ! ? $, which is at the front; "$$$", "$100". */
static void
put_marks(struct scan *s)
{
	unsigned char b[MARKS_MAX + SUM_MAX];
	int c = bytes_at(s->rest, 0);
	size_t n = 0;

	while (bytes_at(s->rest, 0) == c) {
		if (n < MARKS_MAX)
			b[n++] = (unsigned char)c;
		s->rest = bytes_from(s->rest, 1);
	}
	junk_words_put(s->w, s->trait, bytes_of(b, n));
	if (c != '$' || n > 1)
		return;
	while (n < SUM_MAX && ascii_is_digit(bytes_at(s->rest, n - 1))) {
		b[n] = (unsigned char)bytes_at(s->rest, n - 1);
		n++;
	}
	if (n > 1)
		junk_words_put(s->w, s->trait, bytes_of(b, n));
}

/* ":" after "http" or "https". */
static bool
is_url(const struct scan *s)
{
	struct bytes word = bytes_of(s->word, s->seen.n);

	return (bytes_eq(word, BYTES("http")) ||
	    bytes_eq(word, BYTES("https"))) &&
	    bytes_starts(s->rest, BYTES("://"));
}

/* A byte that is in no word, at the front. */
static void
add_other(struct scan *s, int c)
{
	if (c == '\'' && s->seen.letter != 0 && !s->seen.last_digit &&
	    ascii_is_alpha(bytes_at(s->rest, 1))) {
		add_byte(s, '\'', LETTER | UPPER);
	} else if (s->traits && c == ':' && is_url(s)) {
		begin_word(s);
		junk_read_url(s->w, bytes_from(s->rest, 3));
	} else {
		end_word(s);
		if (s->traits && (classes[c] & MARK) != 0) {
			put_marks(s);
			return;
		}
	}
	s->rest = bytes_from(s->rest, 1);
}

/* To a place at least, and on to where no word is under way. */
static void
read_to(struct scan *s, const unsigned char *end)
{
	while (s->rest.n > 0 && (s->rest.p < end || s->seen.n > 0)) {
		unsigned char c = s->rest.p[0];
		unsigned int class = classes[c];

		if (c >= 0x80) {
			add_beyond_ascii(s);
		} else if ((class & (LETTER | DIGIT)) == 0) {
			add_other(s, c);
		} else if (s->rest.n >= 8) {
			add_ascii(s);
		} else {
			add_byte(s, c | (class & UPPER) << 1, class);
			s->rest.p++;
			s->rest.n--;
		}
	}
	end_word(s);
}

void
junk_read_text_as(struct junk_words *w, const struct junk_prefix *prefix,
    struct bytes text, bool traits, bool blocks)
{
	struct junk_prefix shout = junk_prefix_of(BYTES("^"));
	struct junk_prefix trait = junk_prefix_of(BYTES("="));
	struct scan s = { .w = w, .prefix = prefix, .shout = &shout,
	    .trait = &trait, .rest = text, .traits = traits };
	struct junk_block block = { 0 };
	size_t n = 0;

	begin_word(&s);
	while (s.rest.n > 0 && w->n < JUNK_WORDS_MAX) {
		if (blocks)
			n = junk_block_words(w, traits ? &shout : NULL,
			    &block, &s.rest);
		blocks = n > 0;
		if (n == 0)
			n = s.rest.n < PIECE ? s.rest.n : PIECE;
		read_to(&s, s.rest.p + n);
		n = 0;
	}
}

void
junk_read_text(struct junk_words *w, const struct junk_prefix *prefix,
    struct bytes text, bool traits)
{
	junk_read_text_as(w, prefix, text, traits, w->grams == 1 &&
	    prefix->text.n == 0 && !prefix->is_head &&
	    text.n >= BLOCKS_MIN && junk_has_blocks());
}

/* ---- URLs ---- */

#define HOST_MAX 255
#define PATH_MAX_READ 200

static bool
ends_url(int c)
{
	return c <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>';
}

/* The host, and each domain above it, from ".com" on. */
static void
put_host(struct junk_words *w, struct bytes host)
{
	struct junk_prefix p = junk_prefix_of(BYTES("url:"));
	unsigned char lower[HOST_MAX];
	struct bytes rest;
	size_t at;

	if (bytes_rchr(host, '@', &at))
		host = bytes_from(host, at + 1);
	if (bytes_chr(host, ':', &at))
		host = bytes_first(host, at);
	host = bytes_first(host, sizeof(lower));
	bytes_lower(lower, host);
	rest = host = bytes_of(lower, host.n);
	if (host.n == 0)
		return;
	junk_words_put(w, &p, host);
	if (ascii_is_digit(bytes_at(host, host.n - 1))) {
		junk_words_put(w, &p, BYTES("[ip]"));
		return;
	}
	while (bytes_chr(rest, '.', &at)) {
		rest = bytes_from(rest, at);
		junk_words_put(w, &p, rest);
		rest = bytes_from(rest, 1);
	}
}

static void
put_path(struct junk_words *w, struct bytes path)
{
	struct junk_prefix p = junk_prefix_of(BYTES("path:"));

	junk_read_text(w, &p, bytes_first(path, PATH_MAX_READ), false);
}

void
junk_read_url(struct junk_words *w, struct bytes url)
{
	size_t n = 0, slash;
	struct bytes path = BYTES_EMPTY;

	if (w->urls++ >= JUNK_URLS_MAX)
		return;
	while (n < url.n && n < HOST_MAX + PATH_MAX_READ &&
	    !ends_url(url.p[n]))
		n++;
	url = bytes_first(url, n);
	if (bytes_chr(url, '/', &slash)) {
		path = bytes_from(url, slash + 1);
		url = bytes_first(url, slash);
	}
	put_host(w, url);
	put_path(w, path);
}
