# jwks.sh - an issuer for tests: a CA, its certificate, its server, its keys
# (jwks_server.py). jwks_start sets ISSUER; mode MODE says what it does next.
jwks_py() { PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$TOP/tests/jwks_server.py" "$@"; }
# jwks_cert NAME SUBJECTALTNAME: signed by the CA
jwks_cert() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" \
	    -subj "/CN=$1" -out "$1.csr" 2>/dev/null
	printf 'subjectAltName=%s\n' "$2" >"$1.ext"
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
	    -extfile "$1.ext" -out "$1.crt" 2>/dev/null
}
mode() { echo "$1" >mode.new; mv mode.new mode; }
# publish KID...: the issuer has these keys now
publish() { printf %s "$(jwks_py keys "$@")" >keys.new; mv keys.new keys.json; }
jwks_start() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key \
	    -subj "/CN=Test CA" -days 2 -out ca.pem 2>/dev/null
	jwks_cert good IP:127.0.0.1
	JWKS_PORT=$(free_port)
	ISSUER=https://127.0.0.1:$JWKS_PORT
	echo "$ISSUER" >issuer
	: >requests
	mode good
	publish one
	bg env PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$TOP/tests/jwks_server.py" serve "$JWKS_PORT" good.crt good.key 2>/dev/null
	JWKS_PID=$bg_pid
	wait_for 10 port_open "$JWKS_PORT"
}
