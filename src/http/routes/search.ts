import type { Router } from 'express';
import { SearchQuery } from '../../contracts/http/requests.ts';
import { searchMessages } from '../../queries/searchMessages.ts';
import { sendJsonPage } from '../answer/conditional.ts';
import { type Handler, resource } from '../answer/resource.ts';
import type { HttpDeps } from '../deps.ts';
import { readQuery } from '../request/query.ts';
import { reachPosition } from './position.ts';
import { visibleConversation } from './visibleConversation.ts';

/** Search by words. Whether one conversation may be seen is the log's word; which are a user's own, the inbox's. */
export function searchRoutes(router: Router, deps: HttpDeps): void {
  resource(router, '/api/chat/search', { get: search(deps) });
}

function search(deps: HttpDeps): Handler {
  const { searchProgress, historyProgress } = deps.reading;
  return async (req, res) => {
    const asked = readQuery(req, SearchQuery);
    const { userId, q: text, conversationId, cursor: before, limit, position } = asked;
    if (conversationId !== undefined) await visibleConversation(deps, conversationId, userId);
    if (position !== undefined) await reachPosition(deps, position, [searchProgress, historyProgress]);
    // A replica has yet to hear of what was waited for.
    const reads = position === undefined ? deps.reading.reads : deps.reading.database;
    const page = await searchMessages(reads, { text, userId, conversationId, before, limit });
    const nextCursor = page.nextBefore === null ? null : String(page.nextBefore);
    const json = `{"messages":${page.messagesJson},"nextCursor":${JSON.stringify(nextCursor)}}`;
    sendJsonPage(res, { json });
  };
}
