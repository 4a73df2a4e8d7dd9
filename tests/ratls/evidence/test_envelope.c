/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/reason.h"
#include "evidence/envelope.h"
#include "sample/sample.h"

/* Read as evidence.c does: measure, then fill room of just that size. ret_room is the caller's to free. */
static int read_twice(struct cur in, struct ratls_evidence *ret, uint8_t **ret_room, struct ratls_error *err)
{
	struct store measure = {0}, store = {0};
	int rc = envelope_read(in, &measure, ret, err);

	*ret_room = NULL;
	if (rc != RATLS_OK)
		return rc;
	*ret_room = malloc(measure.used + 1);
	store = (struct store){.p = *ret_room, .size = measure.used};
	assert_int_equal(envelope_read(in, &store, ret, err), RATLS_OK);
	assert_int_equal(store.used, measure.used);
	return RATLS_OK;
}

static void assert_refused(struct cur in, int code, int reason, const char *what)
{
	struct ratls_evidence e = {0};
	struct ratls_error err = {0};
	struct store measure = {0};
	int rc = envelope_read(in, &measure, &e, &err);

	if (rc != code || err.reason != reason)
		fail_msg("%s: %d, TQ-%d: %s", what, rc, err.reason, err.message);
}

static void assert_truncations_refused(struct cur in)
{
	for (size_t n = 0; n < in.left; n++) {
		struct ratls_evidence e = {0};
		struct store measure = {0};

		assert_int_equal(envelope_read(cur_of(in.p, n), &measure, &e, NULL), RATLS_E_FORMAT);
	}
}

/* ---- V0 ---- */

/* The smallest there is: a quote of one byte, nothing else. */
static void tiny_v0(struct buf *b)
{
	buf_bytes(b, "\x00\x00\x04\x09\x00\x00", 6);
	for (size_t i = 0; i < 64; i++)
		buf_u8(b, 0);
	buf_u8(b, 0);
}

static void the_smallest_v0(void **state)
{
	struct ratls_evidence e = {0};
	struct buf b = {0};
	uint8_t *room;

	(void)state;
	tiny_v0(&b);
	assert_int_equal(read_twice(cur_of(b.p, b.len), &e, &room, NULL), RATLS_OK);
	assert_int_equal(e.format, EVIDENCE_ENVELOPE_V0);
	assert_true(cur_is(&e.quote.whole, "\x09", 1));
	assert_int_equal(e.log.n + e.runtime.n + e.config.left, 0);
	assert_int_equal(e.report_data.left, 64);
	assert_truncations_refused(cur_of(b.p, b.len));
	buf_u8(&b, 0);
	assert_refused(cur_of(b.p, b.len), RATLS_E_FORMAT, REASON_ENVELOPE_FORMAT, "a trailing byte");
	free(room);
	buf_done(&b);
}

static void other_platforms_of_v0_are_named(void **state)
{
	static const char *const names[] = {"nitro-enclave", "sev-snp", "aws-nitro-tpm", "unknown"};
	struct ratls_evidence e = {0};

	(void)state;
	for (uint8_t i = 2; i < 6; i++) {
		const uint8_t bytes[] = {0, i, 0, 0};
		struct store measure = {0};
		struct ratls_error err;

		assert_int_equal(envelope_read(cur_of(bytes, 4), &measure, &e, &err), RATLS_E_UNSUPPORTED);
		assert_int_equal(err.reason, REASON_ENVELOPE_PLATFORM);
		assert_non_null(strstr(err.message, names[i - 2]));
	}
}

/* A TPM quote of two PCRs; n_events says how many events its log claims. */
static void gcp_v0(struct buf *b, uint8_t platform, uint8_t n_events)
{
	buf_bytes(b, "\x00\x01\x04\x09\x00", 5);
	buf_bytes(b, "\x08mm\x0csss\x08", 8);
	buf_bytes(b, "\x00\x00\x00\x00\x18sha256\x08vv", 14);
	buf_bytes(b, "\x07\x00\x00\x00\x18sha256\x08vv", 14);
	buf_bytes(b, "\014crt", 4);
	buf_u8(b, platform);
	buf_u8(b, (uint8_t)(n_events << 2));
	buf_u8(b, 0);
	for (size_t i = 0; i < 64; i++)
		buf_u8(b, 7);
	buf_bytes(b, "\x08{}", 3);
}

