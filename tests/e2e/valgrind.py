# valgrind.py - connections for valgrind.t: one to each daemon for each number
# below COUNT. The first ones are whole conversations, the others short.
#   valgrind.py COUNT SMTP-PORT IMAP-PORT     results for python_tests
#   valgrind.py auth COUNT                    requests to auth-serve alone
import base64, glob, os, re, socket, sys, time
from concurrent.futures import ThreadPoolExecutor

RUN = os.environ["PIPEMAIL_RUN"]
bad = []


# Steps are bytes to send, or a pattern that the next lines up to one that
# matches it must hold, or something to be done. What is left open is closed
# without a word.
def talk(name, where, *steps):
    if isinstance(where, str):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(50)
        s.connect(where)
    else:
        s = socket.create_connection(("127.0.0.1", where), 50)
    f = s.makefile("rb")
    step, line = None, b""
    try:
        for step in steps:
            if isinstance(step, bytes):
                s.sendall(step)
                continue
            if callable(step):
                step()
                continue
            while True:
                line = f.readline()
                if re.match(step, line.decode()):
                    break
                if line == b"":
                    raise EOFError
    except (OSError, EOFError) as e:
        bad.append("%s: %r at %r, last %r" % (name, e, step, line))
    f.close()
    s.close()


MESSAGE = b"""From: =?utf-8?q?J=C3=BCrgen?= <j@example.net>, "a b" <b@[192.0.2.1]>
To: undisclosed:;
Subject: =?iso-8859-15?b?pA==?= one
 two
Date: Fri, 20 Nov 2026 12:00:00 +0000
Message-ID: <1@example.net>
DKIM-Signature: v=1; a=rsa-sha256; d=example.net; s=none; h=from:to;
 bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_b"

--=_b
Content-Type: text/html; charset=windows-1252
Content-Transfer-Encoding: quoted-printable

<p>caf=E9 &amp; more</p>
--=_b
Content-Type: message/rfc822

Subject: inner

..text
--=_b--
""".replace(b"\n", b"\r\n")


def smtp(port, full):
    if full is None:
        return talk("smtp", port, "220 ", b"QUIT\r\n", "221 ")
    hello = b"EHLO mail.example.net\r\n"
    mail = b"MAIL FROM:<u@nospf.example> BODY=8BITMIME\r\n"
    rcpt = b"RCPT TO:<alice@example.org>\r\n"
    talk("smtp %d" % full, port, "220 ", *[
        (hello, "250 ", mail + rcpt + b"RCPT TO:<bob@example.org>\r\nDATA\r\n",
         "354 ", MESSAGE + b".\r\n", "250 ", b"QUIT\r\n", "221 "),
        (hello, "250 ", mail, "250 ", b"RCPT TO:<x@other.example>\r\n", "5",
         b"RCPT TO:<none@example.org>\r\n", "250 ", b"DATA\r\n", "354 ",
         MESSAGE + b".\r\n", "550 ", b"RSET\r\n", "250 ", b"NOOP\r\n",
         "250 ", b"VRFY x\r\n", "[25]", b"MAIL FROM:<a@example.net>\r\n",
         "250 ", b"QUIT\r\n", "221 "),
        (hello, "250 ", mail, "250 ", rcpt, "250 ", b"DATA\r\n", "354 ",
         MESSAGE),
        (hello, "250 ", mail, "250 ", rcpt, "250 ", b"DATA\r\n", "354 ",
         b"a\nb\r\n.\r\n", "5"),
        (b"HELO x\r\n", "250 ", b"x" * 5000 + b"\r\n", "5"),
    ][full % 5])


def lmtp(full):
    if full is None:
        return talk("lmtp", RUN + "/lmtp", "220 ", b"QUIT\r\n", "221 ")
    talk("lmtp %d" % full, RUN + "/lmtp", "220 ", b"LHLO x\r\n", "250 ",
         b"MAIL FROM:<>\r\n", "250 ", b"RCPT TO:<alice@example.org>\r\n",
         "250 ", b"RCPT TO:<none@example.org>\r\n", "5",
         b"RCPT TO:<small@example.org>\r\n", "250 ", b"DATA\r\n", "354 ",
         MESSAGE + b"x" * 3000 + b"\r\n.\r\n", "250 ", "452 ",
         *([b"QUIT\r\n", "221 "] if full % 3 else []))


