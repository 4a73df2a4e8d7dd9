/* SPDX-License-Identifier: Apache-2.0
 *
 * How a quote names the certificate of its platform (PCK) without carrying it: certification data of the types
 * 1 to 3. Intel, "Intel SGX ECDSA Quote Library Reference", structures sgx_ql_ppid_cleartext_cert_info_t,
 * sgx_ql_ppid_rsa2048_encrypted_cert_info_t and sgx_ql_ppid_rsa3072_encrypted_cert_info_t.
 */
#ifndef EVIDENCE_PCK_NAME_H
#define EVIDENCE_PCK_NAME_H

#include "evidence/quote.h"

#define PCK_NAME_PPID_SIZE 16
#define PCK_NAME_RSA3072   384 /* the one form of encrypted PPID that Intel's service takes */

struct pck_name {
	struct cur ppid; /* PCK_NAME_PPID_SIZE bytes in the clear, or 256 or 384 encrypted */
	bool encrypted;
	struct cur cpusvn; /* 16 */
	struct cur pcesvn; /* 2, little endian */
	struct cur pceid;  /* 2, little endian */
};

/* Does the quote name its PCK certificate? */
bool quote_names_pck(const struct quote *q);

/* How. False, and *ret untouched, if it does not or the data are not of their type's size. */
bool pck_name_read(const struct quote *q, struct pck_name *ret);

/* Is it in a form by which a service can be asked? */
bool pck_name_can_be_asked(const struct pck_name *name);

#endif
