/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/reference_log.h"

#include <stdlib.h>
#include <string.h>

#include "appraisal/json_bytes.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "evidence/eventlog_json.h"

#define SHOWN_NAME  40 /* of an event, in characters */
#define SHOWN_BYTES 32 /* of a payload: a digest fits */

/* ---- in and out -------------------------------------------------------------------------------------- */

static int check(const struct eventlog *log, struct ratls_error *err)
{
	uint8_t rtmr[EVENTLOG_RTMR_SIZE];
	int rc = eventlog_check(log, err);

	for (uint32_t imr = 0; rc == RATLS_OK && imr < 4; imr++)
		rc = eventlog_replay(log, imr, rtmr, err);
	return rc;
}

/* Once to measure, once to keep: see store.h. */
static int take(const json_t *array, struct reference_log *ret, struct ratls_error *err)
{
	struct store store = {0};
	int rc = eventlog_json_take(array, &store, &ret->log, err);

	if (rc != RATLS_OK)
		return rc;
	store = (struct store){.size = store.used};
	ret->store = calloc(1, store.size > 0 ? store.size : 1);
	if (ret->store == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	store.p = ret->store;
	rc = eventlog_json_take(array, &store, &ret->log, err);
	return rc == RATLS_OK ? check(&ret->log, err) : rc;
}

int reference_log_read(const json_t *array, struct reference_log *ret, struct ratls_error *err)
{
	struct reference_log r = {0};
	struct ratls_error why = {0};
	int rc;

	if (json_array_size(array) == 0)
		return err_set(err, RATLS_E_ARG, "is not an array of events");
	rc = take(array, &r, &why);
	if (rc == RATLS_OK) {
		*ret = r;
		return rc;
	}
	reference_log_done(&r);
	if (rc != RATLS_E_FORMAT)
		return err_set(err, rc, "could not be read: %s", why.message);
	return err_set(err, RATLS_E_ARG, "is no reference: %s", why.message);
}

void reference_log_done(struct reference_log *r)
{
	free(r->store);
	*r = (struct reference_log){0};
}

static json_t *event_json(const struct event *e)
{
	json_t *out = json_pack("{s:I, s:I, s:I, s:o, s:s%, s:o}", "imr", (json_int_t)e->imr, "event_type",
		(json_int_t)e->type, "version", (json_int_t)e->version, "digest", json_of_hex(e->digest),
		"event", e->name.p, e->name.left, "event_payload", json_of_hex(e->payload));

	if (out != NULL && e->preimage.left > 0 &&
		json_object_set_new(
			out, "preimage", json_stringn((const char *)e->preimage.p, e->preimage.left)) != 0) {
		json_decref(out);
		return NULL;
	}
	return out;
}

json_t *reference_log_json(const struct reference_log *r)
{
	json_t *array = json_array();

	for (size_t i = 0; i < r->log.n; i++)
		if (json_array_append_new(array, event_json(&r->log.events[i])) != 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

/* ---- the difference ---------------------------------------------------------------------------------- */

static void append_name(struct buf *out, struct cur name)
{
	struct cur cut = cur_take(&name, name.left < SHOWN_NAME ? name.left : SHOWN_NAME);
	char shown[SHOWN_NAME];

	if (cut.left > 0)
		memcpy(shown, cut.p, cut.left);
	utf8_make_plain(shown, cut.left);
	buf_fmt(out, "\"%.*s%s\"", (int)cut.left, shown, name.left > 0 ? "..." : "");
}

/* The payload of an event of dstack says what it is; of others the digest alone is measured. */
static void append_event(struct buf *out, const struct event *e)
{
	struct cur bytes;

	if (e == NULL) {
		buf_str(out, "missing");
		return;
	}
	bytes = e->type == EVENTLOG_RUNTIME_TYPE ? e->payload : e->digest;
	append_name(out, e->name);
	buf_str(out, e->type == EVENTLOG_RUNTIME_TYPE ? " of " : " with digest ");
	hex_append(out, bytes.p, bytes.left < SHOWN_BYTES ? bytes.left : SHOWN_BYTES);
	buf_str(out, bytes.left > SHOWN_BYTES ? "..." : "");
}

void reference_log_explain(
	const struct reference_log *r, const struct eventlog *log, uint32_t imr, struct buf *out)
{
	struct eventlog_difference d;

	if (!eventlog_differ(log, &r->log, imr, &d))
		return;
	buf_fmt(out, "event %zu is ", d.at);
	append_event(out, d.a);
	buf_str(out, ", in the reference log it is ");
	append_event(out, d.b);
}
