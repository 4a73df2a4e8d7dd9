/* SPDX-License-Identifier: Apache-2.0
 *
 * The attested end: TLS, then the peer's certificate becomes a verdict, from the cache at once or on a
 * worker. Nothing is relayed before (invariant no_bytes_before_verdict).
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "relay/conn.h"

static bool new_channel(struct conn *c, struct end *e, struct ratls_error *err)
{
	const char *host = c->setup->at != NULL ? c->setup->at->host : NULL; /* a sidecar dials later */
	struct channel_context *context = service_context(c->service);
	int rc = channel_new(context, host != NULL && host[0] != '/' ? host : NULL, &e->channel, err);

	channel_context_free(context);
	return rc == RATLS_OK;
}

static enum conn_step handshake_failed(struct conn *c, const char *message)
{
	if (c->service->options.role == SERVICE_SIDECAR) {
		conn_log(c, LOG_LEVEL_WARNING, "%s", message);
		c->why = "TLS handshake failed";
		return STEP_CLOSE;
	}
	return conn_refuse(c, PG_SQLSTATE_CANNOT_CONNECT, REASON_TLS_HANDSHAKE, "%s", message);
}

/* One round: give the channel what came and send what it answers. */
static enum channel_status shake(struct end *e, struct ratls_error *err)
{
	struct channel_out room;
	enum channel_status status;

	if (!end_room(e, &room))
		return CHANNEL_FAILED;
	status = channel_handshake(e->channel, &e->unread, &room, err);
	if (e->unread.left == 0)
		end_consumed(e);
	end_put(e, &room);
	if (e->out != NULL)
		loop_flush(e->sock.loop); /* signatures take long */
	return status;
}

enum conn_step handshake_step(struct conn *c)
{
	struct end *e = conn_attested(c);
	struct ratls_error err = {.message = "out of memory"};
	enum channel_status status;

	if (e->out != NULL)
		return STEP_AGAIN;
	if (e->channel == NULL && !new_channel(c, e, &err))
		return handshake_failed(c, err.message);
	if (e->finished)
		return handshake_failed(c, "TLS handshake failed: the connection was lost");
	status = shake(e, &err);
	if (status == CHANNEL_OK)
		return channel_has_pending(e->channel) ? STEP_AGAIN : STEP_NEXT;
	if (status != CHANNEL_WANT_READ)
		return handshake_failed(c, err.message);
	if (e->eof)
		return handshake_failed(c, "TLS handshake failed: the peer closed the connection");
	if (!channel_has_pending(e->channel))
		end_want(e);
	return STEP_AGAIN;
}

/* ---- the verdict ------------------------------------------------------------------------------------------ */

struct decide_job {
	struct conn_job base;
	struct relying_party *relying_party;
	struct buf leaf;
	bool decided;
	struct verdict verdict;
};

/* First without waiting for a service; if that does not do, again among those that do. So a platform whose
 * collateral is slow to come holds up nobody else. */
static void decide_run(struct pool_job *j)
{
	struct decide_job *d = (struct decide_job *)j;
	struct cur leaf = cur_of(d->leaf.p, d->leaf.len);

	if (j->waits)
		relying_party_decide(d->relying_party, leaf, &d->verdict);
	d->decided = j->waits || relying_party_decide_now(d->relying_party, leaf, clock_now(), &d->verdict);
}

static void decide_free(struct conn_job *j)
{
	struct decide_job *d = (struct decide_job *)j;

	buf_done(&d->leaf);
	free(d);
}

static void decide_answer(struct conn *c, struct conn_job *j);

/* Takes leaf, unless memory runs out. */
static bool decide_on_worker(struct conn *c, struct buf *leaf, bool waits)
{
	struct decide_job *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return false;
	d->base.job.run = decide_run;
	d->base.job.waits = waits;
	d->base.answer = decide_answer;
	d->base.free = decide_free;
	d->relying_party = c->service->options.relying_party;
	d->leaf = *leaf;
	*leaf = (struct buf){0};
	return conn_job_submit(c, c->service->appraisers, &d->base);
}

static void decide_answer(struct conn *c, struct conn_job *j)
{
	struct decide_job *d = (struct decide_job *)j;

	if (!d->decided && decide_on_worker(c, &d->leaf, true))
		return;
	if (!d->decided)
		d->verdict.reason = REASON_OVERLOADED;
	c->setup->verdict = d->verdict;
	c->setup->decided = true;
}

