/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "program/loopback.h"

static const struct {
	const char *authority;
	bool here;
} rows[] = {
	{"localhost", true},
	{"localhost:8090", true},
	{"127.0.0.1", true},
	{"127.0.0.1:0", true},
	{"127.255.1.2:65535", true},
	{"[::1]", true},
	{"[::1]:8090", true},

	/* What resolvers and clients of HTTP may take for this machine is not known to be it. */
	{"", false},
	{":8090", false},
	{"127.1", false},
	{"0.0.0.0", false},
	{"0x7f000001", false},
	{"::1", false},
	{"::1:8090", false},
	{"[::1", false},
	{"[::1]8090", false},
	{"[::ffff:127.0.0.1]", false},
	{"LOCALHOST", false},
	{"localhost.", false},
	{"localhost:", false},
	{"localhost.example.org", false},
	{"127.0.0.1.example.org:80", false},
	{"localhost:80@192.0.2.1", false},
	{"localhost@192.0.2.1", false},
	{"localhost\\@192.0.2.1", false},
	{"user@localhost", false},
	{"128.0.0.1", false},
	{"192.0.2.1:8090", false},
	{"[2001:db8::1]:8090", false},
};

static void only_this_machine_is_this_machine(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (loopback_authority(rows[i].authority, strlen(rows[i].authority)) != rows[i].here)
			fail_msg("\"%s\"", rows[i].authority);
}

static void nothing_behind_the_length_is_read(void **state)
{
	(void)state;
	assert_true(loopback_authority("127.0.0.1:80/path", 12));
	assert_true(loopback_authority("127.0.0.1:80/path", 9));
	assert_false(loopback_authority("localhost\0x", 11));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_this_machine_is_this_machine),
		cmocka_unit_test(nothing_behind_the_length_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
