#!/bin/sh
# store-index.t - store-index and verifydata: what other programs, crashes and
# damage leave; a full disk
. "$(dirname "$0")/../tap.sh"

PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run PIPEMAIL_ETC=$TMP/etc
export PIPEMAIL_VAR PIPEMAIL_RUN PIPEMAIL_ETC
mkdir -p var/accounts/alice run
ALICE=$TMP/var/accounts/alice
INBOX=$ALICE/Maildir
m() { printf 'From: a@example.org\nSubject: %s\n\nbody\n' "$1"; }
for i in 1 2 3 4; do m "m$i" | store-deliver -a alice; done
store-flag -a alice +seen,work 2

# ---- texts for searches ----
is "$(store-index -t -a alice)" "texts	0" "what was delivered has its filters"
is "$(store-index -rt -a alice)" "texts	4" "-r with -t makes them anew"
mkdir -p etc/accounts etc/domains
printf '[server]\nhostname = mx.example.org\n' >etc/main.conf
printf '[account]\nsearch-index = no\n' >etc/accounts/alice.conf
config-compile
is "$(store-index -t -a alice)" "" "switched off for the account: they are removed"
printf '[account]\n' >etc/accounts/alice.conf
config-compile
is "$(script -qec 'store-index -t -a alice' /dev/null </dev/null | tr -d '\r' | tail -2)" "4 of 4
texts	4" "switched on again they are made, with progress on a terminal"
is "$(verifydata -a alice)" "" "verifydata is content"
rm -r etc var/config.cdb

