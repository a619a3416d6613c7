import { formatPosition } from '../../contracts/position.ts';
import type { MessageCommand, PostMessage } from '../../domain/conversation/commands.ts';
import { type ApplicationContext, timestamp } from '../context.ts';
import { findMessage } from '../reading/findMessage.ts';
import { append } from './append.ts';
import { decideMessageCommand } from './messageCommand.ts';

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

/** Replaces a message's content. Only its author may. */
export async function editMessage(
  context: ApplicationContext,
  request: MessageToChange & { content: string },
): Promise<ChangedMessage> {
  const { conversationId, userId, content } = request;
  const target = await findMessage(context, request);
  const command = {
    type: 'EditMessage',
    conversationId,
    userId,
    target,
    content,
    at: timestamp(context),
  } as const;
  return changeMessage(context, request.messageId, command);
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
