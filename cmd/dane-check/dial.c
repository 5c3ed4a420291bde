/* dial.c - as much SMTP as it takes to see a certificate (RFC 3207) */
#include "dane_check.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "os/os.h"

#define LINE_MAX_BYTES 2048	/* a reply line; RFC 5321 4.5.3.1.5 says 512 */
#define LINES_MAX 100		/* of one reply */

struct peer {
	int fd;
	struct reader reader;
	unsigned char space[LINE_MAX_BYTES];
	int64_t deadline;
	bool starttls;		/* a line of the last reply said so */
	const char **why;
};

static int
bad(struct peer *p, const char *why)
{
	*p->why = why;
	return -1;
}

/* 1 the last line of a reply, 0 another; -1. */
static int
take_line(struct peer *p, struct bytes line, const char *code)
{
	line = bytes_trim(line);
	if (line.n < 3 || !bytes_eq(bytes_first(line, 3), bytes_str(code)))
		return bad(p, "the server refuses, or does not speak SMTP");
	if (bytes_caseeq(bytes_from(line, 4), BYTES("STARTTLS")))
		p->starttls = true;
	return bytes_at(line, 3) == '-' ? 0 : 1;
}

static int
expect(struct peer *p, const char *code)
{
	struct bytes line;
	int lines, r;

	p->starttls = false;
	for (lines = 0; lines < LINES_MAX; lines++) {
		r = reader_line(&p->reader, &line);
		if (r == 0)
			return bad(p, "the server closed the connection");
		if (r == -1)
			return bad(p, errno == ETIMEDOUT
			    ? "the server did not answer in time"
			    : "the server's reply cannot be read");
		if ((r = take_line(p, line, code)) != 0)
			return r == 1 ? 0 : -1;
	}
	return bad(p, "the server's reply does not end");
}

static int
say(struct peer *p, const char *line)
{
	if (io_write_all(p->fd, bytes_str(line), p->deadline) == -1)
		return bad(p, "the server closed the connection");
	return 0;
}

static int
start_tls(struct peer *p)
{
	if (expect(p, "220") == -1 ||
	    say(p, "EHLO dane-check.invalid\r\n") == -1 ||
	    expect(p, "250") == -1)
		return -1;
	if (!p->starttls)
		return bad(p, "STARTTLS is not offered");
	if (say(p, "STARTTLS\r\n") == -1 || expect(p, "220") == -1)
		return -1;
	/* Bytes sent before TLS would seem to have come through it. */
	if (reader_pending(&p->reader).n > 0)
		return bad(p, "the server sent more than its reply to "
		    "STARTTLS");
	return 0;
}

static int
handshake(struct check *c, struct peer *p, const struct dane *dane,
    struct tlsc_finding *finding, struct tlsc_facts *facts)
{
	struct tlsc_options o = { .sni = dane->base, .name = dane->base,
	    .dane = dane,
	    .check = dane->state == DANE_USABLE ? TLSC_DANE : 0 };
	struct tlsc *t = tlsc_new(c->tls, &o, p->fd);
	int r;

	if (t == NULL)
		return bad(p, "the name cannot be asked for");
	r = tlsc_connect(t, p->deadline);
	*finding = *tlsc_finding(t);
	if (r == 0) {
		tlsc_describe(t, &c->arena, facts);
		(void)tlsc_end(t);	/* a farewell; nothing depends on it */
	} else {
		r = bad(p, arena_printf(&c->arena, "%s (%s)", finding->why,
		    finding->code));
	}
	tlsc_free(t);
	return r;
}

int
dial(struct check *c, const struct ip *ip, const struct dane *dane,
    struct tlsc_finding *finding, struct tlsc_facts *facts,
    const char **why)
{
	struct peer p = { .why = why, .deadline = deadline_in(
	    c->timeout_ms) };
	int r;

	p.fd = os_connect_tcp(ip, c->port, p.deadline);
	if (p.fd == -1)
		return bad(&p, arena_printf(&c->arena, "cannot connect: %s",
		    strerror(errno)));
	reader_init(&p.reader, p.fd, p.space, sizeof(p.space));
	p.reader.deadline = p.deadline;
	r = start_tls(&p);
	if (r == 0)
		r = handshake(c, &p, dane, finding, facts);
	(void)close(p.fd);	/* all was said */
	return r;
}
