import type { Router } from 'express';
import { ConversationPath, MarkReadBody } from '../../contracts/http/requests.ts';
import { countUnread } from '../../queries/countUnread.ts';
import { type Handler, resource } from '../answer/resource.ts';
import type { HttpDeps } from '../deps.ts';
import { readBody } from '../request/body.ts';
import { check } from '../request/validate.ts';

/** How far users have read. */
export function receiptRoutes(router: Router, deps: HttpDeps): void {
  resource(router, '/api/chat/conversations/:conversationId/read', { put: markRead(deps) });
}

/** The receipt is in the log's stream when this answers; without the database only the count is missing. */
function markRead({ realtime: { readMarks }, reading: { database } }: HttpDeps): Handler {
  return async (req, res) => {
    const { conversationId } = check(ConversationPath, req.params);
    const { userId, seq } = await readBody(req, MarkReadBody);
    const marked = await readMarks.mark({ conversationId, userId, seq });
    const question = { conversationId, userId, readSeq: marked.seq };
    const unreadCount = await countUnread(database, question).catch(() => null);
    res.json({ unreadCount });
  };
}
