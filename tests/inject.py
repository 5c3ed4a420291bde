# inject.py - make another process make a system call, and see what it gets:
# what a process that was taken over could do. Linux on x86-64, as root.
import ctypes, errno, os, signal, socket, struct

ATTACH, DETACH, SYSCALL, SETOPTIONS, GETREGS, SETREGS = 16, 17, 24, 0x4200, 12, 13
TRACESYSGOOD = 1
REGS = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax "
        "rip cs eflags rsp ss fs_base gs_base ds es fs gs").split()
SIZE = 8 * len(REGS)
AT_FDCWD = -100 & 0xffffffffffffffff
OPENAT, CLOSE, SOCKET, CONNECT, BIND = 257, 3, 41, 42, 49
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class Process:
    def __init__(self, pid):
        self.pid = pid
        self.ptrace(ATTACH)
        os.waitpid(pid, 0)
        self.ptrace(SETOPTIONS, 0, TRACESYSGOOD)

    def ptrace(self, request, addr=0, data=0):
        if libc.ptrace(request, self.pid, addr, data) == -1:
            e = ctypes.get_errno()
            raise OSError(e, os.strerror(e))

    def to_call(self):
        """to the beginning or end of a system call"""
        sig = 0
        while True:
            self.ptrace(SYSCALL, 0, sig)
            status = os.waitpid(self.pid, 0)[1]
            if not os.WIFSTOPPED(status):
                raise RuntimeError("it has ended")
            sig = os.WSTOPSIG(status)
            if sig == signal.SIGTRAP | 0x80:
                return
            if sig == signal.SIGSTOP:
                sig = 0

    def regs(self):
        b = ctypes.create_string_buffer(SIZE)
        self.ptrace(GETREGS, 0, ctypes.addressof(b))
        return dict(zip(REGS, struct.unpack("%dQ" % len(REGS), b.raw)))

    def set_regs(self, r):
        b = ctypes.create_string_buffer(struct.pack("%dQ" % len(REGS), *(r[k] for k in REGS)), SIZE)
        self.ptrace(SETREGS, 0, ctypes.addressof(b))

    def calls(self, number, *args):
        """In place of its next call; the result. Its own is interrupted."""
        self.to_call()
        was = self.regs()
        r = dict(was, orig_rax=number, rax=-errno.ENOSYS & 0xffffffffffffffff)
        at = (was["rsp"] - 1024) & ~15      # below what leaf functions use
        for reg, a in zip(("rdi", "rsi", "rdx", "r10", "r8", "r9"), args):
            if isinstance(a, (str, bytes)):
                a = a.encode() + b"\0" if isinstance(a, str) else a
                with open("/proc/%d/mem" % self.pid, "r+b", buffering=0) as m:
                    m.seek(at)
                    m.write(a)
                a = at
            r[reg] = a & 0xffffffffffffffff
        self.set_regs(r)
        self.to_call()
        result = ctypes.c_int64(self.regs()["rax"]).value
        self.set_regs(dict(was, rax=-errno.EINTR & 0xffffffffffffffff))
        return result

    def opens(self, path, flags):
        """0 or errno"""
        fd = self.calls(OPENAT, AT_FDCWD, path, flags, 0o600)
        if fd < 0:
            return -fd
        self.calls(CLOSE, fd)
        return 0

    def tcp(self, number, port):
        """connect(2) to or bind(2) of a port of 127.0.0.1: 0 or errno"""
        fd = self.calls(SOCKET, socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK, 0)
        if fd < 0:
            return -fd
        a = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(port), b"\x7f\0\0\1")
        r = self.calls(number, fd, a, len(a))
        self.calls(CLOSE, fd)
        return -r

    def violates(self, number):
        """its next call is that one, and it is on its own"""
        self.to_call()
        self.set_regs(dict(self.regs(), orig_rax=number))
        self.ptrace(DETACH)

    def leave(self):
        self.ptrace(DETACH)
