/* junk.c - $Junk and $NotJunk by the mailbox a message comes into (J-12) */
#include "store/internal.h"

#define BOTH ((uint32_t)(STORE_JUNK | STORE_NOTJUNK))

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

static uint32_t
by_name(struct bytes name)
{
	size_t i;

	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (bytes_casestarts(name, bytes_str(starts[i].start)))
			return starts[i].flag;
	}
	return STORE_NOTJUNK;
}

int
junk_flags(struct work *w, struct box *b, uint32_t *flags)
{
	unsigned int number;
	uint32_t flag;

	if ((b->rec.use & STORE_USE_JUNK) != 0)
		flag = STORE_JUNK;
	else if (w->s->junk_flags)
		flag = by_name(b->rec.name);
	else
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
