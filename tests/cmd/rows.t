#!/bin/sh
# rows.t - each behaviour of the store, of IMAP and of the way in is named by a
# test: rows by their ids, extensions by RFC and capability, steps of the
# decision by their numbers
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/cmd/imap.sh"
cat "$TOP"/tests/cmd/[!r]*.t "$TOP"/tests/cmd/*.py "$TOP"/tests/lib/*_test.c \
    "$TOP"/tests/e2e/*.t "$TOP"/tests/e2e/*.py | grep -v '^[[:space:]]*#' >all
# R-36 belongs to listeners of other protocols, B-2 is not there yet.
for row in $(seq -f S-%g 25) $(seq -f I-%g 26) $(seq -f A-%g 14) \
    $(seq -f R-%g 13 29) R-33 R-34 R-35 R-37 $(seq -f D-%g 16) \
    $(seq -f J-%g 21) B-3 B-4 B-20 B-32; do
	ok "$row is in the description of a test" grep -qE "\"[^\"]*\\b$row\\b|table.*\\b$row\\b" all
done
# ---- the decision (doc/judging.md): steps, what follows, reputation ----
for step in $(seq 20); do
	ok "step $step of the decision has a test" \
	    grep -qE "\"[^\"]*\\bstep $step\\b" "$TOP"/tests/lib/judge_*test.c
done
for part in $(seq 7); do
	ok "BEHAVIOUR 1.$part is in the description of a test" \
	    grep -qE "\"[^\"]*BEHAVIOUR 1\\.$part\\b" all
done
for step in a b c d e f g; do
	ok "step $step of reputation has a test" \
	    grep -qE "\{ \"$step: " "$TOP/tests/lib/reputation_test.c"
done
for pair in a:b a:c b:c c:d d:e e:f; do
	ok "reputation: ${pair%:*} before ${pair#*:} has a test" \
	    grep -qF "{ \"${pair%:*} before ${pair#*:}\"" "$TOP/tests/lib/reputation_test.c"
done
rfc() {
	case $1 in
	IMAP4rev1) echo 3501 ;;
	IMAP4rev2) echo 9051 ;;
	LITERAL+|LITERAL-) echo 7888 ;;
	SASL-IR) echo 4959 ;;
	ID) echo 2971 ;;
	ENABLE) echo 5161 ;;
	IDLE) echo 2177 ;;
	NAMESPACE) echo 2342 ;;
	UIDPLUS) echo 4315 ;;
	UNSELECT) echo 3691 ;;
	MOVE) echo 6851 ;;
	CHILDREN) echo 3348 ;;
	SPECIAL-USE|CREATE-SPECIAL-USE) echo 6154 ;;
	CONDSTORE|QRESYNC) echo 7162 ;;
	ESEARCH) echo 4731 ;;
	SEARCHRES) echo 5182 ;;
	WITHIN) echo 5032 ;;
	PARTIAL) echo 9394 ;;
	STATUS=SIZE) echo 8438 ;;
	SAVEDATE) echo 8514 ;;
	PREVIEW) echo 8970 ;;
	OBJECTID) echo 8474 ;;
	SORT|THREAD=REFERENCES|THREAD=ORDEREDSUBJECT) echo 5256 ;;
	SORT=DISPLAY) echo 5957 ;;
	ESORT|CONTEXT=S*) echo 5267 ;;
	MULTISEARCH) echo 7377 ;;
	INPROGRESS) echo 9585 ;;
	UIDONLY) echo 9586 ;;
	LIST-EXTENDED) echo 5258 ;;
	LIST-STATUS) echo 5819 ;;
	LIST-METADATA) echo 9590 ;;
	METADATA) echo 5464 ;;
	QUOTA|QUOTA=RES-STORAGE) echo 9208 ;;
	BINARY) echo 3516 ;;
	UTF8=ACCEPT) echo 6855 ;;
	MULTIAPPEND) echo 3502 ;;
	CATENATE) echo 4469 ;;
	REPLACE) echo 8508 ;;
	URLAUTH) echo 4467 ;;
	URLAUTH=BINARY) echo 5524 ;;
	APPENDLIMIT=*) echo 7889 ;;
	NOTIFY) echo 5465 ;;
	COMPRESS=DEFLATE) echo 4978 ;;
	FILTERS) echo 5466 ;;
	UNAUTHENTICATE) echo 8437 ;;
	MESSAGELIMIT*|SAVELIMIT*) echo 9738 ;;
	JMAPACCESS) echo 9698 ;;
	THREAD=REFS) echo draft ;;	# none was published
	*) echo unknown ;;
	esac
}
for cap in $imap_capabilities; do
	n=$(rfc "$cap")
	name=$(echo "${cap%%=[0-9]*}" | sed 's/+/\\+/')
	[ "$n" = draft ] || n="RFC $n"
	grep -E "${n#draft}([^0-9]|\$)" all >lines
	ok "$n $cap has a test of its own" \
	    grep -qE "(^|[^A-Z=-])$name([^A-Z=-]|\$)" lines
done
done_testing
