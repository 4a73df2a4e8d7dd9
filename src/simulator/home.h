/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulator's folder: its seed, its roots for verifiers, its collateral as one file.
 */
#ifndef SIMULATOR_HOME_H
#define SIMULATOR_HOME_H

#include <limits.h>

#include "simulator/forge.h"

struct home {
	char dir[PATH_MAX]; /* "" before home_open */
	bool temporary;
	int lock; /* of the folder, held until the program ends; 0: none */
};

/* Use this folder (made if it is not there), or a new temporary one if dir is NULL. RATLS_E_IO if another simulator
 * uses it: what is written there is what others trust. */
int home_open(struct home *h, const char *dir, struct ratls_error *err);

/* The path of a file in it. RATLS_E_ARG if it is too long. */
int home_path(const struct home *h, const char *file, char ret[static PATH_MAX], struct ratls_error *err);

/* The seed: of hex (may be NULL), else of the folder's file, else a random one that is kept there. */
int home_seed(
	const struct home *h, const char *hex, uint8_t ret[static FORGE_SEED_SIZE], struct ratls_error *err);

/* Write root.pem, kms-root.pem and collateral.json. */
int home_publish(const struct home *h, const struct forge_machine *m, struct ratls_error *err);

/* Remove the folder if it is a temporary one. */
void home_close(struct home *h);

#endif
