/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/check.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/hex.h"

#define SENTENCE_SIZE 512

static uint32_t begin(const struct check *c)
{
	return (uint32_t)c->text->len + 1;
}

static uint32_t add(struct check *c, const char *text)
{
	uint32_t at = begin(c);

	buf_bytes(c->text, text, strlen(text) + 1);
	return at;
}

static uint32_t add_hex(struct check *c, struct cur bytes)
{
	uint32_t at = begin(c);

	hex_append(c->text, bytes.p, bytes.left);
	buf_u8(c->text, 0);
	return at;
}

__attribute__((format(printf, 3, 0))) static void say(
	struct check *c, enum check_status status, const char *fmt, va_list ap)
{
	char sentence[SENTENCE_SIZE];

	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	c->status = status;
	c->hint = add(c, sentence);
}

void check_pass(struct check *c)
{
	c->status = CHECK_PASS;
}

void check_skip(struct check *c, const char *why)
{
	c->status = CHECK_SKIPPED;
	c->hint = add(c, why);
}

void check_fail(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(c, CHECK_FAIL, fmt, ap);
	va_end(ap);
}

void check_warn(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(c, CHECK_WARN, fmt, ap);
	va_end(ap);
}

void check_unknown(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(c, CHECK_UNKNOWN, fmt, ap);
	va_end(ap);
}

void check_outcome(struct check *c, const struct outcome *o)
{
	c->status = o->status;
	if (o->detail[0] != '\0')
		c->hint = add(c, o->detail);
}

void check_wants(struct check *c, const char *text)
{
	c->expected = add(c, text);
}

void check_has(struct check *c, const char *text)
{
	c->actual = add(c, text);
}

void check_wants_hex(struct check *c, struct cur bytes)
{
	c->expected = add_hex(c, bytes);
}

void check_has_hex(struct check *c, struct cur bytes)
{
	c->actual = add_hex(c, bytes);
}

void check_equal(struct check *c, struct cur expected, struct cur actual, const char *otherwise)
{
	check_wants_hex(c, expected);
	check_has_hex(c, actual);
	if (cur_eq(&expected, &actual))
		check_pass(c);
	else
		check_fail(c, "%s", otherwise);
}
