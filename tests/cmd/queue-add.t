#!/bin/sh
# queue-add.t - what may be sent, what is done to it, and what is refused
. "$(dirname "$0")/../tap.sh"
need python3
. "$TOP/tests/queue.sh"

dkim-key -b 1024 -o etc/rsa.pem && dkim-key -t ed25519 -o etc/ed.pem || exit 111
txt() { dkim-key -p "etc/$1.pem" | grep -o '"[^"]*"' | tr -d '"\n'; }
keys() {
	conf "$@"
	printf '[static-dns "rsa._domainkey.own.example"]\ntxt = %s\n[static-dns "ed._domainkey.own.example"]\ntxt = %s\n' "$(txt rsa)" "$(txt ed)" >>etc/main.conf
	config-compile >compile.out 2>&1 || { cat compile.out; exit 111; }
}
printf '[domain]\nseparators = +\ndkim = rsa rsa.pem\ndkim = ed ed.pem\n' >etc/domains/own.example.conf
printf '[account]\naddress = carol@own.example\nfromid-login-address = carol@own.example\nkeep-retired = 1h\n' >etc/accounts/carol.conf
printf '[account]\naddress = bob@own.example\nmax-messages-per-day = 5\nmax-first-time-recipients-per-day = 3\n' >etc/accounts/bob.conf
keys
queue-holdrule add -A >/dev/null	# nothing leaves
start_add() {
	bg unix-bind -m 666 -p nobody run/queue-add queue-add "$@" 2>>qa.err
	add_pid=$bg_pid
	wait_for 5 test -S run/queue-add
}
start_add
ask() { $PYTHON "$TOP/tests/queue-add-client.py" run/queue-add "$@"; }
A='account=alice sender=alice@own.example'
# m NAME: a message of its own From address
m() { text "$1" | sed "s/^From: .*/From: ${2:-alice@own.example}/"; }
code() { cut -d ' ' -f 1,2 out | head -1; }
id() { sed -n 2p out; }
msg() { queue-show -m "$(id)"; }

# ---- by hand ----
exits 100 "no such account" queue-add -a nobody x@one.example </dev/null
exits 100 "a service takes no operands" queue-add x@one.example
m hand >h.msg
exits 0 "by hand" queue-add -a alice -f alice@own.example x@one.example y@two.example <h.msg
is "$(queued "$(cat .out)")" 2 "it prints the id"

# ---- rights (U-17) ----
m r | ask $A rcpt=x@one.example >out
is "$(code)" "250 2.0.0" "U-17 an own From and MAIL FROM"
m r | ask account=alice sender= rcpt=x@one.example >out
is "$(code)" "250 2.0.0" "U-17 a null sender"
m r alice+tag@own.example | ask account=alice sender=alice+tag@own.example rcpt=x@one.example >out
is "$(code)" "250 2.0.0" "U-17 an own address with a separator"
m r alice@other.example | ask account=alice sender=alice@own.example rcpt=x@one.example >out
is "$(code)" "250 2.0.0" "U-17 two own addresses"
m r bob@own.example | ask $A rcpt=x@one.example >out
is "$(code)" "550 5.7.1" "U-17 From of another account"
m r | ask account=alice sender=bob@own.example rcpt=x@one.example >out
is "$(code)" "550 5.7.1" "U-17 MAIL FROM of another account"
m r x@elsewhere.example | ask $A rcpt=x@one.example >out
is "$(code)" "550 5.7.1" "U-17 From of another domain"
m r | sed 's/^From: .*/&\n&/' | ask $A rcpt=x@one.example >out
is "$(code)" "550 5.6.0" "R-37 two From fields"
m r | sed '/^From:/d' | ask $A rcpt=x@one.example >out
is "$(code)" "550 5.6.0" "R-37 no From field"
m r | sed 's/^From: .*/From: alice@own.example <boss@own.example>/' | ask $A rcpt=x@one.example >out
is "$(code)" "550 5.6.0" "R-37 U-17 an own address in front of the one that is shown"
m r | ask $A >out
is "$(code)" "554 5.5.1" "no recipients"
m r | ask $A rcpt=nosuch@own.example >out
is "$(code)" "550 5.1.1" "U-25 an unknown recipient of our own is told at once"
m r | ask $A 'rcpt=x@[192.0.2.1]' >out
is "$(code)" "250 2.0.0" "U-25 an address literal"
m r | ask $A 'rcpt=a b@one.example' >out
is "$(code)" "553 5.1.3" "a bad recipient"

