/* SPDX-License-Identifier: Apache-2.0
 *
 * A main for fuzz targets without libFuzzer: runs the target over every file of the folders given, and of
 * the folder RATLS_VECTORS where there is one, so that seeds and old findings are tests under any compiler.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "fuzz.h"

#define REPLAY_FILE_MAX ((size_t)4 << 20)

static size_t n_run;

static int run_file(const char *path)
{
	struct buf content = {0};
	struct ratls_error err = {0};
	uint8_t *exact; /* of the file's very size, so that the address sanitizer sees every byte too far */

	if (file_read(path, REPLAY_FILE_MAX, &content, &err) != RATLS_OK) {
		fprintf(stderr, "%s: %s\n", path, err.message);
		return 1;
	}
	exact = malloc(content.len > 0 ? content.len : 1);
	if (exact == NULL)
		abort();
	if (content.len > 0)
		memcpy(exact, content.p, content.len);
	LLVMFuzzerTestOneInput(exact, content.len);
	free(exact);
	buf_done(&content);
	n_run++;
	return 0;
}

static int run_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	struct stat st;
	char name[4096];
	int rc = 0;

	if (dir == NULL) {
		perror(path);
		return 1;
	}
	while ((entry = readdir(dir)) != NULL) {
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (stat(name, &st) == 0 && S_ISREG(st.st_mode))
			rc |= run_file(name);
	}
	closedir(dir);
	return rc;
}

int main(int argc, char **argv)
{
	const char *vectors = getenv("RATLS_VECTORS");
	struct stat st;
	int rc = 0;

	for (int i = 1; i < argc; i++)
		rc |= run_folder(argv[i]);
	if (n_run == 0) {
		fprintf(stderr, "no seed was run\n");
		return 1;
	}
	if (vectors != NULL && stat(vectors, &st) == 0 && S_ISDIR(st.st_mode))
		rc |= run_folder(vectors);
	printf("%zu inputs\n", n_run);
	return rc;
}
