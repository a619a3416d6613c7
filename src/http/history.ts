import type { Router } from 'express';
import { ChatError } from '../contracts/errors.ts';
import { ConversationPath, ReadMessagesQuery } from '../contracts/http.ts';
import { parsePosition } from '../contracts/position.ts';
import { lagOf } from '../queries/lag.ts';
import { type MessagesPage, readMessages } from '../queries/readMessages.ts';
import type { HttpDeps } from './deps.ts';
import { readQuery } from './query.ts';
import { type Handler, resource, sendJsonText } from './resource.ts';
import { check } from './validate.ts';
import { visibleConversation } from './visibleConversation.ts';

/** How long a read waits for the position it was given. After that it answers with what there is; `lag` tells. */
const POSITION_MS_MAX = 2_000;

/** History of a conversation. Who may see it is the log's word; what is in it, the database's. */
export function historyRoutes(router: Router, deps: HttpDeps): void {
  resource(router, '/api/chat/conversations/:conversationId/messages', { get: read(deps) });
}

function read(deps: HttpDeps): Handler {
  return async (req, res) => {
    const { conversationId } = check(ConversationPath, req.params);
    const { userId, position, ...range } = readQuery(req, ReadMessagesQuery);
    const seq = position === undefined ? 0 : seqOf(position, deps.application.log.epoch);
    await visibleConversation(deps, conversationId, userId ?? null);
    const ask = () => readMessages(deps.database, { conversationId, ...range });
    const reach = () => deps.historyProgress.waitFor(conversationId, seq, POSITION_MS_MAX);
    const page = await readFrom(seq, reach, ask);
    sendJsonText(res, pageJson(page, deps));
  };
}

/**
 * Reads when the history is at least at `seq`, or when waiting for that has taken too long. Reads before it waits,
 * because the database may be further than the last announcement that arrived.
 */
async function readFrom(
  seq: number,
  reach: () => Promise<unknown>,
  ask: () => Promise<MessagesPage>,
): Promise<MessagesPage> {
  const page = await ask();
  if (seq <= (page.checkpoint?.seq ?? 0)) return page;
  await reach();
  return ask();
}

/** The sequence in a position. @throws ChatError conflict when it is of another incarnation of the log */
function seqOf(position: string, epoch: string): number {
  const parsed = parsePosition(position);
  if (parsed === null) throw new Error('The schema lets no position through that is none');
  if (parsed.epoch === epoch) return parsed.seq;
  const detail = 'The position is from before the log was restored: read again without it.';
  throw new ChatError('conflict', detail);
}

function pageJson(page: MessagesPage, { logHead, application }: HttpDeps): string {
  const nowMs = application.clock.nowMs();
  const lag = lagOf(page.checkpoint, logHead, nowMs);
  const rest = { hasMore: page.hasMore, source: 'database', lag };
  return `{"messages":${page.messagesJson},${JSON.stringify(rest).slice(1)}`;
}
