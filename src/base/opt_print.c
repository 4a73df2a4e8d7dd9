/* SPDX-License-Identifier: Apache-2.0
 *
 * --help and --check-config. What --check-config prints can be read again as a configuration file.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/opt_setting.h"
#include "base/opt_value.h"

#define HELP_COLUMN    30
#define HELP_WIDTH     100
#define COMMENT_COLUMN 48

void opt_environment_name(const char *name, struct buf *ret)
{
	buf_str(ret, "TEESQL_");
	for (; *name != '\0'; name++)
		buf_u8(ret, (uint8_t)(*name == '-' ? '_' : toupper((unsigned char)*name)));
}

void opt_origin_name(const struct opt_settings *all, const struct opt_setting *s, struct buf *ret)
{
	switch (s->origin) {
	case OPT_FROM_DEFAULT:
		buf_str(ret, "default");
		break;
	case OPT_FROM_FILE:
		buf_fmt(ret, "%s:%d", all->file, s->line);
		break;
	case OPT_FROM_ENVIRONMENT:
		opt_environment_name(s->opt->name, ret);
		break;
	case OPT_FROM_FLAG:
		buf_fmt(ret, "--%s", s->opt->name);
		break;
	}
}

int opt_arg_shown(const struct opt *o)
{
	const char *hidden = o->type == OPT_CHOICE ? strstr(o->arg, "||") : NULL;

	return (int)(hidden != NULL ? (size_t)(hidden - o->arg) : strlen(o->arg));
}

static size_t pad(struct buf *b, size_t line_start, size_t column)
{
	size_t at = b->len - line_start;

	while (at < column) {
		buf_u8(b, ' ');
		at++;
	}
	return at;
}

/* Words from the column on, broken before the width. */
static void append_wrapped(struct buf *b, size_t line_start, const char *text)
{
	size_t at = pad(b, line_start, HELP_COLUMN);

	for (;;) {
		size_t len = strcspn(text, " ");

		buf_bytes(b, text, len);
		at += len;
		text += len + (text[len] == ' ');
		if (*text == '\0')
			return;
		if (at + 1 + strcspn(text, " ") > HELP_WIDTH) {
			buf_u8(b, '\n');
			at = pad(b, b->len, HELP_COLUMN);
		} else {
			buf_u8(b, ' ');
			at++;
		}
	}
}

static void append_option(struct buf *b, const struct opt *o)
{
	size_t start = b->len;
	struct buf text = {0};

	buf_fmt(b, "  --%s", o->name);
	if (o->type == OPT_BOOL)
		buf_str(b, o->fallback != NULL && strcmp(o->fallback, "yes") == 0 ? "=no" : "");
	else
		buf_fmt(b, " %.*s", opt_arg_shown(o), o->arg);
	if (b->len - start + 2 > HELP_COLUMN) {
		buf_u8(b, '\n');
		start = b->len;
	}
	buf_str(&text, o->help);
	if (o->type == OPT_LIST)
		buf_str(&text, " (repeatable)");
	if (o->fallback != NULL)
		buf_fmt(&text, " (default %s)", o->fallback);
	buf_u8(&text, '\0');
	if (!text.bad)
		append_wrapped(b, start, (const char *)text.p);
	buf_done(&text);
	buf_u8(b, '\n');
}

static void print(struct buf *b)
{
	if (!b->bad)
		fwrite(b->p, 1, b->len, stdout);
	buf_done(b);
}

void opt_print_help(const struct opt_settings *all)
{
	struct buf b = {0};

	buf_fmt(&b, "Usage: %s %s\n%s\n\nOptions:\n", all->program->name, all->program->synopsis,
		all->program->purpose);
	for (size_t i = 0; i < all->n; i++)
		append_option(&b, all->v[i].opt);
	buf_fmt(&b,
		"\nEach option can also be set in the environment: --some-option as TEESQL_SOME_OPTION%s.\n",
		all->program->daemon ? ",\nor in the configuration file: some-option = value" : "");
	print(&b);
}

void opt_print_effective(const struct opt_settings *all)
{
	struct buf b = {0};

	for (size_t i = 0; i < all->n; i++) {
		const struct opt_setting *s = &all->v[i];
		size_t start = b.len;

		if ((s->origins & 1u << OPT_FROM_FILE) == 0)
			continue;
		if (s->opt->type <= OPT_LIST && !opt_value_is_set(s->opt->type, s->field))
			buf_u8(&b, ';');
		buf_fmt(&b, "%s = ", s->opt->name);
		opt_value_format(s->opt, s->field, &b);
		pad(&b, start, COMMENT_COLUMN);
		buf_str(&b, " ; ");
		opt_origin_name(all, s, &b);
		buf_u8(&b, '\n');
	}
	print(&b);
}