/* Fill the verdict now if it can be known now. */
static enum conn_step begin_decision(struct conn *c)
{
	struct setup *s = c->setup;
	struct relying_party *rp = c->service->options.relying_party;
	struct buf leaf = {0};
	enum conn_step step = STEP_NEXT;
	int rc = channel_peer_certificate(conn_attested(c)->channel, &leaf, NULL);

	if (rc == RATLS_E_NO_EVIDENCE) {
		relying_party_no_certificate(rp, &s->verdict);
		s->decided = true;
	} else if (rc == RATLS_OK && relying_party_cached(rp, cur_of(leaf.p, leaf.len), clock_now(), &s->verdict)) {
		s->decided = true;
	} else if (rc == RATLS_OK && decide_on_worker(c, &leaf, false)) {
		step = STEP_AGAIN;
	} else {
		step = conn_refuse_overload(c);
	}
	buf_done(&leaf);
	return step;
}

/* What the other side learns: everything if it is our own user, one sentence and a code if it is the peer. */
static enum conn_step refuse_peer(struct conn *c, const struct verdict *v)
{
	const struct reason_row *row = reason_find(v->reason);
	struct refusal *r = &c->setup->refusal;
	bool undetermined = v->class == CLASS_UNDETERMINED || v->class == CLASS_CLOCK;
	char target[300], code[REASON_CODE_SIZE];

	atomic_fetch_add(&c->service->counters.refused_verdict, 1);
	reason_code(v->reason, code);
	conn_log(c, LOG_LEVEL_WARNING, "refused (%s, %s): %s", reason_class_name(v->class), code, v->message);
	if (c->service->options.role == SERVICE_SIDECAR) {
		snprintf(r->hint, sizeof(r->hint), "Run \"teesql explain %s\".", code);
		return conn_refuse(c, undetermined ? PG_SQLSTATE_CANNOT_CONNECT : PG_SQLSTATE_AUTHORIZATION, v->reason,
			"client attestation %s", undetermined ? "could not be determined" : "was refused");
	}
	conn_refuse(c, undetermined ? PG_SQLSTATE_CANNOT_CONNECT : PG_SQLSTATE_REFUSED_BY_POLICY, v->reason,
		"attested connection %s: %s", undetermined ? "could not be verified" : "refused",
		row != NULL ? row->meaning : "the peer is not acceptable");
	conn_target(c, target);
	snprintf(r->detail, sizeof(r->detail), "%s: %s%s", target, v->reason == REASON_NO_EVIDENCE ? "upstream " : "",
		v->message);
	snprintf(r->hint, sizeof(r->hint), "Run \"teesql verify %.128s\" with the same options to see every check.", target);
	return STEP_REFUSE;
}

enum conn_step appraise_step(struct conn *c)
{
	const struct service_options *o = &c->service->options;
	struct setup *s = c->setup;
	enum conn_step step;

	if (s->job != NULL) {
		end_want(&c->front); /* who waits for the verdict may give up */
		return c->front.eof && !c->cancel ? STEP_CLOSE : STEP_AGAIN; /* a cancel request is sent and left */
	}
	if (s->refused) /* one connection too many: it is told so without costing an appraisal */
		return STEP_NEXT;
	if (o->role == SERVICE_SIDECAR && !o->require_attestation) {
		s->verdict = (struct verdict){.accepted = true};
		s->decided = true;
		conn_log(c, LOG_LEVEL_INFO, "not verified: attestation of clients is not required");
		return STEP_NEXT;
	}
	if (!s->decided) {
		step = begin_decision(c);
		if (step != STEP_NEXT) {
			end_want(&c->front);
			return step;
		}
	}
	if (!s->verdict.accepted && s->verdict.reason == REASON_OVERLOADED)
		return conn_refuse_overload(c);
	if (!s->verdict.accepted)
		return refuse_peer(c, &s->verdict);
	channel_forget_peer(conn_attested(c)->channel);
	conn_log(c, LOG_LEVEL_INFO, "verified: mrtd %.16s..., TCB %s%s%s%s", s->verdict.mrtd, s->verdict.tcb,
		s->verdict.attested ? "" : ", insecure: without evidence",
		s->verdict.degraded[0] != '\0' ? ", collateral " : "", s->verdict.degraded);
	return STEP_NEXT;
}
