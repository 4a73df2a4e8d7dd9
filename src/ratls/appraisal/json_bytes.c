/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/json_bytes.h"

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
