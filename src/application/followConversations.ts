import type { Following } from '../ports/eventFeed.ts';
import type { ApplicationContext } from './context.ts';

/**
 * Keeps cached conversations fresh in a process that does not follow the whole log anyway: somebody who was removed
 * elsewhere must not go on reading and posting here.
 */
export function followConversations(
  context: Pick<ApplicationContext, 'feed' | 'conversations'>,
): Promise<Following> {
  return context.feed.follow({
    after: 'now',
    category: 'conversation',
    onEvent: (event) => context.conversations.observe(event),
  });
}
