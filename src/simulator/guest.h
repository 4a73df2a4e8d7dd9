/* SPDX-License-Identifier: Apache-2.0
 *
 * dstack's guest agent as a function: method and request in, JSON out. What the wire says about it is in
 * guest_http.h. Error messages that dstack has too are dstack's, for programs that look for them.
 */
#ifndef SIMULATOR_GUEST_H
#define SIMULATOR_GUEST_H

#include <jansson.h>
#include <pthread.h>

#include "simulator/app_keys.h"
#include "simulator/request.h"
#include "simulator/forge.h"

/* The version of dstack whose guest agent this is. */
#define GUEST_DSTACK_VERSION "0.6.0"

struct guest {
	pthread_mutex_t lock; /* the event log grows by EmitEvent */
	struct forge_machine machine;
	struct app_keys keys;
	int64_t cert_lifetime; /* seconds */
	char *demo_cert;       /* PEM chain that Info shows */
};

/* cert_lifetime 0 is dstack's. Free with guest_done, also after a failure. */
int guest_init(struct guest *g, const struct forge_options *options, int64_t cert_lifetime,
	struct ratls_error *err);
void guest_done(struct guest *g);

/* Call the method of a path such as "/GetTlsKey" or "/prpc/Tappd.TdxQuote"; the answer is a new reference.
 * Thread-safe. An unknown method is RATLS_E_UNSUPPORTED, everything that is wrong with a request is
 * RATLS_E_ARG. */
int guest_call(
	struct guest *g, const char *path, struct request *request, json_t **ret, struct ratls_error *err);

#endif
