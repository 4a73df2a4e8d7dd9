/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/stock.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appraisal/endorsements.h"
#include "appraisal/json_bytes.h"
#include "base/err.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/utf8.h"

#define DAY_S 86400

static const struct {
	const char *name;
	enum reason_class class;
} statuses[] = {
	[STOCK_OK] = {"ok", CLASS_ACCEPTED},
	[STOCK_EXPIRING] = {"expiring", CLASS_POLICY},
	[STOCK_EXPIRED] = {"expired", CLASS_UNDETERMINED},
	[STOCK_MALFORMED] = {"malformed", CLASS_EVIDENCE},
	[STOCK_NOT_AUTHENTIC] = {"not authentic", CLASS_AUTHENTICITY},
};

enum reason_class stock_class(enum stock_status status)
{
	return statuses[status].class;
}

static enum stock_status status_of(const json_t *object)
{
	const char *name = json_string_value(json_object_get(object, "status"));

	for (size_t i = 0; name != NULL && i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (strcmp(statuses[i].name, name) == 0)
			return (enum stock_status)i;
	return STOCK_MALFORMED;
}

enum stock_status stock_worst(const json_t *report)
{
	return status_of(report);
}

/* Of nothing, nothing good is said. */
static enum stock_status worst_of(const json_t *files)
{
	enum stock_status worst = json_array_size(files) > 0 ? STOCK_OK : STOCK_MALFORMED;

	for (size_t i = 0; i < json_array_size(files); i++)
		if (status_of(json_array_get(files, i)) > worst)
			worst = status_of(json_array_get(files, i));
	return worst;
}

/* ---- one file: NULL is out of memory, as all words in it are clean ------------------------------------- */

static json_t *time_json(int64_t at)
{
	return at != 0 ? json_of_time(at) : json_null();
}

/* Rounded down: who has less than a day has none. */
static json_t *days_json(int64_t at, int64_t end)
{
	int64_t left = end - at;

	return end == 0 ? json_null()
			: json_integer(left >= 0 ? left / DAY_S : -((-left + DAY_S - 1) / DAY_S));
}

static json_t *item_json(const struct endorsement_facts *f, int64_t at)
{
	return json_pack("{s:s, s:s?, s:o, s:o, s:o, s:o}", "item", f->item, "issuer", f->issuer, "issued",
		time_json(f->issued), "next_update", time_json(f->next_update), "days_left",
		days_json(at, f->next_update), "evaluation_data_number",
		f->evaluation_data_number < 0 ? json_null() : json_integer(f->evaluation_data_number));
}

static json_t *items_json(const struct ratls_endorsements *e, int64_t at)
{
	json_t *items = json_array();
	struct endorsement_facts f;

	for (size_t i = 0; endorsements_facts(e, i, &f); i++) {
		if (json_array_append_new(items, item_json(&f, at)) < 0) {
			json_decref(items);
			return NULL;
		}
	}
	return items;
}

static enum stock_status judge(
	const struct ratls_endorsements *e, const struct stock_question *q, struct ratls_error *why)
{
	int64_t end = endorsements_valid_until(e);

	if (endorsements_check(e, NULL, why) != RATLS_OK) {
		const struct reason_row *row = reason_find(why->reason);

		return row != NULL && row->class == CLASS_AUTHENTICITY ? STOCK_NOT_AUTHENTIC
								       : STOCK_MALFORMED;
	}
	if (q->at > end)
		return STOCK_EXPIRED;
	return q->at > end - q->warn_before ? STOCK_EXPIRING : STOCK_OK;
}

static json_t *endorsed_json(const char *shown, const json_t *object, const struct ratls_endorsements *e,
	const struct stock_question *q)
{
	struct ratls_error why = {0};
	enum stock_status status = judge(e, q, &why);
	const json_t *source = json_object_get(object, "source"),
		     *fetched = json_object_get(object, "fetched");
	uint8_t fmspc[6];
	bool known = endorsements_fmspc(e, fmspc);

	utf8_clean(why.message);
	return json_pack("{s:s, s:s, s:s?, s:o, s:s?, s:s?, s:o, s:o, s:o}", "file", shown, "status",
		statuses[status].name, "problem", why.message[0] != '\0' ? why.message : NULL, "fmspc",
		known ? json_of_hex(cur_of(fmspc, sizeof(fmspc))) : json_null(), "source", json_string_value(source), "fetched",
		json_string_value(fetched), "valid_until", time_json(endorsements_valid_until(e)),
		"days_left", days_json(q->at, endorsements_valid_until(e)), "items", items_json(e, q->at));
}

static json_t *malformed_json(const char *shown, const char *why)
{
	return json_pack("{s:s, s:s, s:s, s:n, s:n, s:n, s:n, s:n, s:[]}", "file", shown, "status",
		statuses[STOCK_MALFORMED].name, "problem", why, "fmspc", "source", "fetched", "valid_until",
		"days_left", "items");
}

/* The file at path, which is shown with a name that can be. */
static json_t *file_json(const char *path, const char *shown, const struct stock_question *q)
{
	struct ratls_endorsements *e = NULL;
	struct ratls_error why = {.message = "it is not a JSON object"};
	struct buf text = {0};
	json_t *object = NULL, *ret;

	if (file_read(path, ENDORSEMENTS_JSON_MAX, &text, &why) == RATLS_OK)
		object = json_loadb((const char *)text.p, text.len, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(object) &&
		endorsements_from_object(object, path, &q->options, &e, &why) == RATLS_OK) {
		ret = endorsed_json(shown, object, e, q);
	} else {
		utf8_clean(why.message);
		ret = malformed_json(shown, why.message);
	}
	ratls_endorsements_free(e);
	json_decref(object);
	buf_done(&text);
	return ret;
}

/* ---- all of them --------------------------------------------------------------------------------------- */

static int is_collateral(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && len > 5 && strcmp(d->d_name + len - 5, ".json") == 0;
}

/* A file that cannot be told of is a failure: the others must not speak for it. */
static int add_file(json_t *files, const char *path, const struct stock_question *q, struct ratls_error *err)
{
	char *shown = strdup(path);
	int rc = RATLS_OK;

	if (shown != NULL)
		utf8_clean(shown);
	if (shown == NULL || json_array_append_new(files, file_json(path, shown, q)) < 0)
		rc = err_set(err, RATLS_E_NOMEM, "out of memory");
	free(shown);
	return rc;
}

static int add_file_of(json_t *files, const char *folder, const char *name, const struct stock_question *q,
	struct ratls_error *err)
{
	struct buf path = {0};
	char *text;
	int rc;

