/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop on io_uring. One ring a thread, single issuer, task work deferred to the wait, so that one
 * system call an iteration submits everything and collects everything. Receives take their buffer from a
 * ring of provided ones at the moment data is there: an idle session holds none. A receive is one shot:
 * what multishot saves in submissions it costs in back pressure, since it must be cancelled to stop, and
 * up to then a fast peer can take every buffer of the loop.
 */
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "relay/backend.h"

#define RING_ENTRIES 1024
#define BUFFER_GROUP 0

#define SHORTAGE_MAX_MS 10000 /* as long the kernel may take nothing more from us */

/* The low bits of a completion's user data; the rest is a pointer. */
enum tag { TAG_RECEIVE, TAG_SEND, TAG_CONNECT, TAG_ACCEPT, TAG_WAKE, TAG_IGNORE, TAG_MASK = 7 };

struct uring {
	struct io_uring ring;
	struct io_uring_buf_ring *buffers;
	uint64_t wake_value;
	bool enabled;
	struct sock_list closed; /* the kernel holds nothing of theirs any more */
	struct sock *quiet;      /* their sends have succeeded unless a completion says otherwise */
};

static struct uring *uring_of(struct loop *l)
{
	return l->state;
}

static bool passes(int error)
{
	return error == -EINTR || error == -EAGAIN || error == -EBUSY || error == -ETIME;
}

/* No connection of this thread will ever hear of its bytes again. A program that ends is seen and started anew;
 * one that turns or sleeps for ever is not. */
static _Noreturn void give_up(int error)
{
	log_event(LOG_LEVEL_ERROR, 0, NULL, "io_uring has failed, nothing can go on: %s", strerror(-error));
	abort();
}

static struct io_uring_sqe *next_sqe(struct loop *l)
{
	struct io_uring *ring = &uring_of(l)->ring;
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	for (int i = 0; sqe == NULL; i++) {
		int rc = io_uring_submit(ring);

		if (rc < 0 && (!passes(rc) || i == SHORTAGE_MAX_MS))
			give_up(rc);
		if (rc < 0)
			poll(NULL, 0, 1); /* the kernel is short of memory */
		sqe = io_uring_get_sqe(ring);
	}
	return sqe;
}

static void mark(struct io_uring_sqe *sqe, void *pointer, enum tag tag)
{
	sqe->user_data = (uint64_t)(uintptr_t)pointer | (uint64_t)tag;
}

/* ---- set up ------------------------------------------------------------------------------------------------- */

static int create(struct io_uring *ring, struct ratls_error *err)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED |
			 IORING_SETUP_CQSIZE,
		.cq_entries = 4 * RING_ENTRIES,
	};
	int rc = io_uring_queue_init_params(RING_ENTRIES, ring, &params);

	if (rc < 0)
		return err_set(err, RATLS_E_UNSUPPORTED, "io_uring is not available here: %s",
			rc == -EINVAL ? "the kernel is older than 6.1" : strerror(-rc));
	return RATLS_OK;
}

/* Only the operations in use, whatever a peer may one day make us do: set before the first peer byte. */
static int restrict_operations(struct io_uring *ring)
{
	static const uint8_t allowed[] = {IORING_OP_ACCEPT, IORING_OP_CONNECT, IORING_OP_RECV, IORING_OP_SEND,
		IORING_OP_ASYNC_CANCEL, IORING_OP_READ};
	struct io_uring_restriction rules[sizeof(allowed) + 2] = {0};
	unsigned n = 0;

	for (; n < sizeof(allowed); n++) {
		rules[n].opcode = IORING_RESTRICTION_SQE_OP;
		rules[n].sqe_op = allowed[n];
	}
	rules[n].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
	rules[n++].sqe_flags = IOSQE_BUFFER_SELECT | IOSQE_CQE_SKIP_SUCCESS;
	rules[n].opcode = IORING_RESTRICTION_REGISTER_OP;
	rules[n++].register_op = IORING_REGISTER_RING_FDS;
	return io_uring_register((unsigned)ring->ring_fd, IORING_REGISTER_RESTRICTIONS, rules, n);
}

static void provide(struct loop *l, unsigned id)
{
	struct uring *u = uring_of(l);

	io_uring_buf_ring_add(u->buffers, l->chunks + id * CHUNK_STRIDE, LOOP_CHUNK_SIZE, (unsigned short)id,
		io_uring_buf_ring_mask(LOOP_CHUNKS), 0);
	io_uring_buf_ring_advance(u->buffers, 1);
}

