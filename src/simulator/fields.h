/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a request's fields as dstack's guest agent does: what is missing has its default, what is
 * unknown is ignored, bytes are hex with or without 0x. The first field of a wrong type makes the request
 * bad; a method reads all its fields and then asks fields_ok once.
 */
#ifndef SIMULATOR_FIELDS_H
#define SIMULATOR_FIELDS_H

#include <jansson.h>

#include "base/buf.h"
#include "ratls.h"

#define FIELDS_LIST_MAX 64

struct fields {
	const json_t *object; /* borrowed, as is every text that is returned */
	bool from_query;      /* booleans and numbers are texts */
	struct ratls_error error;
};

const char *fields_text(struct fields *f, const char *name); /* "" if missing */
bool fields_bool(struct fields *f, const char *name);
int64_t fields_time(struct fields *f, const char *name); /* Unix seconds, 0 if missing */

/* The texts of a list, at most FIELDS_LIST_MAX, then NULL. */
void fields_list(struct fields *f, const char *name, const char *ret[static FIELDS_LIST_MAX + 1]);

/* Append the bytes of a hex text. */
void fields_hex(struct fields *f, const char *name, struct buf *ret);

/* RATLS_OK, or the first thing that was wrong. */
int fields_ok(const struct fields *f, struct ratls_error *err);

#endif
