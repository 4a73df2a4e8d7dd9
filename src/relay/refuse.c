/* SPDX-License-Identifier: Apache-2.0
 *
 * Telling the front why not, as the last thing it hears. Its own last bytes are read and dropped: closing
 * on unread bytes would reset the connection and take the message with it.
 */
#include <stdio.h>

#include "base/log.h"
#include "relay/conn.h"

#define DETAIL_SIZE (RATLS_ERROR_MESSAGE_SIZE + 400)

/* What differed, and where more of it is to be found. */
static void write_detail(const struct conn *c, char text[static DETAIL_SIZE])
{
	const char *detail = c->setup->refusal.detail;

	snprintf(text, DETAIL_SIZE, "%s%sThis is connection %llu in the log of the %s.", detail,
		detail[0] != '\0' ? ". " : "", (unsigned long long)c->id,
		c->service->options.role == SERVICE_SIDECAR ? "sidecar" : "forwarder");
}

#define MESSAGE_SIZE (RATLS_ERROR_MESSAGE_SIZE + REASON_CODE_SIZE)

static void write_message(const struct refusal *r, char text[static MESSAGE_SIZE])
{
	char code[REASON_CODE_SIZE];

	if (r->reason != REASON_NONE)
		snprintf(text, MESSAGE_SIZE, "%s (%s)", r->message, reason_code(r->reason, code));
	else
		snprintf(text, MESSAGE_SIZE, "%s", r->message);
}

static bool tell(struct conn *c)
{
	const struct setup *s = c->setup;
	const struct reason_row *row = reason_find(s->refusal.reason);
	const char *remedy = row != NULL ? row->remedy : NULL;
	char message[MESSAGE_SIZE], detail[DETAIL_SIZE];
	struct buf b = {0};
	bool sent;

	if (c->cancel)
		return true;
	if (s->raw_reply.len > 0)
		return end_send(&c->front, s->raw_reply.p, s->raw_reply.len);
	write_message(&s->refusal, message);
	write_detail(c, detail);
	pg_error_append(&b, &(struct pg_error){
				    .sqlstate = s->refusal.sqlstate,
				    .message = message,
				    .detail = s->refusal.reason != REASON_NONE ? detail : NULL,
				    .hint = s->refusal.hint[0] != '\0' ? s->refusal.hint : remedy,
			    });
	sent = !b.bad && end_send(&c->front, b.p, b.len);
	buf_done(&b);
	conn_log(c, LOG_LEVEL_INFO, "told the client: %s", message);
	return sent;
}

enum conn_step refuse_step(struct conn *c)
{
	struct end *front = &c->front;

	end_close(c, &c->back);
	if (c->why == NULL)
		c->why = "refused";
	if (front->out != NULL)
		return STEP_AGAIN;
	if (!c->setup->told) {
		c->setup->told = true;
		if (!tell(c))
			return STEP_CLOSE;
	}
	if (front->out != NULL || !end_finish(front))
		return STEP_AGAIN;
	end_consumed(front);
	if (front->eof)
		return STEP_CLOSE;
	end_want(front);
	return STEP_AGAIN;
}
