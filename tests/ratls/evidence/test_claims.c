/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/reason.h"
#include "base/hex.h"
#include "evidence/claims.h"

static const uint8_t bytes[CLAIMS_KEY_PROVIDER_MAX + 1] = {'{', '}'};

static struct event event(const char *name, size_t payload)
{
	return (struct event){
		.imr = 3,
		.type = EVENTLOG_RUNTIME_TYPE,
		.version = 1,
		.digest = cur_of(NULL, 0),
		.name = cur_of(name, strlen(name)),
		.payload = cur_of(bytes, payload),
		.preimage = cur_of(NULL, 0),
	};
}

static void claims_are_taken_up_to_system_ready(void **state)
{
	struct event events[] = {event("system-preparing", 0), event("app-id", 20), event("compose-hash", 32),
		event("instance-id", 20), event("boot-mr-done", 0), event("key-provider", 2),
		event("system-ready", 0), event("os-image-hash", 32), event("app-id", 7), event("a:b", 1)};
	struct eventlog log = {events, sizeof(events) / sizeof(events[0])};
	struct evidence_claims claims;

	(void)state;
	assert_int_equal(claims_read(&log, &claims, NULL), RATLS_OK);
	assert_int_equal(claims.app_id.left, 20);
	assert_int_equal(claims.compose_hash.left, 32);
	assert_int_equal(claims.instance_id.left, 20);
	assert_int_equal(claims.key_provider.left, 2);
	assert_int_equal(claims.os_image_hash.left, 0);
	assert_null(claims.duplicate);
}

/* The first counts, and appraisal learns that there was another. */
static void a_second_claim_is_reported(void **state)
{
	uint8_t second[20] = {0xff};
	struct event events[] = {event("app-id", 20), event("app-id", 20)};
	struct eventlog log = {events, 2};
	struct evidence_claims claims;

	(void)state;
	events[1].payload = cur_of(second, sizeof(second));
	assert_int_equal(claims_read(&log, &claims, NULL), RATLS_OK);
	assert_string_equal(claims.duplicate, "app-id");
	assert_ptr_equal(claims.app_id.p, bytes);
}

static void an_empty_instance_id_counts_as_given(void **state)
{
	struct event events[] = {event("instance-id", 0), event("instance-id", 20)};
	struct eventlog log = {events, 2};
	struct evidence_claims claims;

	(void)state;
	assert_int_equal(claims_read(&log, &claims, NULL), RATLS_OK);
	assert_string_equal(claims.duplicate, "instance-id");
	assert_int_equal(claims.instance_id.left, 0);
}

static void what_a_claim_cannot_be_is_refused(void **state)
{
	static const struct {
		const char *name;
		size_t size;
		int reason;
	} rows[] = {
		{"app-id", 19, REASON_CLAIMS_SIZE},
		{"app-id", 21, REASON_CLAIMS_SIZE},
		{"app-id", 0, REASON_CLAIMS_SIZE},
		{"compose-hash", 31, REASON_CLAIMS_SIZE},
		{"compose-hash", 33, REASON_CLAIMS_SIZE},
		{"instance-id", 1, REASON_CLAIMS_SIZE},
		{"os-image-hash", 20, REASON_CLAIMS_SIZE},
		{"key-provider", 0, REASON_CLAIMS_SIZE},
		{"key-provider", CLAIMS_KEY_PROVIDER_MAX, 0},
		{"key-provider", CLAIMS_KEY_PROVIDER_MAX + 1, REASON_CLAIMS_SIZE},
		{"init-script-hash", 5, 0},
		{"compose-hash:", 31, REASON_CLAIMS_NAME},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct event e = event(rows[i].name, rows[i].size);
		struct eventlog log = {&e, 1};
		struct ratls_error err = {0};
		struct evidence_claims claims = {.duplicate = "untouched"};
		int rc = claims_read(&log, &claims, &err);

		if (rc != (rows[i].reason == 0 ? RATLS_OK : RATLS_E_FORMAT) || err.reason != rows[i].reason)
			fail_msg("%s of %zu: %d, TQ-%d", rows[i].name, rows[i].size, rc, err.reason);
		if (rc != RATLS_OK)
			assert_string_equal(claims.duplicate, "untouched");
	}
}

/* As dstack computes mr_key_provider: the digest is of the payload's bytes, whatever they mean. */
static void a_key_provider_is_known_by_its_digest(void **state)
{
	static const char payload[] = "{\"name\":\"kms\",\"id\":\"00\"}";
	uint8_t expected[HASH_SHA256_SIZE], digest[HASH_SHA256_SIZE];
	struct evidence_claims claims = {.key_provider = cur_of(payload, sizeof(payload) - 1)};

	(void)state;
	assert_true(hex_decode("c43e1e567138c5f7eea3d42b8d8c2fb4c15a00cfa69fad98268ccc76ded4f94d", 64, expected, sizeof(expected)));
	assert_true(claims_key_provider_digest(&claims, digest));
	assert_memory_equal(digest, expected, sizeof(expected));
	claims.key_provider = cur_of(NULL, 0);
	assert_false(claims_key_provider_digest(&claims, digest));
}

static void a_key_provider_must_be_text(void **state)
{
	struct event e = event("key-provider", 2);
	struct eventlog log = {&e, 1};
	struct evidence_claims claims;

	(void)state;
	e.payload = cur_of("\xff\xfe", 2);
	assert_int_equal(claims_read(&log, &claims, NULL), RATLS_E_FORMAT);
}

/* The canonical text of version 2 leaves no doubt where a name ends. */
static void a_colon_is_harmless_in_version_2(void **state)
{
	struct event e = event("vendor:thing", 2);
	struct eventlog log = {&e, 1};
	struct evidence_claims claims;

	(void)state;
	e.version = 2;
	assert_int_equal(claims_read(&log, &claims, NULL), RATLS_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_are_taken_up_to_system_ready),
		cmocka_unit_test(a_second_claim_is_reported),
		cmocka_unit_test(an_empty_instance_id_counts_as_given),
		cmocka_unit_test(what_a_claim_cannot_be_is_refused),
		cmocka_unit_test(a_key_provider_is_known_by_its_digest),
		cmocka_unit_test(a_key_provider_must_be_text),
		cmocka_unit_test(a_colon_is_harmless_in_version_2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
