# memcheck.sh - programs made ready for valgrind, in the test's directory
# memcheck_prepare PROGRAM...: free.so, and in front of PATH the programs
# whose debugging information is newer than this valgrind, without it.

memcheck_prepare() {
	# memcheck needs calls and memory that the sandbox denies
	cat >free.c <<'C'
int prctl(int op, ...);
int setrlimit(int which, const void *limit);
int prctl(int op, ...) { (void)op; return 0; }
int setrlimit(int which, const void *limit)
{
	(void)which; (void)limit; return 0;
}
C
	cc -fno-builtin -shared -fPIC -o free.so free.c || exit 111
	mkdir plain
	for p; do
		if valgrind -q "$BIN/$p" -x 2>&1 | grep -q debuginfo; then
			objcopy --strip-debug "$BIN/$p" "plain/$p" || exit 111
		fi
	done
	PATH=$TMP/plain:$PATH
}
