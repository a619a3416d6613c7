import { type ApplicationContext, timestamp } from './context.ts';
import { type ChangedMessage, changeMessage, type MessageToChange } from './editMessage.ts';
import { findMessage } from './findMessage.ts';

/** Takes a message back: its place in the conversation stays, its content goes. Only its author may. */
export async function deleteMessage(
  context: ApplicationContext,
  request: MessageToChange,
): Promise<ChangedMessage> {
  const { conversationId, userId } = request;
  const target = await findMessage(context, request);
  const command = { type: 'DeleteMessage', conversationId, userId, target, at: timestamp(context) } as const;
  return changeMessage(context, request.messageId, command);
}
