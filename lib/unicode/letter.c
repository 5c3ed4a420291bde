/*
 * letter.c - what words are made of, by libunistring
 */
#include "unicode/unicode.h"

#include <unicase.h>
#include <unictype.h>

enum unicode_class
unicode_classify(uint32_t code_point, uint32_t *lower)
{
	*lower = code_point;
	if (code_point < 0x80) {
		if (ascii_is_alpha((int)code_point)) {
			*lower = (uint32_t)ascii_lower((int)code_point);
			return UNICODE_LETTER;
		}
		return ascii_is_digit((int)code_point) ? UNICODE_DIGIT
		    : UNICODE_OTHER;
	}
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
