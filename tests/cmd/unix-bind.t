#!/bin/sh
# unix-bind(8)
. "$(dirname "$0")/../tap.sh"

exits 100 "no operands is wrong usage" unix-bind
like "$(cat .err)" '^unix-bind: fatal: usage: unix-bind ' "usage line is given"
usage=$(sed -n 's/.*usage: //p' .err)
synopsis=$(mandoc -T utf8 "$TOP/man/unix-bind.8" | col -b |
    sed -n '/^SYNOPSIS/,/^DESCRIPTION/p' | sed '1d;$d' | tr -s ' \t\n' ' ' |
    sed 's/^ //;s/ $//')
is "$usage" "$synopsis" "usage line is the manual's SYNOPSIS"
exits 100 "unknown option" unix-bind -x s true
exits 100 "mode with a digit 8" unix-bind -m 680 s true
exits 100 "mode 1000" unix-bind -m 1000 s true
exits 100 "no such user" unix-bind -u no-such-user s true
exits 100 "no such group" unix-bind -g no-such-group s true
exits 127 "no such program" unix-bind s ./no-such-program
: >not-executable
exits 126 "program that cannot be run" unix-bind s ./not-executable
exits 111 "directory that is not there" unix-bind none/s true
exits 3 "the program's exit code" unix-bind s sh -c 'exit 3'
is "$(stat -c '%F %a' s)" "socket 600" "default mode 600"
exits 0 "an old socket is replaced" unix-bind -m 777 s true
is "$(stat -c '%F %a' s)" "socket 777" "mode 777"
echo keep >file
exits 111 "another file is not replaced" unix-bind file true
is "$(cat file)" "keep" "it is as it was"

mkdir long
d=long/$(printf '%0100d' 0)
exits 0 "path of 107 bytes" unix-bind "$(printf '%.107s' "${d}aaaaaaaaaaaaaaa")" true
exits 100 "path of 108 bytes" unix-bind "$(printf '%.108s' "${d}aaaaaaaaaaaaaaa")" true
like "$(unix-bind -m 660 ./socket ls -l ./socket)" '^srw-rw----' \
	"EXAMPLES: ls shows the socket"

bg unix-bind listening python3 -c '
import socket
s = socket.socket(fileno=0)
while True:
    c, a = s.accept()
    c.sendall(b"hello\n")
    c.close()'
wait_for 10 nc -w 1 -U listening
is "$(nc -w 5 -U listening </dev/null)" "hello" "the socket listens"

if [ "$(id -u)" = 0 ]; then
	got=$(unix-bind -u nobody -g daemon -m 660 owned sh -c 'id -u; id -g; id -G')
	is "$got" "$(id -u nobody; id -g nobody; id -g nobody)" \
		"-u: user, group and no other group"
	is "$(stat -c '%U:%G %a' owned)" "nobody:daemon 660" \
		"-u -g: the socket belongs to them"
else
	skip "-u: user, group and no other group" "not run as root"
	skip "-u -g: the socket belongs to them" "not run as root"
fi

# ---- peers ----
exits 100 "-o: no such user" unix-bind -o no-such-user s true
exits 100 "-p: no such user" unix-bind -p no-such-user s true
is "$(PIPEMAIL_PEERS=5 unix-bind -p 61001 -p '' -p 61002 s printenv PIPEMAIL_PEERS)" "61001 61002" \
	"-p: the program is told who may be served"
is "$(unix-bind -p 61001 -p '*' s printenv PIPEMAIL_PEERS)" "61001 *" "-p '*': everybody"
exits 1 "without -p none of the caller's" env PIPEMAIL_PEERS=5 unix-bind s printenv PIPEMAIL_PEERS
if [ "$(id -u)" = 0 ]; then
	is "$(unix-bind -u 61001 -g 61002 -o 61003 -m 660 owned sh -c 'id -u; stat -c "%u:%g" owned' |
	    tr '\n' ' ')" "61001 61003:61002 " "-o: the socket has an owner who does not run it"
	mkdir var etc etc/domains etc/accounts
	printf '[server]\nhostname = mx.example.org\n' >etc/main.conf
	chmod 755 .; mkdir -m 777 open
	PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var config-compile
	bg env PIPEMAIL_VAR="$TMP/var" unix-bind -m 666 -u 61001 -p 61002 open/lmtp lmtp-in 2>peers.log
	wait_for 10 nc -w 1 -U open/lmtp </dev/null
	as() { setpriv --reuid "$1" --regid "$1" --clear-groups nc -w 5 -U open/lmtp </dev/null; }
	like "$(as 61002)" '^220 ' "SO_PEERCRED: a peer that is listed is served"
	like "$(as 61001)" '^220 ' "so is the server's own user"
	like "$(as 0)" '^220 ' "and the superuser"
	is "$(as 61003)" "" "another user, whom the mode lets in, is not"
	bg env PIPEMAIL_VAR="$TMP/var" unix-bind -m 666 -u 61001 -p '*' open/all lmtp-in 2>>all.log
	wait_for 10 nc -w 1 -U open/all </dev/null
	like "$(setpriv --reuid 61003 --regid 61003 --clear-groups nc -w 5 -U open/all </dev/null)" '^220 ' "with -p '*' it is"
	like "$(cat peers.log)" 'm=peer-refused uid=61003 pid=[0-9]+' "and is logged"
else
	skip "SO_PEERCRED: a peer that is not listed" "not run as root"
fi
done_testing
