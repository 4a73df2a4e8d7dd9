/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the loop stand on: a loop, a pair of sockets, a crowd of pairs.
 */
#ifndef TESTS_LOOP_STAGE_H
#define TESTS_LOOP_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "relay/loop_private.h"

struct fixture {
	struct loop *loop;
	int pair[2];
	struct sock left, right;
	unsigned open;
	size_t want, got;
	int last_result;
	bool released_late;
	struct loop_chunk kept[LOOP_CHUNKS];
	unsigned n_kept;
};

extern struct fixture *f; /* one test at a time */

#define CROWD 300 /* more than one turn of the loop serves at once */

struct member {
	struct sock near, far;
	uint8_t bytes[3000];
	size_t got;
};

extern struct member crowd[CROWD];

enum loop_io io_of(void **state);
bool start(void **state);
void closed(struct sock *s);
void finish(void);
void open_pair(void);
void close_pair(void);
/* The left one only: its other end is the test's. */
void open_left(void);
struct member *member_of(struct sock *far);
void open_crowd(size_t n);
void close_crowd(size_t n);
void must_not_come(struct sock *s, int result, struct loop_chunk chunk);
void close_now(struct loop_timer *t);
void close_left(struct loop_timer *t);

/* A test with a ring and without: its state says which. */
extern enum loop_io with_ring, without_ring;
#define ON_BOTH(test)                                                                                         \
	{#test " (io_uring)", test, NULL, NULL, &with_ring}, {#test " (epoll)", test, NULL, NULL, &without_ring}

#endif
