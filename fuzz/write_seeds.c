/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the seeds of the evidence parsers' fuzz targets: write-seeds FOLDER.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../tests/ratls/evidence/sample.h"
#include "base/file.h"

static const char *folder;

/* Writes FOLDER/name and empties b. */
static void seed(const char *name, struct buf *b)
{
	struct ratls_error err;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (b->bad || file_write(path, b->p, b->len, 0644, &err) != RATLS_OK) {
		fprintf(stderr, "could not write %s\n", path);
		exit(1);
	}
	buf_done(b);
}

int main(int argc, char **argv)
{
	struct buf b = {0};

	if (argc != 2)
		return 2;
	folder = argv[1];
	sample_quote(&b, 4, QUOTE_BODY_TD10, NULL);
	seed("quote/v4-td10", &b);
	sample_quote(&b, 5, QUOTE_BODY_TD10, NULL);
	seed("quote/v5-td10", &b);
	sample_quote(&b, 5, QUOTE_BODY_TD15, NULL);
	seed("quote/v5-td15", &b);
	return 0;
}
