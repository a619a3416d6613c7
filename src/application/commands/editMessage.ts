import { type ApplicationContext, timestamp } from '../context.ts';
import { findMessage } from '../reading/findMessage.ts';
import { type ChangedMessage, changeMessage, type MessageToChange } from './messageCommand.ts';

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
