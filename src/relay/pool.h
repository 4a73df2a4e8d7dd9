/* SPDX-License-Identifier: Apache-2.0
 *
 * A few threads for what blocks: the guest agent, collateral, name resolution, appraisal with cold
 * endorsements. Results come back to a loop as a post. Jobs that wait for others have threads and a queue of
 * their own, so that those that do not are not held up by them.
 */
#ifndef RELAY_POOL_H
#define RELAY_POOL_H

#include <stdatomic.h>

#include "relay/loop.h"

struct pool;

struct pool_job {
	void (*run)(struct pool_job *j);  /* in a thread of the pool */
	void (*done)(struct pool_job *j); /* in the thread of `home`; may free j */
	struct loop *home;
	struct loop_post post;
	struct pool_job *next;
	bool waits;            /* for others, for as long as they like: set before it is submitted */
	atomic_bool cancelled; /* nobody waits for it any more: it comes home without having run */
};

/* So many threads for jobs that wait, and as many for those that do not; the former are started when there is
 * such a job. queue_max bounds either queue (invariant bounded_by_configuration). */
int pool_new(unsigned threads, unsigned queue_max, struct pool **ret, struct ratls_error *err);

/* False if the queue is full: j was not taken. Any thread whose children may not take signals. */
bool pool_submit(struct pool *p, struct pool_job *j);

/* Waits for the jobs that run; those that wait come home without having run. Their loops must still exist. */
void pool_free(struct pool *p);

#endif
