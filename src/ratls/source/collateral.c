/* SPDX-License-Identifier: Apache-2.0 */
#include "source/collateral.h"

#include <stdlib.h>

#include "appraisal/json_bytes.h"
#include "appraisal/platform_id.h"
#include "appraisal/slice.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/reason.h"

static struct cur whole(const struct buf *b)
{
	return cur_of(b->p, b->len);
}

static int slice(const struct buf *envelope, const char *name, struct cur *ret_object,
	struct cur *ret_signature, struct ratls_error *err)
{
	struct ratls_error why = {0};

	if (slice_envelope(whole(envelope), name, ret_object, ret_signature, &why) == RATLS_OK)
		return RATLS_OK;
	return err_reason(
		err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE, "%s: %s", name, why.message);
}

int collateral_from_answers(const struct pcs_answers *answers, const char *source,
	const struct ratls_endorsements_options *options, struct ratls_endorsements **ret,
	struct ratls_error *err)
{
	struct endorsement_items items = {
		.pck_crl_issuer_chain = whole(&answers->pck_crl_chain),
		.root_ca_crl = whole(&answers->root_ca_crl),
		.pck_crl = whole(&answers->pck_crl),
		.tcb_info_issuer_chain = whole(&answers->tcb_info_chain),
		.qe_identity_issuer_chain = whole(&answers->qe_identity_chain),
		.pck_certificate_chain = cur_of(NULL, 0),
		.source = source,
	};
	int rc = slice(&answers->tcb_info, "tcbInfo", &items.tcb_info, &items.tcb_info_signature, err);

	if (rc == RATLS_OK)
		rc = slice(&answers->qe_identity, "enclaveIdentity", &items.qe_identity,
			&items.qe_identity_signature, err);
	return rc == RATLS_OK ? endorsements_new(&items, options, ret, err) : rc;
}

int collateral_from_file(const char *path, const struct ratls_endorsements_options *options,
	struct ratls_endorsements **ret, struct ratls_error *err)
{
	struct ratls_error why = {0};
	struct buf text = {0};
	int rc = file_read(path, ENDORSEMENTS_JSON_MAX, &text, &why);

	if (rc == RATLS_OK) {
		rc = ratls_endorsements_from_json((const char *)text.p, text.len, options, ret, &why);
		if (rc != RATLS_OK)
			err_prefix(&why, rc, "%s", path);
	}
	buf_done(&text);
	if (rc == RATLS_OK || rc == RATLS_E_NOMEM)
		return rc == RATLS_OK ? rc : err_set(err, rc, "%s", why.message);
	return err_reason(err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_FILE, "%s", why.message);
}

int collateral_from_directory(const char *directory, const struct platform_id *platform,
	const struct ratls_endorsements_options *options, struct ratls_endorsements **ret,
	struct ratls_error *err)
{
	struct buf path = {0};
	char *name;
	int rc;

	buf_fmt(&path, "%s/", directory);
	hex_append(&path, platform->fmspc, sizeof(platform->fmspc));
	buf_str(&path, ".json");
	name = buf_take_str(&path);
	if (name == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	rc = collateral_from_file(name, options, ret, err);
	free(name);
	return rc;
}

int collateral_write(
	const struct ratls_endorsements *e, int64_t fetched, struct buf *ret, struct ratls_error *err)
{
	char time[CLOCK_TEXT_SIZE];
	json_t *object = NULL;
	int rc = endorsements_object(e, &object, err);

	if (rc != RATLS_OK)
		return rc;
	clock_format(fetched, time);
	if (json_object_set_new(object, "fetched", json_string(time)) != 0 ||
		json_object_set_new(object, "source", json_string(endorsements_source(e))) != 0)
		ret->bad = true;
	json_append(object, JSON_INDENT(1), ret);
	buf_u8(ret, '\n');
	if (ret->bad)
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
	json_decref(object);
	return rc;
}
