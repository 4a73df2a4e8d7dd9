/* SPDX-License-Identifier: Apache-2.0
 *
 * Collateral on disk between two lives of a program: one file for each platform, in a folder that is ours
 * alone. What is read counts no more than what a network delivers: it is checked like it, and what does not
 * hold is as if it were not there.
 */
#ifndef SOURCE_SHELF_H
#define SOURCE_SHELF_H

#include "appraisal/platform_id.h"
#include "ratls.h"

#define SHELF_FILES_MAX 64 /* platforms; the oldest goes first */

struct shelf;

/* The folder is made if it is not there. RATLS_E_IO (reason CACHE_DIR) says why it cannot be used: it is not
 * a folder, belongs to somebody else, or others may write to it. */
int shelf_new(const char *path, struct shelf **ret, struct ratls_error *err);
void shelf_free(struct shelf *s);

/* What is read of a file besides the endorsements themselves. */
struct shelf_label {
	int64_t fetched;
	char *source; /* where they were obtained; the caller frees it */
};

/* The sound endorsements of this platform; RATLS_E_UNAVAILABLE if there are none, for whatever reason. */
int shelf_load(const struct shelf *s, const struct platform_id *platform,
	const struct ratls_endorsements_options *options, struct ratls_endorsements **ret,
	struct shelf_label *ret_label, struct ratls_error *err);

/* Keep endorsements that were obtained at this time. They should be sound: others are never read. */
int shelf_store(const struct shelf *s, const struct platform_id *platform, const struct ratls_endorsements *e,
	int64_t fetched, struct ratls_error *err);

#endif
