/* SPDX-License-Identifier: Apache-2.0
 *
 * ratls.h - attested TLS: believe the quote, not a certificate authority.
 *
 * The header reads like the story it serves:
 *
 *   bytes -> evidence -> (endorsements, policy, binding, time) -> report -> verdict
 *
 * Words are those of RFC 9334 (RATS). TCB status names are Intel's.
 *
 * Conventions
 *   - A fallible function returns an enum ratls_code (0 is success). Outputs come last, are named
 *     ret_..., and are untouched on failure. `err` may be NULL; if given it is filled on failure.
 *     RATLS_E_NOMEM is possible wherever there is a code, and not named again.
 *   - A pointer may be NULL where that is said, and nowhere else. It may be in all ratls_report_ functions:
 *     no report is one that refuses.
 *   - "Could not decide" is an error. "Decided no" is a report that does not accept. Only
 *     `rc == RATLS_OK && ratls_report_accepted(report)` may open a door.
 *   - Objects are opaque, owned by the caller once returned, and freed with their _free function,
 *     which accepts NULL. Evidence, endorsements, policies and reports are immutable once built: threads
 *     may share them without locks. There is no global state; the library never logs, never reads the
 *     environment and never exits.
 *   - Strings are UTF-8 and end with NUL. Byte arrays carry their length in bytes. Times are seconds
 *     since 1970-01-01T00:00:00Z.
 *   - Option structs begin with their own size: set it to sizeof, and all that is not asked for to zero,
 *     which is the safe default. Members are only ever added at the end, so that a caller and a library
 *     of different versions understand each other. RATLS_E_ARG if the size is not set, or if something
 *     is asked for that the library does not know. Whatever weakens a check is a member whose name
 *     begins with insecure_.
 */
#ifndef RATLS_H
#define RATLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ---- errors: it could not be done ------------------------------------------------------------ */

/* What the caller can do about it decides the code; the sentence is in struct ratls_error. */
enum ratls_code {
	RATLS_OK = 0,
	RATLS_E_NOMEM = -1,       /* memory ran out: free some, or give up */
	RATLS_E_ARG = -2,         /* a bad argument, option or configuration: fix it */
	RATLS_E_FORMAT = -3,      /* bytes are not what their format allows: refuse the peer */
	RATLS_E_NO_EVIDENCE = -4, /* there is no evidence in it: refuse the peer */
	RATLS_E_UNSUPPORTED = -5, /* well formed, but of a kind this library does not know: refuse */
	RATLS_E_IO = -6,          /* a file or socket failed: look at the message */
	RATLS_E_UNAVAILABLE = -7, /* a service did not answer or answered nonsense: try again later */
	RATLS_E_CRYPTO = -8,      /* the cryptographic library failed: do not continue */
	RATLS_E_TLS = -9,         /* the TLS handshake or record layer failed */
};

#define RATLS_ERROR_MESSAGE_SIZE 512

/* Caller-owned, needs no cleanup. `reason` is a TQ number (see `teesql explain`), 0 if there is none. */
struct ratls_error {
	int code;
	int reason;
	char message[RATLS_ERROR_MESSAGE_SIZE];
};

/* The version of this library, "MAJOR.MINOR.PATCH". Static. */
const char *ratls_version(void);

/* ---- 1. evidence: what a peer presents. Parsing only; it trusts nothing. ---------------------- */

struct ratls_evidence;

/* From an X.509 certificate (DER, at most 256 KiB): extension 1.3.6.1.4.1.62397.1.8 (versioned
 * attestation), else .1 (quote) with .2 (event log). The certificate's key is remembered for the key
 * binding. RATLS_E_NO_EVIDENCE if there is no such extension; RATLS_E_FORMAT if anything in it is
 * malformed or contradicts itself; RATLS_E_UNSUPPORTED names a platform other than TDX. The bytes are
 * copied. So it is with the other two. */
int ratls_evidence_from_certificate(const uint8_t *der, size_t len, struct ratls_evidence **ret,
	struct ratls_error *err);

/* From a TDX quote, version 4 or 5 (at most 64 KiB; zero bytes may trail). It has no event log, so that
 * no claim of the application can be taken from it. */
int ratls_evidence_from_quote(const uint8_t *quote, size_t len, struct ratls_evidence **ret,
	struct ratls_error *err);

/* From a dstack versioned attestation (V0 SCALE or V1 MessagePack, at most 1 MiB). */
int ratls_evidence_from_envelope(const uint8_t *bytes, size_t len, struct ratls_evidence **ret,
	struct ratls_error *err);

void ratls_evidence_free(struct ratls_evidence *evidence);

