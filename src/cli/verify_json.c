/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verify_json.h"

#include "appraisal/report.h"
#include "base/clock.h"
#include "cli/cli.h"

/* The members of an object, all null. */
static json_t *all_null(const char *const *names)
{
	json_t *object = json_object();

	for (; *names != NULL; names++)
		json_object_set_new(object, *names, json_null());
	return object;
}

/* The checks of a report in which none was made. */
static json_t *unknown_checks(unsigned verifiers)
{
	json_t *checks = json_array();
	const char *id;

	for (size_t i = 0; (id = report_rule_at(verifiers, i)) != NULL; i++)
		json_array_append_new(
			checks, json_pack("{s:s, s:s, s:n, s:n, s:n}", "id", id, "status", "unknown", "expected",
					"actual", "hint"));
	return checks;
}

/* What a report looks like before anything was appraised: its members are those of report_json.c. */
static json_t *blank_report(unsigned verifiers)
{
	static const char *const evidence[] = {"tee", "format", "quote_version", "body", "oid", "mrtd",
		"rtmr", "mrconfigid", "mrowner", "mrownerconfig", "mrseam", "report_data", "td_attributes",
		"xfam", "tee_tcb_svn", "tee_tcb_svn2", "mrservicetd", "fmspc", "ppid", "age", NULL};
	static const char *const app[] = {
		"app_id", "compose_hash", "instance_id", "key_provider", "os_image_hash", "events", NULL};
	static const char *const tcb[] = {"status", "platform_status", "module_status", "qe_status", "date",
		"evaluation_data_number", "advisories", "relaunch_advised", "shortfalls", NULL};

	return json_pack("{s:o, s:o, s:o, s:[], s:n, s:o, s:s?, s:n, s:n, s:n, s:n, s:n}", "evidence", all_null(evidence),
		"app", all_null(app), "tcb", all_null(tcb), "collateral", "collateral_degraded", "checks",
		unknown_checks(verifiers),
		"verifier", report_verifiers_name(verifiers), "ita", "trust_root", "policy", "policy_compares",
		"valid_until");
}

static const char *verdict_name(enum reason_class class)
{
	switch (class) {
	case CLASS_ACCEPTED:
		return "accept";
	case CLASS_POLICY:
	case CLASS_EVIDENCE:
	case CLASS_AUTHENTICITY:
	case CLASS_TCB:
		return "reject";
	case CLASS_USAGE:
	case CLASS_UNREACHABLE:
	case CLASS_UNDETERMINED:
	case CLASS_CLOCK:
		break;
	}
	return "undetermined";
}

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
	const struct reason_row *row = reason_find(conclusion->reason);
	json_t *object = report != NULL ? report_json_object(report) : blank_report(conclusion->verifiers);
	char code[REASON_CODE_SIZE], time[CLOCK_TEXT_SIZE];
	json_t *verdict;

	reason_code(conclusion->reason, code);
	clock_format(at, time);
	verdict = json_pack("{s:s, s:s, s:s, s:s?, s:i, s:s, s:s?, s:s, s:o, s:o}", "schema",
		"teesql.verify/1", "verdict", verdict_name(conclusion->class), "class",
		reason_class_name(conclusion->class), "code", conclusion->reason != 0 ? code : NULL, "exit",
		(int)conclusion->class, "message", conclusion->message, "hint",
		row != NULL ? row->remedy : NULL, "time", time, "endpoint", endpoint, "timing_ms",
		timing(times));
	if (object == NULL || verdict == NULL || json_object_update_missing(verdict, object) != 0) {
		json_decref(verdict);
		verdict = NULL;
	}
	json_decref(object);
	return verdict;
}
