import { formatPosition } from '../../contracts/position.ts';
import type { MessageCommand, PostMessage } from '../../domain/conversation/commands.ts';
import { decideMessage } from '../../domain/conversation/decide.ts';
import type { MessageEvent } from '../../domain/conversation/events.ts';
import { isRejection } from '../../domain/conversation/rejections.ts';
import { asChatError, rejectionError } from '../chatErrors.ts';
import type { ApplicationContext } from '../context.ts';
import { append } from './append.ts';

export interface ChangedMessage {
  readonly messageId: string;
  /** Where the change is in the log, not the message. */
  readonly seq: number;
  readonly position: string;
  readonly at: string;
}

export interface MessageToChange {
  readonly conversationId: string;
  readonly userId: string;
  readonly messageId: string;
  /** Where the message is in the log, if the client knows: saves a search. */
  readonly seq?: number | undefined;
}

/**
 * Decides a command about a message: at once when the cached conversation allows it, which is nearly always; after
 * asking the log when it is not cached or seems to forbid it, because what is cached may be a moment old.
 *
 * @returns at once where it can: the hot path has no promise to wait for
 * @throws ChatError when the domain refuses
 */
export function decideMessageCommand(
  context: ApplicationContext,
  command: MessageCommand,
): MessageEvent | null | Promise<MessageEvent | null> {
  const cached = context.conversations.cached(command.conversationId);
  if (cached === undefined) return decideOnShared(context, command);
  const decision = decideMessage(cached.state, command);
  return decision === null || !isRejection(decision) ? decision : decideOnFresh(context, command);
}

/** The shared end of what changes a message: decide, then append unconditionally, because such events commute. */
export async function changeMessage(
  context: ApplicationContext,
  messageId: string,
  command: Exclude<MessageCommand, PostMessage>,
): Promise<ChangedMessage> {
  const event = await decideMessageCommand(context, command);
  if (event === null) throw new Error('Changing a message always decides on an event');
  return append(context.log, event, context.ids.idempotencyKey(), undefined, (result) => {
    if (result.outcome === 'conflict') throw new Error('An unconditional append cannot conflict');
    const { seq } = result;
    return { messageId, seq, position: formatPosition(context.log.epoch, seq), at: command.at };
  });
}

/** What other processes know of the conversation may allow it as well. */
async function decideOnShared(
  context: ApplicationContext,
  command: MessageCommand,
): Promise<MessageEvent | null> {
  const known = await context.conversations.shared(command.conversationId);
  const decision = known === undefined ? undefined : decideMessage(known.state, command);
  const allowed = decision !== undefined && (decision === null || !isRejection(decision));
  return allowed ? decision : decideOnFresh(context, command);
}

async function decideOnFresh(
  context: ApplicationContext,
  command: MessageCommand,
): Promise<MessageEvent | null> {
  const fresh = await loadFresh(context, command.conversationId);
  const decision = decideMessage(fresh.state, command);
  if (decision !== null && isRejection(decision)) throw rejectionError(decision);
  return decision;
}

async function loadFresh(context: ApplicationContext, conversationId: string) {
  try {
    return await context.conversations.loadFresh(conversationId);
  } catch (cause) {
    throw asChatError(cause);
  }
}
