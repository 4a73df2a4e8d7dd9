/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql doctor: what attested connections stand on, probed one by one, each with its remedy.
 */
#include <dlfcn.h>
#include <limits.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "appraisal/appraise.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/err.h"
#include "base/utf8.h"
#include "cli/obtain.h"
#include "cli/target.h"
#include "source/agent.h"
#include "source/fetch.h"
#include "source/http.h"
#include "source/ita.h"
#include "source/place.h"

#define SKEW_MAX     300 /* seconds between two clocks that are both right */
#define ANSWER_MAX   ((size_t)4 << 20)
#define LIBPQ_DIRECT 170000 /* the first libpq with sslnegotiation=direct */
#define DETAIL_MAX   400

struct doctor_config {
	struct cli cli;
	struct appraisal_options appraisal; /* of which policy has no options here */
	struct obtain_options obtain;
};

static const struct opt opts[] = {
	{"pccs", OPT_LIST, offsetof(struct doctor_config, appraisal.pccs), NULL, "URL|none",
		"probe this collateral service, or none; else Intel's"},
	{.name = NULL},
};

static const struct opt_table tables[] = {
	{appraisal_means_rows, offsetof(struct doctor_config, appraisal)},
	{appraisal_self_rows, offsetof(struct doctor_config, appraisal)},
	{appraisal_agent_rows, offsetof(struct doctor_config, appraisal)},
	{obtain_rows, offsetof(struct doctor_config, obtain)},
	{cli_rows, offsetof(struct doctor_config, cli)},
	{.opts = NULL},
};

static const struct opt_program program = {
	.name = "teesql doctor",
	.synopsis = "[OPTION]... [TARGET]",
	.purpose =
		"Probe what attested connections stand on: guest agent, names, collateral or verifier service, clock, "
		"TARGET, key files, libpq.",
	.opts = opts,
	.shared = tables,
};

enum health { HEALTH_OK, HEALTH_NOT_THERE, HEALTH_BAD };

struct finding {
	enum health health;
	enum reason_class class; /* of HEALTH_BAD: the exit code */
	char detail[DETAIL_MAX];
	const char *fix; /* static, or NULL */
};

struct visit {
	const struct doctor_config *config;
	const char *target;
	int64_t their_time; /* of the collateral service's answer, 0 if it gave none */
};

static void found(struct finding *f, enum health health, const char *fix, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void found(struct finding *f, enum health health, const char *fix, const char *fmt, ...)
{
	va_list ap;

	f->health = health;
	f->fix = fix;
	va_start(ap, fmt);
	vsnprintf(f->detail, sizeof(f->detail), fmt, ap);
	va_end(ap);
}

static void failed(struct finding *f, const struct ratls_error *err)
{
	const struct reason_row *row = reason_find(err->reason);

	found(f, HEALTH_BAD, row != NULL ? row->remedy : NULL, "%s", err->message);
	f->class = cli_class(err);
}

/* ---- the probes -------------------------------------------------------------------------------------- */

static void probe_agent(struct visit *v, struct finding *f)
{
	const char *endpoint = appraisal_agent_endpoint(&v->config->appraisal);
	struct ratls_error err = {0};
	struct agent *agent = NULL;
	struct buf info = {0};
	int rc = appraisal_agent(&v->config->appraisal, &agent, &err);

	if (rc == RATLS_OK)
		rc = agent_info(agent, &info, &err);
	if (rc == RATLS_OK)
		found(f, HEALTH_OK, NULL, "%s answers", agent_endpoint(agent));
	else if (endpoint == NULL && err.reason == REASON_AGENT_UNREACHABLE)
		found(f, HEALTH_NOT_THERE, "Only needed where servers require attested clients.",
			"none on this machine");
	else
		failed(f, &err);
	buf_done(&info);
	agent_free(agent);
}

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

static void probe_name(const char *name, struct finding *f)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	size_t used = strlen(f->detail);
	int failure;

	if (f->health == HEALTH_BAD)
		return;
	failure = getaddrinfo(name, NULL, &hints, &list);
	if (failure != 0) {
		found(f, HEALTH_BAD, "Check the name, and the resolver of this machine (/etc/resolv.conf).",
			"could not translate host name \"%.128s\" to address: %s", name, gai_strerror(failure));
		f->class = CLASS_UNREACHABLE;
		return;
	}
	freeaddrinfo(list);
	snprintf(f->detail + used, sizeof(f->detail) - used, "%s%.80s", used > 0 ? ", " : "", name);
	f->health = HEALTH_OK;
}