# ---- other programs ----
exits 0 "nothing to do" store-index -a alice
is "$(cat .out)" "" "prints nothing"
m new >"$INBOX/new/1.foreign"
exits 1 "-n tells of a file without record" store-index -n -a alice
like "$(cat .out)" '^stray-file	INBOX	0	1.foreign$' "by name"
exits 0 "store-index takes it in" store-index -a alice
is "$(cat .out)" "adopted 1.foreign as UID 5" "and says so"
ok "the file has its UID in the name" test -e "$INBOX/new/1.foreign,U=5"
rm "$INBOX"/new/*,U=1
store-index -a alice >out
like "$(cat out)" '^missing .*,U=1 as UID 1$' "a missing file is told"
mkdir "$INBOX/new/folder"; mkfifo "$INBOX/new/fifo"; ln -s /etc/passwd "$INBOX/cur/link"
store-index -a alice >out
is "$(sort out)" "$(printf 'foreign fifo\nforeign folder\nforeign link')" "foreign things are told and left"
ok "they are still there" test -d "$INBOX/new/folder" -a -p "$INBOX/new/fifo" -a -h "$INBOX/cur/link"
cp "$INBOX"/new/*,U=3 "$INBOX/cur/9.copy,U=3:2,F"
store-index -a alice >out
like "$(cat out)" 'adopted 9.copy,U=3:2,F as UID 6' "a UID that is taken is replaced"
# as root everything can be read: become another user for this
unpriv() { env PIPEMAIL_VAR="$TMP/other" "$@"; }
[ "$(id -u)" != 0 ] || unpriv() { setpriv --reuid=65534 --regid=65534 --clear-groups env PIPEMAIL_VAR="$TMP/other" "$@"; }
mkdir -p other/accounts/alice
cp -R "$ALICE/Maildir" other/accounts/alice/
m secret >other/accounts/alice/Maildir/new/2.secret
chmod 0 other/accounts/alice/Maildir/new/2.secret
mkdir other/accounts/alice/Maildir/.Closed; mkdir other/accounts/alice/Maildir/.Closed/cur
chmod 0 other/accounts/alice/Maildir/.Closed
[ "$(id -u)" != 0 ] || chown -R 65534:65534 other
if unpriv "$BIN/store-index" -a alice >out 2>err; then
	like "$(cat out)" 'unreadable 2.secret' "an unreadable file is told and left"
	like "$(cat out)" 'unreadable-folder in .Closed' "an unreadable folder too"
	is "$(unpriv "$BIN/store-list" -a alice -m INBOX 2>/dev/null | wc -l)" "$(store-list -a alice -m INBOX | wc -l)" "the others are there"
	[ "$(id -u)" = 0 ] || chmod 700 other/accounts/alice/Maildir/.Closed
else
	skip "an unreadable file is told and left" "cannot become another user: $(cat err)"
fi
exits 0 "verifydata is content" verifydata -a alice

# ---- contradictions ----
f=$(ls "$INBOX"/new/*,U=3)
printf 'x' >>"$f"
exits 1 "verifydata tells of a changed file" verifydata -n -a alice
like "$(cat .out)" '^alice	size	INBOX	3	index [0-9]+, file [0-9]+$' "size"
exits 1 "store-index -n too" store-index -n -a alice
exits 0 "store-index -r mends it" store-index -r -a alice
like "$(cat .out)" '^rewritten .*,U=3 as UID 3$' "says what is gone"
like "$(cat .out)" '^adopted .*,U=3 as UID 7$' "and the UID of what is there now"
exits 0 "then -n is content" store-index -n -a alice
exits 0 "and verifydata" verifydata
f=$(ls "$INBOX"/new/*,U=4)
printf 'x' >>"$f"
# 100, or 1 when the look before has seen it already
is "$(store-show -a alice 4 2>err || echo gone; store-list -a alice -m INBOX | cut -f 2,7 | tail -1)" "gone
8	m4" "who opens such a file is told that its UID is gone, and the next look has a new one"
exits 0 "verifydata is content with that" verifydata -a alice
rm -f "$INBOX"/new/*,U=7
exits 1 "verifydata -n does not look at changes first" verifydata -n -a alice
like "$(cat .out)" '^alice	missing-file	INBOX	7	' "and so tells of a missing file"
exits 0 "verifydata -s leaves out contents" verifydata -s -a alice

# ---- the index lost, torn, newer ----
before=$(store-list -a alice | cut -f 1-4,6-)
rm -rf "$ALICE/index"
is "$(store-list -a alice | cut -f 1-4,6-)" "$before" "a lost index is built from the Maildir: UIDs, flags, keywords"
exits 0 "verifydata is content with it" verifydata -a alice
truncate -s 20000 "$ALICE/index/data.mdb"
store-index -a alice >out 2>err
like "$(cat out)" '^damaged-index ' "a torn index is told"
is "$(store-list -a alice | cut -f 1-4,6-)" "$before" "and built again"
is "$(ls -d "$ALICE"/index.broken-* | wc -l)" 1 "the torn one is set aside"
sleep 1
head -c 40000 /dev/urandom >rubbish
dd if=rubbish of="$ALICE/index/data.mdb" conv=notrunc bs=1 2>/dev/null
is "$(store-list -a alice 2>err | cut -f 1-4,6-)" "$before" "rubbish in place of an index too"
rm -rf "$ALICE"/index.broken-*

# ---- a full disk ----
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	cat >full.sh <<'END'
mkdir full && mount -t tmpfs -o size=3m none full || exit 77
PIPEMAIL_VAR=$PWD/full; export PIPEMAIL_VAR
mkdir -p full/accounts/bob
head -c 30000 /dev/zero | tr '\0' 'x' >big
n=0
while [ $n -lt 300 ] && store-deliver -a bob <big 2>full.err; do n=$((n + 1)); done
echo "code $?" >full.code
cat full.err
[ "$(store-list -a bob 2>/dev/null | wc -l)" = $n ] || echo "listed $(store-list -a bob | wc -l), answered $n"
verifydata -a bob || echo "contradictions"
[ $n -gt 5 ] || echo "only $n"
find full/accounts/bob/Maildir/tmp -type f | grep . && echo "left in tmp"
store-expunge -f -a bob '1:5' 2>/dev/null || echo "expunge on a full disk"
store-deliver -a bob <big || echo "no room again"
verifydata -a bob || echo "contradictions after"
END
	unshare -m sh full.sh >out 2>&1
	if [ $? = 77 ]; then
		skip "a full disk loses nothing" "no tmpfs"
	else
		is "$(cat out)" "store-deliver: fatal: cannot deliver to INBOX of bob: No space left on device" "a full disk is an error, loses nothing, leaves nothing, and room made is room"
	fi
else
	skip "a full disk loses nothing" "needs root for a tmpfs"
fi

# ---- a limit on file size, for everyone ----
mkdir -p var/accounts/carl
m one | store-deliver -a carl
head -c 600000 /dev/zero | tr '\0' 'x' >big
(ulimit -f 300; trap '' XFSZ; store-deliver -a carl <big 2>err)
is $? 111 "a write that fails exits 111"
is "$(store-list -a carl | wc -l)" 1 "and adds nothing"
is "$(find var/accounts/carl/Maildir/tmp -type f | wc -l)" 0 "and leaves nothing in tmp/"
exits 0 "verifydata is content" verifydata -a carl

# ---- permissions ----
is "$(find "$ALICE/Maildir" "$ALICE/index" "$ALICE/expunged" -type d ! -perm 700 ! -name folder | wc -l)$(find "$ALICE" -type f ! -perm 600 -path '*/new/*,U=*' | grep -vc foreign)" "00" "directories have mode 700, messages 600"
exits 100 "no Maildir beside an index is an error" sh -c "rm -rf '$ALICE/Maildir'; store-index -a alice"
like "$(cat .err)" 'no Maildir in' "that says so"
done_testing
