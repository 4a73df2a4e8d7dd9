/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys and certificates: GetTlsKey, GetKey, Sign, Verify, and Tappd's older forms of the first two.
 */
#include <openssl/rand.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/secret.h"
#include "simulator/forge_x509.h"
#include "simulator/guest_methods.h"

/* Where Sign takes its key from. */
#define SIGN_PATH    "vms"
#define SIGN_PURPOSE "signing"

#define DEMO_KEY "demo-cert"

/* ---- certificates ------------------------------------------------------------------------------ */

static json_t *chain_json(const struct forge_chain_made *chain)
{
	json_t *out = json_array();

	for (size_t i = 0; i < chain->n; i++) {
		struct buf pem = {0};

		forge_pem_put(&pem, "CERTIFICATE", cur_of(chain->cert[i].p, chain->cert[i].len));
		if (json_array_append_new(out, guest_json_text(&pem)) != 0) {
			json_decref(out);
			out = NULL;
		}
		buf_done(&pem);
	}
	return out;
}

/* dNSName is an IA5String (RFC 5280 section 4.2.1.6): other names than ASCII have to be encoded before. */
static bool is_ascii(const char *text)
{
	while (*text != '\0' && (uint8_t)*text < 0x80)
		text++;
	return *text == '\0';
}

/* Read what all certificate requests have in common. */
static void read_leaf(const struct guest *g, struct request *r, struct forge_leaf *ret,
	const char *alt_names[static REQUEST_LIST_MAX + 1])
{
	request_list(r, "alt_names", alt_names);
	for (size_t i = 0; alt_names[i] != NULL; i++)
		if (!is_ascii(alt_names[i]))
			request_refuse(r, "alt_names", "invalid IA5String");
	*ret = (struct forge_leaf){.subject = request_text(r, "subject"), .alt_names = alt_names,
		.server_auth = request_bool(r, "usage_server_auth"),
		.client_auth = request_bool(r, "usage_client_auth"),
		.without_evidence = !request_bool(r, "usage_ra_tls"), .now = clock_now()};
	ret->not_after = ret->now + g->cert_lifetime;
}

/* Answer with a certificate for the P-256 key of this scalar. */
static int issue(struct guest *g, struct forge_leaf *leaf, const uint8_t *scalar, json_t **ret,
	struct ratls_error *err)
{
	struct forge_chain_made chain = {0};
	struct buf pem = {0};
	int rc;

	leaf->key = forge_key_of_scalar(scalar);
	if (leaf->key == NULL || !forge_key_pem(leaf->key, &pem))
		rc = err_set(err, RATLS_E_CRYPTO, "could not derive the key");
	else
		rc = forge_machine_certificate(&g->machine, leaf, &chain, err);
	if (rc == RATLS_OK)
		rc = guest_answer(json_pack("{s:o, s:o}", "key", guest_json_text(&pem), "certificate_chain",
					  chain_json(&chain)),
			ret, err);
	forge_chain_done(&chain);
	secret_buf_done(&pem);
	EVP_PKEY_free(leaf->key);
	return rc;
}

/* A fresh key for every call, derived from a random seed as dstack does. */
static int issue_random(struct guest *g, struct forge_leaf *leaf, json_t **ret, struct ratls_error *err)
{
	uint8_t seed[FORGE_SCALAR_SIZE], scalar[FORGE_SCALAR_SIZE];
	int rc;

	if (RAND_bytes(seed, sizeof(seed)) != 1 || !forge_hkdf(seed, NULL, 0, scalar))
		rc = err_set(err, RATLS_E_CRYPTO, "could not make a random key");
	else
		rc = issue(g, leaf, scalar, ret, err);
	secret_wipe(seed, sizeof(seed));
	secret_wipe(scalar, sizeof(scalar));
	return rc;
}