/* Of the collateral services and of TARGET. */
static void probe_names(struct visit *v, struct finding *f)
{
	struct target target = {.kind = TARGET_FILE};

	f->health = HEALTH_NOT_THERE;
	for (const char *const *url = collateral_urls(v); *url != NULL; url++) {
		const char *host = strstr(*url, "://") != NULL ? strstr(*url, "://") + 3 : *url;
		bool bracket = host[0] == '[';
		char name[256];

		host += bracket;
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(host, bracket ? "]" : ":/?#"), host);
		probe_name(name, f);
	}
	if (has_target(v->target) && target_parse(v->target, &target, NULL) == RATLS_OK)
		for (size_t i = 0; i < target.n_hosts; i++)
			probe_name(target.hosts[i].address[0] != '\0' ? target.hosts[i].address : target.hosts[i].name, f);
	target_done(&target);
	if (f->health == HEALTH_NOT_THERE)
		found(f, HEALTH_NOT_THERE, NULL, "none is asked for");
}

static void probe_collateral(struct visit *v, struct finding *f)
{
	const char *const *urls = collateral_urls(v);
	struct place *place = NULL;
	struct ratls_error err = {0};

	if (!verifies(v, APPRAISED_DCAP)) {
		found(f, HEALTH_NOT_THERE, NULL, "not asked, as --verifier says");
		return;
	}
	if (appraisal_asks_nobody(&v->config->appraisal)) {
		found(f, HEALTH_NOT_THERE, NULL, "not asked, as --pccs says");
		return;
	}
	for (; *urls != NULL; urls++) {
		if (place_new(*urls, NULL, &place, &err) != RATLS_OK)
			break;
		if (ask_collateral(v, place_url(place), &err) == RATLS_OK) {
			found(f, HEALTH_OK, NULL, "%s answers", place_url(place));
			place_free(place);
			return;
		}
		place_free(place);
	}
	failed(f, &err);
	f->fix = "Check the network's way out, or name another service with --pccs.";
}

static void probe_ita(struct visit *v, struct finding *f)
{
	const struct buf intel_root = {0};
	struct ratls_error err = {0};
	struct ratls_ita *ita = NULL;
	int rc;

	if (!verifies(v, APPRAISED_ITA)) {
		found(f, HEALTH_NOT_THERE, NULL, "not asked, as --verifier says");
		return;
	}
	rc = appraisal_ita(&v->config->appraisal, &intel_root, &ita, &err);
	if (rc == RATLS_OK)
		rc = ita_probe(ita, &err);
	if (rc == RATLS_OK)
		found(f, HEALTH_OK, NULL, "%.100s takes the API key, %.100s has keys", ita_url(ita), ita_keys_url(ita));
	else
		failed(f, &err);
	ratls_ita_free(ita);
}

static void probe_clock(struct visit *v, struct finding *f)
{
	int64_t now = clock_now(), skew = now - v->their_time;
	char text[CLOCK_TEXT_SIZE];

	clock_format(now, text);
	if (v->their_time == 0) {
		found(f, HEALTH_NOT_THERE, NULL, "%s, with nothing to compare it with", text);
	} else if (skew > SKEW_MAX || skew < -SKEW_MAX) {
		found(f, HEALTH_BAD,
			"Set this machine's clock: collateral and certificates are judged by it.",
			"%s is %lld seconds off the collateral service's", text, (long long)skew);
		f->class = CLASS_CLOCK;
	} else {
		found(f, HEALTH_OK, NULL, "%s", text);
	}
}

static void probe_target(struct visit *v, struct finding *f)
{
	struct obtained o = {0};
	struct ratls_evidence *evidence = NULL;
	struct ratls_error err = {0};
	int rc;

	if (!has_target(v->target)) {
		found(f, HEALTH_NOT_THERE, NULL, "none is given");
		return;
	}
	rc = obtain(v->target, &v->config->obtain, &v->config->appraisal, &v->config->cli, &o, &err);
	if (rc == RATLS_OK)
		rc = material_evidence(&o.material, &evidence, &err);
	if (rc == RATLS_OK)
		found(f, HEALTH_OK, NULL, "%s presents evidence (\"teesql verify\" appraises it)",
			o.requested);
	else
		failed(f, &err);
	ratls_evidence_free(evidence);
	obtained_done(&o);
}

/* The key that libpq would use. False if the name would be too long. */
static bool key_path(const struct doctor_config *c, char path[static PATH_MAX])
{
	const char *dir = c->appraisal.client_cert, *key = env_get("PGSSLKEY"), *home = getenv("HOME");
	int n;

	if (dir != NULL && strcmp(dir, "auto") != 0 && strcmp(dir, "none") != 0)
		n = snprintf(path, PATH_MAX, "%s/client-key.pem", dir);
	else if (key != NULL)
		n = snprintf(path, PATH_MAX, "%s", key);
	else
		n = snprintf(path, PATH_MAX, "%s/.postgresql/postgresql.key", home != NULL ? home : "");
	return n < PATH_MAX;
}

