/*
 * precis.c - the OpaqueString profile (RFC 8265 4.2) over the FreeformClass
 * (RFC 8264 4.3), code point properties by libunistring
 */
#include "unicode/unicode.h"

#include <errno.h>
#include <unictype.h>
#include <uninorm.h>

#include "unicode/internal.h"

enum verdict { ALLOWED, DISALLOWED, CONTEXT };

/* RFC 8264 9.6 (Exceptions), as RFC 5892 2.6 lists them. */
static bool
exception(uint32_t c, enum verdict *v)
{
	switch (c) {
	case 0xdf: case 0x3c2: case 0x6fd: case 0x6fe: case 0xf0b: case 0x3007:
		*v = ALLOWED;
		return true;
	case 0xb7: case 0x375: case 0x5f3: case 0x5f4: case 0x30fb:
		*v = CONTEXT;
		return true;
	case 0x640: case 0x7fa: case 0x302e: case 0x302f: case 0x303b:
		*v = DISALLOWED;
		return true;
	default:
		break;
	}
	if (c >= 0x3031 && c <= 0x3035) {
		*v = DISALLOWED;
		return true;
	}
	if ((c >= 0x660 && c <= 0x669) || (c >= 0x6f0 && c <= 0x6f9)) {
		*v = CONTEXT;
		return true;
	}
	return false;
}

static bool
is_old_jamo(uint32_t c)
{
	return (c >= 0x1100 && c <= 0x11ff) || (c >= 0xa960 && c <= 0xa97f) ||
	    (c >= 0xd7b0 && c <= 0xd7ff);
}

static bool
has_compat(uint32_t c)
{
	ucs4_t decomposition[UC_DECOMPOSITION_MAX_LENGTH];
	int tag;

	/* A tag means a compatibility mapping; NFKC keeps the others apart. */
	return uc_decomposition(c, &tag, decomposition) >= 0 &&
	    tag != UC_DECOMP_CANONICAL;
}

/* The derived property of RFC 8264 8 for the FreeformClass. */
static enum verdict
judge(uint32_t c)
{
	enum verdict v;

	if (exception(c, &v))
		return v;
	if (c >= 0x21 && c <= 0x7e)
		return ALLOWED;
	if (c == 0x200c || c == 0x200d)
		return CONTEXT;
	if (is_old_jamo(c) || uc_is_property_default_ignorable_code_point(c) ||
	    uc_is_property_not_a_character(c))
		return DISALLOWED;
	if (uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Cc |
	    UC_CATEGORY_MASK_Cn | UC_CATEGORY_MASK_Cs | UC_CATEGORY_MASK_Co))
		return DISALLOWED;
	if (has_compat(c))
		return ALLOWED;
	return uc_is_general_category_withtable(c, UC_CATEGORY_MASK_L |
	    UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_N | UC_CATEGORY_MASK_S |
	    UC_CATEGORY_MASK_P | UC_CATEGORY_MASK_Zs) ? ALLOWED : DISALLOWED;
}

/* The text as code points, so that a rule can look around. */
struct text {
	const uint32_t *c;
	size_t n;
};

static uint32_t
at(struct text t, size_t i)
{
	return i < t.n ? t.c[i] : 0;
}

/* RFC 5892 A.1: ZERO WIDTH NON-JOINER between joining letters. */
static bool
joins(struct text t, size_t i)
{
	size_t j = i;
	int type;

	do {
		if (j == 0)
			return false;
		type = uc_joining_type(at(t, --j));
	} while (type == UC_JOINING_TYPE_T);
	if (type != UC_JOINING_TYPE_L && type != UC_JOINING_TYPE_D)
		return false;
	j = i;
	do {
		if (++j >= t.n)
			return false;
		type = uc_joining_type(at(t, j));
	} while (type == UC_JOINING_TYPE_T);
	return type == UC_JOINING_TYPE_R || type == UC_JOINING_TYPE_D;
}

static bool
in_script(uint32_t c, const char *name)
{
	const uc_script_t *s = c == 0 ? NULL : uc_script(c);

	return s != NULL && strcmp(s->name, name) == 0;
}

