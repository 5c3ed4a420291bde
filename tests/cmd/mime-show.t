#!/bin/sh
# mime-show: parts, IMAP's view, text, fields, exit codes
. "$(dirname "$0")/../tap.sh"

tab=$(printf '\t')
printf '%s\n' \
    'From: =?utf-8?q?J=C3=B6rg?= <j@example.org>' \
    'Subject: =?iso-8859-1?q?Gr=FC=DFe?=' ' =?iso-8859-1?q?_an_alle?=' \
    'Date: Fri, 20 Nov 2026 12:00:00 +0000' \
    'Content-Type: multipart/mixed; boundary=b' '' \
    'preamble' '--b' 'Content-Type: text/plain; charset=koi8-r' \
    'Content-Transfer-Encoding: quoted-printable' '' '=F0=F2' '--b' \
    'Content-Type: IMAGE/png' 'Content-Transfer-Encoding: base64' \
    "Content-Disposition: attachment; filename*=utf-8''a%1B%C3%A4.png" '' \
    'AAEC' '--b' 'Content-Type: message/rfc822' '' 'Subject: inner' '' \
    'inner text' '--b--' >message
sed 's/$/\r/' message >message.crlf
{ echo 'From j Fri Nov 20 12:00:00 2026'; cat message; } >message.mbox

tree="TEXT${tab}multipart/mixed${tab}325${tab}7bit${tab}
1${tab}text/plain${tab}6${tab}quoted-printable${tab}
2${tab}image/png${tab}4${tab}base64${tab}a\\x1bä.png
3${tab}message/rfc822${tab}28${tab}7bit${tab}
3.1${tab}text/plain${tab}10${tab}7bit${tab}"
is "$(mime-show <message)" "$tree" "the part tree, names escaped"
is "$(mime-show <message.crlf)" "$(mime-show <message)" \
    "CRLF and LF give the same tree and sizes"
is "$(mime-show <message.mbox)" "$(mime-show <message)" \
    "an mbox From line is passed over"
want='"Fri, 20 Nov 2026 12:00:00 +0000" {52}
=?iso-8859-1?q?Gr=FC=DFe?= =?iso-8859-1?q?_an_alle?='
is "$(mime-show -e <message | tr -d '\r' | sed 's/ (.*//')" "$want" \
    "-e prints the ENVELOPE"
like "$(mime-show -e <message)" \
    '\(\("=\?utf-8\?q\?J=C3=B6rg\?=" NIL "j" "example.org"\)\)' \
    "-e prints addresses"
like "$(mime-show -s <message)" \
    '^\("text" "plain" \("charset" "koi8-r"\) NIL NIL "quoted-printable" 6 0' \
    "-s prints the BODYSTRUCTURE"
like "$(mime-show -s <message)" '"mixed" \("boundary" "b"\) NIL NIL NIL$' \
    "-s prints the extended form"
is "$(mime-show -t <message)" 'ПР
inner text' "N-6 -t prints decoded text in UTF-8"
is "$(mime-show -b 2 <message | od -An -tx1 | tr -d ' \n')" 000102 \
    "-b prints decoded content"
is "$(mime-show -b 3.1 <message)" 'inner text' \
    "-b finds a part of a message in a message"
is "$(mime-show -h SUBJECT <message)" 'Grüße an alle' \
    "N-6 -h prints a decoded field"
is "$(mime-show -h from <message)" 'Jörg <j@example.org>' \
    "-h prints an address field"
printf 'X: 1\nx: 2\n\n' >twice
is "$(mime-show -h X <twice)" '1
2' "-h prints each field of that name"

exits 1 "no such part" mime-show -b 4 <message
exits 1 "no such field" mime-show -h X-None <message
exits 100 "no part number" mime-show -b 1..2 <message
is "$(cat .err)" "mime-show: fatal: 1..2: not a part number" \
    "the message names the wrong part number"
printf 'Content-Transfer-Encoding: x-odd\n\nx' >odd
exits 100 "unknown encoding" mime-show -b 1 <odd
exits 100 "two options of the kind" mime-show -e -s <message
exits 100 "an operand is wrong usage" mime-show message
exits 100 "an unknown option is wrong usage" mime-show -x
is "$(cat .err | tail -1)" "mime-show: fatal: usage: mime-show [-e | -s | -t | -b part | -h field] < message" "the usage line"
exits 0 "an empty message" mime-show </dev/null
exits 111 "a directory cannot be read" mime-show </
if [ -w /dev/full ]; then
	mime-show <message >/dev/full 2>.err
	is $? 111 "a full disk is told by the exit code"
else
	skip "a full disk is told by the exit code" "no /dev/full"
fi

# bad input
awk 'BEGIN { for (i = 0; i < 1000; i++) printf("Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i); print "\nx" }' >deep
exits 0 "1000 nested parts" mime-show <deep
like "$(cat .err)" 'nested too deep' "what is cut is told"
awk 'BEGIN { for (i = 0; i < 20000; i++) print "X-" i ": y"; print "" }' >many
exits 0 "20000 header fields" mime-show <many
like "$(cat .err)" 'header section too long' "an unread header end is told"
is "$(mime-show -h x-19999 <many)" y "a field past the limit is still found"
printf 'Subject: a\000b\n\nx\000y\n' >nul
like "$(mime-show -e <nul | od -An -c | tr -d ' \n')" 'a200b' \
    "a NUL never reaches IMAP's view"
exits 0 "no header at all" mime-show <<-'EOF'
	just some text
	without a header
EOF

# the examples of the page
cp message m && mkdir ex && cd ex && cp ../message message
mime-show <message >tree && mime-show -b 2 <message >picture.png
is "$?" 0 "example: parts and content"
is "$(mime-show -h subject <message)" "Grüße an alle" "example: the subject"
cd ..
if command -v mandoc >/dev/null 2>&1; then
	is "$(mandoc -T ascii "$TOP/man/mime-show.1" | col -b |
	    sed -n '/^SYNOPSIS/{n;p;}' | sed 's/^ *//')" \
	    "mime-show [-e | -s | -t | -b part | -h field] < message" \
	    "the page's SYNOPSIS is the usage line"
	is "$(mandoc -T lint -W warning "$TOP/man/mime-show.1")" "" \
	    "the page is clean"
else
	skip "the page's SYNOPSIS is the usage line" "no mandoc"
fi
done_testing
