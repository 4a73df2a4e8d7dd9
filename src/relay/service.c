/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/thread.h"
#include "relay/conn.h"

#define APPRAISERS 4
#define RESOLVERS  2

/* ---- accepting: the first loop listens, every loop serves ------------------------------------------------- */

struct handover {
	struct loop_post post;
	struct worker *worker;
	int fd;
};

static void take_over(struct loop_post *p)
{
	struct handover *h = (struct handover *)p;

	atomic_fetch_sub(&h->worker->n_coming, 1);
	if (atomic_load(&h->worker->service->ending))
		close(h->fd);
	else
		conn_start(h->worker, h->fd);
	free(h);
}

static uint64_t load_of(struct worker *w)
{
	return atomic_load(&w->n_conns) + atomic_load(&w->n_coming);
}

static struct worker *least_busy(struct service *s)
{
	struct worker *best = &s->workers[0];

	for (unsigned i = 1; i < s->n_workers; i++)
		if (load_of(&s->workers[i]) < load_of(best))
			best = &s->workers[i];
	return best;
}

static void accepted(struct loop_acceptor *a, int fd)
{
	struct listener *l = (struct listener *)a;
	struct worker *w = least_busy(l->service);
	struct handover *h;

	if (atomic_load(&l->service->ending)) {
		close(fd);
		return;
	}
	if (w->loop == a->loop) {
		conn_start(w, fd);
		return;
	}
	h = calloc(1, sizeof(*h));
	if (h == NULL) {
		close(fd);
		return;
	}
	*h = (struct handover){.post.run = take_over, .worker = w, .fd = fd};
	atomic_fetch_add(&w->n_coming, 1);
	loop_post(w->loop, &h->post);
}

/* ---- jobs of connections ------------------------------------------------------------------------------------ */

static void job_done(struct pool_job *job)
{
	struct conn_job *j = (struct conn_job *)job;
	struct conn *c = j->conn;

	if (c != NULL) {
		c->setup->job = NULL;
		j->answer(c, j);
	}
	j->free(j);
	if (c != NULL)
		conn_drive(c);
}

bool conn_job_submit(struct conn *c, struct pool *workers, struct conn_job *j)
{
	j->conn = c;
	j->job.done = job_done;
	j->job.home = c->loop;
	c->setup->job = j;
	if (pool_submit(workers, &j->job))
		return true;
	c->setup->job = NULL;
	j->free(j);
	return false;
}

void conn_job_abandon(struct setup *s)
{
	if (s->job == NULL)
		return;
	s->job->conn = NULL;
	atomic_store(&s->job->job.cancelled, true);
	s->job = NULL;
}

/* ---- the context -------------------------------------------------------------------------------------------- */

void service_set_context(struct service *s, struct channel_context *context)
{
	struct channel_context *old;

	channel_context_ref(context);
	pthread_mutex_lock(&s->context_lock);
	old = s->context;
	s->context = context;
	pthread_mutex_unlock(&s->context_lock);
	channel_context_free(old);
}

struct channel_context *service_context(struct service *s)
{
	struct channel_context *context;

	pthread_mutex_lock(&s->context_lock);
	context = channel_context_ref(s->context);
	pthread_mutex_unlock(&s->context_lock);
	return context;
}

/* ---- start and end ------------------------------------------------------------------------------------------ */

static void *run_worker(void *arg)
{
	struct worker *w = arg;

	loop_run(w->loop);
	return NULL;
}

static void drain_listeners(struct loop_post *p)
{
	struct worker *w = (void *)((char *)p - offsetof(struct worker, drain_post));
	struct service *s = w->service;

	for (size_t i = 0; i < s->n_listeners; i++) {
		loop_accept_stop(&s->listeners[i].acceptor);
		listen_close(&s->listeners[i]);
	}
}

static void end_sessions(struct loop_post *p)
{
	struct worker *w = (void *)((char *)p - offsetof(struct worker, stop_post));
	struct conn *c, *next;

	if (w == w->service->workers)
		drain_listeners(&w->drain_post);
	if (w->conns == NULL)
		loop_stop(w->loop);
	for (c = w->conns; c != NULL; c = next) {
		next = c->next;
		conn_end(c, PG_SQLSTATE_SHUTDOWN, "terminating connection due to administrator command", "shutting down");
	}
}

static int start_workers(struct service *s, char choice[static 160], struct ratls_error *err)
{
	int rc;

	for (unsigned i = 0; i < s->n_workers; i++) {
		s->workers[i].service = s;
		s->workers[i].drain_post.run = drain_listeners;
		s->workers[i].stop_post.run = end_sessions;
		rc = loop_new(s->options.io, &s->workers[i].loop, choice, err);
		if (rc != RATLS_OK)
			return rc;
	}
	for (size_t i = 0; i < s->n_listeners; i++) {
		rc = loop_accept(s->workers[0].loop, &s->listeners[i].acceptor, err);
		if (rc != RATLS_OK)
			return rc;
	}
	rc = pool_new(APPRAISERS, (unsigned)s->options.limits.appraisals, &s->appraisers, err);
	if (rc == RATLS_OK)
		rc = pool_new(RESOLVERS, (unsigned)s->options.limits.appraisals, &s->resolvers, err);
	for (unsigned i = 0; rc == RATLS_OK && i < s->n_workers; i++) {
		rc = thread_start(&s->workers[i].thread, run_worker, &s->workers[i], err);
		s->workers[i].started = rc == RATLS_OK;
	}
	return rc;
}

