/* SPDX-License-Identifier: Apache-2.0
 *
 * Who verifies quotes, as the options say: Intel's collateral, Intel Trust Authority, or both.
 */
#include "program/appraisal_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appraisal/appraise.h"
#include "base/err.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/secret.h"
#include "source/fetch.h"
#include "source/ita.h"
#include "source/source.h"
#include "tls/identity.h"

#define KEY_FILE_MAX ((size_t)4 << 10)

#define AT(member) offsetof(struct appraisal_options, member)

const struct opt appraisal_means_rows[] = {
	{"verifier", OPT_CHOICE, AT(verifier), "dcap", "dcap|ita|dcap+ita||ita+dcap|none",
		"who verifies quotes: Intel's collateral, Intel Trust Authority, or both"},
	{"ita-url", OPT_STR, AT(ita_url), NULL, "us|eu|URL", "Intel Trust Authority; without it: us"},
	{"ita-portal", OPT_STR, AT(ita_portal), NULL, "URL",
		"what publishes its keys at /certs; else the region's portal, or --ita-url"},
	{"ita-api-key-file", OPT_STR, AT(ita_api_key_file), NULL, "FILE",
		"its API key; else INTEL_TRUST_AUTHORITY_API_KEY of the environment"},
	{"ita-event-log", OPT_CHOICE, AT(ita_event_log_off), "on", "on|off",
		"show it the event log too, which is replayed here either way"},
	{"insecure-ita-without-nonce", OPT_BOOL, AT(insecure_ita_without_nonce), NULL, NULL,
		"ask for tokens that do not answer one question alone"},
	{"insecure-ita-host", OPT_BOOL, AT(insecure_ita_host), NULL, NULL,
		"let a host that is not Intel's say which quotes are genuine"},
	{"ca-file", OPT_STR, AT(ca_file), NULL, "FILE",
		"certificate authorities for https to these services, in place of the system's"},
	{.name = NULL},
};

/* Some say `none` where they mean that nothing shall be verified: that needs another word here. */
int appraisal_verifiers(const struct appraisal_options *o, unsigned *ret, struct ratls_error *err)
{
	static const unsigned those_of[] = {
		APPRAISED_DCAP, APPRAISED_ITA, APPRAISED_DCAP | APPRAISED_ITA, APPRAISED_DCAP | APPRAISED_ITA, 0};

	if (those_of[o->verifier] == 0)
		return err_reason(err, RATLS_E_ARG, REASON_OPTION,
			"--verifier: \"none\" would verify nothing; to look at evidence use \"teesql "
			"inspect\"");
	*ret = those_of[o->verifier];
	return RATLS_OK;
}

static int check_ca_file(const char *path, struct ratls_error *err)
{
	if (path != NULL && access(path, R_OK) != 0)
		return err_reason(
			err, RATLS_E_IO, REASON_FILE, "--ca-file: could not read \"%s\": %s", path, strerror(errno));
	return RATLS_OK;
}

/* One line; who edits files leaves an end of line behind. */
static int load_key(const char *path, struct buf *ret, struct ratls_error *err)
{
	int rc = file_read(path, KEY_FILE_MAX, ret, err);

	if (rc != RATLS_OK)
		return rc;
	while (ret->len > 0 && (ret->p[ret->len - 1] == '\n' || ret->p[ret->len - 1] == '\r'))
		ret->len--;
	buf_u8(ret, 0);
	return ret->bad ? err_set(err, RATLS_E_NOMEM, "out of memory") : RATLS_OK;
}

/* A host below Intel's domain, with no name of a user in front of it that looks like one. */
static bool is_intels(const char *authority)
{
	static const char domain[] = ".trustauthority.intel.com";
	size_t all = strcspn(authority, "/?#"), len = strcspn(authority, ":/?#"), n = sizeof(domain) - 1;

	return memchr(authority, '@', all) == NULL && memchr(authority, '\\', all) == NULL && len > n &&
	       strncasecmp(authority + len - n, domain, n) == 0;
}

