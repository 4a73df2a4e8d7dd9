/* SPDX-License-Identifier: Apache-2.0
 *
 * Endorsements from one JSON object: the form in which verifiers of TDX quotes exchange collateral.
 */
#include "appraisal/endorsements.h"

#include <jansson.h>

#include "base/err.h"

struct member {
	const char *name;
	size_t offset; /* in struct endorsement_items */
	bool optional;
};

#define MEMBER(name) #name, offsetof(struct endorsement_items, name)

static const struct member members[] = {
	{MEMBER(pck_crl_issuer_chain), false},
	{MEMBER(root_ca_crl), false},
	{MEMBER(pck_crl), false},
	{MEMBER(tcb_info_issuer_chain), false},
	{MEMBER(tcb_info), false},
	{MEMBER(tcb_info_signature), false},
	{MEMBER(qe_identity_issuer_chain), false},
	{MEMBER(qe_identity), false},
	{MEMBER(qe_identity_signature), false},
	{MEMBER(pck_certificate_chain), true},
};

/* The items borrow from the object. */
static int read_items(const json_t *object, struct endorsement_items *ret, struct ratls_error *err)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const json_t *v = json_object_get(object, members[i].name);
		struct cur *item = (struct cur *)((char *)ret + members[i].offset);

		if (members[i].optional && (v == NULL || json_is_null(v)))
			*item = cur_of(NULL, 0);
		else if (json_is_string(v))
			*item = cur_of(json_string_value(v), json_string_length(v));
		else
			return err_set(err, RATLS_E_FORMAT,
				"could not read endorsements: \"%s\" is missing or not a text", members[i].name);
	}
	return RATLS_OK;
}

int ratls_endorsements_from_json(const char *json, size_t len,
	const struct ratls_endorsements_options *options, struct ratls_endorsements **ret,
	struct ratls_error *err)
{
	struct endorsement_items items = {.source = "file"};
	json_error_t why;
	json_t *object;
	int rc;

	if (json == NULL || len > 4 * ENDORSEMENTS_ITEM_MAX)
		return err_set(err, json == NULL ? RATLS_E_ARG : RATLS_E_FORMAT,
			"could not read endorsements: there are none, or more than %zu bytes",
			4 * ENDORSEMENTS_ITEM_MAX);
	object = json_loadb(json, len, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(object))
		rc = err_set(err, RATLS_E_FORMAT, "could not read endorsements: line %d: %s", why.line,
			object == NULL ? why.text : "not an object");
	else if ((rc = read_items(object, &items, err)) == RATLS_OK)
		rc = endorsements_new(&items, options, ret, err);
	json_decref(object);
	return rc;
}