static void gcp_tdx_in_v0_is_read_over_its_tpm_quote(void **state)
{
	struct ratls_evidence e = {0};
	struct buf b = {0}, events = {0}, platform = {0};
	uint8_t *room;

	(void)state;
	gcp_v0(&b, 1, 0);
	assert_int_equal(read_twice(cur_of(b.p, b.len), &e, &room, NULL), RATLS_OK);
	assert_true(cur_is(&e.quote.whole, "\x09", 1));
	assert_true(cur_is_str(&e.config, "{}"));
	assert_truncations_refused(cur_of(b.p, b.len));
	gcp_v0(&events, 1, 1);
	assert_refused(
		cur_of(events.p, events.len), RATLS_E_UNSUPPORTED, REASON_ENVELOPE_PLATFORM, "TPM events");
	gcp_v0(&platform, 4, 0);
	assert_refused(
		cur_of(platform.p, platform.len), RATLS_E_FORMAT, REASON_ENVELOPE_FORMAT, "TPM platform 4");
	free(room);
	buf_done(&b);
	buf_done(&events);
	buf_done(&platform);
}

static void counts_of_v0_have_a_maximum(void **state)
{
	struct buf b = {0}, one_more = {0};
	struct ratls_evidence e = {0};
	uint8_t *room;

	(void)state;
	buf_bytes(&b, "\x00\x00\x04\x09\x00", 5);
	buf_u16le(&b, EVENTLOG_EVENTS_MAX << 2 | 1);
	for (size_t i = 0; i < EVENTLOG_EVENTS_MAX; i++)
		buf_bytes(&b, "\x04n\x04p", 4);
	for (size_t i = 0; i < 65; i++)
		buf_u8(&b, 0);
	assert_int_equal(read_twice(cur_of(b.p, b.len), &e, &room, NULL), RATLS_OK);
	assert_int_equal(e.runtime.n, EVENTLOG_EVENTS_MAX);
	assert_true(cur_is_str(&e.runtime.events[EVENTLOG_EVENTS_MAX - 1].payload, "p"));
	free(room);

	buf_bytes(&one_more, b.p, b.len);
	one_more.p[5] += 4;
	assert_refused(cur_of(one_more.p, one_more.len), RATLS_E_FORMAT, REASON_EVENTLOG_COUNT, "1025");
	assert_refused(cur_of("\x00\x00\x04\x09\x03\xff\xff\xff\xff", 9), RATLS_E_FORMAT,
		REASON_EVENTLOG_COUNT, "4294967295");
	buf_done(&b);
	buf_done(&one_more);
}

static void malformed_v0_is_refused(void **state)
{
	static const struct {
		const char *what;
		size_t offset;
		uint8_t value;
	} rows[] = {
		{"a count in a longer form", 2, 0x05},
		{"a quote longer than all", 2, 0xfc},
		{"more events than there are", 4, 0x04},
		{"more runtime events than there are", 5, 0xfc},
		{"a configuration longer than all", 70, 0x04},
	};
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tiny_v0(&b);
		b.p[rows[i].offset] = rows[i].value;
		assert_refused(cur_of(b.p, b.len), RATLS_E_FORMAT, REASON_ENVELOPE_FORMAT, rows[i].what);
		buf_done(&b);
	}
}

/* ---- V1 ---- */

/* Made by another implementation: quote 01 02 c8, one event of each version, report data of 0x07. */
static const char tiny_v1[] =
	"83a776657273696f6e01a8706c6174666f726d82a46b696e64a3746478a46461746182a571756f7465930102ccc8a965"
	"76656e745f6c6f679285a3696d7203aa6576656e745f74797065ce08000001a6646967657374c43067b4be4efed0893c"
	"fa2bb1d35dca209ad8348b4c97f980807bcde8b9a0f26398dd0923d6eccb5aa2096d98046da8740fa56576656e74a661"
	"70702d6964ad6576656e745f7061796c6f6164c404deadbeef87a3696d7203aa6576656e745f74797065ce08000001a6"
	"646967657374c4309dde1673f544faa94b921825209593ddde08d0baf9cd6990175dffaf3081f1bb10311d56de189491"
	"feb33842a050ad7ba56576656e74ac636f6d706f73652d68617368ad6576656e745f7061796c6f6164c402abcda77665"
	"7273696f6e02a8707265696d616765d97237623232366536313664363532323361323236333666366437303666373336"
	"353264363836313733363832323263323237303631373936633666363136343232336132323631363236333634323232"
	"6332323734373937303635323233613331333333343332333133373337333233393764a5737461636b82a46b696e64a6"
	"64737461636ba46461746183ab7265706f72745f64617461dc0040070707070707070707070707070707070707070707"
	"07070707070707070707070707070707070707070707070707070707070707070707070707070707070707ae72756e74"
	"696d655f6576656e74739282a56576656e74a66170702d6964a77061796c6f6164c404deadbeef83a56576656e74ac63"
	"6f6d706f73652d68617368a77061796c6f6164c402abcda776657273696f6e02a6636f6e666967a27b7d";

