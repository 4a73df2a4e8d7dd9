/* SPDX-License-Identifier: Apache-2.0
 *
 * Intel's provisioning certification service, version 4, for one platform: TCB info, QE identity and CRLs
 * below /sgx/certification/v4 and /tdx/certification/v4, their issuer chains in headers.
 */
#ifndef SIMULATOR_COLLATERAL_HTTP_H
#define SIMULATOR_COLLATERAL_HTTP_H

#include "simulator/forge.h"
#include "simulator/http.h"

struct collateral_service {
	const struct forge_pki *pki; /* with the platform CA */
	struct forge_pki processor;  /* the same root with the processor CA, which has certified nobody here */
	uint8_t fmspc[6];
	struct forge_collateral tdx, sgx;
	struct forge_collateral early; /* of tdx, once an announced TCB recovery is the standard */
};

/* The documents that these options describe, and their SGX counterparts; the early ones give the platform another
 * status, and have the next number. pki must outlive the service. */
int collateral_service_init(struct collateral_service *s, const struct forge_collateral_options *options,
	const char *early_status, const struct forge_pki *pki, struct ratls_error *err);
void collateral_service_done(struct collateral_service *s);

/* self is a struct collateral_service. */
http_handler collateral_http;

#endif
