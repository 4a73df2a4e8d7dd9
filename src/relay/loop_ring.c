/* SPDX-License-Identifier: Apache-2.0
 *
 * Many receives and sends in one system call. That io_uring could also wait is not used (doc/ARCHITECTURE.md says
 * why): nothing is left with the kernel when a call returns.
 */
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "relay/loop_private.h"

#define SHORTAGE_MAX_MS 10000 /* as long the kernel may take nothing from us */

struct ring {
	struct io_uring uring;
	unsigned n_added;
	bool enabled;
};

/* No connection of this thread will ever hear of its bytes again. A program that ends is seen and started anew;
 * one that turns or sleeps for ever is not. */
static _Noreturn void give_up(int error)
{
	log_event(LOG_LEVEL_ERROR, 0, NULL, "io_uring has failed, nothing can go on: %s", strerror(-error));
	abort();
}

/* Only the operations in use, whatever a peer may one day make us do: set before the first peer byte. */
static int restrict_operations(struct io_uring *uring)
{
	struct io_uring_restriction rules[] = {
		{.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_RECV},
		{.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_SEND},
		{.opcode = IORING_RESTRICTION_REGISTER_OP, .register_op = IORING_REGISTER_RING_FDS},
	};

	return io_uring_register((unsigned)uring->ring_fd, IORING_REGISTER_RESTRICTIONS, rules,
		sizeof(rules) / sizeof(rules[0]));
}

int ring_new(struct ring **ret, struct ratls_error *err)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED};
	struct ring *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	rc = io_uring_queue_init_params(RING_ENTRIES, &r->uring, &params);
	if (rc < 0) {
		free(r);
		return err_set(err, RATLS_E_UNSUPPORTED, "io_uring is not available here: %s",
			rc == -EINVAL ? "the kernel is older than 6.1" : strerror(-rc));
	}
	rc = restrict_operations(&r->uring);
	if (rc < 0) {
		ring_free(r);
		return err_set(err, RATLS_E_UNSUPPORTED, "io_uring is not complete here: %s", strerror(-rc));
	}
	*ret = r;
	return RATLS_OK;
}

void ring_free(struct ring *r)
{
	if (r == NULL)
		return;
	io_uring_queue_exit(&r->uring);
	free(r);
}

void ring_enable(struct ring *r)
{
	int rc;

	if (r->enabled)
		return;
	r->enabled = true;
	rc = io_uring_register((unsigned)r->uring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
	if (rc < 0)
		give_up(rc);
	(void)io_uring_register_ring_fd(&r->uring); /* cheaper to enter; works without */
}

void ring_receive(struct ring *r, int fd, void *p, size_t len, int *ret_result)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&r->uring);

	io_uring_prep_recv(sqe, fd, p, len, MSG_DONTWAIT);
	io_uring_sqe_set_data(sqe, ret_result);
	r->n_added++;
}

void ring_send(struct ring *r, int fd, const void *p, size_t len, int *ret_result)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&r->uring);

	io_uring_prep_send(sqe, fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	io_uring_sqe_set_data(sqe, ret_result);
	r->n_added++;
}

static void reap(struct ring *r)
{
	struct io_uring_cqe *cqe;
	unsigned head, n = 0;

	io_uring_for_each_cqe(&r->uring, head, cqe) {
		*(int *)io_uring_cqe_get_data(cqe) = cqe->res;
		n++;
	}
	io_uring_cq_advance(&r->uring, n);
	r->n_added -= n;
}

/* Whatever does not wait is over when the kernel has taken it; should one not be, it is waited for. */
void ring_run(struct ring *r)
{
	for (int i = 0; r->n_added > 0; i++) {
		int rc = io_uring_submit_and_wait(&r->uring, r->n_added);

		if (rc < 0 && ((rc != -EINTR && rc != -EAGAIN && rc != -EBUSY) || i == SHORTAGE_MAX_MS))
			give_up(rc);
		if (rc < 0)
			poll(NULL, 0, 1); /* the kernel is short of memory */
		reap(r);
	}
}
