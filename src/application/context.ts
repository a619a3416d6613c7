import type { AttachmentStore } from '../ports/attachmentStore.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventFeed } from '../ports/eventFeed.ts';
import type { EventLog } from '../ports/eventLog.ts';
import type { Ids } from '../ports/ids.ts';
import { ReactionKinds } from './commands/reactionKinds.ts';
import { ReplyTargets } from './commands/replyTargets.ts';
import { ConversationStore, type ConversationStoreOptions } from './conversations/conversationStore.ts';
import { MessageSearch, type MessageSearchOptions } from './reading/messageSearch.ts';

/** What the command handlers need of the world. Built once, by the composition root. */
export interface ApplicationContext {
  readonly log: EventLog;
  readonly feed: EventFeed;
  readonly conversations: ConversationStore;
  readonly reactions: ReactionKinds;
  readonly search: MessageSearch;
  readonly replyTargets: ReplyTargets;
  readonly attachments: AttachmentStore;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** What {@link openApplication} puts together. */
export interface ApplicationParts {
  readonly log: EventLog;
  readonly feed: EventFeed;
  readonly attachments: AttachmentStore;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Conversations that processes share in memory. Default: each process knows its own alone. */
  readonly shared?: ConversationStoreOptions['shared'];
  /** How far the log is searched for a message, if not as {@link MessageSearch} does by default. */
  readonly searchLimits?: Pick<MessageSearchOptions, 'eventsMax' | 'searchMsMax'>;
}

/** The application of one process, on a log. Its conversations are cached in memory. */
export function openApplication({ shared, searchLimits, ...parts }: ApplicationParts): ApplicationContext {
  const conversations = new ConversationStore(parts.log, { shared });
  return {
    ...parts,
    conversations,
    reactions: new ReactionKinds(parts),
    replyTargets: new ReplyTargets(parts),
    search: new MessageSearch({ ...parts, ...searchLimits }),
  };
}

let latest = { ms: Number.NaN, text: '' };

/** Now, as events name it. Formatted once for all who ask within the same millisecond. */
export function timestamp(context: { clock: Clock }): string {
  const ms = context.clock.nowMs();
  if (ms !== latest.ms) latest = { ms, text: new Date(ms).toISOString() };
  return latest.text;
}
