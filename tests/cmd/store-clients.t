#!/bin/sh
# store-clients.t - mbsync(1) and neomutt(1) use the Maildir while we do
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/programs.sh"
need mbsync neomutt script

PIPEMAIL_VAR=$TMP/var PIPEMAIL_RUN=$TMP/run PIPEMAIL_ETC=$TMP/etc HOME=$TMP
export PIPEMAIL_VAR PIPEMAIL_RUN PIPEMAIL_ETC HOME
mkdir -p var/accounts/alice run
ALICE=$TMP/var/accounts/alice
programs_setup "$ALICE/Maildir"
m() { printf 'From: a@example.org\nSubject: %s\nDate: Fri, 20 Nov 2026 12:00:00 +0000\n\nbody\n' "$1"; }
subjects() { store-list -a alice -m INBOX | cut -f 7 | sort | tr '\n' ' '; }
for i in 1 2 3; do m "m$i" | store-deliver -a alice; done

# ---- mbsync, native UID scheme, both ways ----
sync() { sleep 1.1; mbsync -c mbsyncrc c >mbsync.out 2>&1; }
ok "mbsync reads our Maildir" sync
is "$(find mirror/new mirror/cur -type f 2>/dev/null | wc -l)" 3 "all messages arrive"
exits 0 "verifydata is content afterwards" verifydata -a alice
uids=$(store-list -a alice | cut -f 2 | tr '\n' ' ')
m far >"mirror/new/1795000000.far"
m m4 | store-deliver -a alice
ok "mbsync both ways" sync
is "$(subjects)" "far m1 m2 m3 m4 " "what mbsync put here is there"
is "$(store-list -a alice | cut -f 2 | head -3 | tr '\n' ' ')" "$uids" "UIDs stay"
exits 0 "verifydata is content" verifydata -a alice
i=0; while [ $i -lt 300 ]; do i=$((i + 1)); m "bulk" | store-deliver -a alice || break; done
ok "mbsync after 300 more (promises in .uidvalidity)" sync
is "$(find mirror/new mirror/cur -type f | wc -l)" 305 "all of them arrive"
store-expunge -f -a alice "$(store-list -a alice -m INBOX | awk -F '\t' '$7 == "m2" { print $2 }')"
store-flag -a alice +flagged 1
ok "mbsync after expunge and flags" sync
is "$(find mirror -name '*:2,F*' | wc -l)" 1 "the flag arrives"
is "$(find mirror/new mirror/cur -type f ! -name '*:2,*T*' | wc -l)" 304 "the expunge arrives"
exits 0 "verifydata is content" verifydata -a alice
is "$(store-list -a alice | cut -f 2 | sort | uniq -d)" "" "no UID twice"

# ---- neomutt: reads, flags, deletes, saves ----
rm -rf mirror; store-expunge -f -a alice 1:*
for i in 1 2 3 4; do m "n$i" | store-deliver -a alice; done
# by its own means: flag the first, delete the second, save the third elsewhere
cat >>muttrc <<'END'
set mail_check=0
set sort=date-received
push "<tag-pattern>~s n1<enter><tag-prefix><flag-message><untag-pattern>~A<enter><delete-pattern>~s n2<enter><tag-pattern>~s n3<enter><tag-prefix><save-message>=.Sent<enter><sync-mailbox><exit>"
END
TERM=vt100 timeout 20 script -qec "neomutt -n -F muttrc -f $ALICE/Maildir" /dev/null </dev/null >mutt.out 2>&1
is "$(subjects)" "n1 n4 " "what neomutt deleted and moved is gone"
is "$(store-list -a alice -m Sent | cut -f 7)" "n3" "what it moved is where it put it"
like "$(store-list -a alice -m INBOX | grep n1)" 'Flagged' "its flag is ours"
exits 0 "verifydata is content after neomutt" verifydata -a alice
done_testing