/* One more listener. A negative fd means that `where` says it. */
static int add_listener(struct service *s, const char *where, int fd, struct ratls_error *err)
{
	struct listener *l = &s->listeners[s->n_listeners];
	int rc;

	*l = (struct listener){.service = s, .acceptor = {.fd = -1, .accepted = accepted}};
	rc = fd < 0 ? listen_open(where, l, err) : listen_adopt(fd, l, err);
	if (rc == RATLS_OK)
		s->n_listeners++;
	return rc;
}

/* A driver that is told "localhost" tries [::1] first, where with our port no other program must answer. */
static int add_twin(struct service *s, struct ratls_error *err)
{
	char where[64];

	if (strncmp(s->listeners[0].name, "127.0.0.1:", 10) != 0)
		return RATLS_OK;
	snprintf(where, sizeof(where), "[::1]:%s", service_port(s));
	if (!listen_has_ipv6())
		return RATLS_OK;
	return add_listener(s, where, -1, err);
}

static int add_socket(struct service *s, struct ratls_error *err)
{
	char where[256];
	const char *port = service_port(s);

	snprintf(where, sizeof(where), "%.200s/.s.PGSQL.%s", s->options.socket_dir, port != NULL ? port : "5432");
	return add_listener(s, where, -1, err);
}

static int open_listeners(struct service *s, struct ratls_error *err)
{
	const struct service_options *o = &s->options;
	size_t names = 0, fds = 0;
	int rc = RATLS_OK;

	while (o->listen != NULL && o->listen[names] != NULL)
		names++;
	while (o->listen_fds != NULL && o->listen_fds[fds] >= 0)
		fds++;
	if (names + fds == 0)
		return err_set(err, RATLS_E_ARG, "there is nothing to listen on");
	s->listeners = calloc(names + fds + 2, sizeof(*s->listeners));
	if (s->listeners == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	for (size_t i = 0; rc == RATLS_OK && i < names + fds; i++)
		rc = i < names ? add_listener(s, o->listen[i], -1, err)
			       : add_listener(s, NULL, o->listen_fds[i - names], err);
	if (rc == RATLS_OK && o->listen_twin)
		rc = add_twin(s, err);
	if (rc == RATLS_OK && o->socket_dir != NULL)
		rc = add_socket(s, err);
	return rc;
}

int service_start(const struct service_options *options, struct channel_context *context,
	struct service **ret, char ret_choice[static 160], struct ratls_error *err)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct service *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return err_set(err, RATLS_E_NOMEM, "out of memory");
	s->options = *options;
	pthread_mutex_init(&s->context_lock, NULL);
	s->context = channel_context_ref(context);
	s->n_workers = options->threads > 0 ? options->threads : (processors > 3 ? (unsigned)processors / 2 : 1);
	s->workers = calloc(s->n_workers, sizeof(*s->workers));
	s->admissions = admissions_new(&s->options.limits, options->role == SERVICE_SIDECAR);
	rc = s->workers == NULL || s->admissions == NULL ? err_set(err, RATLS_E_NOMEM, "out of memory") : RATLS_OK;
	if (rc == RATLS_OK)
		rc = open_listeners(s, err);
	if (rc == RATLS_OK)
		rc = start_workers(s, ret_choice, err);
	if (rc != RATLS_OK) {
		service_free(s);
		return rc;
	}
	*ret = s;
	return RATLS_OK;
}

const char *service_listening(const struct service *s, size_t i)
{
	return i < s->n_listeners ? s->listeners[i].name : NULL;
}

const char *service_port(const struct service *s)
{
	const char *first = service_listening(s, 0), *colon = strrchr(first, ':');

	return first[0] != '/' && colon != NULL ? colon + 1 : NULL;
}

const struct service_counters *service_counters(const struct service *s)
{
	return &s->counters;
}

void service_drain(struct service *s)
{
	if (!atomic_exchange(&s->draining, true))
		loop_post(s->workers[0].loop, &s->workers[0].drain_post);
}

void service_free(struct service *s)
{
	if (s == NULL)
		return;
	atomic_store(&s->ending, true);
	for (unsigned i = 0; s->workers != NULL && i < s->n_workers; i++)
		if (s->workers[i].started)
			loop_post(s->workers[i].loop, &s->workers[i].stop_post);
	for (unsigned i = 0; s->workers != NULL && i < s->n_workers; i++)
		if (s->workers[i].started)
			pthread_join(s->workers[i].thread, NULL);
	pool_free(s->appraisers);
	pool_free(s->resolvers);
	for (unsigned i = 0; s->workers != NULL && i < s->n_workers; i++)
		loop_free(s->workers[i].loop);
	for (size_t i = 0; i < s->n_listeners; i++)
		listen_close(&s->listeners[i]);
	free(s->listeners);
	free(s->workers);
	admissions_free(s->admissions);
	channel_context_free(s->context);
	pthread_mutex_destroy(&s->context_lock);
	free(s);
}
