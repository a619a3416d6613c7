import { type ApplicationContext, timestamp } from '../context.ts';
import { type ChangedConversation, changeConversation } from './conversationCommand.ts';

interface ParticipantsRequest {
  readonly conversationId: string;
  readonly userId: string;
  readonly participantIds: readonly string[];
}

export function addParticipants(
  context: ApplicationContext,
  request: ParticipantsRequest,
): Promise<ChangedConversation> {
  return changeConversation(context, { type: 'AddParticipants', at: timestamp(context), ...request });
}

export function removeParticipants(
  context: ApplicationContext,
  request: ParticipantsRequest,
): Promise<ChangedConversation> {
  return changeConversation(context, { type: 'RemoveParticipants', at: timestamp(context), ...request });
}
