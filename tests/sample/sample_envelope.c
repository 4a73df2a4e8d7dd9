/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"

/* ---- event log ---- */

static uint8_t claim_bytes[32];
static uint8_t firmware_digest[48];

void sample_events(struct sample_log *ret, bool version_2)
{
	static const char provider[] = "{\"name\":\"kms\",\"id\":\"00\"}";
	static const struct {
		const char *name;
		size_t size;
	} boot[10] = {{"system-preparing", 0}, {"app-id", 20}, {"compose-hash", 32}, {"instance-id", 20},
		{"boot-mr-done", 0}, {"os-image-hash", 32}, {"key-provider", 0}, {"storage-fs", 3},
		{"system-ready", 0}, {"vendor \"event\"", 5}};

	memset(claim_bytes, 'c', sizeof(claim_bytes));
	memset(firmware_digest, 'f', sizeof(firmware_digest));
	for (size_t i = 0; i < 10; i++) {
		ret->runtime[i] = (struct event){
			.imr = 3,
			.type = EVENTLOG_RUNTIME_TYPE,
			.version = version_2 && i == 9 ? 2 : 1,
			.digest = cur_of(NULL, 0),
			.name = cur_of(boot[i].name, strlen(boot[i].name)),
			.payload = cur_of(claim_bytes, boot[i].size),
			.preimage = cur_of(NULL, 0),
		};
		if (strcmp(boot[i].name, "key-provider") == 0)
			ret->runtime[i].payload = cur_of(provider, sizeof(provider) - 1);
		ret->log[i + 2] = ret->runtime[i];
	}
	for (size_t i = 0; i < 2; i++)
		ret->log[i] = (struct event){
			.imr = (uint32_t)i,
			.type = i == 0 ? 10 : 0x80000007,
			.version = 1,
			.digest = cur_of(firmware_digest, 48),
			.name = cur_of(NULL, 0),
			.payload = cur_of("ACPI DATA", 9),
			.preimage = cur_of(NULL, 0),
		};
}

void sample_td_after(const struct sample_log *log, struct sample_td *ret)
{
	struct event runtime[10];
	const struct eventlog table = {runtime, 10};

	memcpy(runtime, log->runtime, sizeof(runtime));
	memset(ret->report_data, 0x24, sizeof(ret->report_data));
	if (eventlog_replay(&table, 3, ret->rtmr3, NULL) != RATLS_OK)
		abort();
}

/* ---- SCALE ---- */

static void compact(struct buf *b, size_t n)
{
	if (n < 1 << 6)
		buf_u8(b, (uint8_t)(n << 2));
	else if (n < 1 << 14)
		buf_u16le(b, (uint16_t)(n << 2 | 1));
	else
		buf_u32le(b, (uint32_t)(n << 2 | 2));
}

static void vec(struct buf *b, struct cur bytes)
{
	compact(b, bytes.left);
	buf_bytes(b, bytes.p, bytes.left);
}

void sample_write_v0(struct buf *b, const struct ratls_evidence *e)
{
	buf_u16le(b, 0); /* version 0, platform TDX */
	vec(b, e->quote.whole);
	compact(b, e->log.n);
	for (size_t i = 0; i < e->log.n; i++) {
		buf_u32le(b, e->log.events[i].imr);
		buf_u32le(b, e->log.events[i].type);
		vec(b, e->log.events[i].digest);
		vec(b, e->log.events[i].name);
		vec(b, e->log.events[i].payload);
	}
	compact(b, e->runtime.n);
	for (size_t i = 0; i < e->runtime.n; i++) {
		vec(b, e->runtime.events[i].name);
		vec(b, e->runtime.events[i].payload);
	}
	buf_bytes(b, e->report_data.p, e->report_data.left);
	vec(b, e->config);
}

/* ---- MessagePack ---- */

static void head(struct buf *b, uint32_t n, uint32_t fix_limit, uint8_t fix, uint8_t wide)
{
	if (n < fix_limit) {
		buf_u8(b, (uint8_t)(fix | n));
	} else if (n <= UINT16_MAX) {
		buf_u8(b, wide);
		buf_u16be(b, (uint16_t)n);
	} else {
		buf_u8(b, (uint8_t)(wide + 1));
		buf_u32be(b, n);
	}
}

void sample_map(struct buf *b, uint32_t n)
{
	head(b, n, 16, 0x80, 0xde);
}

void sample_array(struct buf *b, uint32_t n)
{
	head(b, n, 16, 0x90, 0xdc);
}

void sample_uint(struct buf *b, uint32_t v)
{
	if (v >= 0x80 && v <= UINT8_MAX)
		buf_u16be(b, (uint16_t)(0xcc00 | v));
	else
		head(b, v, 0x80, 0, 0xcd);
}

void sample_str(struct buf *b, struct cur text)
{
	if (text.left >= 32 && text.left <= UINT8_MAX)
		buf_u16be(b, (uint16_t)(0xd900 | text.left));
	else
		head(b, (uint32_t)text.left, 32, 0xa0, 0xda);
	buf_bytes(b, text.p, text.left);
}

void sample_key(struct buf *b, const char *text)
{
	sample_str(b, cur_of(text, strlen(text)));
}

