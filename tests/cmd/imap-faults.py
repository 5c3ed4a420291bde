# imap-faults.py - what happens under a session; results for python_tests of
# imap.sh
import glob, os, resource, shutil, socket, subprocess, time

from imap_talk import Session, append, check, check_memory

VAR = os.environ["PIPEMAIL_VAR"]
MAILDIR = VAR + "/accounts/alice/Maildir"


def text(subject, n=20):
    return "Subject: %s\r\n\r\n%s\r\n" % (subject, "x" * n)


def file_of(uid, box=""):
    found = glob.glob("%s/%s/*/*,U=%d*" % (MAILDIR, box, uid))
    return found[0] if found else None


# ---- two clients ----
a, b = Session(), Session()
a.do("CREATE Work")
for i in range(6):
    append(a, text("m%d" % i), "Work")
a.do("SELECT Work")
b.do("SELECT Work")
a.do("STORE 1:3 +FLAGS.SILENT (\\Deleted)")
b.do("NOOP")
a.say("x EXPUNGE\r\n")
b.say("x EXPUNGE\r\n")
check("two expunge the same: one is told so",
      a.until("x ")[-1][:4], "x OK")
lines = b.until("x ")
check("two expunge the same: the other too", lines[-1][:4], "x OK")
b.do("NOOP")
check("both count the same",
      [s.do("STATUS Work (MESSAGES)")[-2] for s in (a, b)],
      ["* STATUS Work (MESSAGES 3)"] * 2)
check("both see the same UIDs", a.do("UID SEARCH ALL"),
      b.do("UID SEARCH ALL"))

# ---- the selected mailbox is renamed, then deleted ----
a.do("RENAME Work Job")
check("I-14 a renamed mailbox stays selected",
      b.do("FETCH 1 (BODY.PEEK[HEADER.FIELDS (Subject)])")[1], "Subject: m3")
check("flags can be stored in it", b.do("STORE 1 +FLAGS (\\Seen)")[-1],
      "x OK STORE done")
check("DELETE of a mailbox others have selected",
      a.do("DELETE Job")[-1][:4], "x OK")
for command in ("FETCH 1 (BODY.PEEK[])", "STORE 1 +FLAGS (\\Flagged)",
                "COPY 1 INBOX", "EXPUNGE", "UID SEARCH ALL", "CHECK"):
    got = b.do(command)[-1]
    check("I-14 a deleted mailbox: %s gets an answer" % command.split()[0],
          got[:4] in ("x OK", "x NO") or got.startswith("* BYE"), True)
b = Session()
check("nothing of it was copied", b.do("STATUS INBOX (MESSAGES)")[0],
      "* STATUS INBOX (MESSAGES 0)")

# ---- a file cut short, before and under a FETCH ----
append(a, text("small"))
a.do("SELECT INBOX")
os.truncate(file_of(1), 12)
got = a.do("FETCH 1 (BODY.PEEK[])")
check("a small file cut short: that FETCH alone fails", got[-1][:4], "x NO")
got += a.do("NOOP")
check("S-5 its UID is gone and what is left is new",
      [x for x in got if x.endswith("EXPUNGE") or x.endswith("EXISTS")],
      ["* 2 EXISTS", "* 1 EXPUNGE"])
check("and can be read", a.do("UID FETCH 2 (BODY.PEEK[])")[0],
      "* 1 FETCH (UID 2 BODY[] {12}")

ours, theirs = socket.socketpair()
ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
big = b"Subject: big\n\n" + b"y" * 70 + b"\n" * 8000000
subprocess.run(["store-deliver", "-a", "alice"], input=big, check=True)
err = open("bus.err", "w+")
slow = subprocess.Popen(["imap-serve", "-a", "alice"], stdin=theirs,
                        stdout=theirs, stderr=err)
theirs.close()
ours.sendall(b"a SELECT INBOX\r\nb UID FETCH 3 (BODY.PEEK[])\r\n")
got = b""
while b"BODY[] {" not in got:
    got += ours.recv(4096)

