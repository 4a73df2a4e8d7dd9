/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole forged machine, seen by OpenSSL and by the reader of evidence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "evidence/evidence.h"
#include "simulator/forge.h"

#define NOW 1800000000

static const uint8_t seed[FORGE_SEED_SIZE] = {7};

static X509 *x509_of(const struct buf *der)
{
	const uint8_t *p = der->p;
	X509 *x = d2i_X509(NULL, &p, (long)der->len);

	assert_non_null(x);
	return x;
}

static void make(const struct forge_options *o, struct forge_machine *m)
{
	assert_int_equal(forge_machine_make(o, m, NULL), RATLS_OK);
}

/* A certificate for the key "leaf" by these options. */
static struct forge_chain_made chain_of(const struct forge_options *o, const struct forge_leaf *leaf)
{
	struct forge_machine m;
	struct forge_chain_made chain;

	make(o, &m);
	assert_int_equal(forge_machine_certificate(&m, leaf, &chain, NULL), RATLS_OK);
	forge_machine_done(&m);
	return chain;
}

static struct forge_leaf leaf_of_test(void)
{
	static const char *const names[] = {"db.example.com", "127.0.0.1", NULL};

	return (struct forge_leaf){.key = forge_key(seed, "leaf"), .subject = "db", .alt_names = names,
		.server_auth = true, .app_info = true, .now = NOW};
}

/* X509_V_OK, or why OpenSSL refuses it for a TLS server of this name, trusting the chain's last. */
static int judge(const struct forge_chain_made *chain, const char *name)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *between = sk_X509_new_null();
	X509 *leaf = x509_of(&chain->cert[0]), *root = x509_of(&chain->cert[chain->n - 1]);
	int result;

	if (chain->n == 3)
		sk_X509_push(between, x509_of(&chain->cert[1]));
	X509_STORE_add_cert(store, root);
	X509_STORE_CTX_init(ctx, store, leaf, between);
	X509_STORE_CTX_set_default(ctx, "ssl_server");
	X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(ctx), name, 0);
	X509_STORE_CTX_set_time(ctx, 0, NOW);
	X509_verify_cert(ctx);
	result = X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	sk_X509_pop_free(between, X509_free);
	X509_free(leaf);
	X509_free(root);
	return result;
}

static void both_chains_verify_for_their_name(void **state)
{
	static const size_t lengths[] = {[FORGE_CHAIN_KMS] = 3, [FORGE_CHAIN_LOCAL] = 2};
	struct forge_leaf leaf = leaf_of_test();
	struct forge_options o;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct forge_chain_made chain;

		forge_defaults(&o, seed, NOW);
		o.chain = (enum forge_chain)i;
		chain = chain_of(&o, &leaf);
		assert_int_equal(chain.n, lengths[i]);
		assert_int_equal(judge(&chain, "db.example.com"), X509_V_OK);
		assert_int_equal(judge(&chain, "other.example.com"), X509_V_ERR_HOSTNAME_MISMATCH);
		forge_chain_done(&chain);
	}
	EVP_PKEY_free(leaf.key);
}

static bool has(const X509 *x, int nid)
{
	return X509_get_ext_by_NID(x, nid, -1) >= 0;
}

static struct cur extension_value(const X509 *x, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	int at = X509_get_ext_by_OBJ(x, object, -1);
	const ASN1_OCTET_STRING *value = at >= 0 ? X509_EXTENSION_get_data(X509_get_ext(x, at)) : NULL;

	ASN1_OBJECT_free(object);
	return value != NULL ? cur_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value))
			     : cur_of(NULL, 0);
}

