/*
 * opendmarc_oracle.c - judge by libopendmarc, to compare with
 *
 *	opendmarc_oracle SUFFIXES < cases
 *
 * A case is a line of tab separated columns: From domain, organisational
 * domain if the record is found there (else "-"), the record, SPF domain, its
 * result, DKIM domain and its result ("-": none). Results are pass or fail.
 * Prints "pass", or "fail" and what the owner asks for. Only for records of
 * tests: the library must not meet strangers' bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <opendmarc/dmarc.h>

enum { FROM, ORG, RECORD, SPF, SPF_RESULT, DKIM, DKIM_RESULT, COLUMNS };

static void
die(const char *what)
{
	fprintf(stderr, "opendmarc_oracle: %s\n", what);
	exit(111);
}

static int
is_pass(const char *s)
{
	return strcmp(s, "pass") == 0;
}

static unsigned char *
bytes(char *s)
{
	return (unsigned char *)s;
}

static const char *
judge(char *c[COLUMNS])
{
	static unsigned char ip[] = "192.0.2.1", none[] = "";
	int no_org = strcmp(c[ORG], "-") == 0, r;
	DMARC_POLICY_T *p;

	p = opendmarc_policy_connect_init(ip, DMARC_POLICY_IP_TYPE_IPV4);
	if (p == NULL || opendmarc_policy_store_from_domain(p,
	    bytes(c[FROM])) != DMARC_PARSE_OKAY)
		die("cannot begin");
	if (opendmarc_policy_store_dmarc(p, bytes(c[RECORD]), bytes(c[FROM]),
	    no_org ? NULL : bytes(c[ORG])) != DMARC_PARSE_OKAY)
		die("cannot read a record");
	(void)opendmarc_policy_store_spf(p, bytes(c[SPF]),
	    is_pass(c[SPF_RESULT]) ? DMARC_POLICY_SPF_OUTCOME_PASS
	    : DMARC_POLICY_SPF_OUTCOME_FAIL,
	    DMARC_POLICY_SPF_ORIGIN_MAILFROM, none);
	if (strcmp(c[DKIM], "-") != 0)
		(void)opendmarc_policy_store_dkim(p, bytes(c[DKIM]), none,
		    is_pass(c[DKIM_RESULT]) ? DMARC_POLICY_DKIM_OUTCOME_PASS
		    : DMARC_POLICY_DKIM_OUTCOME_FAIL, none);
	r = opendmarc_get_policy_to_enforce(p);
	(void)opendmarc_policy_connect_shutdown(p);
	switch (r) {
	case DMARC_POLICY_PASS:
		return "pass none";
	case DMARC_POLICY_REJECT:
		return "fail reject";
	case DMARC_POLICY_QUARANTINE:
		return "fail quarantine";
	case DMARC_POLICY_NONE:
		return "fail none";
	default:
		return "?";
	}
}

int
main(int argc, char *argv[])
{
	OPENDMARC_LIB_T lib;
	char line[4096], *c[COLUMNS], *s;
	int n;

	if (argc != 2)
		die("usage: opendmarc_oracle suffixes < cases");
	memset(&lib, 0, sizeof(lib));
	lib.tld_type = OPENDMARC_TLD_TYPE_MOZILLA;
	if (strlen(argv[1]) >= sizeof(lib.tld_source_file))
		die("name is too long");
	memcpy(lib.tld_source_file, argv[1], strlen(argv[1]) + 1);
	if (opendmarc_policy_library_init(&lib) != DMARC_PARSE_OKAY)
		die("cannot read the public suffixes");
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		for (n = 0, s = line; n < COLUMNS && s != NULL; n++) {
			c[n] = s;
			if ((s = strchr(s, '\t')) != NULL)
				*s++ = '\0';
		}
		if (n != COLUMNS)
			die("a line has too few columns");
		puts(judge(c));
	}
	return 0;
}
