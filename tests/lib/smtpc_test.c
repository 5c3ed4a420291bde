/* smtpc_test.c - the session machine against scripted servers */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smtpc_script.h"

#define ROWS(r) play_rows(r, sizeof(r) / sizeof((r)[0]))
#define FROM "a@me.example"
#define HI "S:220 mx\nC:EHLO me.example\n"
/* A server that offers nothing; one with pipelining; what is said of it. */
#define PLAIN_EHLO HI "S:250 mx.example\n"
#define PIPE_EHLO HI "S:250-mx.example\nS:250 PIPELINING\n"
#define OPEN PLAIN_EHLO "!send\nC:MAIL FROM:<a@me.example>\n"
#define PIPE_OPEN PIPE_EHLO "!send\nC:MAIL FROM:<a@me.example>\n"
#define TEXT1 "C:A: b\nC:\nC:x\nC:.\n"
#define MSG "A: b\n\nx\n"
#define QUIT "!quit\nC:QUIT\nS:221 bye\n"
#define IN_ORDER "/ok 0  QUIT"

static void
plain_dialogues(void **state)
{
	static const struct row rows[] = {
		{ "one recipient", 0, FROM, "u@x.example", MSG,
		    OPEN "S:250 ok\nC:RCPT TO:<u@x.example>\nS:250 ok\n"
		    "C:DATA\nS:354 go\n" TEXT1 "S:250 2.0.0 taken\n" QUIT,
		    "ok 250 2.0.0 end" IN_ORDER },
		{ "null sender, postmaster", 0, "", "postmaster", MSG,
		    PLAIN_EHLO "!send\nC:MAIL FROM:<>\nS:250 ok\n"
		    "C:RCPT TO:<postmaster>\nS:251 ok\nC:DATA\nS:354 go\n"
		    TEXT1 "S:250 taken\n", "ok 250  end/open" },
		{ "dots, and no line end at the end", 0, FROM,
		    "u@x.example", ".\n..a\nb.\n\n.c",
		    OPEN "S:250 ok\nC:RCPT TO:<u@x.example>\nS:250 ok\n"
		    "C:DATA\nS:354 go\nC:..\nC:...a\nC:b.\nC:\nC:..c\nC:.\n"
		    "S:250 ok\n", "ok 250  end/open" },
		{ "CRLF in the source becomes CRLF", 0, FROM,
		    "u@x.example", "a\r\nb\n",
		    OPEN "S:250 ok\nC:RCPT TO:<u@x.example>\nS:250 ok\n"
		    "C:DATA\nS:354 go\nC:a\nC:b\nC:.\nS:250 ok\n",
		    "ok 250  end/open" },
		{ "an empty message", 0, FROM, "u@x.example", "",
		    OPEN "S:250 ok\nC:RCPT TO:<u@x.example>\nS:250 ok\n"
		    "C:DATA\nS:354 go\nC:.\nS:250 ok\n", "ok 250  end/open" },
		{ "MAIL refused", 0, FROM, "u@x.example v@x.example", MSG,
		    OPEN "S:550 5.7.1 no\n" QUIT, "perm 550 5.7.1 MAIL|"
		    "perm 550 5.7.1 MAIL" IN_ORDER },
		{ "all RCPT refused: no DATA, RSET before the next", 0, FROM,
		    "u@x.example v@x.example", MSG,
		    OPEN "S:250 ok\nC:RCPT TO:<u@x.example>\nS:450 4.2.1 l\n"
		    "C:RCPT TO:<v@x.example>\nS:550 no\n"
		    "!reset\n!send\nC:RSET\nS:250 ok\n"
		    "C:MAIL FROM:<a@me.example>\nS:451 no\n",
		    "temp 451  MAIL|temp 451  MAIL/open" },
		{ "DATA refused", 0, FROM, "u@x.example v@x.example", MSG,
		    OPEN "S:250 ok\nC:RCPT TO:<u@x.example>\nS:250 ok\n"
		    "C:RCPT TO:<v@x.example>\nS:550 no\n"
		    "C:DATA\nS:451 4.3.0 no\n" QUIT,
		    "temp 451 4.3.0 DATA|perm 550  RCPT" IN_ORDER },
		{ "refused after the message; no RSET is needed", 0, FROM,
		    "u@x.example", MSG,
		    OPEN "S:250 ok\nC:RCPT TO:<u@x.example>\nS:250 ok\n"
		    "C:DATA\nS:354 go\n" TEXT1 "S:554 5.6.0 spam\n"
		    "!reset\n!send\nC:MAIL FROM:<a@me.example>\nS:451 no\n",
		    "temp 451  MAIL/open" },
		{ "HELO where EHLO is not known", 0, FROM, "u@x.example", MSG,
		    HI "S:502 what?\nC:HELO me.example\nS:250 hi\n"
		    "!send\nC:MAIL FROM:<a@me.example>\nS:250 ok\n"
		    "C:RCPT TO:<u@x.example>\nS:250 ok\n"
		    "C:DATA\nS:354 go\n" TEXT1 "S:250 ok\n",
		    "ok 250  end/open" },
		{ "NOOP", 0, FROM, "u@x.example", MSG,
		    PLAIN_EHLO "!noop\nC:NOOP\nS:250 ok\n",
		    "- 0  connect/open" },
	};

	(void)state;
	ROWS(rows);
}

