/* SPDX-License-Identifier: Apache-2.0
 *
 * What endorsements hold once they are taken in: everything decoded, every chain and signature checked and
 * the outcome remembered. Times, revocation and the platform are judged at each appraisal. What is said beside
 * it, by whom and for which quote, can change without that work.
 */
#ifndef APPRAISAL_ENDORSED_H
#define APPRAISAL_ENDORSED_H

#include <stdatomic.h>

#include "appraisal/cert.h"
#include "appraisal/crl.h"
#include "appraisal/endorsements.h"
#include "appraisal/pck_memo.h"
#include "appraisal/qeid.h"
#include "appraisal/tcbinfo.h"

/* A document of Intel's: signed by a certificate of the role "TCB Signing". */
struct signed_document {
	struct cert signer;
	struct outcome chain;     /* signer <- root, roles, the configured root */
	struct outcome signature; /* unknown unless chain passed */
	struct outcome format;    /* unknown unless signature passed: what is not signed is not read */
};

struct endorsed_crl {
	struct crl list;
	struct outcome outcome; /* decoded, of its issuer, signed by it */
};

struct endorsed {
	atomic_uint refs;
	struct cert root;
	bool development;            /* the root is not Intel's */
	bool empty;                  /* there is nothing besides the root */
	struct cert pck_ca;          /* the issuer of pck_crl */
	struct outcome pck_ca_chain; /* pck_ca <- root */
	struct endorsed_crl root_crl, pck_crl;
	struct signed_document tcbinfo_document, qeid_document;
	struct tcbinfo *tcbinfo;        /* NULL unless format passed */
	struct qeid *qeid;              /* likewise */
	struct endorsement_items items; /* as they were taken in, but for what the label holds */
	struct buf raw;                 /* which these point into */
	/* What changes in it once it is made, and no verdict with it */
	struct pck_memo memo;
	struct ecdsa_keys keys;
};

/* A label on them. */
struct ratls_endorsements {
	atomic_uint refs;
	struct endorsed *endorsed; /* a reference */
	char *source;              /* shown in reports; never NULL */
	char *remark;              /* likewise; NULL if there is none */
	int64_t remark_since;
	struct buf pck_chain; /* for quotes that carry none; may be empty */
};

#endif
