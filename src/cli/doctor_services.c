/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql doctor: who answers from elsewhere.
 */
#include "cli/doctor.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "appraisal/appraise.h"
#include "base/env.h"
#include "base/err.h"
#include "cli/target.h"
#include "source/agent.h"
#include "source/fetch.h"
#include "source/http.h"
#include "source/ita.h"
#include "source/place.h"

#define ANSWER_MAX ((size_t)4 << 20)

void doctor_probe_agent(struct visit *v, struct finding *f)
{
	const char *endpoint = appraisal_agent_endpoint(&v->config->appraisal);
	struct ratls_error err = {0};
	struct agent *agent = NULL;
	struct buf info = {0};
	int rc = appraisal_agent(&v->config->appraisal, &agent, &err);

	if (rc == RATLS_OK)
		rc = agent_info(agent, &info, &err);
	if (rc == RATLS_OK)
		doctor_found(f, HEALTH_OK, NULL, "%s answers", agent_endpoint(agent));
	else if (endpoint == NULL && err.reason == REASON_AGENT_UNREACHABLE)
		doctor_found(f, HEALTH_NOT_THERE, "Only needed where servers require attested clients.",
			"none on this machine");
	else
		doctor_failed(f, &err);
	buf_done(&info);
	agent_free(agent);
}

/* Is this one (APPRAISED_...) among those whom --verifier names? */
static bool verifies(const struct visit *v, unsigned which)
{
	unsigned verifiers = 0;

	return appraisal_verifiers(&v->config->appraisal, &verifiers, NULL) == RATLS_OK && (verifiers & which) != 0;
}

/* The services that are asked for collateral, NULL-terminated: none, where --verifier or --pccs says so. */
static const char *const *collateral_urls(const struct visit *v)
{
	static const char *const intel[] = {PCS_INTEL_URL, NULL}, *const nobody[] = {NULL};
	const struct appraisal_options *o = &v->config->appraisal;

	if (!verifies(v, APPRAISED_DCAP) || appraisal_asks_nobody(o))
		return nobody;
	return o->pccs != NULL ? (const char *const *)o->pccs : intel;
}

static bool has_target(const char *target)
{
	return target != NULL || env_get("DATABASE_URL") != NULL || env_get("PGHOST") != NULL;
}

/* ---- names --------------------------------------------------------------------------------------------- */

/* Those who do the same: one with an address is enough, since they are tried in order. */
struct group {
	size_t asked, known;
};

static void look_up(const char *name, struct group *group, struct buf *known, struct buf *unknown)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	int failure = getaddrinfo(name, NULL, &hints, &list);

	group->asked++;
	if (failure != 0) {
		buf_fmt(unknown, "%scould not translate host name \"%.128s\" to address: %s", unknown->len > 0 ? ", " : "",
			name, gai_strerror(failure));
		return;
	}
	freeaddrinfo(list);
	group->known++;
	buf_fmt(known, "%s%.80s", known->len > 0 ? ", " : "", name);
}

static void look_up_services(const struct visit *v, struct group *group, struct buf *known, struct buf *unknown)
{
	for (const char *const *url = collateral_urls(v); *url != NULL; url++) {
		const char *host = strstr(*url, "://") != NULL ? strstr(*url, "://") + 3 : *url;
		bool bracket = host[0] == '[';
		char name[256];

		host += bracket;
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(host, bracket ? "]" : ":/?#"), host);
		look_up(name, group, known, unknown);
	}
}

static void look_up_target(const struct visit *v, struct group *group, struct buf *known, struct buf *unknown)
{
	struct target target = {.kind = TARGET_FILE};

	if (has_target(v->target) && target_parse(v->target, &target, NULL) == RATLS_OK)
		for (size_t i = 0; i < target.n_hosts; i++)
			look_up(target.hosts[i].address[0] != '\0' ? target.hosts[i].address : target.hosts[i].name, group,
				known, unknown);
	target_done(&target);
}

void doctor_probe_names(struct visit *v, struct finding *f)
{
	static const char fix[] = "Check the name, and the resolver of this machine (/etc/resolv.conf).";
	struct group services = {0}, hosts = {0};
	struct buf known = {0}, unknown = {0};
	const char *good, *bad;

	look_up_services(v, &services, &known, &unknown);
	look_up_target(v, &hosts, &known, &unknown);
	buf_u8(&known, 0);
	buf_u8(&unknown, 0);
	good = known.bad ? "" : (const char *)known.p;
	bad = unknown.bad ? "" : (const char *)unknown.p;
	if ((services.asked > 0 && services.known == 0) || (hosts.asked > 0 && hosts.known == 0)) {
		doctor_found(f, HEALTH_BAD, fix, "%s", bad);
		f->class = CLASS_UNREACHABLE;
	} else if (bad[0] != '\0')
		doctor_found(f, HEALTH_WARN, fix, "%s; %s", good, bad);
	else if (good[0] != '\0')
		doctor_found(f, HEALTH_OK, NULL, "%s", good);
	else
		doctor_found(f, HEALTH_NOT_THERE, NULL, "none is asked for");
	buf_done(&known);
	buf_done(&unknown);
}

