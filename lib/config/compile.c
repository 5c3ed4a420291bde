/*
 * compile.c - from the text files to config.cdb
 */
#include "config/internal.h"

int
config_compile(struct arena *a, const char *etc_dir, const char *var_dir,
    bool check_only, struct config_problems *problems, const char **failed)
{
	struct source s = { .a = a, .problems = problems };
	struct config_writer w = { -1, -1 };
	const char *at = etc_dir;
	int r = -1;

	/* Before the first file is read, so that of two runs at a time the
	 * later one has read the later text. */
	if (!check_only && config_writer_open(&w, var_dir) == -1) {
		at = arena_printf(a, "%s/" CONFIG_FILE_NAME, var_dir);
	} else if (config_source_read(&s, etc_dir) == -1) {
		at = arena_printf(a, "%s/%s", etc_dir, s.failed);
	} else {
		config_source_check(&s);
		if (problems->errors > 0) {
			errno = EBADMSG;
		} else if (check_only) {
			r = 0;
		} else {
			at = arena_printf(a, "%s/" CONFIG_FILE_NAME, var_dir);
			r = config_writer_commit(&w, &s);
		}
	}
	config_writer_close(&w);
	if (r == -1 && failed != NULL)
		*failed = at;
	return r;
}
