/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql verify --at across both edges of everything that has a date, to the second: the program itself, over
 * files of a forged machine of which one item begins, or ends, at one moment and all others hold around it.
 *
 * Usage: test_edges TEESQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "simulator/forge.h"

#define EDGE  INT64_C(1751600000)
#define NAMES 128 /* bytes of a list of rules */

static const char *teesql;
static const uint8_t seed[FORGE_SEED_SIZE] = "edges";

struct dated {
	struct forge_options forge;
	struct forge_leaf leaf;
};

static void root_begins(struct dated *d)
{
	d->forge.pki.cert[FORGE_ROOT].not_before = EDGE;
}

static void root_ends(struct dated *d)
{
	d->forge.pki.cert[FORGE_ROOT].not_after = EDGE;
}

static void pck_ca_begins(struct dated *d)
{
	d->forge.pki.cert[FORGE_PCK_CA].not_before = EDGE;
}

static void pck_ca_ends(struct dated *d)
{
	d->forge.pki.cert[FORGE_PCK_CA].not_after = EDGE;
}

static void pck_begins(struct dated *d)
{
	d->forge.pki.cert[FORGE_PCK].not_before = EDGE;
}

static void pck_ends(struct dated *d)
{
	d->forge.pki.cert[FORGE_PCK].not_after = EDGE;
}

static void signer_begins(struct dated *d)
{
	d->forge.pki.cert[FORGE_TCB_SIGNER].not_before = EDGE;
}

static void signer_ends(struct dated *d)
{
	d->forge.pki.cert[FORGE_TCB_SIGNER].not_after = EDGE;
}

static void root_crl_begins(struct dated *d)
{
	d->forge.pki.crl[FORGE_ROOT_CRL].this_update = EDGE;
}

static void root_crl_ends(struct dated *d)
{
	d->forge.pki.crl[FORGE_ROOT_CRL].next_update = EDGE;
}

static void pck_crl_begins(struct dated *d)
{
	d->forge.pki.crl[FORGE_PCK_CRL].this_update = EDGE;
}

static void pck_crl_ends(struct dated *d)
{
	d->forge.pki.crl[FORGE_PCK_CRL].next_update = EDGE;
}

static void tcb_info_begins(struct dated *d)
{
	d->forge.collateral.tcb_info.document.issued = EDGE;
}

static void tcb_info_ends(struct dated *d)
{
	d->forge.collateral.tcb_info.document.next_update = EDGE;
}

static void qe_identity_begins(struct dated *d)
{
	d->forge.collateral.qe_identity.document.issued = EDGE;
}

static void qe_identity_ends(struct dated *d)
{
	d->forge.collateral.qe_identity.document.next_update = EDGE;
}

static void certificate_begins(struct dated *d)
{
	d->leaf.not_before = EDGE;
}

static void certificate_ends(struct dated *d)
{
	d->leaf.not_after = EDGE;
}

static const struct row {
	const char *name;
	void (*set)(struct dated *d);
	bool begins;
	const char *rules; /* that fail on the wrong side, and no others */
} rows[] = {
	{"the root begins", root_begins, true, "pck.time"},
	{"the root ends", root_ends, false, "pck.time"},
	{"the PCK CA begins", pck_ca_begins, true, "pck.time"},
	{"the PCK CA ends", pck_ca_ends, false, "pck.time"},
	{"the PCK certificate begins", pck_begins, true, "pck.time"},
	{"the PCK certificate ends", pck_ends, false, "pck.time"},
	{"the signer begins", signer_begins, true, "tcbinfo.time qeid.time"},
	{"the signer ends", signer_ends, false, "tcbinfo.time qeid.time"},
	{"the root's CRL begins", root_crl_begins, true, "crl.root.time"},
	{"the root's CRL ends", root_crl_ends, false, "crl.root.time"},
	{"the PCK CRL begins", pck_crl_begins, true, "crl.pck.time"},
	{"the PCK CRL ends", pck_crl_ends, false, "crl.pck.time"},
	{"TCB info begins", tcb_info_begins, true, "tcbinfo.time"},
	{"TCB info ends", tcb_info_ends, false, "tcbinfo.time"},
	{"QE identity begins", qe_identity_begins, true, "qeid.time"},
	{"QE identity ends", qe_identity_ends, false, "qeid.time"},
	{"the peer's certificate begins", certificate_begins, true, "certificate.time"},
	{"the peer's certificate ends", certificate_ends, false, "certificate.time"},
};

