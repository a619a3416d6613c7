import type { Batch } from '../runner/projection.ts';

/** What a batch of events amounts to in the counts. */
export interface ActivityChanges {
  readonly group: number;
  readonly hours: readonly HourCount[];
  readonly conversations: readonly ConversationCount[];
  readonly holes: readonly number[];
  /** Messages that a tombstone speaks of: counted if they are among the holes that are known. */
  readonly erased: readonly ErasedCount[];
}

export interface HourCount {
  /** The beginning of the hour, ISO 8601. */
  readonly hour: string;
  readonly messages: number;
  readonly conversationsCreated: number;
}

export interface ConversationCount {
  readonly conversationId: string;
  readonly messages: number;
  /** The latest time that any of the messages names. */
  readonly at: string;
}

export interface ErasedCount {
  readonly seq: number;
  readonly conversationId: string;
  readonly at: string;
  readonly hour: string;
}

/** Reduces events to counts. Pure; every count is a sum over events, so that it does not matter where batches end. */
export function projectActivity({ group, events, holes }: Batch): ActivityChanges {
  const hours = new Map<string, HourCount>();
  const conversations = new Map<string, ConversationCount>();
  const erased = new Map<number, ErasedCount>();
  for (const { event } of events) {
    const { conversationId, at } = event;
    if (event.type === 'MessagePosted') {
      count(hours, hourOf(at), { messages: 1, conversationsCreated: 0 });
      const known = conversations.get(conversationId);
      const latest = known !== undefined && known.at > at ? known.at : at;
      const messages = (known?.messages ?? 0) + 1;
      conversations.set(conversationId, { conversationId, messages, at: latest });
    } else if (event.type === 'ConversationCreated') {
      count(hours, hourOf(at), { messages: 0, conversationsCreated: 1 });
    } else if (event.type === 'MessageDeleted' && event.erased !== undefined) {
      const { seq, at: postedAt } = event.erased;
      erased.set(seq, { seq, conversationId, at: postedAt, hour: hourOf(postedAt) });
    }
  }
  return {
    group,
    hours: [...hours.values()],
    conversations: [...conversations.values()],
    holes,
    erased: [...erased.values()],
  };
}

function count(hours: Map<string, HourCount>, hour: string, more: Omit<HourCount, 'hour'>): void {
  const known = hours.get(hour);
  hours.set(hour, {
    hour,
    messages: (known?.messages ?? 0) + more.messages,
    conversationsCreated: (known?.conversationsCreated ?? 0) + more.conversationsCreated,
  });
}

/** Times are ISO 8601 in UTC with milliseconds: the part after the hour always has the same length. */
function hourOf(at: string): string {
  return `${at.slice(0, 13)}:00:00.000Z`;
}
