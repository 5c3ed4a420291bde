# imap-idle.py - sessions that rest in imap-idle; results for imap-idle.t
import os, signal, socket, sys, time, zlib

from imap_client import Client, check, children, drop, resting, wait


def basics():
    other = Client("alice")
    for i in range(5):
        other.append("m%d" % i)
    a = Client()
    a.do("ENABLE QRESYNC")
    a.do("SELECT INBOX")
    a.do("UID SEARCH RETURN (SAVE) 2:3")
    check("IDLE begins", a.idle("tag.1"), ["+ idling"])
    other.s.close()
    check("I-2 after some seconds in IDLE no process is left", resting(),
          True)
    check("DONE ends IDLE with its tag", a.done("tag.1"),
          ["tag.1 OK IDLE done"])
    check("the saved search came along", a.do("UID SEARCH $ ALL")[:1],
          ["* SEARCH 2 3"])
    check("and what was enabled", a.do("UID FETCH 1 (FLAGS) (CHANGEDSINCE 1 "
          "VANISHED)")[-1], "x OK UID FETCH done")
    return a


def changes(a):
    a.idle()
    resting()
    b = Client()
    b.do("SELECT INBOX")
    b.do(r"UID STORE 2,4 +FLAGS.SILENT (\Deleted)")
    start = time.time()
    b.do("EXPUNGE")
    check("expunges are seen while it rests, with the view's UIDs",
          a.until("* VANISHED")[-1], "* VANISHED 2,4")
    check("within a second", time.time() - start < 1.5, True)
    b.do(r"UID STORE 5 +FLAGS.SILENT (\Flagged)")
    line = a.until("* 3 FETCH")[-1]
    check("flags by the number the client knows",
          line.replace("\\Recent ", "").replace(" \\Recent", "").startswith(
              r"* 3 FETCH (UID 5 FLAGS (\Flagged) MODSEQ"), True)
    b.append("new")
    check("a new message", a.until("* 4 EXISTS")[-1], "* 4 EXISTS")
    b.s.close()
    check("and it rests again", resting(), True)
    start = time.time()
    drop("1000000001.M1P1.elsewhere")
    check("S-12 another program delivers: seen while it rests",
          a.until("* 5 EXISTS")[-1], "* 5 EXISTS")
    check("within a second of it", time.time() - start < 1.5, True)
    resting()
    check("all is as it was", a.done()[-1], "i OK IDLE done")
    check("numbers and UIDs agree",
          [x.split()[4] for x in a.do("FETCH 1:* (UID)")[:-1]],
          ["1)", "3)", "5)", "6)", "7)"])


def view():
    """Expunged while at rest, seen by number: as many EXPUNGEs as went."""
    a = Client()
    a.do("SELECT INBOX")
    a.idle()
    resting()
    b = Client()
    b.do("SELECT INBOX")
    b.do(r"STORE 1,3 +FLAGS.SILENT (\Deleted)")
    b.say("x EXPUNGE\r\ny APPEND INBOX {5+}\r\nA: b\r\n\r\nz LOGOUT\r\n")
    b.until("z ")
    got = [x for x in a.until("* 4 EXISTS") if "FETCH" not in x]
    check("EXPUNGE by the numbers of its view, then EXISTS",
          [x for x in got if "RECENT" not in x and "FLAGS" not in x],
          ["* 1 EXPUNGE", "* 2 EXPUNGE", "* 4 EXISTS"])
    a.done()
    a.do("EXAMINE INBOX")
    a.idle()
    resting()
    a.done()
    check("a mailbox examined stays read-only",
          a.do("STORE 1 +FLAGS (x)")[-1][:14], "x NO [READ-ONL")
    a.do("UNSELECT")
    a.idle()
    check("without a mailbox it rests too", resting(), True)
    check("and comes back", a.done(), ["i OK IDLE done"])
    a.idle()
    resting()
    a.say("NONSENSE\r\n")
    check("what is not DONE is told so", a.until("i ")[-1],
          "i BAD expected DONE")
    a.say("p1 IDLE\r\n")
    a.until("+")
    resting()
    a.say("DO")
    wait(lambda: children() == 1)
    time.sleep(0.1)
    a.say("NE\r\np2 NOOP\r\n")
    check("half a line brings it back, the other half ends it",
          [x for x in a.until("p2 ") if x[0] == "p"],
          ["p1 OK IDLE done", "p2 OK NOOP done"])
    a.idle()
    resting()
    b = Client()
    b.do("CREATE away")
    a.until("none", 0.1)
    a.done()
    a.do("SELECT away")
    a.idle()
    wait(lambda: children() <= 1)
    b.do("DELETE away")
    check("a mailbox deleted meanwhile: the session goes on",
          a.done()[-1], "i OK IDLE done")
    b.s.close()
    a.s.close()


def full():
    """-c 2: two rest, a third keeps its process, and works."""
    held = [Client() for i in range(2)]
    for c in held:
        c.idle()
    check("at the limit all rest", resting(), True)
    third = Client()
    third.do("SELECT INBOX")
    third.idle()
    time.sleep(4)
    check("one past it keeps its process", children(), 1)
    drop("1000000002.M1P1.elsewhere")
    check("and sees changes there", third.until("* 5 EXISTS")[-1],
          "* 5 EXISTS")
    check("DONE there", third.done()[-1], "i OK IDLE done")
    third.idle()
    held[0].done()
    held[0].s.close()
    check("and rests once there is room", resting(), True)
    held[1].done()
    held[1].s.close()
    check("from where it comes back", third.done()[-1], "i OK IDLE done")
    third.s.close()


