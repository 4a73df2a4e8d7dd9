/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/reason.h"
#include "evidence/quote.h"
#include "sample/sample.h"
#include "vector.h"

static struct buf samples[3]; /* v4, v5 with TD 1.0, v5 with TD 1.5 */
enum { V4, V5_TD10, V5_TD15 };
static const size_t auth_at[] = {SAMPLE_V4_AUTH, SAMPLE_V5_TD10_AUTH, SAMPLE_V5_TD15_AUTH};

static int make_samples(void **state)
{
	(void)state;
	sample_quote(&samples[V4], 4, QUOTE_BODY_TD10, NULL);
	sample_quote(&samples[V5_TD10], 5, QUOTE_BODY_TD10, NULL);
	sample_quote(&samples[V5_TD15], 5, QUOTE_BODY_TD15, NULL);
	return 0;
}

static int free_samples(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		buf_done(&samples[i]);
	return 0;
}

static void assert_field(const struct cur *field, const struct buf *quote, size_t offset, size_t size)
{
	assert_int_equal(field->p - quote->p, offset);
	assert_int_equal(field->left, size);
}

/* Offsets as Intel's tables give them, independent of the order in which the parser reads. */
static void fields_are_where_the_tables_say(void **state)
{
	static const size_t body_at[] = {48, 54, 54};
	struct quote q;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct buf *s = &samples[i];
		size_t body = body_at[i], auth = auth_at[i] + 4;

		assert_int_equal(quote_parse(cur_of(s->p, s->len), &q, NULL), RATLS_OK);
		assert_field(&q.whole, s, 0, s->len - SAMPLE_PADDING);
		assert_field(&q.vendor_id, s, 12, 16);
		assert_field(&q.user_data, s, 28, 20);
		assert_field(&q.signed_part, s, 0, auth_at[i]);
		assert_field(&q.td.tee_tcb_svn, s, body, 16);
		assert_field(&q.td.mrseam, s, body + 16, 48);
		assert_field(&q.td.mrsignerseam, s, body + 64, 48);
		assert_field(&q.td.seam_attributes, s, body + 112, 8);
		assert_field(&q.td.td_attributes, s, body + 120, 8);
		assert_field(&q.td.xfam, s, body + 128, 8);
		assert_field(&q.td.mrtd, s, body + 136, 48);
		assert_field(&q.td.mrconfigid, s, body + 184, 48);
		assert_field(&q.td.mrowner, s, body + 232, 48);
		assert_field(&q.td.mrownerconfig, s, body + 280, 48);
		for (size_t r = 0; r < 4; r++)
			assert_field(&q.td.rtmr[r], s, body + 328 + 48 * r, 48);
		assert_field(&q.td.report_data, s, body + 520, 64);
		assert_int_equal(q.td.tee_tcb_svn2.left, i == V5_TD15 ? 16 : 0);
		assert_int_equal(q.td.mrservicetd.left, i == V5_TD15 ? 48 : 0);
		assert_field(&q.signature, s, auth, 64);
		assert_field(&q.attestation_key, s, auth + 64, 64);
		assert_field(&q.qe.whole, s, auth + 134, 384);
		assert_field(&q.qe.miscselect, s, auth + 134 + 16, 4);
		assert_field(&q.qe.attributes, s, auth + 134 + 48, 16);
		assert_field(&q.qe.mrenclave, s, auth + 134 + 64, 32);
		assert_field(&q.qe.mrsigner, s, auth + 134 + 128, 32);
		assert_int_equal(q.qe.isvprodid, 0x4950);
		assert_int_equal(q.qe.isvsvn, 0x5152);
		assert_field(&q.qe.report_data, s, auth + 134 + 320, 64);
		assert_field(&q.qe_signature, s, auth + 134 + 384, 64);
		assert_field(&q.qe_auth, s, auth + 134 + 450, 32);
		assert_int_equal(q.certification_type, 5);
		assert_int_equal(q.certification.p[0], '-');
		assert_int_equal(q.certification.p[q.certification.left - 1], '\n');
	}
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		size_t whole = samples[i].len - SAMPLE_PADDING;

		for (size_t n = 0; n < whole; n++) {
			struct ratls_error err = {0};
			struct quote q = {.version = 77};

			assert_int_equal(quote_parse(cur_of(samples[i].p, n), &q, &err), RATLS_E_FORMAT);
			assert_non_null(reason_find(err.reason));
			assert_int_equal(q.version, 77);
		}
	}
}

