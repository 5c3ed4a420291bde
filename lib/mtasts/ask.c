/*
 * ask.c - the protocol of run/mtasts, both halves
 *
 * Request: the domain and LF. Answer: VERDICT SP RESULT SP LENGTH LF, a line
 * for people, and LENGTH bytes of policy. Then the service closes.
 */
#include "mtasts/internal.h"

#include <errno.h>
#include <unistd.h>

#include "os/os.h"

#define WHY_MAX 512

static const char *const verdict_names[] = { "absent", "policy", "defer" };

int
mtasts_answer_format(const struct mtasts_decision *d, struct buf *out)
{
	struct buf text = BUF_INIT(MTASTS_ANSWER_MAX), why = BUF_INIT(WHY_MAX);
	int r = 0;

	if (d->verdict == MTASTS_POLICY)
		r = mtasts_policy_format(&d->policy, &text);
	/* Cut at the limit: it is for people. */
	(void)msg_escape(&why, bytes_first(bytes_str(d->why), WHY_MAX / 4));
	if (r == 0)
		r = buf_printf(out, "%s %s %zu\n%.*s\n",
		    verdict_names[d->verdict], tlsresult_name(d->result),
		    text.n, (int)why.n, why.n == 0 ? "" : (char *)why.p);
	if (r == 0)
		r = buf_add(out, buf_bytes(&text));
	buf_free(&text);
	buf_free(&why);
	return r;
}

static int
bad(const char **why, const char *text)
{
	*why = text;
	errno = EBADMSG;
	return -1;
}

static bool
find_verdict(struct bytes name, enum mtasts_verdict *out)
{
	int i;

	for (i = MTASTS_ABSENT; i <= MTASTS_DEFER; i++) {
		if (bytes_eq(name, bytes_str(verdict_names[i]))) {
			*out = (enum mtasts_verdict)i;
			return true;
		}
	}
	return false;
}

/* The line with LF taken off; one without LF is none. */
static bool
whole_line(struct bytes *s, struct bytes *line)
{
	return bytes_split(s, '\n', line);
}

int
mtasts_answer_parse(struct bytes text, struct arena *a,
    struct mtasts_decision *out, const char **why)
{
	struct mtasts_decision d = { .why = "" };
	struct bytes head, reason, word;
	uint64_t length;

	if (!whole_line(&text, &head) || !whole_line(&text, &reason))
		return bad(why, "the answer is cut off");
	if (!bytes_split(&head, ' ', &word) ||
	    !find_verdict(word, &d.verdict))
		return bad(why, "unknown verdict");
	if (!bytes_split(&head, ' ', &word) ||
	    tlsresult_find(word, &d.result) == -1)
		return bad(why, "unknown result");
	if (num_parse(head, 0, MTASTS_ANSWER_MAX, &length) == -1 ||
	    length != text.n)
		return bad(why, "the length of the policy is wrong");
	if (bytes_has_nul(reason))
		return bad(why, "the reason holds a NUL");
	if ((d.verdict == MTASTS_POLICY) != (text.n > 0))
		return bad(why, "the verdict and the policy disagree");
	if (text.n > 0 && mtasts_policy_read(text, a, &d.policy, why) == -1)
		return -1;
	d.why = arena_str(a, reason);
	*out = d;
	return 0;
}

static int
exchange(int fd, struct bytes domain, struct buf *answer, int64_t deadline)
{
	struct buf b = BUF_INIT(DNS_NAME_MAX + 2);
	int r;

	r = buf_printf(&b, "%.*s\n", BYTES_ARG(domain));
	if (r == 0)
		r = io_write_all(fd, buf_bytes(&b), deadline);
	if (r == 0)
		r = io_read_all(fd, answer, deadline);
	buf_free(&b);
	return r;
}

int
mtasts_ask(struct arena *a, struct bytes domain, int64_t deadline,
    struct mtasts_decision *out)
{
	struct buf answer = BUF_INIT(MTASTS_ANSWER_MAX + 2 * WHY_MAX);
	const char *path = arena_printf(a, "%s/mtasts", dir_run()), *why;
	size_t i;
	int fd;

	if (!dns_name_valid(domain) || bytes_chr(domain, '\n', &i)) {
		errno = EINVAL;
		return -1;
	}
	*out = (struct mtasts_decision){ .verdict = MTASTS_DEFER,
	    .result = TLSRESULT_SUCCESS,
	    .why = "mtasts-serve does not answer" };
	if ((fd = os_connect_unix(path, deadline)) != -1) {
		if (exchange(fd, domain, &answer, deadline) == 0 &&
		    mtasts_answer_parse(buf_bytes(&answer), a, out,
		    &why) == -1)
			out->why = "mtasts-serve answers out of form";
		(void)close(fd);	/* all was said */
	}
	buf_free(&answer);
	return 0;
}
