/* SPDX-License-Identifier: Apache-2.0
 *
 * TCB info and QE identity: their text, signatures and dates. Numbers are those of the list of known bad
 * cases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sample.h"

#include <string.h>

/* ---- tampering with what was signed ---- */

static void edit_item(struct sample *s, const char *item, const char *from, const char *to)
{
	const char *text = sample_get(s, item), *at = strstr(text, from);
	struct buf out = {0};
	char *edited;

	assert_non_null(at);
	buf_bytes(&out, text, (size_t)(at - text));
	buf_str(&out, to);
	buf_str(&out, at + strlen(from));
	edited = buf_take_str(&out);
	sample_set(s, item, edited);
	free(edited);
}

static void digit_changed(struct sample *s)
{
	edit_item(s, "tcb_info", "\"svn\":5", "\"svn\":4");
}

static void qe_digit_changed(struct sample *s)
{
	edit_item(s, "qe_identity", "\"isvsvn\":4", "\"isvsvn\":3");
}

static void flip_signature(struct sample *s, const char *item)
{
	char *text = strdup(sample_get(s, item));

	text[40] = text[40] == '0' ? '1' : '0';
	sample_set(s, item, text);
	free(text);
}

static void signature_flipped(struct sample *s)
{
	flip_signature(s, "tcb_info_signature");
}

static void qe_signature_flipped(struct sample *s)
{
	flip_signature(s, "qe_identity_signature");
}

static void signature_zero(struct sample *s)
{
	char zeros[129];

	memset(zeros, '0', 128);
	zeros[128] = '\0';
	sample_set(s, "tcb_info_signature", zeros);
}

static void signature_short(struct sample *s)
{
	edit_item(s, "tcb_info_signature", sample_get(s, "tcb_info_signature") + 126, "");
}

static void signature_empty(struct sample *s)
{
	sample_set(s, "qe_identity_signature", "");
}

static void signatures_swapped(struct sample *s)
{
	char *tcb = strdup(sample_get(s, "tcb_info_signature"));

	sample_set(s, "tcb_info_signature", sample_get(s, "qe_identity_signature"));
	sample_set(s, "qe_identity_signature", tcb);
	free(tcb);
}

static void document_empty(struct sample *s)
{
	sample_set(s, "tcb_info", "");
}

/* Unchanged in meaning, other bytes: whoever verifies what he would have written himself accepts this. */
static void rewritten(struct sample *s, const char *item, size_t flags)
{
	const char *text = sample_get(s, item);
	json_t *parsed = json_loads(text, 0, NULL);
	char *again = json_dumps(parsed, flags);

	assert_string_not_equal(again, text);
	sample_set(s, item, again);
	free(again);
	json_decref(parsed);
}

static void keys_sorted(struct sample *s)
{
	rewritten(s, "tcb_info", JSON_COMPACT | JSON_SORT_KEYS);
}

static void indented(struct sample *s)
{
	rewritten(s, "qe_identity", JSON_INDENT(1));
}

static void space_appended(struct sample *s)
{
	edit_item(s, "tcb_info", "{\"id\":\"TDX\"", " {\"id\":\"TDX\"");
}

/* ---- signing by others, dates, platforms ---- */

static void foreign_key(struct sample *s)
{
	s->collateral.tcb_info.document.signed_by = "another";
}

static void qe_foreign_key(struct sample *s)
{
	s->collateral.qe_identity.document.signed_by = "another";
}

static void tcb_info_ended(struct sample *s)
{
	s->collateral.tcb_info.document.next_update = SAMPLE_NOW - 1;
}

static void tcb_info_ends_now(struct sample *s)
{
	s->collateral.tcb_info.document.next_update = SAMPLE_NOW;
}

static void tcb_info_begins_later(struct sample *s)
{
	s->collateral.tcb_info.document.issued = SAMPLE_NOW + 1;
}

static void tcb_info_begins_now(struct sample *s)
{
	s->collateral.tcb_info.document.issued = SAMPLE_NOW;
}

static void qe_identity_ended(struct sample *s)
{
	s->collateral.qe_identity.document.next_update = SAMPLE_NOW - 1;
}