def at_rest():
    """imap-idle has the session, and listens to its account."""
    end = time.time() + 50
    while not glob.glob(RUN + "/watch/alice/*.idle"):
        if time.time() > end:
            raise EOFError
        time.sleep(0.05)


def imap(port, full):
    if full is None:
        return talk("imap", port, r"\* OK", b"x LOGOUT\r\n", "x OK")
    login = (b'a LOGIN alice "password of alice"\r\n', "a OK",
             b"b SELECT INBOX\r\n", "b OK")
    talk("imap %d" % full, port, r"\* OK", *[
        login + (b"c FETCH 1:* (FLAGS UID ENVELOPE BODYSTRUCTURE "
                 b"INTERNALDATE RFC822.SIZE BODY.PEEK[] BODY.PEEK[1] "
                 b"BODY.PEEK[2.HEADER] BODY.PEEK[HEADER.FIELDS (SUBJECT)]"
                 b"<2.9>)\r\n", "c OK",
                 b'd SEARCH OR SUBJECT two NOT TEXT "caf" SINCE 1-Jan-2020\r\n',
                 "d OK", b"e STORE 1:* +FLAGS (\\Deleted kw)\r\n", "e OK",
                 b"f LOGOUT\r\n", "f OK"),
        login + (b'c CREATE "A/B &AOk-"\r\n', "c (OK|NO)",
                 b'd LIST "" "*"\r\n', "d OK",
                 b"e APPEND INBOX (\\Seen) {%d}\r\n" % len(MESSAGE), r"\+",
                 MESSAGE + b"\r\n", "e OK",
                 b'f COPY * "A/B &AOk-"\r\n', "f OK", b"g EXPUNGE\r\n",
                 "g OK", b"h IDLE\r\n", r"\+", at_rest, b"DONE\r\n",
                 "h OK", b"i IDLE\r\n", r"\+", at_rest),
        (b"a LOGIN alice wrong\r\n", "a NO", b"b SELECT INBOX\r\n",
         "b (NO|BAD)", b"c AUTHENTICATE PLAIN\r\n", r"\+", b"*\r\n",
         "c (NO|BAD)", b"d AUTHENTICATE PLAIN AGFsaWNlAHBhc3N3b3JkIG9m"
         b"IGFsaWNl\r\n", "d OK", b'e STATUS "A/B &AOk-" (MESSAGES)\r\n',
         "e (OK|NO)", b"f LOGOUT\r\n", "f OK"),
        (b"(((\r\n", r"\S+ BAD", b"a LOGIN {9999999}\r\n", r"(a|\*) "),
        login + (b"c UID FETCH 1:*\r\n", "c BAD", b"d SEARCH (\r\n",
                 "d BAD", b"e NOOP\r\n"),
    ][full % 5])


def imap_serve():	# a connection that brings no client
    talk("imap-serve", RUN + "/imap", b"no ticket\n")


def auth(full):
    def ask(n, mech, text, more=""):
        return ("AUTH\t%d\t%s\tservice=smtp\tip=192.0.2.7\t%sresp=%s\n" % (
            n, mech, more, base64.b64encode(text).decode())).encode()
    steps = [b"VERSION\t1\t1\nCPID\t7\n", "DONE",
             b"TICKET\t1\t" + b"0" * 64 + b"\n", "FAIL\t1"]
    if full is not None:
        good = b"\0alice@example.org\0password of alice"
        steps += [ask(2, "PLAIN", good, "ticket\t"), "OK\t2",
                  ask(3, "PLAIN", b"\0alice\0wrong"), "FAIL\t3",
                  ask(4, "PLAIN", b"\0nobody\0wrong"), "FAIL\t4",
                  ask(5, "PLAIN", b"\xff"), "FAIL\t5",
                  b"AUTH\t6\tLOGIN\tservice=imap\n", "CONT\t6",
                  b"CONT\t6\tYWxpY2U=\n", "CONT\t6"]
    talk("auth", RUN + "/auth", *steps)


def one(i):
    full = i if i < 5 else None
    smtp(int(sys.argv[2]), full)
    lmtp(full)
    imap(int(sys.argv[3]), full)
    imap_serve()
    auth(full)


with ThreadPoolExecutor(2) as pool:
    if sys.argv[1] == "auth":
        list(pool.map(auth, range(int(sys.argv[2]))))
    else:
        list(pool.map(one, range(int(sys.argv[1]))))
print("%s connections\t%s" % (sys.argv[1], "; ".join(bad) or "ok"))
