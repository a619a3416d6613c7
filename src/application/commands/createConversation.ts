import { ChatError } from '../../contracts/errors.ts';
import { tryDecodeEvent } from '../../contracts/events/events.ts';
import { formatPosition } from '../../contracts/position.ts';
import type { CreateConversation } from '../../domain/conversation/commands.ts';
import { decideConversation } from '../../domain/conversation/decide.ts';
import type { ConversationEvent } from '../../domain/conversation/events.ts';
import { isRejection } from '../../domain/conversation/rejections.ts';
import { type ConversationState, maySee } from '../../domain/conversation/state.ts';
import { readEvents } from '../../ports/readEvents.ts';
import { asChatError, rejectionError } from '../chatErrors.ts';
import { type ApplicationContext, timestamp } from '../context.ts';
import { append } from './append.ts';
import { type ChangedConversation, changeConversation } from './conversationCommand.ts';

export interface NewConversation {
  readonly userId: string;
  readonly title: string | null;
  readonly visibility: 'members' | 'open';
  readonly participantIds: readonly string[];
  /** Chosen by the client, so that a retry is recognised; without it every request is a new conversation. */
  readonly clientConversationId?: string | undefined;
}

export interface CreatedConversation extends ChangedConversation {
  /** True when an earlier request of the same user with the same clientConversationId made it. */
  readonly duplicate: boolean;
}

/**
 * Creates a conversation under a new id. With a clientConversationId the id follows from it and the user: the log holds one
 * first event of it, whenever the repeat comes, and nobody keeps a list of what was asked.
 *
 * @throws ChatError conflict when the clientConversationId is that of another conversation
 */
export async function createConversation(
  context: ApplicationContext,
  { clientConversationId, ...request }: NewConversation,
): Promise<CreatedConversation> {
  const { ids } = context;
  const conversationId =
    clientConversationId === undefined
      ? ids.conversationId()
      : ids.derivedConversationId(request.userId, clientConversationId);
  const command = { type: 'CreateConversation', conversationId, at: timestamp(context), ...request } as const;
  if (clientConversationId !== undefined) return createOnce(context, command);
  return { ...(await changeConversation(context, command)), duplicate: false };
}

async function createOnce(
  context: ApplicationContext,
  command: CreateConversation,
): Promise<CreatedConversation> {
  const { conversationId } = command;
  const decision = decideConversation(null, command);
  if (decision === null || isRejection(decision))
    throw rejectionError(decision ?? { rejected: 'ConversationAlreadyExists' });
  const result = await append(context.log, decision, conversationId, 0, (appended) => appended);
  // With `retried`, an earlier attempt of this very request stored it, or another request under the same key.
  if (result.outcome === 'conflict' || result.duplicate || result.retried === true)
    return repeated(context, command, decision);
  context.conversations.remember(conversationId, decision, result.seq);
  const position = formatPosition(context.log.epoch, result.seq);
  return { conversationId, state: decision.state, seq: result.seq, position, duplicate: false };
}

/** The conversation as it is now. A first event that cannot be read any more cannot be compared: the repeat counts as honest. */
async function repeated(
  context: ApplicationContext,
  { conversationId, userId }: CreateConversation,
  asked: ConversationEvent,
): Promise<CreatedConversation> {
  try {
    const { state, version: seq } = await context.conversations.loadFresh(conversationId);
    const first = await firstEvent(context, conversationId, seq);
    if (first !== null && !isSame(first.state, asked.state)) throw reused();
    if (state === null || !maySee(state, userId)) throw reused();
    const position = formatPosition(context.log.epoch, seq);
    return { conversationId, state, seq, position, duplicate: true };
  } catch (cause) {
    throw asChatError(cause);
  }
}

async function firstEvent(
  { feed }: ApplicationContext,
  conversationId: string,
  until: number,
): Promise<ConversationEvent | null> {
  const range = { conversationId, category: 'conversation', after: 0, until } as const;
  for await (const { bytes, seq } of readEvents(feed, range)) {
    const event = tryDecodeEvent(bytes, seq);
    return event?.type === 'ConversationCreated' ? event : null;
  }
  return null;
}

/** Title, visibility, and who takes part, in whichever order. */
function isSame(first: ConversationState, asked: ConversationState): boolean {
  const participants = new Set(first.participantIds);
  return (
    first.title === asked.title &&
    first.visibility === asked.visibility &&
    participants.size === asked.participantIds.length &&
    asked.participantIds.every((id) => participants.has(id))
  );
}

function reused(): ChatError {
  const detail =
    'This clientConversationId is that of another conversation, or of one that is closed to this user by now; nothing was stored.';
  return new ChatError('conflict', detail);
}
