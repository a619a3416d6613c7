import type { Router } from 'express';
import { ConcurrencyLimit } from '../../application/concurrencyLimit.ts';
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

/** Searches that wait for others, and how long, in milliseconds. */
const WAITING_MAX = 100;
const WAITING_MS_MAX = 1_000;

/** Searches have a bound of their own: what they cost is a matter of their words, and others read from the same database. */
function search(deps: HttpDeps): Handler {
  const { searchProgress, historyProgress } = deps.reading;
  const { parallelMax, statementMsMax } = deps.reading.searches;
  const searches = new ConcurrencyLimit({
    activeMax: parallelMax,
    queuedMax: WAITING_MAX,
    queuedMsMax: WAITING_MS_MAX,
    overloaded: 'Too many search at the moment; try again in a moment.',
  });
  return async (req, res) => {
    const asked = readQuery(req, SearchQuery);
    const { userId, q: text, conversationId, cursor: before, limit, position } = asked;
    if (conversationId !== undefined) await visibleConversation(deps, conversationId, userId);
    if (position !== undefined) await reachPosition(deps, position, [searchProgress, historyProgress]);
    // A replica has yet to hear of what was waited for.
    const reads = position === undefined ? deps.reading.reads : deps.reading.database;
    const question = { text, userId, conversationId, before, limit, statementMsMax };
    const page = await searches.run(() => searchMessages(reads, question));
    const nextCursor = page.nextBefore === null ? null : String(page.nextBefore);
    const json = `{"messages":${page.messagesJson},"nextCursor":${JSON.stringify(nextCursor)}}`;
    sendJsonPage(res, { json });
  };
}
