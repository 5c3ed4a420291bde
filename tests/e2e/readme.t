#!/bin/sh
# readme.t - what README shows is what happens
. "$(dirname "$0")/../tap.sh"
. "$TOP/tests/e2e/instance.sh"
need s6-svscan swaks curl
instance_start
# the commands ("$ ...") and what they print
sed -n '/^The same steps by hand/,/^Read on/s/^    //p' "$TOP/README" >shown
sed -n 's/^\$ //p' shown >commands
ok "README has commands" test "$(wc -l <commands)" -ge 5
sed '/^\$ /d' shown >want
sh -eu commands >got 2>err
is $? 0 "they work"
is "$(cat err)" "" "without a message"
is "$(cat got)" "$(cat want)" "and print what README says"
sed -n '/^Then, elsewhere/,/^The same/s/^    //p' "$TOP/README" |
    sed "s/127.0.0.1:1025/127.0.0.1:$((B + 25))/; s/127.0.0.1:1143/127.0.0.1:$((B + 143))/; s/PASSWORD/$PW/" >elsewhere
is "$(wc -l <elsewhere)" 2 "README has a swaks and a curl line"
ok "both work" sh -eu elsewhere
like "$(store-list -a mail)" '	2	.*test ' "the mail swaks sent without options is in the inbox"
instance_stop
done_testing
