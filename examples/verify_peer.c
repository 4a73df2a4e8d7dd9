/* SPDX-License-Identifier: Apache-2.0
 *
 * Connect to an attested server, and say something only after its evidence was accepted:
 *
 *   verify_peer HOST:PORT [POLICY]
 *
 * TEESQL_PCCS and TEESQL_INSECURE_TRUST_ROOT (a certificate in PEM) name the collateral service and the root
 * of a simulator, as they do for teesql.
 *
 * cc verify_peer.c $(pkg-config --cflags --libs ratls openssl)
 */
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <ratls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLICY_MAX 65536

/* ---- what to hold a peer against ----------------------------------------------------------------------- */

static struct ratls_source *make_source(struct ratls_error *err)
{
	const char *urls[] = {getenv("TEESQL_PCCS"), NULL}, *root_path = getenv("TEESQL_INSECURE_TRUST_ROOT");
	struct ratls_source_options options = {
		.size = sizeof(options), .urls = urls[0] != NULL ? urls : NULL};
	FILE *file = root_path != NULL ? fopen(root_path, "r") : NULL;
	X509 *root = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	struct ratls_source *source = NULL;
	unsigned char *der = NULL;
	int len = root != NULL ? i2d_X509(root, &der) : 0;

	if (root_path != NULL && len <= 0) {
		snprintf(err->message, sizeof(err->message), "could not read the certificate \"%s\"",
			root_path);
	} else {
		options.insecure_trust_root = der; /* NULL is Intel's */
		options.insecure_trust_root_len = (size_t)len;
		(void)ratls_source_new(&options, &source, err);
	}
	OPENSSL_free(der);
	X509_free(root);
	if (file != NULL)
		fclose(file);
	return source;
}

/* Without a policy any genuine machine is accepted, whatever runs in it, and the report says so. */
static struct ratls_policy *make_policy(const char *path, struct ratls_error *err)
{
	struct ratls_policy *policy = NULL;
	FILE *file = path != NULL ? fopen(path, "r") : NULL;
	char text[POLICY_MAX];

	if (path == NULL)
		(void)ratls_policy_new(&policy, err);
	else if (file == NULL)
		snprintf(err->message, sizeof(err->message), "could not open \"%s\"", path);
	else
		(void)ratls_policy_from_json(text, fread(text, 1, sizeof(text), file), &policy, err);
	if (file != NULL)
		fclose(file);
	return policy;
}

/* ---- the peer ------------------------------------------------------------------------------------------ */

/* A TLS connection; the caller frees it. No authority vouches for the certificate: the evidence in it does,
 * so OpenSSL is not asked to verify a chain. */
static BIO *connect_to(SSL_CTX *context, const char *host_port)
{
	BIO *bio = BIO_new_ssl_connect(context);
	SSL *ssl = NULL;

	if (bio == NULL)
		return NULL;
	BIO_get_ssl(bio, &ssl);
	BIO_set_conn_hostname(bio, host_port);
	SSL_set_tlsext_host_name(ssl, BIO_get_conn_hostname(bio));
	if (BIO_do_connect(bio) == 1 && BIO_do_handshake(bio) == 1)
		return bio;
	BIO_free_all(bio);
	return NULL;
}

/* The evidence in the certificate whose key the peer has just shown to have. */
static struct ratls_evidence *evidence_of(BIO *bio, struct ratls_error *err)
{
	struct ratls_evidence *evidence = NULL;
	unsigned char *der = NULL;
	SSL *ssl = NULL;
	X509 *leaf;
	int len;

	BIO_get_ssl(bio, &ssl);
	leaf = SSL_get1_peer_certificate(ssl);
	len = leaf != NULL ? i2d_X509(leaf, &der) : 0;
	if (len > 0)
		(void)ratls_evidence_from_certificate(der, (size_t)len, &evidence, err);
	else
		snprintf(err->message, sizeof(err->message), "the peer presented no certificate");
	OPENSSL_free(der);
	X509_free(leaf);
	return evidence;
}

/* NULL if it could not be decided, which is no acceptance either. */
static struct ratls_report *appraise(struct ratls_source *source, const struct ratls_policy *policy,
	const struct ratls_evidence *evidence, struct ratls_error *err)
{
	/* The quote must name the key of this connection: else somebody relays evidence of another machine.
	 */
	const struct ratls_binding binding = {.kind = RATLS_BINDING_CERTIFICATE};
	struct ratls_endorsements *endorsements = NULL;
	struct ratls_report *report = NULL;
	int64_t now = (int64_t)time(NULL);

	if (ratls_source_endorse(source, evidence, now, &endorsements, err) == RATLS_OK)
		(void)ratls_appraise(evidence, endorsements, policy, &binding, now, &report, err);
	ratls_endorsements_free(endorsements);
	return report;
}

static int verify(SSL_CTX *context, const char *host_port, const char *policy_path)
{
	struct ratls_error err = {.message = "could not connect"};
	struct ratls_source *source = make_source(&err);
	struct ratls_policy *policy = source != NULL ? make_policy(policy_path, &err) : NULL;
	BIO *bio = policy != NULL ? connect_to(context, host_port) : NULL;
	struct ratls_evidence *evidence = bio != NULL ? evidence_of(bio, &err) : NULL;
	struct ratls_report *report = evidence != NULL ? appraise(source, policy, evidence, &err) : NULL;
	int class = report != NULL ? ratls_report_class(report) : RATLS_CLASS_UNREACHABLE;
	const char *json;

	if (ratls_report_accepted(report))
		fprintf(stderr, "accepted: from here on data may be sent\n");
	else
		fprintf(stderr, "not accepted: %s\n",
			report != NULL ? ratls_report_message(report) : err.message);
	json = ratls_report_json(report); /* NULL also if memory did not suffice for it */
	if (json != NULL)
		printf("%s\n", json);
	ratls_report_free(report);
	ratls_evidence_free(evidence);
	BIO_free_all(bio);
	ratls_policy_free(policy);
	ratls_source_free(source);
	return class;
}

int main(int argc, char **argv)
{
	SSL_CTX *context;
	int class;

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: %s HOST:PORT [POLICY]\n", argv[0]);
		return 2;
	}
	context = SSL_CTX_new(TLS_client_method());
	if (context == NULL)
		return 2;
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	class = verify(context, argv[1], argc == 3 ? argv[2] : NULL);
	SSL_CTX_free(context);
	return class;
}
