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
  /** What this request asked to store. With `duplicate`, see {@link storedMessage} for what is stored. */
  readonly event: MessagePosted;
}

/**
 * Posts a message: load → decide → append. Resolves once the log has acknowledged it: level `accepted`. Written with as
 * few promises as can be, because every message comes through here.
 *
 * @throws ChatError when the domain refuses or the log is in trouble
 */
export function postMessage(context: ApplicationContext, request: MessageToPost): Promise<PostedMessage> {
  const { attachments } = request;
  if (attachments === undefined || attachments.length === 0) return decideAndStore(context, request, []);
  return resolveAttachments(context, { ...request, attachments }).then(
    (resolved) => decideAndStore(context, request, resolved),
    (error) => postedBefore(context, request, error),
  );
}

/**
 * A message that was stored while its files could be attached is the same message whenever it comes again.
 *
 * @throws ChatError what was wrong with the files, when it was not stored before
 */
async function postedBefore(
  context: ApplicationContext,
  { conversationId, userId, clientMessageId }: MessageToPost,
  error: unknown,
): Promise<PostedMessage> {
  if (clientMessageId === undefined || !isTooLate(error)) throw error;
  const messageId = context.ids.messageId(conversationId, userId, clientMessageId);
  const found = await findPosted(context, { conversationId, messageId });
  if (found === null) throw error;
  const { seq, event } = found;
  return { messageId, seq, position: formatPosition(context.log.epoch, seq), duplicate: true, event };
}

function decideAndStore(
  context: ApplicationContext,
  request: MessageToPost,
  attachments: readonly Attachment[],
): Promise<PostedMessage> {
  const command = toCommand(context, request, attachments);
  const decision = decideMessageCommand(context, command);
  if (decision instanceof Promise) return decision.then((event) => store(context, posted(event)));
  return store(context, posted(decision));
}

function store(context: ApplicationContext, event: MessagePosted): Promise<PostedMessage> {
  return append(context.log, event, event.messageId, undefined, (result) => {
    if (result.outcome === 'conflict') throw new Error('An unconditional append cannot conflict');
    const { seq, duplicate } = result;
    const position = formatPosition(context.log.epoch, seq);
    return { messageId: event.messageId, seq, position, duplicate, event };
  });
}

/** The message as the log holds it: for a repeated request, what the first one said. */
export async function storedMessage(
  context: ApplicationContext,
  message: PostedMessage,
): Promise<MessagePosted> {
  if (!message.duplicate) return message.event;
  return (await messageAt(context, message.event.conversationId, message.seq)) ?? message.event;
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
