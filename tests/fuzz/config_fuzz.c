/*
 * config_fuzz.c - a file parsed, formatted and parsed again is the same
 */
#include "config/config.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
need(bool holds)
{
	if (!holds)
		abort();
}

static void
check_item(const struct config_item *item)
{
	need(item->section.n > 0 && item->section.n <= CONFIG_KEY_MAX);
	need(item->name.n <= CONFIG_NAME_MAX);
	need(item->has_name || item->name.n == 0);
	need(item->value.n <= CONFIG_LINE_MAX);
	need(!bytes_has_nul(item->value) && !bytes_has_nul(item->name));
	need(item->line > 0);
	need(item->header ? item->key.n == 0
	    : item->key.n > 0 && item->key.n <= CONFIG_KEY_MAX);
}

static void
check_same(const struct config_item *x, const struct config_item *y)
{
	need(bytes_eq(x->section, y->section) && bytes_eq(x->name, y->name));
	need(bytes_eq(x->key, y->key) && bytes_eq(x->value, y->value));
	need(x->has_name == y->has_name && x->header == y->header);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_problems problems = { .first = NULL };
	struct config_problem *p;
	struct config_item *x, *y;
	struct arena a = ARENA_INIT;
	struct buf text = BUF_INIT(4 * CONFIG_FILE_MAX);
	size_t i, n, m, errors = 0;

	config_parse(&a, "fuzz", bytes_of(data, size), &x, &n, &problems);
	for (p = problems.first; p != NULL; p = p->next) {
		need(!p->warning && p->text[0] != '\0');
		errors++;
	}
	need(errors == problems.errors && problems.warnings == 0);
	for (i = 0; i < n; i++)
		check_item(&x[i]);
	/* An item after a skipped section header is never in another. */
	need(n == 0 || x[0].header);
	need(config_format(&text, x, n) == 0);
	errors = problems.errors;
	config_parse(&a, "fuzz", buf_bytes(&text), &y, &m, &problems);
	need(problems.errors == errors && m == n);
	for (i = 0; i < n; i++)
		check_same(&x[i], &y[i]);
	buf_free(&text);
	arena_free(&a);
	return 0;
}
