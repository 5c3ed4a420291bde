/*
 * smtp_rows.h - dialogues: input, the replies after the greeting, the text of
 * the messages taken ("<END>" after each), their envelopes, closed or not
 */
#ifndef SMTP_ROWS_H
#define SMTP_ROWS_H

#include <stdbool.h>

enum { LMTP = 1, PEDANTIC = 2, SMALL = 4, FEW = 8, SUBMIT = 16, TLS = 32,
    MUST = 64, KEY = 128, SEND = 256, BD = 512, BIN = 1024, HELO = 2048 };

struct row {
	const char *name;
	int flags;
	const char *input;
	const char *replies;	/* after the greeting */
	const char *messages;
	const char *envelopes;
	bool closed;
};

#define CR "\r\n"
#define HI "EHLO c.example" CR
#define HI_OK "250-mx.example" CR "250-PIPELINING" CR "250-SIZE 104857600" \
    CR "250-ENHANCEDSTATUSCODES" CR "250-8BITMIME" CR \
    "250-LIMITS RCPTMAX=1000" CR "250 SMTPUTF8" CR
#define HI_AUTH "250-mx.example" CR "250-PIPELINING" CR \
    "250-SIZE 104857600" CR "250-ENHANCEDSTATUSCODES" CR "250-8BITMIME" CR \
    "250-AUTH PLAIN LOGIN" CR "250-LIMITS RCPTMAX=1000" CR "250 SMTPUTF8" CR
#define FROM "MAIL FROM:<a@b.example>" CR
#define FROM_OK "250 2.1.0 sender ok" CR
#define TO "RCPT TO:<u@d.example>" CR
#define TO_OK "250 2.1.5 recipient ok" CR
#define DATA "DATA" CR
#define DATA_OK "354 send the message, end with <CRLF>.<CRLF>" CR
#define GOT "250 2.0.0 got it" CR
#define HEAD HI FROM TO DATA
#define HEAD_OK HI_OK FROM_OK TO_OK DATA_OK
#define BYE "QUIT" CR
#define BYE_OK "221 2.0.0 bye" CR
#define ENV "ESMTP a@b.example>u@d.example\n"
#define LF_FAULT "500 5.5.2 bad syntax: bare LF in the message, " \
    "smtp smuggling is refused" CR
#define CR_FAULT "500 5.5.2 bad syntax: bare CR in the message, " \
    "smtp smuggling is refused" CR

