/* SPDX-License-Identifier: Apache-2.0
 *
 * X.509 certificates and CRLs from their parts (RFC 5280 section 4.1 and 5.1), signed with
 * ecdsa-with-SHA256. Whatever is given is written: nothing here asks whether it makes sense.
 */
#ifndef SIMULATOR_FORGE_X509_H
#define SIMULATOR_FORGE_X509_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/cur.h"

#define FORGE_NAME_MAX   5
#define FORGE_SERIAL_MAX 20

/* A distinguished name, one attribute to an RDN, in order of writing; ends with a NULL oid. */
struct forge_rdn {
	const char *oid; /* dotted */
	uint8_t tag;     /* DER_UTF8_STRING or DER_PRINTABLE_STRING */
	const char *value;
};

#define FORGE_OID_CN "2.5.4.3"
#define FORGE_OID_C  "2.5.4.6"
#define FORGE_OID_L  "2.5.4.7"
#define FORGE_OID_ST "2.5.4.8"
#define FORGE_OID_O  "2.5.4.10"

struct forge_certificate {
	struct cur serial; /* unsigned, big-endian */
	const struct forge_rdn *issuer, *subject;
	int64_t not_before, not_after;
	struct cur spki;
	struct cur extensions; /* Extension elements, one after another; none if empty */
	EVP_PKEY *signer;
};

struct forge_revocation_list {
	const struct forge_rdn *issuer;
	int64_t this_update, next_update; /* next_update 0: absent */
	struct cur revoked;               /* revokedCertificates elements, one after another */
	struct cur extensions;
	EVP_PKEY *signer;
};

/* Append the DER to ret; false if memory or the library fails. */
bool forge_certificate_write(const struct forge_certificate *c, struct buf *ret);
bool forge_revocation_list_write(const struct forge_revocation_list *c, struct buf *ret);

/* Append one element of revokedCertificates: serial unsigned big-endian. */
void forge_revoked_put(struct buf *b, struct cur serial, int64_t at);

/* Append one Extension, its value as given. */
void forge_extension_put(struct buf *b, const char *oid, bool critical, struct cur value);

/* The first n bytes of SHA-256(spki), or of SHA-256(public point), the usual names of a key. */
bool forge_key_id(EVP_PKEY *key, uint8_t ret[static 20]);

/* Append PEM with LF line ends. */
void forge_pem_put(struct buf *b, const char *label, struct cur der);

#endif
