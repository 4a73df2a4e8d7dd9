/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the seeds of the fuzz targets about tokens of Intel Trust Authority: write-ita-seeds FOLDER.
 */
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "base/file.h"
#include "mint.h"

static const char *folder;

static void seed(const char *name, const char *text)
{
	struct ratls_error err;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (file_write(path, text, strlen(text), 0644, &err) != RATLS_OK) {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
}

static void seed_json(const char *name, const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);

	seed(name, text);
	free(text);
}

static struct quote_td zero_td(void)
{
	static const uint8_t zeros[64];
	struct cur c48 = cur_of(zeros, 48), c16 = cur_of(zeros, 16), c8 = cur_of(zeros, 8);

	return (struct quote_td){.tee_tcb_svn = c16,
		.mrseam = c48,
		.mrsignerseam = c48,
		.seam_attributes = c8,
		.td_attributes = c8,
		.xfam = c8,
		.mrtd = c48,
		.mrconfigid = c48,
		.mrowner = c48,
		.mrownerconfig = c48,
		.rtmr = {c48, c48, c48, c48},
		.report_data = cur_of(zeros, 64)};
}

int main(int argc, char **argv)
{
	struct quote_td td = zero_td();
	struct mint m;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	folder = argv[1];
	mint_init(&m, &td, 1751600000);
	mint_make_keys(&m);
	mint_sign(&m);
	seed("jws/ps384", m.token);
	seed_json("jwks/one", m.jwks);
	seed_json("ita_claims/flat", m.claims);
	mint_nest(&m);
	seed_json("ita_claims/nested", m.claims);
	m.signature = MINT_UNSIGNED;
	m.header_text = "{\"alg\":\"none\",\"kid\":\"key-1\"}";
	mint_sign(&m);
	seed("jws/none", m.token);
	mint_done(&m);
	mint_keys_done();
	return 0;
}
