# imap-notify.py - what NOTIFY (RFC 5465) tells, to one session of what others
# do; results for python_tests of imap.sh
import os, re, signal, time
from imap_talk import Session, append, check

TEXT = "Subject: hello\r\n\r\nx\r\n"
CHANGES = re.compile(r"(UIDVALIDITY|HIGHESTMODSEQ) \d+")
MODSEQ = re.compile(r"MODSEQ \(\d+\)")


def steady(lines):
    return [MODSEQ.sub("MODSEQ (N)", CHANGES.sub(r"\1 N", l)) for l in lines
            if not l.startswith("* N RECENT")]


def told(session, count):
    """The next lines, with no command under way."""
    lines = []
    while len(lines) < count:
        one = session.line()
        if one is None:
            return lines + ["(silence)"]
        lines += steady([one])
    return lines


def quiet(session):
    """What was said up to the end of a command that asks for nothing."""
    return steady(session.do("NAMESPACE", "q"))


QUIET = ['* NAMESPACE (("" "/")) NIL NIL', "q OK NAMESPACE done"]


def wait_state(session, state):
    while open("/proc/%d/stat" % session.p.pid).read().split(")")[-1][1] \
            != state:
        time.sleep(0.01)


def stop(session):
    """It does nothing any more until go(), and had nothing to do."""
    wait_state(session, "S")
    os.kill(session.p.pid, signal.SIGSTOP)
    wait_state(session, "T")


def go(session):
    os.kill(session.p.pid, signal.SIGCONT)


def rule(name, got, want):
    check("I-7 NOTIFY (RFC 5465): " + name, got, want)


a, b = Session(), Session()
for name in "Lists", "Lists/one", "Lists/one/deep", "Work", "Seen":
    a.do("CREATE " + name)
append(a, TEXT)
append(a, TEXT, "Lists/one")

# ---- the selected mailbox, with no command under way ----
b.do("SELECT INBOX")
rule("SET says at once what changed before",
     (append(a, TEXT)[:4],
      steady(b.do("NOTIFY SET (selected (MessageNew (UID FLAGS "
                  "BODY.PEEK[HEADER.FIELDS (Subject)]) MessageExpunge "
                  "FlagChange))"))),
     ("x OK", ["* 2 EXISTS", "x OK NOTIFY done"]))
append(a, TEXT)
rule("MessageNew with attributes comes without a command", told(b, 5),
     ["* 3 EXISTS", "* 3 FETCH (UID 3 FLAGS () "
      "BODY[HEADER.FIELDS (Subject)] {18}", "Subject: hello", "", ")"])
a.do("SELECT INBOX")
a.do("STORE 2 +FLAGS.SILENT (\\Flagged)")
rule("FlagChange comes without a command", told(b, 1),
     ["* 2 FETCH (UID 2 FLAGS (\\Flagged))"])
a.do("STORE 1 +FLAGS.SILENT (\\Deleted)")
told(b, 1)
a.do("EXPUNGE")
rule("MessageExpunge comes without a command", told(b, 1),
     ["* 1 EXPUNGE"])
append(a, TEXT, "Work")
a.do("SETMETADATA INBOX (/private/comment \"x\")")
rule("nothing of other mailboxes with selected alone", quiet(b), QUIET)
rule("own messages without their attributes",
     steady(b.do("APPEND INBOX {%d+}\r\n%s" % (len(TEXT), TEXT)))[:-1] +
     quiet(b), ["* 3 EXISTS"] + QUIET)
rule("own expunges once",
     steady(b.do("UID STORE 4 +FLAGS (\\Deleted)")) +
     steady(b.do("EXPUNGE")) + quiet(b),
     ["* 3 FETCH (UID 4 FLAGS (\\Deleted))", "x OK UID STORE done",
      "* 3 EXPUNGE", "x OK EXPUNGE done"] + QUIET)
a.do("STORE 1 +FLAGS.SILENT (\\Deleted)")
told(b, 1)
stop(b)
a.do("EXPUNGE")
b.say("f FETCH 1:2 UID\r\n")
go(b)
rule("no EXPUNGE while FETCH answers by number, and then at once",
     told(b, 4), ["* 1 FETCH (UID 2)", "* 2 FETCH (UID 3)",
                  "f OK FETCH done", "* 1 EXPUNGE"])
