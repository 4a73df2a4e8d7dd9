/* SPDX-License-Identifier: Apache-2.0
 *
 * Verify a TDX quote in a file with Intel's collateral in another, offline:
 *
 *   verify_quote QUOTE COLLATERAL [UNIX-TIME]
 *
 * cc verify_quote.c $(pkg-config --cflags --libs ratls)
 */
#include <ratls.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FILE_MAX ((size_t)1 << 20)

/* The content, NULL if there is none or too much of it; the caller frees it. */
static char *read_file(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "rb");
	char *content = malloc(FILE_MAX);
	size_t len = 0;

	if (file != NULL && content != NULL)
		len = fread(content, 1, FILE_MAX, file);
	if (file == NULL || len == 0 || len == FILE_MAX) {
		fprintf(stderr, "%s: could not be read, or is empty or too large\n", path);
		free(content);
		content = NULL;
	}
	if (file != NULL)
		fclose(file);
	*ret_len = len;
	return content;
}

/* The class of the verdict, which is 0 if the quote is accepted; -1 if none could be formed. */
static int verify(
	const char *quote, size_t quote_len, const char *collateral, size_t collateral_len, int64_t at)
{
	/* A quote in a file belongs to no connection, so that there is no key that it has to name. */
	const struct ratls_binding binding = {.kind = RATLS_BINDING_NONE};
	struct ratls_evidence *evidence = NULL;
	struct ratls_endorsements *endorsements = NULL;
	struct ratls_report *report = NULL;
	struct ratls_error err;
	const char *json;
	int class = -1;

	if (ratls_evidence_from_quote((const uint8_t *)quote, quote_len, &evidence, &err) != RATLS_OK ||
		ratls_endorsements_from_json(collateral, collateral_len, NULL, &endorsements, &err) !=
			RATLS_OK ||
		ratls_appraise(evidence, endorsements, NULL, &binding, at, &report, &err) != RATLS_OK) {
		fprintf(stderr, "%s\n", err.message);
	} else {
		json = ratls_report_json(report);
		if (json != NULL) /* else memory did not suffice for it */
			printf("%s\n", json);
		fprintf(stderr, "%s\n", ratls_report_message(report));
		class = ratls_report_class(report);
	}
	ratls_report_free(report);
	ratls_endorsements_free(endorsements);
	ratls_evidence_free(evidence);
	return class;
}

int main(int argc, char **argv)
{
	char *quote, *collateral;
	size_t quote_len, collateral_len;
	int class = -1;

	if (argc != 3 && argc != 4) {
		fprintf(stderr, "usage: %s QUOTE COLLATERAL [UNIX-TIME]\n", argv[0]);
		return 2;
	}
	quote = read_file(argv[1], &quote_len);
	collateral = read_file(argv[2], &collateral_len);
	if (quote != NULL && collateral != NULL)
		class = verify(quote, quote_len, collateral, collateral_len,
			argc == 4 ? atoll(argv[3]) : (int64_t)time(NULL));
	free(quote);
	free(collateral);
	return class >= 0 ? class : 2;
}
