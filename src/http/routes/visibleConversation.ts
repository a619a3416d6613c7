import { viewConversation } from '../../application/reading/viewConversation.ts';
import type { ConversationView } from '../../contracts/http/answers/conversations.ts';
import { readConversation } from '../../queries/readConversation.ts';
import type { HttpDeps } from '../deps.ts';

/**
 * The conversation, if this user may see it: by the log's word, and while the log is away by the history's.
 *
 * @param userId null when the request names no user
 * @throws ChatError not_found, or log_unavailable when neither can tell that it may be seen
 */
export function visibleConversation(
  { application, reading }: Pick<HttpDeps, 'application' | 'reading'>,
  conversationId: string,
  userId: string | null,
): Promise<ConversationView> {
  return viewConversation(application, conversationId, userId, async () => {
    const known = await readConversation(reading.database, conversationId);
    return known === null ? null : { state: known.conversation, version: known.version };
  });
}