/* ---- files --------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/teesql-edges-XXXXXX";

static void path_of(const char *name, char ret[static 64])
{
	snprintf(ret, 64, "%s/%s", folder, name);
}

static void write_file(const char *name, const struct buf *b)
{
	char path[64];
	FILE *f;

	path_of(name, path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(b->p, 1, b->len, f), b->len);
	assert_int_equal(fclose(f), 0);
}

static void write_machine(const struct row *row)
{
	EVP_PKEY *key = forge_key(seed, "leaf");
	struct dated d = {.leaf = {.key = key, .server_auth = true, .now = EDGE}};
	struct forge_chain_made chain = {0};
	struct forge_machine m;
	struct buf collateral = {0};

	forge_defaults(&d.forge, seed, EDGE);
	row->set(&d);
	assert_int_equal(forge_machine_make(&d.forge, &m, NULL), RATLS_OK);
	assert_int_equal(forge_machine_certificate(&m, &d.leaf, &chain, NULL), RATLS_OK);
	assert_int_equal(forge_machine_collateral(&m, &collateral, NULL), RATLS_OK);
	write_file("leaf.der", &chain.cert[0]);
	write_file("collateral.json", &collateral);
	write_file("root.der", &m.pki.cert[FORGE_ROOT]);
	buf_done(&collateral);
	forge_chain_done(&chain);
	forge_machine_done(&m);
	EVP_PKEY_free(key);
}

/* ---- the program --------------------------------------------------------------------------------------- */

/* Its report; the caller drops the reference. */
static json_t *verify_at(int64_t at, int *ret_exit)
{
	char command[1024];
	json_t *report;
	FILE *f;
	int status;

	snprintf(command, sizeof(command),
		"env -i PATH=/usr/bin:/bin ASAN_OPTIONS=\"$ASAN_OPTIONS\" '%s' verify %s/leaf.der "
		"--collateral=%s/collateral.json "
		"--insecure-trust-root=%s/root.der --client-cert=none --at=%lld --json 2>/dev/null",
		teesql, folder, folder, folder, (long long)at);
	f = popen(command, "r"); /* NOLINT(cert-env33-c): the folder is ours */
	assert_non_null(f);
	report = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL);
	status = pclose(f);
	assert_true(WIFEXITED(status));
	*ret_exit = WEXITSTATUS(status);
	assert_non_null(report);
	return report;
}

static void failed_rules(const json_t *report, char ret[static NAMES])
{
	const json_t *check;
	size_t i, len = 0;

	ret[0] = '\0';
	json_array_foreach (json_object_get(report, "checks"), i, check) {
		if (strcmp(json_string_value(json_object_get(check, "status")), "fail") != 0)
			continue;
		len += (size_t)snprintf(ret + len, NAMES - len, "%s%s", len > 0 ? " " : "",
			json_string_value(json_object_get(check, "id")));
		assert_in_range(len, 1, NAMES - 1);
	}
}

static void expect(const struct row *row, int64_t at, int exit, const char *rules)
{
	char failed[NAMES];
	int said;
	json_t *report = verify_at(at, &said);

	failed_rules(report, failed);
	if (said != exit || strcmp(failed, rules) != 0)
		fail_msg("%s, at %+lld s: exit %d, failed \"%s\"", row->name, (long long)(at - EDGE), said,
			failed);
	json_decref(report);
}

static void every_edge_counts_to_the_second(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_machine(&rows[i]);
		expect(&rows[i], EDGE, 0, "");
		expect(&rows[i], rows[i].begins ? EDGE - 1 : EDGE + 1, 7, rows[i].rules);
	}
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"leaf.der", "collateral.json", "root.der"};
	char path[64];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_of(names[i], path);
		unlink(path);
	}
	return rmdir(folder);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_edge_counts_to_the_second),
	};

	if (argc != 2)
		return 2;
	teesql = argv[1];
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
