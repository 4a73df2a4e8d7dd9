/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator/forge.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/hex.h"
#include "simulator/forge_pack.h"
#include "simulator/forge_x509.h"

#define DSTACK      "Dstack"
#define KMS_CA_NAME "Dstack KMS CA"
#define APP_CA_NAME "Dstack App CA"

#define DEFAULT_COMPOSE \
	"{\"manifest_version\":2,\"name\":\"teesql-simulator\",\"runner\":\"docker-compose\"," \
	"\"docker_compose_file\":\"services: {}\\n\",\"kms_enabled\":true,\"public_tcbinfo\":true}"

static struct cur text_cur(const char *text)
{
	return cur_of(text, strlen(text));
}

void forge_defaults(struct forge_options *o, const uint8_t seed[static FORGE_SEED_SIZE], int64_t now)
{
	static const char mrtd[] = "teesql-simulator mrtd", mrseam[] = "teesql-simulator mrseam";

	*o = (struct forge_options){.compose = DEFAULT_COMPOSE, .instance = "default", .event_version = 1};
	memcpy(o->seed, seed, FORGE_SEED_SIZE);
	forge_pki_defaults(&o->pki, seed, now);
	forge_collateral_defaults(&o->collateral, now);
	forge_quote_defaults(&o->quote);
	hash_bytes(HASH_SHA384, mrtd, strlen(mrtd), o->quote.td.mrtd);
	hash_bytes(HASH_SHA384, mrseam, strlen(mrseam), o->quote.td.mrseam);
}

/* ---- identifiers ------------------------------------------------------------------------------- */

static bool make_ids(struct forge_machine *m, const struct forge_options *o)
{
	static const uint8_t none[sizeof(m->app_id)];
	const struct forge_td *td = &o->quote.td;
	struct cur image[] = {cur_of(td->mrtd, 48), text_cur("teesql-simulator image")};
	uint8_t digest[HASH_SHA256_SIZE];
	struct cur instance[] = {text_cur(o->instance), cur_of(m->app_id, sizeof(m->app_id))};

	if (!hash_bytes(HASH_SHA256, o->compose, strlen(o->compose), m->compose_hash) ||
		!hash_parts(HASH_SHA256, image, 2, m->os_image_hash))
		return false;
	memcpy(m->app_id, memcmp(o->app_id, none, sizeof(none)) != 0 ? o->app_id : m->compose_hash,
		sizeof(m->app_id));
	if (!hash_parts(HASH_SHA256, instance, 2, digest))
		return false;
	memcpy(m->instance_id, digest, sizeof(m->instance_id));
	/* MRCONFIGID, version 1 of dstack: 01 || compose hash || zeros. */
	if (m->quote.td.mrconfigid[0] == 0) {
		m->quote.td.mrconfigid[0] = 1;
		memcpy(m->quote.td.mrconfigid + 1, m->compose_hash, sizeof(m->compose_hash));
	}
	return true;
}

static bool make_texts(struct forge_machine *m, const char *compose, EVP_PKEY *kms)
{
	struct buf config = {0}, provider = {0}, spki = {0};

	buf_str(&config, "{\"os_image_hash\":\"");
	hex_append(&config, m->os_image_hash, sizeof(m->os_image_hash));
	buf_str(&config, "\",\"cpu_count\":2,\"memory_size\":2147483648,\"image\":\"teesql-simulator\","
			 "\"spec_version\":1}");
	if (m->chain == FORGE_CHAIN_KMS && forge_key_spki(kms, &spki)) {
		buf_str(&provider, "{\"name\":\"kms\",\"id\":\"");
		hex_append(&provider, spki.p, spki.len);
		buf_str(&provider, "\"}");
	} else {
		buf_str(&provider, "{\"name\":\"none\",\"id\":\"\"}");
	}
	buf_done(&spki);
	m->compose = strdup(compose);
	m->config = buf_take_str(&config);
	m->key_provider = buf_take_str(&provider);
	return m->compose != NULL && m->config != NULL && m->key_provider != NULL;
}

/* ---- event log --------------------------------------------------------------------------------- */

