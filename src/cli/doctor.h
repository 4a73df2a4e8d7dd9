/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql doctor: its probes. Each is given a finding whose class is accepted, and says what it found.
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "cli/obtain.h"

#define DOCTOR_DETAIL_MAX 400

struct doctor_config {
	struct cli cli;
	struct appraisal_options appraisal; /* of which policy has no options here */
	struct obtain_options obtain;
};

enum health { HEALTH_OK, HEALTH_NOT_THERE, HEALTH_WARN, HEALTH_BAD }; /* warn: it works, but not as it is meant to */

struct finding {
	enum health health;
	enum reason_class class; /* of HEALTH_BAD: the exit code */
	char detail[DOCTOR_DETAIL_MAX];
	const char *fix; /* static, or NULL */
};

struct visit {
	const struct doctor_config *config;
	const char *target;
	int64_t their_time; /* of the collateral service's answer, 0 if it gave none */
};

void doctor_found(struct finding *f, enum health health, const char *fix, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void doctor_failed(struct finding *f, const struct ratls_error *err);

/* Who is asked, or looked at, from here. */
void doctor_probe_agent(struct visit *v, struct finding *f);
void doctor_probe_names(struct visit *v, struct finding *f); /* of the collateral services and of TARGET */
void doctor_probe_collateral(struct visit *v, struct finding *f);
void doctor_probe_ita(struct visit *v, struct finding *f);
void doctor_probe_target(struct visit *v, struct finding *f);

/* What is on this machine. */
void doctor_probe_clock(struct visit *v, struct finding *f); /* after the collateral service, which says the time */
void doctor_probe_key(struct visit *v, struct finding *f);
void doctor_probe_libpq(struct visit *v, struct finding *f);

#endif
