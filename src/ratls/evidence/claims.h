/* SPDX-License-Identifier: Apache-2.0
 *
 * What the application says of itself in runtime events.
 */
#ifndef EVIDENCE_CLAIMS_H
#define EVIDENCE_CLAIMS_H

#include "evidence/evidence.h"

#define CLAIMS_KEY_PROVIDER_MAX 4096

/* Take the claims from the runtime events before "system-ready": of each the first, a second is noted in
 * `duplicate`. RATLS_E_FORMAT if one has a size that it cannot have, or if the name of an event before
 * "system-ready" could hide one. Views into the events' bytes. */
int claims_read(const struct eventlog *runtime, struct evidence_claims *ret, struct ratls_error *err);

#endif
