/* SPDX-License-Identifier: Apache-2.0
 *
 * Attributes of the virtual machine, and reference values. Numbers are those of the list of known bad cases.
 */
#include <stddef.h>
#include <stdint.h>

#include "sample.h"

#include "base/hex.h"

static void set_bit(struct sample *s, unsigned bit)
{
	s->quote.td.td_attributes[bit / 8] |= (uint8_t)(1u << bit % 8);
}

static void add(struct sample *s, const char *name, const char *value)
{
	if (s->policy == NULL)
		ratls_policy_new(&s->policy, NULL);
	ratls_policy_add(s->policy, name, value, NULL);
}

#define ACTION(name, what)                                                                                   \
	static void name(struct sample *s)                                                                   \
	{                                                                                                    \
		what;                                                                                        \
	}

ACTION(debug, set_bit(s, 0))
ACTION(hgs_plus, set_bit(s, 4))
ACTION(bit_8, set_bit(s, 8))
ACTION(icssd, set_bit(s, 16))
ACTION(lass, set_bit(s, 27))
ACTION(sept_ve_clear, s->quote.td.td_attributes[3] = 0)
ACTION(migratable, set_bit(s, 29))
ACTION(pks, set_bit(s, 30))
ACTION(key_locker, set_bit(s, 31))
ACTION(bit_32, set_bit(s, 32))
ACTION(bit_39, set_bit(s, 39))
ACTION(bit_62, set_bit(s, 62))
ACTION(perfmon, set_bit(s, 63))

/* Only TD reports 1.5 name a service TD. */
static void service_td(struct sample *s)
{
	s->quote.version = 5;
	s->quote.body = QUOTE_BODY_TD15;
	s->quote.td.mrservicetd[47] = 1;
}

static void debug_allowed(struct sample *s)
{
	debug(s);
	add(s, "insecure_allow_debug", "yes");
}

static void debug_allowed_and_profiling(struct sample *s)
{
	debug_allowed(s);
	hgs_plus(s);
}

/* ---- reference values: one register after another ---- */

static void expect(struct sample *s, const char *name, const uint8_t *value, size_t len)
{
	char text[129];

	hex_encode(value, len, text);
	add(s, name, text);
}

static void expect_other(struct sample *s, const char *name, const uint8_t *value, size_t len)
{
	uint8_t other[64];

	for (size_t i = 0; i < len; i++)
		other[i] = value[i];
	other[len - 1] ^= 1;
	expect(s, name, other, len);
}

ACTION(mrtd_other, expect_other(s, "mrtd", s->quote.td.mrtd, 48))
ACTION(rtmr0_other, expect_other(s, "rtmr0", s->quote.td.rtmr[0], 48))
ACTION(rtmr1_other, expect_other(s, "rtmr1", s->quote.td.rtmr[1], 48))
ACTION(rtmr2_other, expect_other(s, "rtmr2", s->quote.td.rtmr[2], 48))
ACTION(rtmr3_other, expect_other(s, "rtmr3", s->quote.td.rtmr[3], 48))
ACTION(ppid_other, expect_other(s, "ppid", s->pki.sgx.ppid, 16))
ACTION(ppid_same, expect(s, "ppid", s->pki.sgx.ppid, 16))
ACTION(mrtd_same, expect(s, "mrtd", s->quote.td.mrtd, 48))
ACTION(compose_hash_wanted, expect(s, "compose_hash", s->quote.td.mrtd, 32))
ACTION(app_id_wanted, expect(s, "app_id", s->quote.td.mrtd, 20))
ACTION(os_image_hash_wanted, expect(s, "os_image_hash", s->quote.td.mrtd, 32))
ACTION(key_provider_wanted, expect(s, "key_provider", s->quote.td.mrtd, 32))

static void mrtd_any_of(struct sample *s)
{
	mrtd_other(s);
	mrtd_same(s);
}

