/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/pem.h"

#include <stdio.h>

#include "base/hex.h"

#define LINE_SIZE 48 /* "-----BEGIN CERTIFICATE-----" and to spare */

/* Line ends, LF or CR LF: the only white space that RFC 7468 generators write. */
static void skip_line_ends(struct cur *text)
{
	while (cur_ok(text) && text->left > 0) {
		if (text->p[0] == '\n')
			cur_take(text, 1);
		else if (text->left > 1 && text->p[0] == '\r' && text->p[1] == '\n')
			cur_take(text, 2);
		else
			break;
	}
}

static bool take_line(struct cur *text, const char *kind, const char *label)
{
	char line[LINE_SIZE];
	struct cur found;
	int n = snprintf(line, sizeof(line), "-----%s %s-----", kind, label);

	found = cur_take(text, (size_t)n);
	return cur_is_str(&found, line);
}

/* The characters of a line. Its CR stays out only before a LF: elsewhere it is no base64. */
static void take_body_line(struct cur *text, struct buf *body)
{
	const uint8_t *end = memchr(text->p, '\n', text->left), *dash;
	size_t n = end != NULL ? (size_t)(end - text->p) : text->left;

	dash = memchr(text->p, '-', n);
	if (dash != NULL)
		n = (size_t)(dash - text->p);
	if (n > 0 && n < text->left && text->p[n] == '\n' && text->p[n - 1] == '\r')
		n--;
	buf_bytes(body, text->p, n);
	cur_take(text, n);
}

static void take_body(struct cur *text, struct buf *body)
{
	buf_reserve(body, text->left);
	skip_line_ends(text);
	while (cur_ok(text) && text->left > 0 && text->p[0] != '-') {
		take_body_line(text, body);
		skip_line_ends(text);
	}
}

bool pem_next(struct cur *text, const char *label, struct buf *ret)
{
	struct buf body = {0};
	bool ok;

	skip_line_ends(text);
	if (text->left == 0)
		return false;
	ok = take_line(text, "BEGIN", label);
	if (ok)
		take_body(text, &body);
	ok = ok && take_line(text, "END", label) && !body.bad && body.len > 0 &&
	     base64_decode((const char *)body.p, body.len, ret);
	ret->bad = ret->bad || body.bad;
	buf_done(&body);
	if (!ok)
		text->bad = true;
	return ok;
}