static const struct row rows[] = {
	/* greetings */
	{ "R-3 EHLO lists the extensions", 0, HI, HI_OK, "", "", false },
	{ "R-2 HELO says the host name", 0, "HELO c.example" CR,
	    "250 mx.example" CR, "", "", false },
	{ "R-13 a HELO name that is refused: HELO or EHLO comes again", HELO,
	    "HELO nowhere" CR FROM "HELO c.example" CR FROM "HELO nowhere" CR
	    FROM HI FROM, "550 no address" CR "503 5.5.1 say EHLO first" CR
	    "250 mx.example" CR FROM_OK "550 no address" CR
	    "503 5.5.1 say EHLO first" CR HI_OK FROM_OK, "", "", false },
	{ "R-13 an EHLO name is not asked about", HELO,
	    "EHLO nowhere" CR FROM, HI_OK FROM_OK, "", "", false },
	{ "R-2 EHLO without a name", 0, "EHLO" CR,
	    "501 5.5.4 HELO needs one word" CR, "", "", false },
	{ "R-2 EHLO with two words", 0, "EHLO a b" CR,
	    "501 5.5.4 HELO needs one word" CR, "", "", false },
	{ "R-2 EHLO takes a name with an underscore", 0, "EHLO my_pc" CR,
	    HI_OK, "", "", false },
	{ "R-2 pedantic EHLO refuses an underscore", PEDANTIC,
	    "HELO my_pc" CR, "501 5.5.4 character not allowed in domain" CR,
	    "", "", false },
	{ "R-2 pedantic EHLO takes an address literal", PEDANTIC,
	    "HELO [192.0.2.1]" CR, "250 mx.example" CR, "", "", false },
	{ "R-2 commands in any case", 0, "helo c" CR "nOOp" CR "quit" CR,
	    "250 mx.example" CR "250 2.0.0 ok" CR BYE_OK, "", "", true },

	/* */
	{ "R-8 first command invalid: one reply, closed", 0,
	    "GET / HTTP/1.1" CR "Host: x" CR,
	    "500 5.5.2 please speak SMTP" CR, "", "", true },
	{ "R-8 first line empty: closed", 0, CR "NOOP" CR,
	    "500 5.5.2 please speak SMTP" CR, "", "", true },
	{ "R-8 a TLS hello is answered at its first byte", 0,
	    "\026\003\001\002", "500 5.5.2 please speak SMTP" CR, "", "",
	    true },
	{ "R-8 LHLO is not SMTP", 0, "LHLO c" CR,
	    "500 5.5.2 please speak SMTP" CR, "", "", true },
	{ "R-8 a later invalid command is tolerated", 0,
	    "NOOP" CR "FOO bar" CR CR BYE,
	    "250 2.0.0 ok" CR "500 5.5.1 unknown command" CR
	    "500 5.5.1 unknown command" CR BYE_OK, "", "", true },

	/* other commands */
	{ "R-2 HELP VRFY EXPN NOOP RSET QUIT", 0,
	    "HELP" CR "VRFY u" CR "EXPN l" CR "VRFY" CR "NOOP x" CR "RSET"
	    CR BYE,
	    "214 2.0.0 HELO EHLO MAIL RCPT DATA RSET NOOP QUIT VRFY EXPN "
	    "HELP" CR "252 2.7.0 no verification, send it and see" CR
	    "252 2.7.0 no verification, send it and see" CR
	    "501 5.5.4 an argument is needed" CR "250 2.0.0 ok" CR
	    "250 2.0.0 ok" CR BYE_OK, "", "", true },
	{ "R-9 STARTTLS and AUTH that are not offered are refused", 0,
	    HI "STARTTLS" CR "AUTH PLAIN AAA=" CR "NOOP" CR,
	    HI_OK "502 5.5.1 command not offered" CR
	    "502 5.5.1 command not offered" CR "250 2.0.0 ok" CR, "", "",
	    false },
	{ "R-2 RSET QUIT DATA with arguments", 0,
	    HI "RSET x" CR "QUIT x" CR "DATA x" CR,
	    HI_OK "501 5.5.4 no parameters are allowed here" CR
	    "501 5.5.4 no parameters are allowed here" CR
	    "501 5.5.4 no parameters are allowed here" CR, "", "", false },
	{ "R-2 a blank at the end is passed over", 0, "NOOP " CR "RSET  " CR,
	    "250 2.0.0 ok" CR "250 2.0.0 ok" CR, "", "", false },
	{ "R-2 pedantic: a blank at the end is an argument", PEDANTIC,
	    "RSET  " CR, "501 5.5.4 no parameters are allowed here" CR, "",
	    "", false },
	{ "R-2 control bytes in a command", 0, "NOOP \001" CR,
	    "501 5.5.2 control bytes are not allowed" CR, "", "", false },
	{ "R-2 nothing follows QUIT", 0, "NOOP" CR BYE "NOOP" CR,
	    "250 2.0.0 ok" CR BYE_OK, "", "", true },

	/* order */
	{ "R-2 MAIL before EHLO", 0, FROM, "503 5.5.1 say EHLO first" CR,
	    "", "", false },
	{ "R-2 RCPT before MAIL", 0, HI TO,
	    HI_OK "503 5.5.1 say MAIL first" CR, "", "", false },
	{ "R-2 DATA before MAIL", 0, HI DATA,
	    HI_OK "503 5.5.1 say MAIL first" CR, "", "", false },
	{ "R-2 DATA before RCPT", 0, HI FROM DATA,
	    HI_OK FROM_OK "503 5.5.1 say RCPT first" CR, "", "", false },
	{ "R-2 MAIL within a transaction", 0, HI FROM FROM,
	    HI_OK FROM_OK "503 5.5.1 a transaction has begun already" CR,
	    "", "", false },
	{ "R-2 RSET ends a transaction", 0, HI FROM TO "RSET" CR FROM,
	    HI_OK FROM_OK TO_OK "250 2.0.0 ok" CR FROM_OK, "", "", false },
	{ "R-2 EHLO ends a transaction", 0, HI FROM HI TO,
	    HI_OK FROM_OK HI_OK "503 5.5.1 say MAIL first" CR, "", "",
	    false },
	{ "R-2 DATA after all recipients were refused", 0,
	    HI FROM "RCPT TO:<nobody@d.example>" CR DATA FROM,
	    HI_OK FROM_OK "550 5.1.1 no such user" CR
	    "554 5.5.1 no recipient was accepted" CR FROM_OK, "", "",
	    false },

	/* MAIL */
	{ "R-10 blank after the colon accepted", 0,
	    HI "MAIL FROM: <a@b.example>" CR "RCPT TO:  <u@d.example>" CR,
	    HI_OK FROM_OK TO_OK, "", "", false },
	{ "R-10 blank after the colon refused when pedantic", PEDANTIC,
	    "HELO c.example" CR "MAIL FROM: <a@b.example>" CR,
	    "250 mx.example" CR
	    "501 5.5.2 no blank is allowed after the colon" CR, "", "",
	    false },
	{ "R-15 parameters", 0,
	    HI "MAIL FROM:<a@b.example> SIZE=100 BODY=8BITMIME AUTH=<>" CR,
	    HI_OK FROM_OK, "", "", false },
	{ "R-15 BODY=7BIT in any case", 0,
	    HI "mail from:<a@b.example> body=7bit" CR, HI_OK FROM_OK, "", "",
	    false },
	{ "R-15 declared SIZE over the limit", 0,
	    HI "MAIL FROM:<a@b.example> SIZE=104857601" CR,
	    HI_OK "552 5.3.4 message over the size limit" CR, "", "",
	    false },
	{ "R-15 declared SIZE at the limit", 0,
	    HI "MAIL FROM:<a@b.example> SIZE=104857600" CR, HI_OK FROM_OK,
	    "", "", false },
	{ "R-15 SIZE beyond 64 bits", 0,
	    HI "MAIL FROM:<a@b.example> SIZE=99999999999999999999" CR,
	    HI_OK "552 5.3.4 message over the size limit" CR, "", "",
	    false },
	{ "R-15 bad and repeated parameters", 0,
	    HI "MAIL FROM:<a@b.example> SIZE=x" CR
	    "MAIL FROM:<a@b.example> SIZE=1 SIZE=1" CR
	    "MAIL FROM:<a@b.example> BODY=9BIT" CR
	    "MAIL FROM:<a@b.example> SMTPUTF8=1" CR
	    "MAIL FROM:<a@b.example> AUTH" CR,
	    HI_OK "501 5.5.4 bad SIZE parameter" CR
	    "501 5.5.4 a parameter twice" CR
	    "501 5.5.4 bad BODY parameter" CR
	    "501 5.5.4 a value where none may be" CR
	    "501 5.5.4 a parameter without its value" CR, "", "", false },
	{ "R-15 unknown parameters, HOLDFOR among them", 0,
	    HI "MAIL FROM:<a@b.example> HOLDFOR=10" CR
	    "RCPT TO:<u@d.example> NOTIFY=NEVER" CR,
	    HI_OK "555 5.5.4 unknown MAIL parameter" CR
	    "503 5.5.1 say MAIL first" CR, "", "", false },
	{ "R-15 unknown RCPT parameter", 0,
	    HI FROM "RCPT TO:<u@d.example> NOTIFY=NEVER" CR,
	    HI_OK FROM_OK "555 5.5.4 unknown RCPT parameter" CR, "", "",
	    false },
	{ "R-15 REQUIRETLS without TLS", 0,
	    HI "MAIL FROM:<a@b.example> REQUIRETLS" CR,
	    HI_OK "530 5.7.10 REQUIRETLS needs TLS" CR, "", "", false },
	{ "R-2 a path needs its brackets", 0,
	    HI "MAIL FROM:a@b.example" CR "MAIL TO:<a@b.example>" CR
	    "MAIL FROM:<a@b.example>x" CR,
	    HI_OK
	    "501 5.5.2 syntax: MAIL FROM:<address> or RCPT TO:<address>" CR
	    "501 5.5.2 syntax: MAIL FROM:<address> or RCPT TO:<address>" CR
	    "501 5.5.2 syntax: MAIL FROM:<address> or RCPT TO:<address>" CR,
	    "", "", false },
	{ "R-2 a sender without domain", 0, HI "MAIL FROM:<postmaster>" CR,
	    HI_OK "501 5.1.7 a sender needs a domain" CR, "", "", false },
	{ "R-3 8-bit address without SMTPUTF8", 0,
	    HI "MAIL FROM:<\303\274@b.example>" CR,
	    HI_OK "553 5.6.7 SMTPUTF8 is needed" CR, "", "", false },
	{ "R-3 SMTPUTF8", 0,
	    HI "MAIL FROM:<\303\274@b.example> SMTPUTF8" CR
	    "RCPT TO:<\303\266@d.example>" CR DATA "." CR,
	    HI_OK FROM_OK TO_OK DATA_OK GOT, "<END>",
	    "UTF8SMTP \303\274@b.example>\303\266@d.example\n", false },

	/* RCPT */
	{ "R-12 quoted local parts, the empty one too", 0,
	    HI "MAIL FROM:<\"\"@b.example>" CR
	    "RCPT TO:<\"a b\"@d.example>" CR "RCPT TO:<\"\"@d.example>" CR
	    DATA "." CR,
	    HI_OK FROM_OK TO_OK TO_OK DATA_OK GOT, "<END>",
	    "ESMTP \"\"@b.example>\"a b\"@d.example,\"\"@d.example\n",
	    false },
	{ "R-12 a bracket in a quoted local part", 0,
	    HI FROM "RCPT TO:<\"a>b\"@d.example>" CR DATA "." CR,
	    HI_OK FROM_OK TO_OK DATA_OK GOT, "<END>",
	    "ESMTP a@b.example>\"a>b\"@d.example\n", false },
	{ "R-24 postmaster without domain", 0,
	    HI FROM "RCPT TO:<PostMaster>" CR, HI_OK FROM_OK TO_OK, "", "",
	    false },
	{ "R-16 null reverse-path has one recipient", 0,
	    HI "MAIL FROM:<>" CR TO TO DATA "." CR,
	    HI_OK FROM_OK TO_OK "452 4.5.3 too many recipients" CR DATA_OK
	    GOT, "<END>", "ESMTP >u@d.example\n", false },
	{ "R-16 one recipient too many", FEW, "HELO c" CR FROM TO TO TO DATA
	    "." CR,
	    "250 mx.example" CR FROM_OK TO_OK TO_OK
	    "452 4.5.3 too many recipients" CR DATA_OK GOT, "<END>",
	    "SMTP a@b.example>u@d.example,u@d.example\n", false },
	{ "R-2 an empty recipient", 0, HI FROM "RCPT TO:<>" CR,
	    HI_OK FROM_OK "501 5.1.3 a recipient is not empty" CR, "", "",
	    false },
	{ "R-2 a source route is dropped", 0,
	    HI FROM "RCPT TO:<@x.example,@y.example:u@d.example>" CR DATA "."
	    CR, HI_OK FROM_OK TO_OK DATA_OK GOT, "<END>", ENV, false },

	/* message text */
	{ "R-11 a message", 0, HEAD "Subject: x" CR CR "body" CR "." CR BYE,
	    HEAD_OK GOT BYE_OK, "Subject: x\n\nbody\n<END>", ENV, true },
	{ "R-11 dots are unstuffed", 0,
	    HEAD "..a" CR ".." CR "...b" CR ".c" CR "d." CR "." CR,
	    HEAD_OK GOT, ".a\n.\n..b\nc\nd.\n<END>", ENV, false },
	{ "R-11 an empty message", 0, HEAD "." CR, HEAD_OK GOT, "<END>", ENV,
	    false },
	{ "R-7 two pipelined messages in one go", 0,
	    HEAD "1" CR "." CR FROM TO DATA "2" CR "." CR BYE,
	    HEAD_OK GOT FROM_OK TO_OK DATA_OK GOT BYE_OK, "1\n<END>2\n<END>",
	    ENV ENV, true },
	{ "R-11 commands in a message are text", 0,
	    HEAD "QUIT" CR "RSET" CR "." CR, HEAD_OK GOT,
	    "QUIT\nRSET\n<END>", ENV, false },
	{ "R-33 a reply of several lines", 0,
	    HI "MAIL FROM:<fail@b.example>" CR TO DATA "." CR,
	    HI_OK FROM_OK TO_OK DATA_OK "451-4.3.0 one" CR "451 4.3.0 two"
	    CR, "<END>", "ESMTP fail@b.example>u@d.example\n", false },
	{ "R-15 a message over the limit is not kept", SMALL,
	    "HELO c" CR FROM TO DATA "123456789012345678" CR "x" CR "." CR
	    "NOOP" CR,
	    "250 mx.example" CR FROM_OK TO_OK DATA_OK
	    "552 5.3.4 message over the size limit" CR "250 2.0.0 ok" CR,
	    "", "", false },
	{ "R-15 a message at the limit is taken", SMALL,
	    "HELO c" CR FROM TO DATA "..234567890123456" CR CR "." CR,
	    "250 mx.example" CR FROM_OK TO_OK DATA_OK "250 2.0.0 got it" CR,
	    ".234567890123456\n\n<END>",
	    "SMTP a@b.example>u@d.example\n", false },

	/* */
	{ "R-11 bare LF ends no message: LF . CR LF", 0,
	    HEAD "a\n." CR, HEAD_OK LF_FAULT, "", "", true },
	{ "R-11 LF . LF", 0, HEAD "a\n.\nMAIL", HEAD_OK LF_FAULT, "", "",
	    true },
	{ "R-11 CR LF . LF", 0, HEAD "a" CR ".\n", HEAD_OK LF_FAULT, "",
	    "", true },
	{ "R-11 CR LF . CR without LF", 0, HEAD "a" CR ".\rx", HEAD_OK
	    CR_FAULT, "", "", true },
	{ "R-11 CR LF . CR CR LF", 0, HEAD "a" CR ".\r\r\n", HEAD_OK CR_FAULT,
	    "", "", true },
	{ "R-11 CR . CR", 0, HEAD "a\r.\r", HEAD_OK CR_FAULT, "", "",
	    true },
	{ "R-11 CR . CR LF", 0, HEAD "a\r." CR, HEAD_OK CR_FAULT, "", "",
	    true },
	{ "R-11 CR CR LF . CR LF", 0, HEAD "a\r\r\n." CR, HEAD_OK CR_FAULT,
	    "", "", true },
	{ "R-11 LF CR . CR LF", 0, HEAD "a\n\r." CR, HEAD_OK LF_FAULT, "",
	    "", true },
	{ "R-11 . LF first", 0, HEAD ".\n", HEAD_OK LF_FAULT, "", "", true },
	{ "R-11 . CR . CR LF first", 0, HEAD ".\r.\r\n", HEAD_OK CR_FAULT,
	    "", "", true },
	{ "R-11 bare LF in the middle", 0, HEAD "a\nb" CR "." CR, HEAD_OK
	    LF_FAULT, "", "", true },
	{ "R-11 bare CR in the middle", 0, HEAD "a\rb" CR "." CR, HEAD_OK
	    CR_FAULT, "", "", true },
	{ "R-11 dot stuffed before LF", 0, HEAD "..\n", HEAD_OK LF_FAULT, "",
	    "", true },
	{ "R-11 what is smuggled is no command", 0,
	    HEAD "a\n.\r\nMAIL FROM:<x@y.example>" CR, HEAD_OK LF_FAULT, "",
	    "", true },
	{ "R-11 command line with bare LF", 0, "NOOP\nNOOP" CR,
	    "500 5.5.2 bad syntax: command line ends in a bare LF, "
	    "smtp smuggling is refused" CR, "", "", true },
	{ "R-11 command line with bare CR", 0, "NOOP\rQUIT" CR,
	    "500 5.5.2 bad syntax: bare CR in a command line, "
	    "smtp smuggling is refused" CR, "", "", true },

	/* LMTP */
	{ "R-8 HELO is not LMTP", LMTP, "EHLO c" CR,
	    "500 5.5.2 please speak LMTP" CR, "", "", true },
	{ "R-2 LMTP: LHLO and a reply per recipient", LMTP,
	    "LHLO c" CR FROM TO "RCPT TO:<nobody@d.example>" CR
	    "RCPT TO:<full@d.example>" CR DATA "x" CR "." CR BYE,
	    "250-mx.example" CR "250-PIPELINING" CR "250-SIZE 104857600" CR
	    "250-ENHANCEDSTATUSCODES" CR "250-8BITMIME" CR
	    "250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE MARKS" CR
	    "250-LIMITS RCPTMAX=1000" CR "250 SMTPUTF8" CR
	    FROM_OK TO_OK "550 5.1.1 no such user" CR TO_OK DATA_OK GOT
	    "452 4.2.2 full" CR BYE_OK, "x\n<END>",
	    "LMTP a@b.example>u@d.example,full@d.example\n", true },
	{ "R-15 LMTP: a refused message has a reply per recipient",
	    LMTP | SMALL,
	    "LHLO c" CR FROM TO TO DATA "123456789012345678901" CR "." CR,
	    "250-mx.example" CR "250-PIPELINING" CR "250-SIZE 20" CR
	    "250-ENHANCEDSTATUSCODES" CR "250-8BITMIME" CR
	    "250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE MARKS" CR
	    "250-LIMITS RCPTMAX=1000" CR "250 SMTPUTF8" CR
	    FROM_OK TO_OK TO_OK DATA_OK
	    "552 5.3.4 message over the size limit" CR
	    "552 5.3.4 message over the size limit" CR, "", "", false },
	{ "R-23 MAIL needs TLS", MUST, HI FROM "NOOP" CR,
	    HI_OK "530 5.7.0 say STARTTLS first" CR "250 2.0.0 ok" CR, "", "",
	    false },
	{ "R-23 MAIL with TLS", MUST | TLS, HI FROM, HI_OK FROM_OK, "", "",
	    false },
	{ "R-9 STARTTLS twice", TLS, HI "STARTTLS" CR,
	    HI_OK "503 5.5.1 TLS is active already" CR, "", "", false },
	{ "U-1 AUTH without TLS", SUBMIT, HI "AUTH PLAIN b2s=" CR FROM,
	    HI_OK "538 5.7.11 say STARTTLS first" CR
	    "530 5.7.0 authentication is required" CR, "", "", false },
	{ "U-1 AUTH with TLS, then mail", SUBMIT | TLS,
	    HI FROM "AUTH plain b2s=" CR "AUTH PLAIN b2s=" CR FROM TO DATA
	    "x" CR "." CR,
	    HI_AUTH "530 5.7.0 authentication is required" CR
	    "235 2.7.0 authenticated" CR
	    "503 5.5.1 authenticated already" CR FROM_OK TO_OK DATA_OK
	    "250 2.0.0 got it" CR, "x\n<END>",
	    "ESMTPSA a@b.example>u@d.example\n", false },
	{ "R-6 UTF8SMTPS", TLS, HI "MAIL FROM:<a@b.example> SMTPUTF8" CR TO
	    DATA "x" CR "." CR, HI_OK FROM_OK TO_OK DATA_OK
	    "250 2.0.0 got it" CR, "x\n<END>",
	    "UTF8SMTPS a@b.example>u@d.example\n", false },
	{ "U-10, U-11 a client key: mail at once, AUTH may come once",
	    SUBMIT | TLS | KEY,
	    FROM HI FROM "RSET" CR "AUTH PLAIN b2s=" CR "AUTH PLAIN b2s=" CR
	    FROM TO DATA "x" CR "." CR,
	    "503 5.5.1 say EHLO first" CR HI_AUTH FROM_OK
	    "250 2.0.0 ok" CR "235 2.7.0 authenticated" CR
	    "503 5.5.1 authenticated already" CR FROM_OK TO_OK DATA_OK
	    "250 2.0.0 got it" CR, "x\n<END>",
	    "ESMTPSA a@b.example>u@d.example\n", false },
	{ "U-10 a client key without any AUTH", SUBMIT | TLS | KEY,
	    HI FROM TO DATA "x" CR "." CR,
	    HI_AUTH FROM_OK TO_OK DATA_OK "250 2.0.0 got it" CR, "x\n<END>",
	    "ESMTPSA a@b.example>u@d.example\n", false },
	{ "U-2 AUTH: challenges, wrong and cancelled ones", SUBMIT | TLS,
	    HI "AUTH PLAIN" CR "bW9yZQ==" CR "d3Jvbmc=" CR
	    "AUTH LOGIN =" CR "*" CR
	    "AUTH LOGIN" CR "no base64" CR
	    "AUTH LOGIN" CR "" CR "b2s=" CR "NOOP" CR,
	    HI_AUTH "334 Zm9v" CR "334 Zm9v" CR "535 5.7.8 wrong" CR
	    "334 Zm9v" CR "501 5.7.0 authentication cancelled" CR
	    "334 Zm9v" CR "501 5.5.2 response is not base64" CR
	    "334 Zm9v" CR "334 Zm9v" CR "235 2.7.0 authenticated" CR
	    "250 2.0.0 ok" CR, "", "", false },
	{ "AUTH that is none", SUBMIT | TLS,
	    "AUTH PLAIN b2s=" CR HI "AUTH" CR "AUTH FOO" CR
	    "AUTH PLAIN b2s" CR "AUTH PLAIN ====" CR "AUTH PLAIN b=s=" CR
	    "AUTH PLAIN b2s= b2s=" CR "HELO c" CR "AUTH PLAIN b2s=" CR,
	    "503 5.5.1 say EHLO first" CR HI_AUTH
	    "501 5.5.4 mechanism is not offered" CR
	    "504 5.5.4 mechanism is not offered" CR
	    "501 5.5.2 response is not base64" CR
	    "501 5.5.2 response is not base64" CR
	    "501 5.5.2 response is not base64" CR
	    "501 5.5.2 response is not base64" CR
	    "250 mx.example" CR "503 5.5.1 say EHLO first" CR, "", "",
	    false },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

#endif
