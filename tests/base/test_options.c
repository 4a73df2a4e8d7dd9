/* SPDX-License-Identifier: Apache-2.0
 *
 * A caller may have been built against an older header, or against a newer one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/options.h"

struct first {
	size_t size;
	const char *name;
};

struct known {
	size_t size;
	const char *name;
	bool quick;
};

struct newer {
	size_t size;
	const char *name;
	bool quick;
	const char *other;
};

static int copy(struct known *ret, const void *given, struct ratls_error *err)
{
	return options_copy(ret, sizeof(*ret), given, sizeof(struct first), err);
}

static void no_options_are_all_zero(void **state)
{
	struct known k = {.size = 1, .name = "a", .quick = true};

	(void)state;
	assert_int_equal(copy(&k, NULL, NULL), RATLS_OK);
	assert_int_equal(k.size, sizeof(k));
	assert_null(k.name);
	assert_false(k.quick);
}

static void what_the_caller_does_not_know_is_zero(void **state)
{
	struct {
		struct first first;
		uint8_t beyond[sizeof(struct known)]; /* must not be looked at */
	} given = {.first = {.size = sizeof(struct first), .name = "a"}};
	struct known k = {.quick = true};

	(void)state;
	memset(given.beyond, 0xff, sizeof(given.beyond));
	assert_int_equal(copy(&k, &given, NULL), RATLS_OK);
	assert_int_equal(k.size, sizeof(k));
	assert_string_equal(k.name, "a");
	assert_false(k.quick);
}

static void what_we_do_not_know_may_be_there_but_not_asked_for(void **state)
{
	struct newer given;
	struct known k = {.name = "untouched"};
	struct ratls_error err = {0};

	(void)state;
	memset(&given, 0, sizeof(given));
	given.size = sizeof(given);
	given.other = "b";
	assert_int_equal(copy(&k, &given, &err), RATLS_E_ARG);
	assert_non_null(strstr(err.message, "does not know"));
	assert_string_equal(k.name, "untouched");
	given.other = NULL;
	given.name = "a";
	given.quick = true;
	assert_int_equal(copy(&k, &given, NULL), RATLS_OK);
	assert_string_equal(k.name, "a");
	assert_true(k.quick);
}

static void a_size_that_no_version_had_is_refused(void **state)
{
	struct known given = {.name = "a"}, k = {.name = "untouched"};
	struct ratls_error err = {0};

	(void)state;
	for (given.size = 0; given.size < sizeof(struct first); given.size++) {
		assert_int_equal(copy(&k, &given, &err), RATLS_E_ARG);
		assert_non_null(strstr(err.message, "size is not set"));
	}
	assert_string_equal(k.name, "untouched");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_options_are_all_zero),
		cmocka_unit_test(what_the_caller_does_not_know_is_zero),
		cmocka_unit_test(what_we_do_not_know_may_be_there_but_not_asked_for),
		cmocka_unit_test(a_size_that_no_version_had_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
