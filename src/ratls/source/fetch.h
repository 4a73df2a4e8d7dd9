/* SPDX-License-Identifier: Apache-2.0
 *
 * The built-in transport: libcurl, with everything that a server could make large, slow or different
 * capped. `self` is not used.
 */
#ifndef SOURCE_FETCH_H
#define SOURCE_FETCH_H

#include "ratls.h"

int fetch_curl(void *self, const struct ratls_http_request *request, struct ratls_http_response *ret,
	struct ratls_error *err);
void http_response_done(struct ratls_http_response *r);

/* The value of a header (name without colon, any case) copied into a new string, or NULL. Surrounding
 * white space is removed. */
char *http_header(const struct ratls_http_response *r, const char *name);

#endif
