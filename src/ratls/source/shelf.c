/* SPDX-License-Identifier: Apache-2.0 */
#include "source/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appraisal/endorsements.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/reason.h"
#include "source/collateral.h"

#define NAME_SIZE 64
#define HEX       "0123456789abcdef"

struct shelf {
	int dir;
};

static int refuse(const char *path, const char *why, struct ratls_error *err)
{
	return err_reason(
		err, RATLS_E_IO, REASON_CACHE_DIR, "could not use \"%s\" for collateral: %s", path, why);
}

static int check_folder(int dir, const char *path, struct ratls_error *err)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return refuse(path, strerror(errno), err);
	if (st.st_uid != geteuid())
		return refuse(path, "it belongs to somebody else", err);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return refuse(path, "others may write to it", err);
	return RATLS_OK;
}

int shelf_new(const char *path, struct shelf **ret, struct ratls_error *err)
{
	struct shelf *s;
	int dir, rc;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return refuse(path, strerror(errno), err);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return refuse(path, strerror(errno), err);
	rc = check_folder(dir, path, err);
	s = rc == RATLS_OK ? malloc(sizeof(*s)) : NULL;
	if (s == NULL) {
		close(dir);
		return rc == RATLS_OK ? err_set(err, RATLS_E_NOMEM, "out of memory") : rc;
	}
	s->dir = dir;
	*ret = s;
	return RATLS_OK;
}

void shelf_free(struct shelf *s)
{
	if (s == NULL)
		return;
	close(s->dir);
	free(s);
}

/* "0d57ac000000-platform.json" */
static void name_of(const struct platform_id *platform, char ret[static NAME_SIZE])
{
	char fmspc[2 * sizeof(platform->fmspc) + 1];

	hex_encode(platform->fmspc, sizeof(platform->fmspc), fmspc);
	snprintf(ret, NAME_SIZE, "%s-%s.json", fmspc, platform_id_ca(platform));
}

/* ---- in ------------------------------------------------------------------------------------------------ */

static bool read_label(const json_t *object, struct shelf_label *ret)
{
	const json_t *time = json_object_get(object, "fetched");
	const char *source = json_string_value(json_object_get(object, "source"));

	return json_is_string(time) && source != NULL &&
	       clock_parse_utc(json_string_value(time), json_string_length(time), &ret->fetched) &&
	       (ret->source = strdup(source)) != NULL;
}

static int read_file(const struct buf *text, const struct ratls_endorsements_options *options,
	struct ratls_endorsements **ret, struct shelf_label *ret_label, struct ratls_error *err)
{
	json_t *object = json_loadb((const char *)text->p, text->len, JSON_REJECT_DUPLICATES, NULL);
	struct buf shown = {0};
	char *source = NULL;
	int rc = RATLS_OK;

	if (!json_is_object(object) || !read_label(object, ret_label))
		rc = err_set(err, RATLS_E_FORMAT, "it is damaged");
	if (rc == RATLS_OK) {
		buf_fmt(&shown, "%s (cached)", ret_label->source);
		source = buf_take_str(&shown);
		rc = endorsements_from_object(object, source, options, ret, err);
	}
	free(source);
	json_decref(object);
	return rc;
}

int shelf_load(const struct shelf *s, const struct platform_id *platform,
	const struct ratls_endorsements_options *options, struct ratls_endorsements **ret,
	struct shelf_label *ret_label, struct ratls_error *err)
{
	struct ratls_endorsements *e = NULL;
	struct shelf_label label = {.source = NULL};
	struct ratls_error why = {0};
	struct buf text = {0};
	char name[NAME_SIZE];
	int rc;

	name_of(platform, name);
	rc = file_read_own(s->dir, name, ENDORSEMENTS_JSON_MAX, &text, &why);
	if (rc == RATLS_OK)
		rc = read_file(&text, options, &e, &label, &why);
	if (rc == RATLS_OK)
		rc = endorsements_check(e, platform, &why);
	buf_done(&text);
	if (rc != RATLS_OK) {
		ratls_endorsements_free(e);
		free(label.source);
		return err_reason(
			err, RATLS_E_UNAVAILABLE, REASON_COLLATERAL_UNAVAILABLE, "%s: %s", name, why.message);
	}
	*ret = e;
	*ret_label = label;
	return RATLS_OK;
}

/* ---- out ----------------------------------------------------------------------------------------------- */

/* Nothing, or what file_write_at appends while it writes: an interrupted one leaves it behind. */
static bool ends_ours(const char *rest)
{
	return *rest == '\0' || (*rest == '.' && strspn(rest + 1, HEX) == 8 && rest[9] == '\0');
}

/* Only names that name_of makes: the folder may be one where others of our user keep something too. */
static bool is_ours(const char *name)
{
	static const char *const kinds[] = {"-platform.json", "-processor.json"};
	const size_t fmspc = 2 * sizeof(((struct platform_id *)NULL)->fmspc);

	if (strspn(name, HEX) != fmspc)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strncmp(name + fmspc, kinds[i], strlen(kinds[i])) == 0)
			return ends_ours(name + fmspc + strlen(kinds[i]));
	return false;
}

/* Removes the oldest file if there are too many. */
static void prune(const struct shelf *s)
{
	char oldest[NAME_MAX + 1] = "";
	struct timespec since = {0};
	int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *d;
	struct stat st;
	size_t n = 0;

	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((d = readdir(dir)) != NULL) {
		if (!is_ours(d->d_name) || fstatat(s->dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISREG(st.st_mode))
			continue;
		n++;
		if (oldest[0] != '\0' &&
			(st.st_mtim.tv_sec > since.tv_sec ||
				(st.st_mtim.tv_sec == since.tv_sec && st.st_mtim.tv_nsec >= since.tv_nsec)))
			continue;
		snprintf(oldest, sizeof(oldest), "%s", d->d_name);
		since = st.st_mtim;
	}
	closedir(dir);
	if (n > SHELF_FILES_MAX)
		unlinkat(s->dir, oldest, 0);
}

int shelf_store(const struct shelf *s, const struct platform_id *platform, const struct ratls_endorsements *e,
	int64_t fetched, struct ratls_error *err)
{
	struct buf text = {0};
	char name[NAME_SIZE];
	int rc = collateral_write(e, fetched, &text, err);

	name_of(platform, name);
	if (rc == RATLS_OK)
		rc = file_write_at(s->dir, name, text.p, text.len, 0600, err);
	buf_done(&text);
	if (rc == RATLS_OK)
		prune(s);
	return rc;
}
