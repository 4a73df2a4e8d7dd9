/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole confidential machine, forged: measurements, event log, quotes, envelopes, RA-TLS certificates,
 * and the endorsements that make a verifier believe them once it is given the root. Everything is real
 * cryptography under a development root; the same options and the same times give the same bytes.
 *
 * forge_defaults describes a good machine; change any member to make exactly that thing wrong:
 *
 *	struct forge_options o;
 *	struct forge_machine m;
 *
 *	forge_defaults(&o, seed, now);
 *	o.pki.cert[FORGE_PCK].not_after = now - 1;
 *	forge_machine_make(&o, &m, &err);
 *	forge_machine_certificate(&m, &leaf, &chain, &err);
 *	forge_machine_collateral(&m, &json, &err);
 *	forge_machine_done(&m);
 *
 * The simulator is this behind HTTP. Production programs contain none of it.
 */
#ifndef SIMULATOR_FORGE_H
#define SIMULATOR_FORGE_H

#include "simulator/forge_cert.h"
#include "simulator/forge_collateral.h"
#include "simulator/forge_envelope.h"
#include "simulator/forge_eventlog.h"
#include "simulator/forge_pki.h"
#include "simulator/forge_quote.h"

#define FORGE_KEY_KMS_ROOT "kms-root"
#define FORGE_KEY_KMS_K256 "kms-k256"

enum forge_evidence {
	FORGE_EVIDENCE_V0,     /* extension .8, SCALE */
	FORGE_EVIDENCE_V1,     /* extension .8, MessagePack */
	FORGE_EVIDENCE_LEGACY, /* extensions .1 and .2 */
	FORGE_EVIDENCE_NONE,
};

enum forge_chain {
	FORGE_CHAIN_KMS,   /* leaf, App CA, KMS root */
	FORGE_CHAIN_LOCAL, /* leaf, local CA */
};

struct forge_options {
	uint8_t seed[FORGE_SEED_SIZE];
	struct forge_pki_options pki;
	struct forge_collateral_options collateral;
	struct forge_quote_options quote; /* MRTD and the like are in quote.td */
	bool fixed_rtmr[4];               /* quote.td.rtmr[i] counts, not what the event log replays to */
	const char *compose;              /* app-compose.json; its SHA-256 is the compose hash */
	uint8_t app_id[20];               /* all zero: the first 20 bytes of the compose hash */
	const char *instance;             /* a name that the instance id is made of */
	uint8_t event_version;            /* of runtime events: 1 or 2 */
	enum forge_evidence evidence;
	enum forge_chain chain;
};

struct forge_machine {
	uint8_t seed[FORGE_SEED_SIZE];
	struct forge_pki pki;
	struct forge_collateral collateral;
	struct forge_quote_options quote;
	bool fixed_rtmr[4];
	uint8_t event_version;
	struct forge_log log; /* may be added to: quotes show what it replays to */
	enum forge_evidence evidence;
	enum forge_chain chain;
	char *compose, *config, *key_provider; /* JSON texts, owned */
	uint8_t compose_hash[32], app_id[20], instance_id[20], os_image_hash[32];
	struct buf kms_root; /* DER */
};

void forge_defaults(struct forge_options *o, const uint8_t seed[static FORGE_SEED_SIZE], int64_t now);

/* Make it; free with forge_machine_done, also after a failure. */
int forge_machine_make(const struct forge_options *o, struct forge_machine *ret, struct ratls_error *err);
void forge_machine_done(struct forge_machine *m);

/* The TD report as a quote would show it now, but for REPORTDATA. */
bool forge_machine_measure(const struct forge_machine *m, struct forge_td *ret);

/* Append the endorsements as one JSON object. */
int forge_machine_collateral(const struct forge_machine *m, struct buf *ret, struct ratls_error *err);

/* Append a quote over report_data. */
int forge_machine_quote(const struct forge_machine *m, const uint8_t report_data[static 64], struct buf *ret,
	struct ratls_error *err);

/* Append a versioned attestation over report_data; strip as in certificates. */
int forge_machine_envelope(const struct forge_machine *m, enum forge_envelope_version version,
	const uint8_t report_data[static 64], bool strip, struct buf *ret, struct ratls_error *err);

/* REPORTDATA of RA-TLS: SHA-512("ratls-cert:" || SubjectPublicKeyInfo). */
bool forge_ratls_report_data(EVP_PKEY *key, uint8_t ret[static 64]);

struct forge_leaf {
	EVP_PKEY *key;                /* of the certificate; borrowed */
	EVP_PKEY *quoted_key;         /* the key that the quote names, if it is to be another; borrowed */
	const char *subject;          /* NULL is "" */
	const char *const *alt_names; /* NULL-terminated, or NULL */
	bool server_auth, client_auth;
	bool without_evidence, app_info;
	int64_t now;                   /* for the default of not_after */
	int64_t not_before, not_after; /* 0: dstack's defaults */
};

/* A certificate for leaf->key and what issued it; free with forge_chain_done. */
struct forge_chain_made {
	struct buf cert[3]; /* DER, leaf first */
	size_t n;
};
int forge_machine_certificate(const struct forge_machine *m, const struct forge_leaf *leaf,
	struct forge_chain_made *ret, struct ratls_error *err);
void forge_chain_done(struct forge_chain_made *c);

/* dstack's app key (secp256k1) of this machine, derived from the KMS root key. */
bool forge_machine_app_key(const struct forge_machine *m, uint8_t ret[static FORGE_SCALAR_SIZE]);

/* The values that dstack reports about a machine. */
struct forge_aggregate {
	uint8_t mr_system[32], mr_aggregated[32], device_id[32];
};
bool forge_machine_aggregate(const struct forge_machine *m, struct forge_aggregate *ret);

#endif
