/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/render.h"

#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/utf8.h"

#define LABEL_COLUMN 11
#define CHECK_COLUMN 26
#define VALUE_MAX    72
#define HASH_MIN     32 /* hex digits from which on a value is shortened */

struct page {
	json_t *report;
	const struct render_style *style;
	struct buf *out;
};

/* ---- members ----------------------------------------------------------------------------------------- */

/* The member a.b, NULL if it is null or not there. */
static json_t *member(const struct page *p, const char *a, const char *b)
{
	json_t *found = json_object_get(p->report, a);

	if (b != NULL)
		found = json_object_get(found, b);
	return json_is_null(found) ? NULL : found;
}

static const char *text(const struct page *p, const char *a, const char *b)
{
	return json_string_value(member(p, a, b));
}

static bool is_hash(const char *value)
{
	size_t len = strlen(value);

	return len >= HASH_MIN && strspn(value, "0123456789abcdef") == len;
}

/* What a peer chose may hold anything: nothing that a terminal would obey gets through. */
static void append_text(const struct page *p, const char *value, size_t max)
{
	size_t len = strlen(value), shown = len < max ? len : max;

	while (shown < len && shown > 0 && ((uint8_t)value[shown] & 0xc0) == 0x80) /* whole characters */
		shown--;
	utf8_append_tame(p->out, value, shown);
	buf_str(p->out, shown < len ? "..." : "");
}

/* A value, shortened unless all is wanted. */
static void append_value(const struct page *p, const char *value)
{
	size_t len = strlen(value);

	if (is_hash(value) && !p->style->verbose)
		buf_fmt(p->out, "%.8s..%s", value, value + len - 4);
	else
		append_text(p, value, p->style->verbose ? SIZE_MAX : VALUE_MAX);
}

static void append_sentence(const struct page *p, const char *sentence)
{
	append_text(p, sentence, SIZE_MAX);
}

static void append_colored(const struct page *p, const char *color, const char *value)
{
	if (p->style->color && color != NULL)
		buf_fmt(p->out, "\033[%sm%s\033[0m", color, value);
	else
		buf_str(p->out, value);
}

/* A line with a label in front, or blanks if it has none. */
static void begin_line(const struct page *p, const char *label)
{
	buf_fmt(p->out, "%-*s", LABEL_COLUMN, label);
}

static void end_line(const struct page *p)
{
	buf_u8(p->out, '\n');
}

static void line(const struct page *p, const char *label, const char *name, const char *value)
{
	if (value == NULL)
		return;
	begin_line(p, label);
	buf_fmt(p->out, "%-16s ", name);
	append_value(p, value);
	end_line(p);
}

/* ---- what was presented ------------------------------------------------------------------------------ */

static void append_timing(const struct page *p)
{
	static const char *const names[] = {"dns", "tcp", "tls"};
	const char *separator = "   ";

	for (size_t i = 0; i < 3; i++) {
		json_t *ms = member(p, "timing_ms", names[i]);

		if (ms == NULL)
			continue;
		buf_fmt(p->out, "%s%s %lld ms", separator, names[i], (long long)json_integer_value(ms));
		separator = ", ";
	}
}

static void append_remaining(const struct page *p, const char *not_after)
{
	const char *time = text(p, "time", NULL);
	int64_t now, end, left;

	if (time == NULL || !clock_parse_utc(time, strlen(time), &now) ||
		!clock_parse_utc(not_after, strlen(not_after), &end))
		return;
	left = end - now;
	if (left < 0)
		buf_str(p->out, " (expired)");
	else if (left < 7200)
		buf_fmt(p->out, " (%lld min left)", (long long)left / 60);
	else if (left < 2 * 86400)
		buf_fmt(p->out, " (%lld h left)", (long long)left / 3600);
	else
		buf_fmt(p->out, " (%lld days left)", (long long)left / 86400);
}

