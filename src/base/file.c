/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

static int read_all(int fd, const char *path, size_t max, struct buf *ret, struct ratls_error *err)
{
	for (;;) {
		size_t want = max + 1 - ret->len < 65536 ? max + 1 - ret->len : 65536;
		uint8_t *to = buf_reserve(ret, want);
		ssize_t n;

		if (to == NULL)
			return err_set(err, RATLS_E_NOMEM, "out of memory reading \"%s\"", path);
		n = read(fd, to, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, RATLS_E_IO, "could not read \"%s\": %s", path, strerror(errno));
		if (n == 0)
			return RATLS_OK;
		buf_added(ret, (size_t)n);
		if (ret->len > max)
			return err_set(err, RATLS_E_FORMAT, "file \"%s\" is larger than %zu bytes", path, max);
	}
}

int file_read(const char *path, size_t max, struct buf *ret, struct ratls_error *err)
{
	bool standard_input = strcmp(path, "-") == 0;
	int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return err_set(err, RATLS_E_IO, "could not open \"%s\": %s", path, strerror(errno));
	rc = read_all(fd, path, max, ret, err);
	if (!standard_input)
		close(fd);
	if (rc != RATLS_OK)
		buf_done(ret);
	return rc;
}

static int write_all(int fd, const uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_write(const char *path, const void *bytes, size_t len, mode_t mode, struct ratls_error *err)
{
	char temporary[PATH_MAX];
	int fd, rc = RATLS_OK;

	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return err_set(err, RATLS_E_ARG, "file name \"%.64s...\" is too long", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return err_set(err, RATLS_E_IO, "could not create \"%s\": %s", temporary, strerror(errno));
	if (fchmod(fd, mode) < 0 || write_all(fd, bytes, len) < 0 || fsync(fd) < 0)
		rc = err_set(err, RATLS_E_IO, "could not write \"%s\": %s", temporary, strerror(errno));
	close(fd);
	if (rc == RATLS_OK && rename(temporary, path) < 0)
		rc = err_set(err, RATLS_E_IO, "could not rename to \"%s\": %s", path, strerror(errno));
	if (rc != RATLS_OK)
		unlink(temporary);
	return rc;
}
