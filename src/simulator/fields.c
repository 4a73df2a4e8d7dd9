/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator/fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"

static void wrong(struct fields *f, const char *name, const char *what)
{
	if (f->error.code == RATLS_OK)
		err_set(&f->error, RATLS_E_ARG, "invalid value for field \"%s\": %s", name, what);
}

/* NULL if missing; null is as good as missing. */
static const json_t *find(const struct fields *f, const char *name)
{
	const json_t *v = json_object_get(f->object, name);

	return json_is_null(v) ? NULL : v;
}

const char *fields_text(struct fields *f, const char *name)
{
	const json_t *v = find(f, name);

	if (v == NULL)
		return "";
	if (!json_is_string(v)) {
		wrong(f, name, "expected a string");
		return "";
	}
	return json_string_value(v);
}

bool fields_bool(struct fields *f, const char *name)
{
	const json_t *v = find(f, name);
	const char *text = json_string_value(v);

	if (v == NULL)
		return false;
	if (json_is_boolean(v))
		return json_is_true(v);
	if (f->from_query && text != NULL && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0))
		return true;
	if (!f->from_query || text == NULL || (strcmp(text, "false") != 0 && strcmp(text, "0") != 0))
		wrong(f, name, "expected a boolean");
	return false;
}

/* From a query, numbers are texts. */
static bool read_integer(const struct fields *f, const json_t *v, json_int_t *ret)
{
	const char *text = json_string_value(v);
	char *end;

	if (json_is_integer(v)) {
		*ret = json_integer_value(v);
		return true;
	}
	if (!f->from_query || text == NULL || *text == '\0')
		return false;
	*ret = strtoll(text, &end, 10);
	return *end == '\0';
}

int64_t fields_time(struct fields *f, const char *name)
{
	static const json_int_t last = 253402300799; /* 9999-12-31T23:59:59Z: what a certificate can say */
	const json_t *v = find(f, name);
	json_int_t n = 0;

	if (v != NULL && (!read_integer(f, v, &n) || n < 0 || n > last)) {
		wrong(f, name, "expected Unix seconds");
		return 0;
	}
	return n;
}

void fields_list(struct fields *f, const char *name, const char *ret[static FIELDS_LIST_MAX + 1])
{
	const json_t *v = find(f, name);
	size_t n = json_array_size(v);

	ret[0] = NULL;
	if (v == NULL)
		return;
	if (!json_is_array(v) || n > FIELDS_LIST_MAX) {
		wrong(f, name, "expected a list of at most 64 strings");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		ret[i] = json_string_value(json_array_get(v, i));
		if (ret[i] == NULL)
			wrong(f, name, "expected a list of strings");
	}
	ret[n] = NULL;
}

void fields_hex(struct fields *f, const char *name, struct buf *ret)
{
	const char *text = fields_text(f, name);
	size_t n;
	uint8_t *to;

	if (strncmp(text, "0x", 2) == 0)
		text += 2;
	n = strlen(text) / 2;
	to = buf_reserve(ret, n);
	if (to == NULL || !hex_decode(text, strlen(text), to, n))
		wrong(f, name, "expected hexadecimal text");
	else
		buf_added(ret, n);
}

int fields_ok(const struct fields *f, struct ratls_error *err)
{
	return f->error.code == RATLS_OK ? RATLS_OK : err_set(err, f->error.code, "%s", f->error.message);
}
