#!/bin/sh
# config-compile.t - the configuration checked and compiled; its pages
. "$(dirname "$0")/../tap.sh"

PIPEMAIL_ETC=$TMP/etc PIPEMAIL_VAR=$TMP/var
export PIPEMAIL_ETC PIPEMAIL_VAR
mkdir -p etc/domains etc/accounts var

exits 100 "an unknown option is refused" config-compile -x
like "$(cat .err)" '^config-compile: fatal: usage: config-compile \[-n \| -k\]$' \
    "and the usage told"
exits 100 "an operand is refused" config-compile main.conf
exits 100 "-n and -k are one or the other" config-compile -n -k

# ---- a right configuration: the examples of the pages ----
example() {
	awk '/^\.Bd -literal$/ && sh == "EXAMPLES" { on = 1; next }
	    /^\.Ed/ { on = 0 } /^\.Sh/ { sh = $2 } on' "$TOP/man/$1" |
	    sed 's/\\e/\\/g'
}
example main.conf.5 >etc/main.conf
example domain.conf.5 >etc/domains/example.org.conf
example account.conf.5 >etc/accounts/alice.conf
: >etc/domains/example.net.conf
ok "EXAMPLES of main.conf(5) are there" test -s etc/main.conf
ok "EXAMPLES of domain.conf(5) are there" test -s etc/domains/example.org.conf
ok "EXAMPLES of account.conf(5) are there" test -s etc/accounts/alice.conf
exits 0 "-n checks them" config-compile -n
is "$(cat .out .err)" "" "-n says nothing"
is "$(ls var)" "" "-n writes nothing"
exits 0 "EXAMPLES: config-compile -n && config-compile" \
    sh -c 'config-compile -n && config-compile'
is "$(cat .out .err)" "" "a right configuration is compiled silently"
is "$(ls var)" "config.cdb" "config.cdb is there alone"
is "$(stat -c %a var/config.cdb)" 644 "and readable"
(umask 077 && config-compile)
is "$(stat -c %a var/config.cdb)" 644 "with any umask"
is "$(config-get address alice@example.org mailbox; echo $?)" 1 \
    "no mailbox was set for one address"
is "$(config-get address @example.net mailbox)" Rest "but for another"

# ---- errors: all of them, and nothing changed ----
sum=$(sha256sum <var/config.cdb)
cat >etc/main.conf <<'E'
[server]
hostname = mx.example.org
hostnam = x
size-limit = lots
[imapp]
what is this
E
printf '[account]\naddress = alice@example.org\n' >etc/accounts/bob.conf
exits 100 "C-2 errors: exit 100" config-compile
grep -v '^config-compile:' .err | cut -d: -f1,2 | sed "s,$TMP/,," >where
is "$(cat where)" "etc/accounts/bob.conf:2
etc/main.conf:3
etc/main.conf:4
etc/main.conf:5
etc/main.conf:6" "C-2 each error is told with file and line"
like "$(cat .err)" 'main.conf:3: .*did you mean "hostname".*allowed: .*resolver' \
    "C-2 an unknown key is told with the allowed ones"
like "$(cat .err)" 'main.conf:4: .*allowed: a size, 1K to 4G$' \
    "C-2 a wrong value is told with its type"
like "$(cat .err)" 'bob.conf:2: .*alice already at accounts/alice.conf:3' \
    "C-2 an address given twice is told with both places"
like "$(cat .err)" '^config-compile: fatal: .*: 5 errors, nothing was changed$' \
    "and the number of errors"
exits 100 "-n finds them too" config-compile -n
is "$(sha256sum <var/config.cdb)" "$sum" "errors change nothing"
is "$(ls var)" "config.cdb" "errors leave nothing"
printf '[server]\nhostname = a\n[smtp-in]\nbanner = "\033[2J\n\001\n' >etc/main.conf
config-compile 2>.err
ok "bytes of the file are escaped in messages" sh -c \
    '! tr -d "\n" <.err | LC_ALL=C grep -q "[[:cntrl:]]"'
rm etc/accounts/bob.conf

# ---- warnings ----
printf '[server]\nhostname = mx.example.org\n' >etc/main.conf
: >etc/domains/example.com
: >etc/accounts/.alice.conf.swp
exits 0 "a warning is no error" config-compile
is "$(cat .err)" "$TMP/etc/domains/example.com: warning: ignored: the name does not end in .conf" \
    "a file that is not .conf is warned of, a dot file not"

# ---- what cannot be read or written ----
rm etc/domains/example.com
exits 111 "no var directory: exit 111" env PIPEMAIL_VAR="$TMP/nowhere" config-compile
like "$(cat .err)" "^config-compile: fatal: cannot compile configuration: $TMP/nowhere/config.cdb: No such file" \
    "and it is named"
exits 111 "no etc directory: exit 111" env PIPEMAIL_ETC="$TMP/nowhere" config-compile
mv etc/main.conf etc/main.off
exits 100 "no main.conf: an error in the configuration" config-compile
like "$(cat .err)" "/etc/main.conf: no such file" "and it is named"
mv etc/main.off etc/main.conf
mkdir etc/accounts/dir.conf
exits 100 "a directory in place of a file" config-compile
like "$(cat .err)" "/etc/accounts/dir.conf: is a directory" "is named"
rmdir etc/accounts/dir.conf
: >etc/accounts/carol.conf
if [ "$(id -u)" = 0 ]; then
	skip "a file that may not be read" "running as root"
else
	chmod 000 etc/accounts/carol.conf
	exits 100 "a file that may not be read" config-compile
	like "$(cat .err)" "/etc/accounts/carol.conf: Permission denied" "is named"
fi
rm -f etc/accounts/carol.conf
ok "what a killed run left is used again" sh -c \
    'echo torn >var/config.cdb.tmp && config-compile && test ! -e var/config.cdb.tmp'
if (ulimit -f 1 && trap '' XFSZ && config-compile) 2>.err; then
	code=0
else
	code=$?
fi
is "$code" 111 "a full disk (file size limit): exit 111"
exits 0 "and the old file still stands" config-get server hostname
mkdir etc/domains.many && mv etc/domains etc/domains.few && mv etc/domains.many etc/domains
i=0; while [ $i -lt 300 ]; do : >etc/domains/d$i.example.conf; i=$((i + 1)); done
mv etc/accounts/alice.conf alice.off
exits 0 "hundreds of domains compile" config-compile
is "$(cdb -l var/config.cdb | grep -c '^+.*Dd')" 300 "and are all there"

# ---- the pages name each key and default, and nothing else ----
config-compile -k >keys
is "$(cut -f1 keys | sort -u)" "account.conf
domain.conf
main.conf" "-k lists the keys of the three files"
is "$(awk -F'\t' 'NF != 5' keys)" "" "in five columns"
exits 0 "EXAMPLES: config-compile -k | grep timeout" sh -c 'config-compile -k | grep timeout'
for f in main domain account; do
	awk -F'\t' -v f=$f.conf '$1 == f { print $2, $3, $5 }' keys | sort >"$f.keys"
	awk '/^\.Ss/ { sub(/^\.Ss \[/, ""); sub(/[] ].*/, ""); section = $0 }
	    /^\.It Ic/ {
		key = $3; sub(/^\.It Ic [^ ]+( Pq default Li )?/, "")
		print section, key, $0
	    }' "$TOP/man/$f.conf.5" | sort >"$f.page"
	is "$(cat $f.page)" "$(cat $f.keys)" "$f.conf(5) documents each key and default"
	ok "$f.conf(5) documents some" test -s $f.keys
done
done_testing