/* PostgreSQL's own rule: nothing for others, and the group may read what belongs to root. */
static void probe_key(struct visit *v, struct finding *f)
{
	char path[PATH_MAX];
	struct stat st;
	mode_t forbidden;

	if (!key_path(v->config, path) || stat(path, &st) < 0) {
		found(f, HEALTH_NOT_THERE,
			"Only libpq without \"teesql connect\" needs one: \"teesql client-cert\".",
			"no key file");
		return;
	}
	forbidden = st.st_uid == 0 ? S_IRWXO | S_IWGRP | S_IXGRP : S_IRWXO | S_IRWXG;
	if ((st.st_mode & forbidden) != 0) {
		found(f, HEALTH_BAD, "chmod 600 the key: libpq refuses it otherwise.", "%.200s has mode %04o",
			path, (unsigned)st.st_mode & 07777u);
		f->class = CLASS_USAGE;
	} else {
		found(f, HEALTH_OK, NULL, "%.200s has mode %04o", path, (unsigned)st.st_mode & 07777u);
	}
}

static void probe_libpq(struct visit *v, struct finding *f)
{
	void *library = dlopen("libpq.so.5", RTLD_LAZY | RTLD_LOCAL);
	int (*version)(void) = NULL;
	void *symbol = library != NULL ? dlsym(library, "PQlibVersion") : NULL;

	(void)v;
	memcpy(&version, &symbol, sizeof(version));
	if (version == NULL)
		found(f, HEALTH_NOT_THERE, NULL, "none on this machine");
	else if (version() < LIBPQ_DIRECT)
		found(f, HEALTH_OK,
			"sslnegotiation=direct needs libpq 17; \"teesql connect\" works with any.",
			"version %d, negotiates TLS", version() / 10000);
	else
		found(f, HEALTH_OK, NULL, "version %d, also with sslnegotiation=direct", version() / 10000);
	if (library != NULL)
		dlclose(library);
}

/* The clock is compared with what the collateral service said: it comes after it. */
static const struct {
	const char *name;
	void (*probe)(struct visit *v, struct finding *f);
} probes[] = {
	{"guest agent", probe_agent},
	{"names", probe_names},
	{"collateral", probe_collateral},
	{"Intel TA", probe_ita},
	{"clock", probe_clock},
	{"server", probe_target},
	{"client key", probe_key},
	{"libpq", probe_libpq},
};

/* ---- the result -------------------------------------------------------------------------------------- */

static const struct {
	const char *shown, *status;
} marks[] = {
	[HEALTH_OK] = {"ok", "ok"},
	[HEALTH_NOT_THERE] = {"--", "absent"},
	[HEALTH_BAD] = {"FAIL", "failed"},
};

static void say(const struct cli *cli, const char *name, struct finding *f)
{
	utf8_tame(f->detail, strlen(f->detail));
	if (cli->quiet && f->health != HEALTH_BAD)
		return;
	printf("%-5s %-14s %s\n", marks[f->health].shown, name, f->detail);
	if (f->fix != NULL)
		printf("%20s %s\n", "", f->fix);
}

static json_t *finding_json(const char *name, const struct finding *f)
{
	return json_pack("{s:s, s:s, s:s, s:s?}", "probe", name, "status", marks[f->health].status, "detail",
		f->detail, "fix", f->fix);
}

static int examine(struct visit *v)
{
	const struct cli *cli = &v->config->cli;
	json_t *list = cli->json ? json_array() : NULL;
	int result = 0;

	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		struct finding f = {.class = CLASS_ACCEPTED};

		probes[i].probe(v, &f);
		if (result == 0)
			result = (int)f.class;
		if (cli->json)
			json_array_append_new(list, finding_json(probes[i].name, &f));
		else
			say(cli, probes[i].name, &f);
	}
	if (cli->json)
		cli_print_json(json_pack(
			"{s:s, s:i, s:o}", "schema", "teesql.doctor/1", "exit", result, "probes", list));
	return result;
}

static int doctor(const void *config, const char *target)
{
	const struct doctor_config *c = config;
	struct ratls_error err = {0};
	unsigned verifiers;

	if (appraisal_verifiers(&c->appraisal, &verifiers, &err) != RATLS_OK)
		return cli_fail(&c->cli, &err);
	return examine(&(struct visit){.config = c, .target = target});
}

int cmd_doctor(char **argv)
{
	struct doctor_config config = {.cli = {0}};

	return cli_run(&program, argv, &config, 1, doctor);
}