/* What dstack's certificates have and have not, also where it is odd. */
static void details_of_the_leaf_are_dstacks(void **state)
{
	struct forge_leaf leaf = leaf_of_test();
	struct forge_options o;
	struct forge_chain_made chain;
	struct tm not_before;
	struct cur value;
	time_t at;
	X509 *x;

	(void)state;
	forge_defaults(&o, seed, NOW);
	chain = chain_of(&o, &leaf);
	x = x509_of(&chain.cert[0]);
	value = extension_value(x, "2.5.29.15");
	assert_true(cur_is(&value, "\x03\x03\x07\x80\x00", 5));
	value = extension_value(x, FORGE_OID_USAGE);
	assert_true(cur_is(&value, "\x04\x0a" "app:custom", 12));
	value = extension_value(x, FORGE_OID_APP_ID);
	assert_int_equal(value.left, 22);
	value = extension_value(x, FORGE_OID_APP_INFO);
	assert_memory_equal(value.p + value.left - 1, "\x90", 1); /* no init scripts */
	assert_false(has(x, NID_basic_constraints) || has(x, NID_subject_key_identifier) ||
		has(x, NID_authority_key_identifier));
	assert_int_equal(ASN1_TIME_to_tm(X509_get0_notBefore(x), &not_before), 1);
	assert_int_equal(not_before.tm_year, 75);
	assert_int_equal(ASN1_STRING_type(X509_get0_notBefore(x)), V_ASN1_UTCTIME);
	at = NOW + FORGE_RATLS_LIFETIME;
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(x), at), 0);
	X509_free(x);
	x = x509_of(&chain.cert[1]);
	value = extension_value(x, "2.5.29.15");
	assert_true(cur_is(&value, "\x03\x03\x07\x86\x00", 5));
	value = extension_value(x, FORGE_OID_USAGE);
	assert_true(cur_is(&value, "\x04\x06" "app:ca", 8));
	assert_int_equal(X509_get_pathlen(x), 0);
	X509_free(x);
	forge_chain_done(&chain);
	EVP_PKEY_free(leaf.key);
}

/* The same key has the same serial number, whoever issues; an empty subject is possible. */
static void serial_follows_from_the_key(void **state)
{
	struct forge_leaf leaf = leaf_of_test(), empty = {.key = leaf.key, .now = NOW};
	struct forge_chain_made a, b;
	struct forge_options o;
	X509 *x, *y;

	(void)state;
	forge_defaults(&o, seed, NOW);
	a = chain_of(&o, &leaf);
	o.chain = FORGE_CHAIN_LOCAL;
	b = chain_of(&o, &empty);
	x = x509_of(&a.cert[0]);
	y = x509_of(&b.cert[0]);
	assert_int_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(x), X509_get0_serialNumber(y)), 0);
	assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(y)), 1);
	assert_false(has(y, NID_subject_alt_name) || has(y, NID_ext_key_usage));
	X509_free(x);
	X509_free(y);
	forge_chain_done(&a);
	forge_chain_done(&b);
	EVP_PKEY_free(leaf.key);
}

static void machines_of_one_seed_share_their_roots(void **state)
{
	struct forge_options o;
	struct forge_machine a, b;

	(void)state;
	forge_defaults(&o, seed, NOW);
	make(&o, &a);
	forge_defaults(&o, seed, NOW + 100000);
	memset(o.quote.td.mrtd, 0xee, sizeof(o.quote.td.mrtd));
	o.instance = "another";
	o.compose = "{}";
	make(&o, &b);
	assert_memory_equal(a.pki.cert[FORGE_ROOT].p, b.pki.cert[FORGE_ROOT].p, a.pki.cert[FORGE_ROOT].len);
	assert_memory_equal(a.kms_root.p, b.kms_root.p, a.kms_root.len);
	assert_memory_not_equal(a.instance_id, b.instance_id, sizeof(a.instance_id));
	assert_memory_not_equal(a.app_id, b.app_id, sizeof(a.app_id));
	assert_memory_equal(b.app_id, b.compose_hash, sizeof(b.app_id));
	forge_machine_done(&a);
	forge_machine_done(&b);
}

/* Every form of evidence reads back to what the machine is, and names the certificate's key. */
static void evidence_reads_back_from_certificates(void **state)
{
	static const struct {
		enum forge_evidence forged;
		uint8_t event_version;
		enum evidence_format read;
	} rows[] = {{FORGE_EVIDENCE_V0, 1, EVIDENCE_ENVELOPE_V0}, {FORGE_EVIDENCE_V1, 1, EVIDENCE_ENVELOPE_V1},
		{FORGE_EVIDENCE_V1, 2, EVIDENCE_ENVELOPE_V1}, {FORGE_EVIDENCE_LEGACY, 1, EVIDENCE_LEGACY}};
	struct forge_leaf leaf = leaf_of_test();
	uint8_t report_data[64], rtmr3[48];

	(void)state;
	assert_true(forge_ratls_report_data(leaf.key, report_data));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ratls_evidence *e;
		struct forge_chain_made chain;
		struct forge_machine m;
		struct forge_options o;

		forge_defaults(&o, seed, NOW);
		o.evidence = rows[i].forged;
		o.event_version = rows[i].event_version;
		make(&o, &m);
		assert_int_equal(forge_machine_certificate(&m, &leaf, &chain, NULL), RATLS_OK);
		assert_int_equal(
			ratls_evidence_from_certificate(chain.cert[0].p, chain.cert[0].len, &e, NULL),
			RATLS_OK);
		assert_int_equal(e->format, rows[i].read);
		assert_true(cur_is(&e->quote.td.mrtd, m.quote.td.mrtd, 48));
		assert_true(cur_is(&e->quote.td.report_data, report_data, 64));
		assert_true(cur_is(&e->claims.app_id, m.app_id, sizeof(m.app_id)));
		assert_true(cur_is(&e->claims.compose_hash, m.compose_hash, sizeof(m.compose_hash)));
		assert_true(cur_is(&e->claims.instance_id, m.instance_id, sizeof(m.instance_id)));
		assert_true(cur_is(&e->claims.os_image_hash, m.os_image_hash, sizeof(m.os_image_hash)));
		assert_true(cur_is_str(&e->claims.key_provider, m.key_provider));
		assert_int_equal(eventlog_replay(&e->runtime, 3, rtmr3, NULL), RATLS_OK);
		assert_true(cur_is(&e->quote.td.rtmr[3], rtmr3, sizeof(rtmr3)));
		ratls_evidence_free(e);
		forge_chain_done(&chain);
		forge_machine_done(&m);
	}
	EVP_PKEY_free(leaf.key);
}

