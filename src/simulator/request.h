/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a request's fields as dstack's guest agent does: what is missing has its default, what is
 * unknown is ignored, bytes are hex with or without 0x. The first field of a wrong type makes the request
 * bad; a method reads all its fields and then asks request_ok once.
 */
#ifndef SIMULATOR_REQUEST_H
#define SIMULATOR_REQUEST_H

#include <jansson.h>

#include "base/buf.h"
#include "ratls.h"

#define REQUEST_LIST_MAX 64

struct request {
	const json_t *object; /* borrowed, as is every text that is returned */
	bool from_query;      /* booleans and numbers are texts */
	struct ratls_error error;
};

/* The field has a value that it cannot have: the first that is refused makes the request bad. */
void request_refuse(struct request *r, const char *name, const char *what);

const char *request_text(struct request *r, const char *name); /* "" if missing */
bool request_bool(struct request *r, const char *name);
int64_t request_time(struct request *r, const char *name); /* Unix seconds, 0 if missing */

/* The texts of a list, at most REQUEST_LIST_MAX, then NULL. */
void request_list(struct request *r, const char *name, const char *ret[static REQUEST_LIST_MAX + 1]);

/* Append the bytes of a hex text. */
void request_hex(struct request *r, const char *name, struct buf *ret);

/* RATLS_OK, or the first thing that was wrong. */
int request_ok(const struct request *r, struct ratls_error *err);

#endif
