/* SPDX-License-Identifier: Apache-2.0
 *
 * Telling the front why not, as the last thing it hears. Its own last bytes are read and dropped: closing
 * on unread bytes would reset the connection and take the message with it.
 */
#include <stdio.h>

#include "base/log.h"
#include "relay/conn.h"

static bool tell(struct conn *c)
{
	struct setup *s = c->setup;
	struct buf b = {0};
	char code[REASON_CODE_SIZE], message[RATLS_ERROR_MESSAGE_SIZE + REASON_CODE_SIZE];
	bool sent;

	s->told = true;
	if (s->cancel)
		return true; /* a cancel request has no answer in the protocol */
	if (s->raw_reply.len > 0)
		return end_send(&c->front, s->raw_reply.p, s->raw_reply.len);
	if (s->refusal.reason != REASON_NONE)
		snprintf(message, sizeof(message), "%s (%s)", s->refusal.message, reason_code(s->refusal.reason, code));
	else
		snprintf(message, sizeof(message), "%s", s->refusal.message);
	pg_error_append(&b, &(struct pg_error){
				    .sqlstate = s->refusal.sqlstate,
				    .message = message,
				    .detail = s->refusal.detail[0] != '\0' ? s->refusal.detail : NULL,
				    .hint = s->refusal.hint[0] != '\0' ? s->refusal.hint : NULL,
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
	c->why = "refused";
	if (front->out != NULL)
		return STEP_AGAIN;
	if (!c->setup->told && !tell(c))
		return STEP_CLOSE;
	if (front->out != NULL || !end_finish(front))
		return STEP_AGAIN;
	end_consumed(front);
	if (front->eof)
		return STEP_CLOSE;
	end_want(front);
	return STEP_AGAIN;
}
