/* SPDX-License-Identifier: Apache-2.0
 *
 * Quotes: GetQuote, Attest, EmitEvent, and Tappd's older forms of the first.
 */
#include <openssl/evp.h>
#include <string.h>

#include "base/err.h"
#include "simulator/guest_methods.h"
#include "simulator/keccak.h"

#define REPORT_DATA_SIZE 64

/* Verbatim, padded with zeros on the right. */
static int read_report_data(struct request *r, size_t least, uint8_t ret[static REPORT_DATA_SIZE],
	struct ratls_error *err)
{
	struct buf bytes = {0};
	int rc;

	request_hex(r, "report_data", &bytes);
	rc = request_ok(r, err);
	if (rc == RATLS_OK && bytes.len > REPORT_DATA_SIZE)
		rc = err_set(err, RATLS_E_ARG, "Report data is too long");
	if (rc == RATLS_OK && bytes.len < least)
		rc = err_set(err, RATLS_E_ARG, "invalid content length");
	if (rc == RATLS_OK) {
		memset(ret, 0, REPORT_DATA_SIZE);
		if (bytes.len > 0)
			memcpy(ret, bytes.p, bytes.len);
	}
	buf_done(&bytes);
	return rc;
}

int guest_get_quote(struct guest *g, struct request *r, json_t **ret, struct ratls_error *err)
{
	struct buf quote = {0}, attestation = {0}, log = {0};
	uint8_t report_data[REPORT_DATA_SIZE];
	int rc = read_report_data(r, 0, report_data, err);

	if (rc == RATLS_OK)
		rc = forge_machine_quote(&g->machine, report_data, &quote, err);
	if (rc == RATLS_OK)
		rc = forge_machine_envelope(&g->machine, FORGE_V1, report_data, false, &attestation, err);
	if (rc == RATLS_OK && !forge_log_json(&g->machine.log, &log))
		rc = err_set(err, RATLS_E_NOMEM, "could not write the event log");
	if (rc == RATLS_OK)
		rc = guest_answer(
			json_pack("{s:o, s:o, s:o, s:s, s:o}", "quote", guest_json_hex(quote.p, quote.len),
				"event_log", guest_json_text(&log), "report_data",
				guest_json_hex(report_data, sizeof(report_data)), "vm_config",
				g->machine.config, "attestation",
				guest_json_hex(attestation.p, attestation.len)),
			ret, err);
	buf_done(&quote);
	buf_done(&attestation);
	buf_done(&log);
	return rc;
}

int guest_attest(struct guest *g, struct request *r, json_t **ret, struct ratls_error *err)
{
	enum forge_envelope_version version = g->machine.evidence == FORGE_EVIDENCE_V1 ? FORGE_V1 : FORGE_V0;
	uint8_t report_data[REPORT_DATA_SIZE];
	struct buf attestation = {0};
	int rc = read_report_data(r, 0, report_data, err);

	if (rc == RATLS_OK)
		rc = forge_machine_envelope(&g->machine, version, report_data, false, &attestation, err);
	if (rc == RATLS_OK)
		rc = guest_answer(
			json_pack("{s:o}", "attestation", guest_json_hex(attestation.p, attestation.len)),
			ret, err);
	buf_done(&attestation);
	return rc;
}

/* Names go into JSON and into digests as they are. */
static bool event_name_ok(const char *name)
{
	return *name != '\0' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/") ==
		       strlen(name);
}

int guest_emit_event(struct guest *g, struct request *r, json_t **ret, struct ratls_error *err)
{
	const char *name = request_text(r, "event");
	struct buf payload = {0};
	int rc;

	request_hex(r, "payload", &payload);
	rc = request_ok(r, err);
	if (rc == RATLS_OK && !event_name_ok(name))
		rc = err_set(err, RATLS_E_ARG, "invalid event name");
	if (rc == RATLS_OK && !forge_log_runtime(&g->machine.log, name, cur_of(payload.p, payload.len),
				      g->machine.event_version))
		rc = err_set(err, RATLS_E_ARG, "the event log is full");
	if (rc == RATLS_OK)
		rc = guest_answer(json_object(), ret, err);
	buf_done(&payload);
	return rc;
}

