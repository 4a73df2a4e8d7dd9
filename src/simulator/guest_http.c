/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator/guest_http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "simulator/guest.h"

static void put_json(struct http_reply *reply, unsigned status, const json_t *object, size_t flags)
{
	/* Escapes are for dstack's JavaScript client, which counts characters where there should be bytes. */
	char *text = json_dumps(object, flags | JSON_ENSURE_ASCII);

	reply->status = status;
	reply->content_type = "application/json";
	if (text == NULL)
		reply->body.bad = true;
	else
		buf_str(&reply->body, text);
	free(text);
}

/* dstack prints its errors with indentation, its answers without. */
static void put_error(struct http_reply *reply, unsigned status, const char *message)
{
	json_t *object = json_pack("{s:s}", "error", message);

	put_json(reply, status, object, JSON_INDENT(2));
	json_decref(object);
}

/* A media type of JSON, with or without parameters. */
static bool is_json_type(const char *type)
{
	static const char json[] = "application/json";
	size_t n = strlen(json);

	return strncasecmp(type, json, n) == 0 && strchr("; \t", type[n]) != NULL;
}

/* "?json", "?json=1" and "?json=true" say that the client means JSON, whatever its headers say. */
static bool query_says_json(const json_t *query)
{
	const char *value = json_string_value(json_object_get(query, "json"));

	return value != NULL && (*value == '\0' || strcmp(value, "1") == 0 || strcmp(value, "true") == 0);
}

/* The fields of a GET: "a=1&names[0]=x&names[1]=y". Lists are in order of occurrence. */
static json_t *fields_of_query(const json_t *query)
{
	json_t *out = json_object();
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)query, key, value) {
		const char *bracket = strchr(key, '[');
		size_t n = bracket != NULL ? (size_t)(bracket - key) : strlen(key);
		json_t *list = json_object_getn(out, key, n);

		if (bracket == NULL) {
			json_object_set(out, key, value);
			continue;
		}
		if (!json_is_array(list)) {
			list = json_array();
			json_object_setn_new(out, key, n, list);
		}
		json_array_append(list, value);
	}
	return out;
}

/* dstack's JavaScript client counts the characters of what it sends over a Unix socket: with any that are not ASCII
 * the end is cut off, here as there. */
static const char *advice(const json_error_t *where)
{
	return json_error_code(where) == json_error_premature_end_of_input
		       ? " (it ends too early: Content-Length counts bytes, not characters)"
		       : "";
}

static int fields_of_body(const struct http_request *request, json_t **ret, struct ratls_error *err)
{
	json_error_t where;
	json_t *object;

	if (request->body_len == 0) {
		*ret = json_object();
		return RATLS_OK;
	}
	object = json_loadb((const char *)request->body, request->body_len, JSON_REJECT_DUPLICATES, &where);
	if (object == NULL)
		return err_set(err, RATLS_E_ARG, "invalid JSON request: %s%s", where.text, advice(&where));
	if (!json_is_object(object)) {
		json_decref(object);
		return err_set(err, RATLS_E_ARG, "invalid JSON request: expected an object");
	}
	*ret = object;
	return RATLS_OK;
}

static int read_fields(const struct http_request *request, struct request *asked, json_t **ret,
	struct ratls_error *err)
{
	if (strcmp(request->method, "GET") == 0) {
		*ret = fields_of_query(request->query);
		asked->from_query = true;
		return RATLS_OK;
	}
	if (!is_json_type(request->content_type) && !query_says_json(request->query))
		return err_set(err, RATLS_E_ARG,
			"protobuf requests are not supported: send Content-Type: application/json");
	return fields_of_body(request, ret, err);
}

void guest_http(void *self, const struct http_request *request, struct http_reply *reply)
{
	struct ratls_error err = {0};
	struct request asked = {0};
	json_t *object = NULL, *answer = NULL;
	int rc;

	if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "POST") != 0) {
		put_error(reply, 405, "only GET and POST are supported");
		return;
	}
	rc = read_fields(request, &asked, &object, &err);
	asked.object = object;
	if (rc == RATLS_OK)
		rc = guest_call(self, request->path, &asked, &answer, &err);
	if (rc == RATLS_OK)
		put_json(reply, 200, answer, JSON_COMPACT);
	else
		put_error(reply, 400, err.message);
	json_decref(object);
	json_decref(answer);
}
