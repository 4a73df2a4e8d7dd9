/* SPDX-License-Identifier: Apache-2.0
 *
 * Endorsements from their items, however they were obtained.
 */
#ifndef APPRAISAL_ENDORSEMENTS_H
#define APPRAISAL_ENDORSEMENTS_H

#include <jansson.h>

#include "base/cur.h"
#include "ratls.h"

#define ENDORSEMENTS_ITEM_MAX ((size_t)1 << 20)           /* of one item */
#define ENDORSEMENTS_JSON_MAX (4 * ENDORSEMENTS_ITEM_MAX) /* of all together */

/* Chains are PEM, leaf first. CRLs are DER, PEM or hex of DER. tcb_info and qe_identity are the exact
 * bytes of the inner objects, which is what is signed; the signatures are 128 hex digits. */
struct endorsement_items {
	struct cur pck_crl_issuer_chain, root_ca_crl, pck_crl;
	struct cur tcb_info_issuer_chain, tcb_info, tcb_info_signature;
	struct cur qe_identity_issuer_chain, qe_identity, qe_identity_signature;
	struct cur pck_certificate_chain; /* for quotes that carry none; may be empty */
	const char *source;               /* shown in reports: a URL, a file name */
};

int endorsements_new(const struct endorsement_items *items, const struct ratls_endorsements_options *options,
	struct ratls_endorsements **ret, struct ratls_error *err);

/* What ratls_endorsements_from_json does, from the parsed object. source is shown in reports. */
int endorsements_from_object(const json_t *object, const char *source,
	const struct ratls_endorsements_options *options, struct ratls_endorsements **ret,
	struct ratls_error *err);

/* The items as they were taken in, as an object that endorsements_from_object reads: a new reference.
 * RATLS_E_FORMAT if an item is not text, which could not hold in any appraisal. */
int endorsements_object(const struct ratls_endorsements *e, json_t **ret, struct ratls_error *err);

/* Where they came from, as reports show it. Borrowed. */
const char *endorsements_source(const struct ratls_endorsements *e);

/* Endorsements are reference-counted (atomically); ratls_endorsements_free drops a reference. */
struct ratls_endorsements *endorsements_ref(struct ratls_endorsements *e);

struct platform_id;

/* Do all chains and signatures hold, are the documents of TDX, and are they of this platform (NULL: of any)?
 * Whatever the time, and revocation aside. RATLS_E_FORMAT, with the reason of the rule that would refuse it. */
int endorsements_check(
	const struct ratls_endorsements *labelled, const struct platform_id *platform, struct ratls_error *err);

/* The same endorsements, checked as they are, with a PCK certificate chain (PEM) for a quote that carries none. */
int endorsements_with_pck(const struct ratls_endorsements *e, struct cur chain, struct ratls_endorsements **ret,
	struct ratls_error *err);

struct cur endorsements_pck_chain(const struct ratls_endorsements *e); /* empty if there is none; e may be NULL */

/* Which state of Intel's knowledge they are of, and the day that the platforms' newest TCB level is of. False if
 * they have no TCB info. */
bool endorsements_recovery(const struct ratls_endorsements *e, int64_t *ret_number, int64_t *ret_date);

/* Nothing but the configured root: with it, appraisal can say of a machine that it is not of that root. */
int endorsements_of_root(const struct ratls_endorsements_options *options, struct ratls_endorsements **ret,
	struct ratls_error *err);

/* The same endorsements with the remark, shown in reports, that nothing newer could be had since then, and why. */
int endorsements_remark(const struct ratls_endorsements *e, int64_t since, const char *why,
	struct ratls_endorsements **ret, struct ratls_error *err);

/* What is known of the i-th item; false at the end. Texts are static or the endorsements'. */
struct endorsement_facts {
	const char *item;               /* as in the JSON object and in reports */
	const char *issuer;             /* the common name of who signed it; NULL if unknown */
	int64_t issued, next_update;    /* 0 if unknown */
	int64_t evaluation_data_number; /* -1 if it has none */
};
bool endorsements_facts(const struct ratls_endorsements *e, size_t i, struct endorsement_facts *ret);

/* The platform that they are about; false if that cannot be read. */
bool endorsements_fmspc(const struct ratls_endorsements *e, uint8_t ret[static 6]);

/* The earliest moment at which one of the items ends (nextUpdate of the JSON items and CRLs, notAfter of the
 * chains); 0 if an item could not be parsed. */
int64_t endorsements_valid_until(const struct ratls_endorsements *labelled);

#endif