b.do("NOTIFY SET (selected (MessageNew MessageExpunge))")
a.do("STORE 1 +FLAGS.SILENT (\\Answered)")
rule("without FlagChange no flags", quiet(b), QUIET)
append(a, TEXT)
rule("MessageNew without attributes is EXISTS alone", told(b, 1) + quiet(b),
     ["* 2 EXISTS"] + QUIET)
b.do("NOTIFY SET (selected (MessageNew (BODY[]) MessageExpunge "
     "FlagChange))")
append(a, TEXT)
rule("BODY[] of a notification does not set \\Seen", told(b, 6) +
     steady(b.do("UID FETCH 6 FLAGS")),
     ["* 3 EXISTS", "* 3 FETCH (BODY[] {21}", "Subject: hello", "", "x", ")",
      "* 3 FETCH (UID 6 FLAGS ())", "x OK UID FETCH done"])

# ---- selected-delayed ----
b.do("NOTIFY SET (selected-delayed (MessageNew MessageExpunge FlagChange))")
a.do("STORE 1 +FLAGS.SILENT (\\Deleted)")
a.do("EXPUNGE")
append(a, TEXT)
rule("selected-delayed: the expunge waits, the message does not",
     b.until("* 4 EXISTS")[-1:] + quiet(b)[-1:],
     ["* 4 EXISTS", "q OK NAMESPACE done"])
a.do("STORE 1 +FLAGS.SILENT (\\Deleted)")
a.do("EXPUNGE")
rule("selected-delayed: FETCH by number is of the old numbers",
     b.do("FETCH 1 UID")[-2:],
     ["* 1 FETCH (UID 5)", "x OK FETCH done"])
rule("selected-delayed: NOOP tells", steady(b.do("NOOP"))[-2:],
     ["* 1 EXPUNGE", "x OK NOOP done"])
b.say("i IDLE\r\n")
b.until("+ ")
a.do("STORE 1 +FLAGS.SILENT (\\Deleted)")
a.do("EXPUNGE")
rule("selected-delayed: IDLE tells", b.until("* 1 EXPUNGE")[-1:],
     ["* 1 EXPUNGE"])
b.say("DONE\r\n")
b.until("i OK")

# ---- in IDLE the same, and not more ----
b.do("NOTIFY SET (selected (MessageNew (UID) MessageExpunge))")
b.say("i IDLE\r\n")
b.until("+ ")
append(a, TEXT)
rule("IDLE has the attributes too", told(b, 2),
     ["* 2 EXISTS", "* 2 FETCH (UID 8)"])
a.do("NOOP")
a.do("STORE 1 +FLAGS.SILENT (\\Seen)")
b.say("DONE\r\n")
rule("IDLE has no events that were not asked for",
     steady(b.until("i OK")), ["i OK IDLE done"])

# ---- none: a snapshot ----
b.do("NOTIFY NONE")
append(a, TEXT)
a.do("STORE 1 +FLAGS.SILENT (\\Deleted)")
a.do("EXPUNGE")
rule("NONE: nothing is told, not by NOOP either", steady(b.do("NOOP")),
     ["x OK NOOP done"])
rule("NONE: own expunges are told", steady(b.do(
    "UID STORE 8 +FLAGS.SILENT (\\Deleted)")) + steady(b.do("EXPUNGE")),
    ["x OK UID STORE done", "* 2 EXPUNGE", "x OK EXPUNGE done"])
rule("NONE: no selected group is the same",
     steady(b.do("NOTIFY SET (mailboxes Nope (MailboxName))")),
     ["* 1 EXPUNGE", "* 1 EXISTS", "x OK NOTIFY done"])
append(a, TEXT)
rule("no selected group: nothing of it", steady(b.do("NOOP")),
     ["x OK NOOP done"])
rule("SET tells what was not told meanwhile", steady(b.do(
    "NOTIFY SET (selected (MessageNew MessageExpunge))")),
    ["* 2 EXISTS", "x OK NOTIFY done"])

