import type { EventCategory } from '../../domain/conversation/events.ts';
import type { EventFeed, FollowedEvent, Following, FollowOptions } from '../../ports/eventFeed.ts';
import {
  type AppendRequest,
  type AppendResult,
  type EpochRenewal,
  type EventLog,
  EventTooLargeError,
  type LogStatus,
  type StoredEvent,
} from '../../ports/eventLog.ts';

interface MemoryEvent extends StoredEvent {
  readonly key: string;
}

/**
 * The log in memory: the twin of the JetStream log for tests of what stands on it. The same contract suite runs on
 * both. Followers are called in later turns of the event loop, as with a real server.
 */
export class MemoryEventLog implements EventLog, EventFeed {
  /** By sequence, from 1 on; `null` where one was erased. */
  readonly #events: (MemoryEvent | null)[] = [];
  readonly #latest = new Map<string, MemoryEvent>();
  readonly #byKey = new Map<string, MemoryEvent>();
  readonly #followers = new Set<MemoryFollowing>();
  readonly #eventBytesMax: number;
  #previousEpoch: string | null = null;
  #logId: string;
  epoch: string;

  constructor(options: { epoch?: string; eventBytesMax?: number } = {}) {
    this.epoch = options.epoch ?? 'memory';
    this.#logId = this.epoch;
    this.#eventBytesMax = options.eventBytesMax ?? 1_000_000;
  }

  get knownSeq(): number {
    return this.#events.length;
  }

  async append(request: AppendRequest): Promise<AppendResult> {
    const { conversationId, category, bytes, idempotencyKey: key, expectedSeq } = request;
    if (bytes.length > this.#eventBytesMax) {
      throw new EventTooLargeError(
        `The event has ${bytes.length} bytes; the log takes ${this.#eventBytesMax}.`,
      );
    }
    const earlier = this.#byKey.get(key);
    if (earlier !== undefined) return { outcome: 'stored', seq: earlier.seq, duplicate: true };
    const latest = this.#latest.get(`${conversationId}.${category}`)?.seq ?? 0;
    if (expectedSeq !== undefined && expectedSeq !== latest) return { outcome: 'conflict' };
    const seq = this.#events.length + 1;
    const event = { seq, conversationId, category, bytes: bytes.slice(), storedAtMs: Date.now(), key };
    this.#events.push(event);
    this.#latest.set(`${conversationId}.${category}`, event);
    this.#byKey.set(key, event);
    for (const follower of this.#followers) follower.wake();
    return { outcome: 'stored', seq, duplicate: false };
  }

  async latest(conversationId: string, category: EventCategory): Promise<StoredEvent | null> {
    return this.#latest.get(`${conversationId}.${category}`) ?? null;
  }

  async at(seq: number): Promise<StoredEvent | null> {
    return this.#events[seq - 1] ?? null;
  }

  async erase(seq: number): Promise<boolean> {
    const event = this.#events[seq - 1] ?? null;
    if (event === null) return false;
    this.#events[seq - 1] = null;
    const key = `${event.conversationId}.${event.category}`;
    if (this.#latest.get(key) === event) this.#relate(key, event);
    return true;
  }

  #relate(key: string, { conversationId, category }: MemoryEvent): void {
    const before = this.#events.findLast(
      (event) => event?.conversationId === conversationId && event.category === category,
    );
    if (before == null) this.#latest.delete(key);
    else this.#latest.set(key, before);
  }

  async status(): Promise<LogStatus> {
    const bytes = this.#events.reduce((sum, event) => sum + (event?.bytes.length ?? 0), 0);
    const bytesMax = Number.MAX_SAFE_INTEGER;
    const lastSeq = this.#events.length;
    return {
      epoch: this.epoch,
      previousEpoch: this.#previousEpoch,
      logId: this.#logId,
      firstSeq: 1,
      lastSeq,
      bytes,
      bytesMax,
      replicas: 1,
    };
  }

  async renewEpoch({ from, lost = from, logId = this.#logId }: EpochRenewal): Promise<string> {
    if (this.epoch !== from) return this.epoch;
    this.#previousEpoch = lost;
    this.#logId = logId;
    this.epoch = `${from}x`;
    return this.epoch;
  }

  async follow(options: FollowOptions): Promise<Following> {
    const forget = (ended: MemoryFollowing) => this.#followers.delete(ended);
    const following: MemoryFollowing = new MemoryFollowing(this.#events, options, forget);
    // Nothing interrupts this one: it is asked once.
    if (!(await (options.confirm?.() ?? true))) await following.stop();
    else this.#followers.add(following);
    following.wake();
    return following;
  }
}

class MemoryFollowing implements Following {
  readonly #events: readonly (MemoryEvent | null)[];
  readonly #options: FollowOptions;
  readonly #onStop: (following: MemoryFollowing) => void;
  #unreleased = 0;
  #scheduled = false;
  #stopped = false;
  position: number;
  remaining: number;

  constructor(
    events: readonly (MemoryEvent | null)[],
    options: FollowOptions,
    onStop: (following: MemoryFollowing) => void,
  ) {
    this.#events = events;
    this.#options = options;
    this.#onStop = onStop;
    this.position = options.after === 'now' ? events.length : options.after;
    this.remaining = this.#matchingAfter(this.position);
  }

  wake(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#drain();
    });
  }

  release(count: number): void {
    this.#unreleased = Math.max(0, this.#unreleased - count);
    this.wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#onStop(this);
  }

  #drain(): void {
    const max = this.#options.unreleasedMax ?? 2_048;
    while (!this.#stopped && this.#unreleased < max) {
      const event = this.#events[this.position];
      if (event === undefined) return;
      this.position += 1;
      if (event !== null && this.#matches(event)) this.#deliver(event);
    }
  }

  #deliver(event: MemoryEvent): void {
    this.#unreleased += 1;
    this.remaining = this.#matchingAfter(event.seq);
    this.#options.onEvent(toFollowed(event, this.remaining, this.#options.headersOnly === true));
    if (this.#options.manualRelease !== true) this.#unreleased = Math.max(0, this.#unreleased - 1);
  }

  #matches(event: MemoryEvent): boolean {
    const { conversationId, category } = this.#options;
    if (conversationId !== undefined && event.conversationId !== conversationId) return false;
    return category === undefined || event.category === category;
  }

  #matchingAfter(seq: number): number {
    return this.#events.slice(seq).filter((event) => event !== null && this.#matches(event)).length;
  }
}

function toFollowed(event: MemoryEvent, remaining: number, headersOnly: boolean): FollowedEvent {
  const { key, ...stored } = event;
  const bytes = headersOnly ? new Uint8Array() : stored.bytes;
  return { ...stored, bytes, remaining, idempotencyKey: () => key };
}
