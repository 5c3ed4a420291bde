#!/bin/sh
# store-kill-names.t - flags of many messages, whose file names follow the
# index: kill -9 and errors at the system calls of the change and of the
# names, in a command and in an IMAP session; what is on disk in which order
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/kill.sh"
MANY=70 # more than STORE_NAMES_NOW
m first | store-deliver -a bob || exit 111
store-list -a bob | cut -f 1,2 >first
store-expunge -f -a bob "$(cut -f 2 first)"
i=0
while [ $i -lt $MANY ]; do
	i=$((i + 1))
	m "x$i" >"$BOB/Maildir/cur/$i.x:2,"
done
uids=$(store-list -a bob -m INBOX | cut -f 2)
# shellcheck disable=SC2086
set -- $uids
is $# $MANY "so many messages"

# flags: the flags there are, each once, by store-list; names: by file names
flags() { store-list -a bob -m INBOX | cut -f 3 | sort -u; }
names() { find "$BOB/Maildir/cur" "$BOB/Maildir/new" -type f | sed 's/.*:2,//' | sort -u | tr '\n' ' '; }
# whole: one set of flags for all, verifydata is content, and the openings of
# these two had the names follow
whole() {
	content || bad="$bad verify:$1:$(head -1 verify.out)"
	fl=$(flags)
	case $fl in
	'\Flagged') want='F ' ;;
	'\Seen,blue') want='Sa ' ;;
	*) bad="$bad flags:$1:$fl"; return ;;
	esac
	[ "$(names)" = "$want" ] || bad="$bad names:$1:$(names)"
}

# ---- what is written in which order ----
store-flag -a bob =flagged $uids
strace -f -qq -o trace -e trace=rename,renameat,renameat2,fsync,fdatasync,pwrite64,writev store-flag -a bob =seen,blue $uids
# dovecot-keywords, with its fsyncs, is renamed too: "blue" is new
sed -n '/dovecot-keywords/d; s/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' trace | uniq -c |
    awk '$2 == "renameat" { on = 1 } on { printf "%s%s", $2, $2 == "renameat" ? $1 " " : " " }' >order
like "$(cat order)" "^renameat$MANY fsync (pwrite64 |writev )+fdatasync" "names, fsync of the directory, then the index"
is "$(names)" "Sa " "a command leaves no name behind"
# a time of a directory that is 25 ms old is believed: no look with a commit of
# its own; the fewest of three runs, for other things are due now and then
for try in 1 2 3; do
	store-flag -a bob =flagged $uids
	sleep 0.1
	store-list -a bob >/dev/null
	strace -f -qq -o trace -e trace=renameat,fsync,fdatasync,msync store-flag -a bob =seen,blue $uids
	sed '/renameat/,$d' trace | grep -c sync
done | sort -n | head -1 >fewest
is "$(cat fewest)" 2 "two disk commits before the change is answered"

# ---- killed ----
store-flag -a bob =flagged $uids
points store-flag -a bob =seen,blue $uids | awk -v n=$MANY '$1 !~ /^renameat$/ || $2 < 3 || $2 == 35 || $2 > n - 2' >points
bad= old=0 new=0
while read -r call n <&3; do
	store-flag -a bob =flagged $uids || bad="$bad reset"
	at "$call" "$n" store-flag -a bob =seen,blue $uids && killed=yes || killed=
	whole "$call:$n"
	case $killed:$fl in
	yes:'\Flagged') old=$((old + 1)) ;;
	*:'\Seen,blue') new=$((new + 1)) ;;
	*) bad="$bad lost:$call:$n" ;;
	esac
done 3<points
is "$bad" "" "killed at each of $(wc -l <points) points: all old ($old) or all new ($new)"
ok "both happened, the latter often" test $old -gt 5 -a $new -gt 10

# ---- calls that fail ----
bad= later=0
for error in EIO ENOSPC; do
	while read -r call n <&3; do
		case $call in close|lseek|fcntl|flock) continue ;; esac
		store-flag -a bob =flagged $uids || bad="$bad reset"
		strace -f -qq -o trace -e trace="$call" -e "inject=$call:error=$error:when=$n" store-flag -a bob =seen,blue $uids >/dev/null 2>err
		code=$?
		[ $code != 0 ] || [ "$(names)" = "Sa " ] || later=$((later + 1))
		whole "$error:$call:$n"
		case $code:$fl in
		0:'\Seen,blue'|111:'\Flagged'|127:'\Flagged') ;;
		# the disk could not be asked to keep it
		111:'\Seen,blue') case $call in fsync|fdatasync|pwrite64|pwritev|writev) ;; *) bad="$bad done:$error:$call:$n" ;; esac ;;
		*) bad="$bad code:$error:$call:$n:$code:$fl" ;;
		esac
	done 3<points
done
is "$bad" "" "EIO and ENOSPC at each of them: an error, or done, and names follow"
ok "names failed, and what was answered stood" test $later -gt 5

# ---- a session killed between its answer and the names ----
store-flag -a bob =flagged $uids
printf 'a SELECT INBOX\r\nb STORE 1:* FLAGS.SILENT (\\Seen blue)\r\n' >in
ok "a session is killed at the first name" at renameat 1 imap-serve -a bob <in
ok "it had answered" grep -q '^b OK' out
is "$(names)" "F " "no name was changed"
bad=
whole session
is "$bad$fl" '\Seen,blue' "the next process sees the flags and writes the names"
store-flag -a bob =flagged $uids
mkfifo client
imap-serve -a bob <client >out 2>err &
sub=$!
exec 9>client
cat in >&9
named() { [ "$(names)" = "Sa " ]; }
ok "names follow while the client says nothing" wait_for 20 named
ok "verifydata is content meanwhile" content
exec 9>&-
wait $sub
is "$(store-index -n -a bob 2>&1)" "" "store-index -n finds nothing to mend"

# ---- S-10: an expunge of many, and what is removed after its commit ----
fill() {
	store-expunge -f -a bob $(store-list -a bob -m INBOX | cut -f 2) >/dev/null
	i=0
	while [ $i -lt $MANY ]; do
		i=$((i + 1))
		m "x$i" >"$BOB/Maildir/cur/$i.$1:2,"
	done
	uids=$(store-list -a bob -m INBOX | cut -f 2)
}
fill probe
# shellcheck disable=SC2086
points store-expunge -f -a bob $uids | awk -v n=$MANY '$1 !~ /^(unlinkat|renameat)$/ || $2 < 3 || $2 == 35 || $2 > n - 2' >points
bad= all=0 some=0 none=0 k=0
while read -r call n <&3; do
	k=$((k + 1))
	fill "k$k"
	at "$call" "$n" store-expunge -f -a bob $uids && killed=yes || killed=
	content || bad="$bad verify:$call:$n:$(head -1 verify.out)"
	left=$(store-list -a bob -m INBOX | wc -l)
	[ "$left" = "$(find "$BOB/Maildir/cur" "$BOB/Maildir/new" -type f | wc -l)" ] || bad="$bad files:$call:$n"
	case $killed:$left in
	*:0) none=$((none + 1)) ;;
	yes:$MANY) all=$((all + 1)) ;;
	yes:*) some=$((some + 1)) ;;
	*) bad="$bad lost:$call:$n:$left" ;;
	esac
	content || bad="$bad later:$call:$n:$(head -1 verify.out)"
done 3<points
is "$bad" "" "S-10 an expunge of many killed at each of $(wc -l <points) points: all there ($all), some ($some), none ($none)"
ok "all three happened" test $all -gt 1 -a $some -gt 1 -a $none -gt 5
done_testing