/* Some code point of the text lies within [first, last]. */
static bool
any_within(struct text t, uint32_t first, uint32_t last)
{
	size_t i;

	for (i = 0; i < t.n; i++) {
		if (t.c[i] >= first && t.c[i] <= last)
			return true;
	}
	return false;
}

static bool
any_japanese(struct text t)
{
	size_t i;

	for (i = 0; i < t.n; i++) {
		if (in_script(t.c[i], "Hiragana") ||
		    in_script(t.c[i], "Katakana") || in_script(t.c[i], "Han"))
			return true;
	}
	return false;
}

/* RFC 5892 appendix A: what may stand only in the right company. */
static bool
context_ok(struct text t, size_t i)
{
	uint32_t c = t.c[i], before = i > 0 ? t.c[i - 1] : 0;
	bool virama = before != 0 && uc_combining_class(before) == 9;

	switch (c) {
	case 0x200c:
		return virama || joins(t, i);
	case 0x200d:
		return virama;
	case 0xb7:
		return before == 'l' && at(t, i + 1) == 'l';
	case 0x375:
		return in_script(at(t, i + 1), "Greek");
	case 0x5f3: case 0x5f4:
		return in_script(before, "Hebrew");
	case 0x30fb:
		return any_japanese(t);
	default:
		if (c <= 0x669)
			return !any_within(t, 0x6f0, 0x6f9);
		return !any_within(t, 0x660, 0x669);
	}
}

/*
 * Context rules that scan the whole text would be quadratic for hostile
 * input; no password is that long.
 */
#define OPAQUE_MAX 1024

static const char *
check(struct text t)
{
	size_t i;

	for (i = 0; i < t.n; i++) {
		enum verdict v = judge(t.c[i]);

		if (v == DISALLOWED)
			return "holds a character that is not allowed";
		if (v == CONTEXT && !context_ok(t, i))
			return "holds a character out of its context";
	}
	return NULL;
}

/* Other spaces become U+0020 (RFC 8265 4.2.1, 2). */
static const char *
map_spaces(struct bytes s, struct buf *out)
{
	uint32_t c;
	int r;

	while ((r = unicode_next(&s, &c)) == 1) {
		if (uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Zs))
			(void)buf_addc(out, ' ');	/* cap is larger */
		else
			(void)unicode_put(out, c);
	}
	return r == -1 ? "not UTF-8" : NULL;
}

/* The class is asked last, of the normalised text (RFC 8264 7). */
static const char *
enforce(struct arena *a, struct bytes s, struct buf *mapped,
    struct bytes *out)
{
	const char *problem = map_spaces(s, mapped);
	struct bytes rest;
	struct text t = { NULL, 0 };
	uint32_t *points;

	if (problem != NULL)
		return problem;
	/* It is UTF-8 by now. */
	(void)unicode_nfc(a, arena_bytes(a, buf_bytes(mapped)), out);
	points = arena_zalloc(a, out->n, sizeof(*points));
	rest = *out;
	while (t.n < out->n && unicode_next(&rest, points + t.n) == 1)
		t.n++;
	t.c = points;
	problem = check(t);
	secret_wipe(points, t.n * sizeof(*points));
	return problem;
}

int
precis_opaque_string(struct arena *a, struct bytes s, struct bytes *out,
    const char **why)
{
	struct buf mapped = BUF_INIT(4 * OPAQUE_MAX);
	const char *problem = NULL;
	struct bytes r = BYTES_EMPTY;

	if (s.n == 0)
		problem = "empty";
	else if (s.n > OPAQUE_MAX)
		problem = "too long";
	else
		problem = enforce(a, s, &mapped, &r);
	if (mapped.p != NULL)
		secret_wipe(mapped.p, mapped.n);
	buf_free(&mapped);
	if (problem != NULL) {
		if (why != NULL)
			*why = problem;
		errno = EBADMSG;
		return -1;
	}
	*out = r;
	return 0;
}