static void a_v1_of_another_writer(void **state)
{
	struct ratls_evidence e = {0};
	struct buf b = {0};
	size_t len = (sizeof(tiny_v1) - 1) / 2;
	uint8_t rtmr[48], *room;

	(void)state;
	assert_true(hex_decode(tiny_v1, 2 * len, buf_reserve(&b, len), len));
	buf_added(&b, len);
	assert_int_equal(b.len, 618);
	assert_int_equal(read_twice(cur_of(b.p, b.len), &e, &room, NULL), RATLS_OK);
	assert_int_equal(e.format, EVIDENCE_ENVELOPE_V1);
	assert_true(cur_is(&e.quote.whole, "\x01\x02\xc8", 3));
	assert_int_equal(e.log.n, 2);
	assert_int_equal(e.log.events[0].imr, 3);
	assert_int_equal(e.log.events[0].digest.left, 48);
	assert_int_equal(e.log.events[1].version, 2);
	assert_int_equal(e.log.events[1].preimage.left, 114);
	assert_true(cur_is_str(&e.runtime.events[1].name, "compose-hash"));
	assert_true(cur_is(&e.runtime.events[1].payload, "\xab\xcd", 2));
	assert_int_equal(e.runtime.events[1].version, 2);
	assert_int_equal(e.report_data.left, 64);
	assert_int_equal(e.report_data.p[63], 7);
	assert_true(cur_is_str(&e.config, "{}"));
	assert_int_equal(eventlog_check(&e.log, NULL), RATLS_OK);
	assert_int_equal(eventlog_compare(&e.log, &e.runtime, NULL), RATLS_OK);
	assert_int_equal(eventlog_replay(&e.runtime, 3, rtmr, NULL), RATLS_OK);
	assert_memory_equal(rtmr, "\xe8\x33\x4a\x42\x20\x36\x13\xb4", 8);
	assert_truncations_refused(cur_of(b.p, b.len));
	buf_u8(&b, 0xc0);
	assert_refused(cur_of(b.p, b.len), RATLS_E_FORMAT, REASON_ENVELOPE_FORMAT, "a trailing byte");
	free(room);
	buf_done(&b);
}

/* A V1 envelope from its members, each given as the MessagePack of its value; NULL leaves one out. */
enum { VERSION, PLATFORM, QUOTE, LOG, STACK, RUNTIME, CONFIG, REPORT_DATA, EXTRA, N_MEMBERS };

#define SEVENS_BUT_ONE "777777777777777777777777777777777777777777777777777777777777777" /* 63 */
#define SEVENS         SEVENS_BUT_ONE "7"

static const char *const good[N_MEMBERS] = {
	[VERSION] = "\x01",
	[PLATFORM] = "\xa3tdx",
	[QUOTE] = "\x91\x09",
	[LOG] = "\x90",
	[STACK] = "\246dstack",
	[RUNTIME] = "\x90",
	[CONFIG] = "\xa2{}",
	[REPORT_DATA] = "\xc4\x40" SEVENS,
};

static void member(struct buf *b, const char *key, const char *value)
{
	if (value == NULL)
		return;
	sample_key(b, key);
	buf_str(b, value);
}

/* Not in the order of the usual writer: readers go by name. */
static void write_v1(struct buf *b, const char *const *v)
{
	sample_map(b, 2u + (v[VERSION] != NULL) + (v[EXTRA] != NULL));
	if (v[EXTRA] != NULL)
		buf_str(b, v[EXTRA]); /* key and value */
	sample_key(b, "stack");
	sample_map(b, 2);
	sample_key(b, "data");
	sample_map(b, 0u + (v[CONFIG] != NULL) + (v[RUNTIME] != NULL) + (v[REPORT_DATA] != NULL));
	member(b, "config", v[CONFIG]);
	member(b, "runtime_events", v[RUNTIME]);
	member(b, "report_data", v[REPORT_DATA]);
	member(b, "kind", v[STACK]);
	sample_key(b, "platform");
	sample_map(b, 2);
	member(b, "kind", v[PLATFORM]);
	sample_key(b, "data");
	sample_map(b, 0u + (v[QUOTE] != NULL) + (v[LOG] != NULL));
	member(b, "quote", v[QUOTE]);
	member(b, "event_log", v[LOG]);
	member(b, "version", v[VERSION]);
}

