/* SPDX-License-Identifier: Apache-2.0
 *
 * Intel Trust Authority as a client sees it: a nonce, an attestation, and what it takes to believe the token.
 */
#ifndef SOURCE_ITA_H
#define SOURCE_ITA_H

#include "appraisal/ita_token.h"
#include "ratls.h"

#define ITA_US_URL      "https://api.trustauthority.intel.com"
#define ITA_US_PORTAL   "https://portal.trustauthority.intel.com"
#define ITA_EU_URL      "https://api.eu.trustauthority.intel.com"
#define ITA_EU_PORTAL   "https://portal.eu.trustauthority.intel.com"
#define ITA_URL_MAX     512
#define ITA_NONCE_MAX   4096 /* bytes of the answer: what Intel's own clients accept */
#define ITA_API_KEY_MAX 512

/* Ask about a quote (blocking until deadline_ms of the monotonic clock, and no longer than ITA_DEADLINE_MS).
 * The token is whatever the service said: appraisal judges it. The caller frees its reference.
 * RATLS_E_UNAVAILABLE with a reason if it said nothing that could be judged; RATLS_E_NOMEM. */
int ita_ask(struct ratls_ita *ita, const struct ratls_evidence *evidence, int64_t at, int64_t deadline_ms,
	struct ita_token **ret, struct ratls_error *err);

/* Nobody waits for answers any more: questions in flight end within a second, and there are no new ones. Any
 * thread. */
void ita_stop(struct ratls_ita *ita);

/* Where the service is, and its key set: for messages. Owned by ita. */
const char *ita_url(const struct ratls_ita *ita);
const char *ita_keys_url(const struct ratls_ita *ita);

/* The root that quotes must be of, as endorsements that hold nothing else. Borrowed. */
struct ratls_endorsements *ita_root(const struct ratls_ita *ita);

/* Ask for a nonce and for the keys, to see whether the service answers and takes the key (blocking). */
int ita_probe(struct ratls_ita *ita, struct ratls_error *err);

#endif
