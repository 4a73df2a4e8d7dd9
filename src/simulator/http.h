/* SPDX-License-Identifier: Apache-2.0
 *
 * A small HTTP/1.1 server on libmicrohttpd: whole requests in, whole answers out, always with
 * Content-Length and never chunked, because clients of the guest agent depend on it. Keep-alive and
 * `Connection: close` are as HTTP says.
 */
#ifndef SIMULATOR_HTTP_H
#define SIMULATOR_HTTP_H

#include <jansson.h>

#include "base/buf.h"
#include "ratls.h"

#define HTTP_BODY_MAX     ((size_t)10 << 20) /* what dstack takes */
#define HTTP_IDLE_SECONDS 10

struct http_request {
	const char *method, *path;
	const char *content_type; /* "" if there is none */
	const json_t *query;      /* an object of texts; a key without value has "" */
	const uint8_t *body;
	size_t body_len;
};

#define HTTP_REPLY_HEADERS 2 /* besides the type */

struct http_reply {
	unsigned status;
	const char *content_type;
	struct http_header {
		const char *name; /* static; NULL: none */
		char *value;      /* owned by the reply */
	} headers[HTTP_REPLY_HEADERS];
	struct buf body;
};

/* Fills a zeroed reply. Called from the server's thread, for one request at a time. */
typedef void http_handler(void *self, const struct http_request *request, struct http_reply *reply);

struct http_server;

/* Serve on a listening socket (taken, also on failure); name is shown in the log. */
int http_start(int listener, const char *name, http_handler *handler, void *self, struct http_server **ret,
	struct ratls_error *err);
void http_stop(struct http_server *server); /* no handler runs after it; NULL is fine */

#endif
