/* SPDX-License-Identifier: Apache-2.0 */
#include "source/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/cur.h"
#include "base/secret.h"

bool http_is_url(const char *text)
{
	return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
}

void http_response_done(struct ratls_http_response *r)
{
	if (r->body != NULL)
		secret_wipe(r->body, r->body_len);
	free(r->body);
	free(r->headers);
	*r = (struct ratls_http_response){0};
}

static struct cur take_line(struct cur *rest)
{
	const uint8_t *end = memchr(rest->p, '\n', rest->left);
	struct cur line = cur_take(rest, end != NULL ? (size_t)(end - rest->p) : rest->left);

	if (end != NULL)
		cur_take(rest, 1);
	return line;
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

char *http_header(const struct ratls_http_response *r, const char *name)
{
	struct cur rest = cur_of(r->headers, r->headers != NULL ? strlen(r->headers) : 0);

	while (rest.left > 0) {
		struct cur line = take_line(&rest);
		struct cur key = cur_take(&line, strlen(name));

		if (key.bad || strncasecmp((const char *)key.p, name, key.left) != 0 || cur_u8(&line) != ':')
			continue;
		while (line.left > 0 && is_space(line.p[0]))
			cur_take(&line, 1);
		while (line.left > 0 && is_space(line.p[line.left - 1]))
			line.left--;
		return strndup((const char *)line.p, line.left);
	}
	return NULL;
}

/* Not strptime, which reads names in the language of the program around us. */
bool http_date(const char *text, int64_t *ret)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static const char form[] = "Sun, 06 Nov 1994 08:49:37 GMT";
	char utc[sizeof("1994-11-06T08:49:37Z")];
	int month = 0;

	if (strlen(text) != strlen(form))
		return false;
	while (month < 12 && strncmp(text + 8, months + 3 * month, 3) != 0)
		month++;
	if (month == 12 || strncmp(text + 3, ", ", 2) != 0 || text[7] != ' ' || text[11] != ' ' ||
		text[16] != ' ' || strcmp(text + 25, " GMT") != 0)
		return false;
	snprintf(utc, sizeof(utc), "%.4s-%02d-%.2sT%.8sZ", text + 12, month + 1, text + 5, text + 17);
	return clock_parse_utc(utc, strlen(utc), ret);
}
