/* SPDX-License-Identifier: Apache-2.0
 *
 * First bytes come in any fragmentation, so each row says how many of them decide, and every shorter piece
 * must leave the question open.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "pg/first.h"
#include "pg/message.h"

/* Rows are padded with zeros to their `received` bytes, which is also what a StartupMessage may hold. */
#define SIZE_MAX_ROW (PG_STARTUP_MAX + 2)

struct row {
	const char *what;
	const char *head; /* the first bytes, n_head of them; the rest is zero */
	size_t n_head, received;
	enum pg_first expect;
	size_t decided_at; /* the shortest piece that tells */
	size_t len;        /* of the packet, where there is one */
};

#define HEAD(text) (text), sizeof(text) - 1

static const struct row rows[] = {
	{"TLS record", HEAD("\x16\x03\x01\x02"), 517, PG_FIRST_TLS, 1, 0},
	{"TLS of any version", HEAD("\x16\xff"), 2, PG_FIRST_TLS, 1, 0},
	{"TLS alert", HEAD("\x15\x03\x01\x00\x02"), 7, PG_FIRST_OTHER, 4, 0},
	{"SSLv2 hello", HEAD("\x80\x2e\x01\x03\x01"), 48, PG_FIRST_OTHER, 4, 0},

	{"SSLRequest", HEAD("\0\0\0\x08\x04\xd2\x16\x2f"), 8, PG_FIRST_SSL_REQUEST, 8, 8},
	{"SSLRequest with bytes behind", HEAD("\0\0\0\x08\x04\xd2\x16\x2f\x16\x03"), 20, PG_FIRST_SSL_REQUEST,
		8, 8},
	{"SSLRequest of 9 bytes", HEAD("\0\0\0\x09\x04\xd2\x16\x2f"), 9, PG_FIRST_OTHER, 8, 0},
	{"SSLRequest of 10001 bytes", HEAD("\0\0\x27\x11\x04\xd2\x16\x2f"), 10001, PG_FIRST_OTHER, 8, 0},
	{"GSSENCRequest", HEAD("\0\0\0\x08\x04\xd2\x16\x30"), 8, PG_FIRST_GSS_REQUEST, 8, 8},
	{"GSSENCRequest of 12 bytes", HEAD("\0\0\0\x0c\x04\xd2\x16\x30"), 12, PG_FIRST_OTHER, 8, 0},

	{"CancelRequest", HEAD("\0\0\0\x10\x04\xd2\x16\x2e"), 16, PG_FIRST_CANCEL, 16, 16},
	{"CancelRequest, longest key", HEAD("\0\0\x01\x0c\x04\xd2\x16\x2e"), 268, PG_FIRST_CANCEL, 268, 268},
	{"CancelRequest, key too long", HEAD("\0\0\x01\x0d\x04\xd2\x16\x2e"), 269, PG_FIRST_OTHER, 8, 0},
	{"CancelRequest, key too short", HEAD("\0\0\0\x0f\x04\xd2\x16\x2e"), 15, PG_FIRST_OTHER, 8, 0},
	{"CancelRequest without anything", HEAD("\0\0\0\x08\x04\xd2\x16\x2e"), 8, PG_FIRST_OTHER, 8, 0},

	{"StartupMessage", HEAD("\0\0\0\x16\0\x03\0\0user\0alice\0"), 22, PG_FIRST_STARTUP, 22, 22},
	{"StartupMessage, bytes behind", HEAD("\0\0\0\x09\0\x03\0\0\0Q"), 14, PG_FIRST_STARTUP, 9, 9},
	{"StartupMessage of 3.2", HEAD("\0\0\0\x09\0\x03\0\x02"), 9, PG_FIRST_STARTUP, 9, 9},
	{"StartupMessage of 3.9999", HEAD("\0\0\0\x09\0\x03\x27\x0f"), 9, PG_FIRST_STARTUP, 9, 9},
	{"StartupMessage without terminator", HEAD("\0\0\0\x08\0\x03\0\0"), 8, PG_FIRST_OTHER, 8, 0},
	{"longest StartupMessage", HEAD("\0\0\x27\x10\0\x03\0\0"), 10000, PG_FIRST_STARTUP, 10000, 10000},
	{"StartupMessage one too long", HEAD("\0\0\x27\x11\0\x03\0\0"), 10001, PG_FIRST_OVERSIZED, 8, 0},
	{"StartupMessage far too long", HEAD("\0\xff\xff\xff\0\x03\0\0"), 8, PG_FIRST_OVERSIZED, 8, 0},
	{"StartupMessage of a length that no client means", HEAD("\x01\0\0\0\0\x03\0\0"), 8, PG_FIRST_OTHER,
		4, 0},
	{"protocol 2", HEAD("\0\0\x01\x28\0\x02\0\0"), 296, PG_FIRST_OTHER, 8, 0},
	{"protocol 4", HEAD("\0\0\0\x09\0\x04\0\0"), 9, PG_FIRST_OTHER, 8, 0},
	{"unknown request code", HEAD("\0\0\0\x08\x04\xd2\x16\x31"), 8, PG_FIRST_OTHER, 8, 0},

	{"GET", HEAD("GET / HTTP/1.1\r\n"), 16, PG_FIRST_HTTP, 4, 0},
	{"POST", HEAD("POST / HTTP/1.1\r\n"), 17, PG_FIRST_HTTP, 4, 0},
	{"HEAD", HEAD("HEAD / HTTP/1.1\r\n"), 17, PG_FIRST_HTTP, 4, 0},
	{"PUT", HEAD("PUT / HTTP/1.1\r\n"), 16, PG_FIRST_HTTP, 4, 0},
	{"DELETE", HEAD("DELETE / HTTP/1.1\r\n"), 19, PG_FIRST_HTTP, 4, 0},
	{"OPTIONS", HEAD("OPTIONS * HTTP/1.1\r\n"), 20, PG_FIRST_HTTP, 4, 0},
	{"PATCH", HEAD("PATCH / HTTP/1.1\r\n"), 18, PG_FIRST_HTTP, 4, 0},
	{"CONNECT", HEAD("CONNECT a:1 HTTP/1.1\r\n"), 22, PG_FIRST_HTTP, 4, 0},
	{"TRACE", HEAD("TRACE / HTTP/1.1\r\n"), 18, PG_FIRST_HTTP, 4, 0},
	{"HTTP/2 preface", HEAD("PRI * HTTP/2.0\r\n"), 16, PG_FIRST_HTTP, 4, 0},
	{"no verb", HEAD("GETS"), 4, PG_FIRST_OTHER, 4, 0},
	{"a verb in lower case", HEAD("get "), 4, PG_FIRST_OTHER, 4, 0},
	{"SSH", HEAD("SSH-2.0-x\r\n"), 11, PG_FIRST_OTHER, 4, 0},

	{"nothing", HEAD(""), 0, PG_FIRST_MORE, 0, 0},
	{"length 0", HEAD("\0\0\0\0"), 4, PG_FIRST_OTHER, 4, 0},
	{"length 7", HEAD("\0\0\0\x07"), 4, PG_FIRST_OTHER, 4, 0},
	{"length 8 and no code yet", HEAD("\0\0\0\x08\x04\xd2\x16"), 7, PG_FIRST_MORE, 0, 0},
	{"length -1", HEAD("\xff\xff\xff\xff"), 4, PG_FIRST_OTHER, 4, 0},
};