static void append_endpoint(const struct page *p)
{
	const char *requested = text(p, "endpoint", "requested"), *address = text(p, "endpoint", "address");
	json_t *tls = member(p, "endpoint", "tls");
	const char *version = json_string_value(json_object_get(tls, "version"));
	const char *cipher = json_string_value(json_object_get(tls, "cipher"));
	const char *alpn = json_string_value(json_object_get(tls, "alpn"));
	const char *spki = text(p, "endpoint", "spki_sha256"), *not_after = text(p, "endpoint", "not_after");

	begin_line(p, address != NULL ? "Endpoint" : "File");
	append_value(p, requested != NULL ? requested : "?");
	if (address != NULL)
		buf_fmt(p->out, " -> %s", address);
	append_timing(p);
	end_line(p);
	if (version != NULL) {
		begin_line(p, "");
		buf_fmt(p->out, "%s  %s%s%s\n", version, cipher != NULL ? cipher : "",
			alpn != NULL ? "  ALPN " : "", alpn != NULL ? alpn : "");
	}
	if (spki == NULL || not_after == NULL)
		return;
	begin_line(p, "Peer key");
	buf_str(p->out, "SPKI sha256 ");
	append_value(p, spki);
	buf_fmt(p->out, "   certificate valid %s .. %s", text(p, "endpoint", "not_before"), not_after);
	append_remaining(p, not_after);
	end_line(p);
}

static void append_registers(const struct page *p)
{
	static const char *const names[] = {"RTMR0", "RTMR1", "RTMR2", "RTMR3"};
	json_t *rtmr = member(p, "evidence", "rtmr");

	line(p, "", "MRTD", text(p, "evidence", "mrtd"));
	for (size_t i = 0; i < 4; i++)
		line(p, "", names[i], json_string_value(json_array_get(rtmr, i)));
	line(p, "", "report data", text(p, "evidence", "report_data"));
	if (!p->style->verbose)
		return;
	line(p, "", "MRCONFIGID", text(p, "evidence", "mrconfigid"));
	line(p, "", "MROWNER", text(p, "evidence", "mrowner"));
	line(p, "", "MROWNERCONFIG", text(p, "evidence", "mrownerconfig"));
	line(p, "", "MRSEAM", text(p, "evidence", "mrseam"));
	line(p, "", "XFAM", text(p, "evidence", "xfam"));
	line(p, "", "TEE TCB SVN", text(p, "evidence", "tee_tcb_svn"));
}

static void append_evidence(const struct page *p)
{
	json_t *version = member(p, "evidence", "quote_version");
	const char *oid = text(p, "evidence", "oid"), *body = text(p, "evidence", "body");

	if (version == NULL)
		return;
	begin_line(p, "Evidence");
	buf_fmt(p->out, "TDX quote v%lld", (long long)json_integer_value(version));
	if (body != NULL)
		buf_fmt(p->out, " (%s)", body);
	if (oid != NULL)
		buf_fmt(p->out, " from certificate extension %s", oid);
	end_line(p);
	append_registers(p);
	line(p, "", "TD attributes", text(p, "evidence", "td_attributes"));
}

static void append_app(const struct page *p)
{
	static const struct {
		const char *name, *shown;
	} claims[] = {{"app_id", "app id"}, {"compose_hash", "compose hash"}, {"instance_id", "instance id"},
		{"os_image_hash", "OS image hash"}, {"key_provider", "key provider"}};
	json_t *events = member(p, "app", "events");
	const char *label = "App";

	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		const char *value = text(p, "app", claims[i].name);

		if (value == NULL)
			continue;
		line(p, label, claims[i].shown, value);
		label = "";
	}
	if (json_array_size(events) > 0) {
		begin_line(p, label);
		buf_fmt(p->out, "%-16s %zu\n", "events", json_array_size(events));
	}
}

