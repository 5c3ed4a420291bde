#!/bin/sh
# constant-time.t - secrets are compared without a jump that depends on them:
# memcheck, which is told that their bytes are not set, would see it
. "$(dirname "$0")/../tap.sh"
[ "${SAN:-}" != 1 ] || skip_all "sanitizers and valgrind do not mix"
need valgrind cc
[ -e /usr/include/valgrind/memcheck.h ] || skip_all "no valgrind/memcheck.h"
cat >t.c <<'C'
#include <string.h>
#include <valgrind/memcheck.h>
#include "base/base.h"
int
main(int argc, char *argv[])
{
	unsigned char a[32], b[32];
	int r;

	(void)argv;
	memset(a, 'x', sizeof(a));
	memset(b, 'x', sizeof(b));
	b[3] = 'y';
	(void)VALGRIND_MAKE_MEM_UNDEFINED(a, sizeof(a));
	(void)VALGRIND_MAKE_MEM_UNDEFINED(b, sizeof(b));
	r = argc > 1 ? bytes_eq(bytes_of(a, 32), bytes_of(b, 32))
	    : bytes_equal_secret(bytes_of(a, 32), bytes_of(b, 32));
	(void)VALGRIND_MAKE_MEM_DEFINED(&r, sizeof(r));
	return r != 0 ? 1 : 0;
}
C
cc -O2 -std=c11 -D_GNU_SOURCE -I"$TOP/lib" -o t t.c "$BIN/../lib/libpipemail.a" 2>cc.out || { cat cc.out; exit 111; }
objcopy --strip-debug t 2>/dev/null || echo "# debugging information stays"
check() { valgrind -q --vgdb=no --error-exitcode=99 ./t "$@"; }
exits 0 "X-3 bytes_equal_secret: no jump depends on the secret" check
exits 99 "X-3 what an ordinary comparison does is seen" check ordinary
is "$(cd "$TOP" && grep -n 'memcmp(' lib/sasl/*.c lib/totp/*.c lib/jwt/*.c | grep -vc 'salt')" 0 "X-3 salts are all that logins compare otherwise"
done_testing
