import { ChatError } from '../../contracts/errors.ts';
import type { ConversationView } from '../../contracts/http/answers/conversations.ts';
import { type ConversationState, isParticipant, maySee } from '../../domain/conversation/state.ts';
import { LogUnavailableError } from '../../ports/eventLog.ts';
import { asChatError } from '../chatErrors.ts';
import type { ApplicationContext } from '../context.ts';

/** What is known of a conversation elsewhere than in the log, and the sequence of the event that it is known by. */
export type KnownElsewhere = () => Promise<{ state: ConversationState; version: number } | null>;

/**
 * The conversation, if this user may see it. A closed conversation that the user is not in answers exactly as a
 * missing one, so that ids cannot be probed.
 *
 * While the log is away, what is known elsewhere may allow, never refuse: it may lag, and a client that gets
 * "not found" forgets the conversation. What it does not allow is answered with `log_unavailable`, for a missing
 * conversation exactly as for one that is closed to the user.
 *
 * @param userId null when the request names no user
 * @param elsewhere asked only while the log is away; absent: nothing is known elsewhere
 * @throws ChatError not_found, or log_unavailable
 */
export async function viewConversation(
  context: Pick<ApplicationContext, 'conversations'>,
  conversationId: string,
  userId: string | null,
  elsewhere: KnownElsewhere = async () => null,
): Promise<ConversationView> {
  const state = await visibleState(context, conversationId, userId, elsewhere);
  if (state === null) {
    throw new ChatError('not_found', 'There is no such conversation, or it is not open to this user.');
  }
  return toView(conversationId, state);
}

async function visibleState(
  context: Pick<ApplicationContext, 'conversations'>,
  conversationId: string,
  userId: string | null,
  elsewhere: KnownElsewhere,
): Promise<ConversationState | null> {
  const cached = context.conversations.cached(conversationId);
  if (cached !== undefined && cached.state !== null && maySee(cached.state, userId)) return cached.state;
  try {
    const { conversations } = context;
    const shared = cached === undefined ? await conversations.shared(conversationId) : undefined;
    const seen = shared?.state ?? null;
    if (seen !== null && maySee(seen, userId)) return seen;
    const { state } = await conversations.loadFresh(conversationId);
    return state !== null && maySee(state, userId) ? state : null;
  } catch (cause) {
    if (cause instanceof LogUnavailableError) {
      const known = await elsewhere().catch(() => null);
      // What the cache knows by a later event says that this user is not in it any more.
      const isLater = known !== null && known.version > (cached?.version ?? 0);
      if (isLater && maySee(known.state, userId)) return known.state;
    }
    throw asChatError(cause);
  }
}

export function toView(id: string, state: ConversationState): ConversationView {
  const { title, visibility, participantIds, createdBy, createdAt, archived } = state;
  return { id, title, visibility, participantIds, createdBy, createdAt, archived };
}

/** The domain's rules on who is sent what, for those who send it. */
export { isParticipant, maySee };