int guest_get_tls_key(struct guest *g, struct request *r, json_t **ret, struct ratls_error *err)
{
	const char *alt_names[REQUEST_LIST_MAX + 1];
	struct forge_leaf leaf;
	int64_t not_after;
	int rc;

	read_leaf(g, r, &leaf, alt_names);
	leaf.app_info = request_bool(r, "with_app_info");
	leaf.not_before = request_time(r, "not_before");
	not_after = request_time(r, "not_after");
	if (not_after != 0)
		leaf.not_after = not_after;
	rc = request_ok(r, err);
	if (rc != RATLS_OK)
		return rc;
	if (leaf.not_before >= leaf.not_after)
		return err_set(err, RATLS_E_ARG, "not_before must be earlier than not_after");
	return issue_random(g, &leaf, ret, err);
}

int guest_tappd_derive_key(struct guest *g, struct request *r, json_t **ret, struct ratls_error *err)
{
	const char *alt_names[REQUEST_LIST_MAX + 1], *path = request_text(r, "path");
	bool random = request_bool(r, "random_seed");
	uint8_t scalar[FORGE_SCALAR_SIZE];
	struct forge_leaf leaf;
	int rc;

	read_leaf(g, r, &leaf, alt_names);
	rc = request_ok(r, err);
	if (rc != RATLS_OK)
		return rc;
	if (random)
		return issue_random(g, &leaf, ret, err);
	if (!app_key_derive(&g->keys, path, scalar))
		return err_set(err, RATLS_E_CRYPTO, "could not derive the key");
	rc = issue(g, &leaf, scalar, ret, err);
	secret_wipe(scalar, sizeof(scalar));
	return rc;
}

int guest_make_demo_cert(struct guest *g, struct ratls_error *err)
{
	struct forge_leaf leaf = {.subject = "demo-cert", .client_auth = true, .now = clock_now()};
	struct forge_chain_made chain = {0};
	struct buf pem = {0};
	int rc = RATLS_OK;

	leaf.not_after = leaf.now + g->cert_lifetime;
	leaf.key = forge_key(g->machine.seed, DEMO_KEY);
	if (leaf.key == NULL)
		return err_set(err, RATLS_E_CRYPTO, "could not derive the key");
	rc = forge_machine_certificate(&g->machine, &leaf, &chain, err);
	for (size_t i = 0; i < chain.n; i++)
		forge_pem_put(&pem, "CERTIFICATE", cur_of(chain.cert[i].p, chain.cert[i].len));
	g->demo_cert = buf_take_str(&pem);
	if (rc == RATLS_OK && g->demo_cert == NULL)
		rc = err_set(err, RATLS_E_NOMEM, "could not write the certificate: out of memory");
	forge_chain_done(&chain);
	EVP_PKEY_free(leaf.key);
	return rc;
}

/* ---- application keys -------------------------------------------------------------------------- */

/* The key of a path, its public key, and the app key's signature over that. */
struct derived {
	uint8_t key[APP_KEY_SIZE];
	struct buf public_key;
	uint8_t vouched[APP_RECOVERABLE_SIZE];
};

static void derived_done(struct derived *d)
{
	secret_wipe(d->key, sizeof(d->key));
	buf_done(&d->public_key);
}

static int derive(struct guest *g, enum app_algorithm algorithm, const char *path, const char *purpose,
	struct derived *ret, struct ratls_error *err)
{
	*ret = (struct derived){0};
	if (app_key_derive(&g->keys, path, ret->key) &&
		app_key_public(algorithm, ret->key, &ret->public_key) &&
		app_key_vouch(
			&g->keys, purpose, cur_of(ret->public_key.p, ret->public_key.len), ret->vouched))
		return RATLS_OK;
	derived_done(ret);
	return err_set(err, RATLS_E_CRYPTO, "could not derive the key");
}

static int read_algorithm(
	const char *name, bool prehashed_too, enum app_algorithm *ret, struct ratls_error *err)
{
	enum app_algorithm algorithm;

	if (!app_algorithm_of(name, &algorithm) || (!prehashed_too && algorithm == APP_SECP256K1_PREHASHED))
		return err_set(err, RATLS_E_ARG, "Unsupported algorithm");
	*ret = algorithm;
	return RATLS_OK;
}

