#!/bin/sh
# spf-suite - every case of the RFC 7208 test suite, which is no part of this
# tree: $PIPEMAIL_TEST_DATA/spf/rfc7208-tests.yml
. "$(dirname "$0")/../tap.sh"
suite=$SHARED/spf/rfc7208-tests.yml
[ -r "$suite" ] || skip_all "the RFC 7208 test suite is not at $suite"
/usr/bin/python3 "$TOP/tests/spf-suite.py" "$suite"
