/* SPDX-License-Identifier: Apache-2.0 */
#include "base/listen_unix.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/reason.h"

/* A socket file that nobody listens on is left over from a program that did not end well. */
static bool is_stale(const struct sockaddr_un *a)
{
	struct stat st;
	bool is_socket = lstat(a->sun_path, &st) == 0 && S_ISSOCK(st.st_mode);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); /* its queue may be full */
	bool stale = is_socket && fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof(*a)) < 0 && errno == ECONNREFUSED;

	if (fd >= 0)
		close(fd);
	return stale;
}

int listen_unix(const char *path, int *ret_fd, struct ratls_error *err)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, rc;

	if (strlen(path) >= sizeof(a.sun_path))
		return err_set(err, RATLS_E_ARG, "socket path \"%s\" is longer than %zu bytes", path,
			sizeof(a.sun_path) - 1);
	memcpy(a.sun_path, path, strlen(path) + 1);
	if (is_stale(&a))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mask = umask(0177);
	rc = fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, SOMAXCONN) < 0 ? -errno : 0;
	umask(mask);
	if (rc < 0) {
		if (fd >= 0)
			close(fd);
		return err_reason(err, RATLS_E_IO, REASON_LISTEN, "could not listen on \"%s\": %s", path,
			strerror(-rc));
	}
	*ret_fd = fd;
	return RATLS_OK;
}
