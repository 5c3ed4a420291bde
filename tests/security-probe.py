# security-probe.py UID-TABLE PID-TABLE < doc/security.md
# Tries each claim "| user | can or cannot | does | object |" in a process of
# that user, in the current directory: a TAP-like line for each.
import ctypes, errno, glob, os, socket, sys

pairs = lambda a: dict(w.split("=") for w in a.split())
uids, pids = pairs(sys.argv[1]), pairs(sys.argv[2])
PTRACE_SEIZE = 0x4206    # attaches, does not stop
libc = ctypes.CDLL(None, use_errno=True)
DENIED = (errno.EACCES, errno.EPERM)


def served(path):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    s.settimeout(0.5)
    try:
        if s.recv(1) == b"":
            raise PermissionError(errno.EACCES, "closed")
    except socket.timeout:
        pass            # it waits for us
    except ConnectionResetError:
        raise PermissionError(errno.EACCES, "reset")


def write(path):
    if os.path.isdir(path):
        name = path + "/probe"
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        os.unlink(name)
    else:
        os.close(os.open(path, os.O_WRONLY))


def trace(pid):
    if libc.ptrace(PTRACE_SEIZE, int(pid), None, None) == -1:
        e = ctypes.get_errno()
        raise OSError(e, os.strerror(e))


does = {
    "read": lambda p: os.close(os.open(p, os.O_RDONLY)),
    "list": os.listdir, "write": write, "connect": served,
    "trace": trace, "signal": lambda pid: os.kill(int(pid), 0),
}


def try_as(uid, verb, target):
    """0 done, 1 denied, 2 anything else, which is neither"""
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            does[verb](target)
            os._exit(0)
        except OSError as e:
            if e.errno in DENIED:
                os._exit(1)
            print("#", verb, target, e, flush=True)
        except BaseException as e:
            print("#", verb, target, repr(e), flush=True)
        os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def targets(verb, what):
    if verb not in ("trace", "signal"):
        return sorted(glob.glob(what))
    own = pids[what]
    with open("/proc/%s/task/%s/children" % (own, own)) as f:
        return [own] + f.read().split()


for line in sys.stdin:
    cells = [c.strip() for c in line.split("|")]
    if len(cells) != 6 or cells[1] not in uids or cells[2] not in ("can", "cannot"):
        continue
    user, can, verb, what = cells[1:5]
    found = targets(verb, what)
    want = 0 if can == "can" else 1
    good = found and all(try_as(int(uids[user]), verb, t) == want for t in found)
    print("ok" if good else "bad", user, can, verb, what,
          "" if found else "(nothing there)", flush=True)
