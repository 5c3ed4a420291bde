#!/bin/sh
# pipemail.t - the front command, from the build tree and installed
. "$(dirname "$0")/../tap.sh"
is "$(pipemail version)" "pipemail $(make -s -C "$TOP" version)" "version"
exits 100 "no command is a usage error" pipemail
exits 100 "a name with a slash is refused" pipemail ../bin/pipemail
exits 127 "an unknown command exits 127" pipemail no-such-command
like "$(cat .err)" "no such command" "and says so"
like "$(pipemail help)" '^config-compile +[a-z]' "help lists commands with their description"
is "$(pipemail help | awk 'NF < 2')" "" "every command in the list is described"
# A newcomer reads one page: all commands are there.
for c in $(pipemail help | awk '{ print $1 }'); do
	grep -q "^\.Xr $c [18]" "$TOP/man/pipemail.7" || echo "$c"
done >unnamed
is "$(cat unnamed)" "" "pipemail(7) names every command"
for c in judge rules-test reputation-show junk-score junk-train alias-add dnsbl-check; do
	ok "README names $c" grep -q "$c(1)" "$TOP/README"
done
ok "help NAME shows the page" sh -c 'pipemail help localserve | grep -q "whole mail server"'
exits 100 "help for an unknown name exits 100" pipemail help no-such-page
exits 100 "the exit code is the command's" pipemail config-compile -z

# what is there goes in, with the flags of its build: none of it is made anew
ok "make install" make -s -o all -C "$TOP" BUILD="${BIN%/bin}" DESTDIR="$TMP/root" install SAN=
for f in usr/local/bin/pipemail usr/local/lib/pipemail/bin/store-deliver usr/local/share/man/man8/smtp-in.8 \
    usr/local/share/man/man7/pipemail.7 usr/local/share/pipemail/service/smtp-in/run; do
	ok "installs $f" test -e "root/$f"
done
is "$(root/usr/local/bin/pipemail version)" "$(pipemail version)" "the installed front command works"
like "$(PATH=/usr/bin:/bin root/usr/local/bin/pipemail help)" '^store-list' "it finds commands and pages by its own place"
ok "make uninstall" make -s -o all -C "$TOP" BUILD="${BIN%/bin}" DESTDIR="$TMP/root" uninstall SAN=
is "$(find root -type f)" "" "uninstall leaves no file"
done_testing
