/* SPDX-License-Identifier: Apache-2.0
 *
 * What programs ask of a source besides what its public face offers.
 */
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include "appraisal/platform_id.h"
#include "ratls.h"

#define SOURCE_WAIT_MS ((int64_t)25 * 1000) /* of a caller; below the relay's default for a verdict */

/* As ratls_source_endorse, for a platform that the caller names. */
int source_endorse_platform(struct ratls_source *source, const struct platform_id *platform, int64_t at,
	struct ratls_endorsements **ret, struct ratls_error *err);

/* As ratls_source_endorse, but without waiting for anybody: RATLS_E_UNAVAILABLE with *ret_waits set if it
 * would have to. */
int source_endorse_now(struct ratls_source *source, const struct ratls_evidence *evidence, int64_t at,
	bool *ret_waits, struct ratls_endorsements **ret, struct ratls_error *err);

/* Nobody waits for answers any more: who does is told so within a second. Any thread. */
void source_stop(struct ratls_source *source);

/* The endorsements that will hold once Intel makes an announced TCB recovery the standard (update=early), from the
 * first service that has them; nothing is kept. current are those of now: a PCK certificate that had to be fetched
 * is in them. Blocking. RATLS_E_UNAVAILABLE also where there is no service. */
int source_forecast(struct ratls_source *source, const struct ratls_evidence *evidence,
	const struct ratls_endorsements *current, struct ratls_endorsements **ret, struct ratls_error *err);

#endif
