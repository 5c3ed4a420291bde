#!/bin/sh
# junk-data - J-8: accuracy on a set of real mail, in halves and in reverse
. "$(dirname "$0")/../tap.sh"
need python3 xz
data=$SHARED/spam
[ -e "$data/corpus.tar.xz" ] || skip_all "no set of mail"
tool="python3 $TOP/tests/oracle/junk-data.py"
tar xJf "$data/corpus.tar.xz"
$tool split corpus "$data/labels.tsv" halves

# "ham 0.1" for each message
ours() {
	junk-train -d "$1.mdb" -h "halves/$1/ham" -s "halves/$1/spam"
	junk-score -b -d "$1.mdb" "halves/$2" | cut -f1,3 |
	    sed 's,^halves/./\([a-z]*\)/[^	]*,\1,'
}
theirs() {
	mkdir "bogo$1"
	bogofilter -d "bogo$1" -n -B "halves/$1/ham"
	bogofilter -d "bogo$1" -s -B "halves/$1/spam"
	for class in ham spam; do
		bogofilter -d "bogo$1" -v -B "halves/$2/$class" |
		    sed "s/.*spamicity=\([0-9.e-]*\).*/$class \1/"
	done
}
number() { sed -n "s/^$1$(printf '\t').*missed \([0-9]*\) of.*/\1/p" "$2"; }
for half in 1 2; do
	other=$((3 - half))
	ours $half $other >ours.$half
	is "$(wc -l <ours.$half)" "$(find halves/$other -type f | wc -l)" \
	    "each message of half $other has a result"
	$tool table 0.5 0.8 0.9 0.95 0.99 <ours.$half >table.$half
	echo "# ours, trained with half $half"; sed 's/^/#   /' table.$half
	ok "J-8 half $half: area under the curve at least 0.999" \
	    awk -v a="$($tool auc <ours.$half)" 'BEGIN { exit !(a >= 0.999) }'
	command -v bogofilter >/dev/null || continue
	theirs $half $other >theirs.$half
	$tool table 0.5 0.8 0.9 0.95 0.99 <theirs.$half >bogo.$half
	echo "# bogofilter, trained with half $half"; sed 's/^/#   /' bogo.$half
	ok "J-8 half $half: no ham lost, at most half of what bogofilter misses" \
	    test $((2 * $(number "ham lost 0" table.$half))) -le "$(number "ham lost 0" bogo.$half)"
done
sum() { cat "$@" | sed -n 's/^ham lost 0.*missed \([0-9]*\) of.*/\1/p' | awk '{ n += $1 } END { print n }'; }
if command -v bogofilter >/dev/null; then
	missed=$(sum table.1 table.2) theirs=$(sum bogo.1 bogo.2)
	ok "J-8 no ham lost: at most half of what bogofilter misses ($missed, $theirs)" \
	    test $((missed * 2)) -le "$theirs"
fi
lost=$(cat ours.1 ours.2 | awk '$1 == "ham" && $2 > 0.95 { n++ } END { print n + 0 }')
ham=$(cat ours.1 ours.2 | grep -c ^ham)
ok "J-8 at the default threshold at most 1 of 1000 wanted is lost ($lost of $ham)" \
    test $((lost * 1000)) -le "$ham"
done_testing
