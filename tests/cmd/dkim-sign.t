#!/bin/sh
# dkim-sign.t - A-4: what is signed, how, and what is refused
. "$(dirname "$0")/../tap.sh"

dkim-key -b 1024 -o rsa1.pem && dkim-key -t ed25519 -o ed1.pem || exit 111
printf 'From: a@example.org\nTo: b@example.net\nTo: c@example.net\nSubject: tea\n\nHello\n' >message
# tag NAME FILE [N]: value of a tag of the Nth signature, without blanks
tag() {
	python3 - "$1" "$2" "${3:-0}" <<'E'
import re, sys
m = open(sys.argv[2], newline="").read().replace("\r\n", "\n")
f = re.findall(r"(?m)^DKIM-Signature:((?:.*\n)(?:[ \t].*\n)*)", m)[int(sys.argv[3])]
tags = dict(t.strip().split("=", 1) for t in re.sub(r"\s", "", f).split(";"))
print(tags.get(sys.argv[1], "-"))
E
}
S="dkim-sign -d example.org -s rsa1 -k rsa1.pem"

exits 0 "A-4 a message is signed" $S <message
cp .out signed
is "$(tail -n 6 signed)" "$(cat message)" "the message stands unchanged below"
is "$(tag a signed)" "rsa-sha256" "A-4 SHA-256"
is "$(tag c signed)" "relaxed/relaxed" "A-4 relaxed/relaxed by default"
is "$(tag d signed) $(tag s signed)" "example.org rsa1" "d= and s="
is "$(tag x signed) $(tag i signed) $(tag l signed)" "- - -" "no x=, i= or l="
now=$(date +%s)
ok "t= is now" test $((now - $(tag t signed))) -le 60
is "$(tag h signed)" "From:From:To:To:To:Cc:Bcc:Reply-To:References:In-Reply-To:Subject:Subject:Date:Message-Id:Content-Type" \
    "A-4 each field of the default list, and one more of each"
is "$(grep -c '.\{78\}' signed)" 0 "no line is longer than 77"

dkim-sign -n -d example.org -s rsa1 -k rsa1.pem <message >m1
is "$(tag h m1)" "From:To:To:Subject" "A-4 -n signs what is there"
dkim-sign -c simple/relaxed -d example.org -s rsa1 -k rsa1.pem <message >m2
is "$(tag c m2)" "simple/relaxed" "A-4 -c for header and body"
dkim-sign -c simple -d example.org -s rsa1 -k rsa1.pem <message >m2
is "$(tag c m2)" "simple/simple" "A-4 -c for both"
dkim-sign -T 1000 -x 2h -d example.org -s rsa1 -k rsa1.pem <message >m3
is "$(tag t m3) $(tag x m3)" "1000 8200" "A-4 -x and -T"
dkim-sign -f from:subject:x-none -i 'a;b@sub.example.org' -d example.org -s rsa1 -k rsa1.pem <message >m4
is "$(tag h m4)" "from:from:subject:subject:x-none" "-f names the fields"
is "$(tag i m4)" "a=3Bb@sub.example.org" "-i is encoded"
dkim-sign -T 1 -d Exämple.org -s rsa1 -k rsa1.pem <message >m5
is "$(tag d m5)" "xn--exmple-cua.org" "the domain becomes A-labels"

# several at once
dkim-sign -d example.org -s rsa1 -k rsa1.pem -c simple -s ed1 -k ed1.pem -d sub.example.org -s x -k ed1.pem <message >m6
is "$(grep -c '^DKIM-Signature:' m6)" 3 "A-4 three signatures at once"
is "$(tag a m6 0) $(tag a m6 1) $(tag a m6 2)" "rsa-sha256 ed25519-sha256 ed25519-sha256" "A-4 RSA and Ed25519"
is "$(tag c m6 0) $(tag c m6 1) $(tag d m6 2)" "relaxed/relaxed simple/simple sub.example.org" "each with the options before it"

# the same bytes from the same input
dkim-sign -T 1 -d example.org -s ed1 -k ed1.pem <message >d1
dkim-sign -T 1 -d example.org -s ed1 -k ed1.pem <message >d2
ok "the same message at the same time gives the same bytes" cmp d1 d2
sed 's/$/\r/' message >crlf
dkim-sign -T 1 -d example.org -s ed1 -k ed1.pem <crlf >d3
tr -d '\r' <d3 >d4
ok "CRLF and LF form are signed alike" cmp d1 d4
is "$(grep -vc "$(printf '\r')\$" d3)" 0 "fields on a CRLF message end in CRLF"

# refusals
refused() { # NAME TEXT COMMAND...
	refused_=$1 text_=$2; shift 2
	"$@" <in >out 2>err
	is "$?:$(wc -c <out)" "100:0" "$refused_"
	like "$(cat err)" "$text_" "... and says why"
}
printf 'To: x\n\nb\n' >in
refused "no From field" 'cannot sign message: not exactly one From field' $S
printf 'From: x\nFrom: y\n\nb\n' >in
refused "two From fields" 'not exactly one From field' $S
printf ' folded\nFrom: y\n\nb\n' >in
refused "a blank at the start" 'message begins with a blank' $S
: >in
refused "an empty message" 'not exactly one From field' $S
cp message in
refused "no key" '^dkim-sign: fatal: usage: ' dkim-sign -d example.org -s rsa1
refused "no domain before the key" 'must stand before' dkim-sign -s rsa1 -k rsa1.pem
refused "a bad domain" 'bad domain' dkim-sign -d 'a b' -s rsa1 -k rsa1.pem
refused "a bad selector" 'bad selector' dkim-sign -d example.org -s 'a;b' -k rsa1.pem
refused "an identity elsewhere" 'identity is not within' dkim-sign -i a@b.org -d example.org -s s -k rsa1.pem
refused "From not in -f" 'From must be signed' dkim-sign -f to -d example.org -s s -k rsa1.pem
refused "an empty name in -f" 'bad field name' dkim-sign -f from::to -d example.org -s s -k rsa1.pem
refused "an unknown form" 'simple or relaxed' dkim-sign -c nofws -d example.org -s s -k rsa1.pem
refused "a bad lifetime" 'bad lifetime' dkim-sign -x 0 -d example.org -s s -k rsa1.pem
refused "a file that is no key" 'cannot read key message' dkim-sign -d example.org -s s -k message
refused "an operand" 'usage' $S more
k="-k ed1.pem"
refused "nine keys" 'more than 8 keys' dkim-sign -d example.org -s s $k $k $k $k $k $k $k $k $k
exits 0 "eight keys" dkim-sign -d example.org -s s $k $k $k $k $k $k $k $k <message
exits 111 "a key file that is not there" dkim-sign -d example.org -s s -k nosuch <message
$S <message >/dev/full 2>err
is "$?" 111 "a full device is a temporary failure"

# bodies
head -c 3000000 /dev/zero | tr '\0' x >line
{ cat message; cat line; } >long
exits 0 "a line of 3 MB" $S <long
printf 'From: a@b.org' >short
exits 0 "a header without line end and body" $S <short

# EXAMPLES of the page
sed -n 's/^\.Dl \(dkim-sign .*\)/\1/p' "$TOP/man/dkim-sign.1" >lines
while read -r line; do sh -c "$line" </dev/null >>out 2>&1 || echo "$line"; done <lines >bad
is "$(wc -l <lines):$(cat bad)" "2:" "the examples of dkim-sign(1) work"
done_testing