static void qe_identity_begins_later(struct sample *s)
{
	s->collateral.qe_identity.document.issued = SAMPLE_NOW + 1;
}

static void of_sgx(struct sample *s)
{
	s->collateral.tcb_info.id = "SGX";
}

static void other_fmspc(struct sample *s)
{
	s->collateral.tcb_info.fmspc[5] ^= 1;
}

static void other_pceid(struct sample *s)
{
	s->collateral.tcb_info.pceid[0] ^= 1;
}

static void of_qe(struct sample *s)
{
	s->collateral.qe_identity.id = "QE";
}

static void svn(struct sample *s, uint32_t value)
{
	s->collateral.tcb_info.levels[0].sgx[9] = value;
}

static void svn_256(struct sample *s)
{
	svn(s, 256);
}

static void svn_300(struct sample *s)
{
	svn(s, 300);
}

static void tdx_svn_256(struct sample *s)
{
	s->collateral.tcb_info.levels[0].tdx[9] = 256;
}

static void pcesvn_65536(struct sample *s)
{
	s->collateral.tcb_info.levels[0].pcesvn = 65536;
}

static void same_level_twice(struct sample *s)
{
	s->collateral.tcb_info.levels[2] = s->collateral.tcb_info.levels[1];
}

static void same_numbers_another_status(struct sample *s)
{
	same_level_twice(s);
	s->collateral.tcb_info.levels[2].status = "Revoked";
}

static void module_isvsvn_65536(struct sample *s)
{
	s->collateral.tcb_info.modules[1].levels[0].isvsvn = 65536;
}

static void module_isvsvn_twice(struct sample *s)
{
	s->collateral.tcb_info.modules[1].levels[1].isvsvn = 4;
}

static void module_id_twice(struct sample *s)
{
	s->collateral.tcb_info.modules[0].id = "TDX_01";
}

static void module_status(struct sample *s)
{
	s->collateral.tcb_info.modules[1].levels[0].status = "SWHardeningNeeded";
}

static void module_without_levels(struct sample *s)
{
	s->collateral.tcb_info.modules[1].levels[0].status = NULL;
}

static void no_levels(struct sample *s)
{
	s->collateral.tcb_info.levels[0].status = NULL;
}

static void qe_no_levels(struct sample *s)
{
	s->collateral.qe_identity.levels[0].status = NULL;
}

static void qe_isvsvn_65536(struct sample *s)
{
	s->collateral.qe_identity.levels[0].isvsvn = 65536;
}

static void qe_isvsvn_twice(struct sample *s)
{
	s->collateral.qe_identity.levels[1] = s->collateral.qe_identity.levels[0];
}

#define TCB(name_, from, to)                                                                                 \
	{.name = (name_), .reason = REASON_TCBINFO_FORMAT, .tcb_info = {(from), (to)}}
#define QE(name_, from, to)                                                                                  \
	{.name = (name_), .reason = REASON_QEID_FORMAT, .qe_identity = {(from), (to)}}

#define SGX_ARRAY "\"sgxtcbcomponents\":["
#define TDX_ARRAY "\"tdxtcbcomponents\":["
#define COMPONENT "{\"svn\":2}"
#define LEVEL_DATE "},\"tcbDate\":\"2024-03-13T00:00:00Z\",\"tcbStatus\":\"UpToDate\"}"

