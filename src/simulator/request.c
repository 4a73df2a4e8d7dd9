/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"

void request_refuse(struct request *r, const char *name, const char *what)
{
	if (r->error.code == RATLS_OK)
		err_set(&r->error, RATLS_E_ARG, "invalid value for field \"%s\": %s", name, what);
}

/* NULL if missing; null is as good as missing. */
static const json_t *find(const struct request *r, const char *name)
{
	const json_t *v = json_object_get(r->object, name);

	return json_is_null(v) ? NULL : v;
}

const char *request_text(struct request *r, const char *name)
{
	const json_t *v = find(r, name);

	if (v == NULL)
		return "";
	if (!json_is_string(v)) {
		request_refuse(r, name, "expected a string");
		return "";
	}
	return json_string_value(v);
}

bool request_bool(struct request *r, const char *name)
{
	const json_t *v = find(r, name);
	const char *text = json_string_value(v);

	if (v == NULL)
		return false;
	if (json_is_boolean(v))
		return json_is_true(v);
	if (r->from_query && text != NULL && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0))
		return true;
	if (!r->from_query || text == NULL || (strcmp(text, "false") != 0 && strcmp(text, "0") != 0))
		request_refuse(r, name, "expected a boolean");
	return false;
}

/* From a query, numbers are texts. */
static bool read_integer(const struct request *r, const json_t *v, json_int_t *ret)
{
	const char *text = json_string_value(v);
	char *end;

	if (json_is_integer(v)) {
		*ret = json_integer_value(v);
		return true;
	}
	if (!r->from_query || text == NULL || *text == '\0')
		return false;
	*ret = strtoll(text, &end, 10);
	return *end == '\0';
}

int64_t request_time(struct request *r, const char *name)
{
	static const json_int_t last = 253402300799; /* 9999-12-31T23:59:59Z: what a certificate can say */
	const json_t *v = find(r, name);
	json_int_t n = 0;

	if (v != NULL && (!read_integer(r, v, &n) || n < 0 || n > last)) {
		request_refuse(r, name, "expected Unix seconds");
		return 0;
	}
	return n;
}

void request_list(struct request *r, const char *name, const char *ret[static REQUEST_LIST_MAX + 1])
{
	const json_t *v = find(r, name);
	size_t n = json_array_size(v);

	ret[0] = NULL;
	if (v == NULL)
		return;
	if (!json_is_array(v) || n > REQUEST_LIST_MAX) {
		request_refuse(r, name, "expected a list of at most 64 strings");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		ret[i] = json_string_value(json_array_get(v, i));
		if (ret[i] == NULL)
			request_refuse(r, name, "expected a list of strings");
	}
	ret[n] = NULL;
}

void request_hex(struct request *r, const char *name, struct buf *ret)
{
	const char *text = request_text(r, name);
	size_t n;
	uint8_t *to;

	if (strncmp(text, "0x", 2) == 0)
		text += 2;
	n = strlen(text) / 2;
	to = buf_reserve(ret, n);
	if (to == NULL || !hex_decode(text, strlen(text), to, n))
		request_refuse(r, name, "expected hexadecimal text");
	else
		buf_added(ret, n);
}

int request_ok(const struct request *r, struct ratls_error *err)
{
	return r->error.code == RATLS_OK ? RATLS_OK : err_set(err, r->error.code, "%s", r->error.message);
}