#define RCPT3 "C:RCPT TO:<u@x.example>\nC:RCPT TO:<v@x.example>\n" \
	"C:RCPT TO:<w@x.example>\nC:DATA\n"
#define THREE "u@x.example v@x.example w@x.example"

static void
pipelined(void **state)
{
	static const struct row rows[] = {
		{ "three recipients in one go", 0, FROM, THREE, MSG,
		    PIPE_OPEN RCPT3 "S:250 ok\nS:250 ok\nS:250 ok\n"
		    "S:250 ok\nS:354 go\n" TEXT1 "S:250 2.0.0 ok\n",
		    "ok 250 2.0.0 end|ok 250 2.0.0 end|ok 250 2.0.0 end/open"
		    },
		{ "each has its own result", 0, FROM, THREE, MSG,
		    PIPE_OPEN RCPT3 "S:250 ok\nS:550 5.1.1 no\nS:250 ok\n"
		    "S:450 4.2.1 later\nS:354 go\n" TEXT1 "S:250 2.0.0 ok\n",
		    "perm 550 5.1.1 RCPT|ok 250 2.0.0 end|"
		    "temp 450 4.2.1 RCPT/open" },
		{ "all refused and 354: a lone dot, no message", 0, FROM,
		    THREE, MSG, PIPE_OPEN RCPT3 "S:250 ok\nS:550 no\n"
		    "S:550 no\nS:450 no\nS:354 go\nC:.\nS:250 nothing\n" QUIT,
		    "perm 550  RCPT|perm 550  RCPT|temp 450  RCPT" IN_ORDER },
		{ "all refused and 554 to DATA", 0, FROM, THREE, MSG,
		    PIPE_OPEN RCPT3 "S:250 ok\nS:550 no\nS:550 no\nS:450 no\n"
		    "S:554 nobody\n!reset\n!send\nC:RSET\n"
		    "C:MAIL FROM:<a@me.example>\n" RCPT3
		    "S:250 ok\nS:451 no\nS:503 no\nS:503 no\nS:503 no\n"
		    "S:503 no\n",
		    "temp 451  MAIL|temp 451  MAIL|temp 451  MAIL/open" },
		{ "MAIL refused, RCPT accepted, 354: nothing is sent", 0,
		    FROM, THREE, MSG, PIPE_OPEN RCPT3 "S:552 5.2.2 full\n"
		    "S:250 ok\nS:250 ok\nS:250 ok\nS:354 go\nC:.\n"
		    "S:250 ok\n", "perm 552 5.2.2 MAIL|perm 552 5.2.2 MAIL|"
		    "perm 552 5.2.2 MAIL/open" },
		{ "DATA refused", 0, FROM, THREE, MSG,
		    PIPE_OPEN RCPT3 "S:250 ok\nS:250 ok\nS:550 no\nS:250 ok\n"
		    "S:451 4.3.0 no\n", "temp 451 4.3.0 DATA|"
		    "perm 550  RCPT|temp 451 4.3.0 DATA/open" },
	};

	(void)state;
	ROWS(rows);
}

