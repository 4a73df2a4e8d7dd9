/* SPDX-License-Identifier: Apache-2.0
 *
 * Endorsements out of what a place gave: the answers of a service, or a file.
 */
#ifndef SOURCE_COLLATERAL_H
#define SOURCE_COLLATERAL_H

#include "appraisal/endorsements.h"
#include "ratls.h"
#include "source/pcs.h"

/* source is shown in reports. RATLS_E_UNAVAILABLE (reason COLLATERAL_UNAVAILABLE) names the item that is
 * nonsense. What is merely signed wrongly or outdated is no error: appraisal says so. */
int collateral_from_answers(const struct pcs_answers *answers, const char *source,
	const struct ratls_endorsements_options *options, struct ratls_endorsements **ret,
	struct ratls_error *err);

/* From a file in the form of ratls_endorsements_from_json. RATLS_E_UNAVAILABLE (reason
 * COLLATERAL_FILE) if it cannot be read or is no such file. */
int collateral_from_file(const char *path, const struct ratls_endorsements_options *options,
	struct ratls_endorsements **ret, struct ratls_error *err);

/* The same from directory/FMSPC.json (lower-case hex). */
int collateral_from_directory(const char *directory, const struct platform_id *platform,
	const struct ratls_endorsements_options *options, struct ratls_endorsements **ret,
	struct ratls_error *err);

/* Append the JSON object that these readers read, and when it was fetched and from where. RATLS_E_FORMAT if an
 * item is not text. */
int collateral_write(
	const struct ratls_endorsements *e, int64_t fetched, struct buf *ret, struct ratls_error *err);

#endif
