/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/json_bytes.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/hex.h"

static json_t *take_text(struct buf *b)
{
	json_t *text = b->bad ? NULL : json_stringn((const char *)b->p, b->len);

	buf_done(b);
	return text;
}

json_t *json_of_hex(struct cur bytes)
{
	struct buf b = {0};

	hex_append(&b, bytes.p, bytes.left);
	return take_text(&b);
}

json_t *json_of_base64(struct cur bytes)
{
	struct buf b = {0};

	base64_append(&b, bytes.p, bytes.left);
	return take_text(&b);
}

json_t *json_of_time(int64_t at)
{
	char text[CLOCK_TEXT_SIZE];

	clock_format(at, text);
	return json_string(text);
}

/* Where jansson runs out of memory it has nothing to say, mostly. */
json_t *json_read(struct cur text, struct ratls_error *err)
{
	json_error_t why;
	json_t *value = json_loadb((const char *)text.p, text.left, JSON_REJECT_DUPLICATES, &why);

	if (value != NULL)
		return value;
	if (json_error_code(&why) == json_error_out_of_memory || why.text[0] == '\0')
		err_set(err, RATLS_E_NOMEM, "out of memory");
	else
		err_set(err, RATLS_E_FORMAT, "line %d: %s", why.line,
			json_error_code(&why) == json_error_null_character ? "a text holds a NUL character"
									   : why.text);
	return NULL;
}

static int append(const char *bytes, size_t len, void *text)
{
	struct buf *b = text;

	buf_bytes(b, bytes, len);
	return b->bad ? -1 : 0;
}

/* The buffer stays bad, so that what jansson overlooks here fails later. */
void json_append(const json_t *value, size_t flags, struct buf *ret)
{
	if (value == NULL || json_dump_callback(value, append, ret, flags) != 0)
		ret->bad = true;
}
