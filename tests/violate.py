# violate.py PID NUMBER - let process PID make system call NUMBER in place of
# the next one it makes. Only on x86-64; waits until it makes one.
import ctypes, os, platform, signal, sys

if platform.machine() != "x86_64":
    sys.exit("not on this machine")
ATTACH, DETACH, SYSCALL, SETOPTIONS, POKEUSER = 16, 17, 24, 0x4200, 6
TRACESYSGOOD = 1
ORIG_RAX = 15 * 8
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long
pid, number = int(sys.argv[1]), int(sys.argv[2])


def ptrace(request, addr=0, data=0):
    if libc.ptrace(request, pid, addr, data) == -1:
        e = ctypes.get_errno()
        raise OSError(e, os.strerror(e))


ptrace(ATTACH)
os.waitpid(pid, 0)
ptrace(SETOPTIONS, 0, TRACESYSGOOD)
while True:
    ptrace(SYSCALL)
    status = os.waitpid(pid, 0)[1]
    if not os.WIFSTOPPED(status):
        sys.exit("it has ended")
    if os.WSTOPSIG(status) == signal.SIGTRAP | 0x80:
        break
ptrace(POKEUSER, ORIG_RAX, number)
ptrace(DETACH)
