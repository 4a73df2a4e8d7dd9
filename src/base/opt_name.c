/* SPDX-License-Identifier: Apache-2.0
 *
 * Options by their names: which one is meant, and which one probably was.
 */
#include <string.h>

#include "base/err.h"
#include "base/opt_setting.h"
#include "base/reason.h"

#define NAME_MAX_LEN 64

bool opt_is_insecure(const struct opt *o)
{
	return strncmp(o->name, "insecure-", 9) == 0;
}

/* Underscores are as good as dashes. */
static bool name_is(const char *name, const char *text, size_t len)
{
	if (strlen(name) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] != text[i] && !(name[i] == '-' && text[i] == '_'))
			return false;
	return true;
}

struct opt_setting *opt_find(const struct opt_settings *all, const char *text, size_t len)
{
	for (size_t i = 0; i < all->n; i++)
		if (name_is(all->v[i].opt->name, text, len))
			return &all->v[i];
	return NULL;
}

/* Levenshtein's distance; names longer than NAME_MAX_LEN are far from everything. */
static size_t distance(const char *a, const char *b, size_t b_len)
{
	size_t row[NAME_MAX_LEN + 1], a_len = strlen(a);

	if (b_len > NAME_MAX_LEN)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			best = row[j] + 1 < best ? row[j] + 1 : best;
			row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
		}
	}
	return row[b_len];
}

/* The option that was probably meant, NULL if none that may stand there is near. */
static const char *nearest(const struct opt_settings *all, enum opt_origin where, const char *text, size_t len)
{
	size_t best = len / 3 + 1;
	const char *name = NULL;

	for (size_t i = 0; i < all->n; i++) {
		size_t d = distance(all->v[i].opt->name, text, len);

		if ((all->v[i].origins & 1u << where) != 0 && d <= best && (name == NULL || d < best)) {
			best = d;
			name = all->v[i].opt->name;
		}
	}
	return name;
}

int opt_unknown(const struct opt_settings *all, enum opt_origin where, const char *text, size_t len,
	struct ratls_error *err)
{
	const char *near = nearest(all, where, text, len), *dashes = where == OPT_FROM_FLAG ? "--" : "";
	int shown = len < NAME_MAX_LEN ? (int)len : NAME_MAX_LEN;

	if (near != NULL)
		return err_reason(err, RATLS_E_ARG, REASON_OPTION,
			"unknown option \"%s%.*s\"; did you mean \"%s%s\"?", dashes, shown, text, dashes,
			near);
	return err_reason(err, RATLS_E_ARG, REASON_OPTION, "unknown option \"%s%.*s\"", dashes, shown, text);
}
