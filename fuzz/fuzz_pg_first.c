/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"
#include "pg/first.h"
#include "pg/message.h"

static bool within(const struct cur *part, const uint8_t *data, size_t len)
{
	return part->left == 0 || (part->p >= data && part->p + part->left <= data + len);
}

/* What is decided by few bytes is not decided otherwise by more: a peer gains nothing by fragmentation. A
 * packet lies within what was received, and so do the parameters of a StartupMessage. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	enum pg_first before = PG_FIRST_MORE;
	struct pg_startup m;
	size_t packet = 0;

	for (size_t n = 0; n <= len && n <= PG_STARTUP_MAX + 1; n = n < 16 || n + 97 > len ? n + 1 : n + 97) {
		enum pg_first now = pg_first_look(cur_of(data, n), &packet);

		assert(before == PG_FIRST_MORE || now == before);
		assert(packet <= n && packet <= PG_STARTUP_MAX);
		before = now;
	}
	if (before != PG_FIRST_STARTUP || !pg_startup_parse(cur_of(data, packet), &m))
		return 0;
	assert(m.user.left > 0 && m.database.left > 0);
	assert(within(&m.user, data, packet) && within(&m.database, data, packet));
	assert(within(&m.replication, data, packet));
	return 0;
}