	buf_fmt(&path, "%s/%s", folder, name);
	text = buf_take_str(&path);
	rc = text != NULL ? add_file(files, text, q, err) : err_set(err, RATLS_E_NOMEM, "out of memory");
	free(text);
	return rc;
}

static int add_files(json_t *files, const char *path, const struct stock_question *q, struct ratls_error *err)
{
	struct dirent **found = NULL;
	int n = scandir(path, &found, is_collateral, alphasort), rc = RATLS_OK;

	if (n < 0 && errno == ENOTDIR)
		return add_file(files, path, q, err);
	if (n <= 0) {
		free(found);
		return err_reason(err, RATLS_E_IO, REASON_FILE, "there is no collateral in \"%s\": %s", path,
			n < 0 ? strerror(errno) : "no file in it ends in .json");
	}
	for (int i = 0; i < n; i++) {
		if (rc == RATLS_OK)
			rc = add_file_of(files, path, found[i]->d_name, q, err);
		free(found[i]);
	}
	free(found);
	return rc;
}

int stock_report(const char *path, const struct stock_question *q, json_t **ret, struct ratls_error *err)
{
	json_t *files = json_array();
	int rc = add_files(files, path, q, err);
	enum stock_status worst = worst_of(files);
	json_t *report = NULL;

	if (rc == RATLS_OK) {
		report = json_pack("{s:s, s:o, s:s, s:i, s:O}", "schema", "teesql.collateral/1", "time",
			time_json(q->at), "status", statuses[worst].name, "exit", (int)statuses[worst].class,
			"files", files);
		if (report == NULL)
			rc = err_set(err, RATLS_E_NOMEM, "out of memory");
	}
	json_decref(files);
	if (rc == RATLS_OK)
		*ret = report;
	return rc;
}

/* ---- for people ---------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *name, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : otherwise;
}

static void render_days(const json_t *object, struct buf *out)
{
	const json_t *days = json_object_get(object, "days_left");

	if (json_is_integer(days) && json_integer_value(days) >= 0)
		buf_fmt(out, "%lld days left", (long long)json_integer_value(days));
	else
		buf_str(out, json_is_integer(days) ? "expired" : "unknown");
}

/* Files may hold anything: nothing that a terminal would obey gets through, and what is one line stays one. */
static void end_line(struct buf *out, size_t begin)
{
	if (!out->bad)
		utf8_tame((char *)out->p + begin, out->len - begin);
	buf_str(out, "\n");
}

static void render_item(const json_t *item, struct buf *out)
{
	const json_t *number = json_object_get(item, "evaluation_data_number");
	size_t begin = out->len;

	buf_fmt(out, "  %-12s %-26s issued %.10s, next update %s, ", text_of(item, "item", ""),
		text_of(item, "issuer", "?"), text_of(item, "issued", "?"),
		text_of(item, "next_update", "?"));
	render_days(item, out);
	if (json_is_integer(number))
		buf_fmt(out, ", evaluation %lld", (long long)json_integer_value(number));
	end_line(out, begin);
}

static void render_file(const json_t *file, struct buf *out)
{
	const json_t *items = json_object_get(file, "items");
	const char *problem = text_of(file, "problem", NULL), *source = text_of(file, "source", NULL);
	size_t begin = out->len;

	buf_fmt(out, "%s: %s", text_of(file, "file", ""), text_of(file, "status", ""));
	if (problem != NULL)
		buf_fmt(out, ": %s", problem);
	else
		buf_fmt(out, ", until %s", text_of(file, "valid_until", "?"));
	end_line(out, begin);
	begin = out->len;
	buf_fmt(out, "  platform %s", text_of(file, "fmspc", "unknown"));
	if (source != NULL)
		buf_fmt(out, ", fetched %s from %s", text_of(file, "fetched", "?"), source);
	end_line(out, begin);
	for (size_t i = 0; i < json_array_size(items); i++)
		render_item(json_array_get(items, i), out);
}

void stock_render(const json_t *report, struct buf *out)
{
	const json_t *files = json_object_get(report, "files");

	for (size_t i = 0; i < json_array_size(files); i++)
		render_file(json_array_get(files, i), out);
}
