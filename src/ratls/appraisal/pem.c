/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/pem.h"

#include <stdio.h>

#include "base/hex.h"

#define LINE_SIZE 48 /* "-----BEGIN CERTIFICATE-----" and to spare */

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void skip_space(struct cur *text)
{
	while (text->left > 0 && is_space(text->p[0]))
		cur_take(text, 1);
}

static bool take_line(struct cur *text, const char *kind, const char *label)
{
	char line[LINE_SIZE];
	struct cur found;
	int n = snprintf(line, sizeof(line), "-----%s %s-----", kind, label);

	found = cur_take(text, (size_t)n);
	return cur_is_str(&found, line);
}

/* The base64 characters up to the next dash, white space dropped. */
static void take_body(struct cur *text, struct buf *body)
{
	while (text->left > 0 && text->p[0] != '-') {
		uint8_t c = cur_u8(text);

		if (!is_space(c))
			buf_u8(body, c);
	}
}

bool pem_next(struct cur *text, const char *label, struct buf *ret)
{
	struct buf body = {0};
	bool ok;

	skip_space(text);
	if (text->left == 0)
		return false;
	ok = take_line(text, "BEGIN", label);
	if (ok)
		take_body(text, &body);
	ok = ok && take_line(text, "END", label) && !body.bad && body.len > 0 &&
		base64_decode((const char *)body.p, body.len, ret);
	buf_done(&body);
	if (!ok)
		text->bad = true;
	return ok;
}
