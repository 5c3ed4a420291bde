#!/bin/sh
# store-kill.t - kill -9 at each system call of a delivery, a change of flags,
# an expunge and the making of mailboxes: what was answered is there exactly
# once, the rest whole or absent, and verifydata is content
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/kill.sh"
m first | store-deliver -a bob || exit 111

count() { store-list -a bob 2>/dev/null | grep -c "	$1	"; }
# ---- delivery: whole or absent, and answered means there ----
deliver_points() {
	label=$1; shift
	m "probe-$label" >msg
	points "$@" <msg >points
	bad= seen=0 gone=0
	while read -r call n <&3; do
		echo "$call $n" | grep -q "$skip_calls" && continue
		m "$label-$call-$n" >msg
		if at "$call" "$n" "$@" <msg; then answered=; else answered=yes; fi
		content || bad="$bad verify:$call:$n"
		c=$(count "$label-$call-$n")
		case $answered$c in
		yes1) ;;
		0) gone=$((gone + 1)) ;;
		1) seen=$((seen + 1)) ;;
		*) bad="$bad count:$call:$n:$c" ;;
		esac
		[ "$c" = 1 ] || continue
		store-list -a bob | awk -F '\t' -v s="$label-$call-$n" '$7 == s { print $3; print $8 }' >found
		{ read -r fl; read -r f; } <found
		[ "$fl" = "$want_flags" ] || bad="$bad flags:$call:$n:$fl"
		cmp -s "$f" msg || bad="$bad bytes:$call:$n"
	done 3<points
	is "$bad" "" "$label: killed at each of $(wc -l <points) points, absent $gone times, whole $seen times"
	ok "$label: both happened" test $gone -gt 5 -a $seen -gt 1
}
skip_calls='^$'
want_flags=
deliver_points plain store-deliver -a bob
want_flags='\Seen,$Junk,work'
deliver_points flags store-deliver -a bob -m Box -f 'seen,$junk,work'
# ---- a file system without files without name: named ones in tmp/ ----
m probe | strace -f -qq -o trace -e trace=openat store-deliver -a bob
nth=$(grep -n O_TMPFILE trace | head -1 | cut -d : -f 1)
if [ -n "$nth" ]; then
	also="-e inject=openat:error=EOPNOTSUPP:when=$nth"
	want_flags=
	m probe >msg
	# shellcheck disable=SC2086
	strace -f -qq -o trace $also store-deliver -a bob <msg
	ok "named: a file in tmp/ is renamed" grep -q renameat2.*U= trace
	skip_calls='^openat '
	deliver_points named store-deliver -a bob
	also= skip_calls='^$'
	ok "named: only killed deliveries leave files in tmp/" test "$(find "$BOB/Maildir/tmp" -type f | wc -l)" -gt 0
	rm -f "$BOB"/Maildir/tmp/*
else
	skip "named: a file in tmp/ is renamed" "files are named here anyway"
fi

# ---- calls that fail: an error, or it is there ----
bad=
m probe >msg
points store-deliver -a bob <msg >points
for error in EIO ENOSPC; do
	while read -r call n <&3; do
		case $call in close|lseek|fcntl|flock) continue ;; esac
		m "e$error-$call-$n" >msg
		strace -f -qq -o trace -e trace="$call" -e "inject=$call:error=$error:when=$n" store-deliver -a bob <msg >/dev/null 2>err
		code=$?
		content || bad="$bad verify:$call:$n:$(head -1 verify.out)"
		c=$(count "e$error-$call-$n")
		case $code:$c in
		# 127: the dynamic linker was told so before main
		0:1|111:0|127:0) ;;
		# the directory could not be synced: a copy may stay
		111:1) case $call in fsync|fdatasync|pwrite64) ;; *) bad="$bad stays:$call:$n" ;; esac ;;
		*) bad="$bad code:$call:$n:$code:$c" ;;
		esac
		[ $code = 0 ] || [ "$(wc -l <err)" = 1 ] || bad="$bad lines:$call:$n"
	done 3<points
done
is "$bad" "" "EIO and ENOSPC at each of $(wc -l <points) points: one line and 111, or delivered"
is "$(find "$BOB/Maildir/tmp" -type f | wc -l)" 0 "failures leave nothing in tmp/"
is "$(find "$BOB/Maildir/new" "$BOB/Maildir/cur" -type f | sed 's/.*,U=//; s/:.*//' | sort | uniq -d)" "" "no UID twice in file names"
is "$(store-list -a bob | cut -f 1,2 | sort | uniq -d)" "" "no UID twice in the index"

