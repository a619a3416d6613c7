import { type ApplicationContext, timestamp } from '../context.ts';
import { findMessage } from '../reading/findMessage.ts';
import { type ChangedMessage, changeMessage, type MessageToChange } from './messageCommand.ts';

/** Adds or takes back a reaction. Everybody who may see the conversation may. A second time changes nothing. */
export async function changeReaction(
  context: ApplicationContext,
  request: MessageToChange & { emoji: string; add: boolean },
): Promise<ChangedMessage> {
  const { conversationId, userId, emoji, add, messageId } = request;
  const target = await findMessage(context, request);
  const type = add ? 'AddReaction' : 'RemoveReaction';
  const command = { type, conversationId, userId, target, emoji, at: timestamp(context) } as const;
  return changeMessage(context, messageId, command);
}
