/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql doctor: what is on this machine.
 */
#include "cli/doctor.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/env.h"

#define SKEW_MAX     300 /* seconds between two clocks that are both right */
#define LIBPQ_DIRECT 170000 /* the first libpq with sslnegotiation=direct */

void doctor_probe_clock(struct visit *v, struct finding *f)
{
	int64_t now = clock_now(), skew = now - v->their_time;
	char text[CLOCK_TEXT_SIZE];

	clock_format(now, text);
	if (v->their_time == 0) {
		doctor_found(f, HEALTH_NOT_THERE, NULL, "%s, with nothing to compare it with", text);
	} else if (skew > SKEW_MAX || skew < -SKEW_MAX) {
		doctor_found(f, HEALTH_BAD,
			"Set this machine's clock: collateral and certificates are judged by it.",
			"%s is %lld seconds off the collateral service's", text, (long long)skew);
		f->class = CLASS_CLOCK;
	} else {
		doctor_found(f, HEALTH_OK, NULL, "%s", text);
	}
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
void doctor_probe_key(struct visit *v, struct finding *f)
{
	char path[PATH_MAX];
	struct stat st;
	mode_t forbidden;

	if (!key_path(v->config, path) || stat(path, &st) < 0) {
		doctor_found(f, HEALTH_NOT_THERE,
			"Only libpq without \"teesql connect\" needs one: \"teesql client-cert\".",
			"no key file");
		return;
	}
	forbidden = st.st_uid == 0 ? S_IRWXO | S_IWGRP | S_IXGRP : S_IRWXO | S_IRWXG;
	if ((st.st_mode & forbidden) != 0) {
		doctor_found(f, HEALTH_BAD, "chmod 600 the key: libpq refuses it otherwise.", "%.200s has mode %04o",
			path, (unsigned)st.st_mode & 07777u);
		f->class = CLASS_USAGE;
	} else {
		doctor_found(f, HEALTH_OK, NULL, "%.200s has mode %04o", path, (unsigned)st.st_mode & 07777u);
	}
}

void doctor_probe_libpq(struct visit *v, struct finding *f)
{
	void *library = dlopen("libpq.so.5", RTLD_LAZY | RTLD_LOCAL);
	int (*version)(void) = NULL;
	void *symbol = library != NULL ? dlsym(library, "PQlibVersion") : NULL;

	(void)v;
	memcpy(&version, &symbol, sizeof(version));
	if (version == NULL)
		doctor_found(f, HEALTH_NOT_THERE, NULL, "none on this machine");
	else if (version() < LIBPQ_DIRECT)
		doctor_found(f, HEALTH_OK,
			"sslnegotiation=direct needs libpq 17; \"teesql connect\" works with any.",
			"version %d, negotiates TLS", version() / 10000);
	else
		doctor_found(f, HEALTH_OK, NULL, "version %d, also with sslnegotiation=direct", version() / 10000);
	if (library != NULL)
		dlclose(library);
}
