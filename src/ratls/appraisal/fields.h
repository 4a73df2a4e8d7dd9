/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the members of a JSON object, strictly: a missing member, another type, a number out of range or
 * hex of another length is an error. Sticky like the cursor: read straight through, check once.
 */
#ifndef APPRAISAL_FIELDS_H
#define APPRAISAL_FIELDS_H

#include <stdint.h>
#include <jansson.h>

#include "appraisal/outcome.h"
#include "base/cur.h"

struct fields {
	const json_t *object; /* borrowed */
	const char *where;    /* for messages: "tcbInfo" */
	struct outcome *o;    /* filled by the first failure */
	bool bad;
};

/* A document of this name as JSON; the caller's. NULL and a failure if it is none. */
json_t *fields_document(struct cur text, const char *name, struct outcome *o);

/* Not an object (or NULL): bad from the start. */
struct fields fields_of(const json_t *object, const char *where, struct outcome *o);

/* The first failure counts. Returns false. */
bool fields_fail(struct fields *f, const char *name, const char *what);

/* After a failure these yield zero, "", NULL, and touch no output. Borrowed from the object. */
int64_t fields_uint(struct fields *f, const char *name, int64_t max);
const char *fields_text(struct fields *f, const char *name, size_t max); /* 1 to max bytes */
void fields_hex(struct fields *f, const char *name, uint8_t *ret, size_t len);
int64_t fields_time(struct fields *f, const char *name); /* exactly YYYY-MM-DDThh:mm:ssZ */
const json_t *fields_object(struct fields *f, const char *name);
const json_t *fields_array(struct fields *f, const char *name, size_t min, size_t max);

/* What is there could not be read for want of memory: bad, and the outcome unknown. Returns false. */
bool fields_nomem(struct fields *f);

/* Zeroed room for what n elements of an array become; the caller frees it. NULL without memory: as
 * fields_nomem. */
void *fields_room(struct fields *f, size_t n, size_t size);

/* An array of texts of at most max_text bytes that may be absent (then NULL). */
const json_t *fields_texts(struct fields *f, const char *name, size_t max, size_t max_text);

#endif
