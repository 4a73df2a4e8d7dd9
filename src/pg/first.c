/* SPDX-License-Identifier: Apache-2.0 */
#include "pg/first.h"

#include "pg/message.h"

static bool is_http(const struct cur *bytes)
{
	static const char *const verbs[] = {
		"GET ", "POST", "HEAD", "PUT ", "DELE", "OPTI", "PATC", "CONN", "TRAC", "PRI "};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (memcmp(bytes->p, verbs[i], 4) == 0)
			return true;
	return false;
}

/* What a packet with this length and code is once all of it is here. */
static enum pg_first packet(uint32_t length, uint32_t code)
{
	if (code == PG_SSL_REQUEST)
		return length == 8 ? PG_FIRST_SSL_REQUEST : PG_FIRST_OTHER;
	if (code == PG_GSS_REQUEST)
		return length == 8 ? PG_FIRST_GSS_REQUEST : PG_FIRST_OTHER;
	if (code == PG_CANCEL_REQUEST)
		return length >= PG_CANCEL_MIN && length <= PG_CANCEL_MAX ? PG_FIRST_CANCEL : PG_FIRST_OTHER;
	if (code >> 16 != 3 || length < PG_STARTUP_MIN)
		return PG_FIRST_OTHER;
	return length <= PG_STARTUP_MAX ? PG_FIRST_STARTUP : PG_FIRST_OVERSIZED;
}

enum pg_first pg_first_look(struct cur bytes, size_t *ret_len)
{
	struct cur in = bytes;
	enum pg_first kind;
	uint32_t length;

	*ret_len = 0;
	if (bytes.left >= 1 && bytes.p[0] == 0x16)
		return PG_FIRST_TLS;
	if (bytes.left < 4)
		return PG_FIRST_MORE;
	if (is_http(&bytes))
		return PG_FIRST_HTTP;
	length = cur_u32be(&in);
	if (length < 8 || length > PG_LENGTH_MAX)
		return PG_FIRST_OTHER;
	if (bytes.left < 8)
		return PG_FIRST_MORE;
	kind = packet(length, cur_u32be(&in));
	if (kind == PG_FIRST_OTHER || kind == PG_FIRST_OVERSIZED)
		return kind;
	if (bytes.left < length)
		return PG_FIRST_MORE;
	*ret_len = length;
	return kind;
}
