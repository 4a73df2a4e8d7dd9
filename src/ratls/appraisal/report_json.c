/* SPDX-License-Identifier: Apache-2.0
 *
 * The report as JSON, schema "teesql.verify/1": every member every time, null for what is not known. Members
 * are only ever added.
 */
#include "appraisal/reported.h"

#include <stdlib.h>

#include "appraisal/json_bytes.h"
#include "base/utf8.h"
#include "evidence/claims.h"

/* jansson takes NULL for "out of memory so far" and stays NULL: values are built without a check each, and
 * whether all went well is asked once. */
struct out {
	json_t *object;
	bool bad;
};

static struct out out_new(void)
{
	json_t *o = json_object();

	return (struct out){o, o == NULL};
}

static void put(struct out *o, const char *name, json_t *value)
{
	if (json_object_set_new(o->object, name, value) != 0)
		o->bad = true;
}

static json_t *out_take(struct out *o)
{
	if (!o->bad)
		return o->object;
	json_decref(o->object);
	return NULL;
}

static json_t *text_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

static json_t *time_or_null(int64_t at)
{
	return at != 0 ? json_of_time(at) : json_null();
}

static json_t *hex_or_null(struct cur bytes)
{
	return bytes.left > 0 ? json_of_hex(bytes) : json_null();
}

/* Text that a peer wrote: what is not UTF-8 is shown as hex. */
static json_t *peer_text(struct cur text)
{
	if (text.left > 0 && utf8_valid(text))
		return json_stringn((const char *)text.p, text.left);
	return hex_or_null(text);
}

static void append(struct out *o, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		o->bad = true;
}

static const char *format_name(enum evidence_format format)
{
	switch (format) {
	case EVIDENCE_QUOTE:
		return "quote";
	case EVIDENCE_ENVELOPE_V0:
		return "envelope-v0";
	case EVIDENCE_ENVELOPE_V1:
		return "envelope-v1";
	case EVIDENCE_LEGACY:
		return "legacy";
	}
	return NULL;
}

static void put_registers(struct out *o, const struct quote_td *td)
{
	json_t *rtmr = json_array();

	put(o, "mrtd", hex_or_null(td->mrtd));
	for (size_t i = 0; i < 4; i++)
		append(o, rtmr, hex_or_null(td->rtmr[i]));
	put(o, "rtmr", rtmr);
	put(o, "mrconfigid", hex_or_null(td->mrconfigid));
	put(o, "mrowner", hex_or_null(td->mrowner));
	put(o, "mrownerconfig", hex_or_null(td->mrownerconfig));
	put(o, "mrseam", hex_or_null(td->mrseam));
	put(o, "report_data", hex_or_null(td->report_data));
	put(o, "td_attributes", hex_or_null(td->td_attributes));
	put(o, "xfam", hex_or_null(td->xfam));
	put(o, "tee_tcb_svn", hex_or_null(td->tee_tcb_svn));
	put(o, "tee_tcb_svn2", hex_or_null(td->tee_tcb_svn2));
	put(o, "mrservicetd", hex_or_null(td->mrservicetd));
}

static json_t *evidence_json(const struct ratls_report *r)
{
	const struct ratls_evidence *e = r->evidence;
	const struct sgx_extension *sgx = &r->sgx;
	struct out o = out_new();

	put(&o, "tee", json_string("tdx"));
	put(&o, "format", text_or_null(format_name(e->format)));
	put(&o, "quote_version", json_integer(e->quote.version));
	put(&o, "body", json_string(e->quote.body == QUOTE_BODY_TD15 ? "td-1.5" : "td-1.0"));
	put(&o, "oid", text_or_null(e->oid));
	put_registers(&o, &e->quote.td);
	put(&o, "fmspc", r->sgx_known ? hex_or_null(cur_of(sgx->fmspc, sizeof(sgx->fmspc))) : json_null());
	put(&o, "ppid", r->sgx_known ? hex_or_null(cur_of(sgx->ppid, sizeof(sgx->ppid))) : json_null());
	put(&o, "age", r->age >= 0 ? json_integer(r->age) : json_null());
	return out_take(&o);
}

static json_t *event_json(const struct event *e)
{
	struct out o = out_new();

	put(&o, "event", peer_text(e->name));
	put(&o, "payload", hex_or_null(e->payload));
	return out_take(&o);
}