# it reads no more of it: what is held meanwhile?
rss = max(int(l.split()[1]) for l in open("/proc/%d/status" % slow.pid)
          if l.startswith("VmRSS"))
started = time.time()
check("a client that stops reading holds no lock",
      append(a, text("meanwhile"))[:4], "x OK")
check("not for a second either", time.time() - started < 1, True)
check_memory("I-13 nor more memory than its message", rss < 40000, True)
os.truncate(file_of(3), 100)
ours.settimeout(20)
while True:
    try:
        more = ours.recv(1 << 20)
    except ConnectionResetError:
        break
    if not more:
        break
check("a large file cut short ends that session", slow.wait(20), 111)
err.seek(0)
check("and says why", err.read(), "imap-serve: fatal: cannot read message: "
      "another program cut its file short\n")
check("the others go on", a.do("NOOP")[-1], "x OK NOOP done")
a.do("UID FETCH 3 (BODY.PEEK[])")
a.do("NOOP")
check("and its rest is a new message", a.do("UID SEARCH ALL")[0],
      "* SEARCH 2 4 5")

# ---- a client that asks for much and reads none of it ----
a.do("CREATE Many")
one = " {%d+}\r\n%s" % (len(text("many")), text("many"))
for i in range(4):
    a.say("x APPEND Many" + one * 500 + "\r\n")
    a.until("x ", 60)
ours, theirs = socket.socketpair()
deaf = subprocess.Popen(["imap-serve", "-a", "alice"], stdin=theirs,
                        stdout=theirs, stderr=subprocess.DEVNULL)
theirs.close()
ours.sendall(b"s SELECT Many\r\n")
ours.setblocking(False)
asked = b"x FETCH 1:* (ENVELOPE BODYSTRUCTURE BODY.PEEK[])\r\n" \
    b"x LIST \"\" \"*\"\r\nx UID SEARCH ALL\r\n" * 20000
sent, quiet, last = 0, 0, None
while quiet < 20:       # until it does nothing for a second
    try:
        sent += ours.send(asked[sent:sent + 65536])
    except BlockingIOError:
        pass
    with open("/proc/%d/stat" % deaf.pid) as f:
        now = f.read().split()[13:15] + [sent]
    quiet = quiet + 1 if now == last else 0
    last = now
    time.sleep(0.05)
rss = max(int(l.split()[1]) for l in open("/proc/%d/status" % deaf.pid)
          if l.startswith("VmHWM"))
check("I-13 a client that reads nothing is not read for ever",
      sent < len(asked), True)
check_memory("I-13 in bounded memory, not %d KiB" % rss, rss < 20000, True)
started = time.time()
check("and holds no lock", a.do("STORE 1 +FLAGS (\\Seen)")[-1][:4], "x OK")
check("for no time", time.time() - started < 1, True)
ours.close()
check("its session ends with it", deaf.wait(20) in (0, 111), True)

# ---- keywords ----
count, last = 0, ""
for i in range(10000):
    last = a.do("UID STORE 2 +FLAGS.SILENT (key%d)" % i)[-1]
    if not last.startswith("x OK"):
        break
    count += 1
check("S-8 of 10,000 keywords 256 are taken", count, 256)
check("the next is refused", last[:13], "x NO [LIMIT] ")
many = " ".join("key%d" % i for i in range(250, 1250))
check("so are 1,000 at once",
      a.do("UID STORE 2 +FLAGS.SILENT (%s)" % many)[-1][:13], "x NO [LIMIT] ")
check("another message may have those that are there",
      a.do("UID STORE 4 FLAGS.SILENT (key0 key255)")[-1][:4], "x OK")
check("and has them", a.do("UID FETCH 4 FLAGS")[0],
      "* 2 FETCH (UID 4 FLAGS (key0 key255))")

# ---- names ----
def with_name(session, command, name):
    session.p.stdin.write(b"x %s {%d+}\r\n%s\r\n" % (command, len(name),
                                                    name))
    session.p.stdin.flush()
    return session.until("x ")[-1][:4]


