/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator/http.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"

struct http_server {
	struct MHD_Daemon *daemon;
	const char *name;
	http_handler *handler;
	void *self;
};

/* A request whose body is still coming. */
struct pending {
	struct buf body;
	bool too_large;
};

static enum MHD_Result add_query(void *object, enum MHD_ValueKind kind, const char *key, const char *value)
{
	(void)kind;
	json_object_set_new(object, key, json_string(value != NULL ? value : ""));
	return MHD_YES;
}

/* The path of an absolute URI, which some clients send where only a proxy needs it, and a server takes all the same (RFC
 * 9112, section 3.2.2); of anything else itself. */
static const char *path_of(const char *target)
{
	const char *authority = strstr(target, "://"), *path;

	if (target[0] == '/' || authority == NULL)
		return target;
	path = strchr(authority + 3, '/');
	return path != NULL ? path : "/";
}

static void handle(struct http_server *s, struct MHD_Connection *connection, const char *method,
	const char *path, const struct pending *pending, struct http_reply *reply)
{
	const char *type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type");
	json_t *query = json_object();
	struct http_request request = {.method = method,
		.path = path,
		.content_type = type != NULL ? type : "",
		.query = query,
		.body = pending->body.p,
		.body_len = pending->body.len};

	MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_query, query);
	if (pending->too_large) {
		reply->status = MHD_HTTP_CONTENT_TOO_LARGE;
		buf_str(&reply->body, "the request is too large\n");
	} else {
		s->handler(s->self, &request, reply);
	}
	json_decref(query);
}

static void log_request(const struct http_server *s, const char *method, const char *path, unsigned status)
{
	char text[16];
	struct log_field fields[] = {{"server", s->name}, {"method", method}, {"path", path}, {"status", text},
		{NULL, NULL}};

	snprintf(text, sizeof(text), "%u", status);
	log_event(LOG_LEVEL_INFO, 0, fields, "request");
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct http_reply *reply)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(reply->body.len,
		reply->body.len > 0 ? reply->body.p : (uint8_t *)"", MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result = MHD_NO;

	if (response != NULL && !reply->body.bad) {
		if (reply->content_type != NULL)
			MHD_add_response_header(response, "Content-Type", reply->content_type);
		for (size_t i = 0; i < HTTP_REPLY_HEADERS; i++)
			if (reply->headers[i].name != NULL && reply->headers[i].value != NULL)
				MHD_add_response_header(
					response, reply->headers[i].name, reply->headers[i].value);
		result = MHD_queue_response(connection, reply->status, response);
	}
	if (response != NULL)
		MHD_destroy_response(response);
	return result;
}

static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *target,
	const char *method, const char *version, const char *upload, size_t *upload_len, void **state)
{
	struct http_server *s = self;
	struct pending *pending = *state;
	struct http_reply reply = {0};
	enum MHD_Result result;
	const char *path;

	(void)version;
	if (pending == NULL) {
		*state = calloc(1, sizeof(*pending));
		return *state != NULL ? MHD_YES : MHD_NO;
	}
	if (*upload_len > 0) {
		pending->too_large = pending->too_large || *upload_len > HTTP_BODY_MAX - pending->body.len;
		if (!pending->too_large)
			buf_bytes(&pending->body, upload, *upload_len);
		*upload_len = 0;
		return pending->body.bad ? MHD_NO : MHD_YES;
	}
	path = path_of(target);
	handle(s, connection, method, path, pending, &reply);
	log_request(s, method, path, reply.status);
	result = send_reply(connection, &reply);
	buf_done(&reply.body);
	for (size_t i = 0; i < HTTP_REPLY_HEADERS; i++)
		free(reply.headers[i].value);
	return result;
}

static void on_completed(void *self, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode why)
{
	struct pending *pending = *state;

	(void)self;
	(void)connection;
	(void)why;
	if (pending == NULL)
		return;
	buf_done(&pending->body);
	free(pending);
	*state = NULL;
}

int http_start(int listener, const char *name, http_handler *handler, void *self, struct http_server **ret,
	struct ratls_error *err)
{
	struct http_server *s = calloc(1, sizeof(*s));

	if (s != NULL) {
		*s = (struct http_server){.name = name, .handler = handler, .self = self};
		s->daemon = MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL,
			on_request, s, MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_TIMEOUT,
			(unsigned)HTTP_IDLE_SECONDS, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
			MHD_OPTION_END);
	}
	if (s == NULL || s->daemon == NULL) {
		close(listener);
		free(s);
		return err_set(err, RATLS_E_IO, "could not start the HTTP server of the %s", name);
	}
	*ret = s;
	return RATLS_OK;
}

void http_stop(struct http_server *server)
{
	if (server == NULL)
		return;
	MHD_stop_daemon(server->daemon);
	free(server);
}
