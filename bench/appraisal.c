/* SPDX-License-Identifier: Apache-2.0
 *
 * bench/appraisal [SECONDS]: appraisals a second on one core, beside the P-256 verifications that each needs.
 *
 *   cold      endorsements taken in and a quote appraised           10 verifications
 *   warm      endorsements at hand, a platform that was never seen   3
 *   platform  a platform that was seen, its QE report is new         2
 *   seen      both were seen, the quote is new                       1
 *
 * Under Intel's root, which is known byte by byte, cold is one less: a development root has to have signed itself.
 *
 * "over" is the time that is not verification, as a share of the verifications' own time in the same run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/ec.h>
#include <openssl/evp.h>

#include "appraisal/endorsed.h"
#include "simulator/forge.h"

#define NOW    INT64_C(1751600000)
#define ROUNDS 100 /* kinds of work take turns, so that a slow moment hits all of them */

struct material {
	struct buf collateral, root;
	struct ratls_evidence *evidence, *anew; /* of one platform, whose QE report was then signed anew */
	struct ratls_endorsements *endorsements;
	EVP_PKEY_CTX *verify;
	uint8_t signature[80], digest[32];
	size_t signature_len;
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "appraisal: could not %s\n", what);
	exit(1);
}

static struct ratls_endorsements *endorse(const struct material *m)
{
	struct ratls_endorsements_options options = {.size = sizeof(options),
		.insecure_trust_root = m->root.p,
		.insecure_trust_root_len = m->root.len};
	struct ratls_endorsements *e = NULL;

	must(ratls_endorsements_from_json((const char *)m->collateral.p, m->collateral.len, &options, &e, NULL) ==
			RATLS_OK,
		"take endorsements in");
	return e;
}

static void appraise(const struct ratls_evidence *evidence, const struct ratls_endorsements *e)
{
	const struct ratls_binding none = {.kind = RATLS_BINDING_NONE};
	struct ratls_report *report = NULL;

	must(ratls_appraise(evidence, e, NULL, &none, NOW, &report, NULL) == RATLS_OK &&
			ratls_report_accepted(report),
		"appraise");
	ratls_report_free(report);
}

static void cold(struct material *m)
{
	struct ratls_endorsements *e = endorse(m);

	appraise(m->evidence, e);
	ratls_endorsements_free(e);
}

static void warm(struct material *m)
{
	pck_memo_done(&m->endorsements->endorsed->memo);
	memset(&m->endorsements->endorsed->memo, 0, sizeof(m->endorsements->endorsed->memo));
	appraise(m->evidence, m->endorsements);
}

static void platform(struct material *m)
{
	appraise(m->anew, m->endorsements);
}

static void seen(struct material *m)
{
	appraise(m->evidence, m->endorsements);
}

static void verify(struct material *m)
{
	must(EVP_PKEY_verify(m->verify, m->signature, m->signature_len, m->digest, sizeof(m->digest)) == 1, "verify");
}

static void make_signature(struct material *m)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	EVP_PKEY_CTX *sign = EVP_PKEY_CTX_new(key, NULL);

	m->signature_len = sizeof(m->signature);
	m->verify = EVP_PKEY_CTX_new(key, NULL);
	must(EVP_PKEY_sign_init(sign) == 1 &&
			EVP_PKEY_sign(sign, m->signature, &m->signature_len, m->digest, sizeof(m->digest)) == 1 &&
			EVP_PKEY_verify_init(m->verify) == 1,
		"sign");
	EVP_PKEY_CTX_free(sign);
	EVP_PKEY_free(key);
}

static void make(struct material *m)
{
	static const uint8_t seed[FORGE_SEED_SIZE] = "bench", report_data[64];
	struct forge_options options;
	struct forge_machine machine = {0};
	struct buf quote = {0}, anew = {0};

	forge_defaults(&options, seed, NOW);
	must(forge_machine_make(&options, &machine, NULL) == RATLS_OK &&
			forge_machine_quote(&machine, report_data, &quote, NULL) == RATLS_OK &&
			forge_machine_collateral(&machine, &m->collateral, NULL) == RATLS_OK,
		"forge a machine");
	machine.quote.qe.cpusvn[15] ^= 1; /* which nobody judges */
	must(forge_machine_quote(&machine, report_data, &anew, NULL) == RATLS_OK, "forge a quote");
	buf_bytes(&m->root, machine.pki.cert[FORGE_ROOT].p, machine.pki.cert[FORGE_ROOT].len);
	forge_machine_done(&machine);
	must(ratls_evidence_from_quote(quote.p, quote.len, &m->evidence, NULL) == RATLS_OK &&
			ratls_evidence_from_quote(anew.p, anew.len, &m->anew, NULL) == RATLS_OK,
		"parse quotes");
	buf_done(&quote);
	buf_done(&anew);
	m->endorsements = endorse(m);
	make_signature(m);
}

static double clock_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* How often it can be done in this many seconds, and how long that took. */
static void run(void (*work)(struct material *), struct material *m, double seconds, double *times, double *took)
{
	double begin = clock_seconds(), now = begin;

	while (now - begin < seconds) {
		work(m);
		*times += 1;
		now = clock_seconds();
	}
	*took += now - begin;
}

#define KINDS 5

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*work)(struct material *);
		int verifications;
	} kinds[KINDS] = {{"verify", verify, 1}, {"cold", cold, 10}, {"warm", warm, 3}, {"platform", platform, 2},
		{"seen", seen, 1}};
	double seconds = argc > 1 ? strtod(argv[1], NULL) : KINDS, times[KINDS] = {0}, took[KINDS] = {0};
	struct material m = {0};

	make(&m);
	for (size_t round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < KINDS; i++)
			run(kinds[i].work, &m, seconds / KINDS / ROUNDS, &times[i], &took[i]);
	printf("%-8s %12s %14s %14s %8s\n", "", "per second", "microseconds", "verifications", "over");
	for (size_t i = 0; i < KINDS; i++) {
		double each = took[i] / times[i], ideal = took[0] / times[0] * kinds[i].verifications;

		printf("%-8s %12.0f %14.1f %14d %7.0f%%\n", kinds[i].name, times[i] / took[i], each * 1e6,
			kinds[i].verifications, (each / ideal - 1) * 100);
	}
	return 0;
}
