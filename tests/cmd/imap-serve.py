# imap-serve.py - sessions that see each other's changes; results for
# python_tests of imap.sh
import glob, os, shutil, subprocess, time

from imap_talk import Session, append, check, check_memory

a, b = Session(), Session()
for i in (1, 2, 3):
    append(a, "Subject: m%d\r\n\r\ntext %d\r\n" % (i, i), "Two") \
        if i > 1 else (a.do("CREATE Two"),
                       append(a, "Subject: m1\r\n\r\ntext 1\r\n", "Two"))
a.do("SELECT Two")
b.do("SELECT Two")

# I-26: IDLE
a.say("i IDLE\r\n")
check("I-2 IDLE is answered", a.line(), "+ idling")
started = time.time()
append(b, "Subject: m4\r\n\r\ntext 4\r\n", "Two")
check("I-26 IDLE tells a new message", [a.line(), a.line()],
      ["* 4 EXISTS", "* N RECENT"])
check("I-26 within a second", time.time() - started < 1, True)
b.do("STORE 4 +FLAGS (\\Flagged)")
check("IDLE tells flags", a.line(),
      "* 4 FETCH (UID 4 FLAGS (\\Flagged))")
b.do("STORE 4 +FLAGS.SILENT (\\Deleted)")
b.do("EXPUNGE")
check("IDLE tells an expunge", a.until("* 4 EXPUNGE")[-1], "* 4 EXPUNGE")
a.say("DONE\r\n")
check("DONE ends IDLE", a.line(), "i OK IDLE done")

# a delivery by another program of ours
a.do("SELECT INBOX")
a.say("i IDLE\r\n")
a.line()
before = subprocess.run(["store-deliver", "-a", "alice"],
                        input=b"Subject: delivered\n\nhello\n")
check("store-deliver delivers", before.returncode, 0)
lines = a.until("* N RECENT")
check("I-26 IDLE tells a delivery by store-deliver",
      [l.split()[2] for l in lines], ["EXISTS", "RECENT"])
check("I-26 the message is there to read", lines[0].split()[1] != "0", True)

# a file put there by a foreign program
maildir = os.environ["PIPEMAIL_VAR"] + "/accounts/alice/Maildir"
with open(maildir + "/tmp/1.foreign.host", "w") as f:
    f.write("Subject: foreign\n\nhi\n")
os.rename(maildir + "/tmp/1.foreign.host", maildir + "/new/1.foreign.host")
lines = a.until("* N RECENT")
check("IDLE tells a file of another program",
      [l.split()[2] for l in lines], ["EXISTS", "RECENT"])
a.say("DONE\r\n")
a.line()
n = int(lines[0].split()[1])
got = a.do("FETCH %d BODY.PEEK[HEADER.FIELDS (Subject)]" % n)
check("and it can be fetched", got[1], "Subject: foreign")
cur = [p for p in glob.glob(maildir + "/cur/1.foreign.host*")]
os.remove(cur[0])
a.do("NOOP")
got = a.do("NOOP")
check("S-10 a file removed by another program is an expunge",
      a.do("SEARCH ALL")[0], "* SEARCH " + " ".join(
          str(i) for i in range(1, n)))

# I-20: what the other one expunged stays readable until it is told
a.do("SELECT Two")
b.do("SELECT Two")
b.do("STORE 1:2 +FLAGS.SILENT (\\Deleted)")
a.do("NOOP")
check("two sessions: one expunges", b.do("EXPUNGE"),
      ["* 1 EXPUNGE", "* 1 EXPUNGE", "x OK EXPUNGE done"])
check("I-20 expunged messages stay readable, no EXPUNGE in FETCH",
      a.do("FETCH 1 (UID RFC822.SIZE BODY.PEEK[TEXT])"),
      ["* 1 FETCH (UID 1 RFC822.SIZE 23 BODY[TEXT] {8}", "text 1", ")",
       "x OK FETCH done"])
check("with its date", "1970" in a.do("FETCH 1 INTERNALDATE")[0], False)
check("and its structure", a.do("FETCH 1 (ENVELOPE)")[0],
      '* 1 FETCH (ENVELOPE (NIL "m1" NIL NIL NIL NIL NIL NIL NIL NIL))')
