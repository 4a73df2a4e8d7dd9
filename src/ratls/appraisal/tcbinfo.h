/* SPDX-License-Identifier: Apache-2.0
 *
 * TCB info: which security version numbers Intel has published for a kind of platform, and what it says of
 * each set. "Intel PCS API", TCB info v3.
 */
#ifndef APPRAISAL_TCBINFO_H
#define APPRAISAL_TCBINFO_H

#include "appraisal/levels.h"
#include "appraisal/sgx.h"
#include "base/cur.h"

#define TCBINFO_LEVELS_MAX  256
#define TCBINFO_MODULES_MAX 64
#define TCBINFO_COMPONENTS  SGX_COMPONENTS

struct tcb_level {
	uint8_t sgx[TCBINFO_COMPONENTS];
	uint8_t tdx[TCBINFO_COMPONENTS]; /* zero in SGX documents */
	uint16_t pcesvn;
	struct level_facts facts;
	const json_t *sgx_components, *tdx_components; /* the document's: who can raise which number */
};

struct tdx_module {
	uint8_t version; /* the major one */
	uint8_t mrsigner[48];
	uint8_t attributes[8];
	struct svn_levels levels; /* none for the module of version 0 */
};

struct tcbinfo {
	json_t *json;
	bool tdx; /* else of SGX, which no TDX quote can be judged by */
	int64_t issued, next_update;
	uint8_t fmspc[6], pceid[2];
	int64_t evaluation_data_number;
	struct tdx_module module; /* of TDX modules of version 0 */
	struct tdx_module *modules;
	size_t n_modules;
	struct tcb_level *levels; /* highest first; no two are equal */
	size_t n_levels;
};

/* text is the inner object, its signature verified before. NULL and o says why if anything is malformed. */
struct tcbinfo *tcbinfo_parse(struct cur text, struct outcome *o);
void tcbinfo_free(struct tcbinfo *t);

/* The identity of TDX modules of this major version (1 to 255), NULL if there is none. */
const struct tdx_module *tcbinfo_module(const struct tcbinfo *t, uint8_t version);

#endif
