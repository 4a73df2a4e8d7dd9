/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sample.h"

#include <string.h>

#include "appraisal/reported.h"

static const uint8_t seed[FORGE_SEED_SIZE] = "appraisal";

void sample_init(struct sample *s, enum sample_form form)
{
	*s = (struct sample){.at = SAMPLE_NOW, .binding = {.kind = RATLS_BINDING_NONE}};
	forge_pki_defaults(&s->pki, seed, SAMPLE_NOW);
	forge_collateral_defaults(&s->collateral, SAMPLE_NOW);
	forge_quote_defaults(&s->quote);
	s->quote.version = form == SAMPLE_V4 ? 4 : 5;
	s->quote.body = form == SAMPLE_V5_TD15 ? QUOTE_BODY_TD15 : QUOTE_BODY_TD10;
}

void sample_make(struct sample *s)
{
	struct forge_collateral collateral = {0};
	struct ratls_error err = {0};
	struct buf json = {0};

	if (forge_pki_make(&s->pki, &s->made, &err) != RATLS_OK ||
		forge_collateral_make(&s->collateral, &s->made, &collateral, &err) != RATLS_OK ||
		forge_collateral_json(&collateral, &s->made, &json, &err) != RATLS_OK ||
		forge_quote_write(&s->quote, &s->made, &s->bytes, &err) != RATLS_OK)
		fail_msg("%s", err.message);
	s->items = json_loadb((const char *)json.p, json.len, 0, NULL);
	assert_non_null(s->items);
	s->anchor = &s->made.cert[FORGE_ROOT];
	forge_collateral_done(&collateral);
	buf_done(&json);
}

void sample_done(struct sample *s)
{
	forge_pki_done(&s->made);
	buf_done(&s->bytes);
	json_decref(s->items);
	ratls_policy_free(s->policy);
}

void sample_set(struct sample *s, const char *item, const char *text)
{
	assert_int_equal(json_object_set_new(s->items, item, json_string(text)), 0);
}

const char *sample_get(const struct sample *s, const char *item)
{
	const char *text = json_string_value(json_object_get(s->items, item));

	assert_non_null(text);
	return text;
}

char *sample_chain(const struct sample *s, const enum forge_role *roles, size_t n)
{
	struct buf text = {0};

	forge_pki_pem(&s->made, roles, n, &text);
	return buf_take_str(&text);
}

static struct ratls_endorsements *endorse(const struct sample *s)
{
	struct ratls_endorsements_options options = {.size = sizeof(options),
		.insecure_trust_root = s->anchor->p, .insecure_trust_root_len = s->anchor->len};
	struct ratls_endorsements *e = NULL;
	struct ratls_error err = {0};
	char *json = json_dumps(s->items, 0);

	if (ratls_endorsements_from_json(json, strlen(json), &options, &e, &err) != RATLS_OK)
		fail_msg("%s", err.message);
	free(json);
	return e;
}

struct ratls_report *sample_appraise(const struct sample *s)
{
	struct ratls_endorsements *endorsements;
	struct ratls_evidence *evidence = NULL;
	struct ratls_report *report = NULL;
	struct ratls_error err = {0};

	if (ratls_evidence_from_quote(s->bytes.p, s->bytes.len, &evidence, &err) != RATLS_OK)
		return NULL;
	endorsements = endorse(s);
	if (ratls_appraise(evidence, endorsements, s->policy, &s->binding, s->at, &report, &err) != RATLS_OK)
		fail_msg("%s", err.message);
	ratls_endorsements_free(endorsements);
	ratls_evidence_free(evidence);
	return report;
}

/* The class of a verdict that this rule decides: a rule that could not be judged proves nothing. */
static int class_of(const struct ratls_report *report, const struct reason_row *reason)
{
	struct report_check check;

	for (size_t i = 0; report_check_at(report, i, &check); i++)
		if (strcmp(check.id, reason->id) == 0)
			return check.status == CHECK_UNKNOWN ? CLASS_UNDETERMINED : (int)reason->class;
	return -1;
}

/* NULL if it is as it should be, else what is not. */
static const char *differs(const struct row *row, const struct ratls_report *report)
{
	const char *status = report != NULL ? report_tcb_status(report) : NULL;

	if (report == NULL)
		return "refused as evidence";
	if (report_reason(report) != (int)row->reason || ratls_report_accepted(report) != (row->reason == 0))
		return ratls_report_message(report);
	if (row->reason != 0 && ratls_report_class(report) != class_of(report, reason_find((int)row->reason)))
		return "refused with another class than its rule's";
	if (row->status != NULL && (status == NULL || strcmp(status, row->status) != 0))
		return status != NULL ? status : "no status";
	if (row->relaunch != NOT_LOOKED_AT && report->tcb.relaunch_advised != (row->relaunch == ADVISED))
		return row->relaunch == ADVISED ? "a relaunch is not advised" : "a relaunch is advised";
	if (row->ends != 0 && ratls_report_valid_until(report) != row->ends)
		return "the verdict ends at another time";
	return NULL;
}

static void write_file(const char *folder, const char *name, const void *bytes, size_t len)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* For other verifiers: scripts/differential. */
static void sample_write(const struct sample *s, const char *folder, const char *row, const char *form)
{
	static unsigned number;
	char name[64], *collateral = json_dumps(s->items, 0), *facts;
	json_t *object = json_pack("{s:s, s:s, s:I}", "row", row, "form", form, "at", (json_int_t)s->at);

	facts = json_dumps(object, 0);
	snprintf(name, sizeof(name), "%04u.quote", number);
	write_file(folder, name, s->bytes.p, s->bytes.len);
	snprintf(name, sizeof(name), "%04u.collateral", number);
	write_file(folder, name, collateral, strlen(collateral));
	snprintf(name, sizeof(name), "%04u.root", number);
	write_file(folder, name, s->anchor->p, s->anchor->len);
	snprintf(name, sizeof(name), "%04u.facts", number++);
	write_file(folder, name, facts, strlen(facts));
	free(collateral);
	free(facts);
	json_decref(object);
}

static bool row_run(const struct row *row, enum sample_form form)
{
	static const char *const forms[] = {"v4", "v5, TD 1.0", "v5, TD 1.5"};
	const char *folder = getenv("RATLS_ROWS_INTO");
	struct ratls_report *report;
	struct sample s;
	const char *why;

	sample_init(&s, form);
	s.collateral.tcb_info.document.edit = row->tcb_info;
	s.collateral.qe_identity.document.edit = row->qe_identity;
	if (row->spoil != NULL)
		row->spoil(&s);
	sample_make(&s);
	if (row->tamper != NULL)
		row->tamper(&s);
	if (folder != NULL)
		sample_write(&s, folder, row->name, forms[form]);
	report = sample_appraise(&s);
	why = differs(row, report);
	if (why != NULL)
		print_error("%s (%s): %s\n", row->name, forms[form], why);
	ratls_report_free(report);
	sample_done(&s);
	return why == NULL;
}

void rows_run(const struct row *rows, size_t n, bool every_form)
{
	size_t wrong = 0;

	for (size_t i = 0; i < n; i++)
		for (enum sample_form form = 0; form < SAMPLE_FORMS; form++)
			if (every_form || form == i % SAMPLE_FORMS)
				wrong += !row_run(&rows[i], form);
	if (wrong > 0)
		fail_msg("%zu are not as they should be", wrong);
}
