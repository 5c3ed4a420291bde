"""lmtp-reload.py SOCKET PID CHANGES

Deliver to alice on eight connections at once, some messages on each and then a
new one, while the configuration is changed again and again: a rule puts what
comes into G1, then into G2, and so on; after every other change PID gets SIGHUP
besides. A line for each message: its answer, its subject, the number of the
change that was complete when its connection was made, and of the last one begun
when it was answered.
"""
import os, signal, smtplib, subprocess, sys, threading, time

path, pid, changes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
CONF = "etc/accounts/alice.conf"
CONNECTIONS, EACH = 8, 3		# messages on a connection
BETWEEN = 2 * CONNECTIONS		# answers between two changes
lines, lock = [], threading.Lock()
begun = complete = 0
stop = False


def deliver(n):
    i = 0
    while not stop:
        low = complete
        try:
            c = smtplib.LMTP(path)
        except OSError as e:
            lines.append(f"connect {e.errno} {low} {begun}")
            return
        for _ in range(EACH):
            subject = f"r-{n}-{i}"
            i += 1
            try:
                c.sendmail("a@example.net", ["alice@example.org"], f"Subject: {subject}\r\n\r\nbody of {subject}\r\n")
                answer = 250
            except smtplib.SMTPDataError as e:
                answer = e.smtp_code
            except smtplib.SMTPException as e:
                answer = type(e).__name__
            with lock:
                lines.append(f"{answer} {subject} {low} {begun}")
        c.quit()


def some_more():
    """So many answers that each connection is a new one."""
    until, want = time.monotonic() + 60, len(lines) + BETWEEN * EACH
    while len(lines) < want and time.monotonic() < until and any(t.is_alive() for t in threads):
        time.sleep(0.005)


threads = [threading.Thread(target=deliver, args=(n,)) for n in range(CONNECTIONS)]
for t in threads:
    t.start()
with open(CONF) as f:
    plain = f.read()
some_more()
for k in range(1, changes + 1):
    begun = k
    with open(CONF, "w") as f:
        f.write(plain + f'[rule "r"]\nheader = ^subject$ ^r-\nmailbox = G{k}\n')
    subprocess.run(["config-compile"], check=True)
    complete = k
    if k % 2 == 0:
        os.kill(pid, signal.SIGHUP)
    some_more()
stop = True
for t in threads:
    t.join()
print("\n".join(lines))
