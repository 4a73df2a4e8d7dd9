/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules about what the quote came with: the key that it must name, the certificate, the event log.
 */
#include "appraisal/appraise.h"

#include "base/hash.h"

/* dstack: REPORTDATA = SHA-512(tag || SubjectPublicKeyInfo) */
static const char key_tag[] = "ratls-cert:";

/* Invariant quote_names_this_key: a quote counts only for the key that it names. */
static void judge_key(struct appraisal *a, struct check *c, struct cur spki)
{
	struct cur parts[] = {cur_of(key_tag, sizeof(key_tag) - 1), spki};
	uint8_t expected[HASH_SHA512_SIZE];

	if (spki.left == 0)
		check_fail(c, "there is no key that the quote could name");
	else if (!hash_parts(HASH_SHA512, parts, 2, expected))
		check_unknown(c, "the digest could not be computed");
	else
		check_equal(c, cur_of(expected, sizeof(expected)), a->quote->td.report_data,
			"the quote belongs to another key: somebody may be relaying evidence of a real "
			"machine");
}

static void judge_report_data(struct appraisal *a, struct check *c)
{
	uint8_t expected[64] = {0};

	if (a->binding->bytes != NULL && a->binding->len > 0)
		memcpy(expected, a->binding->bytes, a->binding->len);
	check_equal(c, cur_of(expected, sizeof(expected)), a->quote->td.report_data,
		"the quote was made for something else");
}

void rule_binding_key(struct appraisal *a, struct check *c)
{
	switch (a->binding->kind) {
	case RATLS_BINDING_CERTIFICATE:
		judge_key(a, c, a->evidence->spki);
		break;
	case RATLS_BINDING_SPKI:
		judge_key(a, c, cur_of(a->binding->bytes, a->binding->len));
		break;
	case RATLS_BINDING_REPORT_DATA:
		judge_report_data(a, c);
		break;
	case RATLS_BINDING_NONE:
		check_skip(c, "the quote was not asked to name anything");
		break;
	}
}

void rule_certificate_time(struct appraisal *a, struct check *c)
{
	const struct ratls_evidence *e = a->evidence;

	if (e->leaf.left == 0)
		check_skip(c, "the evidence came in no certificate");
	else if (appraisal_within(a, c, "the certificate of the peer", e->not_before, e->not_after))
		check_pass(c);
}

static bool has_log(const struct ratls_evidence *e)
{
	return e->log.n > 0 || e->runtime.n > 0 || e->format == EVIDENCE_ENVELOPE_V0 ||
	       e->format == EVIDENCE_ENVELOPE_V1;
}

/* Registers 0 to 2 can be replayed only where the log was not stripped of their events: what dstack puts into
 * certificates keeps the events of ACPI tables alone (their payload is this text), and those of register 0.
 */
static bool carries_all(const struct eventlog *log, uint32_t imr)
{
	bool any = false;

	for (size_t i = 0; i < log->n; i++) {
		const struct event *e = &log->events[i];

		if (e->imr != imr)
			continue;
		any = any || !cur_is_str(&e->payload, "ACPI DATA");
		if (e->digest.left == 0 && e->type != EVENTLOG_RUNTIME_TYPE)
			return false;
	}
	return any;
}

static void judge_replay(struct appraisal *a, struct check *c, const struct eventlog *log, uint32_t imr)
{
	uint8_t replayed[EVENTLOG_RTMR_SIZE];
	struct ratls_error err;
	int rc = eventlog_replay(log, imr, replayed, &err);

	if (rc == RATLS_E_FORMAT)
		check_fail(c, "the event log could not be replayed: %s", err.message);
	else if (rc != RATLS_OK)
		check_unknown(c, "%s", err.message);
	else
		check_equal(c, a->quote->td.rtmr[imr], cur_of(replayed, sizeof(replayed)),
			"the event log is not what was measured");
}

static void judge_boot_log(struct appraisal *a, struct check *c, uint32_t imr)
{
	if (carries_all(&a->evidence->log, imr))
		judge_replay(a, c, &a->evidence->log, imr);
	else
		check_skip(c, "the event log does not carry the events of this register");
}

void rule_log_rtmr0(struct appraisal *a, struct check *c)
{
	judge_boot_log(a, c, 0);
}

void rule_log_rtmr1(struct appraisal *a, struct check *c)
{
	judge_boot_log(a, c, 1);
}

void rule_log_rtmr2(struct appraisal *a, struct check *c)
{
	judge_boot_log(a, c, 2);
}

/* What the application says of itself counts only after this has passed. */
void rule_log_rtmr3(struct appraisal *a, struct check *c)
{
	if (has_log(a->evidence))
		judge_replay(a, c, &a->evidence->runtime, 3);
	else
		check_skip(c, "the evidence carries no event log");
}

void rule_log_claims(struct appraisal *a, struct check *c)
{
	if (!has_log(a->evidence))
		check_skip(c, "the evidence carries no event log");
	else if (a->evidence->claims.duplicate != NULL)
		check_fail(c, "the event log says \"%s\" twice", a->evidence->claims.duplicate);
	else
		check_pass(c);
}
