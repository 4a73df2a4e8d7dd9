/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/fields.h"

#include <stdlib.h>

#include "appraisal/json_bytes.h"
#include "base/clock.h"
#include "base/hex.h"

bool fields_fail(struct fields *f, const char *name, const char *what)
{
	bool first = !f->bad && f->o->status != CHECK_FAIL; /* what follows from it is not worth a word */

	if (first && name != NULL)
		outcome_fail(f->o, "%s.%s %s", f->where, name, what);
	else if (first)
		outcome_fail(f->o, "%s %s", f->where, what);
	f->bad = true;
	return false;
}

json_t *fields_document(struct cur text, const char *name, struct outcome *o)
{
	struct ratls_error why;
	json_t *document = json_read(text, &why);

	if (document == NULL && why.code == RATLS_E_NOMEM)
		outcome_unknown(o, "out of memory");
	else if (document == NULL)
		outcome_fail(o, "%s is not JSON: %.130s", name, why.message);
	return document;
}

bool fields_nomem(struct fields *f)
{
	if (!f->bad)
		outcome_unknown(f->o, "out of memory");
	f->bad = true;
	return false;
}

void *fields_room(struct fields *f, size_t n, size_t size)
{
	void *room = calloc(n, size);

	if (room == NULL)
		fields_nomem(f);
	return room;
}

struct fields fields_of(const json_t *object, const char *where, struct outcome *o)
{
	struct fields f = {object, where, o, false};

	if (!json_is_object(object))
		fields_fail(&f, NULL, "is not an object");
	return f;
}

static const json_t *get(struct fields *f, const char *name)
{
	const json_t *v = f->bad ? NULL : json_object_get(f->object, name);

	if (v == NULL)
		fields_fail(f, name, "is missing");
	return v;
}

int64_t fields_uint(struct fields *f, const char *name, int64_t max)
{
	const json_t *v = get(f, name);

	if (v == NULL)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > max) {
		fields_fail(f, name, "is not an integer in its range");
		return 0;
	}
	return json_integer_value(v);
}

const char *fields_text(struct fields *f, const char *name, size_t max)
{
	const json_t *v = get(f, name);

	if (v == NULL)
		return "";
	if (!json_is_string(v) || json_string_length(v) == 0 || json_string_length(v) > max) {
		fields_fail(f, name, "is not a text of its length");
		return "";
	}
	return json_string_value(v);
}

void fields_hex(struct fields *f, const char *name, uint8_t *ret, size_t len)
{
	const json_t *v = get(f, name);

	if (v == NULL)
		return;
	if (!json_is_string(v) || !hex_decode(json_string_value(v), json_string_length(v), ret, len))
		fields_fail(f, name, "is not hex of its length");
}

int64_t fields_time(struct fields *f, const char *name)
{
	const json_t *v = get(f, name);
	int64_t at = 0;

	if (v != NULL &&
		(!json_is_string(v) || !clock_parse_utc(json_string_value(v), json_string_length(v), &at)))
		fields_fail(f, name, "is not a time of the form YYYY-MM-DDThh:mm:ssZ");
	return at;
}

const json_t *fields_object(struct fields *f, const char *name)
{
	const json_t *v = get(f, name);

	if (v != NULL && !json_is_object(v))
		fields_fail(f, name, "is not an object");
	return f->bad ? NULL : v;
}

const json_t *fields_array(struct fields *f, const char *name, size_t min, size_t max)
{
	const json_t *v = get(f, name);

	if (v != NULL && !json_is_array(v))
		fields_fail(f, name, "is not an array");
	else if (v != NULL && (json_array_size(v) < min || json_array_size(v) > max))
		fields_fail(f, name, "does not have its number of elements");
	return f->bad ? NULL : v;
}

const json_t *fields_texts(struct fields *f, const char *name, size_t max, size_t max_text)
{
	const json_t *v;

	if (f->bad || json_object_get(f->object, name) == NULL)
		return NULL;
	v = fields_array(f, name, 0, max);
	for (size_t i = 0; v != NULL && i < json_array_size(v); i++) {
		const json_t *text = json_array_get(v, i);

		if (!json_is_string(text) || json_string_length(text) > max_text) {
			fields_fail(f, name, "does not hold texts alone");
			return NULL;
		}
	}
	return v;
}
