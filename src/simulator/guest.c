/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator/guest.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/secret.h"
#include "simulator/guest_methods.h"

/* dstack serves DstackGuest at the root, Tappd and Worker below /prpc, where the service's name may be left
 * out. Here they share one listener. */
static const struct {
	const char *service, *name;
	guest_method *run;
} methods[] = {
	{"", "GetTlsKey", guest_get_tls_key},
	{"", "GetKey", guest_get_key},
	{"", "GetQuote", guest_get_quote},
	{"", "Attest", guest_attest},
	{"", "Info", guest_info},
	{"", "Version", guest_version},
	{"", "Sign", guest_sign},
	{"", "Verify", guest_verify},
	{"", "GpuInfo", guest_gpu_info},
	{"", "EmitEvent", guest_emit_event},
	{"Tappd", "DeriveKey", guest_tappd_derive_key},
	{"Tappd", "DeriveK256Key", guest_tappd_derive_k256_key},
	{"Tappd", "TdxQuote", guest_tappd_tdx_quote},
	{"Tappd", "RawQuote", guest_tappd_raw_quote},
	{"Tappd", "Info", guest_info},
	{"Tappd", "Version", guest_version},
	{"Worker", "Info", guest_info},
	{"Worker", "Version", guest_version},
};

int guest_init(struct guest *g, const struct forge_options *options, int64_t cert_lifetime,
	struct ratls_error *err)
{
	uint8_t app[APP_KEY_SIZE], kms[APP_KEY_SIZE];
	int rc;

	*g = (struct guest){.cert_lifetime = cert_lifetime != 0 ? cert_lifetime : FORGE_RATLS_LIFETIME};
	pthread_mutex_init(&g->lock, NULL);
	rc = forge_machine_make(options, &g->machine, err);
	if (rc != RATLS_OK)
		return rc;
	if (!forge_machine_app_key(&g->machine, app) ||
		!forge_scalar(options->seed, FORGE_KEY_KMS_K256, kms) ||
		!app_keys_issue(app, kms, cur_of(g->machine.app_id, sizeof(g->machine.app_id)), &g->keys))
		return err_set(err, RATLS_E_CRYPTO, "could not derive the application's keys");
	return guest_make_demo_cert(g, err);
}

void guest_done(struct guest *g)
{
	forge_machine_done(&g->machine);
	secret_wipe(&g->keys, sizeof(g->keys));
	free(g->demo_cert);
	g->demo_cert = NULL;
	pthread_mutex_destroy(&g->lock);
}

/* Is `name` this method, below or above /prpc? */
static bool is_method(size_t row, bool prpc, const char *name)
{
	const char *service = methods[row].service, *dot = strchr(name, '.');
	size_t n = strlen(service);

	if (prpc != (n > 0))
		return false;
	if (dot != NULL && n > 0 && (size_t)(dot - name) == n && strncmp(name, service, n) == 0)
		name = dot + 1;
	return strcmp(name, methods[row].name) == 0;
}

int guest_call(struct guest *g, const char *path, struct request *request, json_t **ret, struct ratls_error *err)
{
	static const char below[] = "/prpc/";
	bool prpc = strncmp(path, below, strlen(below)) == 0;
	const char *name = path + (prpc ? strlen(below) : strspn(path, "/"));
	int rc;

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (!is_method(i, prpc, name))
			continue;
		pthread_mutex_lock(&g->lock);
		rc = methods[i].run(g, request, ret, err);
		pthread_mutex_unlock(&g->lock);
		return rc;
	}
	return err_set(err, RATLS_E_UNSUPPORTED, "Service not found: %s", name);
}

json_t *guest_json_text(const struct buf *text)
{
	return text->bad ? NULL : json_stringn(text->len > 0 ? (const char *)text->p : "", text->len);
}

json_t *guest_json_hex(const void *bytes, size_t n)
{
	struct buf text = {0};
	json_t *out;

	hex_append(&text, bytes, n);
	out = guest_json_text(&text);
	buf_done(&text);
	return out;
}

int guest_answer(json_t *answer, json_t **ret, struct ratls_error *err)
{
	if (answer == NULL)
		return err_set(err, RATLS_E_NOMEM, "could not write the answer: out of memory");
	*ret = answer;
	return RATLS_OK;
}
