/* SPDX-License-Identifier: Apache-2.0 */
#include "program/appraisal_options.h"

#include <stdio.h>
#include <string.h>

#include "appraisal/pem.h"
#include "appraisal/root.h"
#include "appraisal/policy.h"
#include "base/env.h"
#include "base/err.h"
#include "base/file.h"
#include "base/reason.h"

#define ROOT_FILE_MAX ((size_t)64 << 10)
#define STATUS_MAX    64

#define AT(member) offsetof(struct appraisal_options, member)

const struct opt appraisal_rows[] = {
	{"policy", OPT_STR, AT(policy), NULL, "FILE", "what to accept, as JSON"},
	{"mrtd", OPT_LIST, AT(mrtd), NULL, "HEX", "accept this virtual firmware"},
	{"rtmr0", OPT_LIST, AT(rtmr0), NULL, "HEX", "accept this virtual hardware"},
	{"rtmr1", OPT_LIST, AT(rtmr1), NULL, "HEX", "accept this kernel"},
	{"rtmr2", OPT_LIST, AT(rtmr2), NULL, "HEX", "accept this kernel command line and initrd"},
	{"rtmr3", OPT_LIST, AT(rtmr3), NULL, "HEX", "accept this application"},
	{"compose-hash", OPT_LIST, AT(compose_hash), NULL, "HEX", "accept this compose file"},
	{"app-id", OPT_LIST, AT(app_id), NULL, "HEX", "accept this application id"},
	{"os-image-hash", OPT_LIST, AT(os_image_hash), NULL, "HEX", "accept this image"},
	{"key-provider", OPT_LIST, AT(key_provider), NULL, "HEX", "accept keys from this KMS (SHA-256 of the event's payload)"},
	{"ppid", OPT_LIST, AT(ppid), NULL, "HEX", "accept this platform"},
	{"accept-tcb", OPT_STR, AT(accept_tcb), NULL, "STATUS,...",
		"accept these TCB statuses; if nothing names any, UpToDate and SWHardeningNeeded"},
	{"pccs", OPT_LIST, AT(pccs), NULL, "URL|none",
		"ask this collateral service (URL#timeout=5s: for so long), in order; else Intel's; none: nobody"},
	{"collateral", OPT_STR, AT(collateral), NULL, "FILE", "use the collateral in this file, ask nobody"},
	{"collateral-dir", OPT_STR, AT(collateral_dir), NULL, "DIR", "look here for collateral first"},
	{"cache-dir", OPT_STR, AT(cache_dir), NULL, "DIR|off", "keep collateral that was fetched here"},
	{"insecure-trust-root", OPT_STR, AT(insecure_trust_root), NULL, "FILE",
		"trust this root certificate instead of Intel's"},
	{"insecure-allow-debug", OPT_BOOL, AT(insecure_allow_debug), NULL, NULL,
		"accept machines whose memory their host can read"},
	{"insecure-allow-simulator", OPT_BOOL, AT(insecure_allow_simulator), NULL, NULL,
		"accept a peer without any evidence"},
	{.name = NULL},
};

/* Say where a mistake stands, and give it a number if it has none. */
static int blame(struct ratls_error *err, int rc, int reason, const char *where)
{
	if (err != NULL && err->reason == 0)
		err->reason = reason;
	return err_prefix(err, rc, "%s", where);
}

/* ---- policy ------------------------------------------------------------------------------------------ */

static int load_policy(const char *path, struct ratls_policy **ret, struct ratls_error *err)
{
	struct buf text = {0};
	int rc = file_read(path, POLICY_JSON_MAX, &text, err);

	if (rc != RATLS_OK) {
		blame(err, rc, REASON_FILE, "--policy");
		return rc;
	}
	rc = ratls_policy_from_json((const char *)text.p, text.len, ret, err);
	if (rc != RATLS_OK)
		blame(err, rc, REASON_POLICY_FILE, path);
	buf_done(&text);
	return rc;
}

static int add(struct ratls_policy *policy, const char *name, const char *value, const char *option,
	struct ratls_error *err)
{
	int rc = ratls_policy_add(policy, name, value, err);

	return rc == RATLS_OK ? rc : blame(err, rc, REASON_OPTION, option);
}

static int add_lists(const struct appraisal_options *o, struct ratls_policy *policy, struct ratls_error *err)
{
	const struct {
		char *const *values;
		const char *name, *option;
	} lists[] = {
		{o->mrtd, "mrtd", "--mrtd"},
		{o->rtmr0, "rtmr0", "--rtmr0"},
		{o->rtmr1, "rtmr1", "--rtmr1"},
		{o->rtmr2, "rtmr2", "--rtmr2"},
		{o->rtmr3, "rtmr3", "--rtmr3"},
		{o->compose_hash, "compose_hash", "--compose-hash"},
		{o->app_id, "app_id", "--app-id"},
		{o->os_image_hash, "os_image_hash", "--os-image-hash"},
		{o->key_provider, "key_provider", "--key-provider"},
		{o->ppid, "ppid", "--ppid"},
	};
	int rc = RATLS_OK;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (char *const *v = lists[i].values; v != NULL && *v != NULL && rc == RATLS_OK; v++)
			rc = add(policy, lists[i].name, *v, lists[i].option, err);
	return rc;
}