/* What firmware and loader would have measured: enough for every register to have a history. */
static bool log_boot(struct forge_log *log, const bool fixed[static 4])
{
	static const struct {
		uint32_t imr, type;
		const char *name, *payload;
	} boot[] = {
		{0, 0x8000000b, "", "teesql-simulator td hob"},
		{0, FORGE_ACPI_TYPE, "acpi-loader", "ACPI DATA"},
		{0, FORGE_ACPI_TYPE, "acpi-rsdp", "ACPI DATA"},
		{0, FORGE_ACPI_TYPE, "acpi-tables", "ACPI DATA"},
		{0, 0x00000004, "", "separator"},
		{1, 0x80000003, "", "teesql-simulator kernel"},
		{1, 0x80000007, "", "Exit Boot Services Returned with Success"},
		{2, 0x00000006, "", "teesql-simulator command line"},
		{2, 0x00000006, "", "teesql-simulator initrd"},
	};

	for (size_t i = 0; i < sizeof(boot) / sizeof(boot[0]); i++)
		if (!fixed[boot[i].imr] && !forge_log_boot(log, boot[i].imr, boot[i].type, boot[i].name,
						   text_cur(boot[i].payload)))
			return false;
	return true;
}

/* The order in which dstack's guest extends register 3. */
static bool log_runtime(struct forge_machine *m)
{
	uint8_t version = m->event_version;
	struct forge_log *log = &m->log;
	struct cur none = cur_of(NULL, 0);
	bool ok = forge_log_runtime(log, "system-preparing", none, version) &&
		  forge_log_runtime(log, "app-id", cur_of(m->app_id, sizeof(m->app_id)), version) &&
		  forge_log_runtime(
			  log, "compose-hash", cur_of(m->compose_hash, sizeof(m->compose_hash)), version) &&
		  forge_log_runtime(
			  log, "instance-id", cur_of(m->instance_id, sizeof(m->instance_id)), version) &&
		  forge_log_runtime(log, "boot-mr-done", none, version);

	if (m->chain == FORGE_CHAIN_KMS)
		ok = ok &&
			forge_log_runtime(log, "os-image-hash",
				cur_of(m->os_image_hash, sizeof(m->os_image_hash)), version);
	return ok && forge_log_runtime(log, "key-provider", text_cur(m->key_provider), version) &&
		forge_log_runtime(log, "storage-fs", text_cur("ext4"), version) &&
		forge_log_runtime(log, "system-ready", none, version);
}

/* ---- the machine ------------------------------------------------------------------------------- */

static bool kms_root_write(EVP_PKEY *kms, struct buf *ret)
{
	struct forge_ratls_options o = {.organization = DSTACK,
		.cn = KMS_CA_NAME,
		.issuer_organization = DSTACK,
		.issuer_cn = KMS_CA_NAME,
		.key = kms,
		.signer = kms,
		.not_before = FORGE_RATLS_NOT_BEFORE,
		.not_after = FORGE_NOT_AFTER,
		.ca = true,
		.path_length = 1};

	return forge_ratls_write(&o, ret);
}

static int make_machine(const struct forge_options *o, struct forge_machine *m, struct ratls_error *err)
{
	EVP_PKEY *kms = forge_key(o->seed, FORGE_KEY_KMS_ROOT);
	int rc = forge_pki_make(&o->pki, &m->pki, err);

	if (rc == RATLS_OK)
		rc = forge_collateral_make(&o->collateral, &m->pki, &m->collateral, err);
	if (rc != RATLS_OK)
		goto out;
	if (kms == NULL || !kms_root_write(kms, &m->kms_root) || !make_ids(m, o) ||
		!make_texts(m, o->compose, kms) || !log_boot(&m->log, o->fixed_rtmr) ||
		!log_runtime(m))
		rc = err_set(err, RATLS_E_CRYPTO, "could not make the machine's identity");
out:
	EVP_PKEY_free(kms);
	return rc;
}

int forge_machine_make(const struct forge_options *o, struct forge_machine *ret, struct ratls_error *err)
{
	int rc;

	*ret = (struct forge_machine){.quote = o->quote, .event_version = o->event_version,
		.evidence = o->evidence, .chain = o->chain};
	memcpy(ret->seed, o->seed, sizeof(ret->seed));
	memcpy(ret->fixed_rtmr, o->fixed_rtmr, sizeof(ret->fixed_rtmr));
	rc = make_machine(o, ret, err);
	if (rc != RATLS_OK)
		forge_machine_done(ret);
	return rc;
}

