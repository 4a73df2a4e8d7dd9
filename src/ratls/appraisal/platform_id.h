/* SPDX-License-Identifier: Apache-2.0
 *
 * Which platform a PCK certificate is of: by this, endorsements are asked for and kept.
 */
#ifndef APPRAISAL_PLATFORM_ID_H
#define APPRAISAL_PLATFORM_ID_H

#include "base/cur.h"
#include "ratls.h"

/* The platform that evidence names in its PCK certificate, read without trust: what a source needs to
 * know in order to ask. RATLS_E_FORMAT / RATLS_E_UNSUPPORTED as the certificate is. */
enum platform_ca {
	PLATFORM_CA_ANY, /* nobody knows or cares which platform it is: for endorsements that are there anyway */
	PLATFORM_CA_PLATFORM,
	PLATFORM_CA_PROCESSOR,
};
struct platform_id {
	uint8_t fmspc[6];
	uint8_t pceid[2];
	uint8_t ppid[16];
	enum platform_ca ca; /* whose certificate it is */
};
int platform_id_of(const struct ratls_evidence *evidence, struct platform_id *ret, struct ratls_error *err);
int platform_id_of_chain(struct cur pem, struct platform_id *ret, struct ratls_error *err);

/* Do the certificates hold together (order, roles, signatures) and say of which platform they are, whatever their
 * root? RATLS_E_FORMAT if not. */
int platform_id_check_chain(struct cur pem, struct ratls_error *err);

/* "platform" or "processor", as services call it; "any". Static. */
const char *platform_id_ca(const struct platform_id *id);

/* Is that certificate one of the configured root's (options NULL: Intel's), times and revocation aside? For asking
 * nobody about what anybody can make up. */
bool platform_id_is_of_root(struct cur pem, const struct ratls_endorsements_options *options);

#endif
