/* SPDX-License-Identifier: Apache-2.0
 *
 * doc/ARCHITECTURE.md draws the states of a connection: its table and its diagrams are those of conn.c. The
 * document is the first argument.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "relay/conn.h"

#define CELLS 5

static char *document;

/* CONN_STATES if there is no such state. */
static enum conn_state state_of(const char *text)
{
	int s = 0;

	while (s < CONN_STATES && strcmp(conn_state_name((enum conn_state)s), text) != 0)
		s++;
	return (enum conn_state)s;
}

/* "| `a` | b | ... |" into its cells, in place, without blanks and backquotes around. False
 * for other lines. */
static bool split_row(char *line, char *cells[CELLS])
{
	char *cell, *save = NULL;
	int n = 0;

	if (strncmp(line, "| `", 3) != 0)
		return false;
	for (cell = strtok_r(line, "|", &save); cell != NULL && n < CELLS;
		cell = strtok_r(NULL, "|", &save)) {
		cells[n] = cell + strspn(cell, " `");
		cells[n][strcspn(cells[n], "`")] = '\0';
		n++;
	}
	return n == CELLS;
}

static void the_table_is_that_of_the_code(void **state)
{
	char *copy = strdup(document), *line, *save = NULL, *cells[CELLS];
	int next = 0;

	(void)state;
	for (line = strtok_r(copy, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		enum conn_state s;

		if (!split_row(line, cells) || (s = state_of(cells[0])) == CONN_STATES)
			continue;
		assert_int_equal(s, next++); /* in the order of the code */
		if (state_of(cells[3]) != conn_state_next(s, SERVICE_SIDECAR) ||
			state_of(cells[4]) != conn_state_next(s, SERVICE_FORWARDER))
			fail_msg("after \"%s\" the code goes to \"%s\" or \"%s\"", cells[0],
				conn_state_name(conn_state_next(s, SERVICE_SIDECAR)),
				conn_state_name(conn_state_next(s, SERVICE_FORWARDER)));
	}
	assert_int_equal(next, CONN_STATES);
	free(copy);
}

/* The arrows of the diagram of one role: each is a successor of the table or a turn into "refuse". */
static void check_diagram(enum service_role role, const char *mark)
{
	const char *at = strstr(document, mark);
	const char *end = at != NULL ? strstr(at, "```") : NULL;
	bool drawn[CONN_STATES] = {false};
	char from[32], to[32];

	assert_non_null(end);
	for (; at != NULL && at < end; at = strchr(at, '\n'), at += at != NULL) {
		enum conn_state a, b;

		if (sscanf(at, " %31[a-z] --> %31[a-z]", from, to) != 2)
			continue;
		a = state_of(from);
		b = state_of(to);
		assert_true(a < CONN_STATES && b < CONN_STATES);
		if (b == conn_state_next(a, role))
			drawn[a] = true;
		else if (b != CONN_REFUSE)
			fail_msg("%s the code does not go from \"%s\" to \"%s\"", mark, from, to);
	}
	for (int s = 0; s < CONN_STATES; s++) {
		bool entered =
			s != CONN_CLOSED && s != (role == SERVICE_SIDECAR ? CONN_UPGRADE : CONN_GREETING);

		if (drawn[s] != entered)
			fail_msg("%s the way on from \"%s\"", mark, conn_state_name((enum conn_state)s));
	}
}

static void the_diagrams_are_those_of_the_code(void **state)
{
	(void)state;
	check_diagram(SERVICE_SIDECAR, "%% sidecar");
	check_diagram(SERVICE_FORWARDER, "%% forwarder");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_that_of_the_code),
		cmocka_unit_test(the_diagrams_are_those_of_the_code),
	};
	struct ratls_error err = {0};
	struct buf content = {0};
	int failed;

	if (argc != 2 || file_read(argv[1], (size_t)1 << 20, &content, &err) != RATLS_OK) {
		fprintf(stderr, "test_states DOCUMENT: %s\n", err.message);
		return 1;
	}
	document = buf_take_str(&content);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(document);
	return failed;
}
