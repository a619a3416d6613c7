import { type ApplicationContext, timestamp } from '../context.ts';
import { type ChangedConversation, changeConversation } from './conversationCommand.ts';

export function renameConversation(
  context: ApplicationContext,
  request: { conversationId: string; userId: string; title: string | null },
): Promise<ChangedConversation> {
  return changeConversation(context, { type: 'RenameConversation', at: timestamp(context), ...request });
}
