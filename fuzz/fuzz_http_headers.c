/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fuzz.h"
#include "source/http.h"
#include "source/pause.h"

#define NOW INT64_C(1790000000)

/* Whatever a service asks for is bounded, and a date is a moment that can be written down. */
static void judge(const char *text)
{
	char written[CLOCK_TEXT_SIZE];
	int64_t ms = pause_asked(text, NOW), at = -1, again = 0;

	assert(ms == -1 || (ms >= 0 && ms <= PAUSE_ASKED_MAX_MS && ms % 1000 == 0));
	if (!http_date(text, &at)) {
		assert(at == -1);
		return;
	}
	clock_format(at, written);
	assert(clock_parse_utc(written, strlen(written), &again) && again == at);
	assert(ms == 0 || (ms > 0 && at > NOW));
}

/* The header lines of an answer, and what is read from them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const names[] = {"Retry-After", "Date", "Content-Type", "TCB-Info-Issuer-Chain"};
	struct ratls_http_response r = {.headers = malloc(len + 1)};

	assert(r.headers != NULL);
	memcpy(r.headers, data, len);
	r.headers[len] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *value = http_header(&r, names[i]);

		assert(value == NULL || (strlen(value) < len && strchr(value, '\n') == NULL));
		judge(value != NULL ? value : r.headers);
		free(value);
	}
	free(r.headers);
	return 0;
}
