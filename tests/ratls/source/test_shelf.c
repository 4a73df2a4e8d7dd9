/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever somebody puts there, what is read from disk is either what was stored, or nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/reason.h"
#include "simulator/forge.h"
#include "source/collateral.h"
#include "source/shelf.h"

#define NOW 1790000000

static const uint8_t seed[FORGE_SEED_SIZE] = {9}, other_seed[FORGE_SEED_SIZE] = {10};
static struct platform_id platform = {.ca = PLATFORM_CA_PLATFORM};

/* A machine and one of another vendor; what is said of each. */
static struct forge_machine machine, stranger;
static struct ratls_endorsements *endorsements, *others;
static struct ratls_endorsements_options options = {.size = sizeof(options)};

static char dir[32], path[96];
static struct shelf *shelf;

static struct ratls_endorsements *endorse(struct forge_machine *m, const uint8_t *s)
{
	struct ratls_endorsements_options root = {.size = sizeof(root)};
	struct ratls_endorsements *e = NULL;
	struct forge_options o;
	struct buf json = {0};

	forge_defaults(&o, s, NOW);
	assert_int_equal(forge_machine_make(&o, m, NULL), RATLS_OK);
	assert_int_equal(forge_machine_collateral(m, &json, NULL), RATLS_OK);
	root.insecure_trust_root = m->pki.cert[FORGE_ROOT].p;
	root.insecure_trust_root_len = m->pki.cert[FORGE_ROOT].len;
	assert_int_equal(
		ratls_endorsements_from_json((const char *)json.p, json.len, &root, &e, NULL), RATLS_OK);
	buf_done(&json);
	return e;
}

static int make(void **state)
{
	(void)state;
	endorsements = endorse(&machine, seed);
	others = endorse(&stranger, other_seed);
	options.insecure_trust_root = machine.pki.cert[FORGE_ROOT].p;
	options.insecure_trust_root_len = machine.pki.cert[FORGE_ROOT].len;
	memcpy(platform.fmspc, forge_fmspc_default, sizeof(platform.fmspc));
	return 0;
}

static int done(void **state)
{
	(void)state;
	ratls_endorsements_free(endorsements);
	ratls_endorsements_free(others);
	forge_machine_done(&machine);
	forge_machine_done(&stranger);
	return 0;
}

static int open_shelf(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/shelf.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/0d57ac000000-platform.json", dir);
	assert_int_equal(shelf_new(dir, &shelf, NULL), RATLS_OK);
	assert_int_equal(shelf_store(shelf, &platform, endorsements, NOW, NULL), RATLS_OK);
	return 0;
}

static int remove_all(void **state)
{
	DIR *d = opendir(dir);
	const struct dirent *e;

	(void)state;
	while ((e = readdir(d)) != NULL)
		(void)unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	shelf_free(shelf);
	return rmdir(dir);
}

/* Is there anything? Then it is what was stored, or else it would not hold. */
static bool loads(int64_t *ret_fetched)
{
	struct ratls_endorsements *e = NULL;
	struct shelf_label label = {.fetched = -1};
	struct ratls_error err = {0};

	*ret_fetched = -1;
	if (shelf_load(shelf, &platform, &options, &e, &label, &err) != RATLS_OK) {
		assert_int_equal(err.code, RATLS_E_UNAVAILABLE);
		assert_null(e);
		assert_null(label.source);
		return false;
	}
	assert_int_equal(endorsements_valid_until(e), endorsements_valid_until(endorsements));
	assert_int_equal(endorsements_check(e, &platform, NULL), RATLS_OK);
	*ret_fetched = label.fetched;
	free(label.source);
	ratls_endorsements_free(e);
	return true;
}

static bool is_there(void)
{
	int64_t fetched;
	bool there = loads(&fetched);

	assert_int_equal(fetched, there ? NOW : -1);
	return there;
}

/* What was bad is a miss, and what is stored next takes its place. */
static void assert_poisoned(void)
{
	struct stat st;

	assert_false(is_there());
	assert_int_equal(shelf_store(shelf, &platform, endorsements, NOW, NULL), RATLS_OK);
	assert_true(is_there());
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
}