/* GetKey, with the names of its answer's members. */
static int answer_key(struct guest *g, struct request *r, const char *key_name, const char *chain_name,
	json_t **ret, struct ratls_error *err)
{
	const char *path = request_text(r, "path"), *purpose = request_text(r, "purpose");
	const char *name = request_text(r, "algorithm");
	enum app_algorithm algorithm = APP_SECP256K1;
	struct derived d;
	int rc = request_ok(r, err);

	if (rc == RATLS_OK)
		rc = read_algorithm(name, false, &algorithm, err);
	if (rc == RATLS_OK)
		rc = derive(g, algorithm, path, purpose, &d, err);
	if (rc != RATLS_OK)
		return rc;
	rc = guest_answer(json_pack("{s:o, s:[o, o]}", key_name, guest_json_hex(d.key, sizeof(d.key)),
				  chain_name, guest_json_hex(d.vouched, sizeof(d.vouched)),
				  guest_json_hex(g->keys.k256_signature, sizeof(g->keys.k256_signature))),
		ret, err);
	derived_done(&d);
	return rc;
}

int guest_get_key(struct guest *g, struct request *r, json_t **ret, struct ratls_error *err)
{
	return answer_key(g, r, "key", "signature_chain", ret, err);
}

int guest_tappd_derive_k256_key(struct guest *g, struct request *r, json_t **ret, struct ratls_error *err)
{
	return answer_key(g, r, "k256_key", "k256_signature_chain", ret, err);
}

static int sign(struct guest *g, enum app_algorithm algorithm, struct cur data, json_t **ret,
	struct ratls_error *err)
{
	uint8_t signature[64];
	struct derived d;
	int rc = derive(g, algorithm, SIGN_PATH, SIGN_PURPOSE, &d, err);

	if (rc != RATLS_OK)
		return rc;
	rc = app_key_sign(algorithm, d.key, data, signature, err);
	if (rc == RATLS_OK)
		rc = guest_answer(
			json_pack("{s:o, s:[o, o, o], s:o}", "signature",
				guest_json_hex(signature, sizeof(signature)), "signature_chain",
				guest_json_hex(signature, sizeof(signature)),
				guest_json_hex(d.vouched, sizeof(d.vouched)),
				guest_json_hex(g->keys.k256_signature, sizeof(g->keys.k256_signature)),
				"public_key", guest_json_hex(d.public_key.p, d.public_key.len)),
			ret, err);
	derived_done(&d);
	return rc;
}

int guest_sign(struct guest *g, struct request *r, json_t **ret, struct ratls_error *err)
{
	const char *name = request_text(r, "algorithm");
	enum app_algorithm algorithm = APP_SECP256K1;
	struct buf data = {0};
	int rc;

	request_hex(r, "data", &data);
	rc = request_ok(r, err);
	if (rc == RATLS_OK)
		rc = read_algorithm(name, true, &algorithm, err);
	if (rc == RATLS_OK)
		rc = sign(g, algorithm, cur_of(data.p, data.len), ret, err);
	buf_done(&data);
	return rc;
}

int guest_verify(struct guest *g, struct request *r, json_t **ret, struct ratls_error *err)
{
	const char *name = request_text(r, "algorithm");
	struct buf data = {0}, signature = {0}, public_key = {0};
	enum app_algorithm algorithm = APP_SECP256K1;
	bool valid = false;
	int rc;

	(void)g;
	request_hex(r, "data", &data);
	request_hex(r, "signature", &signature);
	request_hex(r, "public_key", &public_key);
	rc = request_ok(r, err);
	if (rc == RATLS_OK)
		rc = read_algorithm(name, true, &algorithm, err);
	if (rc == RATLS_OK)
		rc = app_key_verify(algorithm, cur_of(public_key.p, public_key.len), cur_of(data.p, data.len),
			cur_of(signature.p, signature.len), &valid, err);
	if (rc == RATLS_OK)
		rc = guest_answer(json_pack("{s:b}", "valid", valid), ret, err);
	buf_done(&data);
	buf_done(&signature);
	buf_done(&public_key);
	return rc;
}
