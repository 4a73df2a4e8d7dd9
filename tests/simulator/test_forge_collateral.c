/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/ec.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/hex.h"
#include "simulator/forge_collateral.h"
#include "vector.h"

#define NOW 1800000000

static const uint8_t seed[FORGE_SEED_SIZE] = {7};
static struct forge_pki pki;

static int make_pki(void **state)
{
	struct forge_pki_options o;

	(void)state;
	forge_pki_defaults(&o, seed, NOW);
	return forge_pki_make(&o, &pki, NULL);
}

static int free_pki(void **state)
{
	(void)state;
	forge_pki_done(&pki);
	return 0;
}

/* Does the signature (hex of r and s) verify over exactly these bytes with the TCB signer's certificate? */
static bool verifies(const struct buf *document, const char *signature)
{
	const uint8_t *p = pki.cert[FORGE_TCB_SIGNER].p;
	X509 *signer = d2i_X509(NULL, &p, (long)pki.cert[FORGE_TCB_SIGNER].len);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ECDSA_SIG *sig = ECDSA_SIG_new();
	uint8_t raw[FORGE_SIGNATURE_SIZE], *der = NULL;
	bool ok;
	int n;

	assert_true(hex_decode(signature, strlen(signature), raw, sizeof(raw)));
	ECDSA_SIG_set0(sig, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL));
	n = i2d_ECDSA_SIG(sig, &der);
	EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, X509_get0_pubkey(signer));
	ok = EVP_DigestVerify(ctx, der, (size_t)n, document->p, document->len) == 1;
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
	X509_free(signer);
	return ok;
}

static void the_tcb_signer_signs_the_exact_bytes(void **state)
{
	struct forge_collateral_options o;
	struct forge_collateral c;

	(void)state;
	forge_collateral_defaults(&o, NOW);
	assert_int_equal(forge_collateral_make(&o, &pki, &c, NULL), RATLS_OK);
	assert_true(verifies(&c.tcb_info, c.tcb_info_signature));
	assert_true(verifies(&c.qe_identity, c.qe_identity_signature));
	assert_false(verifies(&c.tcb_info, c.qe_identity_signature));
	forge_collateral_done(&c);
}

static void edits_come_before_the_signature_and_spoils_after(void **state)
{
	struct forge_collateral_options o;
	struct forge_collateral c;
	struct ratls_error err;

	(void)state;
	forge_collateral_defaults(&o, NOW);
	o.tcb_info.document.edit = (struct forge_edit){"\"version\":3", "\"version\":4"};
	o.qe_identity.document.spoil = (struct forge_edit){"\"isvsvn\":4", "\"isvsvn\":5"};
	assert_int_equal(forge_collateral_make(&o, &pki, &c, NULL), RATLS_OK);
	assert_non_null(memmem(c.tcb_info.p, c.tcb_info.len, "\"version\":4", 11));
	assert_true(verifies(&c.tcb_info, c.tcb_info_signature));
	assert_false(verifies(&c.qe_identity, c.qe_identity_signature));
	forge_collateral_done(&c);

	o.tcb_info.document.edit.from = "\"no such member\"";
	assert_int_equal(forge_collateral_make(&o, &pki, &c, &err), RATLS_E_ARG);
}

static void another_key_does_not_verify(void **state)
{
	struct forge_collateral_options o;
	struct forge_collateral c;

	(void)state;
	forge_collateral_defaults(&o, NOW);
	o.tcb_info.document.signed_by = FORGE_KEY_PCK;
	assert_int_equal(forge_collateral_make(&o, &pki, &c, NULL), RATLS_OK);
	assert_false(verifies(&c.tcb_info, c.tcb_info_signature));
	forge_collateral_done(&c);
}

/* One object has the other's members, in the other's order, down through objects and first elements. */
static void check_same_shape(json_t *ours, json_t *theirs)
{
	void *a = json_object_iter(ours), *b = json_object_iter(theirs);

	assert_int_equal(json_typeof(ours), json_typeof(theirs));
	while (a != NULL && b != NULL) {
		assert_string_equal(json_object_iter_key(a), json_object_iter_key(b));
		check_same_shape(json_object_iter_value(a), json_object_iter_value(b));
		a = json_object_iter_next(ours, a);
		b = json_object_iter_next(theirs, b);
	}
	assert_null(a);
	if (json_is_array(ours))
		check_same_shape(json_array_get(ours, 0), json_array_get(theirs, 0));
}

static json_t *parsed(const char *text, size_t n)
{
	json_t *out = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(out);
	return out;
}

/* Intel's own collateral is the model: the single file, and the two documents in it. */
static void documents_have_intels_shape(void **state)
{
	static const char *const documents[] = {"tcb_info", "qe_identity"};
	struct forge_collateral_options o;
	struct forge_collateral c;
	struct buf file = {0}, text = {0};
	json_t *ours, *theirs;

	(void)state;
	if (!vector_load("tdx_v4_uptodate.collateral.json", &file))
		skip();
	forge_collateral_defaults(&o, NOW);
	assert_int_equal(forge_collateral_make(&o, &pki, &c, NULL), RATLS_OK);
	assert_int_equal(forge_collateral_json(&c, &pki, &text, NULL), RATLS_OK);
	ours = parsed((const char *)text.p, text.len);
	theirs = parsed((const char *)file.p, file.len);
	check_same_shape(ours, theirs);
	for (size_t i = 0; i < 2; i++) {
		const char *a = json_string_value(json_object_get(ours, documents[i]));
		const char *b = json_string_value(json_object_get(theirs, documents[i]));
		json_t *inner = parsed(a, strlen(a)), *model = parsed(b, strlen(b));

		check_same_shape(inner, model);
		json_decref(inner);
		json_decref(model);
	}
	json_decref(ours);
	json_decref(theirs);
	forge_collateral_done(&c);
	buf_done(&file);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tcb_signer_signs_the_exact_bytes),
		cmocka_unit_test(edits_come_before_the_signature_and_spoils_after),
		cmocka_unit_test(another_key_does_not_verify),
		cmocka_unit_test(documents_have_intels_shape),
	};

	return cmocka_run_group_tests(tests, make_pki, free_pki);
}
