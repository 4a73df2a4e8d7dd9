/* SPDX-License-Identifier: Apache-2.0
 *
 * The guest agent's wire: GET with a query or POST with JSON; 200 with compact JSON, or 400 with an object
 * whose member `error` says why.
 */
#ifndef SIMULATOR_GUEST_HTTP_H
#define SIMULATOR_GUEST_HTTP_H

#include "simulator/http.h"

/* self is a struct guest. */
http_handler guest_http;

#endif