static void what_is_stored_is_there(void **state)
{
	struct stat st;
	struct ratls_endorsements *e = NULL;
	struct shelf_label label;

	(void)state;
	assert_true(is_there());
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	/* It is a file that --collateral takes. */
	assert_int_equal(collateral_from_file(path, &options, &e, NULL), RATLS_OK);
	ratls_endorsements_free(e);
	/* And it says that it was kept. */
	assert_int_equal(shelf_load(shelf, &platform, &options, &e, &label, NULL), RATLS_OK);
	assert_string_equal(endorsements_source(e), "file (cached)");
	assert_string_equal(label.source, "file");
	free(label.source);
	ratls_endorsements_free(e);
}

static void other_platforms_are_not_there(void **state)
{
	struct platform_id other = platform;
	struct ratls_endorsements *e = NULL;
	struct shelf_label label;
	char renamed[96];

	(void)state;
	other.ca = PLATFORM_CA_PROCESSOR;
	assert_int_equal(shelf_load(shelf, &other, &options, &e, &label, NULL), RATLS_E_UNAVAILABLE);
	/* A file under the name of another platform, or CA, is not that. */
	snprintf(renamed, sizeof(renamed), "%s/0d57ac000000-processor.json", dir);
	assert_int_equal(link(path, renamed), 0);
	assert_int_equal(shelf_load(shelf, &other, &options, &e, &label, NULL), RATLS_E_UNAVAILABLE);
	other = platform;
	other.fmspc[5] = 1;
	snprintf(renamed, sizeof(renamed), "%s/0d57ac000001-platform.json", dir);
	assert_int_equal(link(path, renamed), 0);
	assert_int_equal(shelf_load(shelf, &other, &options, &e, &label, NULL), RATLS_E_UNAVAILABLE);
	assert_null(e);
}

static void another_root_is_poison(void **state)
{
	(void)state;
	assert_int_equal(shelf_store(shelf, &platform, others, NOW, NULL), RATLS_OK);
	assert_poisoned();
}

static void others_may_not_write(void **state)
{
	static const mode_t modes[] = {0620, 0602, 0666};

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_poisoned();
	}
}

static void a_file_of_somebody_else_is_poison(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip(); /* only root can give a file away */
	assert_int_equal(chown(path, 12345, -1), 0);
	assert_poisoned();
}

static void what_is_no_file_is_poison(void **state)
{
	char elsewhere[96];

	(void)state;
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", dir);
	assert_int_equal(rename(path, elsewhere), 0);
	assert_int_equal(symlink("elsewhere", path), 0);
	assert_poisoned();
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_poisoned();
}

static void a_file_that_is_cut_or_changed_is_poison(void **state)
{
	struct buf whole = {0};
	int64_t fetched;

	(void)state;
	assert_int_equal(file_read(path, ENDORSEMENTS_JSON_MAX, &whole, NULL), RATLS_OK);
	for (size_t n = 0; n + 2 < whole.len; n += 97) {
		assert_int_equal(file_write(path, whole.p, n, 0600, NULL), RATLS_OK);
		assert_false(is_there());
	}
	for (size_t n = 0; n < whole.len; n += 31) {
		uint8_t was = whole.p[n];

		whole.p[n] ^= 1;
		assert_int_equal(file_write(path, whole.p, whole.len, 0600, NULL), RATLS_OK);
		whole.p[n] = was;
		if (!loads(&fetched)) /* else: white space, when and where it came from, the case of hex */
			assert_poisoned();
	}
	buf_done(&whole);
}

/* An old file says of itself that it is old, and if it lies, its signatures still end when they end. */
static void a_file_that_does_not_say_when_is_poison(void **state)
{
	struct buf whole = {0};
	char *at;

	(void)state;
	assert_int_equal(file_read(path, ENDORSEMENTS_JSON_MAX, &whole, NULL), RATLS_OK);
	at = memmem(whole.p, whole.len, "\"fetched\"", 9);
	assert_non_null(at);
	at[1] = 'F';
	assert_int_equal(file_write(path, whole.p, whole.len, 0600, NULL), RATLS_OK);
	assert_poisoned();
	buf_done(&whole);
}

static void a_file_without_end_is_poison(void **state)
{
	int fd = open(path, O_WRONLY);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	close(fd);
	assert_poisoned();
}

static void the_number_of_files_is_bounded(void **state)
{
	struct platform_id id = platform;
	DIR *d;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < SHELF_FILES_MAX + 10; i++) {
		id.fmspc[0] = (uint8_t)i;
		assert_int_equal(shelf_store(shelf, &id, endorsements, NOW, NULL), RATLS_OK);
	}
	d = opendir(dir);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	closedir(d);
	assert_int_equal(n, SHELF_FILES_MAX);
}

