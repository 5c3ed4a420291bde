#!/bin/sh
# tree.t - what the tree may hold, and calls that are not used
. "$(dirname "$0")/../tap.sh"
cd "$TOP" || exit 111
is "$(ls | grep -Ev '^build' | sort | tr '\n' ' ')" \
    "COPYING GNUmakefile INSTALL README cmd doc lib man service tests " \
    "top level holds the ten entries"
bad=$(grep -nE '\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|alloca|system|popen|tmpnam|sscanf|fscanf|scanf)[[:space:]]*\(' $(find cmd lib -name '*.[ch]'))
is "$bad" "" "no call that the style rules out"
is "$(grep -ln '<ctype\.h>' $(find cmd lib -name '*.[ch]'))" "" "no ctype.h"
is "$(grep -nE '\b(printf|fprintf|puts|exit)[[:space:]]*\(' $(find lib -name '*.c') | grep -Ev 'lib/base/(msg|arena|buf|proc)|_printf|snprintf' | grep -Ev '_exit')" "" \
    "lib neither prints nor exits"
is "$(grep -nE 'TODO|FIXME|XXX' $(find cmd lib service -type f))" "" "nothing is left open"
for m in lib/*/; do
	m=$(basename "$m")
	[ -e "lib/$m/$m.h" ] || echo "$m"
done >"$TMP/m"
is "$(cat "$TMP/m")" "" "each module has its public header"
for h in lib/*/*.h; do
	printf '#include "%s"\n' "${h#lib/}" |
	    cc -std=c11 -D_GNU_SOURCE -Ilib -fsyntax-only -x c - 2>&1 | head -2
done >"$TMP/h"
is "$(cat "$TMP/h")" "" "each header compiles alone"
is "$(awk 'FNR==1{if(n>600)print n, f; n=0; f=FILENAME} {n++} END{if(n>600)print n, f}' $(find lib cmd -name '*.[ch]'))" "" \
    "no file is longer than 600 lines"
for f in $(find lib cmd tests -name '*.[ch]'); do
	expand "$f" | awk -v f="$f" 'length > 80 { print f ":" NR }'
done >"$TMP/w"
is "$(cat "$TMP/w")" "" "no line is wider than 80 columns"
# a module includes lower layers only
layers="base os compress limiter metric server unicode regex json fetch tlsresult addr psl dns dane config kv mtasts html mime spf dkim arc iprev dnsbl trace dmarc origin compose stage gram junk maildir store reputation account recipient rules judge frame queue route dsn sched submit qcmd confcmd preface tlsreq tls tlsc smtp totp clientkey jwt sasl saslc smtpc dial front imap"
rank() { i=0; for l in $layers; do [ "$l" = "$1" ] && { echo $i; return; }; i=$((i + 1)); done; echo "-1"; }
for m in lib/*/; do
	m=$(basename "$m"); r=$(rank "$m")
	[ "$r" -ge 0 ] || { echo "$m has no layer"; continue; }
	for i in $(sed -n 's,^#include "\([a-z0-9]*\)/.*,\1,p' lib/"$m"/*.[ch] | sort -u); do
		[ "$(rank "$i")" -le "$r" ] || echo "$m includes $i"
	done
done >"$TMP/l"
is "$(cat "$TMP/l")" "" "modules include lower layers only"
done_testing