/* One field of a sample made wrong. Offsets from the size of the signature data count as AUTH + n. */
#define AUTH 10000
static const struct {
	const char *what;
	int sample;
	size_t offset;
	uint64_t value;
	size_t size;
	int code, reason;
} wrong[] = {
	{"version 0", V4, 0, 0, 2, RATLS_E_FORMAT, REASON_QUOTE_VERSION},
	{"version 1", V4, 0, 1, 2, RATLS_E_FORMAT, REASON_QUOTE_VERSION},
	{"version 2", V4, 0, 2, 2, RATLS_E_FORMAT, REASON_QUOTE_VERSION},
	{"version 6", V4, 0, 6, 2, RATLS_E_FORMAT, REASON_QUOTE_VERSION},
	{"version 99", V4, 0, 99, 2, RATLS_E_FORMAT, REASON_QUOTE_VERSION},
	{"version in the wrong byte order", V4, 0, 0x0400, 2, RATLS_E_FORMAT, REASON_QUOTE_VERSION},
	{"TDX in version 3", V4, 0, 3, 2, RATLS_E_FORMAT, REASON_QUOTE_VERSION},
	{"version 4 relabelled 5", V4, 0, 5, 2, RATLS_E_FORMAT, REASON_QUOTE_BODY},
	{"P-384 key", V4, 2, 3, 2, RATLS_E_FORMAT, REASON_QUOTE_KEY_TYPE},
	{"key type 0", V4, 2, 0, 2, RATLS_E_FORMAT, REASON_QUOTE_KEY_TYPE},
	{"key type 1", V4, 2, 1, 2, RATLS_E_FORMAT, REASON_QUOTE_KEY_TYPE},
	{"key type 0x0102", V5_TD10, 2, 0x0102, 2, RATLS_E_FORMAT, REASON_QUOTE_KEY_TYPE},
	{"TEE type 3", V4, 4, 3, 4, RATLS_E_FORMAT, REASON_QUOTE_TEE},
	{"TEE type with a high bit", V4, 4, 0x80000081, 4, RATLS_E_FORMAT, REASON_QUOTE_TEE},
	{"SGX header over a TD body", V4, 4, 0, 4, RATLS_E_UNSUPPORTED, REASON_QUOTE_TEE},
	{"SGX with TD body type", V5_TD10, 4, 0, 4, RATLS_E_FORMAT, REASON_QUOTE_BODY},
	{"TDX with SGX body type and size", V5_TD10, 48, 384ull << 16 | 1, 6, RATLS_E_FORMAT,
		REASON_QUOTE_BODY},
	{"vendor one byte off", V4, 12, 0x92, 1, RATLS_E_FORMAT, REASON_QUOTE_VENDOR},
	{"vendor's last byte zero", V4, 27, 0, 1, RATLS_E_FORMAT, REASON_QUOTE_VENDOR},
	{"body type 0", V5_TD10, 48, 0, 2, RATLS_E_FORMAT, REASON_QUOTE_BODY},
	{"body type 9", V5_TD10, 48, 9, 2, RATLS_E_FORMAT, REASON_QUOTE_BODY},
	{"SGX body type", V5_TD10, 48, 1, 2, RATLS_E_FORMAT, REASON_QUOTE_BODY},
	{"TD 1.0 of 583 bytes", V5_TD10, 50, 583, 4, RATLS_E_FORMAT, REASON_QUOTE_BODY},
	{"TD 1.0 of 648 bytes", V5_TD10, 50, 648, 4, RATLS_E_FORMAT, REASON_QUOTE_BODY},
	{"TD 1.5 of 584 bytes", V5_TD15, 50, 584, 4, RATLS_E_FORMAT, REASON_QUOTE_BODY},
	{"TD 1.5 of 0 bytes", V5_TD15, 50, 0, 4, RATLS_E_FORMAT, REASON_QUOTE_BODY},
	{"more signature data than there are", V4, AUTH, 5000, 4, RATLS_E_FORMAT, REASON_QUOTE_AUTH_SIZE},
	{"0xffffffff bytes of signature data", V4, AUTH, UINT32_MAX, 4, RATLS_E_FORMAT,
		REASON_QUOTE_AUTH_SIZE},
	{"no signature data", V4, AUTH, 0, 4, RATLS_E_FORMAT, REASON_QUOTE_AUTH_SIZE},
	{"signature data without their outer part", V4, AUTH, 134, 4, RATLS_E_FORMAT, REASON_QUOTE_AUTH_SIZE},
	{"outer type 5", V4, AUTH + 132, 5, 2, RATLS_E_FORMAT, REASON_QUOTE_CERTIFICATION},
	{"outer type 7", V5_TD15, AUTH + 132, 7, 2, RATLS_E_FORMAT, REASON_QUOTE_CERTIFICATION},
	{"outer size 0xffffffff", V4, AUTH + 134, UINT32_MAX, 4, RATLS_E_FORMAT, REASON_QUOTE_AUTH_SIZE},
	{"one byte of QE authentication less", V4, AUTH + 586, 31, 2, RATLS_E_FORMAT, 0},
	{"one byte of QE authentication more", V4, AUTH + 586, 33, 2, RATLS_E_FORMAT, 0},
	{"QE authentication beyond its end", V4, AUTH + 586, 1024, 2, RATLS_E_FORMAT, REASON_QUOTE_AUTH_SIZE},
	{"QE authentication beyond the maximum", V4, AUTH + 586, 1025, 2, RATLS_E_FORMAT,
		REASON_QUOTE_QE_AUTH},
	{"0xffff bytes of QE authentication", V4, AUTH + 586, 0xffff, 2, RATLS_E_FORMAT,
		REASON_QUOTE_QE_AUTH},
	{"inner size 0x7fffffff", V4, AUTH + 622, 0x7fffffff, 4, RATLS_E_FORMAT,
		REASON_QUOTE_CERTIFICATION_SIZE},
	{"inner size 0", V4, AUTH + 622, 0, 4, RATLS_E_FORMAT, REASON_QUOTE_CERTIFICATION_SIZE},
	{"inner type 0", V4, AUTH + 620, 0, 2, RATLS_E_FORMAT, REASON_QUOTE_CERTIFICATION_TYPE},
	{"inner type 6", V4, AUTH + 620, 6, 2, RATLS_E_FORMAT, REASON_QUOTE_CERTIFICATION_TYPE},
	{"inner type 8", V5_TD15, AUTH + 620, 8, 2, RATLS_E_FORMAT, REASON_QUOTE_CERTIFICATION_TYPE},
};

