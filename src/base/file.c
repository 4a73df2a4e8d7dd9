/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/reason.h"

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
			return err_reason(err, RATLS_E_IO, REASON_FILE, "could not read \"%s\": %s", path, strerror(errno));
		if (n == 0)
			return RATLS_OK;
		buf_added(ret, (size_t)n);
		if (ret->len > max)
			return err_reason(err, RATLS_E_FORMAT, REASON_FILE, "file \"%s\" is larger than %zu bytes", path, max);
	}
}

int file_read(const char *path, size_t max, struct buf *ret, struct ratls_error *err)
{
	bool standard_input = strcmp(path, "-") == 0;
	int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return err_reason(err, RATLS_E_IO, REASON_FILE, "could not open \"%s\": %s", path, strerror(errno));
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

static int check_own(int fd, const char *name, struct ratls_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_reason(err, RATLS_E_IO, REASON_FILE, "could not look at \"%s\": %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_reason(err, RATLS_E_IO, REASON_FILE, "\"%s\" is not a regular file", name);
	if (st.st_uid != geteuid())
		return err_reason(err, RATLS_E_IO, REASON_FILE, "\"%s\" belongs to somebody else", name);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_reason(err, RATLS_E_IO, REASON_FILE, "\"%s\" may be written by others", name);
	return RATLS_OK;
}

int file_read_own(int dir, const char *name, size_t max, struct buf *ret, struct ratls_error *err)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY), rc;

	if (fd < 0)
		return err_reason(err, RATLS_E_IO, REASON_FILE, "could not open \"%s\": %s", name, strerror(errno));
	rc = check_own(fd, name, err);
	if (rc == RATLS_OK)
		rc = read_all(fd, name, max, ret, err);
	close(fd);
	if (rc != RATLS_OK)
		buf_done(ret);
	return rc;
}

/* A new file beside path, whose name goes to ret. -1 if there can be none. */
static int create_beside(int dir, const char *path, mode_t mode, char ret[static PATH_MAX])
{
	int fd = -1;

	for (int tries = 0; fd < 0 && tries < 100; tries++) {
		uint32_t random = 0;

		if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
			random = (uint32_t)getpid() + (uint32_t)tries;
		if (snprintf(ret, PATH_MAX, "%s.%08x", path, random) >= PATH_MAX)
			errno = ENAMETOOLONG;
		else
			fd = openat(dir, ret, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	return fd;
}

int file_write_at(
	int dir, const char *path, const void *bytes, size_t len, mode_t mode, struct ratls_error *err)
{
	char temporary[PATH_MAX];
	int fd = create_beside(dir, path, mode, temporary), rc = RATLS_OK;

	if (fd < 0)
		return err_reason(err, RATLS_E_IO, REASON_FILE, "could not create a file beside \"%s\": %s", path, strerror(errno));
	if (fchmod(fd, mode) < 0 || write_all(fd, bytes, len) < 0 || fsync(fd) < 0)
		rc = err_reason(err, RATLS_E_IO, REASON_FILE, "could not write \"%s\": %s", temporary, strerror(errno));
	close(fd);
	if (rc == RATLS_OK && renameat(dir, temporary, dir, path) < 0)
		rc = err_reason(err, RATLS_E_IO, REASON_FILE, "could not rename to \"%s\": %s", path, strerror(errno));
	if (rc != RATLS_OK)
		unlinkat(dir, temporary, 0);
	return rc;
}

/* Not a device or a pipe, which would be gone, nor what stands for an open file, as /dev/stdout does. */
static bool is_replaceable(const char *path)
{
	static const char magic[] = {'/', 'p', 'r', 'o', 'c', '/'};
	char target[sizeof(magic)];
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return false;
	return readlink(path, target, sizeof(target)) != sizeof(target) || memcmp(target, magic, sizeof(magic)) != 0;
}

int file_write(const char *path, const void *bytes, size_t len, mode_t mode, struct ratls_error *err)
{
	if (!is_replaceable(path))
		return err_reason(err, RATLS_E_IO, REASON_FILE, "\"%s\" is not a regular file, and is left as it is", path);
	return file_write_at(AT_FDCWD, path, bytes, len, mode, err);
}
