/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator/settings.h"

#include <jansson.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/reason.h"

#define COMPOSE_MAX ((size_t)1 << 20)
#define ADVISORY    "INTEL-SA-00837" /* what a platform that is not up to date is shown with */

#define ROW(name, type, member, fallback, arg, help) \
	{name, type, offsetof(struct settings, member), fallback, arg, help}

static const struct opt rows[] = {
	ROW("dir", OPT_STR, dir, NULL, "DIR", "keep keys and roots here; without it, in a temporary folder"),
	ROW("socket", OPT_STR, socket, NULL, "PATH", "the guest agent's socket; without it, DIR/dstack.sock"),
	ROW("http", OPT_STR, http, NULL, "ADDR:PORT", "serve the guest agent over TCP too"),
	ROW("collateral", OPT_STR, collateral, "127.0.0.1:0", "ADDR:PORT",
		"where the collateral service listens"),
	ROW("seed", OPT_STR, seed, NULL, "HEX",
		"32 bytes that all keys follow from: equal seeds, equal roots"),
	ROW("mrtd", OPT_STR, mrtd, NULL, "HEX", "the machine's MRTD, 48 bytes"),
	ROW("rtmr0", OPT_STR, rtmr[0], NULL, "HEX",
		"RTMR0, 48 bytes, in place of what the event log replays to"),
	ROW("rtmr1", OPT_STR, rtmr[1], NULL, "HEX", "RTMR1, likewise"),
	ROW("rtmr2", OPT_STR, rtmr[2], NULL, "HEX", "RTMR2, likewise"),
	ROW("compose", OPT_STR, compose, NULL, "FILE", "app-compose.json, which the compose hash is of"),
	ROW("app-id", OPT_STR, app_id, NULL, "HEX", "20 bytes; without it, the start of the compose hash"),
	ROW("instance", OPT_STR, instance, "default", "NAME", "what the instance id is made of"),
	ROW("fmspc", OPT_STR, fmspc, NULL, "HEX", "the platform's FMSPC, 6 bytes"),
	ROW("tcb-status", OPT_STR, tcb_status, "UpToDate", "STATUS",
		"the platform's TCB status, in Intel's words"),
	ROW("early-tcb-status", OPT_STR, early_tcb_status, NULL, "STATUS",
		"announce a TCB recovery after which the platform has this status"),
	ROW("debug-td", OPT_BOOL, debug_td, NULL, NULL, "the machine is in debug mode"),
	ROW("evidence", OPT_CHOICE, evidence, "v0", "v0|v1|legacy", "how certificates carry the attestation"),
	ROW("chain", OPT_CHOICE, chain, "kms", "kms|local",
		"who issues certificates: a KMS's App CA, or a local CA"),
	ROW("pck", OPT_CHOICE, pck_is_named, "carried", "carried|named",
		"do quotes carry the platform's certificate, or only name it"),
	ROW("cert-lifetime", OPT_TIME, cert_lifetime, "3650d", "TIME", "how long certificates hold"),
	ROW("log-level", OPT_CHOICE, log_level, "info", LOG_LEVEL_WORDS, "the least severe lines that are written"),
	ROW("log-format", OPT_CHOICE, log_format, "text", LOG_FORMAT_WORDS, "how log lines look"),
	{.name = NULL},
};

const struct opt_program settings_program = {
	.name = "teesql-simulator",
	.synopsis = "[OPTION]...",
	.purpose =
		"Be a confidential VM for development: guest agent, vendor PKI and collateral service, with "
		"real cryptography under a development root.",
	.opts = rows,
	.daemon = true,
	.weakening_variable = "DSTACK_SIMULATOR_ENDPOINT",
};

static int bad_value(struct ratls_error *err, const char *name, const char *text, const char *expected)
{
	return err_reason(err, RATLS_E_ARG, REASON_OPTION, "--%s is \"%s\", not %s", name, text, expected);
}

int settings_hex(const char *name, const char *text, uint8_t *ret, size_t n, struct ratls_error *err)
{
	if (text == NULL || hex_decode(text, strlen(text), ret, n))
		return RATLS_OK;
	return err_reason(err, RATLS_E_ARG, REASON_OPTION,
		"--%s is \"%s\", not %zu bytes of hexadecimal text", name, text, n);
}

