/* SPDX-License-Identifier: Apache-2.0
 *
 * What is forged is what the parser of evidence reads back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "evidence/quote.h"
#include "simulator/forge_quote.h"

#define NOW 1800000000

static const uint8_t seed[FORGE_SEED_SIZE] = {7};

static int make_pki(void **state)
{
	static struct forge_pki pki;
	struct forge_pki_options o;

	forge_pki_defaults(&o, seed, NOW);
	*state = &pki;
	return forge_pki_make(&o, &pki, NULL);
}

static int free_pki(void **state)
{
	forge_pki_done(*state);
	return 0;
}

static void every_field_reads_back(void **state)
{
	static const struct {
		uint16_t version;
		enum quote_body body;
	} rows[] = {{4, QUOTE_BODY_TD10}, {5, QUOTE_BODY_TD10}, {5, QUOTE_BODY_TD15}};
	struct forge_quote_options o;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf bytes = {0}, chain = {0};
		struct quote q;

		forge_quote_defaults(&o);
		o.version = rows[i].version;
		o.body = rows[i].body;
		memset(o.td.mrtd, 0x11, sizeof(o.td.mrtd));
		memset(o.td.rtmr[3], 0x33, sizeof(o.td.rtmr[3]));
		memset(o.td.report_data, 0x44, sizeof(o.td.report_data));
		memset(o.td.tee_tcb_svn2, 0x55, sizeof(o.td.tee_tcb_svn2));
		memset(o.td.mrservicetd, 0x66, sizeof(o.td.mrservicetd));
		assert_int_equal(forge_quote_write(&o, *state, &bytes, NULL), RATLS_OK);
		assert_int_equal(quote_parse(cur_of(bytes.p, bytes.len), &q, NULL), RATLS_OK);
		assert_int_equal(q.version, rows[i].version);
		assert_int_equal(q.body, rows[i].body);
		assert_int_equal(q.tee, QUOTE_TEE_TDX);
		assert_true(cur_is(&q.td.mrtd, o.td.mrtd, 48));
		assert_true(cur_is(&q.td.rtmr[3], o.td.rtmr[3], 48));
		assert_true(cur_is(&q.td.report_data, o.td.report_data, 64));
		assert_true(cur_is(&q.td.td_attributes, o.td.td_attributes, 8));
		assert_true(cur_is(&q.td.tee_tcb_svn, o.td.tee_tcb_svn, 16));
		if (rows[i].body == QUOTE_BODY_TD15) {
			assert_true(cur_is(&q.td.tee_tcb_svn2, o.td.tee_tcb_svn2, 16));
			assert_true(cur_is(&q.td.mrservicetd, o.td.mrservicetd, 48));
		}
		assert_true(cur_is(&q.qe.mrsigner, o.qe.mrsigner, 32));
		assert_int_equal(q.qe.isvsvn, o.qe.isvsvn);
		assert_int_equal(q.certification_type, 5);
		forge_pki_pck_chain(*state, &chain);
		assert_true(cur_is(&q.certification, chain.p, chain.len));
		assert_int_equal(q.whole.left + 70, bytes.len);
		buf_done(&chain);
		buf_done(&bytes);
	}
}

static void lies_about_structure_are_refused(void **state)
{
	struct forge_quote_options rows[7];

	for (size_t i = 0; i < 7; i++)
		forge_quote_defaults(&rows[i]);
	rows[0].outer_type = 5;
	rows[1].auth_size_off = 1;
	rows[2].outer_size_off = -1;
	rows[3].inner_size_off = -1;
	rows[4].key_type = 3;
	rows[5].vendor_id[0] ^= 1;
	rows[6].version = 5;
	rows[6].body_size_off = 64;
	for (size_t i = 0; i < 7; i++) {
		struct buf bytes = {0};
		struct quote q;

		assert_int_equal(forge_quote_write(&rows[i], *state, &bytes, NULL), RATLS_OK);
		assert_int_equal(quote_parse(cur_of(bytes.p, bytes.len), &q, NULL), RATLS_E_FORMAT);
		buf_done(&bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_reads_back),
		cmocka_unit_test(lies_about_structure_are_refused),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
