#!/bin/sh
# config-get.t - values of the compiled configuration
. "$(dirname "$0")/../tap.sh"

PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var
export PIPEMAIL_ETC PIPEMAIL_VAR
mkdir -p etc/domains etc/accounts var

for args in "" "-x" "server" "a b c d" "-l server hostname"; do
	exits 100 "wrong usage: config-get $args" config-get $args
	like "$(cat .err)" '^config-get: fatal: usage: config-get \[-j\] -l \| section \[name\] key$' \
	    "and the usage told"
done
exits 111 "not compiled yet" config-get server hostname
like "$(cat .err)" "^config-get: fatal: cannot open configuration in $TMP/var: No such file" \
    "and told"

cat >etc/main.conf <<'E'
[server]
hostname = mx.example.org
resolver = 127.0.0.1:53
resolver = [::1]:53
size-limit = 1M
[smtp-in]
stages-in =
banner = "say \"hi\" \\ now"
[static-dns "_x.example.org"]
txt = one
txt = two
E
: >etc/domains/example.org.conf
printf '[account]\naddress = alice@example.org\naddress = @example.org Rest\n' >etc/accounts/alice.conf
config-compile

is "$(config-get server hostname)" mx.example.org "EXAMPLES: config-get server hostname"
is "$(config-get account alice address)" "alice@example.org
@example.org Rest" "EXAMPLES: config-get account alice address"
is "$(config-get server size-limit)" 1048576 "a size is in bytes"
is "$(config-get server data-timeout)" 1800 "a default is printed, in seconds"
is "$(config-get imap plain-login)" loopback "a default is printed"
is "$(config-get static-dns _x.example.org txt)" "one
two" "a section with a name, values in order"
is "$(config-get lmtp-in stages-deliver; echo $?)" 1 "not set, no default: 1"
is "$(config-get smtp-in stages-in; echo $?)" 1 "set to nothing: 1"
is "$(config-get account bob address; echo $?)" 1 "of a name that is not there: 1"
exits 100 "a key that does not exist: 100" config-get server host
like "$(cat .err)" 'there is no key host in \[server\]' "and it is told"
is "$(config-get -j smtp-in banner)" '"say \"hi\" \\ now"' "-j escapes"
is "$(config-get -l | head -4)" "account	alice	address	alice@example.org
account	alice	address	@example.org Rest
server		hostname	mx.example.org
server		resolver	127.0.0.1:53" "EXAMPLES: config-get -l"
is "$(config-get -l | wc -l)" 9 "-l lists what is set"
is "$(config-get -jl | /usr/bin/python3 -c 'import json, sys
for line in sys.stdin:
    o = json.loads(line)
    print(o["section"], o["name"], o["key"], o["value"], sep="\t")')" \
    "$(config-get -l)" "-j -l is the same as JSON lines"
exits 111 "a full disk: 111" sh -c 'config-get server hostname >/dev/full'
like "$(cat .err)" '^config-get: fatal: cannot write values: No space' "and told"

truncate -s -1 var/config.cdb
exits 100 "a torn file is refused: 100" config-get server hostname
like "$(cat .err)" '^config-get: fatal: cannot open configuration in ' "and told"
config-compile
sed -i 's/mx\.example\.org/mx.example.com/' var/config.cdb
exits 100 "a file with other bytes is refused" config-get server hostname
like "$(cat .err)" 'config.cdb is damaged or of another version: run config-compile$' "what helps is told"
truncate -s 0 var/config.cdb
exits 100 "an empty file is refused" config-get server hostname
config-compile
exits 0 "compiled again it is right" config-get server hostname
done_testing
