/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/eventlog_json.h"

#include "base/err.h"
#include "base/hex.h"
#include "base/reason.h"

static bool read_u32(const json_t *value, uint32_t *ret)
{
	json_int_t v = json_integer_value(value);

	if (!json_is_integer(value) || v < 0 || v > UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static bool read_text(const json_t *value, struct store *store, struct cur *ret)
{
	if (!json_is_string(value))
		return false;
	*ret = store_copy(store, cur_of(json_string_value(value), json_string_length(value)));
	return true;
}

static bool read_hex(const json_t *value, struct store *store, struct cur *ret)
{
	size_t len = json_string_length(value);
	const char *text = json_string_value(value);
	uint8_t *p;

	if (text == NULL)
		return false;
	p = store_take(store, len / 2);
	if (p != NULL && !hex_decode(text, len, p, len / 2))
		return false;
	*ret = cur_of(p != NULL ? p : (const uint8_t *)text, len / 2);
	return true;
}

/* Members that may be left out have the value that the guest agent leaves out. */
static bool read_event(const json_t *object, struct store *store, struct event *e)
{
	const json_t *digest = json_object_get(object, "digest"),
		     *version = json_object_get(object, "version"),
		     *preimage = json_object_get(object, "preimage");

	*e = (struct event){.version = 1, .digest = cur_of(NULL, 0), .preimage = cur_of(NULL, 0)};
	return read_u32(json_object_get(object, "imr"), &e->imr) &&
	       read_u32(json_object_get(object, "event_type"), &e->type) &&
	       read_text(json_object_get(object, "event"), store, &e->name) &&
	       read_hex(json_object_get(object, "event_payload"), store, &e->payload) &&
	       (digest == NULL || read_hex(digest, store, &e->digest)) &&
	       (version == NULL || read_u32(version, &e->version)) &&
	       (preimage == NULL || json_is_null(preimage) || read_text(preimage, store, &e->preimage));
}

static int no_array(int position, struct ratls_error *err)
{
	return err_reason(err, RATLS_E_FORMAT, REASON_EVENTLOG_FORMAT,
		"could not parse event log: it is no JSON array of events (byte %d)", position);
}

int eventlog_json_take(
	const json_t *array, struct store *store, struct eventlog *ret, struct ratls_error *err)
{
	size_t n = json_array_size(array);
	struct event e;

	if (!json_is_array(array))
		return no_array(0, err);
	if (n > EVENTLOG_EVENTS_MAX)
		return err_reason(err, RATLS_E_FORMAT, REASON_EVENTLOG_COUNT,
			"could not parse event log: %zu events, but at most %d can be", n,
			EVENTLOG_EVENTS_MAX);
	*ret = store_log(store, n);
	for (size_t i = 0; i < n; i++) {
		if (!read_event(json_array_get(array, i), store, &e))
			return err_reason(err, RATLS_E_FORMAT, REASON_EVENTLOG_FORMAT,
				"could not parse event log: a member of event %zu is missing or of the wrong "
				"type",
				i);
		store_event(ret, i, &e);
	}
	return RATLS_OK;
}

int eventlog_json_read(struct cur text, struct store *store, struct eventlog *ret, struct ratls_error *err)
{
	json_error_t where;
	json_t *root = json_loadb((const char *)text.p, text.left, JSON_REJECT_DUPLICATES, &where);
	int rc = root != NULL ? eventlog_json_take(root, store, ret, err) : no_array(where.position, err);

	json_decref(root);
	return rc;
}

struct eventlog eventlog_json_runtime(const struct eventlog *log, struct store *store)
{
	struct eventlog runtime;
	size_t n = 0;

	/* The first run cannot look at the events, and leaves room for all of them. */
	runtime = store_log(store, log->n);
	for (size_t i = 0; runtime.events != NULL && i < log->n; i++)
		if (log->events[i].imr == EVENTLOG_RUNTIME_IMR)
			store_event(&runtime, n++, &log->events[i]);
	if (runtime.events != NULL)
		runtime.n = n;
	return runtime;
}
