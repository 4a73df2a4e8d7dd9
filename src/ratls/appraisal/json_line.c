/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/json_line.h"

struct walk {
	struct cur text;
	size_t line, depth;
};

static uint8_t step(struct walk *w)
{
	uint8_t c = cur_u8(&w->text);

	if (c == '\n')
		w->line++;
	else if (c == '{' || c == '[')
		w->depth++;
	else if (c == '}' || c == ']')
		w->depth--;
	return c;
}

/* After an opening quote: the text up to the closing one. */
static struct cur walk_text(struct walk *w)
{
	struct cur from = w->text;
	uint8_t c;

	while ((c = cur_u8(&w->text)) != '"' && cur_ok(&w->text))
		if (c == '\\')
			cur_take(&w->text, 1);
	return cur_take(&from, from.left - w->text.left - (cur_ok(&w->text) ? 1 : 0));
}

static void skip_space(struct walk *w)
{
	while (cur_ok(&w->text) && w->text.left > 0 && memchr(" \t\r\n", w->text.p[0], 4) != NULL)
		step(w);
}

/* Stands at the value of a member: where its element begins. */
static size_t line_of_element(struct walk *w, size_t element)
{
	skip_space(w);
	step(w); /* the bracket */
	while (cur_ok(&w->text) && element > 0) {
		uint8_t c = step(w);

		if (c == '"')
			walk_text(w);
		else if (c == ',' && w->depth == 2)
			element--;
	}
	skip_space(w);
	return w->line;
}

size_t json_line_of(struct cur text, const char *member, size_t element)
{
	struct walk w = {.text = text, .line = 1};

	while (cur_ok(&w.text) && w.text.left > 0) {
		struct cur found;
		size_t line;

		if (step(&w) != '"')
			continue;
		line = w.line;
		found = walk_text(&w);
		skip_space(&w);
		if (w.depth != 1 || w.text.left == 0 || w.text.p[0] != ':' || !cur_is_str(&found, member))
			continue;
		step(&w);
		return element == SIZE_MAX ? line : line_of_element(&w, element);
	}
	return 0;
}
