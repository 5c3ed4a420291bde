#!/bin/sh
# every fuzz target runs some seconds on its kept seeds
. "$(dirname "$0")/../tap.sh"
cd "$TOP" || exit 111
for f in tests/fuzz/*_fuzz.c; do
	n=$(basename "$f" _fuzz.c)
	[ -x "${BUILD:-build}/fuzz/${n}_fuzz" ] || { skip "fuzz $n" "not built"; continue; }
	ok "fuzz $n finds nothing in ${FUZZ_SECONDS:-4} s" tests/run-fuzz "${FUZZ_SECONDS:-4}" "$n"
done
done_testing
