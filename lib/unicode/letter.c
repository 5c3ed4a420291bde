/*
 * letter.c - what words are made of, by libunistring
 */
#include "unicode/unicode.h"

#include <unicase.h>
#include <unictype.h>

static enum unicode_class
classify(uint32_t code_point, uint32_t *lower)
{
	*lower = code_point;
	if (uc_is_general_category_withtable(code_point,
	    UC_CATEGORY_MASK_Nd))
		return UNICODE_DIGIT;
	/* Soft hyphen, joiners, marks on a letter: seen as nothing. */
	if (uc_is_general_category_withtable(code_point,
	    UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_Cf))
		return UNICODE_IGNORABLE;
	if (!uc_is_general_category_withtable(code_point,
	    UC_CATEGORY_MASK_L))
		return UNICODE_OTHER;
	if (uc_is_property_ideographic(code_point) ||
	    (code_point >= 0x3041 && code_point <= 0x30ff))
		return UNICODE_IDEOGRAPH;
	*lower = uc_tolower(code_point);
	return UNICODE_LETTER;
}

/*
 * What has been asked of the alphabets of Europe and the Near East, since it
 * takes five look-ups: lower case and class of each, 0 before that.
 */
#define KNOWN 0x800
#define CLASS_BITS 3

enum unicode_class
unicode_classify(uint32_t code_point, uint32_t *lower)
{
	static uint32_t known[KNOWN];
	enum unicode_class class;
	uint32_t it;

	if (code_point < 0x80) {
		*lower = (uint32_t)ascii_lower((int)code_point);
		return ascii_is_alpha((int)code_point) ? UNICODE_LETTER
		    : ascii_is_digit((int)code_point) ? UNICODE_DIGIT
		    : UNICODE_OTHER;
	}
	if (code_point >= KNOWN)
		return classify(code_point, lower);
	it = known[code_point];
	if (it == 0) {
		class = classify(code_point, lower);
		it = *lower << CLASS_BITS | (uint32_t)class;
		known[code_point] = it;
	}
	*lower = it >> CLASS_BITS;
	return (enum unicode_class)(it & ((1u << CLASS_BITS) - 1));
}