enum ratls_measurement {
	RATLS_MRTD,          /* 48 bytes: virtual firmware */
	RATLS_RTMR0,         /* 48 bytes each: hardware, kernel, command line and initrd, application */
	RATLS_RTMR1,
	RATLS_RTMR2,
	RATLS_RTMR3,
	RATLS_MRCONFIGID,    /* 48 bytes */
	RATLS_MROWNER,       /* 48 bytes */
	RATLS_MROWNERCONFIG, /* 48 bytes */
	RATLS_MRSEAM,        /* 48 bytes: TDX module */
	RATLS_REPORT_DATA,   /* 64 bytes */
	RATLS_APP_ID,        /* 20 bytes, of the event log: believe it only after an accepting report */
	RATLS_COMPOSE_HASH,  /* 32 bytes, likewise */
	RATLS_INSTANCE_ID,   /* 20 bytes, likewise */
	RATLS_OS_IMAGE_HASH, /* 32 bytes, likewise */
};

/* The bytes of a measurement, owned by the evidence; NULL (and *ret_len 0) if it carries none. */
const uint8_t *ratls_evidence_measurement(const struct ratls_evidence *evidence, enum ratls_measurement which,
	size_t *ret_len);

/* ---- 2. endorsements: signed facts about platforms. Immutable, shareable between threads. ------- */

struct ratls_endorsements;

struct ratls_endorsements_options {
	size_t size;
	/* A root certificate (DER) that replaces Intel's: for development roots. Shown in every report. */
	const uint8_t *insecure_trust_root;
	size_t insecure_trust_root_len;
};

/* From the JSON object with the members pck_crl_issuer_chain, root_ca_crl, pck_crl,
 * tcb_info_issuer_chain, tcb_info, tcb_info_signature, qe_identity_issuer_chain, qe_identity,
 * qe_identity_signature (CRLs as hex of DER, or PEM). Chains and signatures are checked here, once; what
 * does not hold is remembered and fails every appraisal that uses it. RATLS_E_FORMAT if the text is not
 * such an object. options may be NULL. */
int ratls_endorsements_from_json(const char *json, size_t len,
	const struct ratls_endorsements_options *options, struct ratls_endorsements **ret,
	struct ratls_error *err);
void ratls_endorsements_free(struct ratls_endorsements *endorsements);

/* ---- 3. policy: reference values and tolerances. Immutable once in use. ------------------------- */

struct ratls_policy;

/* From a JSON object of schema "teesql.policy/1". Unknown members, wrong sizes and bad hex are
 * RATLS_E_ARG and name the line. */
int ratls_policy_from_json(const char *json, size_t len, struct ratls_policy **ret, struct ratls_error *err);

/* An empty policy compares no measurement (and every report says so); TCB statuses default to UpToDate
 * and SWHardeningNeeded. */
int ratls_policy_new(struct ratls_policy **ret, struct ratls_error *err);

/* Add one acceptable value, any of which suffices: name is a list of the policy file ("mrtd",
 * "rtmr0".."rtmr3", "compose_hash", "app_id", "os_image_hash", "key_provider", "ppid", "tcb_status",
 * "advisories_allowed"), or "insecure_allow_debug" with value "yes"; its other members are read from a
 * file alone. Only before the policy is shared. RATLS_E_ARG says what is wrong with it. */
int ratls_policy_add(struct ratls_policy *policy, const char *name, const char *value,
	struct ratls_error *err);
void ratls_policy_free(struct ratls_policy *policy);

/* ---- 4. appraisal: a pure function. --------------------------------------------------------------- */

struct ratls_report;

/* What the quote's REPORTDATA must name. */
enum ratls_binding_kind {
	RATLS_BINDING_CERTIFICATE, /* SHA-512("ratls-cert:" || the key of the certificate it came in) */
	RATLS_BINDING_SPKI,        /* the same of this SubjectPublicKeyInfo (DER) */
	RATLS_BINDING_REPORT_DATA, /* these bytes, right-padded with zeros to 64 */
	/* Nothing: for a quote in a file. The report says "skipped", and nothing about whose key it is: anybody can
	 * show the quote of a real machine. Nobody may send data on its word. */
	RATLS_BINDING_NONE,
};

struct ratls_binding {
	enum ratls_binding_kind kind;
	const uint8_t *bytes; /* of the two in the middle; the others have none */
	size_t len;
};

/* Appraise evidence at a moment. endorsements may be NULL (then the answer is "undetermined" at best);
 * policy may be NULL (empty). A report lists every rule with pass, fail, warn, skipped or unknown.
 * Pure: no I/O, no clock; thread-safe. The report keeps what it is about: all the rest may be freed.
 * RATLS_E_ARG if evidence or binding is NULL, or the time or the binding is none: of an unknown kind, too
 * long, or with bytes that are not there. */
