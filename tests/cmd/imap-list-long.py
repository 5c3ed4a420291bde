# imap-list-long.py - answers of LIST and LSUB that are too long for one piece;
# results for imap-list-long.t
import os, subprocess, time

from imap_talk import Session, check, check_memory

VAR = os.environ["PIPEMAIL_VAR"]
MAILDIR = VAR + "/accounts/alice/Maildir"
COUNT = 1500
LIMIT = 32 * 1024 * 1024	# LSUB_OUT_MAX


def name(i):
    return "Box%04d" % i + "y" * 200


def views(pid):
    """What the index has to keep for a process."""
    out = subprocess.run(["mdb_stat", "-r", VAR + "/accounts/alice/index"],
                         capture_output=True, text=True).stdout
    return sum(1 for l in out.splitlines()
               if l.split()[:1] == [str(pid)] and l.split()[-1] != "-")


def peak(s):
    with open("/proc/%d/status" % s.p.pid) as f:
        return next(int(l.split()[1]) for l in f if l.startswith("VmHWM"))


s = Session()
for i in range(COUNT):
    for part in "", "/cur", "/new", "/tmp":
        os.mkdir("%s/.%s%s" % (MAILDIR, name(i), part))
lists = [l for l in s.do('LIST "" Box*') if l.startswith("* LIST")]
check("LIST: each is there, once", [l.split()[-1] for l in lists],
      [name(i) for i in range(COUNT)])
s.do('SETMETADATA %s (/private/comment "hello")' % name(7))
got = s.do('LIST "" Box* RETURN (STATUS (MESSAGES) METADATA '
           '(/private/comment))')
check("RFC 5819 LIST-STATUS, RFC 9590 LIST-METADATA: three lines for each",
      [[l.split()[1] for l in got[i:i + 3]] for i in range(0, 3 * COUNT, 3)],
      [["LIST", "STATUS", "METADATA"]] * COUNT)
check("of one mailbox", [name(1200) in l for l in got[3600:3603]],
      [True] * 3)
check("with its values", got[7 * 3 + 1:7 * 3 + 3],
      ["* STATUS %s (MESSAGES 0)" % name(7),
       '* METADATA %s (/private/comment "hello")' % name(7)])
check("and the tagged reply", got[-1], "x OK LIST done")

# ---- a client that does not read ----
t = Session()
t.do("NOOP")
before = peak(t)
t.say('x LIST "" Box* RETURN (STATUS (MESSAGES))\r\ny NOOP\r\n')
first = t.line()
until = time.time() + 20
while views(t.p.pid) > 0 and time.time() < until:
    time.sleep(0.1)     # it still makes what comes next
check("a long answer that is not read holds no view", views(t.p.pid), 0)
check("others work meanwhile", [s.do("DELETE " + name(1400))[-1],
      s.do("RENAME %s Other" % name(1401))[-1]],
      ["x OK DELETE done", "x OK RENAME done"])
got = [first] + t.until("x ")
check("it is told what there was when LIST began",
      sum(1 for l in got if l.startswith("* LIST")), COUNT)
check("STATUS of one that went meanwhile is left out",
      [l for l in got if "STATUS " + name(1400) in l], [])
check("of one that was renamed it is told by the name it had",
      sum(1 for l in got if "STATUS " + name(1401) in l), 1)
check("the next command is answered behind it", t.until("y ")[-1],
      "y OK NOOP done")
check_memory("S-11 in little memory", peak(t) - before < 4096, True)

# ---- LSUB: one answer, bounded ----
line = len('* LSUB () "/" %s\r\n' % name(0)) + 4
most = (LIMIT - 1) // line
for n, want in ((most, "x OK LSUB done"),
                (most + 1, "x NO [LIMIT] too many subscriptions for LSUB")):
    with open(MAILDIR + "/subscriptions", "w") as f:
        f.writelines("Box%08d" % i + "y" * 200 + "\n" for i in range(n))
    u = Session()
    u.say('x LSUB "" *\r\n')
    got = u.until("x ", 120)
    check("LSUB: %d bytes" % (n * line), [len(got) - 1, got[-1]], [n, want])