# ---- other mailboxes ----
rule("STATUS: where each mailbox is, the selected one aside",
     steady(b.do("NOTIFY SET STATUS (selected (MessageNew MessageExpunge)) "
                 "(subtree Lists (MessageNew MessageExpunge)) "
                 "(mailboxes (Work INBOX Nope) (MessageNew MessageExpunge "
                 "FlagChange)) (mailboxes Seen (MailboxName))")),
     ["* STATUS Lists (MESSAGES 0 UIDNEXT 1 UIDVALIDITY N)",
      "* STATUS Lists/one (MESSAGES 1 UIDNEXT 2 UIDVALIDITY N)",
      "* STATUS Lists/one/deep (MESSAGES 0 UIDNEXT 1 UIDVALIDITY N)",
      "* STATUS Work (MESSAGES 1 UIDNEXT 2 UIDVALIDITY N UNSEEN 1 "
      "HIGHESTMODSEQ N)", "x OK NOTIFY done"])
append(a, TEXT, "Lists/one/deep")
rule("subtree: MessageNew is STATUS", told(b, 1),
     ["* STATUS Lists/one/deep (MESSAGES 1 UIDNEXT 2)"])
a.do("SELECT Lists/one")
a.do("STORE 1 +FLAGS.SILENT (\\Deleted)")
rule("FlagChange that was not asked for is nothing", quiet(b), QUIET)
a.do("EXPUNGE")
rule("subtree: MessageExpunge is STATUS", told(b, 1),
     ["* STATUS Lists/one (MESSAGES 0 UIDNEXT 2)"])
a.do("SELECT Work")
a.do("STORE 1 +FLAGS.SILENT (\\Seen)")
rule("mailboxes: FlagChange is STATUS with UNSEEN", told(b, 1),
     ["* STATUS Work (UIDVALIDITY N UNSEEN 0)"])
append(a, TEXT, "Seen")
rule("mailboxes: one with other events only", quiet(b), QUIET)
rule("own messages are no notification",
     [l[:4] for l in b.do("COPY 1 Work")] + quiet(b), ["x OK"] + QUIET)
b.do("ENABLE CONDSTORE")
append(a, TEXT, "Work")
rule("with CONDSTORE HIGHESTMODSEQ too", told(b, 1),
     ["* STATUS Work (MESSAGES 3 UIDNEXT 4 HIGHESTMODSEQ N)"])
b.do("SELECT Work")
append(a, TEXT, "Work")
append(a, TEXT, "INBOX")
rule("selected is what is selected then, the rest are others",
     told(b, 2), ["* 4 EXISTS",
     "* STATUS INBOX (MESSAGES 3 UIDNEXT 12 HIGHESTMODSEQ N)"])

# ---- other programs ----
maildir = os.environ["PIPEMAIL_VAR"] + "/accounts/alice/Maildir"
b.do("SELECT INBOX")
b.do("NOTIFY SET (personal (MessageNew MessageExpunge MailboxName))")
with open(maildir + "/.Seen/tmp/1.x", "w") as f:
    f.write(TEXT.replace("\r", ""))
os.rename(maildir + "/.Seen/tmp/1.x", maildir + "/.Seen/new/1.x")
rule("a message another program puts into a folder", told(b, 1),
     ["* STATUS Seen (MESSAGES 2 UIDNEXT 3 HIGHESTMODSEQ N)"])
for d in "", "/cur", "/new", "/tmp":
    os.mkdir(maildir + "/.Foreign" + d)
rule("a folder another program makes",
     b.until('* LIST (\\HasNoChildren) "/" Foreign')[-1],
     '* LIST (\\HasNoChildren) "/" Foreign')
b.do("SELECT Work")

# ---- names ----
b.do("NOTIFY SET (personal (MailboxName SubscriptionChange))")
a.do("CREATE Lists/new")
rule("MailboxName: made, and the parent", told(b, 2),
     ['* LIST (\\HasNoChildren) "/" Lists/new',
      '* LIST (\\HasChildren) "/" Lists'])
a.do("SUBSCRIBE Lists/new")
rule("SubscriptionChange: subscribed", told(b, 1),
     ['* LIST (\\HasNoChildren \\Subscribed) "/" Lists/new'])
a.do("RENAME Lists/one Lists/two")
rule("MailboxName: renamed with OLDNAME (RFC 9051 6.3.9.7), not its children",
     told(b, 1) + quiet(b),
     ['* LIST (\\HasChildren) "/" Lists/two ("OLDNAME" (Lists/one))'] + QUIET)
