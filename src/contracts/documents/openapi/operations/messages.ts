import {
  ChangedReaction,
  DeletedMessage,
  EditedMessage,
  PostedMessage,
} from '../../../http/answers/messages.ts';
import {
  AddReactionPath,
  DeleteMessageBody,
  DeleteMessageQuery,
  EditMessageBody,
  MessagePath,
  PostMessageBody,
  ReactionBody,
  RemoveReactionPath,
} from '../../../http/requests.ts';
import type { Operation } from '../operation.ts';
import { WRITE_ERRORS } from './errors.ts';

const ONE = '/api/chat/messages/{messageId}';
const REACTION = `${ONE}/reactions/{emoji}`;

const named = { conversationId: 'c_V1StGXR8_Z5jdHi6B-myT', userId: 'alice' };

export const messageOperations: readonly Operation[] = [
  {
    operationId: 'postMessage',
    method: 'post',
    path: '/api/chat/messages',
    tag: 'messages',
    summary: 'Post a message',
    description:
      'Answered once the log has it. A repeat with the same `clientMessageId` is always the same message: after an' +
      ' error, or no answer at all, send it again. A repeat with other content is refused.',
    headers: ['X-User-Id', 'Prefer'],
    body: { schema: PostMessageBody, example: { ...named, content: 'hello, world', clientMessageId: 'k1' } },
    answers: {
      200: {
        description: 'A repeat: the message that is stored.',
        schema: PostedMessage,
        headers: ['Preference-Applied'],
      },
      201: { description: 'Stored.', schema: PostedMessage, headers: ['Preference-Applied'] },
    },
    errors: [...WRITE_ERRORS, 'not_found', 'conflict', 'client_message_id_reused'],
  },
  {
    operationId: 'editMessage',
    method: 'patch',
    path: ONE,
    tag: 'messages',
    summary: 'Edit a message',
    description: 'Only its author may. `seq` says where the message is, which saves a search.',
    params: MessagePath,
    headers: ['X-User-Id'],
    body: { schema: EditMessageBody, example: { ...named, content: 'hello, everybody' } },
    answers: { 200: { description: 'Edited.', schema: EditedMessage } },
    errors: [...WRITE_ERRORS, 'forbidden', 'not_found', 'conflict'],
  },
  {
    operationId: 'deleteMessage',
    method: 'delete',
    path: ONE,
    tag: 'messages',
    summary: 'Delete or erase a message',
    description: 'Only its author may. Its place in the conversation stays, its content goes.',
    params: MessagePath,
    query: DeleteMessageQuery,
    headers: ['X-User-Id'],
    body: { schema: DeleteMessageBody, example: named },
    answers: { 200: { description: 'Deleted.', schema: DeletedMessage } },
    errors: [...WRITE_ERRORS, 'forbidden', 'not_found'],
  },
  {
    operationId: 'addReaction',
    method: 'put',
    path: REACTION,
    tag: 'messages',
    summary: 'React to a message',
    description:
      'Everybody who may see the conversation may. A second time changes nothing. A message takes 50 kinds.',
    params: AddReactionPath,
    headers: ['X-User-Id'],
    body: { schema: ReactionBody, example: named },
    answers: { 200: { description: 'It is there.', schema: ChangedReaction } },
    errors: [...WRITE_ERRORS, 'not_found', 'conflict'],
  },
  {
    operationId: 'removeReaction',
    method: 'delete',
    path: REACTION,
    tag: 'messages',
    summary: 'Take back a reaction',
    params: RemoveReactionPath,
    headers: ['X-User-Id'],
    body: { schema: ReactionBody, example: named },
    answers: { 200: { description: 'It is gone.', schema: ChangedReaction } },
    errors: [...WRITE_ERRORS, 'not_found'],
  },
];
