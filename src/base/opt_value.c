/* SPDX-License-Identifier: Apache-2.0 */
#include "base/opt_value.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/opt_setting.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* The largest first: a value is shown in the largest unit that divides it. */
static const struct unit time_units[] = {
	{"d", 86400000},
	{"h", 3600000},
	{"m", 60000},
	{"s", 1000},
	{"ms", 1},
	{NULL, 0},
};
static const struct unit size_units[] = {
	{"G", 1u << 30}, {"M", 1u << 20}, {"k", 1u << 10}, {"", 1}, {NULL, 0}};
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};

static const struct {
	const char *name;
	bool value;
} bool_names[] = {
	{"yes", true},
	{"no", false},
	{"on", true},
	{"off", false},
	{"true", true},
	{"false", false},
	{"1", true},
	{"0", false},
};

static bool find_bool(const char *text, bool *ret)
{
	for (size_t i = 0; i < sizeof(bool_names) / sizeof(bool_names[0]); i++) {
		if (strcmp(text, bool_names[i].name) == 0) {
			*ret = bool_names[i].value;
			return true;
		}
	}
	return false;
}

static int set_bool(bool *field, const char *text, struct ratls_error *err)
{
	if (!find_bool(text, field))
		return err_set(err, RATLS_E_ARG, "\"%.64s\" is neither yes nor no", text);
	return RATLS_OK;
}

/* The words of "one|two||three"; NULL at the end. */
static const char *next_word(const char *word, size_t *ret_len)
{
	word += strspn(word, "|");
	*ret_len = strcspn(word, "|");
	return *ret_len > 0 ? word : NULL;
}

static bool find_word(const char *words, const char *text, unsigned *ret)
{
	size_t len;
	unsigned place = 0;

	for (const char *w = words; (w = next_word(w, &len)) != NULL; w += len, place++) {
		if (strlen(text) == len && memcmp(w, text, len) == 0) {
			*ret = place;
			return true;
		}
	}
	return false;
}

/* "one, two or three" of "one|two|three||four". */
static void enumerate(const struct opt *o, struct buf *out)
{
	const char *end = o->arg + opt_arg_shown(o);
	size_t len;

	for (const char *w = o->arg; w < end && (w = next_word(w, &len)) != NULL; w += len) {
		if (w > o->arg)
			buf_str(out, w + len < end ? ", " : " or ");
		buf_bytes(out, w, len);
	}
}

static int set_choice(const struct opt *o, unsigned *field, const char *text, struct ratls_error *err)
{
	struct buf choices = {0};
	bool yes;

	if (find_word(o->arg, text, field) ||
		(find_bool(text, &yes) && find_word(o->arg, yes ? "yes" : "no", field)))
		return RATLS_OK;
	enumerate(o, &choices);
	buf_u8(&choices, '\0');
	err_set(err, RATLS_E_ARG, "\"%.64s\" is not %s", text, choices.bad ? "known" : (const char *)choices.p);
	buf_done(&choices);
	return RATLS_E_ARG;
}

static const struct unit *find_unit(const struct unit *units, const char *name)
{
	for (; units->name != NULL; units++)
		if (strcmp(units->name, name) == 0)
			return units;
	return NULL;
}

/* Digits, then a unit; fallback is the unit of a bare number. */
static int set_number(uint64_t *ret, const char *text, const struct unit *units, const char *fallback,
	struct ratls_error *err)
{
	const char *p = text;
	const struct unit *unit;
	uint64_t v = 0;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return err_set(err, RATLS_E_ARG, "\"%.64s\" is too large", text);
	if (p == text)
		return err_set(err, RATLS_E_ARG, "\"%.64s\" is not a number", text);
	unit = find_unit(units, *p == '\0' ? fallback : p);
	if (unit == NULL)
		return err_set(err, RATLS_E_ARG, "\"%.64s\" has an unknown unit", text);
	if (__builtin_mul_overflow(v, unit->factor, &v))
		return err_set(err, RATLS_E_ARG, "\"%.64s\" is too large", text);
	*ret = v;
	return RATLS_OK;
}

static int set_time(int64_t *field, const char *text, struct ratls_error *err)
{
	uint64_t ms = 0;
	int rc = set_number(&ms, text, time_units, "s", err);

	if (rc != RATLS_OK)
		return rc;
	if (ms > INT64_MAX)
		return err_set(err, RATLS_E_ARG, "\"%.64s\" is too large", text);
	*field = (int64_t)ms;
	return RATLS_OK;
}

static int empty(struct ratls_error *err)
{
	return err_set(err, RATLS_E_ARG, "the value is empty");
}

static int set_str(char **field, const char *text, struct ratls_error *err)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	free(*field);
	*field = copy;
	return RATLS_OK;
}

