/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates and SGX extensions in forms that no issuer should use.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <openssl/ec.h>
#include <openssl/x509.h>

#include "appraisal/cert.h"
#include "appraisal/sgx.h"
#include "base/hex.h"
#include "simulator/forge_der.h"
#include "simulator/forge_pki.h"
#include "simulator/forge_x509.h"

static void append_hex(struct buf *b, const char *hex)
{
	size_t n = strlen(hex) / 2;
	uint8_t *to = buf_reserve(b, n);

	assert_true(hex_decode(hex, strlen(hex), to, n));
	buf_added(b, n);
}

/* ---- certificates ------------------------------------------------------------------------------------ */

static struct ecdsa_keys keys;

enum { REFUSED, READ, IN_ROLE };

/* What a PCK certificate must carry, as Extension elements. */
#define AKI   "300f0603551d230408300680042a2a2a2a"
#define CRLDP "30090603551d1f04023000"
#define SKI   "300d0603551d0e040604042b2b2b2b"
#define USAGE "300e0603551d0f0101ff040403020780"
#define BASIC "300c0603551d130101ff04023000"

static const struct {
	const char *what, *extensions;
	int outcome;
} rows[] = {
	{"all of them", AKI CRLDP SKI USAGE BASIC, IN_ROLE},
	{"another that is not critical", AKI CRLDP SKI USAGE BASIC "300906032a03040402aaaa", IN_ROLE},
	{"another that is critical", AKI CRLDP SKI USAGE BASIC "300c06032a03040101ff0402aaaa", READ},
	{"a known one is critical", "30120603551d230101ff0408300680042a2a2a2a" CRLDP SKI USAGE BASIC, READ},
	{"AKI twice", AKI AKI CRLDP SKI USAGE BASIC, READ},
	{"key usage twice", AKI CRLDP SKI USAGE USAGE BASIC, READ},
	{"no distribution points", AKI SKI USAGE BASIC, READ},
	{"none", "", READ},
	{"critical is FALSE and says so",
		"30120603551d23010100040830068004"
		"2a2a2a2a" CRLDP SKI USAGE BASIC,
		REFUSED},
	{"critical is neither", AKI CRLDP SKI USAGE "300c0603551d1301010104023000", REFUSED},
	{"something after the value", AKI CRLDP SKI USAGE "300e0603551d130101ff040230000500", REFUSED},
	{"something after the list", AKI CRLDP SKI USAGE BASIC "0500", REFUSED},
	{"something after key usage", AKI CRLDP SKI "30100603551d0f0101ff0406030207800500" BASIC, READ},
	{"another key usage", AKI CRLDP SKI "300e0603551d0f0101ff040403020640" BASIC, READ},
	{"empty key usage", AKI CRLDP SKI "300d0603551d0f0101ff0403030100" BASIC, READ},
	{"something after constraints", AKI CRLDP SKI USAGE "300e0603551d130101ff040430000500", READ},
	{"constraints say FALSE", AKI CRLDP SKI USAGE "300f0603551d130101ff04053003010100", READ},
	{"an authority", AKI CRLDP SKI USAGE "300f0603551d130101ff040530030101ff", READ},
	{"a path length without authority", AKI CRLDP SKI USAGE "300f0603551d130101ff04053003020100", READ},
};

static const struct forge_rdn pck_name[] = {
	{FORGE_OID_CN, DER_UTF8_STRING, "Intel SGX PCK Certificate"}, {0}};

/* serial is the one byte of the number, as it stands in the certificate. */
static int outcome_of(const struct forge_rdn *subject, const struct forge_rdn *issuer, uint8_t serial,
	struct cur extensions)
{
	static const uint8_t three[] = {0x02, 0x01, 0x03}; /* and nothing before it looks like it */
	EVP_PKEY *key = EVP_EC_gen("P-256");
	unsigned char *spki = NULL;
	int len = i2d_PUBKEY(key, &spki), outcome = REFUSED;
	const struct forge_certificate forged = {.serial = cur_of(three + 2, 1),
		.issuer = issuer,
		.subject = subject,
		.not_after = INT64_C(1751600000),
		.spki = cur_of(spki, (size_t)len),
		.extensions = extensions,
		.signer = key};
	struct buf der = {0};
	struct outcome o = {0};
	struct cert c = {0};
	uint8_t *at;

	assert_true(forge_certificate_write(&forged, &der));
	at = memmem(der.p, der.len, three, sizeof(three));
	assert_non_null(at);
	at[2] = serial;
	if (cert_parse(cur_of(der.p, der.len), &keys, &c, &o))
		outcome = cert_check_role(&c, CERT_PCK, &o) ? IN_ROLE : READ;
	cert_done(&c);
	buf_done(&der);
	OPENSSL_free(spki);
	EVP_PKEY_free(key);
	return outcome;
}

static void extensions_have_one_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf extensions = {0};
		int outcome;

		append_hex(&extensions, rows[i].extensions);
		outcome = outcome_of(pck_name, pck_name, 1, cur_of(extensions.p, extensions.len));
		if (outcome != rows[i].outcome)
			fail_msg("%s: %d, not %d", rows[i].what, outcome, rows[i].outcome);
		buf_done(&extensions);
	}
}

