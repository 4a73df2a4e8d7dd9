/* SPDX-License-Identifier: Apache-2.0
 *
 * Our own reading of certificates: what X.690 and RFC 5280 say, and never another opinion than OpenSSL's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <string.h>

#include "appraisal/asn1.h"
#include "sample/oracle.h"
#include "simulator/forge.h"

#define NOW INT64_C(1751600000)

#define BYTES(...) cur_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* ---- elements ---- */

static void lengths_are_definite_and_shortest(void **state)
{
	static const uint8_t big[3 + 0x100] = {0x04, 0x82, 0x01}, middle[3 + 0x80] = {0x04, 0x81, 0x80};
	struct cur good[] = {BYTES(0x04, 0x00), BYTES(0x04, 0x01, 0xaa), cur_of(middle, sizeof(middle))};
	struct cur bad[] = {
		cur_of(NULL, 0), BYTES(0x04), BYTES(0x04, 0x02, 0xaa), /* longer than what there is */
		BYTES(0x05, 0x01, 0xaa),                               /* another tag */
		BYTES(0x24, 0x03, 0x04, 0x01, 0xaa),                   /* constructed */
		BYTES(0x04, 0x81, 0x01, 0xaa),                         /* not the shortest form */
		BYTES(0x04, 0x82, 0x00, 0x01, 0xaa),                   /* likewise */
		BYTES(0x04, 0x80, 0xaa, 0x00, 0x00),                   /* indefinite */
		BYTES(0x04, 0x83, 0x00, 0x00, 0x01, 0xaa),             /* longer than any */
		BYTES(0x04, 0xff, 0xaa),                               /* reserved */
		cur_of(big, sizeof(big)),                              /* one byte is missing */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_false(asn1_take(&good[i], ASN1_TAG_OCTET_STRING).bad);
		assert_true(cur_done(&good[i]));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cur c = bad[i], got = asn1_take(&c, ASN1_TAG_OCTET_STRING);

		if (!got.bad || !c.bad || got.left != 0)
			fail_msg("bad[%zu] was read", i);
	}
}

static void an_element_with_its_header(void **state)
{
	struct cur c = BYTES(0x04, 0x01, 0xaa, 0x30, 0x00), e = asn1_whole(&c, ASN1_TAG_OCTET_STRING);
	struct cur long_tag = BYTES(0x1f, 0x01, 0x00);

	(void)state;
	assert_true(cur_is(&e, "\x04\x01\xaa", 3));
	e = asn1_any(&c);
	assert_true(cur_is(&e, "\x30\x00", 2));
	assert_true(cur_done(&c));
	assert_true(asn1_any(&c).bad);
	assert_true(asn1_any(&long_tag).bad);
}

static bool reads_uint(struct cur c, uint32_t max, uint32_t is)
{
	return asn1_uint(&c, max) == is && cur_done(&c);
}

static void numbers_are_minimal_and_in_range(void **state)
{
	struct cur c;

	(void)state;
	assert_true(reads_uint(BYTES(0x02, 0x01, 0x00), 255, 0));
	assert_true(reads_uint(BYTES(0x02, 0x01, 0x7f), 127, 127));
	assert_true(reads_uint(BYTES(0x02, 0x02, 0x00, 0x80), 255, 128));
	assert_true(reads_uint(BYTES(0x02, 0x05, 0x00, 0xff, 0xff, 0xff, 0xff), UINT32_MAX, UINT32_MAX));
	assert_false(reads_uint(BYTES(0x02, 0x00), 255, 0));
	assert_false(reads_uint(BYTES(0x02, 0x02, 0x00, 0x7f), 255, 127)); /* a zero too many */
	assert_false(reads_uint(BYTES(0x02, 0x01, 0x80), 255, 128));       /* negative */
	assert_false(reads_uint(BYTES(0x02, 0x01, 0xff), 255, 255));
	assert_false(reads_uint(BYTES(0x02, 0x02, 0x01, 0x00), 255, 0)); /* past the maximum */
	assert_false(reads_uint(BYTES(0x02, 0x06, 0x01, 0, 0, 0, 0, 0), UINT32_MAX, 0));
	c = BYTES(0x02, 0x02, 0xff, 0x80);
	assert_true(asn1_number(&c, ASN1_TAG_INTEGER).bad); /* -128 takes one byte */
	c = BYTES(0x02, 0x02, 0xff, 0x7f);
	assert_false(asn1_number(&c, ASN1_TAG_INTEGER).bad);
}