a.do("UNSUBSCRIBE Lists/new")
rule("SubscriptionChange: not subscribed any more", told(b, 1),
     ['* LIST (\\HasNoChildren) "/" Lists/new'])
a.do("DELETE Lists/new")
rule("MailboxName: deleted, and the parent", told(b, 2),
     ['* LIST (\\NonExistent) "/" Lists/new',
      '* LIST (\\HasChildren) "/" Lists'])
a.do("SUBSCRIBE Gone/by")
rule("SubscriptionChange: a name of no mailbox", told(b, 1),
     ['* LIST (\\NonExistent \\Subscribed) "/" Gone/by'])
rule("what this client does with names is not told",
     [l[:4] for l in b.do("CREATE Mine") + b.do("SUBSCRIBE Mine")] +
     quiet(b), ["x OK", "x OK"] + QUIET)
b.do("NOTIFY SET (mailboxes Later (MailboxName)) (subtree Work "
     "(SubscriptionChange))")
a.do("CREATE Other")
a.do("CREATE Later")
rule("MailboxName: a name that comes to be", told(b, 1),
     ['* LIST (\\HasNoChildren) "/" Later'])
a.do("RENAME Later Sooner")
rule("MailboxName: by the old name too", told(b, 1),
     ['* LIST (\\HasNoChildren) "/" Sooner ("OLDNAME" (Later))'])
a.do("SUBSCRIBE Other")
a.do("SUBSCRIBE Work/sub")
rule("SubscriptionChange: of a subtree", told(b, 1),
     ['* LIST (\\NonExistent \\Subscribed) "/" Work/sub'])
b.do("NOTIFY SET (subscribed (MessageNew MessageExpunge))")
append(a, TEXT, "Sooner")
append(a, TEXT, "Other")
rule("subscribed: only those", told(b, 1) + quiet(b),
     ["* STATUS Other (MESSAGES 1 UIDNEXT 2 HIGHESTMODSEQ N)"] + QUIET)
a.do("SUBSCRIBE Sooner")
append(a, TEXT, "Sooner")
rule("subscribed: the list is looked at anew", told(b, 1),
     ["* STATUS Sooner (MESSAGES 2 UIDNEXT 3 HIGHESTMODSEQ N)"])
b.do("NOTIFY SET (inboxes (MessageNew MessageExpunge))")
append(a, TEXT, "Lists")
rule("inboxes: mail may be delivered to each mailbox", told(b, 1),
     ["* STATUS Lists (MESSAGES 1 UIDNEXT 2 HIGHESTMODSEQ N)"])

# ---- metadata ----
b.do("NOTIFY SET (mailboxes Work (MailboxMetadataChange))")
a.do('SETMETADATA Lists (/private/comment "x")')
a.do('SETMETADATA "" (/shared/comment "x")')
a.do('SETMETADATA Work (/private/comment "x")')
rule("MailboxMetadataChange: the entry, of that mailbox", told(b, 1),
     ["* METADATA Work /private/comment"])
a.do("SETMETADATA Work (/private/comment NIL)")
rule("MailboxMetadataChange: removed", told(b, 1),
     ["* METADATA Work /private/comment"])
rule("MailboxMetadataChange: not one's own",
     b.do('SETMETADATA Work (/private/comment "mine")') + quiet(b),
     ["x OK SETMETADATA done"] + QUIET)
b.do("NOTIFY SET (mailboxes Nope (ServerMetadataChange))")
a.do('SETMETADATA "" (/shared/comment NIL)')
rule("ServerMetadataChange", told(b, 1), ['* METADATA "" /shared/comment'])

# ---- QRESYNC, UIDONLY, IMAP4rev2 ----
c = Session()
c.do("ENABLE QRESYNC")
c.do("SELECT Work")
c.do("NOTIFY SET (selected (MessageNew (FLAGS) MessageExpunge FlagChange))")
append(a, TEXT, "Work")
a.do("SELECT Work")
rule("QRESYNC: MODSEQ with the attributes", told(c, 2),
     ["* 5 EXISTS", "* 5 FETCH (MODSEQ (N) FLAGS ())"])
