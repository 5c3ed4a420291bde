#!/bin/sh
# store-kill-move.t - kill -9 and a full disk at each system call of append,
# copy, move, renames and the building of an index: nothing lost or doubled
# that was answered, all or nothing where the disk is full
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/kill.sh"

for i in 1 2 3; do m "m$i" | store-deliver -a bob || exit 111; done
store-flag -a bob +seen,work 2
store-mailbox -c -a bob Target
subjects() { store-list -a bob -m "$1" 2>/dev/null | cut -f 7 | sort | tr '\n' ' '; }
three="m1 m2 m3 "

# ---- copy: what is in the target is there once ----
points store-copy -a bob Target '1:*' >points
bad= some=0
while read -r call n <&3; do
	store-expunge -f -a bob -m Target '1:*' >/dev/null 2>&1
	if at "$call" "$n" store-copy -a bob Target '1:*'; then answered=; else answered=yes; fi
	content || bad="$bad verify:$call:$n:$(head -1 verify.out)"
	is=$(subjects Target)
	case $answered$is in
	"yes$three"|"$three"|"") ;;
	"m1 "|"m1 m2 ") some=$((some + 1)) ;;
	*) bad="$bad target:$call:$n:$is" ;;
	esac
	[ "$(subjects INBOX)" = "$three" ] || bad="$bad source:$call:$n"
done 3<points
is "$bad" "" "copy killed at each of $(wc -l <points) points: nothing lost, nothing twice, $some times cut"

# ---- move: each is at one of the two places ----
store-expunge -f -a bob -m Target '1:*' >/dev/null 2>&1
points store-move -a bob Target '1:*' >points
bad=
while read -r call n <&3; do
	store-move -a bob -m Target INBOX '1:*' >/dev/null 2>&1
	[ "$(subjects INBOX)" = "$three" ] || bad="$bad reset"
	if at "$call" "$n" store-move -a bob Target '1:*'; then answered=; else answered=yes; fi
	content || bad="$bad verify:$call:$n:$(head -1 verify.out)"
	in=$(subjects INBOX) is=$(subjects Target)
	case $answered$is in "yes$three") ;; yes*) bad="$bad answered:$call:$n:$is" ;; esac
	[ "$(echo "$in$is" | tr ' ' '\n' | grep . | sort | tr '\n' ' ')" = "$three" ] || bad="$bad there:$call:$n:$in:$is"
	[ "$(store-list -a bob | awk -F '\t' '$7 == "m2" { print $3 }')" = '\Seen,work' ] || bad="$bad flags:$call:$n"
done 3<points
is "$bad" "" "move killed at each of $(wc -l <points) points: each message at one place, with its flags"
store-move -a bob -m Target INBOX '1:*' >/dev/null 2>&1

# ---- a full disk at each call: all or nothing ----
may_fill='^(openat|writev?|pwrite64|pwritev|fsync|fdatasync|linkat|rename(at2?)?|mkdirat|ftruncate) '
for what in copy move; do
	store-expunge -f -a bob -m Target '1:*' >/dev/null 2>&1
	points store-$what -a bob Target '1:*' | grep -E "$may_fill" >points
	bad= failed=0
	while read -r call n <&3; do
		case $what in
		copy) store-expunge -f -a bob -m Target '1:*' >/dev/null 2>&1 ;;
		move) store-move -a bob -m Target INBOX '1:*' >/dev/null 2>&1 ;;
		esac
		strace -f -qq -o trace -e trace="$call" -e "inject=$call:error=ENOSPC:when=$n" store-$what -a bob Target '1:*' >out 2>err
		code=$?
		content || bad="$bad verify:$call:$n:$(head -1 verify.out)"
		in=$(subjects INBOX) is=$(subjects Target)
		[ $code = 0 ] || failed=$((failed + 1))
		[ $what = move ] || { [ "$in" = "$three" ] || bad="$bad source:$call:$n:$in"; in=; }
		case $code:$in:$is in
		"0::$three"|"1:$three:"|"111:$three:"|"127:$three:"|"100:$three:") ;;
		"1::"|"111::"|"127::"|"100::") [ $what = copy ] || bad="$bad lost:$call:$n" ;;
		# after the commit: the directories could not be synced, the
		# UIDs not be printed
		"111::$three") case $call in fsync|fdatasync|pwrite64|write) ;; *) bad="$bad stays:$call:$n" ;; esac ;;
		*) bad="$bad $code:$call:$n:$in:$is" ;;
		esac
	done 3<points
	is "$bad" "" "a full disk at each of $(wc -l <points) points of a $what: all or nothing ($failed failed)"
	ok "some of them fail" test $failed -gt 5
	[ $what = copy ] || store-move -a bob -m Target INBOX '1:*' >/dev/null 2>&1
