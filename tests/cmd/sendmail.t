#!/bin/sh
# sendmail.t - what programs say to sendmail, and what it says to queue-add:
# tests/cmd/fake-queue-add.py shows that
. "$(dirname "$0")/../tap.sh"
PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run HOME=$TMP/home
export PIPEMAIL_ETC PIPEMAIL_VAR PIPEMAIL_RUN HOME
mkdir -p etc/domains etc/accounts var run home got
me=$(id -un) host=$(hostname)
n=0
fake() { # [CODE STATUS TEXT]
	rm -rf got run/queue-add; mkdir got; n=0
	bg /usr/bin/python3 "$TOP/tests/cmd/fake-queue-add.py" run/queue-add got "$@"
	fake_pid=$bg_pid
	wait_for 10 test -S run/queue-add
}
unfake() { kill $fake_pid; wait $fake_pid; rm -f run/queue-add; }
# sent TEXT OPTIONS...: printf's text; $got is what queue-add saw, $body the text
sent() {
	text=$1; shift
	# shellcheck disable=SC2059 # it is meant as a format
	printf "$text" | sendmail "$@" >out 2>&1
	code=$?
	n=$((n + 1))
	got=$(sed '/^$/,$d' "got/$n" 2>/dev/null)
	body=$(sed '1,/^$/d' "got/$n" 2>/dev/null)
	[ -e "got/$n" ] || n=$((n - 1))
}
rcpts() { printf '%s\n' "$got" | sed -n 's/^rcpt address=//p' | tr '\n' ' '; }
fake

# the text
sent 'From: a@b.example\nSubject: x\n\none\n.\ntwo\n' u@v.example
is "$code" 0 "Q-27 a message is handed over"
is "$body" "From: a@b.example
Subject: x

one" "a dot ends it"
is "$(rcpts)" "u@v.example " "an operand is a recipient"
like "$got" "^sender $me@$host\$" "the sender is the caller"
for o in -i -oi; do
	sent 'From: a@b.example\n\none\n.\n..two\n.' $o u@v.example
	is "$(printf '%s\n' "$body" | tail -3)" ".
..two
." "Q-27 $o: dots are text"
done
sent 'From: a@b.example\r\n\r\none\r\n.\r\ntwo\r\n' u@v.example
is "$body" "From: a@b.example

one" "CRLF becomes LF, and a dot ends it"
sent 'no header\nhere\n' u@v.example
is "$(printf '%s\n' "$body" | sed 1d)" "
no header
here" "text without a header section gets one"
like "$body" '^From: ' "with From"
head -c 262000 /dev/zero | tr '\0' x | fold -w 79 >big
for f in small big; do
	[ $f = small ] && echo text >small
	{ printf 'From: a@b.example\n\n'; cat $f; [ $f = big ] && cat $f; } >m
	sendmail -i u@v.example <m; n=$((n + 1))
	is "$(grep -c '^text-fd' got/$n)" "$([ $f = big ] && echo 1 || echo 0)" "a $f message goes $([ $f = big ] && echo as a descriptor || echo in the frame)"
done
sed '1,/^$/d' got/$n >b; echo >>m
ok "whole" sh -c "cmp b m || { echo >>b; cmp b m; }"

# header fields
sent 'To: x@y.example\n\nt\n' -F 'Ann Other' u@v.example
like "$body" "^From: Ann Other <$me@$host>\$" "Q-27 -F: From is added"
sent '\nt\n' -F 'A. "B" C' u@v.example
like "$body" '^From: "A. \\"B\\" C" <' "quoted where it must be"
sent '\nt\n' -F 'Jürgen' u@v.example
like "$body" '^From: =\?utf-8\?B\?SsO8cmdlbg==\?= <' "or encoded"
sent '\nt\n' -f x@y.example u@v.example
like "$got" '^sender x@y.example$' "-f"
sent '\nt\n' -r '<x@y.example>' u@v.example
like "$got" '^sender x@y.example$' "-r, with brackets"
sent '\nt\n' -f '<>' u@v.example
is "$(printf '%s\n' "$got" | grep -c ^sender)" 0 "-f <>: the null sender"

