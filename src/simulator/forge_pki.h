/* SPDX-License-Identifier: Apache-2.0
 *
 * An Intel-shaped PKI under a development root: root, PCK platform CA, PCK leaf, TCB signer, and the two
 * CRLs. forge_pki_defaults describes a good one; change any member to make exactly that thing wrong.
 * Keys are named by labels (forge_keys.h): any text is a key.
 */
#ifndef SIMULATOR_FORGE_PKI_H
#define SIMULATOR_FORGE_PKI_H

#include "base/buf.h"
#include "base/cur.h"
#include "ratls.h"
#include "simulator/forge_keys.h"

enum forge_role { FORGE_ROOT, FORGE_PCK_CA, FORGE_PCK, FORGE_TCB_SIGNER, FORGE_ROLES };
enum forge_crl { FORGE_ROOT_CRL, FORGE_PCK_CRL, FORGE_CRLS };

/* The labels of the keys in a good PKI. */
#define FORGE_KEY_ROOT        "intel-root"
#define FORGE_KEY_PCK_CA      "intel-pck-ca"
#define FORGE_KEY_PCK         "intel-pck"
#define FORGE_KEY_TCB_SIGNER  "intel-tcb-signer"
#define FORGE_KEY_ATTESTATION "attestation"

/* Certificates of a good PKI hold from 2020-01-01T00:00:00Z to 2049-12-31T23:59:59Z. */
#define FORGE_NOT_BEFORE 1577836800
#define FORGE_NOT_AFTER  2524607999

enum forge_extension { /* for `omit` */
	FORGE_AKI = 1 << 0,
	FORGE_CRL_DISTRIBUTION = 1 << 1,
	FORGE_SKI = 1 << 2,
	FORGE_KEY_USAGE = 1 << 3,
	FORGE_BASIC_CONSTRAINTS = 1 << 4,
	FORGE_SGX = 1 << 5,
	FORGE_CRL_NUMBER = 1 << 6,
};

/* The two bytes of a key usage BIT STRING's content: unused bits, then bits (RFC 5280 section 4.2.1.3). */
#define FORGE_USAGE_SIGN 0x06c0 /* digitalSignature, nonRepudiation */
#define FORGE_USAGE_CA   0x0106 /* keyCertSign, cRLSign */

struct forge_cert_options {
	const char *cn, *issuer_cn;     /* the rest of the name is Intel's */
	const char *key;                /* label: what it certifies */
	const char *issuer_key;         /* label: what the authority key identifier names */
	const char *signed_by;          /* label: what really signs */
	const char *crl_url;
	int64_t not_before, not_after;
	bool ca;
	int path_length; /* -1: absent */
	unsigned key_usage;
	unsigned omit;     /* enum forge_extension */
	struct cur serial; /* empty: follows from the key */
};

/* The SGX extension 1.2.840.113741.1.13.1 of the PCK leaf. */
struct forge_sgx_options {
	uint8_t ppid[16];
	uint8_t components[16];
	uint8_t cpusvn[16]; /* equal to components in real ones */
	uint16_t pcesvn;
	uint8_t pceid[2];
	uint8_t fmspc[6];
	uint8_t type; /* 0 standard, 1 scalable, 2 scalable with integrity */
	uint8_t instance[16];
	bool processor;  /* leave out the two entries that only Platform CA certificates have */
	struct cur bytes; /* if not empty: the extension's value in place of all that */
	bool twice;       /* the extension occurs twice */
};

#define FORGE_REVOKED_MAX 4

struct forge_crl_options {
	const char *issuer_cn, *issuer_key, *signed_by;
	int64_t this_update, next_update; /* next_update 0: absent */
	unsigned revoked_roles;           /* 1u << FORGE_PCK and so on */
	struct cur revoked[FORGE_REVOKED_MAX]; /* further serials; ends with an empty one */
	unsigned omit;                    /* FORGE_AKI, FORGE_CRL_NUMBER */
	bool partial;                     /* a critical extension says that it does not list all */
};

struct forge_pki_options {
	uint8_t seed[FORGE_SEED_SIZE];
	struct forge_cert_options cert[FORGE_ROLES];
	struct forge_sgx_options sgx;
	struct forge_crl_options crl[FORGE_CRLS];
};

struct forge_pki {
	uint8_t seed[FORGE_SEED_SIZE];
	struct buf cert[FORGE_ROLES]; /* DER */
	struct buf crl[FORGE_CRLS];   /* DER */
	struct buf pck_name;          /* how a quote names the PCK certificate: evidence/pck_name.h, RSA-3072 */
};

/* A good PKI: CRLs issued a day before now, next update 30 days after it; FMSPC FORGE_FMSPC. */
void forge_pki_defaults(struct forge_pki_options *o, const uint8_t seed[static FORGE_SEED_SIZE], int64_t now);
extern const uint8_t forge_fmspc_default[6];

/* Make it; free with forge_pki_done. RATLS_E_CRYPTO. */
int forge_pki_make(const struct forge_pki_options *o, struct forge_pki *ret, struct ratls_error *err);
void forge_pki_done(struct forge_pki *pki);

/* Append the certificates of these roles as PEM. The usual chains are below. */
void forge_pki_pem(const struct forge_pki *pki, const enum forge_role *roles, size_t n, struct buf *ret);
void forge_pki_pck_chain(const struct forge_pki *pki, struct buf *ret);     /* PCK, CA, root */
void forge_pki_pck_ca_chain(const struct forge_pki *pki, struct buf *ret);  /* CA, root */

/* Append the value of the SGX extension that these options give: to be changed and put into `bytes`. */
void forge_sgx_write(const struct forge_sgx_options *o, struct buf *ret);

#endif
