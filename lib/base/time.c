/*
 * time.c - clocks, deadlines, dates
 *
 * Days are counted in eras of 400 years that begin on the 1st of March, so
 * that the leap day ends a year and needs no case of its own.
 */
#include "base/base.h"

#include <errno.h>
#include <limits.h>

#define DAY_SECONDS 86400
#define ERA_DAYS 146097		/* 400 Gregorian years */
#define ERA_TO_1970 719468	/* days from 0000-03-01 to 1970-01-01 */

int64_t
time_mono_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		return 0;	/* cannot happen: Linux always has it */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
time_wall_us(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) == -1)
		return 0;	/* cannot happen: Linux always has it */
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
deadline_in(int64_t timeout_ms)
{
	int64_t r;

	if (__builtin_add_overflow(time_mono_ms(), timeout_ms, &r))
		return DEADLINE_NONE;
	return r;
}

int
deadline_left(int64_t deadline)
{
	int64_t now;

	if (deadline == DEADLINE_NONE)
		return -1;
	now = time_mono_ms();
	if (deadline <= now)
		return 0;
	return deadline - now > INT_MAX ? INT_MAX : (int)(deadline - now);
}

int64_t
date_to_unix(int64_t year, int month, int day, int hour, int min, int sec)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 +
	    day - 1;
	int64_t days = era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 -
	    year_of_era / 100 + day_of_year - ERA_TO_1970;

	return days * DAY_SECONDS + hour * 3600 + min * 60 + sec;
}

struct date
date_from_unix(int64_t seconds)
{
	int64_t days = seconds / DAY_SECONDS, rest = seconds % DAY_SECONDS;
	int64_t z, era, doe, yoe, doy, mp;
	struct date d;

	if (rest < 0) {
		rest += DAY_SECONDS;
		days--;
	}
	z = days + ERA_TO_1970;
	era = (z >= 0 ? z : z - (ERA_DAYS - 1)) / ERA_DAYS;
	doe = z - era * ERA_DAYS;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / (ERA_DAYS - 1)) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	d.day = (int)(doy - (153 * mp + 2) / 5) + 1;
	d.month = (int)(mp < 10 ? mp + 3 : mp - 9);
	d.year = yoe + era * 400 + (d.month <= 2 ? 1 : 0);
	d.hour = (int)(rest / 3600);
	d.min = (int)(rest / 60 % 60);
	d.sec = (int)(rest % 60);
	d.weekday = (int)((days % 7 + 11) % 7);	/* day 0 was a Thursday */
	return d;
}

int
date_month(struct bytes name)
{
	int m;

	for (m = 1; m <= 12; m++) {
		if (bytes_caseeq(name, bytes_of(&DATE_MONTHS[3 * (m - 1)], 3)))
			return m;
	}
	return 0;
}

int
date_local_zone(int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL)
		return 0;
	return (int)(tm.tm_gmtoff / 60);
}

#define DATE_DAYS "SunMonTueWedThuFriSat"

int
date_format(struct buf *out, int64_t seconds, int zone_minutes)
{
	struct date d = date_from_unix(seconds + (int64_t)zone_minutes * 60);
	int zone = zone_minutes < 0 ? -zone_minutes : zone_minutes;

	return buf_printf(out, "%.3s, %d %.3s %04lld %02d:%02d:%02d %c%02d%02d",
	    &DATE_DAYS[3 * d.weekday], d.day, &DATE_MONTHS[3 * (d.month - 1)],
	    (long long)d.year, d.hour, d.min, d.sec,
	    zone_minutes < 0 ? '-' : '+', zone / 60 % 100, zone % 60);
}

/* Over folds, white space and nested comments; false: a wrong one. */
static bool
skip_cfws(struct bytes *s)
{
	size_t depth = 0, i;
	int c;

	for (i = 0; i < s->n; i++) {
		c = s->p[i];
		if (c == '\\' && depth > 0) {
			if (++i == s->n)
				return false;
		} else if (c == '(') {
			depth++;
		} else if (c == ')' && depth > 0) {
			depth--;
		} else if (c == '\n') {
			/* A fold, or the end of the field. */
			if (i + 1 < s->n && !ascii_is_wsp(s->p[i + 1]))
				return false;
		} else if (c == '\r') {
			if (i + 1 < s->n && s->p[i + 1] != '\n')
				return false;
		} else if (depth == 0 && !ascii_is_wsp(c)) {
			break;
		}
	}
	*s = bytes_from(*s, i);
	return depth == 0;
}