static void names_are_of_printable_ascii(void **state)
{
	static const struct forge_rdn good[] = {{FORGE_OID_CN, DER_PRINTABLE_STRING, "A"}, {0}};
	static const struct forge_rdn bad[][3] = {
		{{FORGE_OID_CN, DER_UTF8_STRING, "A"}, {FORGE_OID_CN, DER_UTF8_STRING, "A"}, {0}},
		{{FORGE_OID_O, DER_UTF8_STRING, "A"}, {0}},
		{{FORGE_OID_CN, DER_UTF8_STRING, ""}, {0}},
		{{FORGE_OID_CN, DER_UTF8_STRING, "A\n"}, {0}},
		{{FORGE_OID_CN, DER_UTF8_STRING, "A\x7f"}, {0}},
		{{FORGE_OID_CN, DER_OCTET_STRING, "A"}, {0}},
		{{FORGE_OID_CN, DER_UTF8_STRING, "A"}, {FORGE_OID_O, DER_UTF8_STRING, "\xc3\xa4"}, {0}},
		{{FORGE_OID_CN, DER_UTF8_STRING,
			 "12345678901234567890123456789012345678901234567890123456789012345"},
			{0}},
	};

	(void)state;
	assert_int_equal(outcome_of(good, good, 1, cur_of(NULL, 0)), READ);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (outcome_of(bad[i], good, 1, cur_of(NULL, 0)) != REFUSED)
			fail_msg("subject %zu was read", i);
	assert_int_equal(outcome_of(good, bad[3], 1, cur_of(NULL, 0)), REFUSED);
}

/* Revocation lists are asked about the number as it is unsigned: a negative one would be another's. */
static void serial_numbers_are_not_negative(void **state)
{
	(void)state;
	assert_int_equal(outcome_of(pck_name, pck_name, 0x7f, cur_of(NULL, 0)), READ);
	assert_int_equal(outcome_of(pck_name, pck_name, 0x80, cur_of(NULL, 0)), REFUSED);
	assert_int_equal(outcome_of(pck_name, pck_name, 0xff, cur_of(NULL, 0)), REFUSED);
}

/* What names the algorithm a second time is not signed: it must say the same nevertheless. */
static void a_signature_counts_only_for_its_algorithm(void **state)
{
	static const uint8_t sha256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
	static const uint8_t seed[FORGE_SEED_SIZE] = "forms";
	struct forge_pki_options options;
	struct forge_pki pki = {0};
	struct outcome o = {0};
	struct cert c = {0};
	struct buf *root = &pki.cert[FORGE_ROOT];
	uint8_t *at;

	(void)state;
	forge_pki_defaults(&options, seed, INT64_C(1751600000));
	assert_int_equal(forge_pki_make(&options, &pki, NULL), RATLS_OK);
	assert_true(cert_parse(cur_of(root->p, root->len), &keys, &c, &o));
	assert_true(cert_check_signature(&c, &c, &keys, &o));
	cert_done(&c);
	at = memmem(root->p + 100, root->len - 100, sha256, sizeof(sha256));
	assert_non_null(at);
	at[sizeof(sha256) - 1] = 0x03; /* SHA-384 */
	assert_true(cert_parse(cur_of(root->p, root->len), &keys, &c, &o));
	assert_false(cert_check_signature(&c, &c, &keys, &o));
	cert_done(&c);
	forge_pki_done(&pki);
}

/* ---- the SGX extension ------------------------------------------------------------------------------- */

#define SGX_OID "2a864886f84d010d01"

/* Is the extension read with one occurrence of a piece replaced by another of its size? */
static bool reads_sgx(const char *from_hex, const char *to_hex)
{
	struct forge_pki_options options;
	static const uint8_t seed[FORGE_SEED_SIZE] = "forms";
	struct buf bytes = {0}, from = {0}, to = {0};
	struct sgx_extension sgx;
	struct outcome o = {0};
	uint8_t *at;
	bool read;

	forge_pki_defaults(&options, seed, INT64_C(1751600000));
	options.sgx.processor = false;
	forge_sgx_write(&options.sgx, &bytes);
	append_hex(&from, from_hex);
	append_hex(&to, to_hex);
	at = memmem(bytes.p, bytes.len, from.p, from.len);
	assert_non_null(at);
	assert_int_equal(from.len, to.len);
	memcpy(at, to.p, to.len);
	read = sgx_read(cur_of(bytes.p, bytes.len), &sgx, &o);
	buf_done(&bytes);
	buf_done(&from);
	buf_done(&to);
	return read;
}

static void sgx_values_have_one_form(void **state)
{
	(void)state;
	assert_true(reads_sgx(SGX_OID "0701", SGX_OID "0701"));
	assert_true(reads_sgx("060b" SGX_OID "07010101ff", "060b" SGX_OID "0701010100"));
	assert_false(reads_sgx("060b" SGX_OID "07010101ff", "060b" SGX_OID "0701010101")); /* neither */
	assert_false(reads_sgx("060b" SGX_OID "07010101ff", "060b" SGX_OID "07010201ff")); /* no boolean */
	assert_false(reads_sgx("060b" SGX_OID "0702", "060b" SGX_OID "0701"));             /* twice */
	assert_false(reads_sgx("060b" SGX_OID "0702", "060b" SGX_OID "0704"));             /* not known */
	assert_false(reads_sgx("060b" SGX_OID "0702", "060b" SGX_OID "0202"));     /* of another level */
	assert_false(reads_sgx("060b" SGX_OID "021102", "060b" SGX_OID "02110a")); /* PCESVN enumerated */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(extensions_have_one_form),
		cmocka_unit_test(names_are_of_printable_ascii),
		cmocka_unit_test(serial_numbers_are_not_negative),
		cmocka_unit_test(a_signature_counts_only_for_its_algorithm),
		cmocka_unit_test(sgx_values_have_one_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
