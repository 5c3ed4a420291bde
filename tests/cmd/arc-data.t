#!/bin/sh
# arc-data.t - B-3: arc-verify on the published validation suite, which is no
# part of this tree: $PIPEMAIL_TEST_DATA/arc/arc-draft-validation-tests.yml
. "$(dirname "$0")/../tap.sh"
suite=$SHARED/arc/arc-draft-validation-tests.yml
[ -r "$suite" ] || skip_all "the ARC test suite is not at $suite"
need python3
. "$TOP/tests/dns-fixture"

# Three cases name no result: a seal says cv=fail itself. RFC 8617 5.2 step 2
# and 3 say fail, and so does the list.
mkdir cases
python3 "$TOP/tests/arc-suite.py" "$suite" cases >list || exit 111
is "$(wc -l <list)" 171 "the suite has 171 cases"
at=
while read -r n name want; do
	[ "$n" = "$at" ] || dns_stub_start "cases/$n.json"
	at=$n
	got=$(arc-verify -q <"cases/$name.eml" 2>&1)
	is "${got%%	*}" "$want" "B-3 $name: $want (${got##*	})"
	tr -d '\r' <"cases/$name.eml" >lf
	[ "$(arc-verify -q <lf 2>&1)" = "$got" ] || echo "$name" >>differ
done <list
is "$(cat differ 2>/dev/null)" "" "LF and CRLF form have the same results"
done_testing