/* OK is what Intel Trust Authority calls UpToDate. */
static int add_statuses(const char *list, struct ratls_policy *policy, struct ratls_error *err)
{
	int rc = RATLS_OK;

	while (list != NULL && *list != '\0' && rc == RATLS_OK) {
		size_t len = strcspn(list, ",");
		char status[STATUS_MAX];

		snprintf(status, sizeof(status), "%.*s", (int)(len < STATUS_MAX ? len : STATUS_MAX), list);
		rc = add(policy, "tcb_status", strcmp(status, "OK") == 0 ? "UpToDate" : status,
			"--accept-tcb", err);
		list += len + (list[len] == ',');
	}
	return rc;
}

/* What weakens a check is named on the command line, where each start shows it and `production` refuses it
 * (invariant no_silent_downgrade): a policy file alone cannot. */
int appraisal_check_policy(const struct appraisal_options *o, const char *where, const struct ratls_policy *policy,
	struct ratls_error *err)
{
	if (!policy->insecure_allow_debug || o->insecure_allow_debug)
		return RATLS_OK;
	return err_reason(err, RATLS_E_ARG, REASON_POLICY_FILE,
		"%s: insecure_allow_debug counts only together with --insecure-allow-debug", where);
}

bool appraisal_names_policy(const struct appraisal_options *o)
{
	char *const *const lists[] = {o->mrtd, o->rtmr0, o->rtmr1, o->rtmr2, o->rtmr3, o->compose_hash, o->app_id,
		o->os_image_hash, o->key_provider, o->ppid};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (lists[i] != NULL && lists[i][0] != NULL)
			return true;
	return o->policy != NULL || o->accept_tcb != NULL || env_get("EXPECTED_MRTD") != NULL;
}

int appraisal_policy(const struct appraisal_options *o, struct ratls_policy **ret, struct ratls_error *err)
{
	const char *expected = env_get("EXPECTED_MRTD");
	struct ratls_policy *policy = NULL;
	unsigned verifiers;
	int rc = appraisal_verifiers(o, &verifiers, err);

	if (rc == RATLS_OK)
		rc = o->policy != NULL ? load_policy(o->policy, &policy, err)
				       : ratls_policy_new(&policy, err);
	if (rc == RATLS_OK)
		rc = appraisal_check_policy(o, o->policy, policy, err);
	if (rc == RATLS_OK)
		rc = add_lists(o, policy, err);
	if (rc == RATLS_OK)
		rc = add_statuses(o->accept_tcb, policy, err);
	if (rc == RATLS_OK && expected != NULL && policy->mrtd.n == 0)
		rc = add(policy, "mrtd", expected, "EXPECTED_MRTD", err);
	if (rc == RATLS_OK && o->insecure_allow_debug)
		rc = add(policy, "insecure_allow_debug", "yes", "--insecure-allow-debug", err);
	if (rc == RATLS_OK)
		*ret = policy;
	else
		ratls_policy_free(policy);
	return rc;
}

/* ---- the root ------------------------------------------------------------------------------------ */

int appraisal_trust_root(const struct appraisal_options *o, struct buf *ret, struct ratls_error *err)
{
	struct ecdsa_keys keys = {.idle = {NULL}};
	struct buf file = {0};
	struct cert root = {0};
	struct cur text;
	int rc;

	if (o->insecure_trust_root == NULL)
		return RATLS_OK;
	rc = file_read(o->insecure_trust_root, ROOT_FILE_MAX, &file, err);
	if (rc != RATLS_OK)
		return blame(err, rc, REASON_FILE, "--insecure-trust-root");
	text = cur_of(file.p, file.len);
	if (file.len > 0 && file.p[0] == 0x30)
		buf_bytes(ret, file.p, file.len);
	else if (!pem_next(&text, "CERTIFICATE", ret) || pem_next(&text, "CERTIFICATE", ret) || text.bad)
		rc = err_reason(err, RATLS_E_ARG, REASON_FILE, "--insecure-trust-root: \"%s\" is not one certificate in PEM or DER",
			o->insecure_trust_root);
	if (rc == RATLS_OK && ret->bad)
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
	if (rc == RATLS_OK)
		rc = root_load(cur_of(ret->p, ret->len), &keys, &root, err);
	cert_done(&root);
	ecdsa_keys_done(&keys);
	buf_done(&file);
	if (rc != RATLS_OK)
		buf_done(ret);
	return rc;
}
