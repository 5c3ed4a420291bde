/*
 * tickets.c - logins on their way from one process to the next
 *
 * A table in the memory of auth-serve. A ticket is bound to its account,
 * good for one redemption within a minute, and says nothing by itself.
 */
#include "sasl/sasl.h"

#include <stdlib.h>

#include "os/os.h"

struct ticket {
	int64_t until_ms;		/* 0: free */
	char text[SASL_TICKET_CHARS];
	char account[SASL_ACCOUNT_MAX + 1];
};

struct sasl_tickets {
	struct ticket t[SASL_TICKETS_MAX];
};

struct sasl_tickets *
sasl_tickets_new(void)
{
	return mem_zalloc(1, sizeof(struct sasl_tickets));
}

void
sasl_tickets_free(struct sasl_tickets *t)
{
	if (t == NULL)
		return;
	secret_wipe(t, sizeof(*t));
	free(t);
}

bool
sasl_tickets_issue(struct sasl_tickets *t, const char *account,
    int64_t now_ms, char ticket[SASL_TICKET_CHARS + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char random[SASL_TICKET_CHARS / 2];
	struct ticket *e = NULL;
	size_t i;

	for (i = 0; i < SASL_TICKETS_MAX && e == NULL; i++) {
		if (t->t[i].until_ms <= now_ms)
			e = &t->t[i];
	}
	if (e == NULL || strlen(account) > SASL_ACCOUNT_MAX)
		return false;
	os_random(random, sizeof(random));
	for (i = 0; i < sizeof(random); i++) {
		ticket[2 * i] = digits[random[i] >> 4];
		ticket[2 * i + 1] = digits[random[i] & 15];
	}
	ticket[SASL_TICKET_CHARS] = '\0';
	memcpy(e->text, ticket, SASL_TICKET_CHARS);
	memcpy(e->account, account, strlen(account) + 1);
	e->until_ms = now_ms + SASL_TICKET_SECONDS * 1000;
	secret_wipe(random, sizeof(random));
	return true;
}

bool
sasl_tickets_redeem(struct sasl_tickets *t, struct bytes ticket,
    int64_t now_ms, char account[SASL_ACCOUNT_MAX + 1])
{
	struct ticket *found = NULL;
	size_t i;

	if (ticket.n != SASL_TICKET_CHARS)
		return false;
	for (i = 0; i < SASL_TICKETS_MAX; i++) {
		struct ticket *e = &t->t[i];

		/* The time this takes tells how many there are, no more. */
		if (e->until_ms > now_ms && bytes_equal_secret(
		    bytes_of(e->text, SASL_TICKET_CHARS), ticket))
			found = e;
	}
	if (found == NULL)
		return false;
	memcpy(account, found->account, sizeof(found->account));
	secret_wipe(found, sizeof(*found));
	return true;
}
