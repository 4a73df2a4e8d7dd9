/* SPDX-License-Identifier: Apache-2.0 */
#include "http_server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct http_server {
	int fd;
	pthread_t thread;
	http_handler handler;
	void *self;
	char path[108];
	char url[64];
	struct http_request request;
	char buffer[sizeof(struct http_request)];
	pthread_mutex_t lock;
	pthread_cond_t idle;
	bool busy;
};

static size_t content_length(const char *headers)
{
	const char *line = strcasestr(headers, "content-length:");

	return line != NULL ? strtoul(line + 15, NULL, 10) : 0;
}

static size_t read_more(int fd, char *buffer, size_t used, size_t cap)
{
	ssize_t n = used + 1 < cap ? recv(fd, buffer + used, cap - used - 1, 0) : 0;

	if (n <= 0)
		return 0;
	buffer[used + (size_t)n] = '\0';
	return used + (size_t)n;
}

/* 0 if a whole request came. */
static int read_request(struct http_server *s, int fd)
{
	struct http_request *r = &s->request;
	char *buffer = s->buffer;
	size_t used = 0, length;
	char *end = NULL, *line;

	memset(r, 0, sizeof(*r));
	buffer[0] = '\0';
	while ((end = strstr(buffer, "\r\n\r\n")) == NULL)
		if ((used = read_more(fd, buffer, used, sizeof(s->buffer))) == 0)
			return -1;
	end += 4;
	length = content_length(buffer);
	while (used < (size_t)(end - buffer) + length)
		if ((used = read_more(fd, buffer, used, sizeof(s->buffer))) == 0)
			return -1;
	line = strstr(buffer, "\r\n");
	if (length >= sizeof(r->body) || (size_t)(end - line) > sizeof(r->headers))
		return -1;
	memcpy(r->body, end, length);
	memcpy(r->headers, line + 2, (size_t)(end - line) - 2);
	return sscanf(buffer, "%7s %1023s", r->method, r->target) == 2 ? 0 : -1;
}

static void set_busy(struct http_server *s, bool busy)
{
	pthread_mutex_lock(&s->lock);
	s->busy = busy;
	pthread_cond_broadcast(&s->idle);
	pthread_mutex_unlock(&s->lock);
}

void http_server_wait_idle(struct http_server *s)
{
	pthread_mutex_lock(&s->lock);
	while (s->busy)
		pthread_cond_wait(&s->idle, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

static void *serve(void *arg)
{
	struct http_server *s = arg;
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		set_busy(s, true);
		if (read_request(s, fd) == 0)
			s->handler(s->self, &s->request, fd);
		close(fd);
		set_busy(s, false);
	}
	return NULL;
}

static int listen_tcp(struct http_server *s)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(s->fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(s->fd, 64) < 0 ||
		getsockname(s->fd, (struct sockaddr *)&at, &len) < 0)
		return -1;
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u", ntohs(at.sin_port));
	return 0;
}

static int listen_unix(struct http_server *s, const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	snprintf(s->path, sizeof(s->path), "%s", path);
	memcpy(at.sun_path, s->path, sizeof(at.sun_path));
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(s->url, sizeof(s->url), "http://localhost");
	return bind(s->fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(s->fd, 64) < 0 ? -1 : 0;
}

struct http_server *http_server_start(const char *path, http_handler handler, void *self)
{
	struct http_server *s = calloc(1, sizeof(*s));

	s->handler = handler;
	s->self = self;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->idle, NULL);
	if ((path != NULL ? listen_unix(s, path) : listen_tcp(s)) < 0 ||
		pthread_create(&s->thread, NULL, serve, s) != 0) {
		perror("could not start the test's HTTP server");
		abort();
	}
	return s;
}

void http_server_stop(struct http_server *s)
{
	shutdown(s->fd, SHUT_RDWR); /* wakes accept */
	pthread_join(s->thread, NULL);
	close(s->fd);
	if (s->path[0] != '\0')
		unlink(s->path);
	pthread_cond_destroy(&s->idle);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

const char *http_server_url(const struct http_server *s)
{
	return s->url;
}

void http_raw(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		p += n;
		len -= (size_t)n;
	}
}

void http_reply(int fd, int status, const char *headers, const void *body, size_t len)
{
	char head[256];

	snprintf(head, sizeof(head), "HTTP/1.1 %d Text\r\nContent-Length: %zu\r\n", status, len);
	http_raw(fd, head, strlen(head));
	http_raw(fd, headers, strlen(headers));
	http_raw(fd, "\r\n", 2);
	http_raw(fd, body, len);
}

void http_reply_text(int fd, int status, const char *text)
{
	http_reply(fd, status, "", text, strlen(text));
}

void http_wait_for_close(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, 0) > 0)
		;
}
