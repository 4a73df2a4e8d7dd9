/* SPDX-License-Identifier: Apache-2.0
 *
 * The relying party: from a peer's certificate to a verdict. It has the evidence verified, by whomever it relies
 * on, holds the result against its policy, and keeps verdicts, which spares the second connection of the same peer
 * all of it. Thread-safe.
 *
 * Invariants: a verdict that is not accepted never becomes one by an error (a zeroed one refuses);
 * cache_dies_with_its_grounds: an entry ends at the earliest of its time to live, the certificate, the
 * collateral or token, and a change of the policy.
 */
#ifndef TLS_RELYING_PARTY_H
#define TLS_RELYING_PARTY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cur.h"
#include "base/reason.h"
#include "ratls.h"

struct relying_party;

struct relying_party_options {
	struct ratls_verifier *by;     /* who verifies evidence; borrowed: must outlive the relying party */
	int64_t cache_ttl;             /* seconds; 0 is RELYING_PARTY_CACHE_TTL */
	bool insecure_allow_simulator; /* a peer without evidence passes */
	int64_t (*clock)(void);        /* Unix seconds, for what waits; NULL: clock_now */
};

#define RELYING_PARTY_CACHE_TTL 3600
#define RELYING_PARTY_CACHE_MAX 4096 /* verdicts kept; the oldest goes first */

struct verdict {
	bool accepted;
	bool attested; /* false where there was no evidence, so also when insecure_allow_simulator let it pass
			*/
	int reason;    /* of reason.h; 0 if accepted */
	enum reason_class class;
	int64_t valid_until; /* of an attested acceptance, the time to live included; else 0 */
	char message[RATLS_ERROR_MESSAGE_SIZE]; /* for our own log and our own user */
	char tcb[40];                           /* platform status, "" if unknown */
	char mrtd[97];                          /* hex, "" if there is no evidence */
	char degraded[160]; /* why the collateral could not be refreshed, and since when; "" if it could */
};

/* policy may be NULL (empty); takes it, also when it fails. */
int relying_party_new(const struct relying_party_options *options, struct ratls_policy *policy,
	struct relying_party **ret, struct ratls_error *err);
void relying_party_free(struct relying_party *rp);

/* Replace the policy (takes it): every cached verdict is void, and appraisals in flight end with the policy
 * that they began with, uncached. RATLS_E_NOMEM changes nothing. */
int relying_party_set_policy(struct relying_party *rp, struct ratls_policy *policy, struct ratls_error *err);

/* An accepting verdict for this very certificate, if one is cached and still holds. Never blocks on I/O. */
bool relying_party_cached(struct relying_party *rp, struct cur leaf, int64_t now, struct verdict *ret);

/* Decide (may fetch: blocking), unless a verdict is cached, or another thread comes to one meanwhile that holds when
 * it has. Always fills *ret; what could not be decided is a refusal of the class undetermined. */
void relying_party_decide(struct relying_party *rp, struct cur leaf, struct verdict *ret);

/* Decide if that needs no waiting for a service; false, and nothing is decided, if it does. */
bool relying_party_decide_now(struct relying_party *rp, struct cur leaf, int64_t now, struct verdict *ret);

/* The verdict about a peer that gave no certificate: refused, or passed by insecure_allow_simulator. */
void relying_party_no_certificate(struct relying_party *rp, struct verdict *ret);

#endif