void forge_machine_done(struct forge_machine *m)
{
	forge_pki_done(&m->pki);
	forge_collateral_done(&m->collateral);
	forge_log_done(&m->log);
	free(m->compose);
	free(m->config);
	free(m->key_provider);
	buf_done(&m->kms_root);
	*m = (struct forge_machine){0};
}

int forge_machine_collateral(const struct forge_machine *m, struct buf *ret, struct ratls_error *err)
{
	return forge_collateral_json(&m->collateral, &m->pki, ret, err);
}

/* ---- evidence ---------------------------------------------------------------------------------- */

bool forge_machine_measure(const struct forge_machine *m, struct forge_td *ret)
{
	*ret = m->quote.td;
	for (uint32_t i = 0; i < 4; i++)
		if (!m->fixed_rtmr[i] && !forge_log_rtmr(&m->log, i, ret->rtmr[i]))
			return false;
	return true;
}

int forge_machine_quote(const struct forge_machine *m, const uint8_t report_data[static 64], struct buf *ret,
	struct ratls_error *err)
{
	struct forge_quote_options o = m->quote;

	if (!forge_machine_measure(m, &o.td))
		return err_set(err, RATLS_E_CRYPTO, "could not replay the event log");
	memcpy(o.td.report_data, report_data, sizeof(o.td.report_data));
	return forge_quote_write(&o, &m->pki, ret, err);
}

static bool write_envelope(const struct forge_machine *m, struct forge_envelope_options *o, bool strip,
	struct buf *ret)
{
	struct forge_log *stripped;
	bool ok;

	o->log = o->runtime = &m->log;
	if (!strip)
		return forge_envelope_write(o, ret);
	stripped = calloc(1, sizeof(*stripped));
	if (stripped == NULL)
		return false;
	o->log = stripped;
	ok = forge_log_strip(&m->log, stripped) && forge_envelope_write(o, ret);
	forge_log_done(stripped);
	free(stripped);
	return ok;
}

int forge_machine_envelope(const struct forge_machine *m, enum forge_envelope_version version,
	const uint8_t report_data[static 64], bool strip, struct buf *ret, struct ratls_error *err)
{
	struct forge_envelope_options o = {.version = version, .config = m->config};
	struct buf quote = {0};
	int rc = forge_machine_quote(m, report_data, &quote, err);

	if (rc == RATLS_OK) {
		o.quote = cur_of(quote.p, quote.len);
		memcpy(o.report_data, report_data, sizeof(o.report_data));
		if (!write_envelope(m, &o, strip, ret))
			rc = err_set(err, RATLS_E_NOMEM, "could not write the attestation");
	}
	buf_done(&quote);
	return rc;
}

bool forge_ratls_report_data(EVP_PKEY *key, uint8_t ret[static 64])
{
	struct buf spki = {0};
	bool ok = forge_key_spki(key, &spki);
	struct cur parts[] = {text_cur("ratls-cert:"), cur_of(spki.p, spki.len)};

	ok = ok && hash_parts(HASH_SHA512, parts, 2, ret);
	buf_done(&spki);
	return ok;
}

bool forge_machine_aggregate(const struct forge_machine *m, struct forge_aggregate *ret)
{
	struct forge_aggregate a;
	struct forge_td td;
	uint8_t provider[HASH_SHA256_SIZE];

	if (!forge_machine_measure(m, &td) ||
		!hash_bytes(HASH_SHA256, m->key_provider, strlen(m->key_provider), provider))
		return false;
	struct cur system[] = {cur_of(td.mrtd, 48), cur_of(td.rtmr[0], 48), cur_of(td.rtmr[1], 48),
		cur_of(td.rtmr[2], 48), cur_of(provider, sizeof(provider))};
	struct cur aggregated[] = {system[0], system[1], system[2], system[3], cur_of(td.rtmr[3], 48),
		cur_of(td.mrconfigid, 48), cur_of(td.mrowner, 48), cur_of(td.mrownerconfig, 48)};

	/* The device id is the hash of the verified PPID: inside the guest nothing is verified. */
	if (!hash_parts(HASH_SHA256, system, 5, a.mr_system) ||
		!hash_parts(HASH_SHA256, aggregated, 8, a.mr_aggregated) ||
		!hash_bytes(HASH_SHA256, NULL, 0, a.device_id))
		return false;
	*ret = a;
	return true;
}

