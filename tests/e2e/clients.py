# clients.py PORT PASSWORD - Python's imaplib and email packages: what IMAP says
# of messages is what their bytes say; results for clients.t
import email, email.policy, imaplib, re, sys, time

c = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]))
c.login("mail@localhost", sys.argv[2])


def check(name, got, want):
    print("%s\t%s" % (name, "ok" if got == want else
                      "got %r, want %r" % (got, want)))
    sys.stdout.flush()


def message(i):
    """Parts within parts, in each transfer encoding."""
    m = email.message.EmailMessage(email.policy.SMTP)
    m["From"] = "Zo\u00eb <zoe%d@example.org>" % i
    m["To"] = "mail@localhost"
    m["Subject"] = "number %d \u20ac" % i
    m["Date"] = "Sat, 21 Nov 2026 0%d:00:00 +0000" % i
    m["Message-ID"] = "<py%d@example.org>" % i
    m.set_content("text \u00fc number %d\n.\n..\n" % i,
                  cte=("quoted-printable", "base64", "8bit")[i % 3])
    if i % 2:
        m.add_alternative("<p>number %d</p>\n" % i, subtype="html")
    if i > 2:
        m.add_attachment(bytes(range(256)) * 50, maintype="application",
                         subtype="octet-stream", filename="f%d.bin" % i)
    if i > 4:
        inner = email.message.EmailMessage(email.policy.SMTP)
        inner["Subject"] = "inner %d" % i
        inner.set_content("inside\n")
        m.add_attachment(inner)
    return m.as_bytes()


def parts(text):
    """Section number -> text as it is in the message, by another parser."""
    out = {}

    def walk(m, at):
        if m.get_content_type() == "message/rfc822":
            return
        if m.is_multipart():
            for i, p in enumerate(m.get_payload(), 1):
                walk(p, at + [str(i)])
        else:
            out[".".join(at or ["1"])] = m.get_payload(decode=True)
    walk(email.message_from_bytes(text, policy=email.policy.SMTP), [])
    return out


FLAGS = ["", "\\Seen", "\\Flagged $Work", "\\Answered", "\\Draft",
         "\\Seen \\Flagged"]
c.create("Python")
sent = [message(i) for i in range(6)]
date = '"21-Nov-2026 0%d:30:00 +0200"'
for i, text in enumerate(sent):
    r = c.append("Python", "(%s)" % FLAGS[i], date % i, text)[0]
    check("imaplib appends %d" % i, r, "OK")
check("imaplib selects them", c.select("Python"), ("OK", [b"6"]))
for i, text in enumerate(sent):
    n = str(i + 1)
    got = c.fetch(n, "(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")[1]
    check("message %d: its bytes" % i, got[0][1] == text, True)
    check("message %d: its size" % i,
          int(re.search(rb"RFC822.SIZE (\d+)", got[0][0]).group(1)),
          len(text))
    # and that of a mailbox whose mail is wanted
    check("J-13 message %d: its flags" % i,
          sorted(f.decode().lower() for f in imaplib.ParseFlags(got[0][0])
                 if f != b"\\Recent"), sorted(FLAGS[i].lower().split() + ["$notjunk"]))
    check("message %d: its date" % i,
          time.mktime(imaplib.Internaldate2tuple(got[0][0])),
          time.mktime(imaplib.Internaldate2tuple(
              b"INTERNALDATE " + (date % i).encode())))
    head = c.fetch(n, "(BODY.PEEK[HEADER])")[1][0][1]
    check("message %d: its header" % i, head,
          text[:text.index(b"\r\n\r\n") + 4])
    for at, want in parts(text).items():
        got = c.fetch(n, "(BINARY.PEEK[%s])" % at)[1][0]
        check("message %d: part %s, decoded" % (i, at),
              got[1] if isinstance(got, tuple) else got, want)
    want = email.message_from_bytes(text, policy=email.policy.SMTP)
    got = c.fetch(n, "(ENVELOPE)")[1][0]
    check("message %d: its Message-ID in ENVELOPE" % i,
          want["Message-ID"].encode() in got, True)
# imaplib sends what is given: quoted by us, and as a literal
check("by decoded text", c.search(None, "TEXT", '"number 4"')[1], [b"5"])
c.literal = "\u20ac".encode()
check("by decoded header, in UTF-8", c.search("UTF-8", "SUBJECT")[1],
      [b"1 2 3 4 5 6"])
check("by flag", c.search(None, "FLAGGED", "UNSEEN")[1], [b"3"])
check("by keyword", c.search(None, "KEYWORD", "$Work")[1], [b"3"])
check("by date", c.search(None, "SENTON", "21-Nov-2026")[1],
      [b"1 2 3 4 5 6"])
check("copy", c.copy("2:3", "Drafts")[0], "OK")
check("store", [f for f in imaplib.ParseFlags(c.store(
    "1", "FLAGS", "(\\Deleted)")[1][0]) if f != b"\\Recent"],
      [b"\\Deleted"])
check("expunge", c.expunge(), ("OK", [b"1"]))
check("then the first one is another", c.fetch(
    "1", "(BODY.PEEK[])")[1][0][1] == sent[1], True)
c.close()
c.select("Drafts", readonly=True)
found = c.search(None, "HEADER", "Message-ID", '"<py"')[1][0].split()
check("copies are the same", [c.fetch(n.decode(), "(BODY.PEEK[])")[1][0][1]
                              for n in found] == sent[1:3], True)
c.close()
check("delete", c.delete("Python")[0], "OK")
c.logout()
