import type { DeleteMessage, TargetMessage } from '../../domain/conversation/commands.ts';
import { type ApplicationContext, timestamp } from '../context.ts';
import { findFirst, findMessage } from '../reading/findMessage.ts';
import { eraseMessage } from './eraseMessage.ts';
import { type ChangedMessage, changeMessage, type MessageToChange } from './messageCommand.ts';

export interface DeletedMessage extends ChangedMessage {
  /** Events whose bytes were taken out of the log; 0 when erasing was not asked for. */
  readonly erased: number;
}

/** Under whose name operators erase. */
export const OPERATOR = 'operator';

export interface MessageToDelete extends MessageToChange {
  readonly erase: boolean;
  /** By which right. Default: as its author. */
  readonly by?: DeleteMessage['by'];
}

/**
 * Takes a message back: its place in the conversation stays, its content goes. Only its author may, or an operator. Its author may
 * erase it even without being in the conversation any more.
 *
 * With `erase` its bytes are taken out of the log too, after the event that says so. If that fails half-way, asking again
 * goes on with it: the message itself goes last, so until all is done it is found.
 */
export async function deleteMessage(
  context: ApplicationContext,
  request: MessageToDelete,
): Promise<DeletedMessage> {
  const { conversationId, userId, erase, by = 'author' } = request;
  const named = await findMessage(context, request);
  const first = (message: NonNullable<TargetMessage>) => findFirst(context, conversationId, message);
  const target = erase && named !== null ? await context.search.bounded(userId, () => first(named)) : named;
  const at = timestamp(context);
  const command = { type: 'DeleteMessage', conversationId, userId, target, erase, by, at } as const;
  const deleted = await changeMessage(context, request.messageId, command);
  if (!erase || target === null) return { ...deleted, erased: 0 };
  const work = () => eraseMessage(context, conversationId, target);
  return { ...deleted, erased: await context.search.bounded(userId, work) };
}
