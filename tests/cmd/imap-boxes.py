# imap-boxes.py COUNT - as many mailboxes, made by another program and by
# CREATE; results for python_tests of imap.sh, and the file "times"
import os, sys, time

from imap_talk import Session, check, check_memory

COUNT = int(sys.argv[1])
MAILDIR = os.environ["PIPEMAIL_VAR"] + "/accounts/alice/Maildir"
times = open("times", "w")


def cpu(s):
    """Seconds of CPU its process has used, kernel's included."""
    with open("/proc/%d/stat" % s.p.pid) as f:
        parts = f.read().rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def peak(s):
    """KiB of memory it had at most."""
    with open("/proc/%d/status" % s.p.pid) as f:
        return next(int(l.split()[1]) for l in f if l.startswith("VmHWM"))


def do(s, command):
    before, started = cpu(s), time.time()
    s.say("x %s\r\n" % command)
    got = s.until("x ", 300)
    times.write("%-50s %7d lines %7.3f s, %.2f s of CPU, %d KiB\n" %
                (command[:50], len(got), time.time() - started,
                 cpu(s) - before, peak(s)))
    return got


def create(s, start, n):
    """CPU seconds of n CREATEs."""
    before = cpu(s)
    for i in range(start, start + n):
        if s.do("CREATE made%d/%d" % (i % 10, i))[-1][:4] != "x OK":
            return 1e9
    return cpu(s) - before


def foreign(n):
    """f0 to f99, and n below these."""
    for name in ["f%d" % i for i in range(100)] + ["f%d.%d" % (i % 100, i)
                                                   for i in range(n)]:
        for part in "", "/cur", "/new", "/tmp":
            os.mkdir("%s/.%s%s" % (MAILDIR, name, part))


s = Session()
have = len(s.do('LIST "" *')) - 1
few = create(s, 0, 500)
foreign(COUNT - 1600)
check("S-11 folders of another program are mailboxes",
      len(do(s, 'LIST "" *')) - 1, have + 510 + COUNT - 1500)
many = create(s, 500, 500)
times.write("500 CREATEs beside 500 mailboxes took %.2f s of CPU, beside %d "
            "%.2f s\n" % (few, COUNT, many))
# one listing of all folders, since others may hide behind the first
check("S-11 one more costs the same among many",
      many < 3 * few + 0.3 + COUNT * 50e-6, True)
names = do(s, 'LIST "" *')
check("S-11 all are listed", len(names) - 1, have + 510 + COUNT - 1000)
before = cpu(s)
names = do(s, 'LIST "" *')
check("S-11 LIST costs little for each", cpu(s) - before < 0.1 + COUNT * 5e-5,
      True)
check_memory("S-11 and in memory less than 1 KiB", peak(s) < 20000 + COUNT,
             True)
do(s, 'LIST "" "*" RETURN (STATUS (MESSAGES UNSEEN))')
check("S-11 LIST-STATUS of all",
      len(do(s, 'LIST "" "*" RETURN (STATUS (MESSAGES UNSEEN))')) - 1,
      2 * (len(names) - 1))
check("S-11 STATUS of one", do(s, "STATUS made1/1 (MESSAGES)")[0],
      "* STATUS made1/1 (MESSAGES 0)")

# ---- subscriptions of all ----
with open(MAILDIR + "/subscriptions", "w") as f:
    for i in range(COUNT - 1600):
        f.write("f%d.%d\n" % (i % 100, i))
check("S-11 LSUB of all", len(do(s, 'LSUB "" *')) - 1, COUNT - 1600)
check("S-11 LSUB of the levels above", len(do(s, 'LSUB "" %')) - 1, 100)
check("S-11 LIST SUBSCRIBED of all",
      len(do(s, 'LIST (SUBSCRIBED) "" *')) - 1, COUNT - 1600)
check("S-11 SUBSCRIBE one more", do(s, "SUBSCRIBE made1/1")[-1][:4], "x OK")

# ---- rename and delete with many others ----
below = len(s.do('LIST "" f0/*')) - 1
check("S-11 RENAME with %d children" % below, do(s, "RENAME f0 g0")[-1][:4],
      "x OK")
check("S-11 they have their new names", len(s.do('LIST "" g0/*')) - 1, below)
check("S-11 and subscriptions", len(s.do('LSUB "" g0/*')) - 1, below)
check("S-11 none has an old one", s.do('LIST "" f0/*') + s.do('LSUB "" f0/*'),
      ["x OK LIST done", "x OK LSUB done"])
check("S-11 DELETE", do(s, "DELETE made1/1")[-1][:4], "x OK")
with open("names", "w") as f:
    for line in s.do('LIST "" *')[:-1]:
        f.write(line.split('"/" ')[1] + "\n")
