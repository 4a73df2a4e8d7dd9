/* SPDX-License-Identifier: Apache-2.0
 *
 * A scene: whole evidence under a development root, with one thing wrong (or none), and what appraisal says of it.
 * Where sample.h has a bare quote, this has the certificate of a key, with event log and claims.
 */
#ifndef TEST_APPRAISAL_SCENE_H
#define TEST_APPRAISAL_SCENE_H

#include "appraisal/reported.h"
#include "simulator/forge.h"

#define SCENE_NOW INT64_C(1751600000)
#define SCENE_DAY ((int64_t)86400)

extern const uint8_t scene_seed[FORGE_SEED_SIZE];

/* A machine, a key in it, the evidence of its certificate and the endorsements of its platform. */
struct scene {
	struct forge_options options;
	struct forge_leaf leaf;
	/* Once it is made */
	struct forge_machine machine;
	struct forge_chain_made chain;
	struct ratls_evidence *evidence;
	struct ratls_endorsements *endorsements;
	struct ratls_policy *policy; /* NULL: the default */
};

/* A good scene; what is to be wrong is set before it is made. Free with scene_done. */
void scene_init(struct scene *s);
void scene_make(struct scene *s);
void scene_done(struct scene *s);

/* Add a reference value to the policy. */
void scene_want(struct scene *s, const char *name, const uint8_t *value, size_t len);

/* The report; asserts that there is one. The caller frees it. */
struct ratls_report *scene_appraise_at(const struct scene *s, int64_t at);

/* Of a report as of SCENE_NOW: the reason of its verdict (0: accepted), and how one rule was judged. */
int scene_reason(const struct scene *s);
enum check_status scene_status(const struct scene *s, enum rule rule);

#endif