/* The bytes of a row at the end of room, so that the address sanitizer sees every read past them. */
static struct cur bytes_of(const struct row *r, uint8_t *room)
{
	uint8_t *p = room + SIZE_MAX_ROW - r->received;

	memset(room, 0, SIZE_MAX_ROW);
	memcpy(p, r->head, r->n_head < r->received ? r->n_head : r->received);
	return cur_of(p, r->received);
}

static void check_piece(const struct row *r, struct cur whole, size_t n)
{
	size_t len = 12345;
	enum pg_first got = pg_first_look(cur_of(whole.p, n), &len);
	bool decided = n >= r->decided_at && r->expect != PG_FIRST_MORE;

	if (got != (decided ? r->expect : PG_FIRST_MORE))
		fail_msg("%s: %zu bytes are of class %d", r->what, n, (int)got);
	if (len != (decided ? r->len : 0))
		fail_msg("%s: with %zu bytes its length is %zu", r->what, n, len);
}

static void every_class_is_told_by_its_first_bytes_in_any_fragmentation(void **state)
{
	static uint8_t room[SIZE_MAX_ROW];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cur whole = bytes_of(&rows[i], room);

		for (size_t n = 0; n <= whole.left; n++)
			check_piece(&rows[i], whole, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_class_is_told_by_its_first_bytes_in_any_fragmentation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
