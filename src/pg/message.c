/* SPDX-License-Identifier: Apache-2.0 */
#include "pg/message.h"

/* An empty slot points nowhere, which no value does: an empty value counts too. */
static bool keep_once(struct cur *slot, struct cur value)
{
	if (slot->p != NULL)
		return false;
	*slot = value;
	return true;
}

bool pg_startup_parse(struct cur packet, struct pg_startup *ret)
{
	struct pg_startup s = {.user.p = NULL};

	cur_take(&packet, 8); /* length and protocol version */
	for (;;) {
		struct cur name = cur_cstr(&packet), value;
		bool fine = true;

		if (!cur_ok(&packet))
			return false;
		if (name.left == 0)
			break;
		value = cur_cstr(&packet);
		if (cur_is_str(&name, "user"))
			fine = keep_once(&s.user, value);
		else if (cur_is_str(&name, "database"))
			fine = keep_once(&s.database, value);
		else if (cur_is_str(&name, "replication"))
			fine = keep_once(&s.replication, value);
		if (!fine || !cur_ok(&packet))
			return false;
	}
	if (!cur_done(&packet) || s.user.left == 0)
		return false;
	if (s.database.left == 0)
		s.database = s.user;
	if (s.replication.p == NULL)
		s.replication = cur_of(NULL, 0);
	*ret = s;
	return true;
}

static void field(struct buf *b, char tag, const char *value)
{
	if (value == NULL)
		return;
	buf_u8(b, (uint8_t)tag);
	buf_bytes(b, value, strlen(value) + 1);
}

void pg_error_append(struct buf *b, const struct pg_error *e)
{
	struct buf fields = {0};

	field(&fields, 'S', "FATAL");
	field(&fields, 'V', "FATAL");
	field(&fields, 'C', e->sqlstate);
	field(&fields, 'M', e->message);
	field(&fields, 'D', e->detail);
	field(&fields, 'H', e->hint);
	buf_u8(&fields, 0);
	buf_u8(b, 'E');
	buf_u32be(b, (uint32_t)fields.len + 4);
	buf_bytes(b, fields.p, fields.len);
	b->bad = b->bad || fields.bad;
	buf_done(&fields);
}
