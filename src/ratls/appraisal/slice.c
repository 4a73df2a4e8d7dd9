/* SPDX-License-Identifier: Apache-2.0
 *
 * Intel signs the exact bytes of the inner object and documents no canonical form, and services have sent
 * the two members in either order: so the bytes are cut out of the envelope as received. The scanner only
 * finds where a value ends; whether it is JSON is for the parser, after the signature has been verified.
 */
#include "appraisal/slice.h"

#include "base/err.h"

static void skip_space(struct cur *c)
{
	while (cur_ok(c) && c->left > 0 && memchr(" \t\r\n", c->p[0], 4) != NULL)
		cur_take(c, 1);
}

static bool take_char(struct cur *c, char wanted)
{
	skip_space(c);
	if (cur_u8(c) != (uint8_t)wanted)
		c->bad = true;
	return cur_ok(c);
}

/* A text with its quotes removed and its escapes kept. */
static struct cur take_text(struct cur *c)
{
	struct cur from;
	uint8_t byte;

	if (!take_char(c, '"'))
		return cur_take(c, 0);
	from = *c;
	while ((byte = cur_u8(c)) != '"' && cur_ok(c))
		if (byte == '\\')
			cur_take(c, 1);
	return cur_ok(c) ? cur_take(&from, from.left - c->left - 1) : cur_take(c, 0);
}

/* An object with its braces. */
static struct cur take_object(struct cur *c)
{
	struct cur from;
	size_t depth = 1;

	skip_space(c);
	from = *c;
	take_char(c, '{');
	while (cur_ok(c) && depth > 0) {
		if (c->left > 0 && c->p[0] == '"') {
			take_text(c);
			continue;
		}
		switch (cur_u8(c)) {
		case '{':
			depth++;
			break;
		case '}':
			depth--;
			break;
		}
	}
	return cur_ok(c) ? cur_take(&from, from.left - c->left) : cur_take(c, 0);
}

int slice_envelope(struct cur envelope, const char *name, struct cur *ret_object, struct cur *ret_signature,
	struct ratls_error *err)
{
	struct cur c = envelope, object = {0}, signature = {0};

	take_char(&c, '{');
	for (int member = 0; member < 2; member++) {
		struct cur key;

		if (member == 1)
			take_char(&c, ',');
		key = take_text(&c);
		take_char(&c, ':');
		if (object.p == NULL && cur_is_str(&key, name))
			object = take_object(&c);
		else if (signature.p == NULL && cur_is_str(&key, "signature"))
			signature = take_text(&c);
		else
			c.bad = true;
	}
	take_char(&c, '}');
	skip_space(&c);
	if (!cur_done(&c))
		return err_set(err, RATLS_E_FORMAT,
			"could not read the envelope of \"%s\": it does not hold exactly "
			"that and a signature",
			name);
	*ret_object = object;
	*ret_signature = signature;
	return RATLS_OK;
}
