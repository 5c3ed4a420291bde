/*
 * settings.c - what configuration says to smtp-in and lmtp-in
 */
#include "smtp/smtp.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "config/config.h"
#include "dns/dns.h"
#include "dnsbl/dnsbl.h"
#include "os/os.h"

static int
load_stages(struct smtp_settings *s, const char *section, const char *key,
    const char **why)
{
	struct bytes values[STAGE_LIST_MAX];
	struct config_list list;
	size_t n = 0;

	config_list(s->config, section, NULL, key, &list);
	while (n < STAGE_LIST_MAX && config_list_next(&list, &values[n]))
		n++;
	return stage_list_parse(&s->arena, values, n, &s->stages, why);
}

static int64_t
milliseconds(const struct config *c, const char *key)
{
	return (int64_t)config_get_duration(c, "server", NULL, key) * 1000;
}

static void
load_options(struct smtp_settings *s, bool lmtp)
{
	const struct config *c = s->config;
	struct bytes banner = config_get_text(c, "smtp-in", NULL, "banner");

	s->smtp = (struct smtp_options){
		.hostname = s->stage->hostname,
		.banner = banner.n > 0 ? banner : BYTES("pipemail"),
		.lmtp = lmtp,
		.pedantic = !lmtp &&
		    config_get_bool(c, "server", NULL, "pedantic"),
		.size_limit = config_get_size(c, "server", NULL,
		    "size-limit"),
		.recipients_max = (size_t)config_get_num(c, "server", NULL,
		    "recipients-max"),
		.requiretls = !config_get_bool(c, "server", NULL,
		    "no-requiretls"),
		/* nothing on run/lmtp would use it */
		.chunking = !lmtp,
	};
	/* the trace fields of the server in front are in the message */
	if (lmtp)
		s->smtp.size_limit += STAGE_GROWTH_MAX;
	s->received_max = (size_t)config_get_num(c, "server", NULL,
	    "received-max");
	s->line_timeout_ms = milliseconds(c, "line-timeout");
	s->data_timeout_ms = milliseconds(c, "data-timeout");
	s->unknown_delay_ms = milliseconds(c, "unknown-recipient-delay");
	/* the host name is 255 bytes at most */
	(void)snprintf(s->refusal, sizeof(s->refusal),
	    "421 4.7.0 %.*s too many connections\r\n",
	    BYTES_ARG(bytes_first(s->smtp.hostname, 255)));
}

static void
set_log_level(const struct config *c)
{
	static const char *const names[] = { "error", "warn", "info",
	    "debug" };
	struct bytes level = config_get_text(c, "server", NULL, "log-level");

	for (int i = 0; i < 4; i++) {
		if (bytes_eq(level, bytes_str(names[i])))
			log_set_level((enum log_level)i);
	}
}

/* The zones' health, which all processes know of, for who asks them: it stays
 * from one configuration to the next. */
static void
share_health(struct smtp_settings *s, struct dnsbl_health *old)
{
	struct stage_options *stage;
	struct dnsbl_options *dnsbl;

	s->dnsbl_health = old;
	if (s->stage->dnsbl->nzones == 0)
		return;
	if (s->dnsbl_health == NULL)
		s->dnsbl_health = dnsbl_health_new();	/* or ask each time */
	stage = arena_zalloc(&s->arena, 1, sizeof(*stage));
	dnsbl = arena_zalloc(&s->arena, 1, sizeof(*dnsbl));
	*stage = *s->stage;
	*dnsbl = *stage->dnsbl;
	dnsbl->health = s->dnsbl_health;
	stage->dnsbl = dnsbl;
	s->stage = stage;
}

int
smtp_settings_load(struct smtp_settings *s, bool lmtp, const char *section,
    const char *list, const char **why)
{
	struct smtp_settings new = { 0 };
	int err;

	*why = "config.cdb";
	if ((new.config = config_load()) == NULL) {
		if (errno == EBADMSG)
			*why = config_reason(errno);
		return -1;
	}
	new.stage = stage_options_new(&new.arena, new.config, section);
	share_health(&new, s->dnsbl_health);
	if (load_stages(&new, section, list, why) == -1) {
		err = errno;
		smtp_settings_free(&new);
		errno = err;
		return -1;
	}
	new.asks_dns = !lmtp || new.stages.n > 0 ||
	    new.stage->dnsbl->nzones > 0;
	load_options(&new, lmtp);
	new.spool_dir = arena_printf(&new.arena, "%s/%s", dir_var(),
	    lmtp ? "spool-mail" : "spool");	/* of different users */
	/* if it cannot be made, the first message that needs it says so */
	(void)mkdir(new.spool_dir, 0700);
	new.config_file = arena_printf(&new.arena, "%s/config.cdb",
	    dir_var());
	smtp_settings_free(s);
	*s = new;
	set_log_level(s->config);
	tzset();	/* once here, not in every process */
	return 0;
}

void
smtp_settings_free(struct smtp_settings *s)
{
	dns_cache_free(s->dns_cache);
	config_close(s->config);
	arena_free(&s->arena);
	*s = (struct smtp_settings){ 0 };
}

int
smtp_settings_reach(const struct smtp_settings *s, struct os_reach *r)
{
	const struct dns_options *dns = s->stage->dns;
	const char *env = env_get("PIPEMAIL_DNS");
	struct dns_server server;
	size_t i;

	if (os_reach_path(r, s->spool_dir, OS_REACH_WRITE) == -1 ||
	    os_reach_port(r, DNS_PORT) == -1)
		return -1;
	if (env != NULL && dns_server_parse(bytes_str(env), &server) == 0 &&
	    os_reach_port(r, server.port) == -1)
		return -1;
	for (i = 0; i < dns->nservers; i++) {
		if (os_reach_port(r, dns->servers[i].port) == -1)
			return -1;
	}
	return 0;
}

/*
 * What a process has of its own: the addresses of resolvers, read while files
 * can be, and in smtp-in, whose processes serve one client, what DNS says of it
 * and of whom it sends for, from one message to the next.
 */
static void
own_dns(struct smtp_settings *s)
{
	struct stage_options *stage;
	struct dns_options *dns;

	if (!s->asks_dns)
		return;
	stage = arena_zalloc(&s->arena, 1, sizeof(*stage));
	dns = arena_zalloc(&s->arena, 1, sizeof(*dns));
	*stage = *s->stage;
	*dns = *stage->dns;
	/* Else dns_new fails too, and says so. */
	(void)dns_options_system(dns);
	if (!s->smtp.lmtp)
		dns->cache = s->dns_cache = dns_cache_new();
	stage->dns = dns;
	s->stage = stage;
}

int
smtp_settings_confine(struct smtp_settings *s, const struct os_sandbox *box)
{
	if (s->confined)
		return 0;
	s->confined = true;
	own_dns(s);
	if (os_sandbox_enter(box) == 0)
		return 0;
	msg_warnsys("cannot enter sandbox");
	return -1;
}
