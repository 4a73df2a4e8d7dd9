/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/instant.h"

#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/reason.h"

#define SECONDS_DIGITS_MAX 12 /* tens of thousands of years */
#define DATE_TIME_LEN      19 /* "2026-11-22T18:23:04" */

static bool parse_seconds(const char *text, int64_t *ret)
{
	size_t len = strlen(text);
	int64_t v = 0;

	if (len == 0 || len > SECONDS_DIGITS_MAX || strspn(text, "0123456789") != len)
		return false;
	for (; *text != '\0'; text++)
		v = v * 10 + (*text - '0');
	*ret = v;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "Z", "+01:00", "-08:00": the seconds to subtract. */
static bool parse_offset(const char *text, int64_t *ret)
{
	int hours, minutes;

	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
		*ret = 0;
		return true;
	}
	if (strlen(text) != 6 || strchr("+-", text[0]) == NULL || text[3] != ':' || !is_digit(text[1]) ||
		!is_digit(text[2]) || !is_digit(text[4]) || !is_digit(text[5]))
		return false;
	hours = (text[1] - '0') * 10 + (text[2] - '0');
	minutes = (text[4] - '0') * 10 + (text[5] - '0');
	*ret = (text[0] == '-' ? -60 : 60) * (hours * 60 + minutes);
	return hours < 24 && minutes < 60;
}

/* RFC 3339 section 5.6. */
static bool parse_date_time(const char *text, int64_t *ret)
{
	char utc[DATE_TIME_LEN + 2];
	int64_t at, offset;

	if (strlen(text) <= DATE_TIME_LEN)
		return false;
	memcpy(utc, text, DATE_TIME_LEN);
	if (utc[10] == 't' || utc[10] == ' ')
		utc[10] = 'T';
	utc[DATE_TIME_LEN] = 'Z';
	utc[DATE_TIME_LEN + 1] = '\0';
	text += DATE_TIME_LEN;
	if (*text == '.' && is_digit(text[1]))
		text += 1 + strspn(text + 1, "0123456789");
	if (!clock_parse_utc(utc, DATE_TIME_LEN + 1, &at) || !parse_offset(text, &offset))
		return false;
	*ret = at - offset;
	return true;
}

int instant_parse(const char *text, int64_t *ret, struct ratls_error *err)
{
	if (parse_seconds(text, ret) || parse_date_time(text, ret))
		return RATLS_OK;
	return err_reason(err, RATLS_E_ARG, REASON_OPTION,
		"\"%.64s\" is neither Unix seconds nor a time such as 2026-11-22T18:23:04Z", text);
}
