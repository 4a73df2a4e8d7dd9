/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator/forge_eventlog.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"

#define ACPI_MARKER "ACPI DATA"

static bool is_runtime(const struct forge_event *e)
{
	return e->imr == 3 && e->type == FORGE_RUNTIME_TYPE;
}

static bool is_acpi(const struct forge_event *e)
{
	struct cur payload = cur_of(e->payload.p, e->payload.len);

	return e->imr == 0 && e->type == FORGE_ACPI_TYPE && cur_is_str(&payload, ACPI_MARKER);
}

/* {"name":"...","payload":"<hex>","type":134217729}; names are ours, and need no escape. */
static void put_canonical(const struct forge_event *e, struct buf *b)
{
	buf_fmt(b, "{\"name\":\"%s\",\"payload\":\"", e->name);
	hex_append(b, e->payload.p, e->payload.len);
	buf_fmt(b, "\",\"type\":%u}", e->type);
}

void forge_event_preimage(const struct forge_event *e, struct buf *ret)
{
	struct buf text = {0};

	put_canonical(e, &text);
	ret->bad = ret->bad || text.bad;
	hex_append(ret, text.p, text.len);
	buf_done(&text);
}

static bool event_digest(struct forge_event *e)
{
	struct buf image = {0};
	bool ok;

	if (!is_runtime(e)) {
		buf_bytes(&image, e->payload.p, e->payload.len);
	} else if (e->version == 2) {
		put_canonical(e, &image);
	} else {
		buf_u32le(&image, e->type);
		buf_fmt(&image, ":%s:", e->name);
		buf_bytes(&image, e->payload.p, e->payload.len);
	}
	ok = !image.bad && hash_bytes(HASH_SHA384, image.p, image.len, e->digest);
	buf_done(&image);
	return ok;
}

static void event_done(struct forge_event *e)
{
	free(e->name);
	buf_done(&e->payload);
}

static bool add(struct forge_log *log, const struct forge_event *like, struct cur payload)
{
	struct forge_event *e = &log->events[log->n];

	if (log->n == FORGE_EVENTS_MAX)
		return false;
	*e = *like;
	e->name = strdup(like->name);
	e->payload = (struct buf){0};
	buf_bytes(&e->payload, payload.p, payload.left);
	if (e->name == NULL || e->payload.bad || !event_digest(e)) {
		event_done(e);
		return false;
	}
	log->n++;
	return true;
}

bool forge_log_runtime(struct forge_log *log, const char *name, struct cur payload, uint8_t version)
{
	struct forge_event e = {
		.imr = 3, .type = FORGE_RUNTIME_TYPE, .version = version, .name = (char *)name};

	return add(log, &e, payload);
}

bool forge_log_boot(struct forge_log *log, uint32_t imr, uint32_t type, const char *name, struct cur payload)
{
	struct forge_event e = {.imr = imr, .type = type, .version = 1, .name = (char *)name};

	return add(log, &e, payload);
}

void forge_log_done(struct forge_log *log)
{
	for (size_t i = 0; i < log->n; i++)
		event_done(&log->events[i]);
	log->n = 0;
}

bool forge_log_rtmr(const struct forge_log *log, uint32_t imr, uint8_t ret[static FORGE_RTMR_SIZE])
{
	uint8_t rtmr[FORGE_RTMR_SIZE] = {0};

	for (size_t i = 0; i < log->n; i++) {
		struct cur parts[] = {
			cur_of(rtmr, sizeof(rtmr)), cur_of(log->events[i].digest, HASH_SHA384_SIZE)};

		if (log->events[i].imr == imr && !hash_parts(HASH_SHA384, parts, 2, rtmr))
			return false;
	}
	memcpy(ret, rtmr, sizeof(rtmr));
	return true;
}

bool forge_log_strip(const struct forge_log *log, struct forge_log *ret)
{
	bool ok = true;

	for (size_t i = 0; ok && i < log->n; i++) {
		const struct forge_event *e = &log->events[i];
		bool runtime = is_runtime(e), keep_payload = runtime || is_acpi(e);

		if (e->imr != 3 && !is_acpi(e))
			continue;
		ok = add(ret, e, keep_payload ? cur_of(e->payload.p, e->payload.len) : cur_of(NULL, 0));
		if (ok) {
			memcpy(ret->events[ret->n - 1].digest, e->digest, sizeof(e->digest));
			ret->events[ret->n - 1].stripped_digest = runtime;
		}
	}
	return ok;
}

static void put_event_json(const struct forge_event *e, struct buf *b)
{
	buf_fmt(b, "{\"imr\":%u,\"event_type\":%u,\"digest\":\"", e->imr, e->type);
	hex_append(b, e->digest, e->stripped_digest ? 0 : sizeof(e->digest));
	buf_fmt(b, "\",\"event\":\"%s\",\"event_payload\":\"", e->name);
	hex_append(b, e->payload.p, e->payload.len);
	buf_u8(b, '"');
	if (e->version == 2) {
		buf_str(b, ",\"version\":2,\"preimage\":\"");
		forge_event_preimage(e, b);
		buf_u8(b, '"');
	}
	buf_u8(b, '}');
}

bool forge_log_json(const struct forge_log *log, struct buf *ret)
{
	buf_u8(ret, '[');
	for (size_t i = 0; i < log->n; i++) {
		if (i > 0)
			buf_u8(ret, ',');
		put_event_json(&log->events[i], ret);
	}
	buf_u8(ret, ']');
	return !ret->bad;
}