static void registers_differ(struct sample *s)
{
	for (size_t i = 0; i < 4; i++)
		s->quote.td.rtmr[i][0] = (uint8_t)(i + 1);
	expect(s, "rtmr0", s->quote.td.rtmr[0], 48);
	expect(s, "rtmr1", s->quote.td.rtmr[1], 48);
	expect(s, "rtmr2", s->quote.td.rtmr[2], 48);
	expect(s, "rtmr3", s->quote.td.rtmr[3], 48);
}

static void registers_swapped(struct sample *s)
{
	registers_differ(s);
	s->quote.td.rtmr[1][0] = 3;
	s->quote.td.rtmr[2][0] = 2;
}

static void log_required(struct sample *s)
{
	ratls_policy_from_json("{\"require_event_log\":true}", 26, &s->policy, NULL);
}

static void age_limited(struct sample *s)
{
	ratls_policy_from_json("{\"max_evidence_age\":\"1h\"}", 25, &s->policy, NULL);
}

/* ---- the clock ---- */

ACTION(clock_zero, s->at = 0)
ACTION(clock_before_all, s->at = FORGE_NOT_BEFORE - 1)
ACTION(clock_after_all, s->at = FORGE_NOT_AFTER + 1)
ACTION(clock_a_year_off, s->at = SAMPLE_NOW - 365 * SAMPLE_DAY)

const struct row rows_td[] = {
	MADE("244 debug", debug, TD_DEBUG),
	MADE("debug, which the policy allows", debug_allowed, NONE),
	MADE("245 profiling", hgs_plus, TD_PROFILING),
	MADE("245 profiling, debug allowed", debug_allowed_and_profiling, TD_PROFILING),
	MADE("246 reserved bit 8", bit_8, TD_RESERVED),
	MADE("246 ICSSD", icssd, TD_RESERVED),
	MADE("246 LASS", lass, TD_RESERVED),
	MADE("247 migratable", migratable, TD_MIGRATABLE),
	MADE("248 SEPT_VE_DISABLE clear", sept_ve_clear, TD_SEPT_VE),
	MADE("249 reserved bit 32", bit_32, TD_RESERVED),
	MADE("249 reserved bit 39", bit_39, TD_RESERVED),
	MADE("249 bit 62", bit_62, TD_RESERVED),
	MADE("250 PERFMON", perfmon, NONE),
	MADE("251 PKS", pks, NONE),
	MADE("251 Key Locker", key_locker, NONE),
	MADE("252 a service TD", service_td, TD_SERVICE),
	MADE("254 MRTD", mrtd_other, POLICY_MRTD),
	MADE("254 RTMR0", rtmr0_other, POLICY_RTMR0),
	MADE("254 RTMR1", rtmr1_other, POLICY_RTMR1),
	MADE("254 RTMR2", rtmr2_other, POLICY_RTMR2),
	MADE("254 RTMR3", rtmr3_other, POLICY_RTMR3),
	MADE("254 PPID", ppid_other, POLICY_PPID),
	MADE("PPID", ppid_same, NONE),
	MADE("MRTD", mrtd_same, NONE),
	MADE("MRTD, any of two", mrtd_any_of, NONE),
	MADE("four registers", registers_differ, NONE),
	MADE("two registers swapped", registers_swapped, POLICY_RTMR1),
	MADE("compose hash wanted, no event log", compose_hash_wanted, POLICY_COMPOSE_HASH),
	MADE("app id wanted, no event log", app_id_wanted, POLICY_APP_ID),
	MADE("OS image hash wanted, no event log", os_image_hash_wanted, POLICY_OS_IMAGE_HASH),
	MADE("key provider wanted, no event log", key_provider_wanted, POLICY_KEY_PROVIDER),
	MADE("event log required, none there", log_required, POLICY_EVENT_LOG),
	MADE("age limited, none known", age_limited, POLICY_AGE),
	MADE("clock at zero", clock_zero, CLOCK_PLAUSIBLE),
	MADE("clock before everything", clock_before_all, CLOCK_PLAUSIBLE),
	MADE("clock after everything", clock_after_all, CLOCK_PLAUSIBLE),
	MADE("clock a year behind", clock_a_year_off, CRL_ROOT_TIME),
};

const size_t n_rows_td = sizeof(rows_td) / sizeof(rows_td[0]);