def packed():
    """RFC 4978: the streams of zlib cannot be handed on."""
    a = Client()
    a.do("SELECT INBOX")
    a.do("COMPRESS DEFLATE")
    out, into = zlib.compressobj(9, zlib.DEFLATED, -15), \
        zlib.decompressobj(-15)
    clear = a.s
    a.say = lambda text: clear.sendall(out.compress(text.encode()) +
                                       out.flush(zlib.Z_SYNC_FLUSH))
    a.more = lambda: into.decompress(clear.recv(65536))
    a.idle()
    time.sleep(4)
    check("RFC 4978 COMPRESS=DEFLATE keeps its process in IDLE", children(),
          1)
    drop("1000000004.M1P1.elsewhere")
    check("RFC 4978 and sees changes there",
          a.until("* 6 EXISTS")[-1], "* 6 EXISTS")
    check("RFC 4978 DONE there", a.done()[-1], "i OK IDLE done")
    a.s.close()
    check("RFC 4978 it is gone", resting(), True)


def dead():
    """No imap-idle at all."""
    a = Client()
    a.do("SELECT INBOX")
    a.idle()
    time.sleep(3)
    check("without imap-idle it keeps its process", children(), 1)
    drop("1000000003.M1P1.elsewhere")
    check("and sees changes", a.until("* 7 EXISTS")[-1], "* 7 EXISTS")
    check("and DONE", a.done()[-1], "i OK IDLE done")
    a.s.close()


def bye():
    a = Client()
    a.idle()
    resting()
    os.kill(int(os.environ["IDLE_PID"]), signal.SIGTERM)
    check("SIGTERM says BYE to all who rest",
          a.until("* BYE")[-1], "* BYE [UNAVAILABLE] server is shutting down")


def restarted():
    """imap-serve started anew has another key: nobody is let in by it."""
    a = Client()
    a.idle()
    resting()
    print("ready")
    sys.stdout.flush()
    sys.stdin.readline()
    a.say("DONE\r\n")
    check("a seal of an imap-serve that is gone opens nothing",
          a.until("* BYE")[-1], "* BYE [UNAVAILABLE] mail is unavailable")


def between():
    """Stand in for imap-idle on its socket."""
    path = os.environ["PIPEMAIL_RUN"] + "/imap-idle"
    if os.path.exists(path):
        os.unlink(path)
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen()
    s.settimeout(20)
    return s


def late():
    """One second of silence instead of half an hour."""
    gate = between()
    a = Client()
    a.do("SELECT INBOX")
    a.idle()
    link = gate.accept()[0]
    text, fds = socket.recv_fds(link, 65536, 4)[:2]
    text = text[:9] + (1).to_bytes(4, "big") + text[13:]
    real = socket.socket(socket.AF_UNIX)
    real.connect(os.environ["PIPEMAIL_RUN"] + "/real")
    socket.send_fds(real, [text], fds)
    os.close(fds[0])
    link.sendall(real.recv(1))
    real.sendall(link.recv(1))
    check("idle-timeout while it rests", a.until("* BYE")[-1],
          "* BYE idle for too long")
    a.s.close()
    gate.close()


def mute():
    gate = between()
    a = Client()
    a.do("SELECT INBOX")
    a.idle()
    link = gate.accept()[0]
    a.say("DONE\r\n")
    time.sleep(0.2)
    link.sendall(b"y")
    check("a client that speaks before the hand-over is done stays",
          (a.until("i ")[-1], link.recv(65536)[:4], link.recv(9)),
          ("i OK IDLE done", b"PMR1", b""))
    link.close()
    a.idle()
    link = gate.accept()[0]
    link.close()
    check("refused, it goes on in imap-serve", a.done()[-1],
          "i OK IDLE done")
    b = Client()
    b.idle()
    link = gate.accept()[0]
    text = link.recv(65536)
    link.sendall(b"y")
    check("a good answer gets it", link.recv(1), b"g")
    back = socket.socket(socket.AF_UNIX)
    back.connect(os.environ["PIPEMAIL_RUN"] + "/imap")
    bad = bytearray(text)
    bad[20] ^= 1
    pair = socket.socketpair()
    socket.send_fds(back, [bytes(bad)], [pair[1].fileno()])
    pair[1].close()
    pair[0].settimeout(10)
    check("I-2 a seal with one bit changed opens nothing",
          pair[0].recv(100), b"* BYE [UNAVAILABLE] mail is unavailable\r\n")
    other = text.replace(b"alice", b"bobbb")
    back = socket.socket(socket.AF_UNIX)
    back.connect(os.environ["PIPEMAIL_RUN"] + "/imap")
    pair = socket.socketpair()
    socket.send_fds(back, [other], [pair[1].fileno()])
    pair[1].close()
    pair[0].settimeout(10)
    check("nor does one of another account",
          pair[0].recv(100), b"* BYE [UNAVAILABLE] mail is unavailable\r\n")


if sys.argv[1] == "basics":
    changes(basics())
    view()
else:
    globals()[sys.argv[1]]()
