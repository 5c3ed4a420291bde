/*
 * edit.c - one key of a configuration file changed, the rest as it was
 */
#include "config/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* "[section]" without a name. */
static bool
is_header_of(struct bytes line, const char *section)
{
	struct bytes word;

	line = bytes_trim(line);
	if (!bytes_skip(&line, BYTES("[")) || !bytes_split(&line, ']', &word))
		return false;
	return bytes_eq(bytes_trim(word), bytes_str(section));
}

/* "key = ...": *value is what stands after the equals sign. */
static bool
is_key(struct bytes line, const char *key, struct bytes *value)
{
	struct bytes word;

	if (!bytes_split(&line, '=', &word) ||
	    !bytes_eq(bytes_trim(word), bytes_str(key)))
		return false;
	*value = line;
	return true;
}

/* The comment behind a value, with the blanks before it. */
static struct bytes
comment_of(struct bytes value)
{
	size_t i = 0, from;

	while (ascii_is_wsp(bytes_at(value, i)))
		i++;
	if (bytes_at(value, i) == '"') {
		for (i++; i < value.n && value.p[i] != '"'; i++) {
			if (value.p[i] == '\\')
				i++;
		}
		i++;
	}
	for (; i < value.n; i++) {
		if (value.p[i] != '#' ||
		    (i > 0 && !ascii_is_wsp(bytes_at(value, i - 1))))
			continue;
		for (from = i; ascii_is_wsp(from == 0 ? -1
		    : bytes_at(value, from - 1)); from--)
			;
		return bytes_from(value, from);
	}
	return BYTES_EMPTY;
}

static void
add_line(struct buf *out, struct bytes line)
{
	buf_add(out, line);
	buf_addc(out, '\n');
}

static int
add_setting(struct buf *out, const char *key, struct bytes value,
    struct bytes comment)
{
	buf_printf(out, "%s = ", key);
	if (config_format_value(out, value) == -1)
		return -1;
	add_line(out, comment);
	return 0;
}

/* Where the key goes: the number of a line, and whether it replaces it. */
static size_t
find_place(struct bytes text, const char *section, const char *key,
    bool *replaces)
{
	struct bytes line, value;
	size_t n = 0, header = 0;
	bool inside = false;

	*replaces = false;
	while (bytes_line(&text, &line)) {
		n++;
		if (bytes_at(bytes_trim(line), 0) == '[') {
			inside = is_header_of(line, section);
			if (inside && header == 0)
				header = n;
		} else if (inside && is_key(line, key, &value)) {
			*replaces = true;
			return n;
		}
	}
	return header;
}

int
config_edit(struct buf *out, struct bytes text, const char *section,
    const char *key, const struct bytes *value)
{
	struct bytes line, old, comment;
	bool replaces, inside = false;
	size_t place = find_place(text, section, key, &replaces), n = 0;
	int r = 0;

	while (r == 0 && bytes_line(&text, &line)) {
		n++;
		if (bytes_at(bytes_trim(line), 0) == '[')
			inside = is_header_of(line, section);
		if (inside && is_key(line, key, &old)) {
			/* A comment that loses its line keeps its place. */
			comment = comment_of(old);
			if (n == place && value != NULL)
				r = add_setting(out, key, *value, comment);
			else if (comment.n > 0)
				add_line(out, bytes_ltrim(comment));
			continue;
		}
		add_line(out, line);
		if (n == place && !replaces && value != NULL)
			r = add_setting(out, key, *value, BYTES_EMPTY);
	}
	if (r == 0 && place == 0 && value != NULL) {
		buf_printf(out, "[%s]\n", section);
		r = add_setting(out, key, *value, BYTES_EMPTY);
	}
	if (r == 0 && out->full) {
		errno = EMSGSIZE;
		r = -1;
	}
	return r;
}

/* A file like old, with that text, on disk. */
static int
write_beside(int dir, const char *name, const struct stat *old,
    struct bytes text)
{
	int fd, r, saved;

	(void)unlinkat(dir, name, 0);	/* left by a killed run, or not there */
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, old->st_mode & 0777);
	if (fd == -1)
		return -1;
	r = fchmod(fd, old->st_mode & 0777);
	if (r == 0 && (old->st_uid != geteuid() || old->st_gid != getegid()))
		r = fchown(fd, old->st_uid, old->st_gid);
	if (r == 0)
		r = io_write_all(fd, text, DEADLINE_NONE);
	if (r == 0)
		r = fsync(fd);
	saved = errno;
	if (close(fd) == -1 && r == 0)
		return -1;
	errno = saved;
	return r;
}

static int
replace_in(int dir, const char *name, struct bytes text)
{
	char tmp[CONFIG_ACCOUNT_MAX + 32];
	struct stat st;
	int n = snprintf(tmp, sizeof(tmp), ".%s.tmp", name), saved;

	if (n < 0 || (size_t)n >= sizeof(tmp)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	/* One at a time; released by close. */
	if (flock(dir, LOCK_EX) == -1 ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EACCES;		/* a link: its target is another's */
		return -1;
	}
	if (write_beside(dir, tmp, &st, text) == 0 &&
	    renameat(dir, tmp, dir, name) == 0)
		return fsync(dir);
	saved = errno;
	(void)unlinkat(dir, tmp, 0);	/* the next run does it too */
	errno = saved;
	return -1;
}

int
config_replace(const char *etc_dir, const char *dir_name, const char *name,
    struct bytes text)
{
	int etc = open(etc_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int dir, r, saved;

	if (etc == -1)
		return -1;
	dir = openat(etc, dir_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = dir == -1 ? -1 : replace_in(dir, name, text);
	saved = errno;
	if (dir != -1)
		(void)close(dir);	/* only read from */
	(void)close(etc);		/* the same */
	errno = saved;
	return r;
}