static void
again(void **state)
{
	static const struct row rows[] = {
		{ "RCPTMAX", 0, FROM, THREE, MSG,
		    HI "S:250-mx\nS:250-PIPELINING\nS:250 LIMITS RCPTMAX=2\n"
		    "!send\nC:MAIL FROM:<a@me.example>\n"
		    "C:RCPT TO:<u@x.example>\nC:RCPT TO:<v@x.example>\n"
		    "C:DATA\nS:250 ok\nS:250 ok\nS:550 no\nS:354 go\n" TEXT1
		    "S:250 ok\n", "ok 250  end|perm 550  RCPT|"
		    "temp 0 4.5.3 check again/open" },
		{ "RCPTMAX, all in the end", 0, FROM, THREE, MSG,
		    HI "S:250-mx\nS:250 LIMITS MAILMAX=9 RCPTMAX=2\n"
		    "!send\nC:MAIL FROM:<a@me.example>\nS:250 ok\n"
		    "C:RCPT TO:<u@x.example>\nS:250 ok\n"
		    "C:RCPT TO:<v@x.example>\nS:250 ok\n"
		    "C:DATA\nS:354 go\n" TEXT1 "S:250 ok\n"
		    "!again\nC:MAIL FROM:<a@me.example>\nS:250 ok\n"
		    "C:RCPT TO:<w@x.example>\nS:250 ok\n"
		    "C:DATA\nS:354 go\n" TEXT1 "S:250 ok\n",
		    "ok 250  end|ok 250  end|ok 250  end/open" },
		{ "RCPTDOMAINMAX", 0, FROM,
		    "u@x.example v@y.example w@x.example", MSG,
		    HI "S:250-mx\nS:250 LIMITS RCPTDOMAINMAX=1\n"
		    "!send\nC:MAIL FROM:<a@me.example>\nS:250 ok\n"
		    "C:RCPT TO:<u@x.example>\nS:550 no\n"
		    "C:RCPT TO:<w@x.example>\nS:550 no\n"
		    "!again\nC:RSET\nS:250 ok\nC:MAIL FROM:<a@me.example>\n"
		    "S:250 ok\nC:RCPT TO:<v@y.example>\nS:450 no\n",
		    "perm 550  RCPT|temp 450  RCPT|perm 550  RCPT/open" },
		{ "the caller's limit", FEW, FROM, THREE, MSG,
		    OPEN "S:250 ok\nC:RCPT TO:<u@x.example>\nS:550 no\n"
		    "C:RCPT TO:<v@x.example>\nS:550 no\n",
		    "perm 550  RCPT|perm 550  RCPT|"
		    "temp 0 4.5.3 check again/open" },
		{ "452 on a later recipient", 0, FROM, THREE, MSG,
		    PIPE_OPEN RCPT3 "S:250 ok\nS:250 ok\n"
		    "S:452 4.5.3 too many\nS:552 5.5.3 too many\nS:354 go\n"
		    TEXT1 "S:250 ok\n", "ok 250  end|"
		    "temp 452 4.5.3 RCPT again|temp 552 5.5.3 RCPT again/open"
		    },
		{ "452 and 552 that speak of the mailbox: not again", 0, FROM,
		    THREE, MSG, PIPE_OPEN RCPT3 "S:250 ok\nS:250 ok\n"
		    "S:452 4.2.2 full\nS:552 5.2.2 full\nS:354 go\n"
		    TEXT1 "S:250 ok\n", "ok 250  end|temp 452 4.2.2 RCPT|"
		    "perm 552 5.2.2 RCPT/open" },
		{ "then at once in a new transaction", 0, FROM, THREE, MSG,
		    PIPE_OPEN RCPT3 "S:250 ok\nS:250 ok\n"
		    "S:452 4.5.3 too many\nS:452 too many\nS:354 go\n"
		    TEXT1 "S:250 ok\n!again\nC:MAIL FROM:<a@me.example>\n"
		    "C:RCPT TO:<v@x.example>\nC:RCPT TO:<w@x.example>\n"
		    "C:DATA\nS:250 ok\nS:250 ok\nS:250 ok\nS:354 go\n" TEXT1
		    "S:250 ok\n", "ok 250  end|ok 250  end|ok 250  end/open"
		    },
		{ "452 and 552 on the first are what they say", 0, FROM,
		    "u@x.example", MSG,
		    OPEN "S:250 ok\nC:RCPT TO:<u@x.example>\nS:552 5.2.2 f\n"
		    "!reset\n!send\nC:RSET\nS:250 ok\n"
		    "C:MAIL FROM:<a@me.example>\nS:250 ok\n"
		    "C:RCPT TO:<u@x.example>\nS:452 4.2.2 full\n",
		    "temp 452 4.2.2 RCPT/open" },
		{ "MAIL refused: nobody again", FEW, FROM, THREE, MSG,
		    OPEN "S:550 no\n", "perm 550  MAIL|perm 550  MAIL|"
		    "perm 550  MAIL/open" },
	};

	(void)state;
	ROWS(rows);
}

#define ENDING OPEN "S:250 ok\nC:RCPT TO:<u@x.example>\nS:250 ok\n" \
	"C:DATA\nS:354 go\n" TEXT1

