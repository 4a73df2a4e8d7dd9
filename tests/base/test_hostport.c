/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hostport.h"

static const struct {
	const char *text, *host; /* NULL: refused */
	uint16_t port;
} rows[] = {
	{"127.0.0.1:5433", "127.0.0.1", 5433},
	{"0.0.0.0:0", "0.0.0.0", 0},
	{"db.example.org:65535", "db.example.org", 65535},
	{"db:05433", "db", 5433},
	{"[::1]:5433", "::1", 5433},
	{"[::]:0", "::", 0},
	{"[fe80::1%eth0]:5433", "fe80::1%eth0", 5433},
	/* Without brackets the last group is the port: who has to name a port has named one. */
	{"::1:5433", "::1", 5433},
	{":::5433", "::", 5433},
	{"/run/postgresql:5433", "/run/postgresql", 5433},
	{"123456789012345:1", "123456789012345", 1},

	{"", NULL, 0},
	{"db", NULL, 0},
	{"5433", NULL, 0},
	{":5433", NULL, 0},
	{"[]:5433", NULL, 0},
	{"db:", NULL, 0},
	{"[::1]", NULL, 0},
	{"db:65536", NULL, 0},
	{"db:4294967297", NULL, 0},
	{"db:18446744073709551617", NULL, 0},
	{"db:-1", NULL, 0},
	{"db:+1", NULL, 0},
	{"db: 1", NULL, 0},
	{"db:1 ", NULL, 0},
	{"db:0x1", NULL, 0},
	{"db:postgresql", NULL, 0},
	{"1234567890123456:1", NULL, 0}, /* and its end do not fit */
};

static void a_place_is_a_host_and_a_port(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char host[16] = "untouched";
		uint16_t port = 7;

		if (hostport_parse(rows[i].text, host, sizeof(host), &port) != (rows[i].host != NULL))
			fail_msg("\"%s\"", rows[i].text);
		assert_string_equal(host, rows[i].host != NULL ? rows[i].host : "untouched");
		assert_int_equal(port, rows[i].host != NULL ? rows[i].port : 7);
	}
}

static void a_port_ends_where_it_is_said(void **state)
{
	uint16_t port = 0;

	(void)state;
	assert_true(hostport_port("5433,5434", 4, &port));
	assert_int_equal(port, 5433);
	assert_false(hostport_port("5433", 0, &port));
	assert_false(hostport_port("54:33", 5, &port));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_is_a_host_and_a_port),
		cmocka_unit_test(a_port_ends_where_it_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
