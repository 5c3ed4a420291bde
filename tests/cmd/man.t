#!/bin/sh
# man.t - pages and programs agree: each command has a page whose SYNOPSIS is
# the program's usage line; pages are clean; the tree holds what it may hold
. "$(dirname "$0")/../tap.sh"
need mandoc

for page in "$TOP"/man/*.[1-8]; do
	name=$(basename "$page")
	out=$(mandoc -T lint -W warning "$page" 2>&1 | grep -v 'referenced manual not found')
	is "$out" "" "$name is clean mdoc"
	case $name in
	*.[18])
		for s in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS'; do
			grep -Eq "^\.Sh $s\$" "$page" || echo "no $s"
		done >sections
		is "$(cat sections)" "" "$name has the sections a command needs" ;;
	esac
done

# words of a text: quotes, line breaks and font do not count
words() { tr -s ' \n\t' '   ' | sed 's/^ //; s/ $//'; }
for bin in "$BIN"/*; do
	name=$(basename "$bin")
	page=$(ls "$TOP/man/$name".[18] 2>/dev/null | head -1)
	ok "$name has a page" test -n "$page"
	[ -n "$page" ] || continue
	# no command takes an option -?
	usage=$("$bin" '-?' 2>&1 </dev/null | grep -v 'invalid option' | sed 's/^[a-z-]*: fatal: //; s/^ *usage: //; s/\\n/ /g; s/usage: //g' | words)
	synopsis=$(mandoc -T ascii -O width=500 "$page" | sed "s,.$(printf "\\b"),,g" | sed -n '/^SYNOPSIS/,/^[A-Z]/p' | sed '1d;$d' | words)
	is "$usage" "$synopsis" "$name: usage line is the page's SYNOPSIS"
	want=100
	[ "$name" = sendmail ] && want=64	# of sysexits(3)
	"$bin" '-?' >/dev/null 2>&1 </dev/null
	is $? $want "$name: an unknown option exits $want"
done

# what refers to a page of ours must find it
for page in "$TOP"/man/*.[1-8]; do
	sed -n 's/^\.Xr \([a-z0-9.-]*\) \([1-8]\).*/\1.\2/p' "$page"
done | sort -u | while read -r ref; do
	case $ref in
	s6-*|openssl.1|maildir.5|resolv.conf.5|ssh.1|unix.7|inetd.*|execlineb.*|procmail.*|spamc.*|bogofilter.*|mutt.*|neomutt.*|mbsync.*|unbound.*|nsd.*|tcpserver.*|socat.*|inotify.*|fsync.*|link.*|rename.*|open.*|passwd.5|sysexits.3|*.2|*.3) ;;
	*) [ -e "$TOP/man/$ref" ] || echo "$ref" ;;
	esac
done >missing
is "$(cat missing)" "" "every page that is referred to exists"
done_testing