static void
endings(void **state)
{
	static const struct row rows[] = {
		{ "no service", 0, FROM, "u@x.example", MSG,
		    "S:554 5.3.2 no\nC:QUIT\n",
		    "- 0  connect/perm 554 5.3.2 greeting" },
		{ "busy", 0, FROM, "u@x.example", MSG, "S:421 4.3.2 busy\n",
		    "- 0  connect/temp 421 4.3.2 greeting" },
		{ "closed before the greeting", 0, FROM, "u@x.example", MSG,
		    "!eof\n", "- 0  connect/temp 0 4.4.2 connect" },
		{ "EHLO is put off", 0, FROM, "u@x.example", MSG,
		    HI "S:450 4.7.0 who?\nC:QUIT\n",
		    "- 0  connect/temp 450 4.7.0 EHLO" },
		{ "greeting with a good code that is none", 0, FROM,
		    "u@x.example", MSG, "S:250 hello\n",
		    "- 0  connect/temp 0 4.5.0 greeting" },
		{ "421 to MAIL", 0, FROM, "u@x.example v@x.example", MSG,
		    PIPE_OPEN "C:RCPT TO:<u@x.example>\n"
		    "C:RCPT TO:<v@x.example>\nC:DATA\nS:421 4.3.2 down\n",
		    "temp 421 4.3.2 MAIL|temp 421 4.3.2 MAIL/"
		    "temp 421 4.3.2 MAIL" },
		{ "421 to the second RCPT", 0, FROM,
		    "u@x.example v@x.example w@x.example", MSG,
		    OPEN "S:250 ok\nC:RCPT TO:<u@x.example>\nS:550 no\n"
		    "C:RCPT TO:<v@x.example>\nS:421 down\n",
		    "perm 550  RCPT|temp 421  RCPT|temp 421  RCPT/"
		    "temp 421  RCPT" },
		{ "421 between mails", 0, FROM, "u@x.example", MSG,
		    PLAIN_EHLO "S:421 4.4.2 idle too long\n",
		    "- 0  connect/temp 421 4.4.2 ready" },
		{ "421 after the message was taken", 0, FROM, "u@x.example",
		    MSG, ENDING "S:250 ok\nS:421 bye\n",
		    "ok 250  end/temp 421  ready" },
		{ "accepts and drops: may be sent twice", 0, FROM,
		    "u@x.example", MSG, ENDING "!eof\n",
		    "temp 0 4.4.2 end doubtful/temp 0 4.4.2 end doubtful" },
		{ "no reply to the end mark in time", 0, FROM,
		    "u@x.example", MSG, ENDING "!timeout\n",
		    "temp 0 4.4.2 end doubtful/temp 0 4.4.2 end doubtful" },
		{ "half a reply to the end mark", 0, FROM, "u@x.example",
		    MSG, ENDING "S:250-o\n!eof\n",
		    "temp 0 4.4.2 end doubtful/temp 0 4.4.2 end doubtful" },
		{ "garbage after the end mark", 0, FROM, "u@x.example",
		    MSG, ENDING "S:OK\n",
		    "temp 0 4.5.0 end doubtful/temp 0 4.5.0 end doubtful" },
		{ "only who was accepted is in doubt", 0, FROM,
		    "u@x.example v@x.example", MSG,
		    OPEN "S:250 ok\nC:RCPT TO:<u@x.example>\nS:550 no\n"
		    "C:RCPT TO:<v@x.example>\nS:250 ok\n"
		    "C:DATA\nS:354 go\n" TEXT1 "!eof\n",
		    "perm 550  RCPT|temp 0 4.4.2 end doubtful/"
		    "temp 0 4.4.2 end doubtful" },
		{ "dropped before the message: no doubt", 0, FROM,
		    "u@x.example", MSG,
		    OPEN "S:250 ok\nC:RCPT TO:<u@x.example>\nS:250 ok\n"
		    "C:DATA\n!eof\n", "temp 0 4.4.2 DATA/temp 0 4.4.2 DATA" },
		{ "250 to DATA", 0, FROM, "u@x.example", MSG,
		    OPEN "S:250 ok\nC:RCPT TO:<u@x.example>\nS:250 ok\n"
		    "C:DATA\nS:250 ok\n",
		    "temp 0 4.5.0 DATA/temp 0 4.5.0 DATA" },
		{ "354 to RCPT", 0, FROM, "u@x.example", MSG,
		    OPEN "S:250 ok\nC:RCPT TO:<u@x.example>\nS:354 ok\n",
		    "temp 0 4.5.0 RCPT/temp 0 4.5.0 RCPT" },
		{ "a reply to nothing", 0, FROM, "u@x.example", MSG,
		    PLAIN_EHLO "S:250 ok\n",
		    "- 0  connect/temp 0 4.5.0 ready" },
		{ "RSET refused", 0, FROM, "u@x.example", MSG,
		    OPEN "S:250 ok\nC:RCPT TO:<u@x.example>\nS:550 no\n"
		    "!reset\n!send\nC:RSET\nS:500 what?\nC:QUIT\n",
		    "temp 500  RSET/temp 500  RSET" },
		{ "different codes in one reply", 0, FROM, "u@x.example", MSG,
		    OPEN "S:250-ok\nS:550 ok\n",
		    "temp 0 4.5.0 MAIL/temp 0 4.5.0 MAIL" },
		{ "8-bit text in a reply", 0, FROM, "u@x.example", MSG,
		    OPEN "S:550 5.7.1 n\xf6\n", "perm 550 5.7.1 MAIL/open" },
		{ "which a pedant does not read", PEDANTIC, FROM,
		    "u@x.example", MSG, OPEN "S:550 5.7.1 n\xf6\n",
		    "temp 0 4.5.0 MAIL/temp 0 4.5.0 MAIL" },
		{ "UTF-8 only after SMTPUTF8 was said", PEDANTIC, FROM,
		    "\xc3\xa4@x.example", MSG,
		    HI "S:250-mx\nS:250 SMTPUTF8\n!send\n"
		    "C:MAIL FROM:<a@me.example> SMTPUTF8\n"
		    "S:550 5.7.1 n\xc3\xb6\n", "perm 550 5.7.1 MAIL/open" },
		{ "any answer to QUIT is right", 0, FROM, "u@x.example", MSG,
		    PLAIN_EHLO "!quit\nC:QUIT\nS:nonsense\n",
		    "- 0  connect" IN_ORDER },
		{ "and none", 0, FROM, "u@x.example", MSG,
		    PLAIN_EHLO "!quit\nC:QUIT\n!eof\n",
		    "- 0  connect" IN_ORDER },
	};

	(void)state;
	ROWS(rows);
}

