/*
 * capability.c - the one table of capabilities
 *
 * The greetings, CAPABILITY, ENABLE and what is switched off for an account
 * (I-17) all come from it. What a connection adds before login (STARTTLS,
 * LOGINDISABLED, AUTH=) depends on that connection: login.c.
 */
#include "imap/internal.h"

static const struct capability {
	const char *name;
	bool before;		/* announced before login too */
	/* What ENABLE turns on along with it; 0: it is not for ENABLE. */
	uint64_t enables;
	/* Not announced beside these. */
	uint64_t unless;
} table[CAPS] = {
	[CAP_IMAP4REV1] = { "IMAP4rev1", true, 0, 0 },
	[CAP_IMAP4REV2] = { "IMAP4rev2", true, CAP_BIT(CAP_IMAP4REV2), 0 },
	[CAP_LITERAL_PLUS] = { "LITERAL+", true, 0, 0 },
	[CAP_LITERAL_MINUS] = { "LITERAL-", false, 0,
	    CAP_BIT(CAP_LITERAL_PLUS) },
	[CAP_SASL_IR] = { "SASL-IR", true, 0, 0 },
	[CAP_ID] = { "ID", true, 0, 0 },
	[CAP_ENABLE] = { "ENABLE", true, 0, 0 },
	[CAP_IDLE] = { "IDLE", true, 0, 0 },
	[CAP_NAMESPACE] = { "NAMESPACE", true, 0, 0 },
	[CAP_UIDPLUS] = { "UIDPLUS", true, 0, 0 },
	[CAP_UNSELECT] = { "UNSELECT", true, 0, 0 },
	[CAP_MOVE] = { "MOVE", true, 0, 0 },
	[CAP_CHILDREN] = { "CHILDREN", true, 0, 0 },
	[CAP_SPECIAL_USE] = { "SPECIAL-USE", true, 0, 0 },
	[CAP_CONDSTORE] = { "CONDSTORE", false, CAP_BIT(CAP_CONDSTORE), 0 },
	[CAP_QRESYNC] = { "QRESYNC", false, CAP_BIT(CAP_CONDSTORE), 0 },
	[CAP_ESEARCH] = { "ESEARCH", false, 0, 0 },
	[CAP_SEARCHRES] = { "SEARCHRES", false, 0, 0 },
	[CAP_WITHIN] = { "WITHIN", false, 0, 0 },
	[CAP_PARTIAL] = { "PARTIAL", false, 0, 0 },
	[CAP_STATUS_SIZE] = { "STATUS=SIZE", false, 0, 0 },
	[CAP_SAVEDATE] = { "SAVEDATE", false, 0, 0 },
	[CAP_PREVIEW] = { "PREVIEW", false, 0, 0 },
	[CAP_OBJECTID] = { "OBJECTID", false, 0, 0 },
	[CAP_SORT] = { "SORT", false, 0, 0 },
	[CAP_SORT_DISPLAY] = { "SORT=DISPLAY", false, 0, 0 },
	[CAP_ESORT] = { "ESORT", false, 0, 0 },
	[CAP_THREAD_REFERENCES] = { "THREAD=REFERENCES", false, 0, 0 },
	[CAP_THREAD_REFS] = { "THREAD=REFS", false, 0, 0 },
	[CAP_THREAD_ORDEREDSUBJECT] = { "THREAD=ORDEREDSUBJECT", false, 0, 0 },
	[CAP_CONTEXT_SEARCH] = { "CONTEXT=SEARCH", false, 0, 0 },
	[CAP_CONTEXT_SORT] = { "CONTEXT=SORT", false, 0, 0 },
	[CAP_MULTISEARCH] = { "MULTISEARCH", false, 0, 0 },
	[CAP_INPROGRESS] = { "INPROGRESS", false, 0, 0 },
	[CAP_LIST_EXTENDED] = { "LIST-EXTENDED", false, 0, 0 },
	[CAP_LIST_STATUS] = { "LIST-STATUS", false, 0, 0 },
	[CAP_LIST_METADATA] = { "LIST-METADATA", false, 0, 0 },
	[CAP_CREATE_SPECIAL_USE] = { "CREATE-SPECIAL-USE", false, 0, 0 },
	[CAP_METADATA] = { "METADATA", false, 0, 0 },
	[CAP_QUOTA] = { "QUOTA", false, 0, 0 },
	[CAP_QUOTA_STORAGE] = { "QUOTA=RES-STORAGE", false, 0, 0 },
	[CAP_UIDONLY] = { "UIDONLY", false, CAP_BIT(CAP_UIDONLY), 0 },
	[CAP_BINARY] = { "BINARY", false, 0, 0 },
	[CAP_UTF8_ACCEPT] = { "UTF8=ACCEPT", false,
	    CAP_BIT(CAP_UTF8_ACCEPT), 0 },
	[CAP_MULTIAPPEND] = { "MULTIAPPEND", false, 0, 0 },
	[CAP_CATENATE] = { "CATENATE", false, 0, 0 },
	[CAP_REPLACE] = { "REPLACE", false, 0, 0 },
	[CAP_URLAUTH] = { "URLAUTH", false, 0, 0 },
	[CAP_NOTIFY] = { "NOTIFY", false, 0, 0 },
	[CAP_FILTERS] = { "FILTERS", false, 0, 0 },
	[CAP_URLAUTH_BINARY] = { "URLAUTH=BINARY", false, 0, 0 },
	[CAP_COMPRESS] = { "COMPRESS=DEFLATE", false, 0, 0 },
	[CAP_UNAUTHENTICATE] = { "UNAUTHENTICATE", false, 0, 0 },
	/* These two have a value. */
	[CAP_APPENDLIMIT] = { "APPENDLIMIT", false, 0, 0 },
	[CAP_MESSAGELIMIT] = { "MESSAGELIMIT", false, 0, 0 },
};

