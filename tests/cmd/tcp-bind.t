#!/bin/sh
# tcp-bind(8)
. "$(dirname "$0")/../tap.sh"

exits 100 "no operands is wrong usage" tcp-bind
like "$(cat .err)" '^tcp-bind: fatal: usage: tcp-bind ' "usage line is given"
usage=$(sed -n 's/.*usage: //p' .err)
synopsis=$(mandoc -T utf8 "$TOP/man/tcp-bind.8" | col -b |
    sed -n '/^SYNOPSIS/,/^DESCRIPTION/p' | sed '1d;$d' | tr -s ' \n' ' ' |
    sed 's/^ //;s/ $//')
is "$usage" "$synopsis" "usage line is the manual's SYNOPSIS"
exits 100 "unknown option" tcp-bind -x 127.0.0.1 0 true
exits 100 "wrong address" tcp-bind localhost 0 true
exits 100 "port 65536" tcp-bind 127.0.0.1 65536 true
exits 100 "port without digits" tcp-bind 127.0.0.1 smtp true
exits 100 "backlog 0" tcp-bind -b 0 127.0.0.1 0 true
exits 0 "backlog 1, and the program's exit code 0" tcp-bind -b 1 127.0.0.1 0 true
exits 3 "the program's exit code 3" tcp-bind 127.0.0.1 0 sh -c 'exit 3'
exits 100 "no such user" tcp-bind -u no-such-user 127.0.0.1 0 true
exits 127 "no such program" tcp-bind 127.0.0.1 0 ./no-such-program
: >not-executable
exits 126 "program that cannot be run" tcp-bind 127.0.0.1 0 ./not-executable
exits 111 "address that is not ours" tcp-bind 192.0.2.1 0 true
exits 0 "options of the program are its own" tcp-bind 127.0.0.1 0 sh -c true
like "$(tcp-bind 127.0.0.1 0 readlink /proc/self/fd/0)" '^socket:' \
	"EXAMPLES: descriptor 0 is a socket"
is "$(tcp-bind 127.0.0.1 0 ls -l /proc/self/fd | grep -c socket:)" 1 \
	"the socket is open once"

port=$(free_port)
bg tcp-bind 127.0.0.1 "$port" python3 -c '
import socket
s = socket.socket(fileno=0)
while True:
    c, a = s.accept()
    c.sendall(b"hello\n")
    c.close()'
wait_for 10 port_open "$port"
is "$(nc -w 5 127.0.0.1 "$port" </dev/null)" "hello" "the socket listens"
exits 111 "port in use" tcp-bind 127.0.0.1 "$port" true

if [ "$(id -u)" = 0 ]; then
	got=$(tcp-bind -u nobody 127.0.0.1 0 sh -c 'id -u; id -g; id -G')
	is "$got" "$(id -u nobody; id -g nobody; id -g nobody)" \
		"-u: user, group and no other group"
else
	skip "-u: user, group and no other group" "not run as root"
fi
if python3 -c 'import socket; socket.socket(socket.AF_INET6).bind(("::1", 0))' \
    2>/dev/null; then
	exits 0 "IPv6 address" tcp-bind ::1 0 true
else
	skip "IPv6 address" "no IPv6 here"
fi
done_testing
