import type { EventFeed } from '../../ports/eventFeed.ts';
import type { EventLog } from '../../ports/eventLog.ts';
import { readEvents } from '../../ports/readEvents.ts';

/** What is searched for, and how far. */
export interface KeySearch {
  readonly conversationId: string;
  /** The idempotency key of the event: of a posted message its id. */
  readonly key: string;
  /** Only events after this sequence. Default 0. */
  readonly after?: number;
  /** How far back in the log the first read goes; each further one goes sixteen times as far. */
  readonly firstStretch: number;
  /** Events that are gone through, at most. Default: no limit but the time. */
  readonly eventsMax?: number;
  /** How long all of it may take, in milliseconds. */
  readonly searchMsMax: number;
}

/**
 * Searches a conversation's messages for an idempotency key, from the log's end backwards, payloads left out. Goes back in
 * growing stretches, none of which is read twice: most people mean what was said just now.
 *
 * @returns its sequence; `null` when there is none; `spent` when a limit was reached before that was known
 * @throws LogUnavailableError
 */
export async function searchByKey(
  { log, feed }: { readonly log: Pick<EventLog, 'latest'>; readonly feed: EventFeed },
  search: KeySearch,
): Promise<number | null | 'spent'> {
  const { conversationId, key, after: floor = 0, firstStretch, searchMsMax } = search;
  const endMs = performance.now() + searchMsMax;
  let left = search.eventsMax ?? Number.POSITIVE_INFINITY;
  let until = (await log.latest(conversationId, 'message'))?.seq ?? 0;
  const range = { conversationId, category: 'message', headersOnly: true, timeoutMs: searchMsMax } as const;
  for (let stretch = firstStretch; until > floor; stretch *= 16) {
    const after = Math.max(floor, until - stretch);
    for await (const event of readEvents(feed, { ...range, after, until })) {
      if (event.idempotencyKey() === key) return event.seq;
      left -= 1;
      if (left < 0 || performance.now() > endMs) return 'spent';
    }
    until = after;
  }
  return null;
}
