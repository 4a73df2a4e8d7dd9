/* SPDX-License-Identifier: Apache-2.0
 *
 * The items of endorsements by name: one table for reading, keeping and writing them.
 */
#ifndef APPRAISAL_ENDORSEMENT_MEMBERS_H
#define APPRAISAL_ENDORSEMENT_MEMBERS_H

#include <stdbool.h>

#include "appraisal/endorsements.h"

struct endorsement_member {
	const char *name;
	size_t offset; /* of a struct cur in struct endorsement_items */
	bool optional;
	bool is_crl; /* the one kind of item that may be binary; as text it is hex */
};

/* Ends with a NULL name. */
extern const struct endorsement_member endorsement_members[];

static inline struct cur *endorsement_item(
	struct endorsement_items *items, const struct endorsement_member *m)
{
	return (struct cur *)((char *)items + m->offset);
}

static inline struct cur endorsement_item_of(
	const struct endorsement_items *items, const struct endorsement_member *m)
{
	return *(const struct cur *)((const char *)items + m->offset);
}

#endif
