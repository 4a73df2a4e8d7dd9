/* SPDX-License-Identifier: Apache-2.0
 *
 * What the application says of itself in runtime events.
 */
#ifndef EVIDENCE_CLAIMS_H
#define EVIDENCE_CLAIMS_H

#include "base/hash.h"
#include "evidence/evidence.h"

#define CLAIMS_KEY_PROVIDER_MAX 4096

/* Take the claims from the runtime events before "system-ready": of each the first, a second is noted in
 * `duplicate`. RATLS_E_FORMAT if one has a size that it cannot have, or if the name of an event before
 * "system-ready" could hide one. Views into the events' bytes. */
int claims_read(const struct eventlog *runtime, struct evidence_claims *ret, struct ratls_error *err);

/* SHA-256 of the payload of "key-provider", which dstack calls mr_key_provider. False if there is no such claim. */
bool claims_key_provider_digest(const struct evidence_claims *claims, uint8_t ret[static HASH_SHA256_SIZE]);

#endif