# ---- what is added (U-19) ----
printf 'From: alice@own.example\n\nbare\n' | ask $A rcpt=x@one.example >out
is "$(msg | grep -Ec '^(Date: ...,|Message-ID: <[^>]*@own.example>$)')" 2 "U-19 Date and Message-ID are added"
m whole | ask $A rcpt=x@one.example >out
is "$(msg | grep -Ec '^(Date|Message-ID):')" 2 "U-19 and not when they are there"
is "$(msg | grep -c '^Received:')" 0 "no Received field without a client"
m traced | ask $A rcpt=x@one.example received-id=r1 helo=laptop with=ESMTPSA remote-ip=192.0.2.7 >out
is "$(msg | grep -Ec '^(Received: from laptop|Authentication-Results: mx.own.example)')" 2 "U-19 Received and Authentication-Results of a client" 
m bcc | sed 's/^Subject/Bcc: z@one.example\n&/' | ask $A rcpt=x@one.example >out
is "$(msg | grep -c '^Bcc: z')" 1 "U-19 Bcc is not touched"
m local | ask $A rcpt=bob@own.example >out
is "$(col "$(id)" 10)" "transport:local" "U-19 local recipients go through the queue"
m tls | sed 's/^Subject/TLS-Required: No\n&/' | ask $A rcpt=x@one.example >out
is "$(queue-show "$(id)" | grep -c '^requiretls	no')" 2 "U-19 TLS-Required: No"
m tls | sed 's/^Subject/TLS-Required: No\n&/' | ask $A requiretls=1 rcpt=x@one.example >out
is "$(queue-show "$(id)" | grep -c '^requiretls	yes')" 2 "RFC 8689 4.1 the parameter is stronger"

# ---- DKIM (U-16) ----
m signed | ask $A rcpt=x@one.example >out
msg >signed
is "$(grep -c '^DKIM-Signature:' signed)" 2 "U-16 a signature by each key"
is "$(dkim-verify -q <signed | cut -f 1-3 | tr '\t\n' ' ;')" "pass own.example rsa;pass own.example ed;" "U-16 and both verify"
printf 'From: alice@own.example\n\nbare\n' | ask $A rcpt=x@one.example >out
is "$(msg | dkim-verify -q | cut -f 1 | tr '\n' ' ')" "pass pass " "U-16 with the fields that were added"
m other alice@other.example | ask $A rcpt=x@one.example >out
is "$(msg | grep -c '^DKIM-Signature:')" 0 "U-16 the From domain decides, not MAIL FROM"
m other | ask account=alice sender=alice@other.example rcpt=x@one.example >out
is "$(msg | dkim-verify -q | cut -f 2 | uniq)" "own.example" "U-16 in both directions"

