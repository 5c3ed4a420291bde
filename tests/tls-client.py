#!/usr/bin/python3
"""TLS clients of the tests: each prints what it saw, or exits 1."""
import hashlib, json, os, signal, socket, ssl, subprocess, sys, time

def context(version=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    if version:
        c.minimum_version = c.maximum_version = ssl.TLSVersion["TLSv1_" + version]
    return c

def plain(port):
    s = socket.create_connection(("127.0.0.1", int(port)))
    s.settimeout(20)
    return s

def connect(port, name="mail.example", version=None, ctx=None):
    s = (ctx or context(version)).wrap_socket(plain(port), server_hostname=name or None)
    f = s.makefile("rb")
    return s, f, json.loads(f.readline())

def name(port, host):
    """the names in the certificate that is served for host"""
    s, _, _ = connect(port, host)
    der = s.getpeercert(True)
    out = subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-ext", "subjectAltName"],
        input=der, capture_output=True).stdout.decode()
    print(out.split("DNS:")[1].strip())

def echo(port, version=None):
    s, f, p = connect(port, version=version)
    s.sendall(b"hello\n")
    assert f.readline() == b"hello\n"
    print(p["version"])

def bulk(port, size, slow="0"):
    """size bytes from the server, the reader pausing now and then"""
    s, f, _ = connect(port)
    s.sendall(b"bulk %d\n" % int(size))
    n, block = 0, bytes(range(256)) * 256
    while n < int(size):
        b = f.read(min(65536, int(size) - n))
        assert b == block[:len(b)] and b
        n += len(b)
        if slow != "0" and n % (1 << 20) == 0: time.sleep(0.02)
    print(n)

def upload(port, size):
    """size bytes to a server that reads late, and back: both directions held up"""
    s, f, _ = connect(port)
    want, got, left, n = hashlib.sha256(), hashlib.sha256(), int(size), 0
    block = os.urandom(65536)
    s.settimeout(0.05)
    while n < int(size):
        try:
            while left > 0:
                k = s.send(block[:min(left, 16384)])
                want.update(block[:k]); left -= k
        except (TimeoutError, ssl.SSLWantWriteError): pass
        try:
            while n < int(size):
                b = s.recv(65536)
                assert b
                got.update(b); n += len(b)
        except (TimeoutError, ssl.SSLWantReadError): pass
        if want.digest() != got.digest() and n == int(size):
            sys.exit("different")
    print(n)

def half(port):
    """the server ends its direction; ours goes on"""
    s, f, _ = connect(port)
    s.sendall(b"half\n")
    assert f.read() == b""
    try: s.sendall(b"x" * 100000)
    except ssl.SSLError as e: sys.exit(str(e))
    s.unwrap().close()
    print("sent")

def end(port):
    """we end with close_notify; the answer still comes"""
    s, f, _ = connect(port)
    s.sendall(b"bulk-bye\n")
    n = 0
    while True:
        b = s.recv(65536)
        if not b: break
        n += len(b)
    print(n)

def bye(port):
    s, f, _ = connect(port)
    s.sendall(b"bye\n" )
    assert f.readline() == b"see you\n"
    assert f.read() == b""	# close_notify, not an error
    print("ended")

def send(port, text, wait="3"):
    """bytes in clear; whatever comes back, and how it ends"""
    s = plain(port)
    s.settimeout(float(wait))
    if text: s.sendall(bytes.fromhex(text))
    got = b""
    try:
        while True:
            b = s.recv(4096)
            if not b: break
            got += b
        print("eof", got[:2].hex())
    except ConnectionResetError: print("reset", got[:2].hex())
    except TimeoutError: print("timeout")

def starttls(port, first):
    s = plain(port)
    assert s.recv(100).startswith(b"220")
    s.sendall(first.encode().decode("unicode_escape").encode())
    assert s.recv(100).startswith(b"220")
    s = context().wrap_socket(s, server_hostname="mail.example")
    f = s.makefile("rb")
    f.readline()
    s.sendall(b"hello\n")
    print(f.readline().decode().strip())

def hold(port, command):
    """a connection that lives while command runs"""
    s, f, _ = connect(port)
    subprocess.run(command, shell=True, check=True)
    s.sendall(b"still there\n")
    print(f.readline().decode().strip())

def silent(port, n, wait):
    """n connections that send nothing, and one proper one beside them"""
    l = [plain(port) for _ in range(int(n))]
    time.sleep(float(wait))
    s, f, _ = connect(port)
    s.sendall(b"hello\n")
    print(f.readline().decode().strip())

def silent_only(port, n, wait):
    l = [plain(port) for _ in range(int(n))]
    time.sleep(float(wait))

def memory(pids):
    total = 0
    for p in pids:
        for line in open("/proc/%d/status" % p):
            if line.startswith(("RssAnon", "VmPTE")): total += int(line.split()[1])
    return total

def children(pid):
    return [int(p) for p in subprocess.run(["pgrep", "-P", str(pid)], capture_output=True).stdout.split()]

def idle(port, parent, n):
    """kB of the workers for each of n connections at rest"""
    ctx = context()
    # as a process that has served before
    warm = [connect(port, ctx=ctx) for _ in range(20)]
    pids = children(int(parent))
    before = memory(pids)
    l = []
    for i in range(int(n)): l.append(connect(port, ctx=ctx))
    time.sleep(0.5)
    print("%.1f" % ((memory(pids) - before) / int(n)))

def killed(port, parent):
    """every worker is killed: seconds until a connection works again"""
    s, f, _ = connect(port)
    for p in children(int(parent)): os.kill(p, signal.SIGKILL)
    t = time.time()
    while True:
        try:
            connect(port)
            break
        except (OSError, ValueError): time.sleep(0.02)
    assert f.read() == b""	# the old connection has ended
    print("back" if time.time() - t < 1.5 else "late")

def one(path):
    """tls-serve on a connected socket instead of a listening one"""
    a, b = socket.socketpair()
    p = subprocess.Popen(["tls-serve"], stdin=b)
    b.close()
    l = socket.create_server(("127.0.0.1", 0))
    c = socket.create_connection(l.getsockname())
    n, _ = l.accept()
    body = b"listener=imap\0implicit=yes\0"
    socket.send_fds(a, [len(body).to_bytes(2, "big") + body], [n.fileno()])
    n.close()
    s = context().wrap_socket(c, server_hostname="mail.example")
    data, fds, _, _ = socket.recv_fds(a, 8192, 1)
    assert data[2:3] == b"D"
    q = socket.socket(fileno=fds[0])
    s.sendall(b"hello\n")
    q.setblocking(True)
    assert q.recv(100) == b"hello\n"
    q.close()
    assert s.recv(10) == b""
    s.close()
    print(p.wait(10))

if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
