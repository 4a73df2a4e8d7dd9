/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/listen_unix.h"

static char dir[] = "/tmp/teesql-test-XXXXXX";
static char path[64], other[64];

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/socket", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	unlink(path);
	unlink(other);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(dir);
}

static int listen_here(void)
{
	int fd = -1;
	struct ratls_error err = {0};

	if (listen_unix(path, &fd, &err) != RATLS_OK)
		fail_msg("%s", err.message);
	return fd;
}

static void assert_refused(int rc, const char *what)
{
	struct ratls_error err = {0};
	int fd = -1;

	assert_int_equal(listen_unix(path, &fd, &err), rc);
	assert_int_equal(fd, -1);
	assert_non_null(strstr(err.message, path));
	assert_non_null(strstr(err.message, what));
}

static bool answers(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	memcpy(a.sun_path, path, strlen(path) + 1);
	rc = connect(fd, (struct sockaddr *)&a, sizeof(a));
	close(fd);
	return rc == 0;
}

static void only_its_owner_may_connect(void **state)
{
	mode_t before = umask(0);
	struct stat st;
	int fd = listen_here();

	(void)state;
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
	assert_true(answers());
	assert_int_equal(umask(before), 0);
	close(fd);
}

static void what_nobody_listens_on_is_replaced(void **state)
{
	(void)state;
	close(listen_here());
	assert_false(answers());
	close(listen_here());
}

static void what_somebody_listens_on_stays(void **state)
{
	int fd = listen_here();

	(void)state;
	assert_refused(RATLS_E_IO, strerror(EADDRINUSE));
	assert_true(answers());
	close(fd);
}

/* connect() to it is refused too. */
static void a_file_stays(void **state)
{
	char text[8] = {0};
	FILE *f = fopen(path, "w+");

	(void)state;
	assert_non_null(f);
	fputs("mine", f);
	fclose(f);
	assert_refused(RATLS_E_IO, strerror(EADDRINUSE));
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	assert_string_equal(text, "mine");
}

/* Where it points is not ours to judge, even if that is a socket without a listener. */
static void a_link_stays(void **state)
{
	struct stat st;

	(void)state;
	close(listen_here());
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_refused(RATLS_E_IO, strerror(EADDRINUSE));
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(lstat(other, &st), 0);
}

static void a_path_has_an_end(void **state)
{
	char longest[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	struct ratls_error err = {0};
	int fd = -1;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[snprintf(longest, sizeof(longest), "%s/none/", dir)] = 'x';
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(listen_unix(longest, &fd, &err), RATLS_E_ARG);
	assert_non_null(strstr(err.message, "longer than 107 bytes"));
	longest[sizeof(longest) - 2] = '\0';
	assert_int_equal(listen_unix(longest, &fd, &err), RATLS_E_IO);
	assert_int_equal(fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(only_its_owner_may_connect, clean),
		cmocka_unit_test_teardown(what_nobody_listens_on_is_replaced, clean),
		cmocka_unit_test_teardown(what_somebody_listens_on_stays, clean),
		cmocka_unit_test_teardown(a_file_stays, clean),
		cmocka_unit_test_teardown(a_link_stays, clean),
		cmocka_unit_test(a_path_has_an_end),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