a.do("UID STORE 2:3 +FLAGS.SILENT (\\Deleted)")
told(c, 2)
a.do("EXPUNGE")
rule("QRESYNC: VANISHED", told(c, 1), ["* VANISHED 2:3"])
c = Session()
c.do("ENABLE UIDONLY")
c.do("SELECT Work")
c.do("NOTIFY SET (selected (MessageNew (FLAGS) MessageExpunge FlagChange))")
append(a, TEXT, "Work")
rule("UIDONLY: UIDFETCH", told(c, 2),
     ["* 4 EXISTS", "* 6 UIDFETCH (FLAGS ())"])
a.do("UID STORE 6 +FLAGS.SILENT (\\Deleted)")
rule("UIDONLY: flags", told(c, 1), ["* 6 UIDFETCH (FLAGS (\\Deleted))"])
a.do("EXPUNGE")
rule("UIDONLY: VANISHED", told(c, 1), ["* VANISHED 6"])
c = Session()
c.do("ENABLE IMAP4rev2")
c.do("NOTIFY SET (personal (MailboxName))")
a.do("CREATE Gr&APwA3w-e")
rule("names as the session writes them", told(c, 1),
     ['* LIST (\\HasNoChildren) "/" "Gr\u00fc\u00dfe"'])

# ---- commands and literals at the same time ----
c = Session()
c.do("SELECT Work")
c.do("NOTIFY SET (selected (MessageNew (UID) MessageExpunge))")
c.say("l SEARCH SUBJECT {5}\r\n")
c.until("+ ")
append(a, TEXT, "Work")
rule("between the lines of a command", told(c, 2),
     ["* 4 EXISTS", "* 4 FETCH (UID 7)"])
c.say("hello\r\n")
rule("and the command goes on", steady(c.until("l ")),
     ["* SEARCH 1 2 3 4", "l OK SEARCH done"])
c.do("NOTIFY SET (selected (MessageNew (UID) MessageExpunge)) "
     "(mailboxes Seen (MessageNew MessageExpunge))")
stop(c)
append(a, TEXT, "Seen")
append(a, TEXT, "Seen")
append(a, TEXT, "Work")
append(a, TEXT, "Work")
go(c)
rule("what happened meanwhile is told once", told(c, 4),
     ["* 6 EXISTS", "* STATUS Seen (MESSAGES 4 UIDNEXT 5)",
      "* 5 FETCH (UID 8)", "* 6 FETCH (UID 9)"])

# ---- UPDATE with attributes (7) ----
SPAM = "Subject: spam\r\n\r\nx\r\n"
for name, sort in ("CONTEXT=SEARCH", ""), ("CONTEXT=SORT", "(SUBJECT) UTF-8 "):
    a.do("CREATE Ctx" + sort[1:4])
    box = "Ctx" + sort[1:4]
    append(a, TEXT, box)
    c = Session()
    c.do("SELECT " + box)
    verb = "SORT" if sort else "SEARCH"
    place = "2" if sort else "0"
    c.do("%s RETURN (COUNT UPDATE (UID BODY[TEXT])) %sSUBJECT hello"
         % (verb, sort), "u")
    append(a, SPAM, box)
    append(a, TEXT, box)
    c.say("n NOOP\r\n")
    rule(name + ": attributes of new messages that are found", told(c, 6),
         ["* 3 EXISTS", '* ESEARCH (TAG "u") ADDTO (%s 3)' % place,
          "n OK NOOP done", "* 3 FETCH (UID 3 BODY[TEXT] {3}", "x", ")"])
    rule(name + ": not of own ones", [l.split(" {")[0] for l in steady(c.do(
        "APPEND %s {%d+}\r\n%s" % (box, len(TEXT), TEXT)))[:-1]] + quiet(c),
        ["* 4 EXISTS", '* ESEARCH (TAG "u") ADDTO (%s 4)' %
         ("3" if sort else "0")] + QUIET)
    c.say("i IDLE\r\n")
    c.until("+ ")
    append(a, TEXT, box)
    rule(name + ": in IDLE", told(c, 5),
         ["* 5 EXISTS", '* ESEARCH (TAG "u") ADDTO (%s 5)' %
          ("4" if sort else "0"), "* 5 FETCH (UID 5 BODY[TEXT] {3}", "x",
          ")"])
    c.say("DONE\r\n")
    c.until("i OK")
    c.do("NOTIFY SET (selected (MessageNew MessageExpunge FlagChange))")
    append(a, TEXT, box)
    rule(name + ": with NOTIFY without a command", told(c, 5),
         ["* 6 EXISTS", '* ESEARCH (TAG "u") ADDTO (%s 6)' %
          ("5" if sort else "0"), "* 6 FETCH (UID 6 BODY[TEXT] {3}", "x",
          ")"])
    a.do("SELECT " + box)
    a.do("STORE 6 +FLAGS.SILENT (\\Seen)")
    rule(name + ": not when flags change",
         (told(c, 1), quiet(c)),
         (["* 6 FETCH (UID 6 FLAGS (\\Seen))"], QUIET))
    rule(name + ": mistakes", [c.do("%s RETURN (UPDATE%s) %sALL" %
         (verb, what, sort))[-1] for what in (" ()", " (NOPE)", " (UID x)")],
         ["x BAD unknown FETCH item"] * 3)
