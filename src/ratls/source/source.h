/* SPDX-License-Identifier: Apache-2.0
 *
 * What programs ask of a source besides what its public face offers.
 */
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include "appraisal/endorsements.h"
#include "ratls.h"

/* As ratls_source_endorse, for a platform that the caller names. */
int source_endorse_platform(struct ratls_source *source, const struct platform_id *platform, int64_t at,
	struct ratls_endorsements **ret, struct ratls_error *err);

#endif