static int read_measurements(const struct settings *s, struct forge_options *o, struct ratls_error *err)
{
	static const char *const names[] = {"rtmr0", "rtmr1", "rtmr2"};
	struct forge_td *td = &o->quote.td;
	int rc = settings_hex("mrtd", s->mrtd, td->mrtd, sizeof(td->mrtd), err);

	for (size_t i = 0; rc == RATLS_OK && i < 3; i++) {
		rc = settings_hex(names[i], s->rtmr[i], td->rtmr[i], sizeof(td->rtmr[i]), err);
		o->fixed_rtmr[i] = s->rtmr[i] != NULL;
	}
	if (s->debug_td)
		td->td_attributes[0] |= FORGE_TD_DEBUG;
	return rc;
}

/* The compose file is a text that goes into JSON answers. */
static int read_compose(const struct settings *s, struct forge_options *o, struct buf *ret,
	struct ratls_error *err)
{
	struct buf text = {0};
	json_t *as_json;
	int rc;

	if (s->compose == NULL)
		return RATLS_OK;
	rc = file_read(s->compose, COMPOSE_MAX, &text, err);
	if (rc != RATLS_OK)
		return rc;
	as_json = json_stringn(text.len > 0 ? (const char *)text.p : "", text.len);
	if (as_json == NULL || strlen(json_string_value(as_json)) != text.len)
		rc = err_set(err, RATLS_E_ARG, "file \"%s\" is not text in UTF-8", s->compose);
	json_decref(as_json);
	buf_u8(&text, 0);
	if (rc == RATLS_OK && text.bad)
		rc = err_set(err, RATLS_E_NOMEM, "out of memory reading \"%s\"", s->compose);
	if (rc != RATLS_OK) {
		buf_done(&text);
		return rc;
	}
	*ret = text;
	o->compose = (const char *)ret->p;
	return RATLS_OK;
}

/* Intel's own text of a TCB status, NULL if it is none. */
static const char *tcb_status(const char *text)
{
	static const char *const statuses[] = {"UpToDate", "SWHardeningNeeded", "ConfigurationNeeded",
		"ConfigurationAndSWHardeningNeeded", "OutOfDate", "OutOfDateConfigurationNeeded", "Revoked"};

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (strcmp(text, statuses[i]) == 0)
			return statuses[i];
	return NULL;
}

static int read_tcb(const struct settings *s, struct forge_options *o, struct ratls_error *err)
{
	struct forge_tcb_info_options *info = &o->collateral.tcb_info;
	const char *status = tcb_status(s->tcb_status);
	int rc = settings_hex("fmspc", s->fmspc, o->pki.sgx.fmspc, sizeof(o->pki.sgx.fmspc), err);

	if (rc != RATLS_OK)
		return rc;
	if (status == NULL)
		return bad_value(err, "tcb-status", s->tcb_status, "a TCB status of Intel's");
	if (s->early_tcb_status != NULL && tcb_status(s->early_tcb_status) == NULL)
		return bad_value(err, "early-tcb-status", s->early_tcb_status, "a TCB status of Intel's");
	memcpy(info->fmspc, o->pki.sgx.fmspc, sizeof(info->fmspc));
	info->levels[0].status = status;
	info->levels[0].advisory = strcmp(status, "UpToDate") != 0 ? ADVISORY : NULL;
	return RATLS_OK;
}

int settings_forge(const struct settings *s, const uint8_t seed[static FORGE_SEED_SIZE], int64_t now,
	struct forge_options *ret, struct buf *ret_compose, struct ratls_error *err)
{
	int rc;

	forge_defaults(ret, seed, now);
	ret->instance = s->instance;
	ret->evidence = s->evidence;
	ret->chain = s->chain;
	ret->quote.names_pck = s->pck_is_named != 0;
	rc = read_measurements(s, ret, err);
	if (rc == RATLS_OK)
		rc = settings_hex("app-id", s->app_id, ret->app_id, sizeof(ret->app_id), err);
	if (rc == RATLS_OK)
		rc = read_tcb(s, ret, err);
	if (rc == RATLS_OK)
		rc = read_compose(s, ret, ret_compose, err);
	return rc;
}
