#include <errno.h>
#include <unistd.h>

#include "arc/arc.h"
#include "config/config.h"
#include "dkim/dkim.h"
#include "mime/mime.h"
#include "stage/stage.h"
#include "submit/submit.h"

static const char usage[] = "usage: arc-seal [-a authserv-id] [-f fields] "
    "[-k file] [-s selector] [-T time] -d domain < message";

#define MESSAGE_MAX ((size_t)1 << 30)

struct options {
	struct arc_sealer sealer;
	struct bytes authserv_id;
	const char *key_file;
};

static void
parse_options(int argc, char *argv[], struct arena *a, struct options *o)
{
	uint64_t now;
	int c;

	while ((c = getopt(argc, argv, "a:d:f:k:s:T:")) != -1) {
		switch (c) {
		case 'a':
			o->authserv_id = bytes_str(optarg);
			break;
		case 'd':
			o->sealer.domain = bytes_str(optarg);
			break;
		case 'f':
			o->sealer.fields = dkim_names(a, bytes_str(optarg),
			    &o->sealer.field_count);
			break;
		case 'k':
			o->key_file = optarg;
			break;
		case 's':
			o->sealer.selector = bytes_str(optarg);
			break;
		case 'T':
			if (num_parse(bytes_str(optarg), 0, 999999999999,
			    &now) == -1)
				msg_die(EXIT_PERM, "bad time: %s", optarg);
			o->sealer.now = (int64_t)now;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	if (optind != argc || o->sealer.domain.n == 0)
		msg_die(EXIT_PERM, "%s", usage);
	if (o->key_file != NULL && o->sealer.selector.n == 0)
		msg_die(EXIT_PERM, "-k needs -s");
}

/* What the resinfo arc= says; -1: nothing we know. */
static int
chain_result(struct bytes resinfo, enum arc_result *out)
{
	static const enum arc_result all[] = { ARC_NONE, ARC_PASS, ARC_FAIL };
	struct bytes word;
	size_t i;

	if (!bytes_caseskip(&resinfo, BYTES("arc=")) ||
	    !bytes_word(&resinfo, &word))
		return -1;
	for (i = 0; i < sizeof all / sizeof all[0]; i++) {
		if (bytes_caseeq(word, bytes_str(arc_result_text(all[i])))) {
			*out = all[i];
			return 0;
		}
	}
	return -1;
}

/*
 * Results and chain from the trusted block in front of the message: what was
 * found when it came, whatever was done to it since.
 */
static void
take_results(struct arena *a, struct options *o, struct bytes message)
{
	struct trace_block block = { .received = BYTES_EMPTY };
	struct buf b = BUF_INIT(TRACE_RESULTS_MAX);
	struct bytes rest, name;
	bool found = false;
	size_t i;

	if (trace_block_parse(a, message, o->authserv_id, BYTES_EMPTY, &block,
	    &rest) != 1 || !block.has_results)
		msg_die(EXIT_PERM, "message has no results of ours: it must "
		    "come from arc-verify");
	for (i = 0; i < block.nresinfo && !found; i++)
		found = chain_result(block.resinfo[i], &o->sealer.chain) == 0;
	if (!found)
		msg_die(EXIT_PERM, "results of ours have no arc=: the message "
		    "must come from arc-verify");
	if (trace_results(&b, o->authserv_id, block.resinfo,
	    block.nresinfo) == -1)
		msg_die(EXIT_PERM, "results are too long");
	rest = arena_bytes(a, buf_bytes(&b));
	(void)bytes_split(&rest, ':', &name);	/* it is a field */
	o->sealer.results = bytes_trim(rest);
	buf_free(&b);
}

static int
seal(struct arena *a, struct options *o, const struct config *c,
    struct bytes message, struct buf *out, const char **why)
{
	struct submit_keys *keys;
	struct dkim_key *key;
	int r, err;

	if (o->key_file == NULL) {
		if (c == NULL)
			msg_die(EXIT_TEMP, "no configuration and no -k");
		keys = submit_keys_open(c);
		r = submit_seal(keys, a, o->sealer.domain, o->sealer.selector,
		    message, &o->sealer, out, why);
		err = errno;
		submit_keys_close(keys);
		errno = err;
		return r;
	}
	key = dkim_key_open(o->key_file, why);
	if (key == NULL)
		msg_die(exit_for(errno), "cannot read key %s: %s",
		    o->key_file, *why);
	o->sealer.key = key;
	r = arc_seal(a, message, &o->sealer, out, why);
	err = errno;
	dkim_key_free(key);
	errno = err;
	return r;
}

int
main(int argc, char *argv[])
{
	struct options o = { .authserv_id = BYTES_EMPTY,
	    .sealer = { .domain = BYTES_EMPTY, .selector = BYTES_EMPTY } };
	struct buf in = BUF_INIT(MESSAGE_MAX), lf = BUF_INIT(MESSAGE_MAX);
	struct buf out = BUF_INIT(MESSAGE_MAX);
	struct arena a = ARENA_INIT;
	struct config *c;
	const char *why = "";

	msg_init("arc-seal");
	o.sealer.now = time_wall_us() / 1000000;
	parse_options(argc, argv, &a, &o);
	c = config_open();
	if (o.authserv_id.n == 0)
		o.authserv_id = stage_options_new(&a, c, "smtp-in")->hostname;
	if (io_read_all(STDIN_FILENO, &in, DEADLINE_NONE) == -1 ||
	    mime_add_lf(&lf, buf_bytes(&in)) == -1)
		msg_diesys(exit_for(errno), "cannot read message");
	take_results(&a, &o, buf_bytes(&lf));
	if (seal(&a, &o, c, buf_bytes(&lf), &out, &why) == -1)
		msg_die(errno == ENOENT || errno == EACCES ? EXIT_PERM
		    : exit_for(errno), "cannot seal message: %s", why);
	if (buf_add(&out, buf_bytes(&lf)) == -1 ||
	    io_write_all(STDOUT_FILENO, buf_bytes(&out), DEADLINE_NONE) == -1)
		msg_diesys(EXIT_TEMP, "cannot write message");
	config_close(c);
	buf_free(&in);
	buf_free(&lf);
	buf_free(&out);
	arena_free(&a);
	return EXIT_YES;
}
