import type { Request, Router } from 'express';
import { ConversationPath, EventStreamQuery, LastEventId } from '../../contracts/http/requests.ts';
import { type Handler, resource } from '../answer/resource.ts';
import type { HttpDeps } from '../deps.ts';
import { readQuery } from '../request/query.ts';
import { check } from '../request/validate.ts';
import { visibleConversation } from './visibleConversation.ts';

/** Live events of a conversation, as an event stream. */
export function eventStreamRoutes(router: Router, deps: HttpDeps): void {
  resource(router, '/api/chat/conversations/:conversationId/events', { get: listen(deps) });
}

function listen(deps: HttpDeps): Handler {
  return async (req, res) => {
    const { conversationId } = check(ConversationPath, req.params);
    const { userId, after, epoch } = readQuery(req, EventStreamQuery);
    const request = { conversationId, userId: userId ?? null, after: lastEventId(req) ?? after, epoch };
    if (req.method !== 'HEAD') return deps.realtime.eventStreams.serve(request, res);
    await visibleConversation(deps, conversationId, request.userId);
    res.type('text/event-stream').end();
  };
}

/** What a browser sends by itself when it comes back; it knows better than the URL it was opened with. */
function lastEventId(req: Request): number | undefined {
  const value = req.get('Last-Event-ID');
  if (value === undefined || value === '') return undefined;
  return check(LastEventId, { 'Last-Event-ID': value })['Last-Event-ID'];
}