const struct row rows_documents[] = {
	CHANGED("114 TCB info empty", document_empty, TCBINFO_SIGNATURE),
	TCB("114 TCB info is an array", "{\"id\":\"TDX\"", "[{\"id\":\"TDX\""),
	TCB("114 text follows TCB info", "{\"id\":\"TDX\"", "{},{\"id\":\"TDX\""),
	CHANGED("116 signature of 126 digits", signature_short, TCBINFO_SIGNATURE),
	CHANGED("116 signature empty", signature_empty, QEID_SIGNATURE),
	TCB("117 version missing", "\"version\":3,", ""),
	TCB("117 version is a text", "\"version\":3", "\"version\":\"3\""),
	TCB("117 version 1", "\"version\":3", "\"version\":1"),
	TCB("117 version 4", "\"version\":3", "\"version\":4"),
	TCB("156 version 2", "\"version\":3", "\"version\":2"),
	TCB("118 id missing", "\"id\":\"TDX\",", ""),
	TCB("118 id is a number", "\"id\":\"TDX\"", "\"id\":1"),
	TCB("118 id of neither", "\"id\":\"TDX\"", "\"id\":\"TDY\""),
	TCB("119 issue date missing", "\"issueDate\":", "\"issueDat\":"),
	TCB("119 next update missing", "\"nextUpdate\":", "\"nextUpdat\":"),
	TCB("120 date is a number", "\"issueDate\":\"2025-07-03T03:33:20Z\"", "\"issueDate\":20250703"),
	TCB("120 date with another zone", "03:33:20Z\",\"nextUpdate\"", "03:33:20+00:00\",\"nextUpdate\""),
	TCB("120 date without zone", "03:33:20Z\",\"nextUpdate\"", "03:33:20\",\"nextUpdate\""),
	TCB("120 date with fractions", "03:33:20Z\",\"nextUpdate\"", "03:33:20.5Z\",\"nextUpdate\""),
	TCB("120 impossible day", "\"issueDate\":\"2025-07-03", "\"issueDate\":\"2025-06-31"),
	TCB("120 impossible month", "\"issueDate\":\"2025-07-03", "\"issueDate\":\"2025-13-03"),
	TCB("120 blank in date", "\"issueDate\":\"2025-07-03T", "\"issueDate\":\"2025-07-03 "),
	TCB("121 FMSPC missing", "\"fmspc\":", "\"fmspd\":"),
	TCB("121 FMSPC is a number", "\"fmspc\":\"0D57AC000000\"", "\"fmspc\":1"),
	TCB("121 FMSPC of 10 digits", "\"fmspc\":\"0D57AC000000\"", "\"fmspc\":\"0D57AC0000\""),
	TCB("121 FMSPC of 14 digits", "\"fmspc\":\"0D57AC000000\"", "\"fmspc\":\"0D57AC00000000\""),
	TCB("121 FMSPC is not hex", "\"fmspc\":\"0D57AC000000\"", "\"fmspc\":\"0D57AC00000G\""),
	TCB("122 PCEID missing", "\"pceId\":", "\"pceID\":"),
	TCB("122 PCEID is a number", "\"pceId\":\"0000\"", "\"pceId\":0"),
	TCB("122 PCEID too long", "\"pceId\":\"0000\"", "\"pceId\":\"000000\""),
	TCB("122 PCEID too short", "\"pceId\":\"0000\"", "\"pceId\":\"00\""),
	TCB("122 PCEID is not hex", "\"pceId\":\"0000\"", "\"pceId\":\"00x0\""),
	TCB("123 tcbType missing", "\"tcbType\":0,", ""),
	TCB("123 tcbType is a text", "\"tcbType\":0", "\"tcbType\":\"0\""),
	TCB("124 tcbType 1", "\"tcbType\":0", "\"tcbType\":1"),
	TCB("125 evaluation number missing", "\"tcbEvaluationDataNumber\":17,", ""),
	TCB("125 evaluation number negative", "\"tcbEvaluationDataNumber\":17", "\"tcbEvaluationDataNumber\":-1"),
	TCB("126 tdxModule missing", "\"tdxModule\":", "\"tdxModul\":"),
	TCB("127 tdxModule is no object", "\"tdxModule\":{", "\"tdxModule\":1,\"x\":{"),
	TCB("128 tdxModule in TCB info of SGX", "\"id\":\"TDX\"", "\"id\":\"SGX\""),
	TCB("129 mrsigner is not hex", "\"mrsigner\":\"00", "\"mrsigner\":\"0x"),
	TCB("129 mrsigner too short", "\"mrsigner\":\"00", "\"mrsigner\":\""),
	TCB("130 attributes too long", "\"attributes\":\"00", "\"attributes\":\"0000"),
	TCB("130 attributes are not hex", "\"attributes\":\"00", "\"attributes\":\"zz"),
	TCB("130 mask missing", "\"attributesMask\":", "\"attributesMas\":"),
	TCB("130 mask too short", "\"attributesMask\":\"FF", "\"attributesMask\":\""),
	TCB("131 identities are no array", "\"tdxModuleIdentities\":[", "\"tdxModuleIdentities\":1,\"x\":["),
	TCB("131 identities are empty", "\"tdxModuleIdentities\":[", "\"tdxModuleIdentities\":[],\"x\":["),
	TCB("132 identity without id", "{\"id\":\"TDX_03\",", "{"),
	TCB("132 identity of another length of id", "\"id\":\"TDX_03\"", "\"id\":\"TDX_00003\""),
	TCB("132 identity of another prefix of id", "\"id\":\"TDX_03\"", "\"id\":\"T@X_03\""),
	TCB("132 identity with one digit in its id", "\"id\":\"TDX_03\"", "\"id\":\"TDX_3\""),
	TCB("132 identity with three digits in its id", "\"id\":\"TDX_03\"", "\"id\":\"TDX_003\""),
	TCB("132 identity with no digits in its id", "\"id\":\"TDX_03\"", "\"id\":\"TDX_0x\""),
	MADE("132 identity twice", module_id_twice, TCBINFO_FORMAT),
	MADE("133 identity without levels", module_without_levels, TCBINFO_FORMAT),
	MADE("133 the same isvsvn twice", module_isvsvn_twice, TCBINFO_FORMAT),
	TCB("134 module level without tcb", "{\"tcb\":{\"isvsvn\":3}", "{\"tcc\":{\"isvsvn\":3}"),
	TCB("134 isvsvn negative", "\"isvsvn\":3", "\"isvsvn\":-3"),
	TCB("134 isvsvn is a fraction", "\"isvsvn\":3", "\"isvsvn\":3.0"),
	MADE("134 isvsvn 65536", module_isvsvn_65536, TCBINFO_FORMAT),
	TCB("135 module level's date", "\"isvsvn\":3},\"tcbDate\":\"2024", "\"isvsvn\":3},\"tcbDate\":\"24"),
	TCB("135 advisories are no array", "\"isvsvn\":3},", "\"isvsvn\":3},\"advisoryIDs\":\"INTEL-SA-1\","),
	MADE("221 module level's status is not defined for it", module_status, TCBINFO_FORMAT),
	MADE("136 no levels", no_levels, TCBINFO_FORMAT),
	TCB("137 level is no object", "{\"tcb\":{\"sgx", "1,{\"tcb\":{\"sgx"),
	TCB("137 level is empty", "{\"tcb\":{\"sgx", "{},{\"tcb\":{\"sgx"),
	TCB("137 level without tcb", "{\"tcb\":{\"sgx", "{\"tcc\":{\"sgx"),
	TCB("137 level without status", "\"tcbStatus\":\"UpToDate\"}]", "\"x\":1}]"),
	TCB("138 status is not defined", "\"tcbStatus\":\"OutOfDate\",\"advisory",
		"\"tcbStatus\":\"Outdated\",\"advisory"),
	TCB("138 status in another case", "\"tcbStatus\":\"OutOfDate\",\"advisory",
		"\"tcbStatus\":\"outOfDate\",\"advisory"),
	TCB("138 status is a number", "\"tcbStatus\":\"OutOfDate\",\"advisory", "\"tcbStatus\":1,\"advisory"),
	TCB("139 SGX components missing", SGX_ARRAY, "\"sgx\":["),
	TCB("139 SGX components are no array", SGX_ARRAY COMPONENT, "\"sgxtcbcomponents\":1,\"x\":[" COMPONENT),
	TCB("139 17 SGX components", SGX_ARRAY, SGX_ARRAY COMPONENT ","),
	TCB("139 15 SGX components", SGX_ARRAY COMPONENT ",", SGX_ARRAY),
	TCB("140 TDX components missing", TDX_ARRAY, "\"tdx\":["),
	TCB("140 17 TDX components", TDX_ARRAY, TDX_ARRAY COMPONENT ","),
	TCB("140 15 TDX components", TDX_ARRAY "{\"svn\":5},", TDX_ARRAY),
	TCB("141 svn missing", SGX_ARRAY COMPONENT, SGX_ARRAY "{}"),
	TCB("141 svn is a text", SGX_ARRAY COMPONENT, SGX_ARRAY "{\"svn\":\"2\"}"),
	TCB("141 svn negative", SGX_ARRAY COMPONENT, SGX_ARRAY "{\"svn\":-2}"),
	MADE("142 svn 256", svn_256, TCBINFO_FORMAT),
	MADE("142 svn 300", svn_300, TCBINFO_FORMAT),
	MADE("142 TDX svn 256", tdx_svn_256, TCBINFO_FORMAT),
	TCB("143 category is no text", SGX_ARRAY COMPONENT, SGX_ARRAY "{\"svn\":2,\"category\":1}"),
	TCB("143 type is no text", SGX_ARRAY COMPONENT, SGX_ARRAY "{\"svn\":2,\"type\":[]}"),
	TCB("144 pcesvn missing", "\"pcesvn\":11,", ""),
	TCB("144 pcesvn negative", "\"pcesvn\":11", "\"pcesvn\":-11"),
	TCB("144 pcesvn is a text", "\"pcesvn\":11", "\"pcesvn\":\"11\""),
	MADE("144 pcesvn 65536", pcesvn_65536, TCBINFO_FORMAT),
	MADE("145 the same level twice", same_level_twice, TCBINFO_FORMAT),
	MADE("145 the same numbers, another status", same_numbers_another_status, TCBINFO_FORMAT),
	TCB("146 advisories are no array", "[\"INTEL-SA-00837\"]", "\"INTEL-SA-00837\""),
	TCB("146 an advisory is no text", "[\"INTEL-SA-00837\"]", "[837]"),
	CHANGED("147 a digit changed", digit_changed, TCBINFO_SIGNATURE),
	CHANGED("148 signature flipped", signature_flipped, TCBINFO_SIGNATURE),
	CHANGED("148 signature zero", signature_zero, TCBINFO_SIGNATURE),
	MADE("148 signed by another", foreign_key, TCBINFO_SIGNATURE),
	CHANGED("148 signatures swapped", signatures_swapped, TCBINFO_SIGNATURE),
	CHANGED("149 keys sorted", keys_sorted, TCBINFO_SIGNATURE),
	CHANGED("150 a blank in front", space_appended, TCBINFO_SIGNATURE),
	CHANGED("150 indented", indented, QEID_SIGNATURE),
	TCB("151 a key twice", "\"version\":3", "\"version\":3,\"version\":3"),
	TCB("151 a key twice in a level", "\"pcesvn\":11", "\"pcesvn\":1,\"pcesvn\":11"),
	MADE("152 TCB info ended", tcb_info_ended, TCBINFO_TIME),
	MADE("TCB info valid until this second", tcb_info_ends_now, NONE),
	MADE("153 TCB info issued in the future", tcb_info_begins_later, TCBINFO_TIME),
	MADE("TCB info issued this second", tcb_info_begins_now, NONE),
	MADE("154 TCB info of SGX", of_sgx, TCBINFO_PLATFORM),
	MADE("157 FMSPC of another platform", other_fmspc, TCBINFO_PLATFORM),
	MADE("158 PCEID of another platform", other_pceid, TCBINFO_PLATFORM),
	{.name = "unknown members in TCB info", .tcb_info = {"\"version\":3", "\"version\":3,\"new\":{\"a\":[1]}"}},

	QE("160 QE identity is an array", "{\"id\":\"TD_QE\"", "[{\"id\":\"TD_QE\""),
	QE("161 version missing", "\"version\":2,", ""),
	QE("161 version is a text", "\"version\":2", "\"version\":\"2\""),
	QE("162 version 1", "\"version\":2", "\"version\":1"),
	QE("162 version 3", "\"version\":2", "\"version\":3"),
	QE("163 id missing", "\"id\":\"TD_QE\",", ""),
	QE("163 id is a number", "\"id\":\"TD_QE\"", "\"id\":7"),
	QE("163 id unknown", "\"id\":\"TD_QE\"", "\"id\":\"TD_QF\""),
	QE("164 issue date missing", "\"issueDate\":", "\"issueDat\":"),
	QE("164 next update is a number", "\"nextUpdate\":\"", "\"nextUpdate\":1,\"x\":\""),
	QE("164 issue date malformed", "\"issueDate\":\"2025", "\"issueDate\":\"25"),
	QE("165 evaluation number missing", "\"tcbEvaluationDataNumber\":17,", ""),
	QE("166 miscselect missing", "\"miscselect\":\"00000000\",", ""),
	QE("166 miscselect is a number", "\"miscselect\":\"00000000\"", "\"miscselect\":0"),
	QE("166 miscselect is not hex", "\"miscselect\":\"0", "\"miscselect\":\"g"),
	QE("166 miscselect too short", "\"miscselect\":\"00", "\"miscselect\":\""),
	QE("166 miscselect mask too long", "\"miscselectMask\":\"FF", "\"miscselectMask\":\"FFFF"),
	QE("166 miscselect mask missing", "\"miscselectMask\":\"FFFFFFFF\",", ""),
	QE("167 attributes missing", "\"attributes\":", "\"attribute\":"),
	QE("167 attributes are not hex", "\"attributes\":\"1", "\"attributes\":\"-"),
	QE("167 attributes too short", "\"attributes\":\"11", "\"attributes\":\""),
	QE("167 attributes mask too long", "\"attributesMask\":\"FB", "\"attributesMask\":\"FBFB"),
	QE("168 mrsigner missing", "\"mrsigner\":", "\"mrsignor\":"),
	QE("168 mrsigner too short", "\"mrsigner\":\"DC", "\"mrsigner\":\""),
	QE("168 mrsigner too long", "\"mrsigner\":\"DC", "\"mrsigner\":\"DCDC"),
	QE("168 mrsigner is not hex", "\"mrsigner\":\"DC", "\"mrsigner\":\"DX"),
	QE("169 isvprodid missing", "\"isvprodid\":2,", ""),
	QE("169 isvprodid is a text", "\"isvprodid\":2", "\"isvprodid\":\"2\""),
	MADE("170 no levels", qe_no_levels, QEID_FORMAT),
	QE("170 levels are no array", "\"tcbLevels\":[", "\"tcbLevels\":1,\"x\":["),
	QE("171 level without tcb", "{\"tcb\":", "{\"tcc\":"),
	QE("171 isvsvn missing", "\"isvsvn\":4", "\"isvsvm\":4"),
	QE("171 tcbDate missing", "\"tcbDate\":", "\"tcbDat\":"),
	QE("171 tcbStatus missing", "\"tcbStatus\":", "\"tcbStatu\":"),
	QE("171 tcbStatus unknown", "\"tcbStatus\":\"UpToDate\"", "\"tcbStatus\":\"Fine\""),
	QE("171 tcbStatus not defined for it", "\"tcbStatus\":\"UpToDate\"", "\"tcbStatus\":\"ConfigurationNeeded\""),
	MADE("171 isvsvn 65536", qe_isvsvn_65536, QEID_FORMAT),
	MADE("171 the same isvsvn twice", qe_isvsvn_twice, QEID_FORMAT),
	QE("a key twice", "\"isvprodid\":2", "\"isvprodid\":1,\"isvprodid\":2"),
	{.name = "172 unknown member", .qe_identity = {"\"version\":2", "\"version\":2,\"new\":[{}]"}},
	CHANGED("173 a digit changed", qe_digit_changed, QEID_SIGNATURE),
	CHANGED("173 signature flipped", qe_signature_flipped, QEID_SIGNATURE),
	MADE("173 signed by another", qe_foreign_key, QEID_SIGNATURE),
	MADE("174 QE identity ended", qe_identity_ended, QEID_TIME),
	MADE("174 QE identity issued in the future", qe_identity_begins_later, QEID_TIME),
	MADE("175 QE identity of SGX", of_qe, QEID_KIND),
};

const size_t n_rows_documents = sizeof(rows_documents) / sizeof(rows_documents[0]);
