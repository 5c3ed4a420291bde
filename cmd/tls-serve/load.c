/*
 * load.c - certificate files from the parent to its workers
 *
 * The parent may be the superuser and opens the files; it hands on the
 * descriptors and looks at nothing in them. A set takes effect as a whole,
 * and only if each file of it is good; the first one without its bad files.
 */
#include "serve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

#define OPEN_ENTRIES 24576	/* counts of 8192 handshakes at least */
#define RATE_ENTRIES 49152	/* addresses and networks seen in a minute */

/* ---- parent ---- */

static int
is_pem(const struct dirent *e)
{
	return e->d_name[0] != '.' &&
	    bytes_ends(bytes_str(e->d_name), BYTES(".pem"));
}

static void
log_file(enum log_level level, const char *event, const char *file,
    const char *text)
{
	struct logline l;

	log_begin(&l, level, event);
	log_str(&l, "file", file);
	log_str(&l, "err", text);
	log_end(&l);
}

/* A descriptor, or -1 with a line logged. */
static int
open_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1) {
		log_file(LOG_ERROR, "certificate-unreadable", name,
		    strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		log_file(LOG_ERROR, "certificate-unreadable", name,
		    "it is not a regular file");
	} else {
		if ((st.st_mode & 07) != 0)
			log_file(LOG_WARN, "certificate-exposed", name,
			    "everybody may use the private key");
		return fd;
	}
	if (fd != -1)
		(void)close(fd);	/* not used */
	return -1;
}

static int
send_message(int sock, int kind, const char *name, int fd)
{
	struct buf b = BUF_INIT(FILE_NAME_MAX + 1);
	int r;

	(void)buf_addc(&b, kind);	/* has room for every file name */
	(void)buf_adds(&b, name);
	r = os_send_fds(sock, buf_bytes(&b), &fd, fd == -1 ? 0 : 1);
	buf_free(&b);
	return r;
}

/* A file that cannot be opened is sent without a descriptor. */
static int
send_file(int sock, int dir, const char *name)
{
	int fd = open_file(dir, name), r;

	r = send_message(sock, LOAD_FILE, name, fd);
	if (fd != -1)
		(void)close(fd);	/* the worker has it */
	return r;
}

/* The names in etc/tls, sorted; -1 with a message. */
static int
list_files(const char *path, int *dir, struct dirent ***names)
{
	int n = -1;

	*dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*dir != -1)
		n = scandirat(*dir, ".", names, is_pem, alphasort);
	if (n == -1) {
		msg_warnsys("cannot read %s", path);
		if (*dir != -1)
			(void)close(*dir);	/* only read from */
	}
	return n;
}

static void
free_names(struct dirent **names, int n)
{
	while (n > 0)
		free(names[--n]);
	free(names);
}

