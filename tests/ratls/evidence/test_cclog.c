/* SPDX-License-Identifier: Apache-2.0
 *
 * The log that is written for others, read back by a reader of this test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "evidence/cclog.h"
#include "evidence/evidence.h"
#include "sample/sample.h"
#include "vector.h"

#define EVENTS_MAX 64

/* As firmware of a real machine begins its log. */
static const char header[] = "0100000003000000000000000000000000000000000000000000000021000000"
			     "53706563204944204576656e743033000000000000020002010000000c003000"
			     "00";

struct entry {
	uint32_t mr, type;
	struct cur digest, data;
};

struct told {
	struct entry entries[EVENTS_MAX];
	size_t n;
	uint8_t rtmr[4][48];
	size_t of_rtmr[4];
};

static void extend(struct told *told, const struct entry *e)
{
	uint8_t *rtmr = told->rtmr[e->mr - 1];
	const struct cur parts[] = {cur_of(rtmr, 48), e->digest};

	assert_true(hash_parts(HASH_SHA384, parts, 2, rtmr));
	told->of_rtmr[e->mr - 1]++;
}

static void read_log(const struct buf *b, struct told *told)
{
	struct cur c = cur_of(b->p, b->len), head = cur_take(&c, 65);
	char text[2 * 65 + 1];

	memset(told, 0, sizeof(*told));
	assert_true(cur_ok(&head));
	hex_encode(head.p, head.left, text);
	assert_string_equal(text, header);
	while (cur_ok(&c) && c.left > 0) {
		struct entry *e = &told->entries[told->n++];

		assert_in_range(told->n, 1, EVENTS_MAX);
		e->mr = cur_u32le(&c);
		e->type = cur_u32le(&c);
		assert_int_equal(cur_u32le(&c), 1);
		assert_int_equal(cur_u16le(&c), 0x000c);
		e->digest = cur_take(&c, 48);
		e->data = cur_take(&c, cur_u32le(&c));
		assert_true(cur_ok(&c));
		assert_in_range(e->mr, 1, 4);
		extend(told, e);
	}
	assert_true(cur_done(&c));
}

/* What a runtime event was made of is in the log itself. */
static void assert_explained(const struct entry *e)
{
	uint8_t digest[48];

	assert_true(hash_bytes(HASH_SHA384, e->data.p, e->data.left, digest));
	assert_true(cur_is(&e->digest, digest, sizeof(digest)));
}

/* A boot, and the registers that it leaves. */
struct boot {
	struct sample_log sample;
	struct eventlog log;
	uint8_t rtmr[4][48];
	struct quote_td td;
};

static void boot_begin(struct boot *boot)
{
	sample_events(&boot->sample, true);
	boot->log = (struct eventlog){boot->sample.log, 12};
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(eventlog_replay(&boot->log, i, boot->rtmr[i], NULL), RATLS_OK);
		boot->td.rtmr[i] = cur_of(boot->rtmr[i], 48);
	}
}

static void a_boot_is_told_whole(void **state)
{
	static const char last[] =
		"{\"name\":\"vendor \\\"event\\\"\",\"payload\":\"6363636363\",\"type\":134217729}";
	static const char first[] = "\x01\x00\x00\x08:system-preparing:";
	struct boot boot;
	struct buf b = {0};
	struct told told;

	(void)state;
	boot_begin(&boot);
	assert_int_equal(cclog_append(&boot.log, &boot.td, &b, NULL), RATLS_OK);
	read_log(&b, &told);
	assert_int_equal(told.n, 12);
	assert_memory_equal(told.rtmr, boot.rtmr, sizeof(told.rtmr));
	assert_int_equal(told.entries[0].type, 10);
	assert_true(cur_is_str(&told.entries[0].data, "ACPI DATA"));
	assert_int_equal(told.entries[1].mr, 2);
	for (size_t i = 2; i < told.n; i++) {
		assert_int_equal(told.entries[i].mr, 4);
		assert_int_equal(told.entries[i].type, EVENTLOG_RUNTIME_TYPE);
		assert_explained(&told.entries[i]);
	}
	assert_true(cur_is(&told.entries[2].data, first, sizeof(first) - 1));
	assert_true(cur_is_str(&told.entries[11].data, last));
	buf_done(&b);
}

/* Certificates carry a part of what extended RTMR0: a reader could make nothing of it. */
static void what_does_not_replay_is_not_told(void **state)
{
	struct boot boot;
	struct buf b = {0};
	struct told told;

	(void)state;
	boot_begin(&boot);
	boot.rtmr[0][47] ^= 1;
	boot.sample.log[1].digest = cur_of(NULL, 0);
	assert_int_equal(cclog_append(&boot.log, &boot.td, &b, NULL), RATLS_OK);
	read_log(&b, &told);
	assert_int_equal(told.of_rtmr[0] + told.of_rtmr[1], 0);
	assert_int_equal(told.of_rtmr[3], 10);
	assert_memory_equal(told.rtmr[3], boot.rtmr[3], 48);
	buf_done(&b);
	boot.rtmr[3][0] ^= 1;
	assert_int_equal(cclog_append(&boot.log, &boot.td, &b, NULL), RATLS_OK);
	assert_int_equal(b.len, 0);
	boot.log.n = 0;
	assert_int_equal(cclog_append(&boot.log, &boot.td, &b, NULL), RATLS_OK);
	assert_int_equal(b.len, 0);
	buf_done(&b);
}

/* The whole log of a real machine, all four registers. */
static void a_real_log_is_told_whole(void **state)
{
	struct ratls_evidence *e = NULL;
	struct buf envelope = {0}, b = {0};
	struct told told;

	(void)state;
	if (!vector_load("dstack_attestation_v0.bin", &envelope))
		skip();
	assert_int_equal(ratls_evidence_from_envelope(envelope.p, envelope.len, &e, NULL), RATLS_OK);
	assert_int_equal(cclog_append(&e->log, &e->quote.td, &b, NULL), RATLS_OK);
	read_log(&b, &told);
	assert_int_equal(told.n, 33);
	assert_int_equal(told.of_rtmr[3], 9);
	for (size_t i = 0; i < 4; i++) {
		assert_in_range(told.of_rtmr[i], 1, 32);
		assert_memory_equal(told.rtmr[i], e->quote.td.rtmr[i].p, 48);
	}
	for (size_t i = 0; i < told.n; i++)
		if (told.entries[i].type == EVENTLOG_RUNTIME_TYPE)
			assert_explained(&told.entries[i]);
	ratls_evidence_free(e);
	buf_done(&envelope);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_boot_is_told_whole),
		cmocka_unit_test(what_does_not_replay_is_not_told),
		cmocka_unit_test(a_real_log_is_told_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
