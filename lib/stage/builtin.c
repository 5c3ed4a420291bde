/*
 * builtin.c - the stages that run in process
 *
 * Apart from the stages themselves, so that a command links with its own
 * check only.
 */
#include "stage/stage.h"

static const struct stage_builtin *const builtins[] = {
	&stage_iprev,
	&stage_spf,
	&stage_dkim,
	&stage_arc,
	&stage_dmarc,
	&stage_dnsbl,
};

const struct stage_builtin *
stage_builtin_find(struct bytes name)
{
	for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++) {
		if (bytes_eq(name, bytes_str(builtins[i]->name)))
			return builtins[i];
	}
	return NULL;
}