int ratls_appraise(const struct ratls_evidence *evidence, const struct ratls_endorsements *endorsements,
	const struct ratls_policy *policy, const struct ratls_binding *binding, int64_t at,
	struct ratls_report **ret, struct ratls_error *err);

/* May data be sent to this machine? To whoever holds the key that the quote names: with RATLS_BINDING_NONE it names
 * none, and "accepted" says no more than that there is such a machine. False for NULL. */
bool ratls_report_accepted(const struct ratls_report *report);

/* What kind of "no": the values are also the exit codes of every teesql command. */
enum ratls_class {
	RATLS_CLASS_ACCEPTED = 0,
	RATLS_CLASS_POLICY = 1,       /* genuine evidence, not what the policy accepts */
	RATLS_CLASS_USAGE = 2,        /* of commands alone: options, configuration, policy file */
	RATLS_CLASS_UNREACHABLE = 3,  /* of commands alone: name, connection, TLS transport */
	RATLS_CLASS_EVIDENCE = 4,     /* no evidence, or malformed evidence */
	RATLS_CLASS_AUTHENTICITY = 5, /* signature, chain, revocation, key binding */
	RATLS_CLASS_TCB = 6,          /* TCB status not accepted */
	RATLS_CLASS_UNDETERMINED = 7, /* collateral or verifier service unavailable or out of its validity */
	RATLS_CLASS_CLOCK = 8,        /* our own clock is implausible */
};

/* The enum ratls_class of the verdict; RATLS_CLASS_UNDETERMINED for NULL. */
int ratls_report_class(const struct ratls_report *report);

/* One sentence that names the rule that decided and what differed; "accepted" if none stood in the way,
 * "nothing was appraised" for NULL. Owned by the report. */
const char *ratls_report_message(const struct ratls_report *report);

/* The moment after which this verdict must be formed anew: the earliest end of the certificate and of
 * every endorsement that it rests on. INT64_MAX if it rests on nothing that ends (null in the JSON); 0 for
 * NULL. */
int64_t ratls_report_valid_until(const struct ratls_report *report);

/* The report as JSON, schema "teesql.verify/1" (members are only ever added). Owned by the report, and
 * written when first asked for, by any thread. NULL if memory does not suffice for it, and for NULL. */
const char *ratls_report_json(const struct ratls_report *report);
void ratls_report_free(struct ratls_report *report);

/* ---- 5. source: where endorsements come from. ------------------------------------------------------ */

struct ratls_source;

/* One HTTP exchange. The transport must cap the body at max_body and the time at timeout_ms, verify TLS,
 * and follow no redirect to another protocol. */
struct ratls_http_request {
	const char *method;      /* "GET" or "POST" */
	const char *url;         /* http:// or https:// */
	const char *unix_socket; /* a path to connect to in place of the URL's host, or NULL */
	const char *const *headers; /* "Name: value", NULL-terminated, or NULL */
	const void *body;
	size_t body_len;
	size_t max_body;
	long timeout_ms;
	/* NULL, or asked at least once a second while the answer is not there: true means that nobody waits for
	 * it any more, and the transport gives up. */
	bool (*stop)(const void *stop_self);
	const void *stop_self;
};

struct ratls_http_response {
	long status;
	char *headers; /* all header lines as received, NUL-terminated, or NULL; of malloc, and free()d by us */
	uint8_t *body; /* followed by a NUL that is not counted, or NULL; likewise */
	size_t body_len;
};

/* RATLS_OK with any status if an answer came, RATLS_E_UNAVAILABLE with a sentence if none did: then *ret is left
 * alone. Called from any thread; neither ret nor err is NULL. */
typedef int (*ratls_fetch_fn)(void *self, const struct ratls_http_request *request,
	struct ratls_http_response *ret, struct ratls_error *err);

struct ratls_source_options {
	size_t size;
	/* PCS or PCCS base URLs in order, NULL-terminated; NULL is Intel's PCS. "URL#timeout=5s" gives one a timeout
	 * of its own for all that it is asked about a platform (10 s). */
	const char *const *urls;
	const char *directory;   /* of collateral files, looked at first; NULL is none */
	ratls_fetch_fn fetch;    /* NULL is the built-in transport (libcurl) */
	void *fetch_self;
	const uint8_t *insecure_trust_root; /* DER; as in struct ratls_endorsements_options */
	size_t insecure_trust_root_len;
	/* A file in the form of ratls_endorsements_from_json, which answers for every platform: then nobody is
	 * asked. It is read again once a day and when what it held has ended. NULL is none. */
	const char *collateral;
	/* A folder to keep what was fetched, made if it is not there; it must be the caller's and writable by nobody
	 * else. What is read from it is checked like what a network delivers. NULL is none. */
	const char *cache_dir;
	/* For a program that asks about one machine and ends: what is due to be refreshed is asked for before it is
	 * given, and not in the background. */
	bool one_shot;
};