static bool reads_boolean(struct cur c, bool is)
{
	return asn1_boolean(&c) == is && cur_done(&c);
}

static void booleans_are_one_of_two_bytes(void **state)
{
	(void)state;
	assert_true(reads_boolean(BYTES(0x01, 0x01, 0x00), false));
	assert_true(reads_boolean(BYTES(0x01, 0x01, 0xff), true));
	assert_false(reads_boolean(BYTES(0x01, 0x01, 0x01), true));
	assert_false(reads_boolean(BYTES(0x01, 0x00), false));
	assert_false(reads_boolean(BYTES(0x01, 0x02, 0xff, 0xff), true));
}

static bool reads_oid(struct cur c)
{
	return !asn1_oid(&c).bad && cur_done(&c);
}

static void oids_are_well_formed(void **state)
{
	(void)state;
	assert_true(reads_oid(BYTES(0x06, 0x03, 0x55, 0x04, 0x03)));
	assert_true(reads_oid(BYTES(0x06, 0x03, 0x2a, 0x86, 0x48)));
	assert_false(reads_oid(BYTES(0x06, 0x00)));
	assert_false(reads_oid(BYTES(0x06, 0x02, 0x2a, 0x86)));       /* ends within a number */
	assert_false(reads_oid(BYTES(0x06, 0x03, 0x2a, 0x80, 0x01))); /* a number begins with zero */
	assert_false(reads_oid(BYTES(0x06, 0x02, 0x80, 0x01)));
}

