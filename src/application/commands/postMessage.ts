import { ChatError } from '../../contracts/errors.ts';
import { formatPosition } from '../../contracts/position.ts';
import type { PostMessage } from '../../domain/conversation/commands.ts';
import type { Attachment, MessageEvent, MessagePosted } from '../../domain/conversation/events.ts';
import { type ApplicationContext, timestamp } from '../context.ts';
import { findPosted, messageAt } from '../reading/findMessage.ts';
import { append } from './append.ts';
import { decideMessageCommand } from './messageCommand.ts';
import { isTooLate, resolveAttachments } from './resolveAttachments.ts';

export interface MessageToPost {
  readonly conversationId: string;
  readonly userId: string;
  /** Absent or empty: there are attachments alone. */
  readonly content?: string | undefined;
  /** Chosen by the client, so that a retry is recognised; without it every request is a new message. */
  readonly clientMessageId?: string | undefined;
  readonly replyTo?: string | null | undefined;
  /** Ids of uploads of this user in this conversation, 10 at most. */
  readonly attachments?: readonly string[] | undefined;
  /** When it was said, if not now: for imports. */
  readonly at?: string;
}

export interface PostedMessage {
  readonly messageId: string;
  readonly seq: number;
  readonly position: string;
  /** True when the log had this message already: an earlier request with the same clientMessageId stored it. */
  readonly duplicate: boolean;
  /** As it is stored; of a repeat whose first message cannot be read any more, as this request says it. */
  readonly event: MessagePosted;
}

/**
 * Posts a message: load → decide → append. Resolves once the log has acknowledged it: level `accepted`. Written with as
 * few promises as can be, because every message comes through here.
 *
 * A repeat of a clientMessageId is the same message when it has the same content, see {@link isSameMessage}. Only a
 * message that the log has already is compared with the first: a new one costs no look-up.
 *
 * @throws ChatError when the domain refuses, the log is in trouble, or the clientMessageId was used for another message
 */
export function postMessage(context: ApplicationContext, request: MessageToPost): Promise<PostedMessage> {
  const { attachments } = request;
  if (attachments === undefined || attachments.length === 0) return decideAndStore(context, request, []);
  return resolveAttachments(context, { ...request, attachments }).then(
    (resolved) => decideAndStore(context, request, resolved),
    (error) => {
      if (isTooLate(error)) return postedBefore(context, request, error);
      throw error;
    },
  );
}

/**
 * A message that was stored while its files could be attached, or while what it replies to was there, is the same message
 * whenever it comes again.
 *
 * @throws ChatError what is wrong with it, when it was not stored before
 */
async function postedBefore(
  context: ApplicationContext,
  { conversationId, userId, clientMessageId, content = '', replyTo, attachments }: MessageToPost,
  error: unknown,
): Promise<PostedMessage> {
  if (clientMessageId === undefined) throw error;
  const messageId = context.ids.messageId(conversationId, userId, clientMessageId);
  const found = await findPosted(context, { conversationId, messageId });
  if (found === null) throw error;
  const { seq, event } = found;
  if (!isSameMessage(event, { content, replyTo: replyTo ?? null, attachments: attachments ?? [] }))
    throw reused();
  return { messageId, seq, position: formatPosition(context.log.epoch, seq), duplicate: true, event };
}

function decideAndStore(
  context: ApplicationContext,
  request: MessageToPost,
  attachments: readonly Attachment[],
): Promise<PostedMessage> {
  const command = toCommand(context, request, attachments);
  const decision = decideMessageCommand(context, command);
  if (decision instanceof Promise)
    return decision.then((event) => storeReply(context, posted(event), request));
  return storeReply(context, posted(decision), request);
}

/** What is no reply goes on at once. */
function storeReply(
  context: ApplicationContext,
  event: MessagePosted,
  request: MessageToPost,
): Promise<PostedMessage> {
  const { conversationId, replyTo } = event;
  if (replyTo === null) return store(context, event);
  return context.replyTargets.find(conversationId, replyTo).then((found) => {
    if (found !== 'missing') return store(context, event);
    const errors = [{ path: 'replyTo', reason: 'is no message of this conversation (any more)' }];
    const error = new ChatError('invalid_request', 'A reply names a message of its conversation.', {
      errors,
    });
    return postedBefore(context, request, error);
  });
}

function store(context: ApplicationContext, event: MessagePosted): Promise<PostedMessage> {
  return append(context.log, event, event.messageId, undefined, (result) => {
    if (result.outcome === 'conflict') throw new Error('An unconditional append cannot conflict');
    const { seq, duplicate, retried = false } = result;
    const position = formatPosition(context.log.epoch, seq);
    const posted = { messageId: event.messageId, seq, position, duplicate, event };
    return duplicate || retried ? asFirstSaid(context, posted) : posted;
  });
}

/**
 * A repeat, as its first message was stored. A first that was erased, or that the log holds no more, cannot be compared:
 * then the repeat counts as honest, because nothing of it was stored.
 *
 * @throws ChatError client_message_id_reused, log_unavailable
 */
async function asFirstSaid(context: ApplicationContext, posted: PostedMessage): Promise<PostedMessage> {
  const { event, messageId, seq } = posted;
  const first = await messageAt(context, event.conversationId, seq);
  if (first?.messageId !== messageId) return posted;
  const attachments = event.attachments.map(({ id }) => id);
  if (!isSameMessage(first, { ...event, attachments })) throw reused();
  return { ...posted, event: first };
}

/** What a message says: its text, what it replies to, and its files in their order. When it was said does not count. */
interface SaidContent {
  readonly content: string;
  readonly replyTo: string | null;
  /** Ids. */
  readonly attachments: readonly string[];
}

function isSameMessage(first: MessagePosted, { content, replyTo, attachments }: SaidContent): boolean {
  return (
    first.content === content &&
    first.replyTo === replyTo &&
    first.attachments.length === attachments.length &&
    first.attachments.every(({ id }, index) => id === attachments[index])
  );
}

function reused(): ChatError {
  const detail = 'This clientMessageId is that of another message; nothing was stored. Choose a new one.';
  return new ChatError('client_message_id_reused', detail);
}

function toCommand(
  context: ApplicationContext,
  request: MessageToPost,
  attachments: readonly Attachment[],
): PostMessage {
  const { conversationId, userId, content = '' } = request;
  const clientMessageId = request.clientMessageId ?? context.ids.clientMessageId();
  return {
    type: 'PostMessage',
    conversationId,
    userId,
    at: request.at ?? timestamp(context),
    messageId: context.ids.messageId(conversationId, userId, clientMessageId),
    clientMessageId,
    content,
    replyTo: request.replyTo ?? null,
    attachments,
  };
}

function posted(event: MessageEvent | null): MessagePosted {
  if (event?.type !== 'MessagePosted')
    throw new Error('Posting a message decides on nothing but MessagePosted');
  return event;
}
