import type { Router } from 'express';
import { SearchQuery } from '../contracts/http.ts';
import { searchMessages } from '../queries/searchMessages.ts';
import type { HttpDeps } from './deps.ts';
import { readQuery } from './query.ts';
import { type Handler, resource, sendJsonText } from './resource.ts';
import { visibleConversation } from './visibleConversation.ts';

/** Search by words. Whether one conversation may be seen is the log's word; which are a user's own, the inbox's. */
export function searchRoutes(router: Router, deps: HttpDeps): void {
  resource(router, '/api/chat/search', { get: search(deps) });
}

function search(deps: HttpDeps): Handler {
  return async (req, res) => {
    const { userId, q: text, conversationId, cursor: before, limit } = readQuery(req, SearchQuery);
    if (conversationId !== undefined) await visibleConversation(deps, conversationId, userId);
    const page = await searchMessages(deps.database, { text, userId, conversationId, before, limit });
    const nextCursor = page.nextBefore === null ? null : String(page.nextBefore);
    sendJsonText(res, `{"messages":${page.messagesJson},"nextCursor":${JSON.stringify(nextCursor)}}`);
  };
}
