/*
 * opendkim_oracle.c - sign and verify with libopendkim, to compare with
 *
 *	opendkim_oracle sign DOMAIN SELECTOR KEYFILE HEADER BODY ALGORITHM
 *	    FILE...
 *	opendkim_oracle verify RECORDS FILE...
 *
 * FILEs are messages with CRLF. sign writes FILE.oracle; HEADER and BODY are
 * simple or relaxed, ALGORITHM rsa or ed25519. verify prints a line "FILE
 * pass" or "FILE fail" for the top signature of each; RECORDS holds lines
 * "NAME RECORD". Only for messages of tests: the library must not meet
 * strangers' bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#include <opendkim/dkim.h>

#define RECORDS_MAX 32
#define SIZE_LIMIT (1 << 20)

static struct {
	char name[256], text[2048];
} record[RECORDS_MAX];
static size_t records;

static void
die(const char *what)
{
	fprintf(stderr, "opendkim_oracle: %s\n", what);
	exit(111);
}

static size_t
read_file(const char *path, char *out, size_t size)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	if (f == NULL)
		die(path);
	n = fread(out, 1, size, f);
	if (ferror(f) || n == size)
		die(path);
	fclose(f);
	out[n] = '\0';
	return n;
}

static void
read_records(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[2400], *space;

	if (f == NULL)
		die(path);
	while (fgets(line, sizeof line, f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		space = strchr(line, ' ');
		if (space == NULL || records == RECORDS_MAX)
			die(path);
		*space = '\0';
		snprintf(record[records].name, sizeof record[0].name, "%s",
		    line);
		snprintf(record[records].text, sizeof record[0].text, "%s",
		    space + 1);
		records++;
	}
	fclose(f);
}

static DKIM_CBSTAT
look_up(DKIM *d, DKIM_SIGINFO *sig, u_char *out, size_t size)
{
	char name[600];
	size_t i;

	(void)d;
	snprintf(name, sizeof name, "%s._domainkey.%s",
	    (const char *)dkim_sig_getselector(sig),
	    (const char *)dkim_sig_getdomain(sig));
	for (i = 0; i < records; i++) {
		if (strcasecmp(record[i].name, name) == 0) {
			snprintf((char *)out, size, "%s", record[i].text);
			return DKIM_CBSTAT_CONTINUE;
		}
	}
	return DKIM_CBSTAT_NOTFOUND;
}

static DKIM_STAT
feed(DKIM *d, char *message, size_t n)
{
	DKIM_STAT st = dkim_chunk(d, (u_char *)message, n);

	if (st == DKIM_STAT_OK)
		st = dkim_chunk(d, NULL, 0);
	return st == DKIM_STAT_OK ? dkim_eom(d, NULL) : st;
}

static void
verify(DKIM_LIB *lib, const char *path, char *message)
{
	size_t n = read_file(path, message, SIZE_LIMIT);
	DKIM_SIGINFO **sig;
	DKIM_STAT st;
	DKIM *d = dkim_verify(lib, (const u_char *)"test", NULL, &st);
	int count = 0, pass;

	if (d == NULL)
		die("dkim_verify");
	(void)feed(d, message, n);
	pass = dkim_getsiglist(d, &sig, &count) == DKIM_STAT_OK && count > 0 &&
	    (dkim_sig_getflags(sig[0]) & DKIM_SIGFLAG_PASSED) != 0 &&
	    dkim_sig_getbh(sig[0]) == DKIM_SIGBH_MATCH;
	printf("%s %s\n", path, pass ? "pass" : "fail");
	dkim_free(d);
}

static void
sign(DKIM_LIB *lib, char *argv[], const char *key, const char *path,
    char *message)
{
	size_t n = read_file(path, message, SIZE_LIMIT);
	u_char field[8192];
	char out[4096];
	DKIM_STAT st;
	DKIM *d;
	FILE *f;

	d = dkim_sign(lib, (const u_char *)"test", NULL, (u_char *)key,
	    (u_char *)argv[3], (u_char *)argv[2],
	    strcmp(argv[5], "simple") == 0 ? DKIM_CANON_SIMPLE
	    : DKIM_CANON_RELAXED, strcmp(argv[6], "simple") == 0
	    ? DKIM_CANON_SIMPLE : DKIM_CANON_RELAXED,
	    strcmp(argv[7], "rsa") == 0 ? DKIM_SIGN_RSASHA256
	    : DKIM_SIGN_ED25519SHA256, -1, &st);
	if (d == NULL || feed(d, message, n) != DKIM_STAT_OK ||
	    dkim_getsighdr(d, field, sizeof field, 16) != DKIM_STAT_OK)
		die("dkim_sign");
	if ((size_t)snprintf(out, sizeof out, "%s.oracle", path) >= sizeof out)
		die(path);
	f = fopen(out, "wb");
	if (f == NULL || fprintf(f, "DKIM-Signature: %s\r\n",
	    (char *)field) < 0 || fwrite(message, 1, n, f) != n ||
	    fclose(f) != 0)
		die(out);
	dkim_free(d);
}

int
main(int argc, char *argv[])
{
	static char message[SIZE_LIMIT], key[8192];
	DKIM_LIB *lib = dkim_init(NULL, NULL);
	int i;

	if (lib == NULL)
		die("dkim_init");
	if (argc > 8 && strcmp(argv[1], "sign") == 0) {
		(void)read_file(argv[4], key, sizeof key);
		for (i = 8; i < argc; i++)
			sign(lib, argv, key, argv[i], message);
	} else if (argc > 3 && strcmp(argv[1], "verify") == 0) {
		read_records(argv[2]);
		if (dkim_set_key_lookup(lib, look_up) != DKIM_STAT_OK)
			die("dkim_set_key_lookup");
		for (i = 3; i < argc; i++)
			verify(lib, argv[i], message);
	} else {
		die("usage: sign ... | verify ...");
	}
	dkim_close(lib);
	return 0;
}
