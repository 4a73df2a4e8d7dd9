/* SPDX-License-Identifier: Apache-2.0
 *
 * One exchange with Intel Trust Authority or its portal: tried again where that helps, and each way to fail
 * with a reason and a sentence of its own.
 */
#ifndef SOURCE_ITA_HTTP_H
#define SOURCE_ITA_HTTP_H

#include "base/buf.h"
#include "ratls.h"
#include "source/backoff.h"
#include "source/transport.h"

#define ITA_TRIES       3     /* Intel's own clients repeat twice, after 500, 503 and 504 alone */
#define ITA_WAIT_MS     2000  /* before it is repeated, if the service does not say when */
#define ITA_WAIT_MAX_MS 10000 /* the longest that a service may ask us to wait */
#define ITA_JITTER_MS   500   /* so that those who failed together do not come back together */
#define ITA_DEADLINE_MS 20000 /* for all that one verdict asks for */
#define ITA_STEP_MS     100   /* who waits looks so often whether anybody waits for it */

struct ita_request {
	const char *what; /* for messages: "nonce" */
	const char *url;
	const char *api_key; /* a secret: not in any message; NULL: none is sent */
	const char *body;    /* JSON, which is posted; NULL: GET */
	bool is_json;        /* the answer must not say that it is anything else */
	size_t max_body;
	long timeout_ms;
	int64_t deadline_ms;     /* of the monotonic clock */
	struct backoff *backoff; /* of the service that is asked; NULL: none is kept */
};

/* RATLS_OK only for status 200; then ret is the caller's (http_response_done). Blocking, but
 * for what is paused. RATLS_E_UNAVAILABLE with a reason, RATLS_E_NOMEM. */
int ita_http(const struct transport *t, const struct ita_request *q, struct ratls_http_response *ret,
	struct ratls_error *err);

#endif
