# tls-clients.py BASE PASSWORD CA - imaplib and smtplib behind TLS
import imaplib, smtplib, ssl, sys

base, PW, ca = int(sys.argv[1]), sys.argv[2], sys.argv[3]
USER = "mail@localhost"
TEXT = b"From: mail@localhost\r\nSubject: by Python\r\n\r\ntext\r\n"
NO = "[AUTHENTICATIONFAILED] wrong user name or password"


def check(name, got, want):
    print("%s\t%s" % (name, "ok" if got == want else
                      "got %r, want %r" % (got, want)))


def context(cert=None):
    c = ssl.create_default_context(cafile=ca)
    if cert:
        c.load_cert_chain(cert)
    return c


def imap(tls, cert=None):
    if tls:
        return imaplib.IMAP4_SSL("localhost", base + 993,
                                 ssl_context=context(cert), timeout=30)
    c = imaplib.IMAP4("localhost", base + 143, timeout=30)
    c.starttls(context(cert))
    return c


def smtp(tls, cert=None):
    if tls:
        s = smtplib.SMTP_SSL("localhost", base + 465, "me", timeout=30,
                             context=context(cert))
    else:
        s = smtplib.SMTP("localhost", base + 587, "me", timeout=30)
        s.starttls(context=context(cert))
    s.ehlo()
    return s


# imaplib asks per challenge
def plain(c, pw):
    return c.authenticate("PLAIN", lambda x: ("\0%s\0%s" % (USER, pw)).encode())


def login_mech(c, pw):
    words = [USER, pw]
    return c.authenticate("LOGIN", lambda x: words.pop(0).encode())


def external(c, pw):
    return c.authenticate("EXTERNAL", lambda x: b"")


def imap_try(c, how, pw):
    try:
        how(c, pw)
        c.select("INBOX")
        r = c.noop()[0]
        c.logout()
        return r
    except imaplib.IMAP4.error as e:
        return NO if NO in str(e) else str(e)


for tls in (False, True):
    where = "imaplib " + ("IMAP4_SSL" if tls else "STARTTLS")
    for name, how in (("LOGIN command", lambda c, pw: c.login(USER, pw)),
                      ("PLAIN", plain), ("LOGIN", login_mech),
                      ("CRAM-MD5", lambda c, pw: c.login_cram_md5(USER, pw))):
        check("%s, %s, wrong password" % (where, name),
              imap_try(imap(tls), how, "wrong"), NO)
        check("%s, %s" % (where, name), imap_try(imap(tls), how, PW), "OK")
    if not tls:
        c = imap(False, "laptop.pem")
        check("U-10 %s, client certificate: no PREAUTH" % where, c.state,
              "NONAUTH")
        check("U-8 but EXTERNAL", imap_try(c, external, ""), "OK")
c = imap(True, "laptop.pem")
check("I-11 imaplib IMAP4_SSL, client certificate: PREAUTH", c.state, "AUTH")
check("and a session", imap_try(c, lambda c, pw: None, ""), "OK")
c = imap(True, "other.pem")
check("another certificate: no PREAUTH", c.state, "NONAUTH")
check("EXTERNAL fails", imap_try(c, external, ""), NO)


def smtp_try(s, mech, pw):
    s.user, s.password = USER, pw
    try:
        if mech:
            s.auth(mech, getattr(s, "auth_" + mech.lower().replace("-", "_")))
        refused = s.sendmail(USER, [USER], TEXT)
        s.quit()
        return refused
    except smtplib.SMTPResponseException as e:
        return e.smtp_code


for tls in (False, True):
    where = "smtplib " + ("SMTP_SSL" if tls else "STARTTLS")
    for mech in ("PLAIN", "LOGIN", "CRAM-MD5"):
        check("%s, %s, wrong password" % (where, mech),
              smtp_try(smtp(tls), mech, "wrong"), 535)
        check("%s, %s" % (where, mech), smtp_try(smtp(tls), mech, PW), {})
    check("no AUTH: 530", smtp_try(smtp(tls), None, ""), 530)
    check("U-10 %s, client certificate, no AUTH" % where,
          smtp_try(smtp(tls, "laptop.pem"), None, ""), {})
    s = smtp(tls, "laptop.pem")
    check("U-8 %s, EXTERNAL" % where, s.docmd("AUTH", "EXTERNAL =")[0], 235)
    check("U-11 a password of the account too",
          smtp_try(smtp(tls, "laptop.pem"), "PLAIN", PW), {})
    check("another certificate: 530",
          smtp_try(smtp(tls, "other.pem"), None, ""), 530)
