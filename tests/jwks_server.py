# jwks_server.py - an issuer for tests: an HTTPS server on loopback that says
# what the file "mode" in its directory wants, and the keys and tokens it has
#
#   jwks_server.py serve PORT CERT KEY    serves until killed; lines to "requests"
#   jwks_server.py keys KID...            makes KID.pem, prints a JWKS of them
#   jwks_server.py token KID ISSUER USER  prints a token
import base64, http.server, json, os, ssl, subprocess, sys, time


def u64(b):
    return base64.urlsafe_b64encode(b).decode().rstrip("=")


def run(*a, **k):
    return subprocess.run(a, check=True, capture_output=True, **k).stdout


def jwk(kid):
    pem = kid + ".pem"
    if not os.path.exists(pem):
        run("openssl", "genpkey", "-algorithm", "ED25519", "-out", pem)
    der = run("openssl", "pkey", "-in", pem, "-pubout", "-outform", "DER")
    return {"kty": "OKP", "crv": "Ed25519", "kid": kid, "use": "sig", "x": u64(der[-32:])}


def token(kid, issuer, user):
    head = {"alg": "EdDSA", "typ": "JWT", "kid": kid}
    body = {"iss": issuer, "aud": "pipemail", "exp": int(time.time()) + 300, "email": user}
    t = u64(json.dumps(head).encode()) + "." + u64(json.dumps(body).encode())
    with open("to-sign", "w") as f:
        f.write(t)
    return t + "." + u64(run("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", kid + ".pem", "-in", "to-sign"))


def read(name):
    with open(name) as f:
        return f.read().strip()


class Issuer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *a):
        pass

    def say(self, status, text=b"", **fields):
        with open("requests", "a") as f:
            f.write("%s %d\n" % (self.path, status))
        self.send_response(status)
        for k, v in fields.items():
            self.send_header(k.replace("_", "-"), v)
        if status != 304:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        mode, me = read("mode"), read("issuer")
        if self.path == "/.well-known/openid-configuration":
            if mode == "other-issuer":
                me += "/x"
            doc = {"issuer": me, "jwks_uri": me + "/keys"}
            if mode == "no-uri":
                del doc["jwks_uri"]
            if mode == "http-uri":
                doc["jwks_uri"] = me.replace("https", "http") + "/keys"
            return self.say(200, b"{" if mode == "broken-document" else json.dumps(doc).encode())
        keys = read("keys.json").encode()
        if mode == "broken":
            return self.say(200, keys[:-3])
        if mode == "no-keys":
            return self.say(200, b'{"keys":[]}')
        if mode == "at-limit" or mode == "oversize":
            n = 256 * 1024 + (mode == "oversize")
            return self.say(200, keys + b" " * (n - len(keys)))
        if mode == "header":
            return self.say(200, keys, **{"X_%d" % i: "x" * 9000 for i in range(8)})
        if mode == "slow":
            time.sleep(2)
        if mode == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(keys)
            self.close_connection = True
            return
        if mode == "missing":
            return self.say(404, b"no")
        if mode == "to-http":
            return self.say(302, Location=me.replace("https", "http") + "/keys")
        if mode == "to-file":
            return self.say(302, Location="file:///etc/passwd")
        if mode == "loop":
            return self.say(302, Location=me + "/keys")
        if mode == "moved" and self.path == "/keys":
            return self.say(302, Location="/elsewhere")
        if mode == "etag":
            tag = '"%08x"' % (hash(keys) & 0xffffffff)
            if self.headers.get("If-None-Match") == tag:
                return self.say(304, ETag=tag)
            return self.say(200, keys, ETag=tag, Cache_Control="public, max-age=0")
        return self.say(200, keys, Cache_Control="max-age=3600")


if sys.argv[1] == "keys":
    print(json.dumps({"keys": [jwk(k) for k in sys.argv[2:]]}))
elif sys.argv[1] == "token":
    print(token(*sys.argv[2:]))
else:
    s = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Issuer)
    s.daemon_threads = True
    if len(sys.argv) > 3:
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.load_cert_chain(sys.argv[3], sys.argv[4])
        s.socket = c.wrap_socket(s.socket, server_side=True, do_handshake_on_connect=False)
    s.serve_forever()