static void a_certificate_without_evidence_has_none(void **state)
{
	struct forge_leaf leaf = leaf_of_test();
	struct ratls_evidence *e;
	struct forge_chain_made chain;
	struct forge_options o;

	(void)state;
	forge_defaults(&o, seed, NOW);
	leaf.without_evidence = true;
	chain = chain_of(&o, &leaf);
	assert_int_equal(ratls_evidence_from_certificate(chain.cert[0].p, chain.cert[0].len, &e, NULL),
		RATLS_E_NO_EVIDENCE);
	forge_chain_done(&chain);
	EVP_PKEY_free(leaf.key);
}

/* The quote may be told to name another key than the certificate's. */
static void a_quote_can_name_another_key(void **state)
{
	struct forge_leaf leaf = leaf_of_test();
	EVP_PKEY *other = forge_key(seed, "other");
	struct ratls_evidence *e;
	struct forge_chain_made chain;
	struct forge_options o;
	uint8_t report_data[64];

	(void)state;
	forge_defaults(&o, seed, NOW);
	leaf.quoted_key = other;
	chain = chain_of(&o, &leaf);
	assert_true(forge_ratls_report_data(other, report_data));
	assert_int_equal(
		ratls_evidence_from_certificate(chain.cert[0].p, chain.cert[0].len, &e, NULL), RATLS_OK);
	assert_true(cur_is(&e->quote.td.report_data, report_data, 64));
	ratls_evidence_free(e);
	forge_chain_done(&chain);
	EVP_PKEY_free(leaf.key);
	EVP_PKEY_free(other);
}

static void unstripped_envelopes_read_back(void **state)
{
	static const enum forge_envelope_version versions[] = {FORGE_V0, FORGE_V1};
	uint8_t report_data[64] = {1, 2, 3}, replayed[48];
	struct forge_machine m;
	struct forge_options o;

	(void)state;
	forge_defaults(&o, seed, NOW);
	make(&o, &m);
	for (size_t i = 0; i < 2; i++) {
		struct ratls_evidence *e;
		struct buf bytes = {0};

		assert_int_equal(
			forge_machine_envelope(&m, versions[i], report_data, false, &bytes, NULL), RATLS_OK);
		assert_int_equal(ratls_evidence_from_envelope(bytes.p, bytes.len, &e, NULL), RATLS_OK);
		assert_int_equal(e->log.n, m.log.n);
		assert_true(cur_is_str(&e->config, m.config));
		assert_true(cur_is(&e->report_data, report_data, sizeof(report_data)));
		for (uint32_t imr = 0; imr < 4; imr++) {
			assert_int_equal(eventlog_replay(&e->log, imr, replayed, NULL), RATLS_OK);
			assert_true(cur_is(&e->quote.td.rtmr[imr], replayed, sizeof(replayed)));
		}
		ratls_evidence_free(e);
		buf_done(&bytes);
	}
	forge_machine_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_chains_verify_for_their_name),
		cmocka_unit_test(details_of_the_leaf_are_dstacks),
		cmocka_unit_test(serial_follows_from_the_key),
		cmocka_unit_test(machines_of_one_seed_share_their_roots),
		cmocka_unit_test(evidence_reads_back_from_certificates),
		cmocka_unit_test(a_certificate_without_evidence_has_none),
		cmocka_unit_test(a_quote_can_name_another_key),
		cmocka_unit_test(unstripped_envelopes_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
