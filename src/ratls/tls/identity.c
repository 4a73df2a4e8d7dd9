/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/identity.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/reason.h"
#include "base/secret.h"
#include "evidence/certificate.h"
#include "source/agent.h"

struct identity {
	EVP_PKEY *key;
	X509 *leaf;
	STACK_OF(X509) * chain;
	int64_t not_after;
};

/* No terminal is ever asked: an encrypted key is an error, not a question. */
static int no_password(char *text, int size, int writing, void *self)
{
	(void)text, (void)size, (void)writing, (void)self;
	return -1;
}

static const char *openssl_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	return reason != NULL ? reason : "unknown error";
}

static int pem_open(struct cur pem, const char *what, BIO **ret, struct ratls_error *err)
{
	if (pem.bad || pem.left > AGENT_PEM_MAX)
		return err_set(err, RATLS_E_ARG, "%s is larger than %zu bytes", what, AGENT_PEM_MAX);
	*ret = BIO_new_mem_buf(pem.p, (int)pem.left);
	return *ret != NULL ? RATLS_OK : err_set(err, RATLS_E_NOMEM, "out of memory");
}

/* After a failed PEM read: was it only that no further block follows? */
static bool pem_ended(void)
{
	unsigned long e = ERR_peek_last_error();
	bool ended = ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;

	if (ended)
		ERR_clear_error();
	return ended;
}

static int read_key(struct identity *id, struct cur pem, struct ratls_error *err)
{
	BIO *in = NULL;
	int rc = pem_open(pem, "private key", &in, err);

	if (rc != RATLS_OK)
		return rc;
	ERR_clear_error();
	id->key = PEM_read_bio_PrivateKey(in, NULL, no_password, NULL);
	BIO_free(in);
	if (id->key == NULL)
		return err_set(err, RATLS_E_ARG, "could not read the private key: %s", openssl_reason());
	return RATLS_OK;
}

static int read_certificates(struct identity *id, BIO *in, struct ratls_error *err)
{
	ERR_clear_error();
	id->leaf = PEM_read_bio_X509(in, NULL, no_password, NULL);
	if (id->leaf == NULL)
		return err_set(err, RATLS_E_ARG, "could not read the certificate: %s", openssl_reason());
	for (int n = 1;; n++) {
		X509 *next = PEM_read_bio_X509(in, NULL, no_password, NULL);

		if (next == NULL && pem_ended())
			return RATLS_OK;
		if (next == NULL)
			return err_set(err, RATLS_E_ARG, "could not read certificate %d of the chain: %s",
				n + 1, openssl_reason());
		if (n == AGENT_CHAIN_MAX || sk_X509_push(id->chain, next) <= 0) {
			X509_free(next);
			return err_set(err, RATLS_E_ARG, "certificate chain has more than %d certificates",
				AGENT_CHAIN_MAX);
		}
	}
}

static int read_chain(struct identity *id, struct cur pem, struct ratls_error *err)
{
	BIO *in = NULL;
	int rc = pem_open(pem, "certificate chain", &in, err);

	if (rc != RATLS_OK)
		return rc;
	rc = read_certificates(id, in, err);
	BIO_free(in);
	return rc;
}

static int check_leaf(struct identity *id, struct ratls_error *err)
{
	if (X509_check_private_key(id->leaf, id->key) != 1) {
		ERR_clear_error();
		return err_set(err, RATLS_E_ARG, "private key does not belong to the first certificate");
	}
	if (!certificate_time(X509_get0_notAfter(id->leaf), &id->not_after))
		return err_set(err, RATLS_E_ARG, "could not read the validity of the certificate");
	return RATLS_OK;
}

int identity_from_pem(struct cur key, struct cur chain, struct identity **ret, struct ratls_error *err)
{
	struct identity *id = calloc(1, sizeof(*id));
	int rc;

	if (id == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	id->chain = sk_X509_new_null();
	if (id->chain == NULL) {
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
		goto out;
	}
	if ((rc = read_key(id, key, err)) != RATLS_OK || (rc = read_chain(id, chain, err)) != RATLS_OK)
		goto out;
	if ((rc = check_leaf(id, err)) != RATLS_OK)
		goto out;
	*ret = id;
	id = NULL;
out:
	ERR_clear_error();
	identity_free(id);
	return rc;
}

int identity_from_agent(struct agent *a, const struct agent_tls_key_request *request, struct identity **ret,
	struct ratls_error *err)
{
	struct buf key = {0}, chain = {0};
	struct ratls_error why = {0};
	int rc = agent_tls_key(a, request, &key, &chain, err);

	if (rc != RATLS_OK)
		return rc;
	rc = identity_from_pem(cur_of(key.p, key.len), cur_of(chain.p, chain.len), ret, &why);
	if (rc == RATLS_E_ARG) /* it was not configured: the agent answered nonsense */
		rc = err_reason(err, RATLS_E_UNAVAILABLE, REASON_AGENT_REFUSED,
			"guest agent answered GetTlsKey with what cannot be used: %s", why.message);
	else if (rc != RATLS_OK)
		err_set(err, rc, "%s", why.message);
	secret_buf_done(&key);
	buf_done(&chain);
	return rc;
}

void identity_free(struct identity *id)
{
	if (id == NULL)
		return;
	EVP_PKEY_free(id->key); /* OpenSSL clears private numbers as it frees them */
	X509_free(id->leaf);
	sk_X509_pop_free(id->chain, X509_free);
	free(id);
}

int64_t identity_not_after(const struct identity *id)
{
	return id->not_after;
}

EVP_PKEY *identity_key(const struct identity *id)
{
	return id->key;
}

X509 *identity_leaf(const struct identity *id)
{
	return id->leaf;
}

STACK_OF(X509) * identity_chain(const struct identity *id)
{
	return id->chain;
}
