import { ChatError } from '../contracts/errors.ts';
import type { ConversationView } from '../contracts/http.ts';
import { type ConversationState, isParticipant, maySee } from '../domain/conversation/state.ts';
import { asChatError } from './append.ts';
import type { ApplicationContext } from './context.ts';

/**
 * The conversation, if this user may see it. A closed conversation that the user is not in answers exactly as a
 * missing one, so that ids cannot be probed.
 *
 * @param userId null when the request names no user
 * @throws ChatError not_found, or log_unavailable
 */
export async function viewConversation(
  context: Pick<ApplicationContext, 'conversations'>,
  conversationId: string,
  userId: string | null,
): Promise<ConversationView> {
  const state = await visibleState(context, conversationId, userId);
  if (state === null) {
    throw new ChatError('not_found', 'There is no such conversation, or it is not open to this user.');
  }
  return toView(conversationId, state);
}

async function visibleState(
  context: Pick<ApplicationContext, 'conversations'>,
  conversationId: string,
  userId: string | null,
): Promise<ConversationState | null> {
  try {
    const { conversations } = context;
    const known = conversations.cached(conversationId) ?? (await conversations.shared(conversationId));
    const seen = known?.state ?? null;
    if (seen !== null && maySee(seen, userId)) return seen;
    const { state } = await conversations.loadFresh(conversationId);
    return state !== null && maySee(state, userId) ? state : null;
  } catch (cause) {
    throw asChatError(cause);
  }
}

export function toView(id: string, state: ConversationState): ConversationView {
  const { title, visibility, participantIds, createdBy, createdAt, archived } = state;
  return { id, title, visibility, participantIds, createdBy, createdAt, archived };
}

/** The domain's rules on who is sent what, for those who send it. */
export { isParticipant, maySee };
