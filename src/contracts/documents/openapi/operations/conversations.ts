import type { ErrorCode } from '../../../errors.ts';
import {
  ChangedConversation,
  ConversationPage,
  CreatedConversation,
  OneConversation,
} from '../../../http/answers/conversations.ts';
import {
  ChangeConversationBody,
  ConversationPath,
  CreateConversationBody,
  GetConversationQuery,
  ListConversationsQuery,
  ParticipantsBody,
} from '../../../http/requests.ts';
import type { Operation } from '../operation.ts';
import { LOG_ERRORS, WRITE_ERRORS } from './errors.ts';

const COLLECTION = '/api/chat/conversations';
const ONE = `${COLLECTION}/{conversationId}`;

const changed = { description: 'The conversation as it is now.', schema: ChangedConversation };
const changeErrors: readonly ErrorCode[] = [...WRITE_ERRORS, 'forbidden', 'not_found', 'conflict'];

export const conversationOperations: readonly Operation[] = [
  {
    operationId: 'createConversation',
    method: 'post',
    path: COLLECTION,
    tag: 'conversations',
    summary: 'Create a conversation',
    description:
      'The user becomes a participant. `open`: anyone may join and post; `members`: nobody else sees it. A repeat with the' +
      ' same `clientConversationId` is always the same conversation.',
    headers: ['X-User-Id', 'Idempotency-Key'],
    body: {
      schema: CreateConversationBody,
      example: { userId: 'alice', title: 'hello', participantIds: ['bob'], visibility: 'members' },
    },
    answers: {
      200: { description: 'A repeat: the conversation.', schema: CreatedConversation, headers: ['Location'] },
      201: { description: 'Created.', schema: CreatedConversation, headers: ['Location'] },
    },
    errors: [...WRITE_ERRORS, 'conflict'],
  },
  {
    operationId: 'listConversations',
    method: 'get',
    path: COLLECTION,
    conditional: true,
    tag: 'conversations',
    summary: "List a user's conversations",
    description: 'Those the user takes part in, or has posted to while they are open; latest activity first.',
    headers: ['X-User-Id'],
    query: ListConversationsQuery,
    answers: { 200: { description: 'A page of the list.', schema: ConversationPage } },
    errors: ['invalid_request', 'conflict', 'database_unavailable'],
  },
  {
    operationId: 'getConversation',
    method: 'get',
    path: ONE,
    conditional: true,
    tag: 'conversations',
    summary: 'One conversation',
    description: 'One that the user may not see answers exactly as one that does not exist.',
    params: ConversationPath,
    headers: ['X-User-Id'],
    query: GetConversationQuery,
    answers: { 200: { description: 'The conversation.', schema: OneConversation } },
    errors: [...LOG_ERRORS, 'invalid_request', 'not_found'],
  },
  {
    operationId: 'changeConversation',
    method: 'patch',
    path: ONE,
    tag: 'conversations',
    summary: 'Rename or archive a conversation',
    params: ConversationPath,
    headers: ['X-User-Id'],
    body: { schema: ChangeConversationBody, example: { userId: 'alice', title: 'goodbye' } },
    answers: { 200: changed },
    errors: changeErrors,
  },
  {
    operationId: 'addParticipants',
    method: 'post',
    path: `${ONE}/participants`,
    tag: 'conversations',
    summary: 'Add participants, or join',
    params: ConversationPath,
    headers: ['X-User-Id'],
    body: { schema: ParticipantsBody, example: { userId: 'alice', participantIds: ['carol'] } },
    answers: { 200: changed },
    errors: changeErrors,
  },
  {
    operationId: 'removeParticipants',
    method: 'delete',
    path: `${ONE}/participants`,
    tag: 'conversations',
    summary: 'Remove participants, or leave',
    params: ConversationPath,
    headers: ['X-User-Id'],
    body: { schema: ParticipantsBody, example: { userId: 'alice', participantIds: ['carol'] } },
    answers: { 200: changed },
    errors: changeErrors,
  },
];
