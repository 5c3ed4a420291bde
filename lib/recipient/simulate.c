/*
 * simulate.c - special local parts, for trying what failures look like (O-4)
 */
#include "recipient/recipient.h"

#include <string.h>

/* Does the folded name end in that word? */
static bool
ends(struct bytes name, const char *word)
{
	return bytes_ends(name, bytes_str(word));
}

/* 400 to 599 in the last three bytes, and no digit before them; 0: none. */
static int
last_code(struct bytes name)
{
	struct bytes last = bytes_last(name, 3);
	uint64_t code;

	if (name.n < 3 || (name.n > 3 &&
	    ascii_is_digit(bytes_at(name, name.n - 4))) ||
	    num_parse(last, 400, 599, &code) == -1)
		return 0;
	return (int)code;
}

int
recipient_simulated(const struct config *c, struct bytes local_part,
    enum recipient_step step)
{
	struct arena a = ARENA_INIT;
	enum recipient_step when = RECIPIENT_MESSAGE;
	struct bytes name;
	int code;

	if (!config_get_bool(c, "server", NULL, "simulate"))
		return 0;
	name = arena_lower(&a, local_part);
	if (bytes_starts(name, BYTES("mailfrom")))
		when = RECIPIENT_MAIL;
	else if (bytes_starts(name, BYTES("rcptto")))
		when = RECIPIENT_RCPT;
	code = ends(name, "temperror") ? 451 : ends(name, "permerror") ? 550
	    : ends(name, "timeout") ? RECIPIENT_TIMEOUT : last_code(name);
	arena_free(&a);
	return when == step ? code : 0;
}

bool
recipient_simulates_hold(const struct config *c, struct bytes local_part)
{
	struct bytes rest = local_part;

	return config_get_bool(c, "server", NULL, "simulate") &&
	    bytes_caseskip(&rest, BYTES("queue"));
}