static void
lmtp(void **state)
{
#define LHLO "S:220 mx\nC:LHLO me.example\nS:250-mx\nS:250 PIPELINING\n"

	static const struct row rows[] = {
		{ "a reply for each recipient", LMTP, FROM, THREE, MSG,
		    LHLO "!send\nC:MAIL FROM:<a@me.example>\n" RCPT3
		    "S:250 ok\nS:250 ok\nS:550 5.1.1 no\nS:250 ok\nS:354 go\n"
		    TEXT1 "S:250 2.0.0 ok\nS:452 4.2.2 full\n",
		    "ok 250 2.0.0 end|perm 550 5.1.1 RCPT|temp 452 4.2.2 end"
		    "/open" },
		{ "dropped between them", LMTP, FROM, THREE, MSG,
		    LHLO "!send\nC:MAIL FROM:<a@me.example>\n" RCPT3
		    "S:250 ok\nS:250 ok\nS:250 ok\nS:250 ok\nS:354 go\n"
		    TEXT1 "S:250 2.0.0 ok\n!eof\n",
		    "ok 250 2.0.0 end|temp 0 4.4.2 end doubtful|"
		    "temp 0 4.4.2 end doubtful/temp 0 4.4.2 end doubtful" },
		{ "421 to the second", LMTP, FROM, THREE, MSG,
		    LHLO "!send\nC:MAIL FROM:<a@me.example>\n" RCPT3
		    "S:250 ok\nS:250 ok\nS:250 ok\nS:250 ok\nS:354 go\n"
		    TEXT1 "S:250 2.0.0 ok\nS:421 down\n",
		    "ok 250 2.0.0 end|temp 421  end|temp 421  end/"
		    "temp 421  end" },
		{ "no HELO in LMTP", LMTP, FROM, "u@x.example", MSG,
		    "S:220 mx\nC:LHLO me.example\nS:500 what?\nC:QUIT\n",
		    "- 0  connect/perm 500  EHLO" },
	};

	(void)state;
	ROWS(rows);
}

#define ASK_TLS HI "S:250-mx\nS:250-SIZE 5\nS:250 STARTTLS\nC:STARTTLS\n"

static void
starttls(void **state)
{
	static const struct row rows[] = {
		{ "what was offered in clear is forgotten", TLS_IF, FROM,
		    "u@x.example", MSG, ASK_TLS "S:220 go\n!tls\n"
		    "C:EHLO me.example\nS:250 mx\n"
		    "!send\nC:MAIL FROM:<a@me.example>\nS:550 no\n",
		    "perm 550  MAIL/open" },
		{ "text before TLS", TLS_IF, FROM, "u@x.example", MSG,
		    ASK_TLS "S:220 go\nS:250 injected\n",
		    "- 0  connect/temp 0 4.5.0 TLS" },
		{ "not even 421 is believed there", TLS_IF, FROM,
		    "u@x.example", MSG, ASK_TLS "S:220 go\nS:421 down\n",
		    "- 0  connect/temp 0 4.5.0 TLS" },
		{ "not with HELO after TLS either", TLS_IF, FROM,
		    "u@x.example", MSG, ASK_TLS "S:220 go\n!tls\n"
		    "C:EHLO me.example\nS:502 what?\nC:HELO me.example\n"
		    "S:250 mx\n!send\nC:MAIL FROM:<a@me.example>\nS:550 no\n",
		    "perm 550  MAIL/open" },
		{ "even one byte", TLS_IF, FROM, "u@x.example", MSG,
		    ASK_TLS "S:220 go\nS:\n",
		    "- 0  connect/temp 0 4.5.0 TLS" },
		{ "refused: goes on in clear", TLS_IF, FROM, "u@x.example",
		    "x\n", ASK_TLS "S:454 4.7.0 not now\n!send\n"
		    "C:MAIL FROM:<a@me.example> SIZE=3\nS:550 no\n",
		    "perm 550  MAIL/open" },
		{ "refused, but required", TLS_MUST, FROM, "u@x.example", MSG,
		    ASK_TLS "S:501 5.7.0 no\nC:QUIT\n",
		    "- 0  connect/temp 501 5.7.0 STARTTLS" },
		{ "not offered, but required", TLS_MUST, FROM, "u@x.example",
		    MSG, PLAIN_EHLO "C:QUIT\n",
		    "- 0  connect/temp 0 4.7.4 STARTTLS" },
		{ "not offered", TLS_IF, FROM, "u@x.example", MSG,
		    PLAIN_EHLO, "- 0  connect/open" },
		{ "not with TLS from the start", TLS_MUST | SECURED, FROM,
		    "u@x.example", MSG,
		    HI "S:250-mx\nS:250 STARTTLS\n", "- 0  connect/open" },
		{ "not offered again after TLS", TLS_MUST, FROM,
		    "u@x.example", MSG, ASK_TLS "S:220 go\n!tls\n"
		    "C:EHLO me.example\nS:250-mx\nS:250 STARTTLS\n",
		    "- 0  connect/open" },
		{ "the handshake fails", TLS_IF, FROM, "u@x.example", MSG,
		    ASK_TLS "S:220 go\n!tlsbad\n",
		    "- 0  connect/temp 0 4.7.5 TLS" },
		{ "250 to STARTTLS", TLS_IF, FROM, "u@x.example", MSG,
		    ASK_TLS "S:250 go\n",
		    "- 0  connect/temp 0 4.5.0 STARTTLS" },
	};

	(void)state;
	ROWS(rows);
}

