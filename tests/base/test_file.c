/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/reason.h"

static char dir[] = "/tmp/teesql-test-XXXXXX";
static char path[64];

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/file", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void what_was_written_is_read(void **state)
{
	struct buf text = {0};
	struct stat st;

	(void)state;
	assert_int_equal(file_write(path, "old and longer", 14, 0644, NULL), RATLS_OK);
	assert_int_equal(file_write(path, "text", 4, 0600, NULL), RATLS_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(file_read(path, 4, &text, NULL), RATLS_OK);
	assert_int_equal(text.len, 4);
	assert_memory_equal(text.p, "text", 4);
	buf_done(&text);
}

/* Each says which file, and has the reason that tells the user what to do. */
static void assert_failed(int rc, int expected, const struct buf *text, struct ratls_error *err)
{
	assert_int_equal(rc, expected);
	assert_int_equal(err->code, expected);
	assert_int_equal(err->reason, REASON_FILE);
	assert_non_null(strstr(err->message, dir));
	assert_int_equal(text->len, 0);
	*err = (struct ratls_error){0};
}

static void what_fails_is_a_matter_of_files(void **state)
{
	struct ratls_error err = {0};
	struct buf text = {0};
	char nowhere[96];

	(void)state;
	snprintf(nowhere, sizeof(nowhere), "%s/none/file", dir);
	assert_failed(file_read(nowhere, 4, &text, &err), RATLS_E_IO, &text, &err);
	assert_failed(file_read(dir, 4, &text, &err), RATLS_E_IO, &text, &err);
	assert_failed(file_write(nowhere, "text", 4, 0600, &err), RATLS_E_IO, &text, &err);
	assert_int_equal(file_write(path, "text", 4, 0600, NULL), RATLS_OK);
	assert_failed(file_read(path, 3, &text, &err), RATLS_E_FORMAT, &text, &err);
}

/* Root could put a file in the place of a device, and the whole machine would write to it. */
static void what_is_no_file_is_not_replaced(void **state)
{
	struct ratls_error err = {0};
	struct buf none = {0};
	struct stat st;

	(void)state;
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_failed(file_write(path, "text", 4, 0600, &err), RATLS_E_IO, &none, &err);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	unlink(path);
	assert_int_equal(symlink("/proc/self/fd/1", path), 0); /* as /dev/stdout is */
	assert_failed(file_write(path, "text", 4, 0600, &err), RATLS_E_IO, &none, &err);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	unlink(path);
	assert_int_equal(symlink("elsewhere", path), 0); /* the link is replaced, and what it names is left alone */
	assert_int_equal(file_write(path, "text", 4, 0600, NULL), RATLS_OK);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(what_fails_is_a_matter_of_files),
		cmocka_unit_test(what_is_no_file_is_not_replaced),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
