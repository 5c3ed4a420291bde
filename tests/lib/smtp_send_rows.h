/*
 * smtp_send_rows.h - dialogues with the extensions of submission: parameters
 * (R-4, R-15, U-21, B-17) and BDAT. HOLD_LAST is 2026-09-09T01:46:40Z.
 */
#ifndef SMTP_SEND_ROWS_H
#define SMTP_SEND_ROWS_H

#include "smtp/smtp.h"
#include "smtp_rows.h"

#define HOLD_LAST 1788918400
#define HI_SEND "250-mx.example" CR "250-PIPELINING" CR \
    "250-SIZE 104857600" CR "250-ENHANCEDSTATUSCODES" CR "250-8BITMIME" CR \
    "250-REQUIRETLS" CR "250-DSN" CR \
    "250-FUTURERELEASE 5184000 2026-09-09T01:46:40Z" CR "250-DELIVERBY" CR \
    "250-LIMITS RCPTMAX=1000" CR "250 SMTPUTF8" CR
#define HI_BD "250-mx.example" CR "250-PIPELINING" CR \
    "250-SIZE 104857600" CR "250-ENHANCEDSTATUSCODES" CR "250-8BITMIME" CR \
    "250-CHUNKING" CR "250-LIMITS RCPTMAX=1000" CR "250 SMTPUTF8" CR
#define HI_BIN_OF(size) "250-mx.example" CR "250-PIPELINING" CR \
    "250-SIZE " size CR "250-ENHANCEDSTATUSCODES" CR "250-8BITMIME" CR \
    "250-CHUNKING" CR "250-BINARYMIME" CR "250-LIMITS RCPTMAX=1000" CR \
    "250 SMTPUTF8" CR
#define HI_BIN HI_BIN_OF("104857600")
#define BODY_BIN M("BODY=BINARYMIME")
#define M(p) "MAIL FROM:<a@b.example> " p CR
#define R(p) "RCPT TO:<u@d.example> " p CR
#define TWICE "501 5.5.4 a parameter twice" CR
#define NO_VALUE "501 5.5.4 a parameter without its value" CR
#define A_VALUE "501 5.5.4 a value where none may be" CR
#define BAD_FOR "501 5.5.4 bad HOLDFOR parameter, or longer than is " \
    "announced" CR
#define BAD_UNTIL "501 5.5.4 bad HOLDUNTIL parameter, or later than is " \
    "announced" CR
#define HOLDS "501 5.5.4 HOLDFOR or HOLDUNTIL, once" CR
#define BAD_BY "501 5.5.4 bad BY parameter" CR
#define BAD_NOTIFY "501 5.5.4 NOTIFY is NEVER, or of SUCCESS, FAILURE, " \
    "DELAY with commas" CR
#define BAD_ORCPT "501 5.5.4 bad ORCPT parameter" CR
#define BAD_ENVID "501 5.5.4 bad ENVID parameter" CR
#define TEN "0123456789"
#define NINETY TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define STEXT DATA "x" CR "." CR
#define STEXT_OK DATA_OK GOT
#define S (SEND | TLS)
/* one that is taken, with what the envelope says of it */
#define TAKEN(name, mail, rcpt, says) { name, S, HI M(mail) R(rcpt) STEXT, \
    HI_SEND FROM_OK TO_OK STEXT_OK, "x\n<END>", \
    "ESMTPS a@b.example>u@d.example" says "\n", false }
#define CH_OK "250 2.0.0 chunk ok" CR
#define BDAT_SYNTAX "501 5.5.4 syntax: BDAT size, or BDAT size LAST" CR
#define RSET_OK "250 2.0.0 ok" CR