c = Session()

# ---- both at once: a message is sent once, with all that is asked for ----
a.do("CREATE Both")
append(a, TEXT, "Both")
c.do("SELECT Both")
c.do("SEARCH RETURN (UPDATE (UID BODY[TEXT])) SUBJECT hello", "u")
c.do("SEARCH RETURN (UPDATE (RFC822.SIZE UID)) SUBJECT spam", "v")
c.do("SEARCH RETURN (UPDATE (FLAGS)) BODY x", "w")
c.do("NOTIFY SET (selected (MessageNew (UID BODY.PEEK[TEXT]) "
     "MessageExpunge))")
stop(c)
for one in TEXT, SPAM, SPAM, TEXT:
    append(a, one, "Both")
go(c)
rule("NOTIFY and UPDATE: each message once",
     sorted(l for l in told(c, 20) if "FETCH" in l or
            l[:1] == " "),
     [" FLAGS () RFC822.SIZE 20)", " FLAGS () RFC822.SIZE 20)",
      " FLAGS ())", " FLAGS ())",
      "* 2 FETCH (UID 2 BODY[TEXT] {3}", "* 3 FETCH (UID 3 BODY[TEXT] {3}",
      "* 4 FETCH (UID 4 BODY[TEXT] {3}", "* 5 FETCH (UID 5 BODY[TEXT] {3}"])
rule("and nothing else", quiet(c), QUIET)
c.do("LOGOUT")
c = Session()

# ---- too much of it ----
def burst(session, work):
    stop(session)
    work()
    go(session)


def subscribe(first, last):
    a.say("".join("s SUBSCRIBE %s%d\r\n" % (first, i)
                  for i in range(last)) + "z NOOP\r\n")
    a.until("z OK", 60)


c.do("NOTIFY SET (personal (SubscriptionChange))")
burst(c, lambda: subscribe("n", 1000))
rule("1000 notifications", (told(c, 1000)[-1], quiet(c)),
     ('* LIST (\\NonExistent \\Subscribed) "/" n999', QUIET))
burst(c, lambda: subscribe("o", 1001))
OVERFLOW = "* OK [NOTIFICATIONOVERFLOW] too much happened, nothing is told " \
    "any more"
rule("1001 notifications", (told(c, 1), quiet(c)), ([OVERFLOW], QUIET))
a.do("UNSUBSCRIBE o1")
rule("and nothing after that, as after NONE", quiet(c), QUIET)
a.do("CREATE Big")
append(a, TEXT, "Big")
a.do("SELECT Big")
for i in range(10):
    a.do("COPY 1:* Big")
for n in 1000, 1001:
    a.do("CREATE To%d" % n)
    c.do("SELECT To%d" % n)
    c.do("NOTIFY SET (selected (MessageNew (UID) MessageExpunge))")
    burst(c, lambda: a.do("COPY 1:%d To%d" % (n, n)))
    if n == 1000:
        rule("attributes of 1000 messages",
             (told(c, 1001)[-1], quiet(c)),
             ("* 1000 FETCH (UID 1000)", QUIET))
    else:
        rule("attributes of 1001 messages", (sorted(told(c, 2)), quiet(c)),
             (["* 1001 EXISTS", OVERFLOW], QUIET))
c.do("CREATE To")
c.do("SELECT To")
c.do("NOTIFY SET (selected (MessageNew MessageExpunge))")
burst(c, lambda: a.do("COPY 1:1001 To"))
rule("without attributes many messages are one notification",
     (told(c, 1), quiet(c)), (["* 1001 EXISTS"], QUIET))