/* Claims are shown as claimed; whether they hold is what the check log.rtmr3 says. */
static json_t *app_json(const struct ratls_report *r)
{
	const struct evidence_claims *claims = &r->evidence->claims;
	const struct eventlog *log = &r->evidence->runtime;
	struct out o = out_new();
	json_t *events = json_array();
	uint8_t digest[HASH_SHA256_SIZE];
	bool provided = claims_key_provider_digest(claims, digest);

	put(&o, "app_id", hex_or_null(claims->app_id));
	put(&o, "compose_hash", hex_or_null(claims->compose_hash));
	put(&o, "instance_id", hex_or_null(claims->instance_id));
	put(&o, "key_provider", peer_text(claims->key_provider));
	put(&o, "key_provider_sha256", hex_or_null(provided ? cur_of(digest, sizeof(digest)) : cur_of(NULL, 0)));
	put(&o, "os_image_hash", hex_or_null(claims->os_image_hash));
	for (size_t i = 0; i < log->n; i++)
		append(&o, events, event_json(&log->events[i]));
	put(&o, "events", events);
	return out_take(&o);
}

static json_t *shortfalls_json(const struct ratls_report *r)
{
	struct tcb_inputs in = {
		r->endorsements->endorsed->tcbinfo, r->endorsements->endorsed->qeid, &r->sgx, &r->evidence->quote};
	struct tcb_shortfall list[TCB_SHORTFALLS_MAX];
	size_t n = tcb_shortfalls(&in, list);
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(array,
			    json_pack("{s:s,s:i,s:i,s:s}", "component", list[i].component, "is", list[i].is,
				    "needs", list[i].needs, "remedy", list[i].remedy)) != 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static void put_status(struct out *o, const char *name, enum tcb_status status)
{
	put(o, name, text_or_null(tcb_status_name(status)));
}

static json_t *tcb_json(const struct ratls_report *r)
{
	const struct tcb *t = &r->tcb;
	struct out o = out_new();
	json_t *advisories = json_array();
	const char *id;

	put_status(&o, "status", t->status);
	put_status(&o, "platform_status", t->platform);
	put_status(&o, "module_status", t->module_status);
	put_status(&o, "qe_status", t->qe);
	put(&o, "date", time_or_null(t->date));
	put(&o, "evaluation_data_number",
		r->endorsements != NULL && r->endorsements->endorsed->tcbinfo != NULL
			? json_integer(r->endorsements->endorsed->tcbinfo->evaluation_data_number)
			: json_null());
	for (size_t i = 0; (id = tcb_advisory(t, i)) != NULL; i++)
		append(&o, advisories, json_string(id));
	put(&o, "advisories", advisories);
	put(&o, "relaunch_advised", json_boolean(t->relaunch_advised));
	put(&o, "shortfalls",
		r->tcb_judged && r->endorsements != NULL && r->endorsements->endorsed->tcbinfo != NULL
			? shortfalls_json(r)
			: json_array());
	return out_take(&o);
}

static json_t *item_json(const struct ratls_endorsements *e, const struct endorsement_facts *item)
{
	struct out o = out_new();

	put(&o, "item", json_string(item->item));
	put(&o, "source", text_or_null(e->source));
	put(&o, "issued", time_or_null(item->issued));
	put(&o, "next_update", time_or_null(item->next_update));
	return out_take(&o);
}

static json_t *collateral_json(const struct ratls_endorsements *e)
{
	struct out o = {json_array(), false};
	struct endorsement_facts item;

	for (size_t i = 0; e != NULL && endorsements_facts(e, i, &item); i++)
		append(&o, o.object, item_json(e, &item));
	return out_take(&o);
}

/* What Intel Trust Authority said, as far as its signature holds. */
static json_t *token_json(const struct ita_token *t)
{
	struct out o;

	if (t == NULL || !outcome_passed(&t->claims))
		return json_null();
	o = out_new();
	put(&o, "issuer", json_string(t->said.issuer));
	put(&o, "key", json_string(t->jws.kid));
	put(&o, "issued", time_or_null(t->said.issued));
	put(&o, "expires", time_or_null(t->said.expires));
	put(&o, "nonce", json_boolean(t->nonce != NULL));
	put(&o, "status", text_or_null(tcb_status_name(t->said.status)));
	return out_take(&o);
}

/* Collateral that could not be refreshed: since when, and why; null where there is nothing to say. */
static json_t *degraded_json(const struct ratls_endorsements *e)
{
	struct out o;

	if (e == NULL || e->remark == NULL)
		return json_null();
	o = out_new();
	put(&o, "since", time_or_null(e->remark_since));
	put(&o, "reason", json_string(e->remark));
	return out_take(&o);
}

static json_t *checks_json(const struct ratls_report *r)
{
	static const char *const names[] = {
		[CHECK_UNKNOWN] = "unknown",
		[CHECK_PASS] = "pass",
		[CHECK_FAIL] = "fail",
		[CHECK_WARN] = "warn",
		[CHECK_SKIPPED] = "skipped",
	};
	struct out o = {json_array(), false};
	struct report_check c;

	for (size_t i = 0; report_check_at(r, i, &c); i++) {
		struct out row = out_new();

		put(&row, "id", json_string(c.id));
		put(&row, "status", json_string(names[c.status]));
		put(&row, "expected", text_or_null(c.expected));
		put(&row, "actual", text_or_null(c.actual));
		put(&row, "hint", text_or_null(c.hint));
		append(&o, o.object, out_take(&row));
	}
	return out_take(&o);
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

static struct out begin(const struct report_conclusion *c)
{
	const struct reason_row *reason = reason_find(c->reason);
	char code[REASON_CODE_SIZE];
	struct out o = out_new();

	put(&o, "schema", json_string("teesql.verify/1"));
	put(&o, "verdict", json_string(verdict_name(c->class)));
	put(&o, "class", json_string(reason_class_name(c->class)));
	put(&o, "code", text_or_null(reason != NULL ? reason_code(reason->number, code) : NULL));
	put(&o, "exit", json_integer((json_int_t)c->class));
	put(&o, "message", json_string(c->message));
	put(&o, "hint", text_or_null(reason != NULL ? reason->remedy : NULL));
	return o;
}

json_t *report_json_conclusion(const struct report_conclusion *conclusion)
{
	struct out o = begin(conclusion);

	return out_take(&o);
}

json_t *report_json_object(const struct ratls_report *r)
{
	struct out o = begin(&(struct report_conclusion){
		report_judge(r).class, report_reason(r), ratls_report_message(r)});

	put(&o, "time", time_or_null(r->at));
	put(&o, "valid_until", r->valid_until != INT64_MAX ? time_or_null(r->valid_until) : json_null());
	put(&o, "evidence", evidence_json(r));
	put(&o, "app", app_json(r));
	put(&o, "tcb", tcb_json(r));
	put(&o, "collateral", collateral_json(r->endorsements));
	put(&o, "collateral_degraded", degraded_json(r->endorsements));
	put(&o, "checks", checks_json(r));
	put(&o, "verifier", text_or_null(report_verifiers_name(r->verifiers)));
	put(&o, "ita", token_json(r->token));
	put(&o, "trust_root",
		r->endorsements == NULL
			? json_null()
			: json_string(r->endorsements->endorsed->development ? "development" : "intel"));
	put(&o, "policy", text_or_null(r->policy[0] != '\0' ? r->policy : NULL));
	put(&o, "policy_compares", json_boolean(r->compared));
	return out_take(&o);
}

static void forget(json_t *object)
{
	for (void *i = json_object_iter(object); i != NULL; i = json_object_iter_next(object, i))
		json_object_iter_set_new(object, i, json_null());
}

/* A report of nothing, with null in place of what it would say of it. */
json_t *report_json_blank(unsigned verifiers)
{
	static const struct ratls_evidence nothing;
	const struct ratls_report r = {.evidence = &nothing, .verifiers = verifiers};
	json_t *object = report_json_object(&r);
	struct out o = {object, object == NULL};

	forget(json_object_get(object, "evidence"));
	forget(json_object_get(object, "app"));
	forget(json_object_get(object, "tcb"));
	put(&o, "policy_compares", json_null());
	json_object_del(object, "valid_until"); /* it has always been the last of these */
	put(&o, "valid_until", json_null());
	return out_take(&o);
}
