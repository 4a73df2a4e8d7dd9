/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/reported.h"

#include <stdlib.h>

#include "appraisal/json_bytes.h"

/* Which "no" is told when there are several: what proves a forgery before what proves nothing, and that
 * before what a genuine machine can mend. */
static int precedence(enum reason_class class)
{
	switch (class) {
	case CLASS_EVIDENCE:
		return 6;
	case CLASS_AUTHENTICITY:
		return 5;
	case CLASS_CLOCK:
		return 4;
	case CLASS_UNDETERMINED:
		return 3;
	case CLASS_TCB:
		return 2;
	case CLASS_POLICY:
		return 1;
	default:
		return 7; /* no rule is of such a class: if one were, it must not be drowned */
	}
}

/* Does it say nothing because nobody was asked yet? */
static bool awaits_token(const struct ratls_report *report, enum rule rule)
{
	return report->unasked && report->checks[rule].status == CHECK_UNKNOWN &&
	       rule_awaits_token(rule, report->verifiers);
}

/* CLASS_ACCEPTED if this row does not stand in the way. */
static enum reason_class objection(const struct ratls_report *report, enum rule rule)
{
	if (!rule_applies(rule, report->verifiers))
		return CLASS_ACCEPTED;
	switch (report->checks[rule].status) {
	case CHECK_PASS:
	case CHECK_WARN:
		return CLASS_ACCEPTED;
	case CHECK_SKIPPED:
		return rule_may_be_skipped(rule) ? CLASS_ACCEPTED : CLASS_UNDETERMINED;
	case CHECK_FAIL:
		return rule_reason(rule)->class;
	case CHECK_UNKNOWN:
		break;
	}
	return CLASS_UNDETERMINED;
}

struct report_verdict report_judge(const struct ratls_report *report)
{
	struct report_verdict v = {.accepted = true};
	int decided = -1;

	for (enum rule rule = 0; rule < RULE_COUNT; rule++) {
		enum reason_class class = objection(report, rule);
		int weight = awaits_token(report, rule) ? 0 : precedence(class);

		if (class == CLASS_ACCEPTED || weight <= decided)
			continue;
		v = (struct report_verdict){.class = class, .rule = rule};
		decided = weight;
	}
	return v;
}

bool report_awaits_token(const struct ratls_report *report)
{
	struct report_verdict v = report_judge(report);

	return !v.accepted && awaits_token(report, v.rule);
}

bool ratls_report_accepted(const struct ratls_report *report)
{
	return report != NULL && report_judge(report).accepted;
}

int ratls_report_class(const struct ratls_report *report)
{
	return report != NULL ? (int)report_judge(report).class : CLASS_UNDETERMINED;
}

int report_reason(const struct ratls_report *report)
{
	struct report_verdict v = report_judge(report);

	if (v.accepted)
		return 0;
	return report->missing != 0 ? report->missing : rule_reason(v.rule)->number;
}

static const char *text_at(const struct ratls_report *report, uint32_t offset)
{
	return offset > 0 ? (const char *)report->text.p + offset - 1 : NULL;
}

const char *ratls_report_message(const struct ratls_report *report)
{
	const char *message = report != NULL ? text_at(report, report->message) : NULL;

	return message != NULL ? message : "nothing was appraised";
}

int64_t ratls_report_valid_until(const struct ratls_report *report)
{
	return report != NULL ? report->valid_until : 0;
}

const char *report_verifiers_name(unsigned verifiers)
{
	static const char *const names[] = {NULL, "dcap", "ita", "dcap+ita"};

	return verifiers < sizeof(names) / sizeof(names[0]) ? names[verifiers] : NULL;
}

const char *report_tcb_status(const struct ratls_report *report)
{
	return report->tcb_judged ? tcb_status_name(report->tcb.status) : NULL;
}

/* The i-th rule of these verifiers, RULE_COUNT at the end. */
static enum rule listed_rule(unsigned verifiers, size_t i)
{
	for (enum rule rule = 0; rule < RULE_COUNT; rule++)
		if (rule_applies(rule, verifiers) && i-- == 0)
			return rule;
	return RULE_COUNT;
}

const char *report_degraded(const struct ratls_report *report)
{
	const struct check *c = &report->checks[RULE_COLLATERAL_REFRESH];

	return c->status == CHECK_WARN ? text_at(report, c->hint) : NULL;
}

bool report_check_at(const struct ratls_report *report, size_t i, struct report_check *ret)
{
	enum rule rule = listed_rule(report->verifiers, i);
	const struct check *c;

	if (rule == RULE_COUNT)
		return false;
	c = &report->checks[rule];
	*ret = (struct report_check){
		.id = rule_reason(rule)->id,
		.status = c->status,
		.expected = text_at(report, c->expected),
		.actual = text_at(report, c->actual),
		.hint = text_at(report, c->hint),
	};
	return true;
}

static char *write_json(const struct ratls_report *report)
{
	json_t *object = report_json_object(report);
	struct buf text = {0};

	json_append(object, JSON_COMPACT, &text);
	json_decref(object);
	return buf_take_str(&text);
}

const char *ratls_report_json(const struct ratls_report *report)
{
	struct ratls_report *own = (struct ratls_report *)report;
	char *text, *other = NULL;

	if (report == NULL)
		return NULL;
	text = atomic_load(&own->json);
	if (text != NULL)
		return text;
	text = write_json(report);
	/* Two threads may write it at once: the first one's stays, and both are the same. */
	if (text != NULL && !atomic_compare_exchange_strong(&own->json, &other, text)) {
		free(text);
		text = other;
	}
	return text;
}

void ratls_report_free(struct ratls_report *report)
{
	if (report == NULL)
		return;
	buf_done(&report->text);
	if (report->evidence != NULL)
		ratls_evidence_free((struct ratls_evidence *)report->evidence);
	ratls_endorsements_free(report->endorsements);
	ita_token_free(report->token);
	free(atomic_load(&report->json));
	free(report);
}