/* What keeps the platform from a better status, and who can mend it. */
static void append_shortfalls(const struct page *p)
{
	json_t *list = member(p, "tcb", "shortfalls");

	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *row = json_array_get(list, i);
		const char *remedy = json_string_value(json_object_get(row, "remedy"));

		begin_line(p, "");
		buf_fmt(p->out, "%-16s ", i == 0 ? "short" : "");
		append_sentence(p, json_string_value(json_object_get(row, "component")));
		buf_fmt(p->out, " is %lld, needs %lld: %s\n", (long long)json_integer_value(json_object_get(row, "is")),
			(long long)json_integer_value(json_object_get(row, "needs")), remedy != NULL ? remedy : "");
	}
}

static void append_forecast(const struct page *p)
{
	const char *status = text(p, "forecast", "status"), *message = text(p, "forecast", "message");
	const char *date = text(p, "forecast", "recovery_date");
	json_t *number = member(p, "forecast", "evaluation_data_number");

	if (message == NULL)
		return;
	begin_line(p, "");
	buf_fmt(p->out, "%-16s ", "Forecast");
	if (number == NULL || json_is_null(number))
		append_sentence(p, message);
	else if (!json_is_true(member(p, "forecast", "announced")))
		buf_fmt(p->out, "no TCB recovery is announced beyond evaluation data number %d",
			(int)json_integer_value(number));
	else {
		append_sentence(p, status != NULL ? status : "unknown");
		buf_fmt(p->out, "%s once evaluation data number %d (TCB recovery of %.10s) is Intel's standard",
			json_is_true(member(p, "forecast", "accepted")) ? "" : ", not accepted,",
			(int)json_integer_value(number), date != NULL ? date : "");
	}
	end_line(p);
}

static void append_platform(const struct page *p)
{
	const char *status = text(p, "tcb", "status"), *date = text(p, "tcb", "date");
	json_t *advisories = member(p, "tcb", "advisories");

	line(p, "Platform", "FMSPC", text(p, "evidence", "fmspc"));
	if (p->style->verbose)
		line(p, "", "PPID", text(p, "evidence", "ppid"));
	if (status == NULL)
		return;
	begin_line(p, "");
	buf_fmt(p->out, "%-16s ", "TCB status");
	append_sentence(p, status);
	if (date != NULL)
		buf_fmt(p->out, " (%.10s)", date);
	for (size_t i = 0; i < json_array_size(advisories); i++) {
		buf_str(p->out, i == 0 ? "   " : ", ");
		append_sentence(p, json_string_value(json_array_get(advisories, i)));
	}
	end_line(p);
	append_shortfalls(p);
	append_forecast(p);
}

/* ---- what was checked -------------------------------------------------------------------------------- */

static const struct {
	const char *status, *shown, *color;
} marks[] = {
	{"unknown", "??", "33"}, /* the first: it also stands for what this program has no mark for */
	{"pass", "ok", "32"},
	{"fail", "FAIL", "1;31"},
	{"warn", "warn", "33"},
	{"skipped", "--", NULL},
};

static size_t mark_of(const char *status)
{
	size_t i = sizeof(marks) / sizeof(marks[0]) - 1;

	while (i > 0 && strcmp(marks[i].status, status) != 0)
		i--;
	return i;
}

static void append_detail(const struct page *p, const char *name, json_t *value)
{
	if (!json_is_string(value))
		return;
	buf_fmt(p->out, "          %-9s ", name);
	append_value(p, json_string_value(value));
	end_line(p);
}

static void append_check(const struct page *p, json_t *check)
{
	const char *id = json_string_value(json_object_get(check, "id"));
	const char *status = json_string_value(json_object_get(check, "status"));
	const char *hint = json_string_value(json_object_get(check, "hint"));
	const struct reason_row *row = reason_find_id(id);
	size_t mark = mark_of(status);
	bool held = strcmp(status, "pass") == 0;
	json_t *actual = json_object_get(check, "actual");

	buf_str(p->out, "  ");
	append_colored(p, marks[mark].color, marks[mark].shown);
	buf_fmt(p->out, "%*s%-*s ", (int)(6 - strlen(marks[mark].shown)), "", CHECK_COLUMN, id);
	if (strcmp(status, "fail") == 0 && row != NULL)
		buf_str(p->out, row->meaning);
	else if (hint != NULL)
		append_sentence(p, hint);
	else if (held && json_is_string(actual))
		append_value(p, json_string_value(actual));
	while (p->out->len > 0 && p->out->p[p->out->len - 1] == ' ')
		p->out->len--;
	end_line(p);
	if (held || strcmp(status, "skipped") == 0)
		return;
	append_detail(p, "expected", json_object_get(check, "expected"));
	append_detail(p, "actual", actual);
	if (strcmp(status, "fail") == 0 && hint != NULL) {
		buf_str(p->out, "          note      ");
		append_sentence(p, hint);
		end_line(p);
	}
}