/* White space, then digits: between min_digits and max_digits of them. */
static bool
cut_digits(struct bytes *s, size_t min_digits, size_t max_digits, int *out,
    size_t *digits)
{
	uint64_t v;
	size_t before;

	if (!skip_cfws(s))
		return false;
	before = s->n;
	if (num_cut(s, 9999, &v) == -1)
		return false;
	*digits = before - s->n;
	*out = (int)v;
	return *digits >= min_digits && *digits <= max_digits;
}

static struct bytes
cut_alnum(struct bytes *s)
{
	struct bytes word = BYTES_EMPTY;
	size_t i = 0;

	while (i < s->n && ascii_is_alnum(s->p[i]))
		i++;
	(void)bytes_cut(s, i, &word);	/* i <= s->n */
	return word;
}

static int
days_in_month(int year, int month)
{
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	if (month == 2)
		return leap ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* [day-of-week ","] ; what it says is not compared with the date. */
static bool
parse_weekday(struct bytes *s)
{
	struct bytes name;
	size_t i;

	if (!skip_cfws(s))
		return false;
	if (!ascii_is_alpha(bytes_at(*s, 0)))
		return true;
	name = cut_alnum(s);
	for (i = 0; i < 7; i++) {
		if (bytes_caseeq(name, bytes_of(&DATE_DAYS[3 * i], 3)))
			return skip_cfws(s) && bytes_skip(s, BYTES(","));
	}
	return false;
}

/* Two digits: 00-49 is 20xx, else 19xx; three: 1900 is added (4.3). */
static bool
parse_day(struct bytes *s, struct date *d)
{
	size_t digits;
	int year;

	if (!cut_digits(s, 1, 2, &d->day, &digits) || !skip_cfws(s))
		return false;
	if ((d->month = date_month(cut_alnum(s))) == 0)
		return false;
	if (!cut_digits(s, 2, 4, &year, &digits))
		return false;
	if (digits == 2 && year < 50)
		year += 2000;
	else if (digits < 4)
		year += 1900;
	d->year = year;
	return year >= 1900 && d->day >= 1 &&
	    d->day <= days_in_month(year, d->month);
}

static bool
parse_clock(struct bytes *s, struct date *d)
{
	size_t digits;

	d->sec = 0;
	if (!cut_digits(s, 1, 2, &d->hour, &digits) || !skip_cfws(s) ||
	    !bytes_skip(s, BYTES(":")) ||
	    !cut_digits(s, 2, 2, &d->min, &digits) || !skip_cfws(s))
		return false;
	if (bytes_skip(s, BYTES(":")) &&
	    !cut_digits(s, 2, 2, &d->sec, &digits))
		return false;
	return d->hour <= 23 && d->min <= 59 && d->sec <= 60;
}

/*
 * obs-zone of RFC 5322 4.3. Unknown names and the military letters say
 * nothing: they are -0000. "EST5EDT" is read as its first letters.
 */
static int
named_zone(struct bytes name)
{
	static const struct {
		char name[4];
		int minutes;
	} zones[] = {
		{ "EDT", -240 }, { "EST", -300 }, { "CDT", -300 },
		{ "CST", -360 }, { "MDT", -360 }, { "MST", -420 },
		{ "PDT", -420 }, { "PST", -480 },
	};
	size_t i, n = 0;

	while (n < name.n && ascii_is_alpha(name.p[n]))
		n++;
	for (i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (bytes_caseeq(bytes_first(name, n),
		    bytes_str(zones[i].name)))
			return zones[i].minutes;
	}
	return 0;
}

static bool
parse_zone(struct bytes *s, int *minutes)
{
	size_t digits;
	int sign, v;

	if (!skip_cfws(s))
		return false;
	if (ascii_is_alpha(bytes_at(*s, 0))) {
		*minutes = named_zone(cut_alnum(s));
		return true;
	}
	sign = bytes_next(s);
	if ((sign != '+' && sign != '-') || !ascii_is_digit(bytes_at(*s, 0)))
		return false;
	if (!cut_digits(s, 4, 4, &v, &digits) || v % 100 > 59)
		return false;
	v = v / 100 * 60 + v % 100;
	*minutes = sign == '-' ? -v : v;
	return true;
}

int
date_parse(struct bytes s, int64_t *seconds, int *zone_minutes)
{
	struct date d;
	int zone;

	if (!parse_weekday(&s) || !parse_day(&s, &d) || !parse_clock(&s, &d) ||
	    !parse_zone(&s, &zone) || !skip_cfws(&s) || s.n != 0) {
		errno = EBADMSG;
		return -1;
	}
	*seconds = date_to_unix(d.year, d.month, d.day, d.hour, d.min, d.sec) -
	    (int64_t)zone * 60;
	*zone_minutes = zone;
	return 0;
}