/* ---- collateral ---------------------------------------------------------------------------------------- */

static int64_t their_time(const struct ratls_http_response *answer)
{
	char *text = http_header(answer, "Date");
	int64_t at = 0;

	if (text == NULL || !http_date(text, &at))
		at = 0;
	free(text);
	return at;
}

/* The PCK CRL of the platform CA: an item that every collateral service has. */
static int ask_collateral(struct visit *v, const char *base, struct ratls_error *err)
{
	struct ratls_http_request request = {
		.method = "GET", .max_body = ANSWER_MAX, .timeout_ms = PCS_TIMEOUT_MS};
	struct ratls_http_response answer = {0};
	char url[1024];
	int rc;

	snprintf(url, sizeof(url), "%s/sgx/certification/v4/pckcrl?ca=platform&encoding=der", base);
	request.url = url;
	rc = fetch_curl(v->config->appraisal.ca_file, &request, &answer, err);
	if (rc != RATLS_OK)
		return err_prefix(err, rc, "%s", base);
	v->their_time = their_time(&answer);
	if (answer.status != 200)
		rc = err_set(err, RATLS_E_UNAVAILABLE, "%s answered with status %ld", base, answer.status);
	http_response_done(&answer);
	return rc;
}

void doctor_probe_collateral(struct visit *v, struct finding *f)
{
	const char *const *urls = collateral_urls(v);
	struct place *place = NULL;
	struct ratls_error err = {0};

	if (!verifies(v, APPRAISED_DCAP)) {
		doctor_found(f, HEALTH_NOT_THERE, NULL, "not asked, as --verifier says");
		return;
	}
	if (appraisal_asks_nobody(&v->config->appraisal)) {
		doctor_found(f, HEALTH_NOT_THERE, NULL, "not asked, as --pccs says");
		return;
	}
	for (; *urls != NULL; urls++) {
		if (place_new(*urls, NULL, &place, &err) != RATLS_OK)
			break;
		if (ask_collateral(v, place_url(place), &err) == RATLS_OK) {
			if (err.code == RATLS_OK)
				doctor_found(f, HEALTH_OK, NULL, "%s answers", place_url(place));
			else
				doctor_found(f, HEALTH_WARN, "Those before it are asked in vain each time: mend them, or leave them out of --pccs.",
					"%.150s answers, but not %s", place_url(place), err.message);
			place_free(place);
			return;
		}
		place_free(place);
	}
	doctor_failed(f, &err);
	f->fix = "Check the network's way out, or name another service with --pccs.";
}

/* ---- and others ---------------------------------------------------------------------------------------- */

void doctor_probe_ita(struct visit *v, struct finding *f)
{
	const struct buf intel_root = {0};
	struct ratls_error err = {0};
	struct ratls_ita *ita = NULL;
	int rc;

	if (!verifies(v, APPRAISED_ITA)) {
		doctor_found(f, HEALTH_NOT_THERE, NULL, "not asked, as --verifier says");
		return;
	}
	rc = appraisal_ita(&v->config->appraisal, &intel_root, &ita, &err);
	if (rc == RATLS_OK)
		rc = ita_probe(ita, &err);
	if (rc == RATLS_OK)
		doctor_found(f, HEALTH_OK, NULL, "%.100s takes the API key, %.100s has keys", ita_url(ita), ita_keys_url(ita));
	else
		doctor_failed(f, &err);
	ratls_ita_free(ita);
}

void doctor_probe_target(struct visit *v, struct finding *f)
{
	struct obtained o = {0};
	struct ratls_evidence *evidence = NULL;
	struct ratls_error err = {0};
	int rc;

	if (!has_target(v->target)) {
		doctor_found(f, HEALTH_NOT_THERE, NULL, "none is given");
		return;
	}
	rc = obtain(v->target, &v->config->obtain, &v->config->appraisal, &v->config->cli, &o, &err);
	if (rc == RATLS_OK)
		rc = material_evidence(&o.material, &evidence, &err);
	if (rc == RATLS_OK)
		doctor_found(f, HEALTH_OK, NULL, "%s presents evidence (\"teesql verify\" appraises it)",
			o.requested);
	else
		doctor_failed(f, &err);
	ratls_evidence_free(evidence);
	obtained_done(&o);
}