static enum reason_class class_of(json_t *check)
{
	const struct reason_row *row = reason_find_id(json_string_value(json_object_get(check, "id")));

	return row != NULL ? row->class : CLASS_UNDETERMINED;
}

static void append_checks(const struct page *p)
{
	static const struct {
		enum reason_class class;
		const char *title;
	} groups[] = {{CLASS_EVIDENCE, "Evidence"}, {CLASS_AUTHENTICITY, "Authenticity"},
		{CLASS_UNDETERMINED, "Collateral"}, {CLASS_CLOCK, "Clock"}, {CLASS_TCB, "TCB"},
		{CLASS_POLICY, "Policy"}};
	json_t *checks = member(p, "checks", NULL);

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		bool begun = false;

		for (size_t n = 0; n < json_array_size(checks); n++) {
			json_t *check = json_array_get(checks, n);

			if (class_of(check) != groups[i].class)
				continue;
			if (!begun)
				buf_fmt(p->out, "%s\n", groups[i].title);
			begun = true;
			append_check(p, check);
		}
	}
}

/* ---- the whole --------------------------------------------------------------------------------------- */

static void append_verdict(const struct page *p)
{
	const char *verdict = text(p, "verdict", NULL), *class = text(p, "class", NULL);
	const char *code = text(p, "code", NULL), *message = text(p, "message", NULL);
	bool named = class != NULL && strcmp(class, "undetermined") != 0;
	bool accepted = verdict != NULL && strcmp(verdict, "accept") == 0;
	bool rejected = verdict != NULL && strcmp(verdict, "reject") == 0;

	buf_str(p->out, "Verdict: ");
	append_colored(p, accepted ? "1;32" : "1;31", accepted ? "PASS" : rejected ? "FAIL" : "UNDETERMINED");
	if (!accepted && named)
		buf_fmt(p->out, " (%s)", class);
	if (code != NULL)
		buf_fmt(p->out, "  %s", code);
	if (message != NULL && strcmp(message, "accepted") != 0) {
		buf_str(p->out, "  ");
		append_sentence(p, message);
	}
	if (json_is_true(member(p, "bundle", "own_policy")))
		buf_fmt(p->out, "%s by the bundle's own policy", message != NULL && strcmp(message, "accepted") != 0 ? "," : "");
	end_line(p);
}

static void append_facts(const struct page *p)
{
	append_endpoint(p);
	append_evidence(p);
	append_app(p);
	append_platform(p);
}

void render_facts(json_t *report, const struct render_style *style, struct buf *out)
{
	append_facts(&(struct page){report, style, out});
}

void render_verdict(json_t *report, const struct render_style *style, struct buf *out)
{
	append_verdict(&(struct page){report, style, out});
}

void render_report(json_t *report, const struct render_style *style, struct buf *out)
{
	const struct page p = {report, style, out};
	const char *root = text(&p, "trust_root", NULL), *hint = text(&p, "hint", NULL);

	append_facts(&p);
	if (root != NULL && strcmp(root, "development") == 0)
		line(&p, "Root", "", "a development root: nothing here is genuine Intel hardware");
	append_checks(&p);
	end_line(&p);
	if (hint != NULL)
		buf_fmt(out, "Next: %s\n", hint);
	append_verdict(&p);
}