/* ---- certificates ------------------------------------------------------------------------------ */

/* HKDF of the root scalar with info app_id || purpose. */
static bool derive(const struct forge_machine *m, const char *root_label, const char *purpose,
	uint8_t ret[static FORGE_SCALAR_SIZE])
{
	struct cur info[] = {cur_of(m->app_id, sizeof(m->app_id)), text_cur(purpose)};
	uint8_t root[FORGE_SCALAR_SIZE];

	return forge_scalar(m->seed, root_label, root) && forge_hkdf(root, info, 2, ret);
}

bool forge_machine_app_key(const struct forge_machine *m, uint8_t ret[static FORGE_SCALAR_SIZE])
{
	return derive(m, FORGE_KEY_KMS_K256, "app-key", ret);
}

static EVP_PKEY *app_ca_key(const struct forge_machine *m)
{
	uint8_t scalar[FORGE_SCALAR_SIZE];

	return derive(m, FORGE_KEY_KMS_ROOT, "app-ca", scalar) ? forge_key_of_scalar(scalar) : NULL;
}

/* Extension .9: MessagePack, a struct as an array. */
static bool put_app_info(const struct forge_machine *m, struct buf *b)
{
	struct forge_aggregate a;

	if (!forge_machine_aggregate(m, &a))
		return false;
	pack_array(b, 9);
	pack_bin(b, m->app_id, sizeof(m->app_id));
	pack_bin(b, m->compose_hash, sizeof(m->compose_hash));
	pack_bin(b, m->instance_id, sizeof(m->instance_id));
	pack_bin(b, a.device_id, sizeof(a.device_id));
	pack_bin(b, a.mr_system, sizeof(a.mr_system));
	pack_bin(b, a.mr_aggregated, sizeof(a.mr_aggregated));
	pack_bin(b, m->os_image_hash, sizeof(m->os_image_hash));
	pack_bin(b, m->key_provider, strlen(m->key_provider));
	pack_array(b, 0); /* init script hashes */
	return !b->bad;
}

/* What a leaf's extensions are made of: their bytes must live until it is written. */
struct leaf_parts {
	struct buf app_info, attestation, quote, log;
};

static void leaf_parts_done(struct leaf_parts *p)
{
	buf_done(&p->app_info);
	buf_done(&p->attestation);
	buf_done(&p->quote);
	buf_done(&p->log);
}

static int put_legacy_evidence(const struct forge_machine *m, const uint8_t *report_data, struct leaf_parts *p,
	struct forge_ratls_options *o, struct ratls_error *err)
{
	int rc = forge_machine_quote(m, report_data, &p->quote, err);

	if (rc != RATLS_OK)
		return rc;
	if (!forge_log_json(&m->log, &p->log))
		return err_set(err, RATLS_E_NOMEM, "could not write the event log");
	forge_ratls_payload(o, FORGE_OID_QUOTE, cur_of(p->quote.p, p->quote.len));
	forge_ratls_payload(o, FORGE_OID_EVENT_LOG, cur_of(p->log.p, p->log.len));
	return RATLS_OK;
}

static int put_evidence(const struct forge_machine *m, const struct forge_leaf *leaf, struct leaf_parts *p,
	struct forge_ratls_options *o, struct ratls_error *err)
{
	enum forge_envelope_version version = m->evidence == FORGE_EVIDENCE_V1 ? FORGE_V1 : FORGE_V0;
	uint8_t report_data[64];
	int rc;

	if (leaf->without_evidence || m->evidence == FORGE_EVIDENCE_NONE)
		return RATLS_OK;
	if (!forge_ratls_report_data(leaf->quoted_key != NULL ? leaf->quoted_key : leaf->key, report_data))
		return err_set(err, RATLS_E_CRYPTO, "could not hash the certificate's key");
	if (m->evidence == FORGE_EVIDENCE_LEGACY)
		return put_legacy_evidence(m, report_data, p, o, err);
	rc = forge_machine_envelope(m, version, report_data, true, &p->attestation, err);
	if (rc == RATLS_OK)
		forge_ratls_payload(o, FORGE_OID_ATTESTATION, cur_of(p->attestation.p, p->attestation.len));
	return rc;
}

