/* SPDX-License-Identifier: Apache-2.0
 *
 * teesql-simulator: a confidential VM for development. It gives out real keys, quotes and collateral under
 * a root that only whoever was told to trust it trusts.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/listen_unix.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "simulator/collateral_http.h"
#include "simulator/guest.h"
#include "simulator/guest_http.h"
#include "simulator/home.h"
#include "simulator/listen.h"
#include "simulator/settings.h"

#define SOCKET_FILE "dstack.sock"

struct simulator {
	struct settings settings;
	struct home home;
	struct guest guest;
	struct collateral_service collateral;
	char socket[PATH_MAX]; /* "" if none was made */
	char http[LISTEN_TEXT_SIZE], pccs[LISTEN_TEXT_SIZE];
	struct http_server *on_socket, *on_http, *on_pccs;
};

/* Signals are waited for: every thread that comes later inherits the mask. */
static void block_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGINT);
	pthread_sigmask(SIG_BLOCK, ret, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int make_machine(struct simulator *s, struct ratls_error *err)
{
	uint8_t seed[FORGE_SEED_SIZE];
	struct forge_options options;
	struct buf compose = {0};
	int rc = home_seed(&s->home, s->settings.seed, seed, err);

	if (rc == RATLS_OK)
		rc = settings_forge(&s->settings, seed, clock_now(), &options, &compose, err);
	if (rc == RATLS_OK)
		rc = guest_init(&s->guest, &options, s->settings.cert_lifetime / 1000, err);
	if (rc == RATLS_OK)
		rc = collateral_service_init(&s->collateral, &options.collateral, s->settings.early_tcb_status,
			&s->guest.machine.pki, err);
	if (rc == RATLS_OK)
		rc = home_publish(&s->home, &s->guest.machine, err);
	secret_wipe(seed, sizeof(seed));
	buf_done(&compose);
	return rc;
}

static int serve_socket(struct simulator *s, struct ratls_error *err)
{
	char path[PATH_MAX];
	int fd, rc = RATLS_OK;

	if (s->settings.socket == NULL)
		rc = home_path(&s->home, SOCKET_FILE, path, err);
	else if (snprintf(path, sizeof(path), "%s", s->settings.socket) >= (int)sizeof(path))
		rc = err_reason(err, RATLS_E_ARG, REASON_OPTION, "--socket is too long");
	if (rc == RATLS_OK)
		rc = listen_unix(path, &fd, err);
	if (rc != RATLS_OK)
		return rc;
	if (realpath(path, s->socket) == NULL) /* clients want it absolute */
		snprintf(s->socket, sizeof(s->socket), "%s", path);
	return http_start(fd, "guest agent", guest_http, &s->guest, &s->on_socket, err);
}

static int serve(struct simulator *s, struct ratls_error *err)
{
	int fd, rc = serve_socket(s, err);

	if (rc == RATLS_OK && s->settings.http != NULL) {
		rc = listen_tcp(s->settings.http, &fd, s->http, err);
		if (rc == RATLS_OK)
			rc = http_start(fd, "guest agent", guest_http, &s->guest, &s->on_http, err);
	}
	if (rc == RATLS_OK)
		rc = listen_tcp(s->settings.collateral, &fd, s->pccs, err);
	if (rc == RATLS_OK)
		rc = http_start(fd, "collateral service", collateral_http, &s->collateral, &s->on_pccs, err);
	return rc;
}

/* NAME=VALUE as a shell reads it. */
static void print_assignment(const char *name, const char *scheme, const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-:[]";

	if (value[strspn(value, plain)] == '\0') {
		printf("%s=%s%s\n", name, scheme, value);
		return;
	}
	printf("%s='%s", name, scheme);
	for (; *value != '\0'; value++)
		if (*value == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*value);
	puts("'");
}

/* Where programs of this machine find what listens there: a wildcard is no address to go to. */
static const char *reachable(const char *bound, char ret[static LISTEN_TEXT_SIZE])
{
	if (strncmp(bound, "0.0.0.0:", 8) == 0)
		snprintf(ret, LISTEN_TEXT_SIZE, "127.0.0.1:%.8s", bound + 8);
	else if (strncmp(bound, "[::]:", 5) == 0)
		snprintf(ret, LISTEN_TEXT_SIZE, "[::1]:%.8s", bound + 5);
	else
		snprintf(ret, LISTEN_TEXT_SIZE, "%s", bound);
	return ret;
}

/* Three lines for the caller's environment, then readiness. With --http the endpoint is the URL: some
 * clients know no sockets. */
static void announce(const struct simulator *s, const char *root)
{
	bool http = s->on_http != NULL;
	char address[LISTEN_TEXT_SIZE];

	print_assignment(
		"DSTACK_SIMULATOR_ENDPOINT", http ? "http://" : "", http ? reachable(s->http, address) : s->socket);
	print_assignment("TEESQL_PCCS", "http://", reachable(s->pccs, address));
	print_assignment("TEESQL_INSECURE_TRUST_ROOT", "", root);
	fflush(stdout);
	fprintf(stderr, "ready socket=%s%s%s collateral=%s\n", s->socket, http ? " http=" : "", s->http, s->pccs);
}

static void finish(struct simulator *s)
{
	http_stop(s->on_socket);
	http_stop(s->on_http);
	http_stop(s->on_pccs);
	if (s->socket[0] != '\0')
		unlink(s->socket);
	collateral_service_done(&s->collateral);
	guest_done(&s->guest);
	home_close(&s->home);
	opt_free(&settings_program, &s->settings);
}

static int fail(struct simulator *s, const struct ratls_error *err)
{
	const struct reason_row *row = reason_find(err->reason);

	fprintf(stderr, "%s: %s\n", settings_program.name, err->message);
	if (row != NULL)
		fprintf(stderr, "HINT: %s\n", row->remedy);
	finish(s);
	return CLASS_USAGE;
}

static int start(struct simulator *s, char root[static PATH_MAX], struct ratls_error *err)
{
	int rc;

	log_setup(settings_program.name, s->settings.log_level, s->settings.log_format);
	rc = home_open(&s->home, s->settings.dir, err);
	if (rc == RATLS_OK)
		rc = make_machine(s, err);
	if (rc == RATLS_OK)
		rc = home_path(&s->home, "root.pem", root, err);
	return rc == RATLS_OK ? serve(s, err) : rc;
}

int main(int argc, char **argv)
{
	static struct simulator s;
	struct ratls_error err = {0};
	enum opt_action action;
	char **rest, root[PATH_MAX];
	sigset_t signals;
	int rc, signal_number;

	(void)argc;
	rc = opt_parse(&settings_program, argv, &s.settings, &action, &rest, &err);
	if (rc != RATLS_OK)
		return fail(&s, &err);
	if (action == OPT_RUN && rest[0] != NULL)
		rc = err_reason(&err, RATLS_E_ARG, REASON_OPTION, "unexpected argument \"%s\"", rest[0]);
	free(rest);
	if (action == OPT_EXIT) {
		finish(&s);
		return 0;
	}
	secret_forbid_core_dumps();
	block_signals(&signals);
	if (rc == RATLS_OK)
		rc = start(&s, root, &err);
	if (rc != RATLS_OK)
		return fail(&s, &err);
	announce(&s, root);
	sigwait(&signals, &signal_number);
	finish(&s);
	return 0;
}
