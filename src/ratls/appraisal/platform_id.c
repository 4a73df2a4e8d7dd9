/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/platform_id.h"

#include <openssl/err.h>

#include "appraisal/pck.h"
#include "appraisal/root.h"
#include "base/err.h"
#include "base/reason.h"
#include "evidence/evidence.h"

static int read_platform(const struct pck *p, struct platform_id *ret, struct ratls_error *err)
{
	struct platform_id id;

	if (!cert_there(&p->leaf))
		return err_reason(err, RATLS_E_FORMAT, REASON_PCK_CHAIN,
			"could not read the PCK certificate: %s", p->chain.detail);
	if (!outcome_passed(&p->extension))
		return err_reason(err, RATLS_E_FORMAT, REASON_PCK_EXTENSION,
			"could not read the PCK certificate: %s", p->extension.detail);
	memcpy(id.fmspc, p->sgx.fmspc, sizeof(id.fmspc));
	memcpy(id.pceid, p->sgx.pceid, sizeof(id.pceid));
	memcpy(id.ppid, p->sgx.ppid, sizeof(id.ppid));
	id.ca = p->sgx.platform ? PLATFORM_CA_PLATFORM : PLATFORM_CA_PROCESSOR;
	*ret = id;
	return RATLS_OK;
}

int platform_id_of_chain(struct cur pem, struct platform_id *ret, struct ratls_error *err)
{
	struct ecdsa_keys keys = {.idle = {NULL}};
	struct pck_known nothing = {.keys = &keys};
	struct pck *p;
	int rc;

	ERR_set_mark();
	p = pck_new(pem, &nothing);
	rc = p != NULL ? read_platform(p, ret, err) : err_set(err, RATLS_E_NOMEM, "out of memory");
	pck_unref(p);
	ecdsa_keys_done(&keys);
	ERR_pop_to_mark();
	return rc;
}

static int check_chain(const struct pck *p, struct ratls_error *err)
{
	const struct outcome *all[] = {&p->chain, &p->signature, &p->extension};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!outcome_passed(all[i]))
			return err_set(err, RATLS_E_FORMAT, "%s", all[i]->detail);
	return RATLS_OK;
}

int platform_id_check_chain(struct cur pem, struct ratls_error *err)
{
	struct ecdsa_keys keys = {.idle = {NULL}};
	struct pck_known nothing = {.keys = &keys};
	struct pck *p;
	int rc;

	ERR_set_mark();
	p = pck_new(pem, &nothing);
	rc = p != NULL ? check_chain(p, err) : err_set(err, RATLS_E_NOMEM, "out of memory");
	pck_unref(p);
	ecdsa_keys_done(&keys);
	ERR_pop_to_mark();
	return rc;
}

int platform_id_of(const struct ratls_evidence *evidence, struct platform_id *ret, struct ratls_error *err)
{
	const struct quote *q = &evidence->quote;

	if (q->certification_type != QUOTE_CERTIFICATION_PCK_CHAIN)
		return err_reason(err, RATLS_E_UNSUPPORTED, REASON_PCK_PRESENT,
			"could not tell the platform: certification data of type %u do not carry its "
			"certificate",
			q->certification_type);
	return platform_id_of_chain(q->certification, ret, err);
}

const char *platform_id_ca(const struct platform_id *id)
{
	static const char *const names[] = {"any", "platform", "processor"};

	return names[id->ca];
}

bool platform_id_is_of_root(struct cur pem, const struct ratls_endorsements_options *options)
{
	struct cur anchor = root_intel();
	struct ecdsa_keys keys = {.idle = {NULL}};
	struct cert root = {0};
	struct pck_known known = {.anchor = &root, .keys = &keys};
	struct pck *p = NULL;
	bool is;

	if (options != NULL && options->insecure_trust_root != NULL)
		anchor = cur_of(options->insecure_trust_root, options->insecure_trust_root_len);
	ERR_set_mark();
	if (root_load(anchor, &keys, &root, NULL) == RATLS_OK)
		p = pck_new(pem, &known);
	is = p != NULL && outcome_passed(&p->chain) && outcome_passed(&p->root) && outcome_passed(&p->signature);
	pck_unref(p);
	cert_done(&root);
	ecdsa_keys_done(&keys);
	ERR_pop_to_mark();
	return is;
}
