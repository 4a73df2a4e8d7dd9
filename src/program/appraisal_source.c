/* SPDX-License-Identifier: Apache-2.0 */
#include "program/appraisal_options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/reason.h"
#include "source/fetch.h"

/* XDG Base Directory Specification: an absolute path, else it does not count; folders are made when something
 * is kept in them. False if there is no place. */
static bool user_folder(char ret[static PATH_MAX])
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char base[PATH_MAX - 16];

	if (cache != NULL && cache[0] == '/')
		(void)snprintf(base, sizeof(base), "%s", cache);
	else if (home != NULL && home[0] == '/')
		(void)snprintf(base, sizeof(base), "%.*s/.cache", PATH_MAX - 32, home);
	else
		return false;
	(void)mkdir(base, 0700);
	(void)snprintf(ret, PATH_MAX, "%s/teesql", base);
	return true;
}

/* systemd.exec(5): CacheDirectory= may name several. */
static bool service_folder(char ret[static PATH_MAX])
{
	const char *list = getenv("CACHE_DIRECTORY");
	size_t len = list != NULL ? strcspn(list, ":") : 0;

	if (len == 0 || len >= PATH_MAX)
		return false;
	memcpy(ret, list, len);
	ret[len] = '\0';
	return true;
}

static const char *usual_folder(enum appraisal_asker asker, char buffer[static PATH_MAX])
{
	if (service_folder(buffer) || (asker != ASKER_DAEMON && user_folder(buffer)))
		return buffer;
	return NULL;
}

bool appraisal_asks_nobody(const struct appraisal_options *o)
{
	return o->pccs != NULL && strcmp(o->pccs[0], "none") == 0 && o->pccs[1] == NULL;
}

static int make(const struct ratls_source_options *options, struct ratls_source **ret, struct ratls_error *err)
{
	int rc = ratls_source_new(options, ret, err);

	if (rc == RATLS_E_ARG && err != NULL && err->reason == 0)
		err->reason = REASON_OPTION;
	return rc;
}

int appraisal_source(const struct appraisal_options *o, enum appraisal_asker asker, const struct buf *root,
	struct ratls_source **ret, struct ratls_error *err)
{
	static const char *const nobody[] = {NULL};
	struct ratls_source_options options = {
		.size = sizeof(options),
		.urls = appraisal_asks_nobody(o) ? nobody : (const char *const *)o->pccs,
		.directory = o->collateral_dir,
		.collateral = o->collateral,
		.insecure_trust_root = root->p,
		.insecure_trust_root_len = root->len,
		.fetch = fetch_curl,
		.fetch_self = o->ca_file,
		.one_shot = asker == ASKER_ONCE,
	};
	char folder[PATH_MAX];
	struct stat file;

	/* Nobody waits for the first connection to hear of a wrong name. */
	if (o->collateral != NULL && (access(o->collateral, R_OK) != 0 || stat(o->collateral, &file) != 0))
		return err_reason(err, RATLS_E_IO, REASON_FILE, "could not read \"%s\": %s", o->collateral,
			strerror(errno));
	if (o->collateral != NULL && S_ISDIR(file.st_mode))
		return err_reason(err, RATLS_E_IO, REASON_FILE, "\"%s\" is a folder (--collateral-dir takes one)",
			o->collateral);
	if (o->cache_dir != NULL) {
		options.cache_dir = strcmp(o->cache_dir, "off") != 0 ? o->cache_dir : NULL;
		return make(&options, ret, err);
	}
	options.cache_dir = usual_folder(asker, folder);
	if (make(&options, ret, NULL) == RATLS_OK)
		return RATLS_OK;
	/* A folder that nobody asked for is a convenience: without it, it goes as well. */
	options.cache_dir = NULL;
	return make(&options, ret, err);
}
