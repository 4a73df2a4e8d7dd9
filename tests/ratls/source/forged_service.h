/* SPDX-License-Identifier: Apache-2.0
 *
 * A collateral service for tests: PCS answers about one forged machine, over a socket (http_server.h) or as
 * a transport of ratls_source_options, with a fault where the test wants one.
 */
#ifndef TESTS_FORGED_SERVICE_H
#define TESTS_FORGED_SERVICE_H

#include <stdatomic.h>

#include "http_server.h"
#include "ratls.h"
#include "simulator/forge.h"

struct forged_service {
	const struct forge_machine *machine;
	atomic_int requests;            /* so far */
	atomic_int status;              /* of every answer, if not 0 */
	atomic_bool silent;             /* as a transport: no answer at all */
	_Atomic(const char *) tcbm;     /* in place of the right one */
	atomic_bool other_issuers;      /* the PCK certificate comes with those of TCB info */
	_Atomic(const char *) bad_path; /* answers to what begins with it have an empty object as body */
};

/* ratls_fetch_fn; self is the service. */
int forged_service_fetch(void *self, const struct ratls_http_request *request,
	struct ratls_http_response *ret, struct ratls_error *err);

/* http_handler; self is the service. */
void forged_service_handle(void *self, const struct http_request *request, int fd);

#endif
