/* SPDX-License-Identifier: Apache-2.0
 *
 * A small HTTP server for tests, on a real socket in a thread of its own: one connection at a time, one
 * exchange a connection, answers written by the test byte for byte where it wants to.
 */
#ifndef TESTS_HTTP_SERVER_H
#define TESTS_HTTP_SERVER_H

#include <stddef.h>

struct http_request {
	char method[8];
	char target[1024];
	char headers[4096]; /* as received, request line excluded */
	char body[65536];   /* NUL-terminated */
};

/* Answers on fd; the server closes it afterwards. */
typedef void (*http_handler)(void *self, const struct http_request *request, int fd);

struct http_server;

/* Listens on path, or on a free port of 127.0.0.1 if path is NULL. */
struct http_server *http_server_start(const char *path, http_handler handler, void *self);
void http_server_stop(struct http_server *s);

/* Wait until no exchange is under way: what the handler uses may change then, and what it has noted may be
 * read. (That an answer came orders nothing between two threads.) */
void http_server_wait_idle(struct http_server *s);

/* "http://127.0.0.1:PORT"; with a path "http://localhost". */
const char *http_server_url(const struct http_server *s);

/* A well-formed answer. headers is "" or lines that end with CR LF. */
void http_reply(int fd, int status, const char *headers, const void *body, size_t len);
void http_reply_text(int fd, int status, const char *text);

/* These bytes, whatever they are; a peer that has gone is no error. */
void http_raw(int fd, const void *bytes, size_t len);

/* Wait until the peer closes. */
void http_wait_for_close(int fd);

#endif