void sample_bin(struct buf *b, struct cur bytes)
{
	if (bytes.left <= UINT8_MAX)
		buf_u16be(b, (uint16_t)(0xc400 | bytes.left));
	else
		head(b, (uint32_t)bytes.left, 0, 0, 0xc5);
	buf_bytes(b, bytes.p, bytes.left);
}

void sample_ints(struct buf *b, struct cur bytes)
{
	sample_array(b, (uint32_t)bytes.left);
	while (bytes.left > 0)
		sample_uint(b, cur_u8(&bytes));
}

static void write_event(struct buf *b, const struct event *e)
{
	sample_map(b, 5u + (e->version != 1) + (e->preimage.left > 0));
	sample_key(b, "imr");
	sample_uint(b, e->imr);
	sample_key(b, "event_type");
	sample_uint(b, e->type);
	sample_key(b, "digest");
	sample_bin(b, e->digest);
	sample_key(b, "event");
	sample_str(b, e->name);
	sample_key(b, "event_payload");
	sample_bin(b, e->payload);
	if (e->version != 1) {
		sample_key(b, "version");
		sample_uint(b, e->version);
	}
	if (e->preimage.left > 0) {
		sample_key(b, "preimage");
		sample_str(b, e->preimage);
	}
}

static void write_runtime_event(struct buf *b, const struct event *e)
{
	sample_map(b, 2u + (e->version != 1));
	sample_key(b, "event");
	sample_str(b, e->name);
	sample_key(b, "payload");
	sample_bin(b, e->payload);
	if (e->version != 1) {
		sample_key(b, "version");
		sample_uint(b, e->version);
	}
}

/* Opens {"kind": kind, "data": { ...n members... }}. */
static void open_tagged(struct buf *b, const char *kind, uint32_t n)
{
	sample_map(b, 2);
	sample_key(b, "kind");
	sample_key(b, kind);
	sample_key(b, "data");
	sample_map(b, n);
}

void sample_write_v1(struct buf *b, const struct ratls_evidence *e)
{
	sample_map(b, 3);
	sample_key(b, "version");
	sample_uint(b, 1);
	sample_key(b, "platform");
	open_tagged(b, "tdx", 2);
	sample_key(b, "quote");
	sample_ints(b, e->quote.whole);
	sample_key(b, "event_log");
	sample_array(b, (uint32_t)e->log.n);
	for (size_t i = 0; i < e->log.n; i++)
		write_event(b, &e->log.events[i]);
	sample_key(b, "stack");
	open_tagged(b, e->is_pod ? "dstack-pod" : "dstack", e->is_pod ? 4 : 3);
	sample_key(b, "report_data");
	sample_ints(b, e->report_data);
	sample_key(b, "runtime_events");
	sample_array(b, (uint32_t)e->runtime.n);
	for (size_t i = 0; i < e->runtime.n; i++)
		write_runtime_event(b, &e->runtime.events[i]);
	sample_key(b, "config");
	sample_str(b, e->config);
	if (e->is_pod) {
		sample_key(b, "report_data_payload");
		sample_str(b, e->pod_payload);
	}
}

/* ---- whole evidence ---- */

static void sample_envelope(
	struct buf *b, bool version_2, void (*write)(struct buf *b, const struct ratls_evidence *e))
{
	static const char config[] = "{\"vm_config\":\"{}\"}";
	struct sample_log events;
	struct sample_td td;
	struct buf quote = {0};
	struct ratls_evidence e = {
		.log = {events.log, 12},
		.runtime = {events.runtime, 10},
		.report_data = cur_of(td.report_data, 64),
		.config = cur_of(config, sizeof(config) - 1),
	};

	sample_events(&events, version_2);
	sample_td_after(&events, &td);
	sample_quote(&quote, 4, QUOTE_BODY_TD10, &td);
	e.quote.whole = cur_of(quote.p, quote.len);
	write(b, &e);
	buf_done(&quote);
}

void sample_envelope_v0(struct buf *b)
{
	sample_envelope(b, false, sample_write_v0);
}

void sample_envelope_v1(struct buf *b, bool version_2)
{
	sample_envelope(b, version_2, sample_write_v1);
}

void sample_eventlog_json(struct buf *b)
{
	struct sample_log events;

	sample_events(&events, true);
	for (size_t i = 0; i < 12; i++) {
		const struct event *e = &events.log[i];

		buf_fmt(b, "%s{\"imr\":%u,\"event_type\":%u,\"digest\":\"", i == 0 ? "[" : ",", e->imr,
			e->type);
		hex_append(b, e->digest.p, e->digest.left);
		buf_str(b, "\",\"event\":\"");
		for (struct cur name = e->name; name.left > 0;) {
			uint8_t c = cur_u8(&name);

			if (c == '"')
				buf_u8(b, '\\');
			buf_u8(b, c);
		}
		buf_str(b, "\",\"event_payload\":\"");
		hex_append(b, e->payload.p, e->payload.left);
		buf_fmt(b, e->version == 2 ? "\",\"version\":2}" : "\"}");
	}
	buf_u8(b, ']');
}
