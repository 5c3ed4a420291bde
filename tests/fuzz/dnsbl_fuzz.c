/*
 * Answers of zones: whatever the A and TXT look-ups bring, a listing is in
 * 127.0.0.0/8, the explanation is printable and bounded, and the resinfo made
 * of both reads back as what it was made of.
 *
 * Input: a byte that says where the answer to TXT begins, in steps of 4; both
 * answers stand behind the id, flags and question of a fixed query.
 */
#include <stdlib.h>
#include <sys/socket.h>

#include "dnsbl/dnsbl.h"
#include "trace/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool good)
{
	if (!good)
		abort();
}

/* An answer to (1, type, "a.example") whose counts and records are data. */
static enum dns_parsed
parse(struct arena *a, enum dns_type type, struct bytes data,
    struct dns_answer *out)
{
	static const unsigned char head[] = { 0, 1, 0x81, 0x80, 0, 1 };
	struct buf b = BUF_INIT(65535);
	enum dns_parsed r;

	check(buf_add(&b, bytes_of(head, sizeof(head))) == 0);
	check(buf_add(&b, bytes_first(data, 6)) == 0);
	while (b.n < 12)
		check(buf_addc(&b, 0) == 0);
	check(buf_add(&b, bytes_of("\1a\7example\0\0", 12)) == 0);
	check(buf_addc(&b, type) == 0);
	check(buf_add(&b, bytes_of("\0\1", 2)) == 0);
	(void)buf_add(&b, bytes_from(data, data.n < 6 ? data.n : 6));
	*out = (struct dns_answer){ .status = DNS_TEMP, .why = "no answer" };
	r = dns_parse(buf_bytes(&b), 1, type, BYTES("a.example"), a, out);
	buf_free(&b);
	return r;
}

static void
check_resinfo(struct arena *a, const struct dnsbl_answer *answer)
{
	const struct dnsbl r = { answer->result, answer, 1 };
	struct buf b = BUF_INIT(4096);
	struct trace_resinfo parsed;
	struct bytes value = BYTES_EMPTY;

	check(dnsbl_format_resinfo(&b, &r) == 0);
	check(trace_resinfo_parse(a, buf_bytes(&b), &parsed) == 0);
	check(bytes_eq(parsed.result,
	    bytes_str(dnsbl_result_name(r.result))));
	if (answer->result == DNSBL_FAIL) {
		check(trace_resinfo_get(&parsed, "policy", "txt", &value) ==
		    (answer->text.n > 0));
		check(bytes_eq(value, answer->text));
	}
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dnsbl_answer answer = { .zone = BYTES("bl.example"),
	    .why = "" };
	struct bytes all = bytes_of(data, size);
	struct arena a = ARENA_INIT;
	struct dns_answer got, txt;
	size_t at;

	if (size < 1)
		return 0;
	at = (size_t)bytes_next(&all) * 4;
	(void)parse(&a, DNS_A, bytes_first(all, at), &got);
	(void)parse(&a, DNS_TXT, bytes_from(all, at < all.n ? at : all.n),
	    &txt);
	answer.result = dnsbl_judge(&got, &answer.code, &answer.why);
	answer.text = dnsbl_text(&a, &txt);
	check(answer.text.n <= DNSBL_TEXT_MAX);
	for (size_t i = 0; i < answer.text.n; i++)
		check(answer.text.p[i] >= 0x20 && answer.text.p[i] < 0x7f);
	if (answer.result == DNSBL_FAIL)
		check(answer.code.family == AF_INET && answer.code.a[0] == 127);
	else
		check(answer.result == DNSBL_PASS || answer.why[0] != '\0');
	check_resinfo(&a, &answer);
	arena_free(&a);
	return 0;
}