/* The extensions in dstack's order: .3, .9, .4, then the evidence. */
static int put_payloads(const struct forge_machine *m, const struct forge_leaf *leaf, struct leaf_parts *p,
	struct forge_ratls_options *o, struct ratls_error *err)
{
	if (m->chain == FORGE_CHAIN_KMS)
		forge_ratls_payload(o, FORGE_OID_APP_ID, cur_of(m->app_id, sizeof(m->app_id)));
	if (leaf->app_info) {
		if (!put_app_info(m, &p->app_info))
			return err_set(err, RATLS_E_CRYPTO, "could not write the application's info");
		forge_ratls_payload(o, FORGE_OID_APP_INFO, cur_of(p->app_info.p, p->app_info.len));
	}
	forge_ratls_payload(o, FORGE_OID_USAGE, text_cur("app:custom"));
	return put_evidence(m, leaf, p, o, err);
}

static int write_leaf(const struct forge_machine *m, const struct forge_leaf *leaf, const char *issuer_cn,
	EVP_PKEY *signer, struct buf *ret, struct ratls_error *err)
{
	struct forge_ratls_options o = {.cn = leaf->subject != NULL ? leaf->subject : "",
		.issuer_organization = DSTACK,
		.issuer_cn = issuer_cn,
		.key = leaf->key,
		.signer = signer,
		.not_before = leaf->not_before != 0 ? leaf->not_before : FORGE_RATLS_NOT_BEFORE,
		.not_after = leaf->not_after != 0 ? leaf->not_after : leaf->now + FORGE_RATLS_LIFETIME,
		.alt_names = leaf->alt_names,
		.server_auth = leaf->server_auth,
		.client_auth = leaf->client_auth};
	struct leaf_parts parts = {0};
	int rc = put_payloads(m, leaf, &parts, &o, err);

	if (rc == RATLS_OK && !forge_ratls_write(&o, ret))
		rc = err_set(err, RATLS_E_CRYPTO, "could not write the certificate");
	leaf_parts_done(&parts);
	return rc;
}

static bool write_app_ca(const struct forge_machine *m, EVP_PKEY *key, EVP_PKEY *kms, int64_t now,
	struct buf *ret)
{
	struct forge_ratls_options o = {.organization = DSTACK,
		.cn = APP_CA_NAME,
		.issuer_organization = DSTACK,
		.issuer_cn = KMS_CA_NAME,
		.key = key,
		.signer = kms,
		.not_before = FORGE_RATLS_NOT_BEFORE,
		.not_after = now + FORGE_RATLS_LIFETIME,
		.ca = true,
		.path_length = 0};

	forge_ratls_payload(&o, FORGE_OID_APP_ID, cur_of(m->app_id, sizeof(m->app_id)));
	forge_ratls_payload(&o, FORGE_OID_USAGE, text_cur("app:ca"));
	return forge_ratls_write(&o, ret);
}

int forge_machine_certificate(const struct forge_machine *m, const struct forge_leaf *leaf,
	struct forge_chain_made *ret, struct ratls_error *err)
{
	bool by_kms = m->chain == FORGE_CHAIN_KMS;
	EVP_PKEY *kms = forge_key(m->seed, FORGE_KEY_KMS_ROOT), *app_ca = app_ca_key(m);
	struct forge_chain_made c = {.n = by_kms ? 3 : 2};
	int rc;

	if (kms == NULL || app_ca == NULL)
		rc = err_set(err, RATLS_E_CRYPTO, "could not derive the issuer's key");
	else
		rc = write_leaf(m, leaf, by_kms ? APP_CA_NAME : KMS_CA_NAME, by_kms ? app_ca : kms, &c.cert[0],
			err);
	if (rc == RATLS_OK && by_kms && !write_app_ca(m, app_ca, kms, leaf->now, &c.cert[1]))
		rc = err_set(err, RATLS_E_CRYPTO, "could not write the App CA");
	buf_bytes(&c.cert[c.n - 1], m->kms_root.p, m->kms_root.len);
	if (rc == RATLS_OK)
		*ret = c;
	else
		forge_chain_done(&c);
	EVP_PKEY_free(kms);
	EVP_PKEY_free(app_ca);
	return rc;
}

void forge_chain_done(struct forge_chain_made *c)
{
	for (size_t i = 0; i < sizeof(c->cert) / sizeof(c->cert[0]); i++)
		buf_done(&c->cert[i]);
	c->n = 0;
}
