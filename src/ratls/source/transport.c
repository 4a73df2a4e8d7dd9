/* SPDX-License-Identifier: Apache-2.0 */
#include "source/transport.h"

#include "source/fetch.h"

struct transport transport_of(ratls_fetch_fn fetch, void *fetch_self)
{
	if (fetch == NULL)
		return (struct transport){.fetch = fetch_curl};
	return (struct transport){.fetch = fetch, .fetch_self = fetch_self};
}

bool transport_is_stopped(const struct transport *t)
{
	return t->stop != NULL && t->stop(t->stop_self);
}

int transport_fetch(const struct transport *t, const struct ratls_http_request *request,
	struct ratls_http_response *ret, struct ratls_error *err)
{
	struct ratls_http_request stoppable = *request;

	stoppable.stop = t->stop;
	stoppable.stop_self = t->stop_self;
	return t->fetch(t->fetch_self, &stoppable, ret, err);
}
