#!/bin/sh
# auth-oauth.t - bearer tokens of a configured issuer (B-6)
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
need openssl
imap_setup '
[auth]
failures-per-minute = 1000 1000 1000
[oauth]
issuer = https://login.example
audience = pipemail
keys = jwks.json'
printf '[account]\naddress = carol@example.org\nlogin-disabled = ask the admin\n' >etc/accounts/carol.conf
config-compile
cat >oauth.py <<'P'
import json, os, subprocess, time
from auth_client import *
def u64(b): return base64.urlsafe_b64encode(b).decode().rstrip("=")
def run(*a, **k): return subprocess.run(a, check=True, capture_output=True, **k).stdout
run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "r.pem")
run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "r2.pem")
def jwk(pem, kid):
    m = run("openssl", "rsa", "-in", pem, "-noout", "-modulus").decode().strip().split("=")[1]
    return {"kty": "RSA", "kid": kid, "n": u64(bytes.fromhex(m)), "e": "AQAB", "use": "sig"}
def publish(*keys):
    p = os.environ["PIPEMAIL_ETC"] + "/jwks.json"
    with open(p + ".new", "w") as f: json.dump({"keys": keys}, f)
    os.rename(p + ".new", p)
def token(pem="r.pem", kid="one", **claims):
    body = {"iss": "https://login.example", "aud": ["x", "pipemail"], "exp": int(time.time()) + 300,
            "email": "alice@example.org", "email_verified": True}
    body.update(claims)
    t = u64(json.dumps({"alg": "RS256", "typ": "JWT", "kid": kid}).encode()) + "." + u64(json.dumps(body).encode())
    return t + "." + u64(run("openssl", "dgst", "-sha256", "-sign", pem, input=t.encode()))
c = Client()
def bearer(t, user=""):
    return c.auth("OAUTHBEARER", "n,%s,\x01host=mail\x01port=143\x01auth=Bearer %s\x01\x01" % (user and "a=" + user, t))
def xoauth2(t, user="alice@example.org"):
    return c.auth("XOAUTH2", "user=%s\x01auth=Bearer %s\x01\x01" % (user, t))
def refused(name, r, want):
    check(name + ": the error first", base64.b64decode(r[5:]).decode() if r.startswith("CONT\t") else r, want)
    r = c.cont("\x01")
    check(name + ": then the end", r.split("\t")[0], "FAIL")
E1, E2 = '{"status":"invalid_token"}', '{"status":"401","schemes":"bearer"}'
check("both are offered", [m for m in c.mechs if "OAUTH" in m], ["OAUTHBEARER", "XOAUTH2"])
r = bearer(token())
check("no key file yet: temporary, after the error",
      (r.startswith("CONT"), c.cont("\x01")), (True, "FAIL\treason=authentication is unavailable\ttemp"))
publish(jwk("r.pem", "one"))
check("B-6 OAUTHBEARER", bearer(token()), "OK\tuser=alice")
check("B-6 with a user", bearer(token(), "alice@example.org"), "OK\tuser=alice")
check("B-6 XOAUTH2", xoauth2(token()), "OK\tuser=alice")
refused("another user than the token's", bearer(token(), "bob@example.org"), E1)
refused("XOAUTH2 as another", xoauth2(token(), "bob@example.org"), E2)
refused("B-6 expired", bearer(token(exp=int(time.time()) - 61)), E1)
refused("B-6 not yet valid", bearer(token(nbf=int(time.time()) + 120)), E1)
refused("B-6 another issuer", bearer(token(iss="https://evil.example")), E1)
refused("B-6 another audience", bearer(token(aud="other")), E1)
refused("B-6 another key", bearer(token("r2.pem")), E1)
refused("address not verified", bearer(token(email_verified=False)), E1)
refused("an address that is nobody's", bearer(token(email="ghost@example.org")), E1)
refused("no catch-all", bearer(token(email="any@example.org")), E1)
refused("nonsense", bearer("nonsense"), E1)
refused("U-13 a disabled account", bearer(token(email="carol@example.org")), E1)
check("a message that is none", c.auth("OAUTHBEARER", "n,,nonsense"), "FAIL\treason=malformed response")
time.sleep(0.02)
publish(jwk("r2.pem", "two"))
check("B-6 changed keys are read", bearer(token("r2.pem", "two")), "OK\tuser=alice")
refused("the old key is no more", bearer(token()), E1)
with open(os.environ["PIPEMAIL_ETC"] + "/jwks.json", "w") as f: f.write("{")
check("a damaged file leaves the keys that were read", bearer(token("r2.pem", "two")), "OK\tuser=alice")
P
bg unix-bind -m 600 run/auth auth-serve 2>auth.log
wait_for 10 test -S run/auth
export PYTHONPATH="$TOP/tests/cmd" PYTHONDONTWRITEBYTECODE=1
python_tests oauth.py
like "$(cat auth.log)" 'm=login-failed .*mech=OAUTHBEARER .*why="token expired"' "the log says why"
is "$(grep -c 'eyJ' auth.log)" 0 "no token is logged"
done_testing