# -t
sent 'From: a@b.example\nTo: u@v.example, "X, Y" <w@v.example>,\n g: h@v.example;\nCc: root (Charlie)\nBcc: secret@v.example\nSubject: s\n\nt\n' -t
is "$(rcpts)" "u@v.example w@v.example h@v.example root@$host secret@v.example " "Q-27 -t: recipients of To, Cc and Bcc"
is "$(printf '%s\n' "$body" | grep -ic bcc)" 0 "Q-27 Bcc is removed"
sent 'From: a@b.example\nTo: u@v.example, u@v.example\n\nt\n' -t more@v.example u@v.example
is "$(rcpts)" "more@v.example u@v.example " "operands are added, each once"
sent 'From: a@b.example\nBcc: secret@v.example\nTo: x@v.example\n\nt\n' u@v.example
is "$(rcpts) $(printf '%s\n' "$body" | grep -ic bcc)" "u@v.example  0" "without -t fields are no recipients, Bcc is removed"
sent 'Resent-To: new@v.example\nResent-Bcc: s@v.example\nResent-From: x@y.example\nReceived: from x\nResent-To: old@v.example\nFrom: a@b.example\nTo: u@v.example\n\nt\n' -t
is "$(rcpts)" "new@v.example s@v.example " "Q-27 resent: recipients of the block on top"
like "$body" '^Resent-Date: ' "Resent-Date is added"
is "$(printf '%s\n' "$body" | grep -c '^Resent-From\|^From: a@b\|^Resent-Bcc')" 2 "Resent-From and From stay"
sent 'From: a@b.example\nTo: x y z\n\nt\n' -t
is "$code $(ls got | wc -l | tr -d ' ')" "65 $n" "an unreadable recipient: 65, nothing is sent"
sent 'From: a@b.example\nSubject: nobody\n\nt\n' -t
is "$code" 64 "-t without recipients: 64"
like "$(cat home/dead.letter)" '^Subject: nobody' "and the message is saved"
i=0; while [ $i -lt 1000 ]; do echo "u$i@v.example"; i=$((i + 1)); done >list
# shellcheck disable=SC2046 # a word each
sent 'From: a@b.example\n\nt\n' $(cat list)
is "$code $(rcpts | wc -w | tr -d ' ')" "0 1000" "1000 recipients"
# shellcheck disable=SC2046 # a word each
sent 'From: a@b.example\n\nt\n' $(cat list) one@v.example
like "$code $(cat out)" '^64 .*more than 1000 recipients' "one more: 64"

# DSN, and what is ignored
sent '\nt\n' -N success,failure,delay -R hdrs -V id1 -B 8BITMIME u@v.example
like "$got" '^rcpt address=u@v.example notify=14$' "-N"
is "$(printf '%s\n' "$got" | grep -E '^(envid|ret|body)' | tr '\n' ' ')" "envid id1 ret-headers 1 body-8bit 1 " "-R, -V, -B"
sent '\nt\n' -N never -R full u@v.example
like "$got" 'notify=1$' "-N never"
like "$got" '^ret-full 1$' "-R full"
sent '\nt\n' -O DeliveryMode=b -oem -odi -q -G -n -U -m -L tag -h 3 -p ESMTP -bm -Am -- u@v.example
is "$code $(rcpts)" "0 u@v.example " "Q-28 options that mean nothing are ignored"
sent '\nt\n' -v u@v.example
is "$(cat out)" "sendmail: info: sent: 250 2.0.0 taken" "-v"
bad() { # CODE WHY OPTIONS
	want=$1 why=$2; shift 2
	sendmail "$@" </dev/null >out 2>&1
	is "$?" "$want" "$*: $want"
	like "$(cat out)" "$why" "and why"
}
bad 64 'usage: sendmail' -Z
bad 64 'no recipients' -i
bad 69 'addresses are not verified' -bv u@v.example
bad 64 'cannot do -bd' -bd
bad 64 'cannot use -N' -N sometimes u@v.example
bad 64 'cannot use -R' -R some u@v.example
bad 64 'cannot use -V' -V 'a b' u@v.example
ok "-V of 100 characters" sendmail -V "$(head -c 100 /dev/zero | tr '\0' x)" u@v.example </dev/null
bad 64 'cannot use -V' -V "$(head -c 101 /dev/zero | tr '\0' x)" u@v.example
ok "-F of 200 bytes" sendmail -F "$(head -c 200 /dev/zero | tr '\0' x)" u@v.example </dev/null
bad 64 'cannot use -F' -F "$(head -c 201 /dev/zero | tr '\0' x)" u@v.example
bad 64 'cannot use -B' -B BINARYMIME u@v.example
bad 64 'cannot use -f' -f 'a@b c@d' u@v.example
bad 64 'cannot use recipient' 'a@b@c'
ok "-q alone does nothing" sendmail -q15m
ok "-bi too" sendmail -bi
unfake
bad 69 'no local-user in main.conf' -bp
fake 550 5.7.1 'no local-user in main.conf'
bad 69 'no queue to show: no local-user in main.conf' -bp
unfake; fake 451 4.3.0 'not now'
bad 75 'not now' -bp
unfake; fake close
bad 75 'no answer from' -bp
unfake; fake 250 2.0.0 "a	line
"
is "$(sendmail -bp)" "a	line" "-bp shows what queue-add says"
is "$(grep -c '^list 1$' got/1)" 1 "Q-27 and asked for that"
unfake; fake
n=$(ls got | wc -l)

