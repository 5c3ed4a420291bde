# opensmtpd.sh - an OpenSMTPD of a test's own; source it after tap.sh. The
# package is on no system beside Postfix's, so tests/deps unpacks it below
# $BUILD, and it runs in a mount namespace that has it, its users and an empty
# spool at the places that are compiled into it.
#
# opensmtpd_start DIR [LIBRARY]	with DIR/smtpd.conf, and the library loaded in
#	front; false: it does not start here, and why is shown. Log: DIR.log
# opensmtpd_mend	makes mend.so: Debian 12's 6.8.0p2 was not made for the
#	OpenSSL 3 it runs with and fails in every handshake: it marks an RSA key,
#	of which OpenSSL 3 gives it a copy only. The library has the copy used.
[ "$(id -u)" = 0 ] || skip_all "OpenSMTPD is started by root only"
opensmtpd_build=${BIN%/bin}
OPENSMTPD=${opensmtpd_build%-san}/peers/opensmtpd
[ -x "$OPENSMTPD/usr/sbin/smtpd" ] || skip_all "OpenSMTPD is not unpacked: make deps"
unshare -m true 2>/dev/null || skip_all "mount namespaces cannot be made here"

# opensmtpd_users DIR: those of the system, and its two
opensmtpd_users() {
	for opensmtpd_f in passwd group; do
		grep -v '^opensmtp' "/etc/$opensmtpd_f" >"$1/$opensmtpd_f"
	done
	opensmtpd_id=64990
	for opensmtpd_u in opensmtpd opensmtpq; do
		echo "$opensmtpd_u:x:$opensmtpd_id:$opensmtpd_id::/var/lib/opensmtpd/empty:/usr/sbin/nologin" >>"$1/passwd"
		echo "$opensmtpd_u:x:$opensmtpd_id:" >>"$1/group"
		opensmtpd_id=$((opensmtpd_id + 1))
	done
}
opensmtpd_mend() {
	cat >mend.c <<-'C'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <openssl/evp.h>
	RSA *EVP_PKEY_get1_RSA(EVP_PKEY *key)
	{
		RSA *(*get)(EVP_PKEY *) = (RSA *(*)(EVP_PKEY *))dlsym(RTLD_NEXT, __func__);
		RSA *rsa = get(key);

		if (rsa != NULL)
			EVP_PKEY_set1_RSA(key, rsa);
		return rsa;
	}
	C
	cc -O -shared -fPIC -Wno-deprecated-declarations -o mend.so mend.c
}
opensmtpd_start() {
	opensmtpd_users "$1"
	echo "nameserver 127.0.0.1" >"$1/resolv.conf"
	cat >"$1/start" <<-'S'
	#!/bin/sh -e
	# DIR PACKAGE [LIBRARY]: in a mount namespace of its own
	cd "$1"
	mount --make-rprivate /
	mount -t overlay overlay -o lowerdir="$2/usr:/usr" /usr
	mount -t tmpfs -o mode=711 none /var/spool
	mount -t tmpfs -o mode=755 none /var/lib
	mount -t tmpfs -o mode=755 none /run
	mkdir -p -m 711 /var/spool/smtpd
	mkdir -p /var/lib/opensmtpd/empty
	mount --bind passwd /etc/passwd
	mount --bind group /etc/group
	r=$(readlink -m /etc/resolv.conf)
	[ -e "$r" ] || { mkdir -p "${r%/*}"; : >"$r"; }
	mount --bind resolv.conf "$r"
	[ -z "$3" ] || export LD_PRELOAD="$3"
	exec /usr/sbin/smtpd -d -v -f "$1/smtpd.conf"
	S
	bg unshare -m sh -e "$1/start" "$TMP/$1" "$OPENSMTPD" "${2:-}" >"$1.log" 2>&1
	opensmtpd_listen=$(sed -n 's/^listen on \([0-9.]*\) port \([0-9]*\).*/\1 \2/p' "$1/smtpd.conf" | tail -1)
	# shellcheck disable=SC2086 # address and port
	wait_for 30 nc -z $opensmtpd_listen || { sed 's/^/# /' "$1.log" | tail -20; return 1; }
}
