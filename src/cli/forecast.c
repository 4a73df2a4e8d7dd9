/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/forecast.h"

#include "appraisal/endorsements.h"
#include "appraisal/report.h"
#include "base/clock.h"
#include "source/source.h"

static json_t *unavailable(const char *why)
{
	return json_pack("{s:n, s:n, s:s, s:n, s:n, s:n, s:n}", "status", "accepted", "message", why,
		"evaluation_data_number", "recovery_date", "advisories", "announced");
}

static json_t *describe(const struct evaluation *e, const struct ratls_endorsements *early,
	const struct ratls_report *report)
{
	int64_t number = 0, date = 0, now_number = 0, now_date = 0;
	json_t *object = report_json_object(report), *tcb = json_object_get(object, "tcb"), *described;
	char day[CLOCK_TEXT_SIZE];

	(void)endorsements_recovery(early, &number, &date);
	if (e->endorsements != NULL)
		(void)endorsements_recovery(e->endorsements, &now_number, &now_date);
	clock_format(date, day);
	described = json_pack("{s:O?, s:b, s:s, s:I, s:s, s:O?, s:b}", "status", json_object_get(tcb, "status"),
		"accepted", (int)ratls_report_accepted(report), "message", ratls_report_message(report),
		"evaluation_data_number", (json_int_t)number, "recovery_date", day, "advisories",
		json_object_get(tcb, "advisories"), "announced", (int)(number > now_number));
	json_decref(object);
	return described;
}

json_t *forecast_json(const struct evaluation *e)
{
	const struct ratls_binding none = {.kind = RATLS_BINDING_NONE};
	struct ratls_endorsements *early = NULL;
	struct ratls_report *report = NULL;
	struct ratls_error err = {.message = "no forecast: the collateral of now could not be had"};
	json_t *object;
	int rc = RATLS_E_UNAVAILABLE;

	if (e->endorsements != NULL)
		rc = source_forecast(e->means.source, e->evidence, e->endorsements, &early, &err);
	if (rc == RATLS_OK)
		rc = ratls_appraise(e->evidence, early, e->policy, &none, e->at, &report, &err);
	object = rc == RATLS_OK ? describe(e, early, report) : unavailable(err.message);
	ratls_report_free(report);
	ratls_endorsements_free(early);
	return object;
}
