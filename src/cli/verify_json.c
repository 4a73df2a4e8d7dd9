/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verify_json.h"

#include "appraisal/report.h"
#include "base/clock.h"
#include "cli/cli.h"

static json_t *milliseconds(int64_t ms)
{
	return ms < 0 ? json_null() : json_integer(ms);
}

static json_t *timing(const struct verify_times *t)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "dns", milliseconds(t->dns), "tcp",
		milliseconds(t->tcp), "tls", milliseconds(t->tls), "collateral", milliseconds(t->collateral),
		"verify", milliseconds(t->verify));
}

json_t *verify_json(const struct ratls_report *report, const struct conclusion *conclusion, int64_t at,
	json_t *endpoint, const struct verify_times *times)
{
	const struct report_conclusion end = {conclusion->class, conclusion->reason, conclusion->message};
	json_t *object = report_json_conclusion(&end), *ours, *rest;
	char time[CLOCK_TEXT_SIZE];

	clock_format(at, time);
	ours = json_pack(
		"{s:s, s:o, s:o}", "time", time, "endpoint", endpoint, "timing_ms", timing(times));
	rest = report != NULL ? report_json_object(report) : report_json_blank(conclusion->verifiers);
	if (conclusion->hint[0] != '\0' && json_object_set_new(ours, "hint", json_string(conclusion->hint)) != 0) {
		json_decref(ours);
		ours = NULL;
	}
	if (object == NULL || ours == NULL || rest == NULL || json_object_update(object, ours) != 0 ||
		json_object_update_missing(object, rest) != 0) {
		json_decref(object);
		object = NULL;
	}
	json_decref(ours);
	json_decref(rest);
	return object;
}
