/*
 * order.c - in which order the addresses of a host are tried
 */
#include "dial/dial.h"

#include <sys/socket.h>

/* What earlier attempts say of one host. */
struct history {
	struct ip last;			/* family 0: never dialled */
	size_t count[2];		/* IPv4, IPv6 */
	struct ip last_of[2];
};

static void
read_history(struct bytes dialled, struct bytes host, struct history *h)
{
	struct bytes line, name;
	struct ip ip;
	size_t at;

	*h = (struct history){ .last = { .family = 0 } };
	while (bytes_line(&dialled, &line)) {
		if (!bytes_word(&line, &name) || !dns_name_eq(name, host) ||
		    ip_parse(bytes_trim(line), &ip) == -1)
			continue;
		at = ip.family == AF_INET6 ? 1 : 0;
		h->count[at]++;
		h->last_of[at] = h->last = ip;
	}
}

static void
swap(struct ip *a, struct ip *b)
{
	struct ip keep = *a;

	*a = *b;
	*b = keep;
}

void
dial_order(struct bytes dialled, struct bytes host, struct ip *ips,
    size_t count, uint32_t (*next)(void *ctx, uint32_t below), void *ctx)
{
	struct history h;
	size_t i, n = 0;
	int first = AF_INET6;

	read_history(dialled, host, &h);
	if (h.last.family != 0)
		first = h.last.family == AF_INET6 ? AF_INET : AF_INET6;
	for (i = count; i > 1; i--)
		swap(&ips[i - 1], &ips[next(ctx, (uint32_t)i)]);
	for (i = 0; i < count; i++) {
		if (ips[i].family == first)
			swap(&ips[n++], &ips[i]);
	}
	for (i = 0; i < count; i++) {
		size_t at = ips[i].family == AF_INET6 ? 1 : 0;

		if (h.count[at] == 1 && ip_eq(&ips[i], &h.last_of[at]))
			swap(&ips[i], &ips[ips[i].family == first ? 0 : n]);
	}
}

struct bytes
dial_note(struct arena *a, struct bytes dialled, struct bytes host,
    const struct ip *ip)
{
	struct bytes rest = dialled, line;
	char text[IP_TEXT_MAX];
	size_t lines = 0;

	while (bytes_line(&rest, &line))
		lines++;
	for (; lines >= DIAL_DIALLED_MAX; lines--)
		(void)bytes_line(&dialled, &line);	/* dropped */
	return bytes_str(arena_printf(a, "%.*s%.*s %s\n", BYTES_ARG(dialled),
	    BYTES_ARG(host), ip_format(ip, text)));
}
