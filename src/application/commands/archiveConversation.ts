import { type ApplicationContext, timestamp } from '../context.ts';
import { type ChangedConversation, changeConversation } from './conversationCommand.ts';

/** Sets or clears the archived flag. */
export function archiveConversation(
  context: ApplicationContext,
  request: { conversationId: string; userId: string; archived: boolean },
): Promise<ChangedConversation> {
  return changeConversation(context, { type: 'ArchiveConversation', at: timestamp(context), ...request });
}