check("its flag cannot be changed", a.do("STORE 1 +FLAGS (\\Seen)"),
      ["x NO [EXPUNGEISSUED] some messages have been deleted"])
check("RFC 2180 4.2.1: it is no error where no answer was asked for",
      a.do("STORE 1:2 +FLAGS.SILENT (\\Seen)"),
      ["x OK [EXPUNGEISSUED] some messages have been deleted"])
check("RFC 5530: SEARCH says that it passes over them",
      a.do("SEARCH 1 ALL"),
      ["* SEARCH", "x OK [EXPUNGEISSUED] SEARCH done"])
check("the other one is told at NOOP", a.do("NOOP"),
      ["* 1 EXPUNGE", "* 1 EXPUNGE", "x OK NOOP done"])

# both expunging at once
for i in range(40):
    append(a, "Subject: n%d\r\n\r\nx\r\n" % i, "Two")
a.do("SELECT Two")
b.do("SELECT Two")
a.do("STORE 1:* +FLAGS.SILENT (\\Deleted)")
b.do("NOOP")
a.say("e EXPUNGE\r\n")
b.say("e EXPUNGE\r\n")
ga, gb = a.until("e "), b.until("e ")
check("both expunging at once: each is told of all",
      [len([l for l in g if l.endswith(" EXPUNGE")]) for g in (ga, gb)],
      [41, 41])
check("both get OK", [ga[-1], gb[-1]], ["e OK EXPUNGE done"] * 2)
check("nothing is left", a.do("STATUS Two (MESSAGES)")[0],
      "* STATUS Two (MESSAGES 0)")

# a keyword of the other one
append(a, "Subject: k\r\n\r\nx\r\n", "Two")
a.do("SELECT Two")
b.do("NOOP")
b.do("STORE 1 +FLAGS.SILENT ($new)")
got = a.do("FETCH 1 FLAGS")
check("RFC 3501 7.2.6: FLAGS has the keyword before FETCH uses it",
      [got[0].startswith("* FLAGS (") and got[0].endswith(" $new)"),
       [l.split(" (")[0] for l in got[1:]]],
      [True, ["* 1 FETCH", "* 1 FETCH", "x OK FETCH done"]])
check("and is said once", a.do("FETCH 1 FLAGS"),
      ["* 1 FETCH (FLAGS ($new))", "x OK FETCH done"])
b.do("STORE 1 +FLAGS.SILENT ($newer)")
got = a.do("STORE 1 +FLAGS (\\Flagged)")
check("as before the answer to STORE",
      [l.split(" (")[0] for l in got][:2], ["* FLAGS", "* 1 FETCH"])
b.do("STORE 1 +FLAGS.SILENT ($newest)")
got = a.do("FETCH 1 BODY[]")
check("and where FETCH sets \\Seen",
      [l.split(" (")[0] for l in got][:2], ["* FLAGS", "* 1 FETCH"])
a.do("STORE 1 +FLAGS.SILENT (\\Deleted)")
a.do("EXPUNGE")
b.do("NOOP")

# a message file that is gone from the folder
append(a, "Subject: lost\r\n\r\nx\r\n", "Two")
append(a, "Subject: kept\r\n\r\nx\r\n", "Two")
a.do("SELECT Two")
lost = [p for p in glob.glob(maildir + "/.Two/cur/*")
        if b"lost" in open(p, "rb").read()]
check("the file is where it should be", len(lost), 1)
os.remove(lost[0])
check("a missing file is NIL and NO, the others are read",
      a.do("FETCH 1:2 BODY.PEEK[HEADER]"),
      ["* 1 FETCH (BODY[HEADER] NIL)", "* 2 FETCH (BODY[HEADER] {17}",
       "Subject: kept", "", ")", "x NO [EXPUNGEISSUED] some messages are "
       "gone or cannot be read"])
check("and an expunge at the next NOOP", a.do("NOOP"),
      ["* 1 EXPUNGE", "x OK NOOP done"])

# a folder another program made
os.makedirs(maildir + "/.Made/cur")
os.mkdir(maildir + "/.Made/new")
os.mkdir(maildir + "/.Made/tmp")
with open(maildir + "/.Made/cur/5.x.y:2,S", "w") as f:
    f.write("Subject: made\n\nx\n")