# -bs
printf 'EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@v.example>\r\nDATA\r\nFrom: a@b.example\r\n\r\n..dot\r\n.\r\nQUIT\r\n' | sendmail -bs >out 2>&1
is "$? $(tail -2 out | cut -c1-9 | tr '\n' ' ')" "0 250 2.0.0 221 2.0.0 " "Q-27 -bs speaks SMTP"
n=$((n + 1))
is "$(tail -1 got/$n)" ".dot" "and hands the message over"

# clients
if command -v neomutt >/dev/null; then
	echo text | neomutt -F /dev/null -n -e "set sendmail=\"$BIN/sendmail -oem -oi\" from=a@b.example copy=no" -s neo u@v.example >neo.out 2>&1
	n=$((n + 1))
	like "$(cat got/$n)" '^Subject: neo' "Q-27 neomutt sends"
else
	skip "neomutt" "not installed"
fi
printf 'From: root (Cron Daemon)\nTo: root\nSubject: cron\nContent-Type: text/plain\n\noutput\n' | sendmail -i -FCronDaemon -B8BITMIME -oem root
n=$((n + 1))
like "$(cat got/$n)" "^From: Cron Daemon <$me@$host>" "Q-28 as cron calls it: the name becomes an address"
/usr/bin/python3 - <<'P'
import subprocess, email.message
m = email.message.EmailMessage(); m["From"] = "a@b.example"; m["To"] = "u@v.example"; m["Subject"] = "py"; m.set_content("t\n")
subprocess.run(["sendmail", "-t", "-oi"], input=m.as_bytes(), check=True)
P
n=$((n + 1))
like "$(cat got/$n)" '^Subject: py' "a script with -t -oi"

# what the service says
rm -f home/dead.letter
unfake; fake 450 4.2.0 later
sent 'From: a@b.example\n\nt\n' u@v.example
is "$code" 75 "4xx: 75"
like "$(cat out)" 'not sent: 450 4.2.0 later' "and told"
ok "nothing is saved" test ! -e home/dead.letter
unfake; fake 550 5.7.1 no
sent 'From: a@b.example\n\nFrom me\n' u@v.example
is "$code" 69 "Q-28 5xx: 69"
like "$(cat out)" "the message is saved in $HOME/dead.letter" "and saved, which is told"
like "$(cat home/dead.letter)" '^>From me' "Q-28 as a mailbox"
like "$(head -1 home/dead.letter)" '^From [^ ]+ [A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} [0-9]{4}$' "which begins as one"
is "$(stat -c %a home/dead.letter)" 600 "for its owner alone"
ln -sf "$TMP/elsewhere" home/dead.letter
sent 'From: a@b.example\n\nt\n' u@v.example
like "$code $(cat out | tr '\n' ' ')" '^69 .*cannot save the message' "no link is followed"
ok "nothing is written there" test ! -e elsewhere
rm home/dead.letter
unfake; fake 550 5.1.1 unknown
sent '\nt\n' u@v.example
is "$code" 67 "5.1.1: 67"
unfake; fake none
sent '\nt\n' u@v.example
like "$code $(cat out)" '^75 .*no answer from' "no answer: 75"
unfake
sent '\nt\n' u@v.example
like "$code $(cat out)" '^75 .*neither queue-add nor relay-submit is in' "Q-27 no service: 75"

# an account
printf '[server]\nhostname = mx.example.org\npostmaster = alice\n[queue]\nlocal-user = %s alice\n' "$me" >etc/main.conf
echo '[domain]' >etc/domains/example.org.conf
printf '[account]\nfull-name = Alice Adams\naddress = @example.org\naddress = alice@example.org\n' >etc/accounts/alice.conf
config-compile || exit 111
fake
sent 'To: root\n\nt\n' -t "$me"
like "$got" '^account alice$' "local-user: the account is said"
like "$got" '^sender alice@example.org$' "its address is the sender"
like "$body" '^From: Alice Adams <alice@example.org>$' "Q-28 and From, with its full name"
like "$(rcpts)" '^alice@example.org ' "a name without domain is the account's address"
printf '#!/bin/sh\necho "$@"\n' >queue-list; chmod +x queue-list
unfake
is "$(PATH=$TMP:$PATH sendmail -bp)" "-a alice" "without the service -bp shows the queue of the account"
ln -s "$BIN/sendmail" mailq
is "$(PATH=$TMP:$PATH mailq)" "-a alice" "mailq, too"
done_testing