#define TO_SEND(ext) HI "S:250-mx\nS:250 " ext "\n!send\n"

static void
what_is_offered(void **state)
{
	static const struct row rows[] = {
		{ "too large", 0, FROM, "u@x.example v@x.example", "12345\n",
		    TO_SEND("SIZE 6"), "perm 0 5.3.4 check|"
		    "perm 0 5.3.4 check/open" },
		{ "just not too large", 0, FROM, "u@x.example", "12345\n",
		    TO_SEND("SIZE 7")
		    "C:MAIL FROM:<a@me.example> SIZE=7\nS:550 no\n",
		    "perm 550  MAIL/open" },
		{ "no limit", 0, FROM, "u@x.example", "12345\n",
		    TO_SEND("SIZE 0")
		    "C:MAIL FROM:<a@me.example> SIZE=7\nS:550 no\n",
		    "perm 550  MAIL/open" },
		{ "8BITMIME", 0, FROM, "u@x.example", "\xc3\xa4\n",
		    TO_SEND("8BITMIME")
		    "C:MAIL FROM:<a@me.example> BODY=8BITMIME\nS:550 no\n",
		    "perm 550  MAIL/open" },
		{ "8-bit text without 8BITMIME is sent", 0, FROM,
		    "u@x.example", "\xc3\xa4\n",
		    TO_SEND("HELP") "C:MAIL FROM:<a@me.example>\nS:250 ok\n"
		    "C:RCPT TO:<u@x.example>\nS:250 ok\nC:DATA\nS:354 go\n"
		    "C:\xc3\xa4\nC:.\nS:250 ok\n", "ok 250  end/open" },
		{ "but not by a pedant", PEDANTIC, FROM, "u@x.example",
		    "\xc3\xa4\n", TO_SEND("HELP"), "perm 0 5.6.3 check/open" },
		{ "SMTPUTF8 header to a server without", UTF8, FROM,
		    "u@x.example", MSG, TO_SEND("8BITMIME"),
		    "perm 0 5.6.7 check/open" },
		{ "UTF-8 sender to a server without", 0, "\xc3\xa4@x.example",
		    "u@x.example", MSG, TO_SEND("8BITMIME"),
		    "perm 0 5.6.7 check/open" },
		{ "UTF-8 recipient to a server without", 0, FROM,
		    "u@x.example \xc3\xa4@x.example", MSG, TO_SEND("HELP")
		    "C:MAIL FROM:<a@me.example>\nS:250 ok\n"
		    "C:RCPT TO:<u@x.example>\nS:550 no\n",
		    "perm 550  RCPT|perm 0 5.6.7 check/open" },
		{ "nobody left: nothing is said", 0, FROM,
		    "\xc3\xa4@x.example", MSG, TO_SEND("HELP"),
		    "perm 0 5.6.7 check/open" },
		{ "a domain alone becomes A-labels", 0, "a@\xc3\xa4.example",
		    "u@\xc3\xa4.example", MSG, TO_SEND("HELP")
		    "C:MAIL FROM:<a@xn--4ca.example>\nS:250 ok\n"
		    "C:RCPT TO:<u@xn--4ca.example>\nS:550 no\n",
		    "perm 550  RCPT/open" },
		{ "SMTPUTF8 is not said without need", 0, "a@\xc3\xa4.example",
		    "u@\xc3\xa4.example", MSG, TO_SEND("SMTPUTF8")
		    "C:MAIL FROM:<a@xn--4ca.example>\nS:550 no\n",
		    "perm 550  MAIL/open" },
		{ "SMTPUTF8", 0, FROM, "\xc3\xb6@\xc3\xa4.example", MSG,
		    TO_SEND("SMTPUTF8")
		    "C:MAIL FROM:<a@me.example> SMTPUTF8\nS:250 ok\n"
		    "C:RCPT TO:<\xc3\xb6@\xc3\xa4.example>\nS:550 no\n",
		    "perm 550  RCPT/open" },
		{ "REQUIRETLS", REQUIRETLS | SECURED, FROM, "u@x.example",
		    MSG, TO_SEND("REQUIRETLS")
		    "C:MAIL FROM:<a@me.example> REQUIRETLS\nS:550 no\n",
		    "perm 550  MAIL/open" },
		{ "REQUIRETLS not offered", REQUIRETLS | SECURED, FROM,
		    "u@x.example", MSG, TO_SEND("HELP"),
		    "perm 0 5.7.30 check/open" },
		{ "REQUIRETLS offered in clear", REQUIRETLS, FROM,
		    "u@x.example", MSG, TO_SEND("REQUIRETLS"),
		    "perm 0 5.7.30 check/open" },
		{ "DSN", EXTRAS, FROM, "u@x.example", MSG, TO_SEND("DSN")
		    "C:MAIL FROM:<a@me.example> RET=HDRS ENVID=id+2B1\n"
		    "S:250 ok\nC:RCPT TO:<u@x.example> NOTIFY=FAILURE,DELAY "
		    "ORCPT=rfc822;o@x.example\nS:550 no\n",
		    "perm 550  RCPT/open" },
		{ "no DSN", EXTRAS, FROM, "u@x.example", MSG, TO_SEND("HELP")
		    "C:MAIL FROM:<a@me.example>\nS:250 ok\n"
		    "C:RCPT TO:<u@x.example>\nS:550 no\n",
		    "perm 550  RCPT/open" },
		{ "DELIVERBY", BY_R, FROM, "u@x.example", MSG,
		    TO_SEND("DELIVERBY 60")
		    "C:MAIL FROM:<a@me.example> BY=120;RT\nS:550 no\n",
		    "perm 550  MAIL/open" },
		{ "DELIVERBY, just enough", BY_R, FROM, "u@x.example", MSG,
		    TO_SEND("DELIVERBY 120")
		    "C:MAIL FROM:<a@me.example> BY=120;RT\nS:550 no\n",
		    "perm 550  MAIL/open" },
		{ "return, sooner than the server may promise", BY_R, FROM,
		    "u@x.example", MSG, TO_SEND("DELIVERBY 121"),
		    "perm 0 5.4.7 check/open" },
		{ "notify, sooner than the server may promise", BY_N, FROM,
		    "u@x.example", MSG, TO_SEND("DELIVERBY 121")
		    "C:MAIL FROM:<a@me.example> BY=120;NT\nS:550 no\n",
		    "perm 550  MAIL/open" },
		{ "return, not offered", BY_R, FROM, "u@x.example", MSG,
		    TO_SEND("HELP"), "perm 0 5.3.3 check/open" },
		{ "notify, not offered", BY_N, FROM, "u@x.example", MSG,
		    TO_SEND("HELP") "C:MAIL FROM:<a@me.example>\nS:550 no\n",
		    "perm 550  MAIL/open" },
		{ "FUTURERELEASE", HOLD, FROM, "u@x.example", MSG,
		    TO_SEND("FUTURERELEASE 86400 2030-01-01T00:00:00Z")
		    "C:MAIL FROM:<a@me.example> HOLDFOR=3600\nS:550 no\n",
		    "perm 550  MAIL/open" },
		{ "until", UNTIL, FROM, "u@x.example", MSG,
		    TO_SEND("FUTURERELEASE 86400 2030-01-01T00:00:00Z")
		    "C:MAIL FROM:<a@me.example> "
		    "HOLDUNTIL=2029-01-01T00:00:00Z\nS:550 no\n",
		    "perm 550  MAIL/open" },
		{ "FUTURERELEASE not offered", HOLD, FROM, "u@x.example", MSG,
		    TO_SEND("HELP"), "perm 0 5.3.3 check/open" },
		{ "a lone CR", 0, FROM, "u@x.example", "a\rb\n",
		    TO_SEND("HELP"), "perm 0 5.6.0 check/open" },
		{ "a CR at the end", 0, FROM, "u@x.example", "a\r",
		    TO_SEND("HELP"), "perm 0 5.6.0 check/open" },
	};

	(void)state;
	ROWS(rows);
}