static int list_append(char ***field, const char *text, size_t len, struct ratls_error *err)
{
	size_t n = 0;
	char **list, *copy;

	while (*field != NULL && (*field)[n] != NULL)
		n++;
	if (n >= OPT_LIST_MAX)
		return err_set(err, RATLS_E_ARG, "the list has more than %d items", OPT_LIST_MAX);
	list = realloc(*field, (n + 2) * sizeof(*list));
	if (list == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	list[n] = NULL;
	*field = list;
	copy = strndup(text, len);
	if (copy == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	list[n] = copy;
	list[n + 1] = NULL;
	return RATLS_OK;
}

static int set_list(char ***field, const char *text, bool split, struct ratls_error *err)
{
	if (!split)
		return list_append(field, text, strlen(text), err);
	if (text[strspn(text, ", \t")] == '\0')
		return empty(err);
	while (*text != '\0') {
		size_t item, len = strcspn(text, ",");
		const char *next = text + len + (text[len] == ',');
		int rc;

		item = strspn(text, " \t");
		item = item < len ? item : len;
		while (len > item && strchr(" \t", text[len - 1]) != NULL)
			len--;
		if (len > item && (rc = list_append(field, text + item, len - item, err)) != RATLS_OK)
			return rc;
		text = next;
	}
	return RATLS_OK;
}

int opt_value_set(const struct opt *o, void *field, const char *text, bool split, struct ratls_error *err)
{
	if (*text == '\0')
		return empty(err);
	switch (o->type) {
	case OPT_STR:
		return set_str(field, text, err);
	case OPT_LIST:
		return set_list(field, text, split, err);
	case OPT_BOOL:
		return set_bool(field, text, err);
	case OPT_UINT:
		return set_number(field, text, no_units, "", err);
	case OPT_TIME:
		return set_time(field, text, err);
	case OPT_SIZE:
		return set_number(field, text, size_units, "", err);
	case OPT_CHOICE:
		return set_choice(o, field, text, err);
	}
	return err_set(err, RATLS_E_ARG, "the option has no known type");
}

void opt_value_clear(enum opt_type type, void *field)
{
	char ***list = field, **str = field;

	switch (type) {
	case OPT_STR:
		free(*str);
		*str = NULL;
		break;
	case OPT_LIST:
		for (size_t i = 0; *list != NULL && (*list)[i] != NULL; i++)
			free((*list)[i]);
		free(*list);
		*list = NULL;
		break;
	case OPT_BOOL:
		*(bool *)field = false;
		break;
	case OPT_UINT:
	case OPT_SIZE:
		*(uint64_t *)field = 0;
		break;
	case OPT_TIME:
		*(int64_t *)field = 0;
		break;
	case OPT_CHOICE:
		*(unsigned *)field = 0;
		break;
	}
}

bool opt_value_is_set(enum opt_type type, const void *field)
{
	switch (type) {
	case OPT_STR:
		return *(char *const *)field != NULL;
	case OPT_LIST:
		return *(char **const *)field != NULL;
	case OPT_BOOL:
		return *(const bool *)field;
	case OPT_UINT:
	case OPT_SIZE:
		return *(const uint64_t *)field != 0;
	case OPT_TIME:
		return *(const int64_t *)field != 0;
	case OPT_CHOICE:
		return *(const unsigned *)field != 0;
	}
	return false;
}

static void format_number(uint64_t v, const struct unit *units, struct buf *out)
{
	while (units[1].name != NULL && (v == 0 || v % units->factor != 0))
		units++;
	buf_fmt(out, "%llu%s", (unsigned long long)(v / units->factor), units->name);
}

static void format_list(char *const *list, struct buf *out)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		buf_fmt(out, "%s%s", i > 0 ? ", " : "", list[i]);
}

static void format_choice(const struct opt *o, unsigned place, struct buf *out)
{
	size_t len;
	const char *w = next_word(o->arg, &len);

	for (; place > 0 && w != NULL; place--)
		w = next_word(w + len, &len);
	buf_bytes(out, w, len);
}

void opt_value_format(const struct opt *o, const void *field, struct buf *out)
{
	switch (o->type) {
	case OPT_STR:
		buf_str(out, *(char *const *)field != NULL ? *(char *const *)field : "");
		break;
	case OPT_LIST:
		format_list(*(char **const *)field, out);
		break;
	case OPT_BOOL:
		buf_str(out, *(const bool *)field ? "yes" : "no");
		break;
	case OPT_UINT:
		format_number(*(const uint64_t *)field, no_units, out);
		break;
	case OPT_TIME:
		format_number((uint64_t) * (const int64_t *)field, time_units, out);
		break;
	case OPT_SIZE:
		format_number(*(const uint64_t *)field, size_units, out);
		break;
	case OPT_CHOICE:
		format_choice(o, *(const unsigned *)field, out);
		break;
	}
}
