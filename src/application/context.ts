import type { Clock } from '../ports/clock.ts';
import type { EventFeed } from '../ports/eventFeed.ts';
import type { EventLog } from '../ports/eventLog.ts';
import type { Ids } from '../ports/ids.ts';
import type { ConversationStore } from './conversationStore.ts';

/** What the command handlers need of the world. Built once, by the composition root. */
export interface ApplicationContext {
  readonly log: EventLog;
  readonly feed: EventFeed;
  readonly conversations: ConversationStore;
  readonly clock: Clock;
  readonly ids: Ids;
}

export function timestamp(context: { clock: Clock }): string {
  return new Date(context.clock.nowMs()).toISOString();
}
