/*
 * list.c - stage lists as configuration gives them
 */
#include "stage/stage.h"

#include <errno.h>

static int
add_item(struct stage_list *list, struct bytes word, const char **why)
{
	struct stage_item item = { NULL, BYTES_EMPTY };

	if (list->n == STAGE_LIST_MAX) {
		*why = "too many stages";
		errno = EMSGSIZE;
		return -1;
	}
	if (bytes_at(word, 0) == '/' || bytes_at(word, 0) == '|') {
		if (bytes_has_nul(word) || bytes_trim(word).n == 1) {
			*why = "a stage is an empty command";
			errno = EBADMSG;
			return -1;
		}
		item.command = word;
		list->has_filters = true;
	} else if ((item.builtin = stage_builtin_find(word)) == NULL) {
		*why = "a stage is no builtin, no absolute path "
		    "and no |command";
		errno = EBADMSG;
		return -1;
	}
	list->item[list->n++] = item;
	return 0;
}

int
stage_list_parse(struct arena *a, const struct bytes *values, size_t n,
    struct stage_list *list, const char **why)
{
	struct stage_list l = { 0 };
	struct bytes value, word;

	l.item = arena_zalloc(a, STAGE_LIST_MAX, sizeof(*l.item));
	for (size_t i = 0; i < n; i++) {
		value = bytes_trim(values[i]);
		if (bytes_at(value, 0) == '|') {
			if (add_item(&l, value, why) == -1)
				return -1;
			continue;
		}
		while (bytes_word(&value, &word)) {
			if (add_item(&l, word, why) == -1)
				return -1;
		}
	}
	*list = l;
	return 0;
}
