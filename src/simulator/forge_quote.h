/* SPDX-License-Identifier: Apache-2.0
 *
 * TDX quotes, versions 4 and 5 (TD report 1.0 and 1.5), laid out as in evidence/quote.h and signed by the
 * development PKI. forge_quote_defaults describes a good one; change any member to make exactly that
 * thing wrong; what no member covers can be changed in the bytes.
 */
#ifndef SIMULATOR_FORGE_QUOTE_H
#define SIMULATOR_FORGE_QUOTE_H

#include "base/buf.h"
#include "base/cur.h"
#include "evidence/quote.h"
#include "ratls.h"
#include "simulator/forge_pki.h"

struct forge_td {
	uint8_t tee_tcb_svn[16], mrseam[48], mrsignerseam[48], seam_attributes[8];
	uint8_t td_attributes[8], xfam[8];
	uint8_t mrtd[48], mrconfigid[48], mrowner[48], mrownerconfig[48], rtmr[4][48];
	uint8_t report_data[64];
	uint8_t tee_tcb_svn2[16], mrservicetd[48]; /* TD report 1.5 only */
};

#define FORGE_TD_DEBUG 0x01 /* in td_attributes[0] */

struct forge_qe {
	uint8_t cpusvn[16], miscselect[4], attributes[16], mrenclave[32], mrsigner[32];
	uint16_t isvprodid, isvsvn;
	uint8_t auth[64];
	uint16_t auth_len;
	uint8_t report_data[64]; /* in place of the binding, if has_report_data */
	bool has_report_data;
};

struct forge_quote_options {
	uint16_t version;     /* 4 or 5 */
	enum quote_body body; /* QUOTE_BODY_TD10, or with version 5 QUOTE_BODY_TD15 */
	uint16_t key_type;
	uint32_t tee;
	uint8_t vendor_id[16], user_data[20];
	struct forge_td td;
	struct forge_qe qe;
	const char *attestation_key; /* label: the key in the quote */
	const char *quote_signed_by; /* label: the attestation key, in a good quote */
	const char *qe_signed_by;    /* label: the PCK key, in a good quote */
	uint16_t outer_type, inner_type;
	struct cur certification; /* the inner data in place of the PCK chain, if not empty */
	bool names_pck;           /* its name in place of the PCK chain, type 3, if certification is empty */
	bool no_nul;              /* without the NUL after the chain */
	int auth_size_off, outer_size_off, inner_size_off, body_size_off; /* lies: added to the true sizes */
	size_t padding;           /* zero bytes after it */
};

/* The signer of Intel's TD quoting enclave. */
extern const uint8_t forge_qe_mrsigner[32];

/* Version 4, zero measurements, SEPT_VE_DISABLE set, TCB of forge_collateral_defaults, 70 bytes padding. */
void forge_quote_defaults(struct forge_quote_options *o);

/* Append the quote. RATLS_E_CRYPTO. */
int forge_quote_write(const struct forge_quote_options *o, const struct forge_pki *pki, struct buf *ret,
	struct ratls_error *err);

#endif
