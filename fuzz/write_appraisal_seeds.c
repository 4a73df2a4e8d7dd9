/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the seeds of the fuzz targets of appraisal: write-appraisal-seeds FOLDER.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/bundle.h"
#include "simulator/forge.h"

#define NOW INT64_C(1751600000)

static const char *folder;

static void seed(const char *name, const void *bytes, size_t len)
{
	struct ratls_error err;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (file_write(path, bytes, len, 0644, &err) != RATLS_OK) {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
}

static void seed_buf(const char *name, struct buf *b)
{
	seed(name, b->p, b->len);
	buf_done(b);
}

static void seed_text(const char *name, const char *text)
{
	seed(name, text, strlen(text));
}

static void documents(const struct forge_machine *m)
{
	struct buf b = {0};

	seed("tcb_info/tdx", m->collateral.tcb_info.p, m->collateral.tcb_info.len);
	seed("qe_identity/td_qe", m->collateral.qe_identity.p, m->collateral.qe_identity.len);
	forge_tcb_info_envelope(&m->collateral, &b);
	seed_buf("collateral_envelope/tcb_info", &b);
	seed_text("collateral_envelope/other_order", "{\"signature\":\"00ff\",\"tcbInfo\":{\"a\":\"}\\\"\"}}");
	if (forge_machine_collateral(m, &b, NULL) != RATLS_OK)
		exit(1);
	seed_buf("endorsements/development", &b);
}

static void certificates(const struct forge_machine *m, const struct forge_options *o)
{
	struct buf b = {0};

	forge_sgx_write(&o->pki.sgx, &b);
	seed_buf("sgx/platform", &b);
	forge_pki_pck_chain(&m->pki, &b);
	seed_buf("pck/chain", &b);
	seed("cert/root", m->pki.cert[FORGE_ROOT].p, m->pki.cert[FORGE_ROOT].len);
	seed("cert/pck_ca", m->pki.cert[FORGE_PCK_CA].p, m->pki.cert[FORGE_PCK_CA].len);
	seed("cert/pck", m->pki.cert[FORGE_PCK].p, m->pki.cert[FORGE_PCK].len);
	seed("cert/tcb_signer", m->pki.cert[FORGE_TCB_SIGNER].p, m->pki.cert[FORGE_TCB_SIGNER].len);
	seed("crl/root", m->pki.crl[FORGE_ROOT_CRL].p, m->pki.crl[FORGE_ROOT_CRL].len);
	seed("crl/pck", m->pki.crl[FORGE_PCK_CRL].p, m->pki.crl[FORGE_PCK_CRL].len);
}

static void policies(void)
{
	seed_text("policy/empty", "{}");
	seed_text("policy/all",
		"{\"schema\":\"teesql.policy/1\",\"name\":\"n\",\n"
		"\"app_id\":[\"00112233445566778899aabbccddeeff00112233\",\n"
		"{\"value\":\"00112233445566778899aabbccddeeff00112233\",\"from\":1,"
		"\"until\":\"2030-01-01T00:00:00Z\"}],\n"
		"\"tcb_status\":[\"UpToDate\",\"OK\"],\"advisories_allowed\":[\"INTEL-SA-00001\"],\n"
		"\"min_evaluation_data_number\":17,\"max_evidence_age\":\"7d\",\n"
		"\"require_event_log\":true,\"insecure_allow_debug\":false}");
	seed_text("policy/event_log",
		"{\"event_log\":[{\"imr\":3,\"event_type\":134217729,\"digest\":\"\",\"event\":\"n\","
		"\"event_payload\":\"00\"},{\"imr\":1,\"event_type\":1,\"event\":\"\",\"event_payload\":\"\","
		"\"digest\":\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
		"00112233445566778899aabbccddeeff\"}]}");
}

static void bundles(const struct forge_machine *m)
{
	static const char report[] = "{\"schema\":\"teesql.verify/1\"}";
	struct bundle_content c = {.at = NOW, .kind = BUNDLE_QUOTE, .evidence = cur_of("quote", 5)};
	struct ratls_endorsements *endorsements = NULL;
	struct ratls_policy *policy = NULL;
	struct buf b = {0}, json = {0};

	c.report = json_loads(report, 0, NULL);
	if (ratls_policy_new(&policy, NULL) != RATLS_OK || forge_machine_collateral(m, &json, NULL) != RATLS_OK ||
		ratls_endorsements_from_json((const char *)json.p, json.len, NULL, &endorsements, NULL) != RATLS_OK)
		exit(1);
	c.policy = policy;
	if (bundle_write(&c, &b, NULL) != RATLS_OK)
		exit(1);
	seed_buf("bundle/bare", &b);
	c.endorsements = endorsements;
	if (bundle_write(&c, &b, NULL) != RATLS_OK)
		exit(1);
	seed_buf("bundle/collateral", &b);
	buf_done(&json);
	json_decref(c.report);
	ratls_endorsements_free(endorsements);
	ratls_policy_free(policy);
}

/* Changes: see fuzz_appraise.c. */
static void changes(void)
{
	seed("appraise/nothing", "", 1);
	seed("appraise/quote", "\x00\x00\x01\x00\x01", 5);
	seed("appraise/tcb_info", "\x05\x00\x00\x20\x01\x06\x00\x00\x01\x20", 10);
}

int main(int argc, char **argv)
{
	static const uint8_t secret[FORGE_SEED_SIZE] = "fuzz";
	struct forge_options options;
	struct forge_machine machine = {0};

	if (argc != 2)
		return 2;
	folder = argv[1];
	forge_defaults(&options, secret, NOW);
	options.pki.sgx.processor = false;
	options.pki.crl[FORGE_PCK_CRL].revoked_roles = 1u << FORGE_TCB_SIGNER;
	if (forge_machine_make(&options, &machine, NULL) != RATLS_OK)
		return 1;
	documents(&machine);
	certificates(&machine, &options);
	policies();
	changes();
	bundles(&machine);
	forge_machine_done(&machine);
	return 0;
}
