/* SPDX-License-Identifier: Apache-2.0
 *
 * RA-TLS certificates as dstack issues them: leaf, App CA and KMS root, with the extensions of PEN 62397.
 */
#ifndef SIMULATOR_FORGE_CERT_H
#define SIMULATOR_FORGE_CERT_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/cur.h"

#define FORGE_OID_QUOTE       "1.3.6.1.4.1.62397.1.1"
#define FORGE_OID_EVENT_LOG   "1.3.6.1.4.1.62397.1.2"
#define FORGE_OID_APP_ID      "1.3.6.1.4.1.62397.1.3"
#define FORGE_OID_USAGE       "1.3.6.1.4.1.62397.1.4"
#define FORGE_OID_ATTESTATION "1.3.6.1.4.1.62397.1.8"
#define FORGE_OID_APP_INFO    "1.3.6.1.4.1.62397.1.9"

/* dstack's certificates hold from 1975-01-01T00:00:00Z for 3650 days from now. */
#define FORGE_RATLS_NOT_BEFORE 157766400
#define FORGE_RATLS_LIFETIME   ((int64_t)3650 * 24 * 60 * 60)

#define FORGE_PAYLOADS_MAX 8

struct forge_payload {
	const char *oid;
	struct cur bytes;
	bool bare; /* without the inner OCTET STRING */
};

struct forge_ratls_options {
	const char *organization, *cn;               /* organization NULL: none */
	const char *issuer_organization, *issuer_cn; /* likewise */
	EVP_PKEY *key, *signer;
	int64_t not_before, not_after;
	bool ca;
	int path_length;
	const char *const *alt_names; /* NULL-terminated, or NULL; addresses become iPAddress */
	bool server_auth, client_auth;
	struct forge_payload payloads[FORGE_PAYLOADS_MAX]; /* in this order; n_payloads of them */
	size_t n_payloads;
};

void forge_ratls_payload(struct forge_ratls_options *o, const char *oid, struct cur bytes);

/* Append the certificate's DER; false if memory or the library fails. */
bool forge_ratls_write(const struct forge_ratls_options *o, struct buf *ret);

#endif