# ---- flags: the old ones or the new ones ----
uid=$(store-list -a bob -m INBOX | head -1 | cut -f 2)
store-flag -a bob =flagged "$uid"
points store-flag -a bob =seen,answered,blue "$uid" >points
bad=
while read -r call n <&3; do
	store-flag -a bob =flagged "$uid" || bad="$bad reset"
	if at "$call" "$n" store-flag -a bob =seen,answered,blue "$uid"; then answered=; else answered=yes; fi
	content || bad="$bad verify:$call:$n"
	fl=$(store-list -a bob -m INBOX | awk -F '\t' -v u="$uid" '$2 == u { print $3 }')
	case $answered$fl in
	'\Flagged'|'\Seen,\Answered,blue'|'yes\Seen,\Answered,blue') ;;
	*) bad="$bad flags:$call:$n:$fl" ;;
	esac
done 3<points
is "$bad" "" "flag change killed at each of $(wc -l <points) points: old or new flags"

# ---- expunge: there or not ----
m xprobe | store-deliver -a bob
uid=$(store-list -a bob -m INBOX | tail -1 | cut -f 2)
points store-expunge -f -a bob "$uid" >points
bad=
while read -r call n <&3; do
	m "x-$call-$n" | store-deliver -a bob || bad="$bad deliver"
	uid=$(store-list -a bob -m INBOX | awk -F '\t' -v s="x-$call-$n" '$7 == s { print $2 }')
	if at "$call" "$n" store-expunge -f -a bob "$uid"; then answered=; else answered=yes; fi
	content || bad="$bad verify:$call:$n"
	case $answered$(count "x-$call-$n") in yes0|0|1) ;; *) bad="$bad count:$call:$n" ;; esac
done 3<points
is "$bad" "" "expunge killed at each of $(wc -l <points) points: gone or there"

# ---- mailboxes: made, renamed and removed whole ----
boxes() { store-mailbox -a bob | cut -f 1,2 | grep -E '^(T|R)' | grep -v Trash | tr '\n\t' '; '; }
mailbox_points() {
	undo=$1 old=$2 new=$3; shift 3
	eval "$undo"
	points "$@" >points
	bad=
	while read -r call n <&3; do
		eval "$undo"
		if at "$call" "$n" "$@"; then answered=; else answered=yes; fi
		content || bad="$bad verify:$call:$n:$(head -1 verify.out)"
		got=$(boxes)
		case $answered:$got in
		:"$old"|:"$new"|yes:"$new") ;;
		*) bad="$bad state:$call:$n:$got" ;;
		esac
	done 3<points
	is "$bad" "" "$* killed at each of $(wc -l <points) points: all or nothing"
}
put() { store-mailbox -c -a bob "$1" 2>/dev/null; [ "$(store-list -a bob -m "$1" | wc -l)" = 1 ] || m t | store-deliver -a bob -m "$1"; }
drop() { store-mailbox -d -a bob "$1" 2>/dev/null; }
mailbox_points 'drop T' "" "T 0;" store-mailbox -c -a bob T
mailbox_points 'drop R; put T' "T 1;" "R 1;" store-mailbox -r -a bob T R
mailbox_points 'drop T; put R' "R 1;" "" store-mailbox -d -a bob R
drop R

# ---- while others deliver ----
(
	i=0
	while [ $i -lt 60 ]; do
		i=$((i + 1))
		m "bg$i" | store-deliver -a bob && echo "bg$i" >>answered
	done
) &
bg_pid=$!
k=0
while [ $k -lt 40 ]; do
	k=$((k + 1))
	m "victim$k" >msg
	strace -f -qq -o trace -e "inject=pwrite64,linkat,fsync,fdatasync:signal=KILL:when=$((k % 16 + 1))" \
	    store-deliver -a bob <msg 2>/dev/null && echo "victim$k" >>answered
done
wait $bg_pid
ok "verifydata is content after kills among deliveries" verifydata -a bob
missing=
while read -r s; do
	[ "$(count "$s")" = 1 ] || missing="$missing $s"
done <answered
is "$missing" "" "every one of the $(wc -l <answered) answered messages is there once"
rm -rf "$BOB/expunged"/*
ok "store-index -n finds nothing to mend" store-index -n -a bob
done_testing