/* Who says which quotes are genuine is a judge. What is no https address ratls_ita_new refuses. */
static int check_judge(const struct appraisal_options *o, const char *option, const char *url, struct ratls_error *err)
{
	if (url == NULL || o->insecure_ita_host || strncasecmp(url, "https://", 8) != 0 || is_intels(url + 8))
		return RATLS_OK;
	return err_reason(err, RATLS_E_ARG, REASON_OPTION,
		"%s: \"%.128s\" is not a host of Intel's, and would say which quotes are genuine (--insecure-ita-host allows it)",
		option, url);
}

int appraisal_ita(const struct appraisal_options *o, const struct buf *root, struct ratls_ita **ret,
	struct ratls_error *err)
{
	struct ratls_ita_options options = {
		.size = sizeof(options),
		.url = o->ita_url,
		.portal = o->ita_portal,
		.api_key = getenv("INTEL_TRUST_AUTHORITY_API_KEY"),
		.fetch = fetch_curl,
		.fetch_self = o->ca_file,
		.no_event_log = o->ita_event_log_off != 0,
		.insecure_no_nonce = o->insecure_ita_without_nonce,
		.insecure_trust_root = root->p,
		.insecure_trust_root_len = root->len,
	};
	struct buf key = {0};
	int rc = check_judge(o, "--ita-url", o->ita_url, err);

	if (rc == RATLS_OK)
		rc = check_judge(o, "--ita-portal", o->ita_portal, err);
	if (rc == RATLS_OK && o->ita_api_key_file != NULL) {
		rc = load_key(o->ita_api_key_file, &key, err);
		options.api_key = (const char *)key.p;
	}
	if (rc == RATLS_OK)
		rc = ratls_ita_new(&options, ret, err);
	secret_buf_done(&key);
	return rc;
}

int appraisal_means_make(const struct appraisal_options *o, enum appraisal_asker asker, struct appraisal_means *ret,
	struct ratls_error *err)
{
	struct appraisal_means m = {.verifiers = 0};
	int rc = appraisal_verifiers(o, &m.verifiers, err);

	if (rc == RATLS_OK)
		rc = check_ca_file(o->ca_file, err);
	if (rc == RATLS_OK)
		rc = appraisal_trust_root(o, &m.root, err);
	if (rc == RATLS_OK && (m.verifiers & APPRAISED_DCAP) != 0)
		rc = appraisal_source(o, asker, &m.root, &m.source, err);
	if (rc == RATLS_OK && (m.verifiers & APPRAISED_ITA) != 0)
		rc = appraisal_ita(o, &m.root, &m.ita, err);
	if (rc == RATLS_OK)
		rc = ratls_verifier_new(m.source, m.ita, &m.verifier, err);
	if (rc == RATLS_OK)
		*ret = m;
	else
		appraisal_means_done(&m);
	return rc;
}

void appraisal_means_stop(struct appraisal_means *m)
{
	if (m->ita != NULL)
		ita_stop(m->ita);
	if (m->source != NULL)
		source_stop(m->source);
}

void appraisal_means_done(struct appraisal_means *m)
{
	ratls_verifier_free(m->verifier);
	ratls_ita_free(m->ita);
	ratls_source_free(m->source);
	buf_done(&m->root);
	*m = (struct appraisal_means){0};
}

/* Who we would be. Whether an agent answers is found when one is asked; only what files and options say is found here. */
static int check_self(const struct appraisal_options *o, struct ratls_error *err)
{
	struct identity *identity = NULL;
	int rc;

	if (o->client_cert == NULL || strcmp(o->client_cert, "auto") == 0)
		return appraisal_check_agent(o, err);
	rc = appraisal_identity(o, &identity, err);
	identity_free(identity);
	return rc;
}

int appraisal_check(const struct appraisal_options *o, enum appraisal_asker asker, struct ratls_error *err)
{
	struct appraisal_options asked = *o;
	struct appraisal_means means = {.verifiers = 0};
	struct ratls_policy *policy = NULL;
	int rc = appraisal_policy(o, &policy, err);

	asked.cache_dir = (char[]){"off"}; /* whoever asks need not be who will use it */
	if (rc == RATLS_OK)
		rc = appraisal_means_make(&asked, asker, &means, err);
	if (rc == RATLS_OK)
		appraisal_means_done(&means);
	if (rc == RATLS_OK)
		rc = check_self(o, err);
	ratls_policy_free(policy);
	return rc;
}
