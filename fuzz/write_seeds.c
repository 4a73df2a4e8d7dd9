/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the seeds of the evidence parsers' fuzz targets: write-seeds FOLDER.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../tests/sample/sample.h"
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

static void quotes(void)
{
	struct buf b = {0};

	sample_quote(&b, 4, QUOTE_BODY_TD10, NULL);
	seed("quote/v4-td10", &b);
	sample_quote(&b, 5, QUOTE_BODY_TD10, NULL);
	seed("quote/v5-td10", &b);
	sample_quote(&b, 5, QUOTE_BODY_TD15, NULL);
	seed("quote/v5-td15", &b);
}

static void envelopes(void)
{
	static const uint8_t report_data[64];
	struct event event = {.imr = 3,
		.type = EVENTLOG_RUNTIME_TYPE,
		.version = 1,
		.digest = cur_of(NULL, 0),
		.name = cur_of("n", 1),
		.payload = cur_of("p", 1),
		.preimage = cur_of(NULL, 0)};
	/* No quote is in these: a mutation is more likely to hit a member. */
	const struct ratls_evidence small = {.quote.whole = cur_of("q", 1),
		.log = {&event, 1},
		.runtime = {&event, 1},
		.report_data = cur_of(report_data, 64),
		.config = cur_of("{}", 2),
		.is_pod = true,
		.pod_payload = cur_of("x", 1)};
	struct buf b = {0};

	sample_envelope_v0(&b);
	seed("envelope/v0", &b);
	sample_envelope_v1(&b, false);
	seed("envelope/v1", &b);
	sample_envelope_v1(&b, true);
	seed("envelope/v1-event-v2", &b);
	sample_write_v0(&b, &small);
	seed("envelope/v0-small", &b);
	sample_write_v1(&b, &small);
	seed("envelope/v1-small", &b);
	sample_eventlog_json(&b);
	seed("eventlog/boot", &b);
	buf_str(&b, "[{\"imr\":3,\"event_type\":134217729,\"event\":\"n\",\"event_payload\":\"00\","
		    "\"version\":2}]");
	seed("eventlog/one", &b);
}

static void certificates(void)
{
	struct buf v0 = {0}, v1 = {0}, quote = {0}, log = {0}, b = {0};

	sample_envelope_v0(&v0);
	sample_envelope_v1(&v1, true);
	sample_quote(&quote, 4, QUOTE_BODY_TD10, NULL);
	sample_eventlog_json(&log);
	sample_write_certificate(&b, &(struct sample_certificate){.attestation = &v0});
	seed("certificate/v0", &b);
	sample_write_certificate(&b, &(struct sample_certificate){.attestation = &v1});
	seed("certificate/v1", &b);
	sample_write_certificate(&b, &(struct sample_certificate){.quote = &quote, .eventlog = &log});
	seed("certificate/legacy", &b);
	buf_done(&v0);
	buf_done(&v1);
	buf_done(&quote);
	buf_done(&log);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	folder = argv[1];
	quotes();
	envelopes();
	certificates();
	return 0;
}