#define IMR_TYPE "\xa3imr\x03\252event_type\x06"
#define EVENT    "\245event\xa1n\255event_payload\x91\x05"

static void members_of_v1(void **state)
{
	static const struct {
		const char *what;
		int member;
		const char *value;
		int code, reason;
	} rows[] = {
		{"good", VERSION, "\x01", RATLS_OK, 0},
		{"an unknown member", EXTRA, "\xa3new\x92\x01\x81\xa1x\x01", RATLS_OK, 0},
		{"quote as bin", QUOTE, "\xc4\x01\x09", RATLS_OK, 0},
		{"an event without a digest", LOG, "\x91\x84" IMR_TYPE EVENT, RATLS_OK, 0},
		{"an event with an unknown member", LOG, "\x91\x85" IMR_TYPE EVENT "\xa1x\xc3", RATLS_OK, 0},
		{"a preimage of nil", LOG, "\x91\x85" IMR_TYPE EVENT "\xa8preimage\xc0", RATLS_OK, 0},
		{"no version", VERSION, NULL, RATLS_E_FORMAT, REASON_ENVELOPE_FIELD},
		{"version 2", VERSION, "\x02", RATLS_E_FORMAT, REASON_ENVELOPE_VERSION},
		{"version as text", VERSION, "\2411", RATLS_E_FORMAT, REASON_ENVELOPE_VERSION},
		{"version twice", EXTRA, "\xa7version\x01", RATLS_E_FORMAT, REASON_ENVELOPE_FIELD},
		{"nitro", PLATFORM, "\xadnitro-enclave", RATLS_E_UNSUPPORTED, REASON_ENVELOPE_PLATFORM},
		{"an unknown platform", PLATFORM, "\243cca", RATLS_E_UNSUPPORTED, REASON_ENVELOPE_PLATFORM},
		{"a platform of no name", PLATFORM, "\x01", RATLS_E_FORMAT, REASON_ENVELOPE_FIELD},
		{"gcp without TPM quote", PLATFORM, "\xa7gcp-tdx", RATLS_E_FORMAT, REASON_ENVELOPE_FIELD},
		{"no quote", QUOTE, NULL, RATLS_E_FORMAT, REASON_ENVELOPE_FIELD},
		{"quote as text", QUOTE, "\xa1x", RATLS_E_FORMAT, REASON_ENVELOPE_FIELD},
		{"quote with an integer of 256", QUOTE, "\x91\xcd\x01\x01", RATLS_E_FORMAT,
			REASON_ENVELOPE_FIELD},
		{"no event log", LOG, NULL, RATLS_E_FORMAT, REASON_ENVELOPE_FIELD},
		{"event log as map", LOG, "\x80", RATLS_E_FORMAT, REASON_ENVELOPE_FIELD},
		{"an event that is no map", LOG, "\x91\x01", RATLS_E_FORMAT, REASON_ENVELOPE_FORMAT},
		{"an event without a name", LOG, "\x91\x82" IMR_TYPE, RATLS_E_FORMAT, REASON_ENVELOPE_FIELD},
		{"an event with a member twice", LOG, "\x91\x85" IMR_TYPE EVENT "\xa3imr\x03", RATLS_E_FORMAT,
			REASON_ENVELOPE_FIELD},
		{"an event with a version of text", LOG, "\x91\x85" IMR_TYPE EVENT "\xa7version\2411",
			RATLS_E_FORMAT, REASON_ENVELOPE_FIELD},
		{"an event with a negative version", LOG, "\x91\x85" IMR_TYPE EVENT "\xa7version\xff",
			RATLS_E_FORMAT, REASON_ENVELOPE_FIELD},
		{"another stack", STACK, "\xa3k8s", RATLS_E_UNSUPPORTED, REASON_ENVELOPE_STACK},
		{"pod without payload", STACK, "\252dstack-pod", RATLS_E_FORMAT, REASON_ENVELOPE_FIELD},
		{"report data of 63 bytes", REPORT_DATA, "\xc4\x3f" SEVENS_BUT_ONE, RATLS_E_FORMAT,
			REASON_ENVELOPE_FIELD},
		{"report data of 65 bytes", REPORT_DATA, "\xc4\x41" SEVENS "7", RATLS_E_FORMAT,
			REASON_ENVELOPE_FIELD},
		{"no configuration", CONFIG, NULL, RATLS_E_FORMAT, REASON_ENVELOPE_FIELD},
		{"configuration that is no UTF-8", CONFIG, "\xa1\xff", RATLS_E_FORMAT, REASON_ENVELOPE_FIELD},
		{"no runtime events", RUNTIME, NULL, RATLS_E_FORMAT, REASON_ENVELOPE_FIELD},
		{"a runtime event without payload", RUNTIME, "\x91\x81\245event\xa1n", RATLS_E_FORMAT,
			REASON_ENVELOPE_FIELD},
		{"a type that is used nowhere", EXTRA, "\xa1x\xc1", RATLS_E_FORMAT, REASON_ENVELOPE_FORMAT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *members[N_MEMBERS];
		struct buf b = {0};

		memcpy(members, good, sizeof(members));
		members[rows[i].member] = rows[i].value;
		write_v1(&b, members);
		assert_refused(cur_of(b.p, b.len), rows[i].code, rows[i].reason, rows[i].what);
		buf_done(&b);
	}
}

static void counts_of_v1_have_a_maximum(void **state)
{
	struct buf b = {0};
	const char *members[N_MEMBERS];
	char *list;

	(void)state;
	sample_array(&b, EVENTLOG_EVENTS_MAX + 1);
	for (size_t i = 0; i <= EVENTLOG_EVENTS_MAX; i++)
		buf_u8(&b, 0xc0);
	list = buf_take_str(&b);
	memcpy(members, good, sizeof(members));
	members[LOG] = list;
	write_v1(&b, members);
	assert_refused(cur_of(b.p, b.len), RATLS_E_FORMAT, REASON_EVENTLOG_COUNT, "1025 events");
	free(list);
	buf_done(&b);
}

static void gcp_tdx_in_v1_is_read_over_its_tpm_quote(void **state)
{
	static const char tpm[] = "\xa9tpm_quote\x82\xa7message\xc4\x02mm\251event_log\x91\x81\xa3pcr\x01";
	struct ratls_evidence e = {0};
	struct buf b = {0};
	uint8_t *room;

	(void)state;
	sample_map(&b, 3);
	member(&b, "version", "\x01");
	sample_key(&b, "platform");
	sample_map(&b, 2);
	member(&b, "kind", "\xa7gcp-tdx");
	sample_key(&b, "data");
	sample_map(&b, 3);
	buf_str(&b, tpm);
	member(&b, "quote", "\x91\x09");
	member(&b, "event_log", "\x90");
	sample_key(&b, "stack");
	sample_map(&b, 2);
	member(&b, "kind", "\246dstack");
	sample_key(&b, "data");
	sample_map(&b, 3);
	sample_key(&b, "report_data");
	sample_ints(&b, cur_of(tiny_v1, 64));
	member(&b, "runtime_events", "\x90");
	member(&b, "config", "\xa0");
	assert_int_equal(read_twice(cur_of(b.p, b.len), &e, &room, NULL), RATLS_OK);
	assert_true(cur_is(&e.quote.whole, "\x09", 1));
	assert_true(cur_is(&e.report_data, tiny_v1, 64));
	assert_truncations_refused(cur_of(b.p, b.len));
	free(room);
	buf_done(&b);
}

static void other_wire_formats_are_refused(void **state)
{
	(void)state;
	for (unsigned first = 1; first < 256; first++) {
		uint8_t bytes[80] = {(uint8_t)first};
		bool map = (first >= 0x80 && first < 0x90) || first == 0xde || first == 0xdf;

		if (!map)
			assert_refused(
				cur_of(bytes, 80), RATLS_E_FORMAT, REASON_ENVELOPE_VERSION, "first byte");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_v0),
		cmocka_unit_test(other_platforms_of_v0_are_named),
		cmocka_unit_test(gcp_tdx_in_v0_is_read_over_its_tpm_quote),
		cmocka_unit_test(counts_of_v0_have_a_maximum),
		cmocka_unit_test(malformed_v0_is_refused),
		cmocka_unit_test(a_v1_of_another_writer),
		cmocka_unit_test(members_of_v1),
		cmocka_unit_test(counts_of_v1_have_a_maximum),
		cmocka_unit_test(gcp_tdx_in_v1_is_read_over_its_tpm_quote),
		cmocka_unit_test(other_wire_formats_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