static void
chunks(void **state)
{
#define CHUNK_EHLO HI "S:250-mx\nS:250-PIPELINING\nS:250-BINARYMIME\n" \
	"S:250 CHUNKING\n!send\n"
	static const struct row rows[] = {
		{ "no content before the recipients are known", CHUNKING,
		    FROM, "u@x.example v@x.example", ".a\nb",
		    CHUNK_EHLO "C:MAIL FROM:<a@me.example>\n"
		    "C:RCPT TO:<u@x.example>\nC:RCPT TO:<v@x.example>\n"
		    "S:250 ok\nS:550 no\nS:250 ok\n"
		    "C:BDAT 7 LAST\nC:.a\nC:b\nS:250 ok\n",
		    "perm 550  RCPT|ok 250  end/open" },
		{ "none for nobody", CHUNKING, FROM, "u@x.example", "a\n",
		    CHUNK_EHLO "C:MAIL FROM:<a@me.example>\n"
		    "C:RCPT TO:<u@x.example>\nS:250 ok\nS:550 no\n",
		    "perm 550  RCPT/open" },
		{ "binary", BINARY, FROM, "u@x.example", "a\rb\r\n",
		    CHUNK_EHLO "C:MAIL FROM:<a@me.example> BODY=BINARYMIME\n"
		    "C:RCPT TO:<u@x.example>\nS:250 ok\nS:250 ok\n"
		    "C:BDAT 5 LAST\nC:a\rb\nS:250 ok\n",
		    "ok 250  end/open" },
		{ "binary, not offered", BINARY, FROM, "u@x.example", "a\r",
		    TO_SEND("CHUNKING"), "perm 0 5.6.3 check/open" },
		{ "refused at the end", CHUNKING, FROM, "u@x.example", "a\n",
		    CHUNK_EHLO "C:MAIL FROM:<a@me.example>\n"
		    "C:RCPT TO:<u@x.example>\nS:250 ok\nS:250 ok\n"
		    "C:BDAT 3 LAST\nC:a\nS:554 5.6.0 no\n",
		    "perm 554 5.6.0 end/open" },
		{ "dropped before the reply", CHUNKING, FROM, "u@x.example",
		    "a\n", CHUNK_EHLO "C:MAIL FROM:<a@me.example>\n"
		    "C:RCPT TO:<u@x.example>\nS:250 ok\nS:250 ok\n"
		    "C:BDAT 3 LAST\nC:a\n!eof\n",
		    "temp 0 4.4.2 end doubtful/temp 0 4.4.2 end doubtful" },
		{ "an empty message", CHUNKING, FROM, "u@x.example", "",
		    CHUNK_EHLO "C:MAIL FROM:<a@me.example>\n"
		    "C:RCPT TO:<u@x.example>\nS:250 ok\nS:250 ok\n"
		    "C:BDAT 0 LAST\nS:250 ok\n", "ok 250  end/open" },
	};

	(void)state;
	ROWS(rows);
}

