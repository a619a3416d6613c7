import { type ApplicationContext, timestamp } from '../context.ts';
import { type ChangedConversation, changeConversation } from './conversationCommand.ts';

export interface NewConversation {
  readonly userId: string;
  readonly title: string | null;
  readonly visibility: 'members' | 'open';
  readonly participantIds: readonly string[];
}

/** Creates a conversation under a new id. */
export function createConversation(
  context: ApplicationContext,
  request: NewConversation,
): Promise<ChangedConversation> {
  const conversationId = context.ids.conversationId();
  const command = { type: 'CreateConversation', conversationId, at: timestamp(context), ...request } as const;
  return changeConversation(context, command);
}
