# pki.sh - certificates for tests, made by openssl(1); source it after tap.sh.
#
# pki_ca NAME [PARENT]	a root, or an authority below PARENT: NAME.key,
#	NAME.pem (itself and those above it)
# pki_rsa NAME	before pki_cert: its key is RSA, not ECDSA
# pki_cert NAME CA DAYS SAN[,SAN...]	a server's certificate: NAME.key,
#	NAME.pem (itself and those above it), NAME.all.pem (key, too);
#	DAYS below 0: it has expired

pki_key() {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
	    -out "$1.key" 2>/dev/null || exit 111
}

pki_rsa() {
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 \
	    -out "$1.key" 2>/dev/null || exit 111
}

pki_sign() {	# NAME CA DAYS EXTENSIONS
	openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr" 2>/dev/null &&
	    printf '%s\n' "$4" >"$1.ext" &&
	    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" \
	    -set_serial "0x$(openssl rand -hex 8)" -days "$3" \
	    -extfile "$1.ext" -out "$1.one" 2>"$1.log" || {
		cat "$1.log"; exit 111
	}
	cat "$1.one" "$2.pem" >"$1.pem"
}

pki_ca() {
	pki_key "$1"
	if [ $# = 1 ]; then
		openssl req -x509 -key "$1.key" -subj "/CN=$1" -days 30 \
		    -addext basicConstraints=critical,CA:TRUE \
		    -out "$1.pem" 2>/dev/null || exit 111
	else
		pki_sign "$1" "$2" 30 "basicConstraints=critical,CA:TRUE"
	fi
}

pki_cert() {
	[ -e "$1.key" ] || pki_key "$1"
	pki_sign "$1" "$2" "$3" "basicConstraints=critical,CA:FALSE
subjectAltName=$4"
	cat "$1.key" "$1.pem" >"$1.all.pem"
}
