/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql client-cert: what libpq needs to present an attested certificate by itself: sslcert, sslkey and
 * sslrootcert as files, from the guest agent.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/secret.h"
#include "cli/chain.h"
#include "cli/cli.h"
#include "program/appraisal_options.h"
#include "source/agent.h"
#include "tls/identity.h"

struct client_cert_config {
	struct cli cli;
	char *out;
	bool renew;
	struct appraisal_options appraisal; /* of which only the agent has options here */
};

static const struct opt opts[] = {
	{"out", OPT_STR, offsetof(struct client_cert_config, out), ".", "DIR",
		"write the files into this folder"},
	{"renew", OPT_BOOL, offsetof(struct client_cert_config, renew), NULL, NULL,
		"do nothing before two thirds of the certificate's life are over"},
	{.name = NULL},
};

static const struct opt_table tables[] = {
	{appraisal_agent_rows, offsetof(struct client_cert_config, appraisal)},
	{cli_rows, offsetof(struct client_cert_config, cli)},
	{.opts = NULL},
};

static const struct opt_program program = {
	.name = "teesql client-cert",
	.synopsis = "[OPTION]...",
	.purpose =
		"Get an attested certificate from the guest agent, for libpq: client-cert.pem (sslcert),\n"
		"client-key.pem (sslkey) and ra-tls-ca.pem (sslrootcert).",
	.opts = opts,
	.shared = tables,
};

struct paths {
	char certificate[PATH_MAX], key[PATH_MAX], ca[PATH_MAX];
};

/* The three, as they come and as they go. */
struct material_pem {
	struct buf key, chain;
	int64_t not_after;
};

static void paths_of(const char *dir, struct paths *ret)
{
	snprintf(ret->certificate, sizeof(ret->certificate), "%s/client-cert.pem", dir);
	snprintf(ret->key, sizeof(ret->key), "%s/client-key.pem", dir);
	snprintf(ret->ca, sizeof(ret->ca), "%s/ra-tls-ca.pem", dir);
}

/* Key and certificate must belong together before they replace a pair that did. */
static int check_pair(struct material_pem *m, struct ratls_error *err)
{
	struct identity *identity = NULL;
	int rc = identity_from_pem(
		cur_of(m->key.p, m->key.len), cur_of(m->chain.p, m->chain.len), &identity, err);

	if (rc == RATLS_OK)
		m->not_after = identity_not_after(identity);
	identity_free(identity);
	return rc;
}

static int ask_agent(const struct client_cert_config *c, struct material_pem *ret, struct ratls_error *err)
{
	struct agent *agent = NULL;
	int rc = appraisal_agent(&c->appraisal, &agent, err);

	if (rc == RATLS_OK) {
		cli_note(&c->cli, "asking the guest agent at %s", agent_endpoint(agent));
		rc = agent_tls_key(agent, &appraisal_key_request, &ret->key, &ret->chain, err);
	}
	if (rc == RATLS_OK)
		rc = check_pair(ret, err);
	agent_free(agent);
	return rc;
}

/* Certificates of a guest agent may begin in 1975 whenever they were made: their life is counted from the
 * day of the file if that is later. */
static bool is_young(const struct paths *paths, int64_t *ret_not_after)
{
	struct material_pem m = {.not_after = 0};
	struct stat file, ca;
	bool young = false;

	if (stat(paths->certificate, &file) == 0 && stat(paths->ca, &ca) == 0 &&
		file_read(paths->certificate, AGENT_PEM_MAX, &m.chain, NULL) == RATLS_OK &&
		file_read(paths->key, AGENT_PEM_MAX, &m.key, NULL) == RATLS_OK &&
		check_pair(&m, NULL) == RATLS_OK)
		young = clock_now() < m.not_after - (m.not_after - (int64_t)file.st_mtime) / 3;
	*ret_not_after = m.not_after;
	secret_buf_done(&m.key);
	buf_done(&m.chain);
	return young;
}

static int write_files(
	const char *dir, const struct paths *paths, const struct material_pem *m, struct ratls_error *err)
{
	struct chain_last root;
	int rc = chain_last(&m->chain, &root, err);

	if (rc != RATLS_OK)
		return rc;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		rc = err_reason(err, RATLS_E_IO, REASON_FILE, "could not create \"%s\": %s", dir, strerror(errno));
	if (rc == RATLS_OK)
		rc = file_write(paths->key, m->key.p, m->key.len, 0600, err);
	if (rc == RATLS_OK)
		rc = file_write(paths->certificate, m->chain.p, m->chain.len, 0644, err);
	if (rc == RATLS_OK)
		rc = file_write(paths->ca, root.pem, root.pem_len, 0644, err);
	return rc;
}

static void print(
	const struct client_cert_config *c, const struct paths *paths, int64_t not_after, bool written)
{
	char until[CLOCK_TEXT_SIZE];

	clock_format(not_after, until);
	if (c->cli.json) {
		cli_print_json(json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "schema", "teesql.client-cert/1",
			"sslcert", paths->certificate, "sslkey", paths->key, "sslrootcert", paths->ca,
			"not_after", until, "written", written));
		return;
	}
	cli_note(&c->cli, written ? "valid until %s" : "nothing to do: valid until %s", until);
	printf("sslcert=%s sslkey=%s sslrootcert=%s\n", paths->certificate, paths->key, paths->ca);
}

static int client_cert(const void *config, const char *argument)
{
	const struct client_cert_config *c = config;
	struct material_pem m = {.not_after = 0};
	struct ratls_error err = {0};
	struct paths paths = {.key = ""};
	int rc = RATLS_OK;
	bool write;

	(void)argument;
	if (strlen(c->out) > PATH_MAX - 32)
		return cli_fail(&c->cli,
			&(struct ratls_error){.reason = REASON_OPTION, .message = "--out is too long"});
	paths_of(c->out, &paths);
	write = !c->renew || !is_young(&paths, &m.not_after);
	if (write)
		rc = ask_agent(c, &m, &err);
	if (write && rc == RATLS_OK)
		rc = write_files(c->out, &paths, &m, &err);
	if (rc == RATLS_OK)
		print(c, &paths, m.not_after, write);
	secret_buf_done(&m.key);
	buf_done(&m.chain);
	return rc == RATLS_OK ? 0 : cli_fail(&c->cli, &err);
}

int cmd_client_cert(char **argv)
{
	struct client_cert_config config = {.cli = {0}};

	return cli_run(&program, argv, &config, 0, client_cert);
}