static const struct row send_rows[] = {
	/* REQUIRETLS */
	TAKEN("R-4 REQUIRETLS is announced with TLS, and remembered",
	    "REQUIRETLS", "", " requiretls"),
	{ "R-4 without TLS it is neither announced nor taken", SEND,
	    HI M("REQUIRETLS"),
	    "250-mx.example" CR "250-PIPELINING" CR "250-SIZE 104857600" CR
	    "250-ENHANCEDSTATUSCODES" CR "250-8BITMIME" CR "250-DSN" CR
	    "250-FUTURERELEASE 5184000 2026-09-09T01:46:40Z" CR
	    "250-DELIVERBY" CR "250-LIMITS RCPTMAX=1000" CR "250 SMTPUTF8"
	    CR "530 5.7.10 REQUIRETLS needs TLS" CR, "", "", false },
	{ "R-4 switched off it is unknown", TLS, HI M("REQUIRETLS"),
	    HI_OK "555 5.5.4 REQUIRETLS is not offered" CR, "", "", false },
	{ "R-4 REQUIRETLS with a value, twice", S,
	    HI M("REQUIRETLS=yes") M("REQUIRETLS requiretls"),
	    HI_SEND A_VALUE TWICE, "", "", false },
	{ "R-4 it does not outlive its transaction", S,
	    HI M("REQUIRETLS") "RSET" CR M("") TO STEXT,
	    HI_SEND FROM_OK RSET_OK FROM_OK TO_OK STEXT_OK, "x\n<END>",
	    "ESMTPS a@b.example>u@d.example\n", false },

	/* DSN */
	TAKEN("B-17 RFC 3461: all four parameters, xtext decoded",
	    "RET=HDRS ENVID=QQ+2B314+3D159",
	    "NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Bob+2Bx@a.example",
	    " ret=hdrs envid=QQ+314=159 notify=6 "
	    "orcpt=rfc822;Bob+x@a.example"),
	TAKEN("B-17 in any case", "ret=full", "notify=never",
	    " ret=full notify=1"),
	TAKEN("B-17 NOTIFY=DELAY alone", "", "NOTIFY=DELAY", " notify=8"),
	{ "B-17 RET and ENVID malformed, doubled, without value", S,
	    HI M("RET=ALL") M("RET") M("RET=") M("RET=FULL RET=FULL")
	    M("ENVID=") M("ENVID=a+2") M("ENVID=a+2g") M("ENVID=a+2b")
	    M("ENVID=a+0A") M("ENVID=a=b") M("ENVID=a ENVID=a"),
	    HI_SEND "501 5.5.4 RET is FULL or HDRS" CR NO_VALUE NO_VALUE
	    TWICE NO_VALUE BAD_ENVID BAD_ENVID BAD_ENVID BAD_ENVID
	    BAD_ENVID TWICE, "", "", false },
	TAKEN("B-17 ENVID of 100 characters", "ENVID=" NINETY TEN, "",
	    " envid=" NINETY TEN),
	{ "B-17 ENVID of 101 characters", S, HI M("ENVID=" NINETY TEN "x"),
	    HI_SEND BAD_ENVID, "", "", false },
	{ "B-17 NOTIFY and ORCPT malformed, doubled, without value", S,
	    HI FROM R("NOTIFY=NEVER,DELAY") R("NOTIFY=SUCCESS,SUCCESS")
	    R("NOTIFY=ALWAYS") R("NOTIFY=SUCCESS,") R("NOTIFY") R("NOTIFY=")
	    R("NOTIFY=DELAY NOTIFY=DELAY") R("ORCPT=u@d.example")
	    R("ORCPT=;u") R("ORCPT=rfc822;") R("ORCPT=rfc 822;u")
	    R("ORCPT=x(y;u") R("ORCPT=rfc822;u+0D") R("ORCPT=a;b ORCPT=a;b"),
	    HI_SEND FROM_OK BAD_NOTIFY BAD_NOTIFY BAD_NOTIFY BAD_NOTIFY
	    "555 5.5.4 unknown RCPT parameter" CR NO_VALUE TWICE BAD_ORCPT
	    BAD_ORCPT BAD_ORCPT BAD_ORCPT BAD_ORCPT BAD_ORCPT TWICE, "", "",
	    false },
	{ "B-17 not announced, not known", 0,
	    HI M("RET=FULL") M("ENVID=x") M("BY=1;N") FROM
	    R("ORCPT=rfc822;u@d.example"),
	    HI_OK "555 5.5.4 unknown MAIL parameter" CR
	    "555 5.5.4 unknown MAIL parameter" CR
	    "555 5.5.4 unknown MAIL parameter" CR FROM_OK
	    "555 5.5.4 unknown RCPT parameter" CR, "", "", false },

	/* FUTURERELEASE */
	TAKEN("U-21 HOLDFOR of 60 days", "HOLDFOR=5184000", "",
	    " hold=5184000,0"),
	TAKEN("U-21 HOLDFOR of a second", "holdfor=1", "", " hold=1,0"),
	TAKEN("U-21 HOLDUNTIL, the last second that is announced",
	    "HOLDUNTIL=2026-09-09T01:46:40Z", "", " hold=0,1788918400"),
	TAKEN("U-21 HOLDUNTIL with zone and fraction",
	    "HOLDUNTIL=2026-09-09t01:16:39.5-00:30", "",
	    " hold=0,1788918399"),
	{ "U-21 HOLDFOR longer, none, malformed", S,
	    HI M("HOLDFOR=5184001") M("HOLDFOR=0") M("HOLDFOR=-1")
	    M("HOLDFOR=1s") M("HOLDFOR=1234567890") M("HOLDFOR"),
	    HI_SEND BAD_FOR BAD_FOR BAD_FOR BAD_FOR BAD_FOR NO_VALUE, "", "",
	    false },
	{ "U-21 HOLDUNTIL later, malformed", S,
	    HI M("HOLDUNTIL=2026-09-09T01:46:41Z") M("HOLDUNTIL=2026-09-09")
	    M("HOLDUNTIL=2026-13-09T01:46:40Z")
	    M("HOLDUNTIL=2026-09-09T24:46:40Z")
	    M("HOLDUNTIL=2026-09-09T01:46:40")
	    M("HOLDUNTIL=2026-09-09T01:46:40.Z")
	    M("HOLDUNTIL=2026-09-09T01:46:40Zx")
	    M("HOLDUNTIL=2026-09-09T01:46:40+0100"),
	    HI_SEND BAD_UNTIL BAD_UNTIL BAD_UNTIL BAD_UNTIL BAD_UNTIL
	    BAD_UNTIL BAD_UNTIL BAD_UNTIL, "", "", false },
	{ "U-21, R-15 not both, and not twice", S,
	    HI M("HOLDFOR=1 HOLDUNTIL=2026-09-01T00:00:00Z")
	    M("HOLDFOR=1 HOLDFOR=1"), HI_SEND HOLDS HOLDS, "", "", false },

	/* DELIVERBY */
	TAKEN("B-17 RFC 2852 BY with return and trace", "BY=120;RT", "",
	    " by=120RT"),
	TAKEN("B-17 BY with notify, passed already", "by=-5;n", "",
	    " by=-5N"),
	TAKEN("B-17 BY at its nine digits", "BY=999999999;R", "",
	    " by=999999999R"),
	{ "B-17 BY malformed, past its digits, doubled", S,
	    HI M("BY=120") M("BY=;R") M("BY=120;X") M("BY=120;RX")
	    M("BY=120;RTT") M("BY=1000000000;R") M("BY=x;R") M("BY=120;")
	    M("BY=1;N BY=1;N") M("BY=0;R") M("BY=-1;R"),
	    HI_SEND BAD_BY BAD_BY BAD_BY BAD_BY BAD_BY BAD_BY BAD_BY BAD_BY
	    TWICE "501 5.5.4 with mode R the time must be ahead" CR
	    "501 5.5.4 with mode R the time must be ahead" CR, "", "",
	    false },
	{ "R-15 BINARYMIME where it is not offered is not taken", S | BD,
	    HI M("BODY=BINARYMIME"),
	    "250-mx.example" CR "250-PIPELINING" CR "250-SIZE 104857600" CR
	    "250-ENHANCEDSTATUSCODES" CR "250-8BITMIME" CR "250-REQUIRETLS"
	    CR "250-DSN" CR "250-CHUNKING" CR
	    "250-FUTURERELEASE 5184000 2026-09-09T01:46:40Z" CR
	    "250-DELIVERBY" CR "250-LIMITS RCPTMAX=1000" CR "250 SMTPUTF8"
	    CR "501 5.5.4 bad BODY parameter" CR, "", "", false },

	{ "U-17 a sender that is not the client's: no transaction",
	    SUBMIT | TLS | KEY,
	    HI "MAIL FROM:<other@b.example>" CR TO FROM TO STEXT,
	    HI_AUTH "550 5.7.1 not yours" CR "503 5.5.1 say MAIL first" CR
	    FROM_OK TO_OK STEXT_OK, "x\n<END>",
	    "ESMTPSA a@b.example>u@d.example\n", false },

	/* BDAT */
	{ "B-17 BDAT in three chunks, cut in a line end, dots are text", BD,
	    HI FROM TO "BDAT 4" CR ".a\r\nBDAT 2" CR "b\rBDAT 4 LAST" CR
	    "\n.\r\nNOOP" CR,
	    HI_BD FROM_OK TO_OK CH_OK CH_OK GOT RSET_OK,
	    ".a\nb\n.\n<END>", ENV, false },
	{ "B-17 BDAT LAST alone, in any case", BD,
	    HI FROM TO "bdat 3 last" CR "x\r\n" BYE,
	    HI_BD FROM_OK TO_OK GOT BYE_OK, "x\n<END>", ENV, true },
	{ "B-17 BDAT 0 LAST ends a message", BD,
	    HI FROM TO "BDAT 3" CR "x\r\nBDAT 0 LAST" CR,
	    HI_BD FROM_OK TO_OK CH_OK GOT, "x\n<END>", ENV, false },
	{ "B-17 BDAT 0 LAST is an empty message, BDAT 0 an empty chunk", BD,
	    HI FROM TO "BDAT 0" CR "BDAT 0 LAST" CR,
	    HI_BD FROM_OK TO_OK CH_OK GOT, "<END>", ENV, false },
	{ "B-17 the last line gets its end", BD,
	    HI FROM TO "BDAT 1 LAST" CR "x" "NOOP" CR,
	    HI_BD FROM_OK TO_OK GOT RSET_OK, "x\n<END>", ENV, false },
	{ "B-17 BINARYMIME: bare CR and LF, dots, CRLF as they came",
	    BD | BIN, HI BODY_BIN TO "BDAT 10" CR "\r\r\n.\r\n\n.\r\n"
	    "BDAT 1 LAST" CR "x" "NOOP" CR,
	    HI_BIN FROM_OK TO_OK CH_OK GOT RSET_OK,
	    "\r\r\n.\r\n\n.\r\nx<END>", ENV, false },
	{ "B-17 BINARYMIME by DATA: 503, and BDAT goes on", BD | BIN,
	    HI BODY_BIN TO DATA "BDAT 1 LAST" CR "\n" BYE,
	    HI_BIN FROM_OK TO_OK "503 5.5.1 BINARYMIME comes by BDAT" CR
	    GOT BYE_OK, "\n<END>", ENV, true },
	{ "R-11 without the parameter a bare LF is refused as ever",
	    BD | BIN, HI FROM TO "BDAT 1 LAST" CR "\n",
	    HI_BIN FROM_OK TO_OK "500 5.5.2 bad syntax: bare LF in the "
	    "message, smtp smuggling is refused" CR, "", "", true },
	{ "B-17 the next transaction is not binary", BD | BIN,
	    HI BODY_BIN TO "BDAT 1 LAST" CR "\n" FROM TO STEXT,
	    HI_BIN FROM_OK TO_OK GOT FROM_OK TO_OK STEXT_OK,
	    "\n<END>x\n<END>", ENV ENV, false },
	{ "B-17 BINARYMIME at the size limit, and one past it",
	    BD | BIN | SMALL, HI BODY_BIN TO "BDAT 20 LAST" CR TEN TEN
	    BODY_BIN TO "BDAT 21 LAST" CR TEN TEN "x",
	    HI_BIN_OF("20") FROM_OK TO_OK GOT FROM_OK TO_OK
	    "552 5.3.4 message over the size limit" CR,
	    TEN TEN "<END>", ENV, false },
	{ "B-17 commands in a chunk are text", BD,
	    HI FROM TO "BDAT 12 LAST" CR "QUIT\r\nRSET\r\n" BYE,
	    HI_BD FROM_OK TO_OK GOT BYE_OK, "QUIT\nRSET\n<END>", ENV, true },
	{ "B-17 RSET between chunks forgets them", BD,
	    HI FROM TO "BDAT 3" CR "x\r\nRSET" CR FROM TO "BDAT 3 LAST" CR
	    "y\r\n",
	    HI_BD FROM_OK TO_OK CH_OK RSET_OK FROM_OK TO_OK GOT,
	    "y\n<END>", ENV, false },
	{ "B-17 EHLO between chunks forgets them", BD,
	    HI FROM TO "BDAT 3" CR "x\r\n" HI "BDAT 3 LAST" CR "y\r\n",
	    HI_BD FROM_OK TO_OK CH_OK HI_BD "503 5.5.1 say MAIL first" CR,
	    "", "", false },
	{ "B-17 DATA, RCPT, MAIL after BDAT: 503; then it goes on", BD,
	    HI FROM TO "BDAT 3" CR "x\r\n" DATA TO FROM "NOOP" CR
	    "BDAT 3 LAST" CR "y\r\n",
	    HI_BD FROM_OK TO_OK CH_OK "503 5.5.1 BDAT was begun" CR
	    "503 5.5.1 BDAT was begun" CR
	    "503 5.5.1 a transaction has begun already" CR RSET_OK GOT,
	    "x\ny\n<END>", ENV, false },
	{ "B-17 BDAT after the last chunk: 503", BD,
	    HI FROM TO "BDAT 3 LAST" CR "x\r\nBDAT 3 LAST" CR "y\r\n",
	    HI_BD FROM_OK TO_OK GOT "503 5.5.1 say MAIL first" CR,
	    "x\n<END>", ENV, false },
	{ "B-17 refused chunks are read to their end: no MAIL, no RCPT, all "
	    "refused", BD,
	    HI "BDAT 6" CR "QUIT\r\n" FROM "BDAT 6 LAST" CR "QUIT\r\n"
	    "RCPT TO:<nobody@d.example>" CR "BDAT 6" CR "QUIT\r\n"
	    "BDAT 6 LAST" CR "QUIT\r\nNOOP" CR,
	    HI_BD "503 5.5.1 say MAIL first" CR FROM_OK
	    "503 5.5.1 say RCPT first" CR "550 5.1.1 no such user" CR
	    "554 5.5.1 no recipient was accepted" CR
	    "503 5.5.1 say MAIL first" CR RSET_OK, "", "", false },
	{ "B-17 not offered: refused and read to its end", 0,
	    HI FROM TO "BDAT 6 LAST" CR "QUIT\r\nNOOP" CR,
	    HI_OK FROM_OK TO_OK "502 5.5.1 command not offered" CR RSET_OK,
	    "", "", false },
	{ "B-17 a message the server does not want", BD,
	    HI "MAIL FROM:<busy@b.example>" CR TO "BDAT 6" CR "QUIT\r\n"
	    "BDAT 6 LAST" CR "QUIT\r\n" FROM TO "BDAT 3 LAST" CR "x\r\n",
	    HI_BD FROM_OK TO_OK "452 4.3.1 busy" CR
	    "503 5.5.1 say MAIL first" CR FROM_OK TO_OK GOT, "x\n<END>", ENV,
	    false },
	{ "B-17 a size that is none ends the session", BD,
	    HI FROM TO "BDAT x" CR "QUIT\r\n", HI_BD FROM_OK TO_OK
	    BDAT_SYNTAX, "", "", true },
	{ "B-17 no size", BD, HI "BDAT" CR "QUIT" CR, HI_BD BDAT_SYNTAX, "",
	    "", true },
	{ "B-17 a sign", BD, HI "BDAT -1" CR "QUIT" CR, HI_BD BDAT_SYNTAX,
	    "", "", true },
	{ "B-17 another word than LAST", BD, HI "BDAT 1 NEXT" CR "QUIT" CR,
	    HI_BD BDAT_SYNTAX, "", "", true },
	{ "B-17 a word after LAST", BD, HI "BDAT 1 LAST x" CR "QUIT" CR,
	    HI_BD BDAT_SYNTAX, "", "", true },
	{ "B-17 control bytes", BD, HI "BDAT 1\001" CR "QUIT" CR,
	    HI_BD BDAT_SYNTAX, "", "", true },
	{ "B-17 a size nobody would read", BD,
	    HI FROM TO "BDAT 99999999999999999999999 LAST" CR,
	    HI_BD FROM_OK TO_OK "552 5.3.4 chunk far over the size limit" CR,
	    "", "", true },
	{ "B-17 size limit and discard limit together", BD,
	    HI "BDAT 1178599424" CR "QUIT" CR, HI_BD, "", "", false },
	{ "B-17 one octet past them", BD,
	    HI "BDAT 1178599425" CR "QUIT" CR,
	    HI_BD "552 5.3.4 chunk far over the size limit" CR, "", "",
	    true },
	{ "B-17 a message at the limit", BD | SMALL,
	    "HELO c" CR FROM TO "BDAT 10" CR "12345678\r\nBDAT 10 LAST" CR
	    "12345678\r\n",
	    "250 mx.example" CR FROM_OK TO_OK CH_OK GOT,
	    "12345678\n12345678\n<END>", "SMTP a@b.example>u@d.example\n",
	    false },
	{ "B-17 one octet past it, in the last chunk", BD | SMALL,
	    "HELO c" CR FROM TO "BDAT 10" CR "12345678\r\nBDAT 11 LAST" CR
	    "123456789\r\nNOOP" CR,
	    "250 mx.example" CR FROM_OK TO_OK CH_OK
	    "552 5.3.4 message over the size limit" CR RSET_OK, "", "",
	    false },
	{ "B-17 past it in a chunk before: told there, over", BD | SMALL,
	    "HELO c" CR FROM TO "BDAT 21" CR "1234567890123456789\r\n"
	    "BDAT 3 LAST" CR "x\r\nNOOP" CR,
	    "250 mx.example" CR FROM_OK TO_OK
	    "552 5.3.4 message over the size limit" CR
	    "503 5.5.1 say MAIL first" CR RSET_OK, "", "", false },
	{ "R-11 bare LF in a chunk", BD,
	    HI FROM TO "BDAT 4 LAST" CR "a\nb\nNOOP" CR,
	    HI_BD FROM_OK TO_OK LF_FAULT, "", "", true },
	{ "R-11 bare CR in a chunk", BD,
	    HI FROM TO "BDAT 4 LAST" CR "a\rb\nNOOP" CR,
	    HI_BD FROM_OK TO_OK CR_FAULT, "", "", true },
	{ "R-11 CR at the very end", BD,
	    HI FROM TO "BDAT 2 LAST" CR "a\r" "NOOP" CR,
	    HI_BD FROM_OK TO_OK CR_FAULT, "", "", true },
	{ "R-11 CR at the end of a chunk, no LF in the next", BD,
	    HI FROM TO "BDAT 2" CR "a\r" "BDAT 2 LAST" CR "b\nNOOP" CR,
	    HI_BD FROM_OK TO_OK CH_OK CR_FAULT, "", "", true },
	{ "R-11 LF at the start of a chunk", BD,
	    HI FROM TO "BDAT 1" CR "a" "BDAT 2 LAST" CR "\nbNOOP" CR,
	    HI_BD FROM_OK TO_OK CH_OK LF_FAULT, "", "", true },
};
#define SEND_ROWS (sizeof(send_rows) / sizeof(send_rows[0]))

/* What parameters said, where they said something. */
static void
record_params(const struct smtp_envelope *e, struct buf *out)
{
	if (e->requiretls)
		buf_adds(out, " requiretls");
	if (e->ret_full || e->ret_headers)
		buf_printf(out, " ret=%s", e->ret_full ? "full" : "hdrs");
	if (e->envid.n > 0)
		buf_printf(out, " envid=%.*s", BYTES_ARG(e->envid));
	if (e->hold_s != 0 || e->hold_until != 0)
		buf_printf(out, " hold=%lld,%lld", (long long)e->hold_s,
		    (long long)e->hold_until);
	if (e->has_by)
		buf_printf(out, " by=%lld%s%s", (long long)e->by_s,
		    e->by_return ? "R" : "N", e->by_trace ? "T" : "");
	for (size_t i = 0; i < e->nrecipients; i++) {
		if (e->recipients[i].notify != 0)
			buf_printf(out, " notify=%u",
			    e->recipients[i].notify);
		if (e->recipients[i].orcpt.n > 0)
			buf_printf(out, " orcpt=%.*s",
			    BYTES_ARG(e->recipients[i].orcpt));
	}
}

#endif
