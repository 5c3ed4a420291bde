/* junk.c - $Junk and $NotJunk by the mailbox a message comes into (J-12) */
#include "store/internal.h"
#include "regex/regex.h"
#include "unicode/unicode.h"

#include <errno.h>
#include <stdlib.h>

#define BOTH ((uint32_t)(STORE_JUNK | STORE_NOTJUNK))
/* Of expressions over one name, of 240 bytes: some ms. */
#define STEPS_MAX ((uint64_t)1000000)
#define UNCHANGED UINT32_MAX	/* none of the flags below */

/* Beginnings of mailbox names; what has none of them holds wanted mail. */
static const struct {
	const char *start;
	uint32_t flag;
} starts[] = {
	{ "junk", STORE_JUNK }, { "spam", STORE_JUNK },
	{ "inbox", 0 }, { "introbox", 0 }, { "neutral", 0 },
	{ "postmaster", 0 }, { "dmarc", 0 }, { "tlsrpt", 0 },
	{ "rejects", 0 },
};

/* What the expressions stand for, in the order they are tried. */
static const uint32_t classes[JUNK_PATTERNS] = { STORE_JUNK, 0,
    STORE_NOTJUNK };

struct junk_patterns {
	char *text[JUNK_PATTERNS];	/* NULL: not given */
	struct regex *compiled[JUNK_PATTERNS];
	bool ready;
	struct arena arena;	/* of what is compiled */
};

struct junk_patterns *
junk_patterns_new(const struct store_options *o)
{
	const char *text[JUNK_PATTERNS] = { o->junk.junk,
	    o->junk.neutral, o->junk.notjunk };
	struct junk_patterns *p;
	size_t i;

	if (text[0] == NULL && text[1] == NULL && text[2] == NULL)
		return NULL;
	p = mem_zalloc(1, sizeof(*p));
	p->arena = (struct arena)ARENA_INIT;
	for (i = 0; i < JUNK_PATTERNS; i++)
		p->text[i] = text[i] == NULL ? NULL : mem_strdup(text[i]);
	return p;
}

void
junk_patterns_free(struct junk_patterns *p)
{
	size_t i;

	for (i = 0; p != NULL && i < JUNK_PATTERNS; i++)
		free(p->text[i]);
	if (p != NULL)
		arena_free(&p->arena);
	free(p);
}

/* Most who open an account add no mail to it: so not before. */
static int
compile(struct junk_patterns *p)
{
	const char *why;
	size_t i;

	for (i = 0; i < JUNK_PATTERNS; i++) {
		if (p->text[i] == NULL)
			continue;
		p->compiled[i] = regex_compile(&p->arena,
		    bytes_str(p->text[i]), &why);
		if (p->compiled[i] == NULL) {
			errno = errno == ENOMEM ? ENOMEM : EINVAL;
			return -1;
		}
	}
	p->ready = true;
	return 0;
}

static uint32_t
by_start(struct bytes name)
{
	size_t i;

	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (bytes_casestarts(name, bytes_str(starts[i].start)))
			return starts[i].flag;
	}
	return STORE_NOTJUNK;
}

/* -1: an expression is none. */
static int
by_pattern(struct arena *a, struct junk_patterns *p, struct bytes name,
    uint32_t *flag)
{
	struct bytes lower;
	size_t i, given = 0, missing = 0;
	uint64_t steps = STEPS_MAX;

	if (!p->ready && compile(p) == -1)
		return -1;
	if (unicode_lower(a, name, &lower) == -1)
		lower = name;
	for (i = 0; i < JUNK_PATTERNS; i++) {
		if (p->text[i] == NULL) {
			missing = i;
			continue;
		}
		given++;
		/* One that takes too many steps does not match. */
		if (regex_match(a, p->compiled[i], lower, &steps) == 1) {
			*flag = classes[i];
			return 0;
		}
	}
	*flag = given == JUNK_PATTERNS - 1 ? classes[missing] : UNCHANGED;
	return 0;
}

int
junk_flags(struct work *w, struct box *b, uint32_t *flags)
{
	struct store *s = w->s;
	unsigned int number;
	uint32_t flag;

	if ((b->rec.use & STORE_USE_JUNK) != 0)
		flag = STORE_JUNK;
	else if (!s->junk_flags)
		return 0;
	else if (s->junk_patterns == NULL)
		flag = by_start(b->rec.name);
	else if (by_pattern(&w->arena, s->junk_patterns, b->rec.name, &flag)
	    == -1)
		return -1;
	if (flag == UNCHANGED)
		return 0;
	*flags = (*flags & ~BOTH) | flag;
	/* To the file it is a keyword, which needs a number. */
	if (flag == 0)
		return 0;
	if (keywords_number(w, b, bytes_str(store_flag_name(flag)), &number)
	    == -1)
		return -1;
	w->durable |= number >= STORE_LETTERS;
	return 0;
}