/* Thread-safe. The strings and bytes of the options are copied. A source has a thread, from the first question on,
 * that asks and refreshes; it ends in ratls_source_free, within a second if the transport heeds `stop`. options may
 * be NULL. RATLS_E_ARG says what is wrong with them, RATLS_E_IO what is with cache_dir. */
int ratls_source_new(const struct ratls_source_options *options, struct ratls_source **ret,
	struct ratls_error *err);

/* The endorsements for this evidence's platform, from memory or fetched: blocking, at most 25 s, the certificate of a
 * quote that only names it included. at is when they are to hold; what does not is given where nobody has better, for
 * an appraisal to say so. The caller frees its reference. RATLS_E_UNAVAILABLE says which item could not be had from
 * where and why; what failed is not tried again at once. RATLS_E_FORMAT or RATLS_E_UNSUPPORTED if the quote does not
 * tell its platform. Nobody is asked about a machine whose certificate is not one of the configured root's, nor for
 * a certificate whose name stands in a quote that is forged or by which nobody can be asked: then the endorsements
 * hold the root alone, so that an appraisal says so. */
int ratls_source_endorse(struct ratls_source *source, const struct ratls_evidence *evidence, int64_t at,
	struct ratls_endorsements **ret, struct ratls_error *err);
void ratls_source_free(struct ratls_source *source);

/* ---- 6. Intel Trust Authority: a verifier as a service. --------------------------------------------- */

struct ratls_ita;

struct ratls_ita_options {
	size_t size;
	const char *url;     /* "us" (also NULL), "eu", or the https:// base URL of its API */
	const char *portal;  /* the https:// base URL of the portal that publishes its keys; NULL is the region's,
			      * or url where that is neither region's */
	const char *api_key; /* required; copied, and wiped at the end */
	ratls_fetch_fn fetch; /* NULL is the built-in transport */
	void *fetch_self;
	bool insecure_no_nonce; /* ask for tokens without a nonce: for a service that accepts none */
	const uint8_t *insecure_trust_root; /* DER; as in struct ratls_endorsements_options */
	size_t insecure_trust_root_len;
	/* Do not send the event log (as a confidential-computing event log, of those registers that it
	 * replays): for a service that refuses it. It is replayed by an appraisal either way. */
	bool no_event_log;
};

/* Thread-safe; strings and bytes are copied. RATLS_E_ARG says what is wrong with them. The service is asked only
 * about quotes that name the key that they should and whose signatures hold up to Intel's root, for at most 20 s; where it
 * refuses our key, wants fewer questions or does not answer, nobody asks for a while (at most 5 minutes). */
int ratls_ita_new(const struct ratls_ita_options *options, struct ratls_ita **ret, struct ratls_error *err);
void ratls_ita_free(struct ratls_ita *ita);

/* ---- 7. verifier: evidence in, report out, by whatever means. ---------------------------------------- */

struct ratls_verifier;

/* With a source: by Intel's collateral. With ita: by Intel Trust Authority. With both: each must accept, and a
 * disagreement is a check of its own. Both are borrowed and must outlive it; one may be NULL. */
int ratls_verifier_new(struct ratls_source *source, struct ratls_ita *ita, struct ratls_verifier **ret,
	struct ratls_error *err);

/* The host program's own. verify is called from any thread, may block, and makes its report with
 * ratls_appraise or with another verifier; free (may be NULL) is called with self at the end. ops is copied;
 * self (may be NULL) remains the caller's if this fails. */
struct ratls_verifier_ops {
	int (*verify)(void *self, const struct ratls_evidence *evidence, const struct ratls_policy *policy,
		const struct ratls_binding *binding, int64_t at, struct ratls_report **ret,
		struct ratls_error *err);
	void (*free)(void *self);
};
int ratls_verifier_custom(const struct ratls_verifier_ops *ops, void *self, struct ratls_verifier **ret,
	struct ratls_error *err);

/* Ask whoever is to be asked (blocking as ratls_source_endorse, 27 s with both), and appraise. policy may be NULL.
 * What could not be had makes a report that does not accept and says why; errors are those of ratls_appraise, or
 * of the host program's function. Thread-safe. */
int ratls_verifier_verify(struct ratls_verifier *verifier, const struct ratls_evidence *evidence,
	const struct ratls_policy *policy, const struct ratls_binding *binding, int64_t at,
	struct ratls_report **ret, struct ratls_error *err);
void ratls_verifier_free(struct ratls_verifier *verifier);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
