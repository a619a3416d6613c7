import { type ChangedConversation, changeConversation } from './changeConversation.ts';
import { type ApplicationContext, timestamp } from './context.ts';

export function renameConversation(
  context: ApplicationContext,
  request: { conversationId: string; userId: string; title: string | null },
): Promise<ChangedConversation> {
  return changeConversation(context, { type: 'RenameConversation', at: timestamp(context), ...request });
}
