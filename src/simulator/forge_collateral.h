/* SPDX-License-Identifier: Apache-2.0
 *
 * TCB info (v3, TDX) and QE identity (v2) as Intel's provisioning service sends them, signed by the PKI's
 * TCB signer. forge_collateral_defaults describes good ones that match forge_quote_defaults; change any
 * member, or edit the text before it is signed, to make exactly that thing wrong.
 */
#ifndef SIMULATOR_FORGE_COLLATERAL_H
#define SIMULATOR_FORGE_COLLATERAL_H

#include "base/buf.h"
#include "ratls.h"
#include "simulator/forge_pki.h"

#define FORGE_LEVELS_MAX  4
#define FORGE_MODULES_MAX 3

/* Statuses are texts, so that unknown ones can be forged; a NULL status ends a list of levels. */
struct forge_svn_level { /* of a TDX module or of the QE */
	uint32_t isvsvn;
	const char *status;
	const char *advisory; /* one advisory id, or NULL */
};

struct forge_tcb_level {
	uint32_t sgx[16], tdx[16]; /* wider than they may be: 256 can be forged */
	uint32_t pcesvn;
	const char *status;
	const char *advisory;
};

struct forge_module {
	const char *id; /* "TDX_01"; NULL ends the list */
	uint8_t mrsigner[48];
	uint8_t attributes[8], attributes_mask[8];
	struct forge_svn_level levels[FORGE_LEVELS_MAX];
};

/* Replaces the first occurrence of `from`, which must occur. Not done if from is NULL. */
struct forge_edit {
	const char *from, *to;
};

struct forge_document {
	const char *signed_by;   /* label */
	struct forge_edit edit;  /* of the inner object, before it is signed */
	struct forge_edit spoil; /* of the inner object, after it was signed */
	int64_t issued, next_update;
	uint32_t evaluation_number;
	enum forge_role chain[FORGE_ROLES]; /* of the issuer chain, leaf first */
	size_t n_chain;
};

struct forge_tcb_info_options {
	struct forge_document document;
	const char *id; /* "TDX"; any other has no TDX members */
	uint32_t version, tcb_type;
	uint8_t fmspc[6], pceid[2];
	struct forge_module module;                     /* tdxModule: id and levels unused */
	struct forge_module modules[FORGE_MODULES_MAX]; /* tdxModuleIdentities; absent if empty */
	struct forge_tcb_level levels[FORGE_LEVELS_MAX];
};

struct forge_qe_identity_options {
	struct forge_document document;
	const char *id; /* "TD_QE" */
	uint32_t version;
	uint8_t miscselect[4], miscselect_mask[4];
	uint8_t attributes[16], attributes_mask[16];
	uint8_t mrsigner[32];
	uint32_t isvprodid;
	struct forge_svn_level levels[FORGE_LEVELS_MAX];
};

struct forge_collateral_options {
	struct forge_tcb_info_options tcb_info;
	struct forge_qe_identity_options qe_identity;
};

struct forge_collateral {
	struct buf tcb_info, qe_identity; /* the inner objects, exactly as signed (unless spoilt) */
	char tcb_info_signature[2 * FORGE_SIGNATURE_SIZE + 1];
	char qe_identity_signature[2 * FORGE_SIGNATURE_SIZE + 1];
	struct buf tcb_info_chain, qe_identity_chain; /* PEM */
};

/* Two levels (UpToDate, and OutOfDate below it), modules TDX_03 and TDX_01, one QE level. Issued a day
 * before now, next update 30 days after it. */
void forge_collateral_defaults(struct forge_collateral_options *o, int64_t now);

/* Make it; free with forge_collateral_done. RATLS_E_ARG if an edit found nothing to replace. */
int forge_collateral_make(const struct forge_collateral_options *o, const struct forge_pki *pki,
	struct forge_collateral *ret, struct ratls_error *err);
void forge_collateral_done(struct forge_collateral *c);

/* Append what PCS answers: {"tcbInfo":{...},"signature":"..."} and {"enclaveIdentity":...}. */
void forge_tcb_info_envelope(const struct forge_collateral *c, struct buf *ret);
void forge_qe_identity_envelope(const struct forge_collateral *c, struct buf *ret);

/* Append the single-file form that ratls_endorsements_from_json reads. */
int forge_collateral_json(const struct forge_collateral *c, const struct forge_pki *pki, struct buf *ret,
	struct ratls_error *err);

#endif
