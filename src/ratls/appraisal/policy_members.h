/* SPDX-License-Identifier: Apache-2.0
 *
 * The lists of a policy by name: one table for files, options and clean-up.
 */
#ifndef APPRAISAL_POLICY_MEMBERS_H
#define APPRAISAL_POLICY_MEMBERS_H

#include "appraisal/policy.h"

enum policy_kind { POLICY_HEX, POLICY_STATUS, POLICY_TEXT };

struct policy_member {
	const char *name;
	enum policy_kind kind;
	size_t offset; /* of a struct policy_list in struct ratls_policy */
	size_t size;   /* bytes of a POLICY_HEX value, the most of a POLICY_TEXT */
};

/* Ends with a NULL name. */
extern const struct policy_member policy_members[];

const struct policy_member *policy_member_find(const char *name);

/* Add one value. RATLS_E_ARG says what is wrong with the text. */
int policy_list_add(struct ratls_policy *p, const struct policy_member *m, const char *text, int64_t from,
	int64_t until, struct ratls_error *err);

#endif
