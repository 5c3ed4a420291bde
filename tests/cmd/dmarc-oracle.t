#!/bin/sh
# dmarc-oracle.t - A-5: libopendmarc and we come to the same result for what
# SPF and DKIM found and what a record says. One signature a message: of
# several the library mixes the domain of one with the result of another. And
# relaxed alignment: it takes strict for that, whatever the record says.
. "$(dirname "$0")/../tap.sh"
[ -e /usr/include/opendmarc/dmarc.h ] || skip_all "libopendmarc is not installed"
need cc python3
cc -Wall -Wextra -o oracle "$TOP/tests/oracle/opendmarc_oracle.c" -lopendmarc -lresolv 2>cc.err ||
    { sed 's/^/# /' cc.err; skip_all "the oracle does not build"; }
. "$TOP/tests/dns-fixture"
. "$TOP/tests/smtp-fixture.sh"
main_conf
printf 'com\norg\nco.uk\n' >suffixes

cat >gen.py <<'P'
import json, random
r = random.Random(7489)
zone, out = {}, []
for n in range(240):
    org = "c%d.%s" % (n, r.choice(["com", "org", "co.uk"]))
    names = [org, "a." + org, "b.a." + org, "other%d.com" % n]
    author = r.choice(names[:3])
    at = r.choice([author, org])
    tags = ["v=DMARC1", "p=" + r.choice(["none", "quarantine", "reject"])]
    for tag, values in (("sp", ["none", "quarantine", "reject"]), ("adkim", "r"), ("aspf", "r")):
        if r.random() < .5:
            tags.append(tag + "=" + r.choice(values))
    record = r.choice(["; ", ";", " ; "]).join(tags) + r.choice(["", ";"])
    zone["_dmarc." + at] = {"TXT": [record]}
    row = [author, org if at != author else "-", record]
    row += [r.choice(names), r.choice(["pass", "fail"])]
    row += [r.choice(names), r.choice(["pass", "fail"])] if r.random() < .6 else ["-", "-"]
    out.append("\t".join(row))
    with open("m%d" % n, "w") as f:
        f.write("Authentication-Results: mx.example.org;\n\tspf=%s smtp.mailfrom=u@%s" % (row[4], row[3]))
        if row[5] != "-":
            f.write(";\n\tdkim=%s header.d=%s header.s=s" % (row[6], row[5]))
        f.write("\n" + open("received").read() + "From: u@%s\nSubject: x\n\nx\n" % author)
json.dump(zone, open("stub.json", "w"))
open("cases", "w").write("\n".join(out) + "\n")
P
export HELO=h.example SENDER=u@x.example RECIPIENT=alice@example.org PROTO=TCP TCPREMOTEIP=192.0.2.1 TCPLOCALIP=198.51.100.2
printf 'From: u@x.example\n\nx\n' | iprev-check | sed -n '/^Received:/,/^From:/p' | sed '$d' >received
unset SENDER RECIPIENT HELO PROTO TCPREMOTEIP TCPLOCALIP
python3 gen.py || exit 111
dns_stub_start stub.json
./oracle suffixes <cases >theirs || exit 111
n=0
while read -r line; do
	dmarc-check -q <m$n | awk -F'\t' '{ print $1, $3 }'
	n=$((n + 1))
done <cases >ours
is "$(wc -l <ours)" 240 "A-5 240 cases"
is "$(cut -d' ' -f1 theirs | sort | uniq -c | wc -l)" 2 "some pass and some fail"
is "$(sort -u theirs | tr '\n' ',')" "fail none,fail quarantine,fail reject,pass none," "with every policy"
paste theirs ours cases | awk -F'\t' '$1 != $2' >differ
is "$(head -5 differ)" "" "A-5 we agree with libopendmarc in all of them"
done_testing