/* A file in the folder that is older than any other. */
static void put_old(const char *name)
{
	const struct timespec long_ago[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	int d = open(dir, O_RDONLY | O_DIRECTORY), fd = openat(d, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(futimens(fd, long_ago), 0);
	close(fd);
	close(d);
}

static bool holds_file(const char *name)
{
	int d = open(dir, O_RDONLY | O_DIRECTORY);
	bool there = faccessat(d, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

	close(d);
	return there;
}

static void only_files_of_its_own_are_removed(void **state)
{
	static const char *const foreign[] = {"settings.json", "0d57ac000000.json", "0d57ac000000-root.json",
		"0D57AC000000-platform.json", "0d57ac00000-platform.json", "0d57ac0000000-platform.json",
		"x0d57ac000000-platform.json", "0d57ac000000-any.json", "0d57ac000000-platform.json.bak",
		"0d57ac000000-platform.json.0123456", "0d57ac000000-platform.json.012345678",
		"0d57ac000000-platform.json.0123456X", "0d57ac000000-platform.json~"};
	static const char *const own[] = {"ffffffffffff-platform.json", "ffffffffffff-processor.json",
		"ffffffffffff-platform.json.0123abcd"};
	const size_t n_foreign = sizeof(foreign) / sizeof(foreign[0]), n_own = sizeof(own) / sizeof(own[0]);
	struct platform_id id = platform;

	(void)state;
	for (size_t i = 0; i < n_foreign; i++)
		put_old(foreign[i]);
	for (size_t i = 0; i < n_own; i++)
		put_old(own[i]);
	for (int i = 0; i < SHELF_FILES_MAX; i++) {
		id.fmspc[0] = (uint8_t)i;
		assert_int_equal(shelf_store(shelf, &id, endorsements, NOW, NULL), RATLS_OK);
	}
	for (size_t i = 0; i < n_foreign; i++)
		assert_true(holds_file(foreign[i]));
	for (size_t i = 0; i < n_own; i++)
		assert_false(holds_file(own[i]));
}

static void a_folder_that_is_not_ours_alone_is_refused(void **state)
{
	struct shelf *s = NULL;
	struct ratls_error err = {0};
	char link_path[40];

	(void)state;
	assert_int_equal(chmod(dir, 0770), 0);
	assert_int_equal(shelf_new(dir, &s, &err), RATLS_E_IO);
	assert_int_equal(err.reason, REASON_CACHE_DIR);
	assert_int_equal(chmod(dir, 0700), 0);
	snprintf(link_path, sizeof(link_path), "%s.link", dir);
	assert_int_equal(symlink(dir, link_path), 0);
	assert_int_equal(shelf_new(link_path, &s, &err), RATLS_E_IO);
	unlink(link_path);
	assert_int_equal(shelf_new(path, &s, &err), RATLS_E_IO);
	assert_int_equal(shelf_new("", &s, &err), RATLS_E_IO);
	assert_int_equal(shelf_new("/nowhere/at/all", &s, &err), RATLS_E_IO);
	if (geteuid() == 0) {
		assert_int_equal(chown(dir, 12345, -1), 0);
		assert_int_equal(shelf_new(dir, &s, &err), RATLS_E_IO);
	}
	assert_null(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_stored_is_there, open_shelf, remove_all),
		cmocka_unit_test_setup_teardown(other_platforms_are_not_there, open_shelf, remove_all),
		cmocka_unit_test_setup_teardown(another_root_is_poison, open_shelf, remove_all),
		cmocka_unit_test_setup_teardown(others_may_not_write, open_shelf, remove_all),
		cmocka_unit_test_setup_teardown(a_file_of_somebody_else_is_poison, open_shelf, remove_all),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_poison, open_shelf, remove_all),
		cmocka_unit_test_setup_teardown(
			a_file_that_is_cut_or_changed_is_poison, open_shelf, remove_all),
		cmocka_unit_test_setup_teardown(
			a_file_that_does_not_say_when_is_poison, open_shelf, remove_all),
		cmocka_unit_test_setup_teardown(a_file_without_end_is_poison, open_shelf, remove_all),
		cmocka_unit_test_setup_teardown(the_number_of_files_is_bounded, open_shelf, remove_all),
		cmocka_unit_test_setup_teardown(only_files_of_its_own_are_removed, open_shelf, remove_all),
		cmocka_unit_test_setup_teardown(
			a_folder_that_is_not_ours_alone_is_refused, open_shelf, remove_all),
	};

	return cmocka_run_group_tests(tests, make, done);
}
