/* SPDX-License-Identifier: Apache-2.0
 *
 * The SGX extension of a PCK certificate, 1.2.840.113741.1.13.1: which platform it is, and its security
 * version numbers (SVN). Intel, "PCK Certificate and Certificate Revocation List Profile Specification",
 * section 1.3.5.
 */
#ifndef APPRAISAL_SGX_H
#define APPRAISAL_SGX_H

#include <stdint.h>

#include "appraisal/outcome.h"
#include "base/cur.h"

#define SGX_COMPONENTS 16

struct sgx_extension {
	uint8_t ppid[16];
	uint8_t pceid[2];
	uint8_t fmspc[6];
	uint8_t svn[SGX_COMPONENTS];
	uint16_t pcesvn;
	bool platform; /* issued by the Platform CA: carries instance id and configuration */
};

/* From the extension's value; ret is untouched on failure. */
bool sgx_read(struct cur value, struct sgx_extension *ret, struct outcome *o);

#endif