/* ---- Tappd ------------------------------------------------------------------------------------- */

static int answer_tappd(struct guest *g, const uint8_t *report_data, const char *algorithm, const char *prefix,
	json_t **ret, struct ratls_error *err)
{
	struct buf quote = {0}, log = {0};
	int rc = forge_machine_quote(&g->machine, report_data, &quote, err);

	if (rc == RATLS_OK && !forge_log_json(&g->machine.log, &log))
		rc = err_set(err, RATLS_E_NOMEM, "could not write the event log");
	if (rc == RATLS_OK)
		rc = guest_answer(
			json_pack("{s:o, s:o, s:s, s:s}", "quote", guest_json_hex(quote.p, quote.len),
				"event_log", guest_json_text(&log), "hash_algorithm", algorithm, "prefix",
				prefix),
			ret, err);
	buf_done(&quote);
	buf_done(&log);
	return rc;
}

int guest_tappd_raw_quote(struct guest *g, struct request *r, json_t **ret, struct ratls_error *err)
{
	uint8_t report_data[REPORT_DATA_SIZE];
	int rc = read_report_data(r, REPORT_DATA_SIZE, report_data, err);

	return rc == RATLS_OK ? answer_tappd(g, report_data, "raw", "", ret, err) : rc;
}

/* dstack's names for hashes. */
static bool tagged_hash(const char *algorithm, const char *tag, struct cur content,
	uint8_t ret[static REPORT_DATA_SIZE])
{
	static const char *const names[] = {"sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512"};
	static const char *const keccaks[] = {"keccak256", "keccak384", "keccak512"};
	static const size_t sizes[] = {32, 48, 64};
	struct cur parts[] = {cur_of(tag, strlen(tag)), cur_of(":", 1), content};
	EVP_MD_CTX *ctx;
	EVP_MD *md = NULL;
	bool ok;

	memset(ret, 0, REPORT_DATA_SIZE);
	for (size_t i = 0; i < sizeof(keccaks) / sizeof(keccaks[0]); i++)
		if (strcmp(algorithm, keccaks[i]) == 0) {
			keccak(sizes[i], parts, 3, ret);
			return true;
		}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(algorithm, names[i]) == 0)
			md = EVP_MD_fetch(NULL, names[i], NULL);
	ctx = EVP_MD_CTX_new();
	ok = md != NULL && ctx != NULL && EVP_DigestInit_ex2(ctx, md, NULL) == 1;
	for (size_t i = 0; ok && i < 3; i++)
		ok = EVP_DigestUpdate(ctx, parts[i].p, parts[i].left) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, ret, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(md);
	return ok;
}

int guest_tappd_tdx_quote(struct guest *g, struct request *r, json_t **ret, struct ratls_error *err)
{
	const char *algorithm = request_text(r, "hash_algorithm"), *prefix = request_text(r, "prefix");
	uint8_t report_data[REPORT_DATA_SIZE];
	struct buf content = {0};
	int rc;

	if (strcmp(algorithm, "raw") == 0)
		return guest_tappd_raw_quote(g, r, ret, err);
	if (*algorithm == '\0')
		algorithm = "sha512";
	if (*prefix == '\0')
		prefix = "app-data";
	request_hex(r, "report_data", &content);
	rc = request_ok(r, err);
	if (rc == RATLS_OK && !tagged_hash(algorithm, prefix, cur_of(content.p, content.len), report_data))
		rc = err_set(err, RATLS_E_ARG, "invalid hash algorithm");
	if (rc == RATLS_OK)
		rc = answer_tappd(g, report_data, algorithm, prefix, ret, err);
	buf_done(&content);
	return rc;
}