static void put(uint8_t *p, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

static void one_wrong_field_is_refused_for_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const struct buf *s = &samples[wrong[i].sample];
		size_t offset = wrong[i].offset < AUTH ? wrong[i].offset
						       : auth_at[wrong[i].sample] + wrong[i].offset - AUTH;
		uint8_t copy[4096];
		struct ratls_error err = {0};
		struct quote q;
		int rc;

		memcpy(copy, s->p, s->len);
		put(copy + offset, wrong[i].value, wrong[i].size);
		rc = quote_parse(cur_of(copy, s->len), &q, &err);
		if (rc != wrong[i].code || (wrong[i].reason != 0 && err.reason != wrong[i].reason))
			fail_msg("%s: %d, TQ-%d: %s", wrong[i].what, rc, err.reason, err.message);
	}
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Each size that is declared twice, off by one in either direction. */
static void sizes_must_agree(void **state)
{
	static const struct {
		size_t offset;
		int reason;
	} sizes[] = {
		{0, REASON_QUOTE_AUTH_SIZE},
		{134, REASON_QUOTE_AUTH_SIZE},
		{622, REASON_QUOTE_CERTIFICATION_SIZE},
	};

	(void)state;
	for (size_t s = 0; s < 3; s++) {
		for (size_t i = 0; i < 6; i++) {
			uint8_t copy[4096];
			uint8_t *at = copy + auth_at[s] + sizes[i / 2].offset;
			struct ratls_error err = {0};
			struct quote q;

			memcpy(copy, samples[s].p, samples[s].len);
			put(at, get32(at) + (i % 2 == 0 ? 1 : UINT32_MAX), 4);
			assert_int_equal(quote_parse(cur_of(copy, samples[s].len), &q, &err), RATLS_E_FORMAT);
			assert_int_equal(err.reason, sizes[i / 2].reason);
		}
	}
}

