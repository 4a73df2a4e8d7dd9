/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenSSL is the judge: chains, CRLs and revocation as its strict mode sees them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "simulator/forge_pki.h"

#define NOW 1800000000

static const uint8_t seed[FORGE_SEED_SIZE] = {7};

static X509 *cert_of(const struct forge_pki *pki, enum forge_role role)
{
	const uint8_t *p = pki->cert[role].p;
	X509 *x = d2i_X509(NULL, &p, (long)pki->cert[role].len);

	assert_non_null(x);
	assert_ptr_equal(p, pki->cert[role].p + pki->cert[role].len);
	return x;
}

static X509_CRL *crl_of(const struct forge_pki *pki, enum forge_crl which)
{
	const uint8_t *p = pki->crl[which].p;
	X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)pki->crl[which].len);

	assert_non_null(crl);
	return crl;
}

/* X509_V_OK, or why OpenSSL refuses the leaf. */
static int judge(const struct forge_pki *pki, enum forge_role leaf_role)
{
	X509 *root = cert_of(pki, FORGE_ROOT), *ca = cert_of(pki, FORGE_PCK_CA),
	     *leaf = cert_of(pki, leaf_role);
	X509_CRL *root_crl = crl_of(pki, FORGE_ROOT_CRL), *pck_crl = crl_of(pki, FORGE_PCK_CRL);
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *between = sk_X509_new_null();
	int result;

	sk_X509_push(between, ca);
	X509_STORE_add_cert(store, root);
	X509_STORE_add_crl(store, root_crl);
	X509_STORE_add_crl(store, pck_crl);
	X509_STORE_CTX_init(ctx, store, leaf, between);
	X509_STORE_CTX_set_flags(
		ctx, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	X509_STORE_CTX_set_time(ctx, 0, NOW);
	X509_verify_cert(ctx);
	result = X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	sk_X509_free(between);
	X509_free(root);
	X509_free(ca);
	X509_free(leaf);
	X509_CRL_free(root_crl);
	X509_CRL_free(pck_crl);
	return result;
}

static int judge_options(const struct forge_pki_options *o, enum forge_role leaf)
{
	struct forge_pki pki;
	int result;

	assert_int_equal(forge_pki_make(o, &pki, NULL), RATLS_OK);
	result = judge(&pki, leaf);
	forge_pki_done(&pki);
	return result;
}

static void a_good_pki_verifies(void **state)
{
	struct forge_pki_options o;

	(void)state;
	forge_pki_defaults(&o, seed, NOW);
	assert_int_equal(judge_options(&o, FORGE_PCK), X509_V_OK);
	assert_int_equal(judge_options(&o, FORGE_TCB_SIGNER), X509_V_OK);
}

static void the_same_options_give_the_same_bytes(void **state)
{
	struct forge_pki_options o;
	struct forge_pki a, b;

	(void)state;
	forge_pki_defaults(&o, seed, NOW);
	assert_int_equal(forge_pki_make(&o, &a, NULL), RATLS_OK);
	assert_int_equal(forge_pki_make(&o, &b, NULL), RATLS_OK);
	for (size_t i = 0; i < FORGE_ROLES; i++) {
		assert_int_equal(a.cert[i].len, b.cert[i].len);
		assert_memory_equal(a.cert[i].p, b.cert[i].p, a.cert[i].len);
	}
	for (size_t i = 0; i < FORGE_CRLS; i++)
		assert_memory_equal(a.crl[i].p, b.crl[i].p, a.crl[i].len);
	forge_pki_done(&a);
	forge_pki_done(&b);
}

/* The root does not depend on the time: simulators that share a seed share it byte for byte. */
static void the_root_is_the_same_at_any_time(void **state)
{
	struct forge_pki_options o;
	struct forge_pki a, b;

	(void)state;
	forge_pki_defaults(&o, seed, NOW);
	assert_int_equal(forge_pki_make(&o, &a, NULL), RATLS_OK);
	forge_pki_defaults(&o, seed, NOW + 12345);
	assert_int_equal(forge_pki_make(&o, &b, NULL), RATLS_OK);
	assert_int_equal(a.cert[FORGE_ROOT].len, b.cert[FORGE_ROOT].len);
	assert_memory_equal(a.cert[FORGE_ROOT].p, b.cert[FORGE_ROOT].p, a.cert[FORGE_ROOT].len);
	forge_pki_done(&a);
	forge_pki_done(&b);
}

static void one_wrong_thing_is_what_openssl_sees(void **state)
{
	struct forge_pki_options o;

	(void)state;
	forge_pki_defaults(&o, seed, NOW);
	o.cert[FORGE_PCK].not_after = NOW - 1;
	assert_int_equal(judge_options(&o, FORGE_PCK), X509_V_ERR_CERT_HAS_EXPIRED);

	forge_pki_defaults(&o, seed, NOW);
	o.cert[FORGE_PCK].signed_by = "a stranger";
	assert_int_equal(judge_options(&o, FORGE_PCK), X509_V_ERR_CERT_SIGNATURE_FAILURE);

	forge_pki_defaults(&o, seed, NOW);
	o.cert[FORGE_PCK_CA].ca = false;
	assert_int_not_equal(judge_options(&o, FORGE_PCK), X509_V_OK);

	forge_pki_defaults(&o, seed, NOW);
	o.crl[FORGE_PCK_CRL].revoked_roles = 1u << FORGE_PCK;
	assert_int_equal(judge_options(&o, FORGE_PCK), X509_V_ERR_CERT_REVOKED);

	forge_pki_defaults(&o, seed, NOW);
	o.crl[FORGE_PCK_CRL].next_update = NOW - 1;
	assert_int_equal(judge_options(&o, FORGE_PCK), X509_V_ERR_CRL_HAS_EXPIRED);

	forge_pki_defaults(&o, seed, NOW);
	o.crl[FORGE_ROOT_CRL].signed_by = "a stranger";
	assert_int_equal(judge_options(&o, FORGE_PCK), X509_V_ERR_CRL_SIGNATURE_FAILURE);
}

static void names_and_extensions_are_intels(void **state)
{
	static const struct {
		enum forge_role role;
		const char *subject, *issuer;
	} rows[] = {
		{FORGE_ROOT, "CN=Intel SGX Root CA,O=Intel Corporation,L=Santa Clara,ST=CA,C=US",
			"CN=Intel SGX Root CA,O=Intel Corporation,L=Santa Clara,ST=CA,C=US"},
		{FORGE_PCK, "CN=Intel SGX PCK Certificate,O=Intel Corporation,L=Santa Clara,ST=CA,C=US",
			"CN=Intel SGX PCK Platform CA,O=Intel Corporation,L=Santa Clara,ST=CA,C=US"},
		{FORGE_TCB_SIGNER, "CN=Intel SGX TCB Signing,O=Intel Corporation,L=Santa Clara,ST=CA,C=US",
			"CN=Intel SGX Root CA,O=Intel Corporation,L=Santa Clara,ST=CA,C=US"},
	};
	static const int extensions[] = {NID_authority_key_identifier, NID_crl_distribution_points,
		NID_subject_key_identifier, NID_key_usage, NID_basic_constraints};
	struct forge_pki_options o;
	struct forge_pki pki;

	(void)state;
	forge_pki_defaults(&o, seed, NOW);
	assert_int_equal(forge_pki_make(&o, &pki, NULL), RATLS_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		X509 *x = cert_of(&pki, rows[i].role);
		BIO *bio = BIO_new(BIO_s_mem());
		char text[256] = "";

		X509_NAME_print_ex(bio, X509_get_subject_name(x), 0, XN_FLAG_SEP_COMMA_PLUS);
		BIO_read(bio, text, sizeof(text) - 1);
		assert_string_equal(text, rows[i].subject);
		memset(text, 0, sizeof(text));
		X509_NAME_print_ex(bio, X509_get_issuer_name(x), 0, XN_FLAG_SEP_COMMA_PLUS);
		BIO_read(bio, text, sizeof(text) - 1);
		assert_string_equal(text, rows[i].issuer);
		for (size_t e = 0; e < sizeof(extensions) / sizeof(extensions[0]); e++)
			assert_true(X509_get_ext_by_NID(x, extensions[e], -1) >= 0);
		BIO_free(bio);
		X509_free(x);
	}
	forge_pki_done(&pki);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_pki_verifies),
		cmocka_unit_test(the_same_options_give_the_same_bytes),
		cmocka_unit_test(the_root_is_the_same_at_any_time),
		cmocka_unit_test(one_wrong_thing_is_what_openssl_sees),
		cmocka_unit_test(names_and_extensions_are_intels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
