/* SPDX-License-Identifier: Apache-2.0
 *
 * Endorsements from one JSON object: the form in which verifiers of TDX quotes exchange collateral.
 */
#include "appraisal/endorsed.h"

#include <string.h>

#include "appraisal/endorsement_members.h"
#include "appraisal/json_bytes.h"
#include "base/err.h"

#define MEMBER(name) #name, offsetof(struct endorsement_items, name)

const struct endorsement_member endorsement_members[] = {
	{MEMBER(pck_crl_issuer_chain), false, false},
	{MEMBER(root_ca_crl), false, true},
	{MEMBER(pck_crl), false, true},
	{MEMBER(tcb_info_issuer_chain), false, false},
	{MEMBER(tcb_info), false, false},
	{MEMBER(tcb_info_signature), false, false},
	{MEMBER(qe_identity_issuer_chain), false, false},
	{MEMBER(qe_identity), false, false},
	{MEMBER(qe_identity_signature), false, false},
	{MEMBER(pck_certificate_chain), true, false},
	{NULL, 0, false, false},
};

/* ---- in ---------------------------------------------------------------------------------------------- */

/* The items borrow from the object. */
static int read_items(const json_t *object, struct endorsement_items *ret, struct ratls_error *err)
{
	for (const struct endorsement_member *m = endorsement_members; m->name != NULL; m++) {
		const json_t *v = json_object_get(object, m->name);
		struct cur *item = endorsement_item(ret, m);

		if (m->optional && (v == NULL || json_is_null(v)))
			*item = cur_of(NULL, 0);
		else if (json_is_string(v))
			*item = cur_of(json_string_value(v), json_string_length(v));
		else
			return err_set(err, RATLS_E_FORMAT,
				"could not read endorsements: \"%s\" is missing or not a text", m->name);
	}
	return RATLS_OK;
}

int endorsements_from_object(const json_t *object, const char *source,
	const struct ratls_endorsements_options *options, struct ratls_endorsements **ret,
	struct ratls_error *err)
{
	struct endorsement_items items = {.source = source};
	int rc = read_items(object, &items, err);

	return rc == RATLS_OK ? endorsements_new(&items, options, ret, err) : rc;
}

int ratls_endorsements_from_json(const char *json, size_t len,
	const struct ratls_endorsements_options *options, struct ratls_endorsements **ret,
	struct ratls_error *err)
{
	struct ratls_error why;
	json_t *object;
	int rc;

	if (json == NULL || len > ENDORSEMENTS_JSON_MAX)
		return err_set(err, json == NULL ? RATLS_E_ARG : RATLS_E_FORMAT,
			"could not read endorsements: there are none, or more than %zu bytes",
			ENDORSEMENTS_JSON_MAX);
	object = json_read(cur_of(json, len), &why);
	if (object == NULL)
		return err_set(err, why.code, "could not read endorsements: %s", why.message);
	if (!json_is_object(object))
		rc = err_set(err, RATLS_E_FORMAT, "could not read endorsements: not an object");
	else
		rc = endorsements_from_object(object, "file", options, ret, err);
	json_decref(object);
	return rc;
}

/* ---- out --------------------------------------------------------------------------------------------- */

/* JSON's texts hold no zero here: its readers refuse it. */
static json_t *text_json(struct cur item)
{
	return memchr(item.p, 0, item.left) == NULL ? json_stringn((const char *)item.p, item.left) : NULL;
}

int endorsements_object(const struct ratls_endorsements *e, json_t **ret, struct ratls_error *err)
{
	struct endorsement_items items = e->endorsed->items;
	json_t *object = json_object();

	items.pck_certificate_chain = endorsements_pck_chain(e);
	for (const struct endorsement_member *m = endorsement_members; m->name != NULL; m++) {
		struct cur item = endorsement_item_of(&items, m);
		json_t *value = text_json(item);

		if (m->optional && item.left == 0) {
			json_decref(value);
			continue;
		}
		if (value == NULL && m->is_crl)
			value = json_of_hex(item);
		if (json_object_set_new(object, m->name, value) != 0) {
			json_decref(object);
			return err_set(err, RATLS_E_FORMAT,
				"could not write endorsements: \"%s\" is not text", m->name);
		}
	}
	*ret = object;
	return RATLS_OK;
}
