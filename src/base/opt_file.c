/* SPDX-License-Identifier: Apache-2.0
 *
 * inih splits the lines; it neither says which line it is at nor minds one that does not fit its buffer, so
 * that the lines are handed to it one by one from here.
 */
#include "base/opt_file.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

struct reading {
	FILE *file;
	const char *section;
	opt_file_fn fn;
	void *self;
	int line;
	int rc; /* of the first thing that went wrong, at this line */
	struct ratls_error err;
};

static char *next_line(char *text, int size, void *arg)
{
	struct reading *r = arg;
	size_t len;

	if (r->rc != RATLS_OK || fgets(text, size, r->file) == NULL)
		return NULL;
	r->line++;
	len = strlen(text);
	if (len + 1 == (size_t)size && text[len - 1] != '\n') {
		r->rc = err_set(&r->err, RATLS_E_ARG,
			"the line is longer than %d bytes; a list may go on in the next line, indented",
			size - 2);
		return NULL;
	}
	return text;
}

static int take_key(void *arg, const char *section, const char *key, const char *value)
{
	struct reading *r = arg;

	if (r->rc != RATLS_OK)
		return 0;
	if (section[0] != '\0' && strcmp(section, r->section) != 0)
		r->rc = err_set(&r->err, RATLS_E_ARG, "unknown section [%.48s]", section);
	else
		r->rc = r->fn(r->self, key, value, r->line, &r->err);
	return r->rc == RATLS_OK;
}

int opt_file_read(const char *path, const char *section, opt_file_fn fn, void *self, struct ratls_error *err)
{
	struct reading r = {.section = section, .fn = fn, .self = self};
	int bad_line;
	bool failed;

	r.file = fopen(path, "re");
	if (r.file == NULL)
		return err_set(err, RATLS_E_IO, "could not open \"%s\": %s", path, strerror(errno));
	bad_line = ini_parse_stream(next_line, &r, take_key, &r);
	failed = ferror(r.file) != 0;
	fclose(r.file);
	if (failed)
		return err_set(err, RATLS_E_IO, "could not read \"%s\"", path);
	/* inih goes on after a line that it cannot split: the first complaint is the one to hear. */
	if (bad_line > 0 && (r.rc == RATLS_OK || bad_line < r.line))
		return err_set(
			err, RATLS_E_ARG, "%s:%d: neither \"key = value\" nor a comment", path, bad_line);
	if (r.rc != RATLS_OK)
		return err_set(err, r.rc, "%s:%d: %s", path, r.line, r.err.message);
	return RATLS_OK;
}