static int
open_config(struct arena *a)
{
	int fd = open(arena_printf(a, "%s/config.cdb", dir_var()),
	    O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		msg_warn("cannot open configuration: %s",
		    config_reason(errno));
	return fd;
}

int
load_send(int sock)
{
	struct arena a = ARENA_INIT;
	struct dirent **names = NULL;
	int dir = -1, n, i, r, config;

	n = list_files(arena_printf(&a, "%s/tls", dir_etc()), &dir, &names);
	r = send_message(sock, LOAD_BEGIN, "", -1);
	for (i = 0; i < n && r == 0; i++)
		r = send_file(sock, dir, names[i]->d_name);
	config = open_config(&a);
	if (r == 0)
		r = send_message(sock, LOAD_END, "", config);
	if (config != -1)
		(void)close(config);	/* the worker has it */
	if (r == -1)
		msg_warnsys("cannot send certificates to a worker");
	if (n >= 0) {
		free_names(names, n);
		(void)close(dir);	/* only read from */
	}
	arena_free(&a);
	return r;
}

/* ---- worker ---- */

static void
add_file(struct worker *w, const char *name, int fd)
{
	struct buf pem = BUF_INIT(TLS_CERT_FILE_MAX);
	const char *why = "it cannot be opened";
	bool good = false;

	if (fd != -1 && io_read_all(fd, &pem, DEADLINE_NONE) == -1)
		why = errno == EMSGSIZE ? "it is too long"
		    : "it cannot be read";
	else if (fd != -1 && tls_certs_count(w->loading) >=
	    TLS_CERT_FILES_MAX)
		why = "there are too many files";
	else if (fd != -1)
		good = tls_certs_add(w->loading, name, buf_bytes(&pem),
		    &why) == 0;
	if (!good) {
		log_file(LOG_ERROR, "certificate-refused", name, why);
		w->loading_failed = true;
	} else if (why != NULL) {
		log_file(LOG_WARN, "certificate-warning", name, why);
	}
	if (pem.p != NULL)
		secret_wipe(pem.p, pem.size);
	buf_free(&pem);
}

static void
get_limits(const struct config *c, const char *key,
    unsigned int limits[LIMITER_MASKS])
{
	uint64_t three[3];
	int i;

	config_get_three(c, "tls", NULL, key, three);
	for (i = 0; i < LIMITER_MASKS; i++)
		limits[i] = (unsigned int)three[i];
}

static void
configure(struct worker *w, const struct config *c)
{
	struct limiter_window window[] = {
		{ .seconds = 0, .entries = OPEN_ENTRIES },
		{ .seconds = 60, .entries = RATE_ENTRIES },
	};

	get_limits(c, "handshake-limits", window[0].limits);
	get_limits(c, "handshake-rate-limits", window[1].limits);
	w->handshakes_max = (size_t)config_get_num(c, "tls", NULL,
	    "handshakes-max");
	w->handshakes.timeout_ms = (int64_t)config_get_duration(c, "tls",
	    NULL, "handshake-timeout") * 1000;
	if (w->limiter != NULL) {
		limiter_set(w->limiter, 0, window[0].limits);
		limiter_set(w->limiter, 1, window[1].limits);
		return;
	}
	w->limiter = w->shared ? limiter_open("tls/tls-serve", window, 2)
	    : limiter_new(window, 2);
}

/* The new set in place of the old one. 0 or -1, with a line logged. */
static int
take_set(struct worker *w, int config_fd)
{
	struct config *c = config_open_fd(config_fd);
	struct tls_options o = { .hostname = NULL };
	struct tls_server *server;

	if (c == NULL) {
		msg_warn("cannot open configuration: %s",
		    config_reason(errno));
		return -1;
	}
	o.hostname = (const char *)config_get_text(c, "server", NULL,
	    "hostname").p;
	o.min_version = config_get_text(c, "tls", NULL, "min-version");
	o.client_auth = config_get_bool(c, "tls", NULL,
	    "client-certificates");
	o.kernel_tls = config_get_bool(c, "tls", NULL, "kernel-tls");
	o.tickets[TLS_SMTP] = config_get_bool(c, "tls", NULL, "smtp-tickets");
	o.tickets[TLS_SUBMISSION] = config_get_bool(c, "tls", NULL,
	    "submission-tickets");
	o.tickets[TLS_IMAP] = config_get_bool(c, "tls", NULL, "imap-tickets");
	o.tickets[TLS_HTTP] = true;	/* never touched there */
	tls_certs_seal(w->loading);
	if (tls_certs_find(w->loading, bytes_str(o.hostname)) == NULL)
		log_file(LOG_WARN, "certificate-missing", o.hostname,
		    "clients that ask for no name get none");
	server = tls_server_new(&o, w->loading, &w->tickets);
	w->loading = NULL;
	if (server == NULL) {
		msg_warnsys("cannot set up TLS");
	} else {
		tls_server_unref(w->server);
		w->server = server;
		configure(w, c);
	}
	config_close(c);
	return server == NULL ? -1 : 0;
}

static void
finish(struct worker *w, int config_fd)
{
	bool first = w->server == NULL, ok = false;
	struct logline l;

	if (w->loading == NULL)
		return;
	if (first || !w->loading_failed)
		ok = take_set(w, config_fd) == 0;
	tls_certs_free(w->loading);
	w->loading = NULL;
	if (first && ok)
		return;
	log_begin(&l, ok ? LOG_INFO : LOG_ERROR, "reload");
	if (!ok)
		log_str(&l, "err", "the old certificates stay in use");
	log_end(&l);
}

static void
begin(struct worker *w)
{
	tls_certs_free(w->loading);
	w->loading = tls_certs_new();
	w->loading_failed = false;
}

int
load_take(struct worker *w)
{
	char text[FILE_NAME_MAX + 2];
	int fds[OS_FDS_MAX], fd;
	size_t n;
	ssize_t r;

	for (;;) {
		r = os_recv_fds(w->parent.fd, text, sizeof(text) - 1, fds, &n,
		    0);
		if (r == -1 && errno == ETIMEDOUT)
			return 0;
		if (r <= 0)
			return -1;
		text[r] = '\0';
		fd = n > 0 ? fds[0] : -1;
		if (text[0] == LOAD_BEGIN)
			begin(w);
		else if (text[0] == LOAD_FILE && w->loading != NULL)
			add_file(w, text + 1, fd);
		else if (text[0] == LOAD_END)
			finish(w, fd);
		while (n > 0)
			(void)close(fds[--n]);	/* read or not wanted */
		if (text[0] == LOAD_END)
			return 1;
	}
}

int
load_here(struct worker *w)
{
	struct arena a = ARENA_INIT;
	struct dirent **names = NULL;
	int dir = -1, fd, n, i, config;

	n = list_files(arena_printf(&a, "%s/tls", dir_etc()), &dir, &names);
	config = n == -1 ? -1 : open_config(&a);
	arena_free(&a);
	if (n == -1)
		return -1;
	begin(w);
	for (i = 0; i < n; i++) {
		fd = open_file(dir, names[i]->d_name);
		add_file(w, names[i]->d_name, fd);
		if (fd != -1)
			(void)close(fd);	/* only read from */
	}
	free_names(names, n);
	(void)close(dir);	/* only read from */
	finish(w, config);
	if (config != -1)
		(void)close(config);	/* only read from */
	return w->server == NULL ? -1 : 0;
}