/* RFC 5321 4.5.3.2.1 gives a greeting five minutes. */
static void
waits(void **state)
{
	static const struct {
		int64_t wait_ms, max_ms, want;
	} rows[] = {
		{ 0, 0, 300000 }, { 0, 299999, 299999 }, { 0, 300000, 300000 },
		{ 0, 300001, 300000 }, { 5000, 0, 5000 },
		{ 5000, 5001, 5000 }, { 5000, 4999, 4999 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct smtpc_options o = { .hostname = BYTES("client"),
		    .wait_ms[SMTPC_WAIT_GREETING] = rows[i].wait_ms,
		    .wait_max_ms = rows[i].max_ms };
		struct smtpc *s = smtpc_new(&o);

		assert_int_equal(smtpc_wait_ms(s), rows[i].want);
		smtpc_free(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a dialogue, one command at a time", plain_dialogues,
		    NULL, NULL, NULL },
		{ "Q-4 several recipients, pipelined, each with its result; "
		    "no message for nobody", pipelined, NULL, NULL, NULL },
		{ "Q-5 RCPTMAX and 452 or 552 on a later recipient: again at "
		    "once, and it ends", again, NULL, NULL, NULL },
		{ "sessions that end: 421, drops, wrong codes, doubt",
		    endings, NULL, NULL, NULL },
		{ "LMTP: a reply for each recipient", lmtp, NULL, NULL,
		    NULL },
		{ "STARTTLS: offers forgotten, no text before TLS", starttls,
		    NULL, NULL, NULL },
		{ "Q-26 T-4 what is not offered: 8BITMIME, REQUIRETLS 5.7.30, "
		    "SMTPUTF8, SIZE and others", what_is_offered, NULL, NULL,
		    NULL },
		{ "BDAT", chunks, NULL, NULL, NULL },
		{ "how long is waited", waits, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
