/* SPDX-License-Identifier: Apache-2.0
 *
 * The built-in transport: libcurl, with everything that a server could make large, slow or different
 * capped. Thread-safe.
 */
#ifndef SOURCE_FETCH_H
#define SOURCE_FETCH_H

#include "ratls.h"

#define FETCH_HEADERS_MAX     ((size_t)64 << 10) /* all header lines of an answer together */
#define FETCH_TIMEOUT_DEFAULT 30000              /* ms, where the request names none */

/* self is NULL, or the name of a file (a string that outlives all requests) with the certificate authorities
 * that are trusted for https in place of the system's. The sentence of a failure is the bare reason: the caller knows what it was asking for, and whom.
 * RATLS_E_ARG if the URL is none that is allowed, RATLS_E_UNAVAILABLE if no whole answer came within the
 * bounds (with a reason where it was its time or its size), RATLS_E_NOMEM. */
int fetch_curl(void *self, const struct ratls_http_request *request, struct ratls_http_response *ret,
	struct ratls_error *err);

#endif
