/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/reason.h"
#include "source/agent.h"
#include "tls/identity.h"

static EVP_PKEY *key, *other_key;

static struct cur cur_of_buf(const struct buf *b)
{
	return cur_of(b->p, b->len);
}

static void append_bio(struct buf *to, BIO *from)
{
	char *p;
	long n = BIO_get_mem_data(from, &p);

	buf_bytes(to, p, (size_t)n);
	BIO_free(from);
}

static void append_key(struct buf *to, EVP_PKEY *k, const EVP_CIPHER *cipher)
{
	BIO *out = BIO_new(BIO_s_mem());

	assert_int_equal(
		PEM_write_bio_PKCS8PrivateKey(out, k, cipher, "word", cipher ? 4 : 0, NULL, NULL), 1);
	append_bio(to, out);
}

/* A self-signed certificate, valid from 1975-01-01 (dstack's default) until 2033-05-18T03:33:20Z. */
static void append_certificate(struct buf *to, EVP_PKEY *k, const char *name)
{
	X509 *x = X509_new();
	BIO *out = BIO_new(BIO_s_mem());
	X509_NAME *subject = X509_get_subject_name(x);

	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const uint8_t *)name, -1, -1, 0);
	X509_set_issuer_name(x, subject);
	ASN1_TIME_set(X509_getm_notBefore(x), 157766400);
	ASN1_TIME_set(X509_getm_notAfter(x), 2000000000);
	X509_set_pubkey(x, k);
	assert_true(X509_sign(x, k, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(out, x), 1);
	append_bio(to, out);
	X509_free(x);
}

static int make_keys(void **state)
{
	(void)state;
	key = EVP_EC_gen("P-256");
	other_key = EVP_EC_gen("P-256");
	return key != NULL && other_key != NULL ? 0 : -1;
}

static int free_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	return 0;
}

static void key_leaf_and_chain_are_read_in_order(void **state)
{
	struct buf k = {0}, chain = {0};
	struct identity *id = NULL;
	char name[32];

	(void)state;
	append_key(&k, key, NULL);
	append_certificate(&chain, key, "leaf");
	append_certificate(&chain, other_key, "first above");
	append_certificate(&chain, other_key, "second above");
	assert_int_equal(identity_from_pem(cur_of_buf(&k), cur_of_buf(&chain), &id, NULL), RATLS_OK);
	assert_int_equal(EVP_PKEY_eq(identity_key(id), key), 1);
	assert_int_equal(X509_check_private_key(identity_leaf(id), key), 1);
	assert_int_equal(sk_X509_num(identity_chain(id)), 2);
	X509_NAME_get_text_by_NID(X509_get_subject_name(sk_X509_value(identity_chain(id), 1)), NID_commonName,
		name, sizeof(name));
	assert_string_equal(name, "second above");
	assert_int_equal(identity_not_after(id), 2000000000);
	identity_free(id);
	buf_done(&k);
	buf_done(&chain);
}

/* Expects RATLS_E_ARG with this text in the sentence. */
static void assert_refused(const struct buf *k, const struct buf *chain, const char *text)
{
	struct identity *id = NULL;
	struct ratls_error err = {0};

	assert_int_equal(identity_from_pem(cur_of_buf(k), cur_of_buf(chain), &id, &err), RATLS_E_ARG);
	assert_null(id);
	if (strstr(err.message, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, err.message);
}

static void what_does_not_fit_is_refused(void **state)
{
	struct buf good_key = {0}, good_chain = {0}, wrong_key = {0}, encrypted = {0}, cut = {0}, none = {0};
	struct buf long_chain = {0};

	(void)state;
	append_key(&good_key, key, NULL);
	append_key(&wrong_key, other_key, NULL);
	append_key(&encrypted, key, EVP_aes_128_cbc());
	append_certificate(&good_chain, key, "leaf");
	for (int i = 0; i < 17; i++)
		append_certificate(&long_chain, key, "leaf");
	buf_bytes(&cut, good_chain.p, good_chain.len);
	buf_bytes(&cut, good_chain.p, good_chain.len / 2);

	assert_refused(&wrong_key, &good_chain, "does not belong");
	assert_refused(&encrypted, &good_chain, "could not read the private key");
	assert_refused(&none, &good_chain, "could not read the private key");
	assert_refused(&good_chain, &good_chain, "could not read the private key");
	assert_refused(&good_key, &none, "could not read the certificate");
	assert_refused(&good_key, &cut, "could not read certificate 2");
	assert_refused(&good_key, &long_chain, "more than 16");
	buf_done(&good_key);
	buf_done(&good_chain);
	buf_done(&wrong_key);
	buf_done(&encrypted);
	buf_done(&cut);
	buf_done(&long_chain);
}

/* A guest agent: self is the text of its answer. */
static int agent_answers(void *self, const struct ratls_http_request *request,
	struct ratls_http_response *ret, struct ratls_error *err)
{
	(void)request, (void)err;
	ret->status = 200;
	ret->headers = strdup("");
	ret->body = (uint8_t *)strdup(self);
	ret->body_len = strlen(self);
	return RATLS_OK;
}

static int identity_of_answer(
	const struct buf *k, const struct buf *chain, struct identity **ret, struct ratls_error *err)
{
	json_t *o =
		json_pack("{s:s%, s:[s%]}", "key", k->p, k->len, "certificate_chain", chain->p, chain->len);
	char *text = json_dumps(o, 0);
	struct agent_tls_key_request request = {0};
	struct agent *a = NULL;
	int rc;

	assert_int_equal(agent_new("/agent", agent_answers, text, &a, NULL), RATLS_OK);
	rc = identity_from_agent(a, &request, ret, err);
	agent_free(a);
	free(text);
	json_decref(o);
	return rc;
}

static void the_agent_gives_an_identity_or_an_error(void **state)
{
	struct buf good_key = {0}, wrong_key = {0}, chain = {0};
	struct identity *id = NULL;
	struct ratls_error err = {0};

	(void)state;
	append_key(&good_key, key, NULL);
	append_key(&wrong_key, other_key, NULL);
	append_certificate(&chain, key, "leaf");
	assert_int_equal(identity_of_answer(&wrong_key, &chain, &id, &err), RATLS_E_UNAVAILABLE);
	assert_int_equal(err.reason, REASON_AGENT_REFUSED);
	assert_non_null(strstr(err.message, "does not belong"));
	assert_null(id);
	assert_int_equal(identity_of_answer(&good_key, &chain, &id, NULL), RATLS_OK);
	assert_int_equal(EVP_PKEY_eq(identity_key(id), key), 1);
	identity_free(id);
	buf_done(&good_key);
	buf_done(&wrong_key);
	buf_done(&chain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_leaf_and_chain_are_read_in_order),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(the_agent_gives_an_identity_or_an_error),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
