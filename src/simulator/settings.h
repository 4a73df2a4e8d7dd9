/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulator's options, and the machine that they describe.
 */
#ifndef SIMULATOR_SETTINGS_H
#define SIMULATOR_SETTINGS_H

#include "base/log.h"
#include "base/opt.h"
#include "simulator/forge.h"

struct settings {
	char *dir, *socket, *http, *collateral, *seed;
	char *mrtd, *rtmr[3], *compose, *app_id, *instance, *fmspc, *tcb_status, *early_tcb_status;
	bool debug_td;
	enum forge_evidence evidence;
	enum forge_chain chain;
	unsigned pck_is_named;
	int64_t cert_lifetime; /* milliseconds */
	enum log_level log_level;
	enum log_format log_format;
};

extern const struct opt_program settings_program;

/* What the options say of the machine; the collateral is issued a day before now. *ret_compose holds the file
 * of --compose, which ret borrows. RATLS_E_ARG names the option. */
int settings_forge(const struct settings *s, const uint8_t seed[static FORGE_SEED_SIZE], int64_t now,
	struct forge_options *ret, struct buf *ret_compose, struct ratls_error *err);

/* A hexadecimal option of exactly n bytes; untouched if text is NULL. */
int settings_hex(const char *name, const char *text, uint8_t *ret, size_t n, struct ratls_error *err);

#endif