odd = [c for c in range(1, 256) if c not in (10, 13)]
answers = {}
for c in odd:
    if c % 5 == 1:      # some bad commands end a session
        s = Session()
        s.do("ENABLE IMAP4rev2")
    answers[c] = with_name(s, b"CREATE", bytes([c]) + b"x")
made = [c for c in odd if answers[c] == "x OK"]
check("S-11 a control character or half a letter is in no name",
      [c for c in made if c < 32 or c >= 127], [])
check("each other byte gets an answer",
      sorted(set(answers.values()) - {"x OK", "x NO", "x BA"}), [])
check("and what was made is listed",
      len([x for x in a.do('LIST "" "%x"') if x.startswith("* LIST")]),
      len(made))
for c in made:
    with_name(a, b"DELETE", bytes([c]) + b"x")
deep = "/".join(["d"] * 1000)
check("S-11 1,000 levels are too long a name",
      a.do("CREATE %s" % deep)[-1][:4], "x NO")
deep = "/".join(["d"] * 110)
check("110 levels are a mailbox", a.do("CREATE %s" % deep)[-1][:4], "x OK")
check("that takes mail", append(a, text("deep"), deep)[:4], "x OK")
check("S-11 each of them is listed",
      len([x for x in a.do('LIST "" "d*"') if x.startswith("* LIST")]), 110)

# ---- literals that never come ----
starts = ["APPEND INBOX {20}", "APPEND INBOX {20+}", "CREATE {5}",
          "SEARCH SUBJECT {3+}", "LOGIN {1}"]
waiting = [Session() for _ in starts]
for s, command in zip(waiting, starts):
    s.say("y %s\r\n" % command)
started = time.time()
check("a literal that never comes stops nobody else",
      append(a, text("others"))[:4], "x OK")
check("for no time", time.time() - started < 1, True)
before = a.do("STATUS INBOX (MESSAGES)")[0]
for s in waiting:
    s.p.stdin.close()
check("each session ends when its client goes",
      [s.p.wait(10) for s in waiting], [0] * len(starts))
check("half an APPEND is nothing", a.do("STATUS INBOX (MESSAGES)")[0], before)
check("and leaves nothing in tmp/", os.listdir(MAILDIR + "/tmp"), [])

# ---- no inotify to be had ----
test = "echo 0 >/proc/sys/user/max_inotify_instances"
if subprocess.run(["unshare", "-Ur", "sh", "-c", test],
                  stderr=subprocess.DEVNULL).returncode == 0:
    p = Session.__new__(Session)
    p.p = subprocess.Popen(["unshare", "-Ur", "sh", "-c",
                            test + "; exec imap-serve -a alice"],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL)
    p.rest = b""
    p.line()
    p.do("SELECT INBOX")
    p.say("i IDLE\r\n")
    p.until("+ ")
    # the first ones may be seen by the look IDLE begins with
    for n in (5, 6, 7):
        with open(MAILDIR + "/tmp/polled", "w") as f:
            f.write("Subject: polled\n\nx\n")
        os.rename(MAILDIR + "/tmp/polled", MAILDIR + "/new/%d.polled" % n)
        started = time.time()
        got = p.until("* %d EXISTS" % n, 5)
        took = time.time() - started
    check("IDLE without inotify tells files of another program",
          got[-1], "* 7 EXISTS")
    check("within a second and a half", took < 1.5, True)
    p.say("DONE\r\n")
    p.until("i ")

# ---- the account is removed under a session ----
bob = Session("bob")
append(bob, text("bob"))
bob.do("SELECT INBOX")
shutil.rmtree(VAR + "/accounts/bob")
check("S-20 an account removed under a session: it says so and ends",
      bob.ends(), True)
check("and does not die of it", bob.p.wait(10), 0)
check("and does not make it again", os.path.exists(VAR + "/accounts/bob"),
      False)