static void a_tdx_header_over_an_enclave_report_is_refused(void **state)
{
	struct buf b = {0};
	struct quote q;

	(void)state;
	buf_bytes(&b, samples[V4].p, 48 + 384);
	buf_bytes(&b, samples[V4].p + SAMPLE_V4_AUTH, samples[V4].len - SAMPLE_V4_AUTH);
	assert_int_equal(quote_parse(cur_of(b.p, b.len), &q, NULL), RATLS_E_FORMAT);
	buf_done(&b);
}

/* Whether they can be verified is for appraisal to say. */
static void other_certification_data_are_kept(void **state)
{
	static const uint16_t types[] = {1, 2, 3, 4, 7};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		uint8_t copy[4096];
		struct quote q;

		memcpy(copy, samples[V4].p, samples[V4].len);
		put(copy + SAMPLE_V4_AUTH + 620, types[i], 2);
		assert_int_equal(quote_parse(cur_of(copy, samples[V4].len), &q, NULL), RATLS_OK);
		assert_int_equal(q.certification_type, types[i]);
		/* A NUL ends what is text. */
		assert_int_equal(q.certification.p[q.certification.left - 1] == 0, types[i] != 4);
	}
}

static void only_zero_bytes_may_trail(void **state)
{
	const struct buf *s = &samples[V4];
	struct buf big = {0};
	struct ratls_error err;
	struct quote q;

	(void)state;
	assert_int_equal(quote_parse(cur_of(s->p, s->len - SAMPLE_PADDING), &q, NULL), RATLS_OK);
	for (size_t i = s->len - SAMPLE_PADDING; i < s->len; i++) {
		s->p[i] = 1;
		assert_int_equal(quote_parse(cur_of(s->p, s->len), &q, &err), RATLS_E_FORMAT);
		assert_int_equal(err.reason, REASON_QUOTE_TRAILING);
		s->p[i] = 0;
	}
	buf_bytes(&big, s->p, s->len);
	while (big.len <= QUOTE_MAX)
		buf_u8(&big, 0);
	assert_int_equal(quote_parse(cur_of(big.p, QUOTE_MAX), &q, NULL), RATLS_OK);
	assert_int_equal(q.whole.left, s->len - SAMPLE_PADDING);
	assert_int_equal(quote_parse(cur_of(big.p, QUOTE_MAX + 1), &q, &err), RATLS_E_FORMAT);
	assert_int_equal(err.reason, REASON_QUOTE_SIZE);
	buf_done(&big);
}

static void a_real_quote_parses(void **state)
{
	struct buf b = {0};
	struct quote q;

	(void)state;
	if (!vector_load("tdx_v4_uptodate.quote", &b))
		skip();
	assert_int_equal(quote_parse(cur_of(b.p, b.len), &q, NULL), RATLS_OK);
	assert_int_equal(q.whole.left, 4936);
	assert_memory_equal(q.td.mrtd.p, "\x91\xeb\x2b\x44", 4);
	assert_memory_equal(q.td.mrtd.p + 46, "\x18\xb7", 2);
	assert_true(cur_all_zero(&q.td.rtmr[3]));
	assert_int_equal(q.qe_auth.left, 32);
	assert_int_equal(q.certification.left, 3677);
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(quote_parse(cur_of(b.p, n), &q, NULL), n < 4936 ? RATLS_E_FORMAT : RATLS_OK);
	buf_done(&b);
}

static void a_real_enclave_quote_is_named_as_such(void **state)
{
	struct buf b = {0};
	struct ratls_error err;
	struct quote q;

	(void)state;
	if (!vector_load("sgx_v3.quote", &b))
		skip();
	assert_int_equal(quote_parse(cur_of(b.p, b.len), &q, &err), RATLS_E_UNSUPPORTED);
	assert_int_equal(err.reason, REASON_QUOTE_TEE);
	assert_non_null(strstr(err.message, "SGX"));
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_where_the_tables_say),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(one_wrong_field_is_refused_for_its_reason),
		cmocka_unit_test(sizes_must_agree),
		cmocka_unit_test(a_tdx_header_over_an_enclave_report_is_refused),
		cmocka_unit_test(other_certification_data_are_kept),
		cmocka_unit_test(only_zero_bytes_may_trail),
		cmocka_unit_test(a_real_quote_parses),
		cmocka_unit_test(a_real_enclave_quote_is_named_as_such),
	};

	return cmocka_run_group_tests(tests, make_samples, free_samples);
}
