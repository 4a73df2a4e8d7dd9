/* SPDX-License-Identifier: Apache-2.0
 *
 * What the guest says of itself: Info, Version, GpuInfo.
 */
#include <stdlib.h>

#include "base/err.h"
#include "simulator/guest_methods.h"

static json_t *log_json(const struct forge_machine *m)
{
	struct buf text = {0};
	json_t *out = NULL;

	if (forge_log_json(&m->log, &text))
		out = json_loadb((const char *)text.p, text.len, 0, NULL);
	buf_done(&text);
	return out;
}

/* The member tcb_info is itself a text of JSON. */
static json_t *tcb_info_text(const struct forge_machine *m, const struct forge_td *td,
	const struct forge_aggregate *a)
{
	json_t *object = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "mrtd",
		guest_json_hex(td->mrtd, 48), "rtmr0", guest_json_hex(td->rtmr[0], 48), "rtmr1",
		guest_json_hex(td->rtmr[1], 48), "rtmr2", guest_json_hex(td->rtmr[2], 48), "rtmr3",
		guest_json_hex(td->rtmr[3], 48), "mr_aggregated",
		guest_json_hex(a->mr_aggregated, sizeof(a->mr_aggregated)), "os_image_hash",
		guest_json_hex(m->os_image_hash, sizeof(m->os_image_hash)), "compose_hash",
		guest_json_hex(m->compose_hash, sizeof(m->compose_hash)), "device_id",
		guest_json_hex(a->device_id, sizeof(a->device_id)), "event_log", log_json(m), "app_compose",
		m->compose);
	char *text = object != NULL ? json_dumps(object, JSON_INDENT(2)) : NULL;
	json_t *out = text != NULL ? json_string(text) : NULL;

	free(text);
	json_decref(object);
	return out;
}

/* The application's name is in its compose file, if that is JSON at all. */
static json_t *app_name(const struct forge_machine *m)
{
	json_t *compose = json_loads(m->compose, 0, NULL);
	const char *name = json_string_value(json_object_get(compose, "name"));
	json_t *out = json_string(name != NULL ? name : "");

	json_decref(compose);
	return out;
}

int guest_info(struct guest *g, struct request *r, json_t **ret, struct ratls_error *err)
{
	const struct forge_machine *m = &g->machine;
	struct forge_aggregate a;
	struct forge_td td;

	(void)r;
	if (!forge_machine_aggregate(m, &a) || !forge_machine_measure(m, &td))
		return err_set(err, RATLS_E_CRYPTO, "could not replay the event log");
	return guest_answer(
		json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:s, s:s, s:s}", "app_id",
			guest_json_hex(m->app_id, sizeof(m->app_id)), "instance_id",
			guest_json_hex(m->instance_id, sizeof(m->instance_id)), "app_cert", g->demo_cert,
			"tcb_info", tcb_info_text(m, &td, &a), "app_name", app_name(m), "device_id",
			guest_json_hex(a.device_id, sizeof(a.device_id)), "mr_aggregated",
			guest_json_hex(a.mr_aggregated, sizeof(a.mr_aggregated)), "os_image_hash",
			guest_json_hex(m->os_image_hash, sizeof(m->os_image_hash)), "key_provider_info",
			m->key_provider, "compose_hash",
			guest_json_hex(m->compose_hash, sizeof(m->compose_hash)), "vm_config", m->config,
			"cloud_vendor", "", "cloud_product", ""),
		ret, err);
}

int guest_version(struct guest *g, struct request *r, json_t **ret, struct ratls_error *err)
{
	(void)g;
	(void)r;
	return guest_answer(json_pack("{s:s, s:s}", "version", GUEST_DSTACK_VERSION, "rev",
				    "teesql-simulator-" TEESQL_VERSION),
		ret, err);
}

int guest_gpu_info(struct guest *g, struct request *r, json_t **ret, struct ratls_error *err)
{
	(void)g;
	(void)r;
	return guest_answer(json_pack("{s:s}", "attestation", ""), ret, err);
}
