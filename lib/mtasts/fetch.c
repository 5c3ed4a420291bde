/* fetch.c - the policy by way of mtasts-fetch(1), a process of its own */
#include "mtasts/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* It has its own time limit: this one is for when that fails. */
#define GRACE_MS 5000
#define WHY_MAX 300

static char **
environment(struct arena *a)
{
	static const char *const names[] = { "PIPEMAIL_CA_FILE",
		"PIPEMAIL_MTASTS_PORT" };
	const char *extra[3], *v;
	size_t i, n = 0;

	for (i = 0; i < 2; i++) {
		if ((v = env_get(names[i])) != NULL)
			extra[n++] = arena_printf(a, "%s=%s", names[i], v);
	}
	extra[n] = NULL;
	return env_clean(a, extra);
}

/* What the program wrote; its exit code, or -1: it was not started. */
static int
run(struct arena *a, struct bytes domain, struct buf *out)
{
	int64_t deadline = deadline_in(MTASTS_FETCH_MS + GRACE_MS);
	char *argv[] = { "mtasts-fetch", "--", arena_str(a, domain), NULL };
	struct spawn s = { .argv = argv, .env = environment(a),
	    .fd = { -1, -1, STDERR_FILENO } };
	int fds[2], code;
	pid_t pid;
	bool whole;

	if (argv[2] == NULL || pipe2(fds, O_CLOEXEC) == -1)
		return -1;
	s.fd[1] = fds[1];
	pid = spawn_start(&s);
	(void)close(fds[1]);	/* nothing was written through it here */
	whole = pid != -1 && io_read_all(fds[0], out, deadline) == 0;
	(void)close(fds[0]);	/* read from only */
	if (pid == -1)
		return -1;
	if (!whole)
		deadline = deadline_in(0);
	code = spawn_wait(pid, false, deadline, NULL);
	return whole ? code : EXIT_TEMP;
}

/* "sts-webpki-invalid" TAB "why" LF. */
static bool
read_failure(struct bytes line, struct arena *a, enum tlsresult *result,
    const char **why)
{
	struct bytes name;

	line = bytes_trim(bytes_first(line, WHY_MAX));
	if (!bytes_split(&line, '\t', &name) ||
	    tlsresult_find(name, result) == -1 ||
	    *result < TLSRESULT_STS_POLICY_FETCH_ERROR || bytes_has_nul(line))
		return false;
	*why = arena_str(a, line);
	return true;
}

int
mtasts_fetch(void *ctx, struct arena *a, struct bytes domain,
    struct bytes *text, enum tlsresult *result, const char **why)
{
	struct buf out = BUF_INIT(MTASTS_POLICY_MAX + 1);
	int code = run(a, domain, &out), r = -1;

	(void)ctx;
	if (code == EXIT_YES && out.n <= MTASTS_POLICY_MAX) {
		*text = arena_bytes(a, buf_bytes(&out));
		r = 0;
	} else if (code != EXIT_NO ||
	    !read_failure(buf_bytes(&out), a, result, why)) {
		*result = TLSRESULT_STS_POLICY_FETCH_ERROR;
		*why = "mtasts-fetch failed";
	}
	buf_free(&out);
	return r;
}