static int register_buffers(struct loop *l, struct uring *u)
{
	struct io_uring_buf_reg reg = {.ring_entries = LOOP_CHUNKS, .bgid = BUFFER_GROUP};
	int rc;

	if (posix_memalign((void **)&u->buffers, (size_t)sysconf(_SC_PAGESIZE),
		    LOOP_CHUNKS * sizeof(struct io_uring_buf)) != 0)
		return -ENOMEM;
	reg.ring_addr = (uint64_t)(uintptr_t)u->buffers;
	rc = io_uring_register_buf_ring(&u->ring, &reg, 0);
	if (rc < 0)
		return rc;
	io_uring_buf_ring_init(u->buffers);
	for (unsigned id = 0; id < LOOP_CHUNKS; id++)
		provide(l, id);
	return 0;
}

static void uring_stop(struct loop *l)
{
	struct uring *u = uring_of(l);

	io_uring_queue_exit(&u->ring);
	free(u->buffers);
	free(u);
	l->state = NULL;
}

static int uring_start(struct loop *l, struct ratls_error *err)
{
	struct uring *u = calloc(1, sizeof(*u));
	int rc;

	if (u == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	sock_list_init(&u->closed);
	rc = create(&u->ring, err);
	if (rc != RATLS_OK) {
		free(u);
		return rc;
	}
	l->state = u;
	rc = register_buffers(l, u);
	if (rc == 0)
		rc = restrict_operations(&u->ring);
	if (rc < 0) {
		uring_stop(l);
		return err_set(err, RATLS_E_UNSUPPORTED, "io_uring is not complete here: %s", strerror(-rc));
	}
	return RATLS_OK;
}

/* ---- operations ---------------------------------------------------------------------------------------------- */

static int uring_open(struct sock *s, struct ratls_error *err)
{
	(void)s;
	(void)err;
	return RATLS_OK;
}

static void uring_connect(struct sock *s, const struct sockaddr *address, socklen_t len)
{
	struct io_uring_sqe *sqe = next_sqe(s->loop);

	io_uring_prep_connect(sqe, s->fd, address, len);
	mark(sqe, s, TAG_CONNECT);
	s->connecting = true;
	s->pending++;
}

static void uring_receive(struct sock *s)
{
	struct io_uring_sqe *sqe = next_sqe(s->loop);

	io_uring_prep_recv(sqe, s->fd, NULL, LOOP_CHUNK_SIZE, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = BUFFER_GROUP;
	if (s->drained)
		sqe->ioprio |= IORING_RECVSEND_POLL_FIRST; /* an attempt now would find nothing */
	mark(sqe, s, TAG_RECEIVE);
	s->pending++;
}

static void quiet_push(struct sock **list, struct sock *s)
{
	s->quiet = true;
	s->next_quiet = *list;
	s->quiet_at = list;
	if (*list != NULL)
		(*list)->quiet_at = &s->next_quiet;
	*list = s;
}

static void quiet_remove(struct sock *s)
{
	if (!s->quiet)
		return;
	s->quiet = false;
	*s->quiet_at = s->next_quiet;
	if (s->next_quiet != NULL)
		s->next_quiet->quiet_at = s->quiet_at;
}

/* A quiet send is tried once and ends within the submission; if it took all, no completion says so, and so the
 * wait that submits it is not woken by it. */
static void uring_send(struct sock *s, bool quietly)
{
	struct uring *u = uring_of(s->loop);
	struct io_uring_sqe *sqe = next_sqe(s->loop);

	io_uring_prep_send(sqe, s->fd, s->send_p, s->send_left, MSG_NOSIGNAL | MSG_WAITALL);
	mark(sqe, s, TAG_SEND);
	s->pending++;
	if (quietly) {
		sqe->msg_flags |= MSG_DONTWAIT;
		sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
		quiet_push(&u->quiet, s);
	}
}

static void uring_flush(struct loop *l)
{
	(void)io_uring_submit(&uring_of(l)->ring); /* what fails now is submitted, or given up, by the wait */
}

static void finish_close(struct sock *s)
{
	struct uring *u = uring_of(s->loop);

	if (s->pending > 0)
		return;
	close(s->fd);
	s->fd = -1;
	sock_list_push(&u->closed, s);
}

static void uring_close(struct sock *s)
{
	struct io_uring_sqe *sqe;

	loop_feed_no_more(s);
	if (s->pending > 0) {
		sqe = next_sqe(s->loop);
		io_uring_prep_cancel_fd(sqe, s->fd, IORING_ASYNC_CANCEL_ALL);
		mark(sqe, NULL, TAG_IGNORE);
	}
	finish_close(s);
}

static void arm_accept(struct loop_acceptor *a)
{
	struct io_uring_sqe *sqe = next_sqe(a->loop);

	io_uring_prep_multishot_accept(sqe, a->fd, NULL, NULL, SOCK_CLOEXEC);
	mark(sqe, a, TAG_ACCEPT);
}

static void retry_accept(struct loop_timer *t)
{
	struct loop_acceptor *a = (void *)((char *)t - offsetof(struct loop_acceptor, retry));

	if (!a->stopped)
		arm_accept(a);
}

static int uring_accept(struct loop_acceptor *a, struct ratls_error *err)
{
	(void)err;
	a->retry.fire = retry_accept;
	arm_accept(a);
	return RATLS_OK;
}

static void uring_accept_stop(struct loop_acceptor *a)
{
	struct io_uring_sqe *sqe = next_sqe(a->loop);

	loop_timer_clear(a->loop, &a->retry);
	/* By what it is, not by descriptor, which the caller may close before this is submitted. */
	io_uring_prep_cancel64(sqe, (uint64_t)(uintptr_t)a | TAG_ACCEPT, 0);
	mark(sqe, NULL, TAG_IGNORE);
}

static void uring_chunk_release(struct loop *l, unsigned id)
{
	provide(l, id);
}

static void feed_starved(struct loop *l)
{
	struct sock *s;

	for (unsigned n = l->n_chunks; n > 0 && (s = loop_next_starved(l)) != NULL; n--)
		uring_receive(s);
}

/* ---- completions ---------------------------------------------------------------------------------------------- */

static void on_receive(struct sock *s, const struct io_uring_cqe *cqe)
{
	struct loop_chunk chunk = {0};

	s->pending--;
	if (cqe->flags & IORING_CQE_F_BUFFER) {
		chunk.id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
		chunk.p = s->loop->chunks + chunk.id * CHUNK_STRIDE;
		chunk.len = cqe->res > 0 ? (size_t)cqe->res : 0;
		s->loop->n_chunks--;
	}
	if (s->closing) {
		loop_chunk_release(s->loop, &chunk);
		finish_close(s);
		return;
	}
	if (cqe->res == -ENOBUFS) {
		loop_starve(s);
		return;
	}
	s->receiving = false;
	s->drained = (cqe->flags & IORING_CQE_F_SOCK_NONEMPTY) == 0;
	if (cqe->res <= 0)
		loop_chunk_release(s->loop, &chunk);
	s->received(s, cqe->res, chunk);
}

static void end_send(struct sock *s, int result)
{
	s->pending--;
	if (s->closing) {
		finish_close(s);
		return;
	}
	s->sending = false;
	s->sent(s, result);
}

static void on_send(struct sock *s, const struct io_uring_cqe *cqe)
{
	size_t done = cqe->res > 0 ? (size_t)cqe->res : 0;

	quiet_remove(s);
	if (s->closing || done == s->send_left || (cqe->res < 0 && cqe->res != -EAGAIN)) {
		end_send(s, cqe->res < 0 ? cqe->res : 0);
		return;
	}
	s->pending--;
	s->send_p += done;
	s->send_left -= done;
	uring_send(s, false);
}

/* What was submitted and has no completion here was sent: its owners learn that before anything else. */
static void run_quiet(struct loop *l)
{
	struct uring *u = uring_of(l);
	struct io_uring_cqe *cqe;
	struct sock *told;
	unsigned head;

	if (u->quiet == NULL)
		return;
	if (io_uring_sq_ready(&u->ring) > 0 || io_uring_cq_has_overflow(&u->ring)) {
		l->hurry = true; /* not yet known, and perhaps nothing else wakes us */
		return;
	}
	io_uring_for_each_cqe(&u->ring, head, cqe)
		if ((cqe->user_data & TAG_MASK) == TAG_SEND)
			quiet_remove((void *)(uintptr_t)(cqe->user_data & ~(uint64_t)TAG_MASK));
	if (u->quiet == NULL)
		return;
	told = u->quiet; /* what its owners begin now is not in it */
	told->quiet_at = &told;
	u->quiet = NULL;
	while (told != NULL) {
		struct sock *s = told;

		quiet_remove(s);
		end_send(s, 0);
	}
}

static void on_connect(struct sock *s, const struct io_uring_cqe *cqe)
{
	s->pending--;
	s->connecting = false;
	if (s->closing)
		finish_close(s);
	else
		s->connected(s, cqe->res);
}

static void on_accept(struct loop_acceptor *a, const struct io_uring_cqe *cqe)
{
	int res = cqe->res;
	bool more = (cqe->flags & IORING_CQE_F_MORE) != 0;

	if (res >= 0 && a->stopped)
		close(res);
	else if (res >= 0)
		a->accepted(a, res);
	if (more || a->stopped)
		return;
	/* A shortage of descriptors or memory passes: later, or at once where there is none for a timer either. */
	if (res >= 0 || res == -ECONNABORTED || res == -EINTR ||
		!loop_timer_set(a->loop, &a->retry, LOOP_ACCEPT_RETRY_MS))
		arm_accept(a);
}

static void arm_wake(struct loop *l)
{
	struct uring *u = uring_of(l);
	struct io_uring_sqe *sqe = next_sqe(l);

	io_uring_prep_read(sqe, l->wake_fd, &u->wake_value, sizeof(u->wake_value), 0);
	mark(sqe, NULL, TAG_WAKE);
}

static void complete(struct loop *l, const struct io_uring_cqe *cqe)
{
	void *pointer = (void *)(uintptr_t)(cqe->user_data & ~(uint64_t)TAG_MASK);

	switch ((enum tag)(cqe->user_data & TAG_MASK)) {
	case TAG_RECEIVE:
		on_receive(pointer, cqe);
		break;
	case TAG_SEND:
		on_send(pointer, cqe);
		break;
	case TAG_CONNECT:
		on_connect(pointer, cqe);
		break;
	case TAG_ACCEPT:
		on_accept(pointer, cqe);
		break;
	case TAG_WAKE:
		arm_wake(l);
		loop_run_posts(l);
		break;
	case TAG_IGNORE:
	case TAG_MASK:
		break;
	}
}

static void run_closed(struct loop *l)
{
	struct sock *s;

	while ((s = sock_list_pop(&uring_of(l)->closed)) != NULL)
		s->closed(s);
}

static void uring_wait(struct loop *l, int64_t timeout_ms)
{
	struct uring *u = uring_of(l);
	struct __kernel_timespec limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000000};
	struct io_uring_cqe *cqe;
	unsigned head, n = 0;
	int rc;

	if (!u->enabled) {
		/* The thread that enables a single-issuer ring is its issuer. */
		u->enabled = true;
		rc = io_uring_register((unsigned)u->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
		if (rc < 0)
			give_up(rc);
		(void)io_uring_register_ring_fd(&u->ring); /* cheaper to enter; works without */
		arm_wake(l);
	}
	run_closed(l);
	feed_starved(l);
	if (l->hurry)
		rc = io_uring_submit_and_get_events(&u->ring);
	else
		rc = io_uring_submit_and_wait_timeout(
			&u->ring, &cqe, 1, timeout_ms >= 0 ? &limit : NULL, NULL);
	l->hurry = false;
	if (rc < 0 && !passes(rc))
		give_up(rc);
	if (rc == -EAGAIN || rc == -EBUSY)
		poll(NULL, 0, 1); /* the kernel is short of memory */
	loop_tick(l);
	run_quiet(l);
	io_uring_for_each_cqe(&u->ring, head, cqe) {
		complete(l, cqe);
		n++;
	}
	io_uring_cq_advance(&u->ring, n);
	run_closed(l);
}

const struct backend backend_uring = {
	.start = uring_start,
	.stop = uring_stop,
	.wait = uring_wait,
	.flush = uring_flush,
	.open = uring_open,
	.connect = uring_connect,
	.receive = uring_receive,
	.send = uring_send,
	.close = uring_close,
	.accept = uring_accept,
	.accept_stop = uring_accept_stop,
	.chunk_release = uring_chunk_release,
};
