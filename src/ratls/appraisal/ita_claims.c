/* SPDX-License-Identifier: Apache-2.0 */
#include "appraisal/ita_claims.h"

#include <stddef.h>
#include <string.h>

#include "appraisal/jws.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "evidence/quote.h"

/* RFC 7519's times are numbers of seconds; the largest is the end of ASN.1's and RFC 3339's time. */
#define TIME_MAX INT64_C(253402300799)

#define TD(claim, member)                                                                                    \
	{                                                                                                    \
		claim, offsetof(struct quote_td, member)                                                     \
	}

const struct ita_measurement ita_measurements[ITA_MEASUREMENTS] = {
	TD("tdx_mrtd", mrtd),
	TD("tdx_rtmr0", rtmr[0]),
	TD("tdx_rtmr1", rtmr[1]),
	TD("tdx_rtmr2", rtmr[2]),
	TD("tdx_rtmr3", rtmr[3]),
	TD("tdx_mrseam", mrseam),
	TD("tdx_mrsignerseam", mrsignerseam),
	TD("tdx_mrconfigid", mrconfigid),
	TD("tdx_mrowner", mrowner),
	TD("tdx_mrownerconfig", mrownerconfig),
	TD("tdx_report_data", report_data),
	TD("tdx_td_attributes", td_attributes),
	TD("tdx_xfam", xfam),
	TD("tdx_tee_tcb_svn", tee_tcb_svn),
};

/* What is read of those that stand on top in one layout and below "tdx" in the other, besides measurements */
static const char *const machine_claims[] = {"attester_type", "attester_tcb_status", "attester_tcb_date",
	"attester_advisory_ids", "dbgstat", "tdx_is_debuggable", "tdx_td_attributes_debug", "verifier_nonce"};

const json_t *ita_claim(const struct ita_claims *c, const char *name)
{
	const json_t *v = c->tdx != NULL ? json_object_get(c->tdx, name) : NULL;

	return v != NULL || c->payload == NULL ? v : json_object_get(c->payload, name);
}

/* Said twice, and not the same: two readers could see two machines. */
static bool is_ambiguous(const struct ita_claims *c, const char *name)
{
	const json_t *below = json_object_get(c->tdx, name), *top = json_object_get(c->payload, name);

	return below != NULL && top != NULL && json_equal(below, top) == 0;
}

/* v1 of the service's answers is flat, v2 has a member for each kind of evidence. */
static bool find_layout(struct ita_claims *c, struct fields *f)
{
	c->tdx = json_object_get(c->payload, "tdx");
	if (c->tdx == NULL)
		c->tdx = c->payload;
	if (!json_is_object(c->tdx))
		return fields_fail(f, "tdx", "is not an object");
	for (size_t i = 0; i < ITA_MEASUREMENTS; i++)
		if (is_ambiguous(c, ita_measurements[i].claim))
			return fields_fail(f, ita_measurements[i].claim, "is said twice");
	for (size_t i = 0; i < sizeof(machine_claims) / sizeof(machine_claims[0]); i++)
		if (is_ambiguous(c, machine_claims[i]))
			return fields_fail(f, machine_claims[i], "is said twice");
	return true;
}

/* What has its place in either layout is read as if it were a member of an object of its own. */
static json_t *machine_object(const struct ita_claims *c)
{
	json_t *object = json_object();

	for (size_t i = 0; object != NULL && i < sizeof(machine_claims) / sizeof(machine_claims[0]); i++) {
		const json_t *v = ita_claim(c, machine_claims[i]);

		/* A reference to what is not changed. */
		if (v != NULL &&
			json_object_set_new(object, machine_claims[i], json_incref((json_t *)v)) != 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

/* No rule rests on it: one of another form than Intel's own collateral has is not known, and no more. */
static int64_t read_date(const json_t *text)
{
	int64_t at = 0;

	if (!json_is_string(text) || !clock_parse_utc(json_string_value(text), json_string_length(text), &at))
		return 0;
	return at;
}

/* "OK" is what the service's own documentation calls UpToDate. A word that Intel does not define is none. */
static void read_status(struct fields *f, struct ita_claims *c)
{
	const char *word = fields_text(f, "attester_tcb_status", 64);

	c->status = strcmp(word, "OK") == 0 ? TCB_UP_TO_DATE : tcb_status_parse(word);
	if (!f->bad && c->status == TCB_UNKNOWN) {
		outcome_fail(f->o, "the token's TCB status \"%.40s\" is not one that is known",
			utf8_is_plain(word) ? word : "?");
		f->bad = true;
	}
	c->tcb_date = read_date(json_object_get(f->object, "attester_tcb_date"));
	c->advisories = fields_texts(f, "attester_advisory_ids", ADVISORIES_MAX, ADVISORY_TEXT_MAX);
}

static void read_times(struct fields *f, struct ita_claims *c)
{
	c->issuer = fields_text(f, "iss", ITA_TEXT_MAX);
	c->issued = fields_uint(f, "iat", TIME_MAX);
	c->expires = fields_uint(f, "exp", TIME_MAX);
	if (!f->bad && json_object_get(f->object, "nbf") != NULL)
		c->not_before = fields_uint(f, "nbf", TIME_MAX);
}

static bool read_claims(struct ita_claims *c, struct outcome *o)
{
	struct fields f = fields_of(c->payload, "claims", o), machine;
	json_t *object;

	read_times(&f, c);
	if (f.bad || !find_layout(c, &f))
		return false;
	object = machine_object(c);
	if (object == NULL)
		return outcome_unknown(o, "out of memory");
	machine = fields_of(object, "claims", o);
	read_status(&machine, c);
	json_decref(object);
	return machine.bad ? false : outcome_pass(o);
}

bool ita_claims_read(struct cur text, struct ita_claims *ret, struct outcome *o)
{
	struct ita_claims c = {
		.payload = json_loadb((const char *)text.p, text.left, JSON_REJECT_DUPLICATES, NULL)};

	if (c.payload == NULL)
		return outcome_fail(o, "the token's payload is not a JSON object");
	if (!read_claims(&c, o)) {
		json_decref(c.payload);
		return false;
	}
	*ret = c;
	return true;
}

void ita_claims_done(struct ita_claims *c)
{
	json_decref(c->payload);
	*c = (struct ita_claims){0};
}