# ---- extra data (U-22) ----
extra() { m e | sed "s/^Subject/$1\n&/"; }
extra 'Pipemail-Extra-Order: 42\nPipemail-Extra-Note: tea  time' | ask $A rcpt=x@one.example >out
is "$(queue-show "$(id)" | grep '^extra' | tr '\t\n' ' ;')" "extra order=42;extra note=tea  time;" "U-22 extra data"
is "$(msg | grep -ci pipemail-extra)" 0 "U-22 it does not leave with the message"
like "$(queue-show -j "$(id)")" '"extra":\{"order":"42","note":"tea  time"\}' "U-22, Q-25 in JSON"
extra 'Pipemail-Extra-Order: 1\npipemail-extra-ORDER: 2' | ask $A rcpt=x@one.example >out
is "$(code)" "554 5.6.0" "U-22 a key twice"
long=$(printf '%0100d' 0)
extra "Pipemail-Extra-$long: x" | ask $A rcpt=x@one.example >out
is "$(code)" "250 2.0.0" "U-22 a key of 100 bytes"
extra "Pipemail-Extra-0$long: x" | ask $A rcpt=x@one.example >out
is "$(code)" "554 5.6.0" "U-22 one of 101"
big() { $PYTHON -c 'import sys
n = int(sys.argv[1]); print("From: alice@own.example"); print("Pipemail-Extra-k: " + "v" * (n - 3) + "\n\nx")' "$1"; }
big 65536 | ask $A rcpt=x@one.example >out
is "$(code)" "250 2.0.0" "U-22 65536 bytes of it"
big 65537 | ask $A rcpt=x@one.example >out
is "$(code)" "554 5.3.4" "U-22 one more"

# ---- limits (U-18) ----
B='account=bob sender=bob@own.example'
for i in 1 2 3; do m l bob@own.example | ask $B rcpt=n$i@one.example >out; done
is "$(code)" "250 2.0.0" "U-18 three recipients never written to before"
m l bob@own.example | ask $B rcpt=n4@one.example >out
is "$(code)" "451 4.7.1" "U-18 not a fourth"
like "$(cat out)" 'max-first-time-recipients-per-day' "U-18 the reply names the key"
m l bob@own.example | ask $B rcpt=n1@one.example rcpt=n2@one.example >out
is "$(code)" "250 2.0.0" "U-18 five recipients a day"
m l bob@own.example | ask $B rcpt=n1@one.example >out
is "$(code) $(queued -a bob)" "451 4.7.1 5" "U-18 not a sixth, nothing is stored"
like "$(cat out)" 'max-messages-per-day' "U-18 the reply names the key"

# ---- FUTURERELEASE (U-21), Q-29 ----
now=$(date +%s)
m f | ask $A release=$((now + 5184000)) rcpt=x@one.example >out
is "$(code)" "250 2.0.0" "U-21 60 days ahead"
is "$(date -d "$(col "$(id)" 4)" +%s)" $((now + 5184000)) "U-21, Q-29 its first time"
m f | ask $A release=$((now + 5184100)) rcpt=x@one.example >out
is "$(code)" "501 5.5.4" "U-21 not more"

# ---- FromID (U-23, U-24) ----
C='account=carol login=carol@own.example sender=carol@own.example'
m f carol@own.example | ask $C rcpt=x@one.example rcpt=y@one.example >out
is "$(queue-list "$(id)" | cut -f 8 | grep -Ec '^carol\+[A-Za-z0-9_-]{22}@own.example$') $(queue-list "$(id)" | cut -f 8 | sort -u | wc -l)" "2 2" "U-23 a MAIL FROM for each recipient"
m f carol@own.example | ask account=carol sender=carol@own.example rcpt=x@one.example >out
is "$(col "$(id)" 8)" "carol@own.example" "U-23 not with another login"
m f carol@own.example | ask account=carol login=carol@own.example sender=carol+mine@own.example rcpt=x@one.example >out
is "$(code) $(col "$(id)" 8)" "250 2.0.0 carol+mine@own.example" "U-24 a FromID of one's own"
m f carol@own.example | ask account=carol login=carol@own.example sender=carol+mine@own.example rcpt=z@one.example >out
is "$(code)" "554 5.7.1" "U-24 not twice"
m f carol@own.example | ask account=carol login=carol@own.example sender=carol+new@own.example rcpt=x@one.example rcpt=y@one.example >out
is "$(code)" "554 5.5.1" "U-24 not for two recipients"
queue-drop -a carol >/dev/null
m f carol@own.example | ask account=carol login=carol@own.example sender=carol+mine@own.example rcpt=z@one.example >out
is "$(code)" "554 5.7.1" "U-24 nor while it is kept among the retired"

# ---- size, SMTPUTF8 (U-20) ----
pad() { $PYTHON -c 'import sys
n = int(sys.argv[1]); h = "From: alice@own.example\n\n"; sys.stdout.write(h + ("x" * 77 + "\n") * ((n - len(h)) // 78) + "y" * ((n - len(h)) % 78 - 1) + "\n")' "$1" >pad.msg; ask $A rcpt=x@one.example <pad.msg >out; }
pad 1048576
is "$(wc -c <pad.msg) $(code)" "1048576 250 2.0.0" "the size limit"
pad 1048577
is "$(wc -c <pad.msg) $(code)" "1048577 552 5.3.4" "and one byte more"
m u | sed 's/^Subject: u/Subject: gr\xc3\xbc\xc3\x9fe/' >u.msg
ask $A rcpt=x@one.example <u.msg >out
is "$(queue-show "$(id)" | grep -c '^smtputf8	yes')" 1 "U-20 N-4 8-bit header fields need SMTPUTF8"
m plain | ask $A smtputf8=1 rcpt=x@one.example >out
is "$(queue-show "$(id)" | grep -c '^smtputf8')" 0 "U-20 asked for and not needed: not demanded"
m plain | sed 's/^body/b\xc3\xb6dy/' | ask $A rcpt=x@one.example >out
is "$(queue-show "$(id)" | grep -Ec '^(smtputf8|body-8bit)	yes')" 1 "U-20 an 8-bit body does not need it"
m u | ask $A 'rcpt=grüße@one.example' >out
is "$(queue-show "$(id)" | grep -c '^smtputf8	yes')" 1 "U-20 an address beyond ASCII does"

# ---- the text as it comes, bad frames ----
m inline | ask $A inline=1 rcpt=x@one.example >out
is "$(msg | tail -1)" "body of inline" "inline text"
m file >f.msg
ask $A rcpt=x@one.example <f.msg >out
is "$(msg | tail -1)" "body of file" "a file"
ask empty=1 </dev/null >out
like "$(cat out)" '^5' "a request without recipients is refused"
ask cut=1 <f.msg
ask account=alice kind=x <f.msg >out
is "$(code)" "554 5.5.0" "a malformed request"
m after | ask $A rcpt=x@one.example >out
is "$(code)" "250 2.0.0" "and the next one is served"
m many | ask $A rcpts=1000,many.example >out
is "$(code) $(queued "$(id)")" "250 2.0.0 1000" "1,000 recipients"

# ---- a child takes one connection after the other ----
pids() { cat "/proc/$add_pid/task/$add_pid/children" 2>/dev/null; }
if [ -n "$(pids)" ]; then
	wait_for 10 sh -c "[ -z \"\$(cat /proc/$add_pid/task/$add_pid/children)\" ]"
	is "$(pids)" "" "children that are idle end"
	m same | ask $A rcpt=x@one.example >out
	first=$(pids)
	for i in 1 2 3; do sleep 0.1; m same | ask $A rcpt=x@one.example >out; done
	is "$(pids)" "$first" "one child takes messages that come one by one"
	mv var/queue var/queue.old
	m other | ask $A rcpt=x@one.example >out
	is "$(code) $(queued)" "250 2.0.0 1" "another queue was put in place: it has the next message"
	rm -r var/queue
	mv var/queue.old var/queue
else
	skip "children" "no list of children here"
fi

# ---- who asks (SO_PEERCRED) ----
if [ "$(/usr/bin/id -u)" != 0 ]; then
	skip "a local user is an account" "needs root"
else
	chmod 755 "$TMP" run
	as() { setpriv --reuid nobody --clear-groups --regid nogroup -- "$PYTHON" "$TOP/tests/queue-add-client.py" run/queue-add "$@"; }
	m own | as account=bob sender=alice@own.example rcpt=x@one.example >out
	is "$(code)" "550 5.7.1" "a user who is no local-user may not send"
	keys 'local-user = nobody alice'
	sleep 0.3
	m own | as account=bob sender=alice@own.example rcpt=x@one.example kind=1 >out
	is "$(code) $(col "$(id)" 7)" "250 2.0.0 alice" "a local-user is its account, whatever it says"
	m own bob@own.example | as account=bob sender=bob@own.example rcpt=x@one.example >out
	is "$(code)" "550 5.7.1" "and no other"
	m own >own.msg
	as account=alice sender=alice@own.example rcpt=x@one.example <own.msg >out
	is "$(code)" "250 2.0.0" "its message may be a file"
	yes | { m own; cat; } | as account=alice sender=alice@own.example rcpt=x@one.example >out
	is "$(code)" "552 5.3.4" "or a pipe, of which no more is read than may be sent"
	"$PYTHON" "$TOP/tests/queue-add-client.py" run/queue-add sender=alice@own.example rcpt=x@one.example <own.msg >out
	is "$(cat out)" "550 5.7.1 this user may not send mail: no local-user in main.conf" "root without an account is told what is missing"
	# ---- sendmail -bp: one's own part of the queue ----
	as_nobody() { setpriv --reuid nobody --clear-groups --regid nogroup -- "$@"; }
	long=$(printf '%060d' 7).$(printf '%060d' 7).$(printf '%060d' 7).example
	for i in 1 2 3; do m "long$i" | ask $A rcpts="1000,$long" >/dev/null; done
	queue-list -a alice >want
	m foreign carol@own.example | queue-add -a carol -f carol@own.example foreign@one.example >/dev/null
	is "$(queue-list -t foreign@one.example | wc -l)" 1 "another account has a message"
	as_nobody env PATH="$PATH" PIPEMAIL_RUN="$PIPEMAIL_RUN" PIPEMAIL_VAR="$PIPEMAIL_VAR" sendmail -bp >got 2>err
	is "$? $(cat err)" "0 " "Q-28 sendmail -bp for a user who may not read the queue"
	ok "Q-28 it shows what queue-list shows of the account, and nothing of others" cmp want got
	ok "in more than one reply" test "$(wc -c <got)" -gt 1100000
	as list=1 account=carol </dev/null >out
	is "$(grep -c foreign out) $(code)" "0 250 2.0.0" "whatever account the request names"
	is "$(as list=1 after=zzz.1 </dev/null | wc -l)" "$(as list=1 </dev/null | wc -l)" "a place that is none is the begin"
	kill "$add_pid"; wait "$add_pid" 2>/dev/null
	start_add -t nobody
	keys
	as list=1 account=bob </dev/null >out
	is "$(code)" "550 5.7.1" "a server that may speak for all sees no queue"
	dsn() { m dsn carol@own.example | as account=carol "$@" >out; }
	for k in 2 3 4; do
		dsn rcpt=x@one.example kind=$k
		is "$(code)" "550 5.7.1" "a server may not give a message of kind $k"
	done
	dsn rcpt=x@one.example kind=1
	is "$(code) $(queue-show -j "$(id)" | head -1 | grep -o '"kind":"dsn"')" '250 2.0.0 "kind":"dsn"' "R-33 it may give a DSN"
	dsn rcpt=x@one.example kind=1 sender=carol@own.example
	is "$(code)" "550 5.7.1" "but not with a sender"
	dsn rcpt=x@one.example rcpt=y@one.example kind=1
	is "$(code)" "550 5.7.1" "and not to two recipients"
	m own carol@own.example | as account=carol sender=carol@own.example rcpt=x@one.example >out
	is "$(code)" "250 2.0.0" "-t: a user who may speak for all"
	# ---- disk full ----
	mkdir small
	if mount -t tmpfs -o size=600k tmpfs small 2>/dev/null; then
		PIPEMAIL_VAR=$TMP/small; export PIPEMAIL_VAR
		config-compile >/dev/null
		m fill | queue-add -a alice -f alice@own.example x@one.example 2>/dev/null
		before=$(queued)
		head -c 400000 /dev/zero | tr '\0' 'x' | fold -w 70 >fat
		{ printf 'From: alice@own.example\n\n'; cat fat; } >fat.msg
		exits 111 "disk full: a temporary failure" queue-add -a alice -f alice@own.example x@one.example <fat.msg
		like "$(cat .err)" '452 4\.3\.1' "disk full: 452 4.3.1"
		is "$(queued) $(find small/queue/message -type f | wc -l)" "$before $before" "disk full: nothing is stored"
		PIPEMAIL_VAR=$TMP/var
		umount small
	else
		skip "disk full" "no tmpfs here"
	fi
fi
done_testing
