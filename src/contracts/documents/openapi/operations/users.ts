import { PresenceAnswer, ReadAnswer } from '../../../http/answers/users.ts';
import { ConversationPath, MarkReadBody, PresenceQuery } from '../../../http/requests.ts';
import type { Operation } from '../operation.ts';
import { WRITE_ERRORS } from './errors.ts';

export const userOperations: readonly Operation[] = [
  {
    operationId: 'readPresence',
    method: 'get',
    path: '/api/chat/presence',
    conditional: true,
    tag: 'users',
    summary: 'Who is online',
    description:
      '`userIds` given once is a list with commas. Given several times, each value is one id, commas included.',
    query: PresenceQuery,
    answers: { 200: { description: 'A user that is not known is offline.', schema: PresenceAnswer } },
    errors: ['invalid_request'],
  },
  {
    operationId: 'markRead',
    method: 'put',
    path: '/api/chat/conversations/{conversationId}/read',
    tag: 'users',
    summary: 'Mark a conversation as read',
    description: 'A mark never moves anybody backwards; one beyond the latest message counts as that.',
    params: ConversationPath,
    headers: ['X-User-Id'],
    body: { schema: MarkReadBody, example: { userId: 'alice', seq: 138 } },
    answers: { 200: { description: 'Kept.', schema: ReadAnswer } },
    errors: [...WRITE_ERRORS, 'not_found'],
  },
];
