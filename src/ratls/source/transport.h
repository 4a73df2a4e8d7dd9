/* SPDX-License-Identifier: Apache-2.0
 *
 * By whom services are asked, and until when that is worth it.
 */
#ifndef SOURCE_TRANSPORT_H
#define SOURCE_TRANSPORT_H

#include "ratls.h"

struct transport {
	ratls_fetch_fn fetch;
	void *fetch_self;
	bool (*stop)(const void *stop_self); /* as in struct ratls_http_request */
	const void *stop_self;
};

/* fetch NULL: the built-in one, and what is given beside it is not ours to interpret. It has no stop yet. */
struct transport transport_of(ratls_fetch_fn fetch, void *fetch_self);

/* Does nobody wait for answers any more? */
bool transport_is_stopped(const struct transport *t);

/* As fetch, with the transport's stop in place of the request's. */
int transport_fetch(const struct transport *t, const struct ratls_http_request *request,
	struct ratls_http_response *ret, struct ratls_error *err);

#endif