check("a folder another program made is listed",
      a.do('LIST "" Made')[0], '* LIST (\\HasNoChildren) "/" Made')
check("with its message", a.do("STATUS Made (MESSAGES UNSEEN)")[0],
      "* STATUS Made (MESSAGES 1 UNSEEN 0)")

# a deleted mailbox that another has selected
b.do("CREATE Gone")
append(b, "Subject: g\r\n\r\nx\r\n", "Gone")
a.do("SELECT Gone")
b.do("DELETE Gone")
check("a mailbox deleted by the other one empties", a.do("NOOP"),
      ["* 1 EXPUNGE", "x OK NOOP done"])
check("and cannot be appended to",
      append(a, "x", "Gone"), "x NO [TRYCREATE] no such mailbox")
b.do("CREATE Mine")
b.do("SELECT Mine")
check("deleting the selected mailbox closes it", b.do("DELETE Mine"),
      ["* OK [CLOSED] mailbox was deleted", "x OK DELETE done"])

# folders that another program moves or removes under a session in IDLE
def folder(name):
    os.makedirs(maildir + "/." + name + "/cur")
    os.mkdir(maildir + "/." + name + "/new")
    os.mkdir(maildir + "/." + name + "/tmp")


def put(name, base):
    with open(maildir + "/.%s/tmp/%s" % (name, base), "w") as f:
        f.write("Subject: %s\n\nx\n" % base)
    os.rename(maildir + "/.%s/tmp/%s" % (name, base),
              maildir + "/.%s/new/%s" % (name, base))


def idle_in(name):
    folder(name)
    put(name, "1.one.x")
    a.do('LIST "" *')
    check("%s is selected" % name, a.do("SELECT " + name)[-1],
          "x OK [READ-WRITE] SELECT done")
    a.say("i IDLE\r\n")
    a.until("+")


def told(start):
    began = time.time()
    # a machine with much else to do may take some longer than a second
    return [a.until(start)[-1], time.time() - began <
            float(os.environ.get("SEEN_WITHIN", "3"))]


outside = os.path.dirname(maildir)
idle_in("Away")
os.rename(maildir + "/.Away", outside + "/away")
check("S-10 IDLE tells within a second that the folder was moved away",
      told("* 1 EXPUNGE"), ["* 1 EXPUNGE", True])
a.say("DONE\r\n")
a.line()
check("its mailbox is no more", a.do('LIST "" Away'), ["x OK LIST done"])
check("APPEND finds none", append(a, "x", "Away"),
      "x NO [TRYCREATE] no such mailbox")
idle_in("Name")
os.rename(maildir + "/.Name", maildir + "/.Name2")
put("Name2", "2.two.x")
check("S-7 IDLE goes on in a folder that was renamed", told("* 2 EXISTS"),
      ["* 2 EXISTS", True])
check("it is a mailbox renamed", b.do('LIST "" Name*'),
      ['* LIST (\\HasNoChildren) "/" Name2', "x OK LIST done"])
a.say("DONE\r\n")
a.until("i ")
check("with the same messages",
      [l for l in a.do("UID FETCH 1:* (FLAGS)") if "FETCH (" in l],
      ["* 1 FETCH (UID 1 FLAGS ())", "* 2 FETCH (UID 2 FLAGS ())"])
idle_in("Swap")
os.rename(maildir + "/.Swap", outside + "/swap")
folder("Swap")
check("one of the same name in its place is another",
      told("* 1 EXPUNGE"), ["* 1 EXPUNGE", True])
a.say("DONE\r\n")
a.until("i ")
for name in ("away", "swap"):
    shutil.rmtree(outside + "/" + name)

# small when idle
a.do("SELECT INBOX")
a.say("i IDLE\r\n")
a.line()
time.sleep(3)
with open("/proc/%d/smaps_rollup" % a.p.pid) as f:
    private = sum(int(l.split()[1]) for l in f
                  if l.startswith("Private_Dirty"))
check_memory("an idle session has less than 1 MB of its own", private < 1024,
             True)
a.p.terminate()
check("SIGTERM ends a session with BYE", a.until("* BYE")[-1],
      "* BYE [UNAVAILABLE] server is shutting down")
check("with exit code 0", a.p.wait(10), 0)
b.p.stdin.close()
check("end of input ends it too", b.p.wait(10), 0)
