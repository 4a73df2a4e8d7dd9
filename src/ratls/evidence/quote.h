/* SPDX-License-Identifier: Apache-2.0
 *
 * The layout of an ECDSA quote, versions 3 (SGX, recognised only to be named), 4 and 5: Intel, "TDX DCAP
 * Quoting Library API", appendix A. Views into the caller's bytes; no copies, no allocation. Structures
 * are consumed exactly; only zero bytes may trail.
 */
#ifndef EVIDENCE_QUOTE_H
#define EVIDENCE_QUOTE_H

#include "base/cur.h"
#include "ratls.h"

#define QUOTE_MAX           ((size_t)64 << 10)
#define QUOTE_PCK_CHAIN_MAX ((size_t)16 << 10)
#define QUOTE_QE_AUTH_MAX   ((size_t)1 << 10)

#define QUOTE_QE_REPORT_SIZE ((size_t)384) /* A.3.10: an SGX enclave report */

#define QUOTE_TEE_SGX 0x00000000u
#define QUOTE_TEE_TDX 0x00000081u

#define QUOTE_CERTIFICATION_PCK_LEAF  4 /* A.3.9: the leaf alone, PEM */
#define QUOTE_CERTIFICATION_PCK_CHAIN 5 /* A.3.9: a PEM chain, leaf first */

enum quote_body { QUOTE_BODY_SGX = 1, QUOTE_BODY_TD10 = 2, QUOTE_BODY_TD15 = 3 }; /* v5's own numbers */

/* A TD report body, 584 bytes; the last two members only in 1.5 (648 bytes), else empty. */
struct quote_td {
	struct cur tee_tcb_svn;     /* 16 */
	struct cur mrseam;          /* 48 */
	struct cur mrsignerseam;    /* 48 */
	struct cur seam_attributes; /* 8 */
	struct cur td_attributes;   /* 8 */
	struct cur xfam;            /* 8 */
	struct cur mrtd;            /* 48 */
	struct cur mrconfigid;      /* 48 */
	struct cur mrowner;         /* 48 */
	struct cur mrownerconfig;   /* 48 */
	struct cur rtmr[4];         /* 48 each */
	struct cur report_data;     /* 64 */
	struct cur tee_tcb_svn2;    /* 16 */
	struct cur mrservicetd;     /* 48 */
};

/* An SGX enclave report, 384 bytes: the QE's. */
struct quote_qe_report {
	struct cur whole; /* 384: what the PCK key signed */
	struct cur cpusvn;
	struct cur miscselect; /* 4, in memory order */
	struct cur attributes; /* 16 */
	struct cur mrenclave, mrsigner;
	uint16_t isvprodid, isvsvn;
	struct cur report_data; /* 64 */
};

struct quote {
	struct cur whole; /* as received, without the zero bytes that trail */
	uint16_t version;
	uint16_t key_type;
	uint32_t tee;
	struct cur vendor_id; /* 16 */
	struct cur user_data; /* 20 */
	enum quote_body body;
	struct cur signed_part;     /* header, descriptor and body: what the attestation key signed */
	struct quote_td td;         /* of TDX quotes */
	struct cur signature;       /* 64: r and s */
	struct cur attestation_key; /* 64: X and Y */
	struct quote_qe_report qe;
	struct cur qe_signature; /* 64 */
	struct cur qe_auth;
	uint16_t certification_type; /* of the inner data */
	struct cur certification;    /* of a PCK leaf or chain: PEM text, NUL at its end removed if there was one */
};

/* TDX quotes v4 and v5 only: an SGX quote is RATLS_E_UNSUPPORTED, everything else that is wrong
 * RATLS_E_FORMAT with a reason of its own. */
int quote_parse(struct cur in, struct quote *ret, struct ratls_error *err);

#endif