done

# ---- APPEND by IMAP, one command and the next ----
mkdir -p etc/accounts etc/domains
printf '[server]\nhostname = mail.example.org\n' >etc/main.conf
printf '[domain]\n' >etc/domains/example.org.conf
printf '[account]\naddress = bob@example.org\njunk-flags = no\n' >etc/accounts/bob.conf
config-compile || exit 111
store-mailbox -c -a bob Appended
appends() {
	for s in "$@"; do
		m "$s" | sed 's/$/\r/' >lit
		printf '%s APPEND Appended (\\Flagged) {%d+}\r\n' "$s" "$(wc -c <lit)"
		cat lit
		printf '\r\n'
	done
	printf 'x LOGOUT\r\n'
}
serve() { imap-serve -a bob <commands; }
appends p1 p2 >commands
printf '#!/bin/sh\nexec imap-serve -a bob <commands\n' >serve; chmod +x serve
points ./serve >points
# up to the first message nothing is written; what the shell does is not ours
bad= k=0
while read -r call n <&3; do
	k=$((k + 1))
	appends "a$k" "b$k" >commands
	at "$call" "$n" ./serve
	content || bad="$bad verify:$call:$n:$(head -1 verify.out)"
	for s in "a$k" "b$k"; do
		c=$(store-list -a bob -m Appended | awk -F '\t' -v s="$s" '$7 == s' | wc -l)
		if grep -q "^$s OK" out; then
			[ "$c" = 1 ] || bad="$bad answered:$call:$n:$s:$c"
		else
			[ "$c" -le 1 ] || bad="$bad twice:$call:$n:$s"
		fi
	done
done 3<points
is "$bad" "" "S-2 APPEND killed at each of $k points: answered means there once"
ok "both happened" test "$(store-list -a bob -m Appended | wc -l)" -gt 5 -a "$(store-list -a bob -m Appended | wc -l)" -lt $((2 * k))
is "$(store-list -a bob -m Appended | cut -f 2 | sort | uniq -d)" "" "no UID twice"

# ---- rename of a mailbox with children: every message is in one of them ----
store-mailbox -c -a bob P; store-mailbox -c -a bob P/C
m p1 | store-deliver -a bob -m P; m c1 | store-deliver -a bob -m P/C
where() { for b in P P/C Q Q/C; do subjects $b; done | tr -d '\n'; }
points store-mailbox -r -a bob P Q >points
store-mailbox -r -a bob Q P
bad=
while read -r call n <&3; do
	# what was half renamed is put together again
	store-mailbox -r -a bob Q/C P/C 2>/dev/null
	if store-mailbox -a bob | grep -q '^Q	'; then
		if store-mailbox -a bob | grep -q '^P	'; then
			store-move -a bob -m Q P '1:*' >/dev/null 2>&1; store-mailbox -d -a bob Q
		else
			store-mailbox -r -a bob Q P
		fi
	fi
	at "$call" "$n" store-mailbox -r -a bob P Q && answered= || answered=yes
	content || bad="$bad verify:$call:$n:$(head -1 verify.out)"
	[ "$(where | tr ' ' '\n' | grep . | sort | tr '\n' ' ')" = "c1 p1 " ] || bad="$bad there:$call:$n:$(where)"
	[ -z "$answered" ] || [ "$(subjects Q)$(subjects Q/C)" = "p1 c1 " ] || bad="$bad answered:$call:$n"
done 3<points
is "$bad" "" "I-14 rename with a child killed at each of $(wc -l <points) points: each message is in one mailbox"

# ---- the building of an index: UIDs, flags, keywords as they were ----
store-mailbox -d -a bob Appended 2>/dev/null
state() { store-list -a bob | cut -f 1-3,7 | sort; store-mailbox -a bob | cut -f 1 | sort; }
content; rm -rf kept; cp -a "$BOB" kept
before=$(state)
rm -rf "$BOB/index"
points store-list -a bob >every
some 4 <every >points
bad= k=0
while read -r call n <&3; do
	rm -rf "$BOB"; cp -a kept "$BOB"; rm -rf "$BOB/index"
	at "$call" "$n" store-list -a bob && k=$((k + 1))
	[ "$(state)" = "$before" ] || bad="$bad state:$call:$n"
	content || bad="$bad verify:$call:$n:$(head -1 verify.out)"
done 3<points
is "$bad" "" "building an index killed at $k of $(wc -l <every) points: UIDs, flags and keywords are as before"
done_testing