static void unused_bits_are_zero(void **state)
{
	static const struct {
		struct cur text;
		bool bits, bytes;
	} rows[] = {
		{{(const uint8_t *)"\x03\x02\x05\xa0", 4, false}, true, false},
		{{(const uint8_t *)"\x03\x02\x00\xa1", 4, false}, true, true},
		{{(const uint8_t *)"\x03\x01\x00", 3, false}, true, true},
		{{(const uint8_t *)"\x03\x02\x05\xb0", 4, false}, false, false},
		{{(const uint8_t *)"\x03\x02\x08\x00", 4, false}, false, false},
		{{(const uint8_t *)"\x03\x01\x01", 3, false}, false, false},
		{{(const uint8_t *)"\x03\x00", 2, false}, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cur a = rows[i].text, b = rows[i].text;

		assert_int_equal(!asn1_bits(&a).bad, rows[i].bits);
		assert_int_equal(!asn1_bit_bytes(&b).bad, rows[i].bytes);
	}
}

static void times_have_one_form(void **state)
{
	static const struct {
		const char *text; /* without its tag and length */
		uint8_t tag;
		int64_t at; /* -1: none */
	} rows[] = {
		{"250704033320Z", ASN1_TAG_UTC_TIME, NOW},
		{"20250704033320Z", ASN1_TAG_GENERALIZED_TIME, NOW},
		{"491231235959Z", ASN1_TAG_UTC_TIME, INT64_C(2524607999)},
		{"500101000000Z", ASN1_TAG_UTC_TIME, INT64_C(-631152000)}, /* 1950 */
		{"99991231235959Z", ASN1_TAG_GENERALIZED_TIME, INT64_C(253402300799)},
		{"240229000000Z", ASN1_TAG_UTC_TIME, INT64_C(1709164800)},
		{"250229000000Z", ASN1_TAG_UTC_TIME, -1}, /* no such day */
		{"251301000000Z", ASN1_TAG_UTC_TIME, -1},
		{"250704240000Z", ASN1_TAG_UTC_TIME, -1},
		{"250704033360Z", ASN1_TAG_UTC_TIME, -1},
		{"2507040333Z", ASN1_TAG_UTC_TIME, -1}, /* without seconds */
		{"250704033320", ASN1_TAG_UTC_TIME, -1},
		{"250704033320+0000", ASN1_TAG_UTC_TIME, -1},
		{"20250704033320.5Z", ASN1_TAG_GENERALIZED_TIME, -1},
		{"20250704033320Z", ASN1_TAG_UTC_TIME, -1},
		{"250704033320Z", ASN1_TAG_GENERALIZED_TIME, -1},
		{"25070403332 Z", ASN1_TAG_UTC_TIME, -1},
		{"", ASN1_TAG_UTC_TIME, -1},
		{"250704033320Z", ASN1_TAG_UTF8_STRING, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf der = {0};
		struct cur c;
		int64_t at;

		buf_u8(&der, rows[i].tag);
		buf_u8(&der, (uint8_t)strlen(rows[i].text));
		buf_str(&der, rows[i].text);
		c = cur_of(der.p, der.len);
		at = asn1_time(&c);
		if (cur_done(&c) != (rows[i].at != -1) || (cur_done(&c) && at != rows[i].at))
			fail_msg("\"%s\" was read as %lld", rows[i].text, (long long)at);
		buf_done(&der);
	}
}

/* ---- certificates, beside OpenSSL ---- */

static struct forge_machine machine;

static int make(void **state)
{
	static const uint8_t seed[FORGE_SEED_SIZE] = "cert";
	struct forge_options options;

	(void)state;
	forge_defaults(&options, seed, NOW);
	options.pki.sgx.processor = false;
	return forge_machine_make(&options, &machine, NULL) == RATLS_OK ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	forge_machine_done(&machine);
	return 0;
}

static struct ecdsa_keys keys;
static const enum forge_role roles[] = {FORGE_ROOT, FORGE_PCK_CA, FORGE_PCK, FORGE_TCB_SIGNER};
static const enum cert_role ours[] = {CERT_ROOT, CERT_PCK_CA, CERT_PCK, CERT_TCB_SIGNING};

/* What OpenSSL reads or judges differently in what we read and accept; NULL if nothing. */
static const char *compare(
	struct cur der, enum cert_role role, bool *ret_read, bool *ret_in_role)
{
	struct outcome o = {0};
	struct cert c = {0};
	struct cur value;
	struct sgx_extension sgx;
	const char *differs = NULL;

	*ret_read = cert_parse(der, &keys, &c, &o);
	*ret_in_role = *ret_read && cert_check_role(&c, role, &o);
	if (*ret_read)
		differs = oracle_cert(&c, der);
	if (differs == NULL && *ret_in_role)
		differs = oracle_role(der, role);
	if (differs == NULL && *ret_read && cert_asn1_extension(&c.asn1, CERT_SGX, &value) &&
		sgx_read(value, &sgx, &o))
		differs = oracle_sgx(&sgx, value);
	cert_done(&c);
	ERR_clear_error();
	return differs;
}

static void genuine_certificates_hold(void **state)
{
	bool read, in_role;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const struct buf *der = &machine.pki.cert[roles[i]];

		assert_null(compare(cur_of(der->p, der->len), ours[i], &read, &in_role));
		assert_true(read && in_role);
	}
}

static void no_certificate_is_read_that_ends_early_or_late(void **state)
{
	const struct buf *leaf = &machine.pki.cert[FORGE_PCK];
	struct buf longer = {0};
	struct outcome o = {0};
	struct cert c = {0};

	(void)state;
	for (size_t len = 0; len < leaf->len; len++)
		assert_false(cert_parse(cur_of(leaf->p, len), &keys, &c, &o));
	buf_bytes(&longer, leaf->p, leaf->len);
	buf_u8(&longer, 0);
	assert_false(cert_parse(cur_of(longer.p, longer.len), &keys, &c, &o));
	buf_done(&longer);
}

/* Every byte of every certificate, changed in a few ways. */
static void a_changed_byte_is_read_as_openssl_reads_it(void **state)
{
	static const uint8_t changes[] = {0x01, 0x20, 0x80};
	size_t n_read = 0, n = 0;
	bool read, in_role;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct buf *der = &machine.pki.cert[roles[i]];

		for (size_t at = 0; at < der->len * sizeof(changes); at++, n++) {
			uint8_t *byte = &der->p[at / sizeof(changes)], was = *byte;
			const char *differs;

			*byte ^= changes[at % sizeof(changes)];
			differs = compare(cur_of(der->p, der->len), ours[i], &read, &in_role);
			*byte = was;
			if (differs != NULL)
				fail_msg("certificate %zu, change %zu: OpenSSL reads another %s", i, at,
					differs);
			n_read += read ? 1 : 0;
		}
	}
	assert_true(n_read > n / 8 && n_read < n - n / 8); /* it was about something */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_are_definite_and_shortest),
		cmocka_unit_test(an_element_with_its_header),
		cmocka_unit_test(numbers_are_minimal_and_in_range),
		cmocka_unit_test(booleans_are_one_of_two_bytes),
		cmocka_unit_test(oids_are_well_formed),
		cmocka_unit_test(unused_bits_are_zero),
		cmocka_unit_test(times_have_one_form),
		cmocka_unit_test(genuine_certificates_hold),
		cmocka_unit_test(no_certificate_is_read_that_ends_early_or_late),
		cmocka_unit_test(a_changed_byte_is_read_as_openssl_reads_it),
	};

	return cmocka_run_group_tests(tests, make, end);
}
