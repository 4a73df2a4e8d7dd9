/* SPDX-License-Identifier: Apache-2.0
 *
 * The claims of a token of Intel Trust Authority, in its flat and in its nested layout. Intel, "Entity
 * Attestation Token Profile".
 */
#ifndef APPRAISAL_ITA_CLAIMS_H
#define APPRAISAL_ITA_CLAIMS_H

#include <jansson.h>

#include "appraisal/levels.h"
#include "base/cur.h"

#define ITA_TEXT_MAX 512 /* bytes of a claim that is a text */

struct ita_claims {
	json_t *payload;   /* NULL: there are none; the rest is borrowed from it */
	const json_t *tdx; /* where the claims about the machine are: payload itself, or its member "tdx" */
	const char *issuer;
	int64_t issued, not_before, expires; /* not_before 0: it does not say */
	enum tcb_status status;
	int64_t tcb_date;         /* 0: it does not say, or in another form than YYYY-MM-DDThh:mm:ssZ */
	const json_t *advisories; /* array of texts, or NULL */
};

/* Read a payload into zeroed claims. On failure o says why, and ret stays zeroed. */
bool ita_claims_read(struct cur text, struct ita_claims *ret, struct outcome *o);
void ita_claims_done(struct ita_claims *c);

/* A claim about the machine, from where this token has them; NULL if it makes none. */
const json_t *ita_claim(const struct ita_claims *c, const char *name);

/* A measurement that a token repeats, and where the quote has it. */
struct ita_measurement {
	const char *claim;
	size_t offset; /* of a cursor in struct quote_td */
};
#define ITA_MEASUREMENTS 14
extern const struct ita_measurement ita_measurements[ITA_MEASUREMENTS];

#endif