void
caps_add(struct buf *out, bool after_login, uint64_t off)
{
	const char *before = "";
	int i;

	for (i = 0; i < CAPS; i++) {
		if ((off & CAP_BIT(i)) != 0 || i >= CAP_APPENDLIMIT ||
		    (!after_login && !table[i].before) ||
		    (table[i].unless & ~off) != 0)
			continue;
		buf_printf(out, "%s%s", before, table[i].name);
		before = " ";
	}
}

void
session_capabilities(struct imap *im)
{
	caps_add(&im->out, true, im->off);
	if ((im->off & CAP_BIT(CAP_APPENDLIMIT)) == 0)
		buf_printf(&im->out, " %s=%llu", table[CAP_APPENDLIMIT].name,
		    (unsigned long long)im->o.append_max);
	if ((im->off & CAP_BIT(CAP_MESSAGELIMIT)) == 0)
		buf_printf(&im->out, " %s=%lu", table[CAP_MESSAGELIMIT].name,
		    (unsigned long)message_limit(im));
}

static int
find(struct bytes name)
{
	int i;

	for (i = 0; i < CAPS; i++) {
		if (bytes_caseeq(name, bytes_str(table[i].name)))
			return i;
	}
	return -1;
}

uint64_t
caps_parse(const char *names)
{
	struct bytes list = bytes_str(names), word;
	uint64_t set = 0;
	int i;

	while (bytes_word(&list, &word)) {
		if ((i = find(word)) > CAP_IMAP4REV1)
			set |= CAP_BIT(i);
	}
	return set;
}

uint64_t
caps_enable(struct bytes name)
{
	int i = find(name);

	return i == -1 || table[i].enables == 0 ? 0
	    : CAP_BIT(i) | table[i].enables;
}

void
caps_add_enabled(struct buf *out, uint64_t set)
{
	int i;

	for (i = 0; i < CAPS; i++) {
		if ((set & CAP_BIT(i)) != 0)
			buf_printf(out, " %s", table[i].name);
	}
}
