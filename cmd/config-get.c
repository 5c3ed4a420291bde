/*
 * config-get - print values of the compiled configuration
 */
#include "base/base.h"
#include "config/config.h"
#include "json/json.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static const char usage[] =
    "usage: config-get [-j] -l | section [name] key";

#define OUT_BYTES 65536

struct output {
	struct writer w;
	bool json;
	unsigned char space[OUT_BYTES];
};

/* Of a value that is no longer than the line it was written in. */
#define QUOTED_MAX ((size_t)6 * CONFIG_LINE_MAX + 2)

static void
add_json(struct output *out, struct bytes s)
{
	struct buf b = BUF_INIT(QUOTED_MAX);

	if (json_quote(&b, s) == -1)
		msg_diesys(exit_for(errno), "cannot print value");
	writer_add(&out->w, buf_bytes(&b));
	buf_free(&b);
}

static void
add_record(struct output *out, const struct config_entry *e,
    struct bytes value)
{
	const struct bytes fields[] = { e->section, e->name, e->key, value };
	static const char *const names[] = { "section", "name", "key",
	    "value" };
	size_t i;

	for (i = 0; i < 4; i++) {
		if (out->json) {
			writer_printf(&out->w, "%s\"%s\":", i == 0 ? "{" : ",",
			    names[i]);
			add_json(out, fields[i]);
		} else {
			writer_adds(&out->w, i == 0 ? "" : "\t");
			writer_add(&out->w, fields[i]);
		}
	}
	writer_adds(&out->w, out->json ? "}\n" : "\n");
}

static void
list_all(const struct config *c, struct output *out)
{
	struct config_walk walk = { 0 };
	struct config_entry e;
	struct bytes value;
	int r;

	while ((r = config_walk_next(c, &walk, &e)) == 1) {
		while (config_list_next(&e.values, &value))
			add_record(out, &e, value);
	}
	if (r == -1)
		msg_diesys(exit_for(errno), "cannot list configuration");
}

static bool
print_values(const struct config *c, struct output *out, const char *section,
    const char *name, const char *key)
{
	struct config_list list;
	struct bytes value;
	bool any = false;

	config_list(c, section, name, key, &list);
	while (config_list_next(&list, &value)) {
		if (out->json)
			add_json(out, value);
		else
			writer_add(&out->w, value);
		writer_adds(&out->w, "\n");
		any = true;
	}
	return any;
}

static int
run(struct output *out, bool all, char *const *args, int count)
{
	struct config *c;
	bool any = true;

	if (!all && config_key_find(bytes_str(args[0]),
	    bytes_str(args[count - 1])) == NULL)
		msg_die(EXIT_PERM, "there is no key %s in [%s]: config-compile "
		    "-k lists all", args[count - 1], args[0]);
	if ((c = config_open()) == NULL)
		msg_die(exit_for(errno), "cannot open configuration in "
		    "%s: %s", dir_var(), config_reason(errno));
	if (all)
		list_all(c, out);
	else
		any = print_values(c, out, args[0],
		    count == 3 ? args[1] : NULL, args[count - 1]);
	config_close(c);
	if (writer_flush(&out->w) == -1)
		msg_diesys(exit_for(errno), "cannot write values");
	return any ? EXIT_YES : EXIT_NO;
}

int
main(int argc, char *argv[])
{
	struct output out = { .json = false };
	bool all = false;
	int c;

	msg_init("config-get");
	while ((c = getopt(argc, argv, "jl")) != -1) {
		switch (c) {
		case 'j':
			out.json = true;
			break;
		case 'l':
			all = true;
			break;
		default:
			msg_die(EXIT_PERM, "%s", usage);
		}
	}
	argc -= optind;
	argv += optind;
	if (all ? argc != 0 : (argc != 2 && argc != 3))
		msg_die(EXIT_PERM, "%s", usage);
	writer_init(&out.w, STDOUT_FILENO, out.space, sizeof(out.space));
	return run(&out, all, argv, argc);
}
