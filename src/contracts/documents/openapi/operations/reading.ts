import { z } from 'zod';
import { HistoryPage, SearchPage } from '../../../http/answers/messages.ts';
import {
  ConversationPath,
  EventStreamQuery,
  ReadMessagesQuery,
  SearchQuery,
} from '../../../http/requests.ts';
import type { Operation } from '../operation.ts';
import { LOG_ERRORS } from './errors.ts';

const CONVERSATION = '/api/chat/conversations/{conversationId}';

export const readingOperations: readonly Operation[] = [
  {
    operationId: 'readMessages',
    method: 'get',
    path: `${CONVERSATION}/messages`,
    conditional: true,
    tag: 'reading',
    summary: "A page of a conversation's history",
    description:
      'Without `before` and `after`: the latest messages. A `position` from before the log was restored is answered with 409.',
    params: ConversationPath,
    query: ReadMessagesQuery,
    headers: ['X-User-Id'],
    answers: { 200: { description: 'The page.', schema: HistoryPage } },
    errors: [...LOG_ERRORS, 'invalid_request', 'not_found', 'conflict', 'database_unavailable'],
  },
  {
    operationId: 'searchMessages',
    method: 'get',
    path: '/api/chat/search',
    conditional: true,
    tag: 'reading',
    summary: 'Search messages by words',
    description: "In one conversation, if the user may see it, or in all of the user's.",
    query: SearchQuery,
    headers: ['X-User-Id'],
    answers: { 200: { description: 'A page of hits.', schema: SearchPage } },
    errors: [...LOG_ERRORS, 'invalid_request', 'not_found', 'conflict', 'database_unavailable', 'overloaded'],
  },
  {
    operationId: 'listenToConversation',
    method: 'get',
    path: `${CONVERSATION}/events`,
    tag: 'reading',
    summary: 'Live events of a conversation, as an event stream',
    description:
      'For clients that only listen. What comes is described by the AsyncAPI document at `/docs/asyncapi.json`. Requests' +
      ' that name no user see open conversations only.',
    params: ConversationPath,
    query: EventStreamQuery,
    headers: ['X-User-Id', 'Last-Event-ID'],
    answers: {
      200: {
        description: 'Events, for as long as you listen.',
        mediaType: 'text/event-stream',
        schema: z.string(),
      },
    },
    errors: [...LOG_ERRORS, 'invalid_request', 'not_found', 'overloaded'],
  },
];
