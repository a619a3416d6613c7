import { encodeEvent } from '../../src/contracts/events/events.ts';
import type { EventFeed, Following, FollowOptions } from '../../src/ports/eventFeed.ts';
import {
  type EventLog,
  type LogStatus,
  LogUnavailableError,
  type StoredEvent,
} from '../../src/ports/eventLog.ts';
import type { Party, World } from './world.ts';

/** @property key tells it from others that the log has had at the same sequence */
export interface SimulatedEvent extends StoredEvent {
  readonly key: string;
}

/** The log: always there in the end, sometimes slow, sometimes away. What it delivers comes in order, each event once. */
export class SimulatedLog {
  readonly #world: World;
  readonly events: SimulatedEvent[] = [];
  awayUntilMs = 0;
  /** What was appended before, where the log has lost its tail. */
  readonly lost: SimulatedEvent[] = [];
  /** How many times it has come back with less than it had. */
  lives = 0;
  epoch = 'simulated';
  previousEpoch: string | null = null;

  constructor(world: World) {
    this.#world = world;
  }

  append(conversationId: string): void {
    const seq = this.events.length + 1;
    const at = new Date(1_700_000_000_000 + seq).toISOString();
    const key = `k${seq}.${this.lives}`;
    const message = {
      messageId: `m_${String(seq).padStart(22, '0')}`,
      clientMessageId: key,
      content: 'x',
    };
    const rest = { conversationId, userId: 'alice', replyTo: null, attachments: [], at };
    const bytes = encodeEvent({ type: 'MessagePosted', v: 1, ...message, ...rest });
    this.events.push({ seq, conversationId, category: 'message', bytes, storedAtMs: this.#world.nowMs, key });
  }

  /** It is away for a while, and comes back without the events after `after`. */
  loseTail(after: number, awayMs: number): void {
    this.lost.push(...this.events.splice(after));
    this.lives += 1;
    this.awayUntilMs = this.#world.nowMs + awayMs;
  }

  /** As one process sees it. */
  seenBy(party: Party): EventLog & EventFeed {
    const ask = <T>(answer: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        const say = () => (this.#isAway ? reject(new LogUnavailableError('away')) : resolve(answer()));
        this.#world.after(this.#world.between(0, 5), say, party);
      });
    return {
      epoch: this.epoch,
      knownSeq: 0,
      renewEpoch: ({ from }) => ask(() => this.#renewEpoch(from)),
      append: () => Promise.reject(new Error('Nobody appends through this')),
      latest: () => Promise.reject(new Error('Nobody asks for this')),
      erase: () => Promise.reject(new Error('Nobody erases through this')),
      at: (seq) => ask(() => this.events[seq - 1] ?? null),
      status: () => ask(() => this.#status()),
      follow: (options) => ask(() => new SimulatedFollowing(this.#world, party, this, options)),
    };
  }

  get #isAway(): boolean {
    return this.awayUntilMs > this.#world.nowMs;
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  #status(): LogStatus {
    const lastSeq = this.events.length;
    const { epoch, previousEpoch } = this;
    return {
      epoch,
      previousEpoch,
      logId: 'simulated',
      firstSeq: 1,
      lastSeq,
      bytes: 0,
      bytesMax: 1,
      replicas: 1,
    };
  }

  #renewEpoch(from: string): string {
    if (this.epoch === from) Object.assign(this, { epoch: `${from}x`, previousEpoch: from });
    return this.epoch;
  }
}

class SimulatedFollowing implements Following {
  readonly #world: World;
  readonly #party: Party;
  readonly #log: SimulatedLog;
  readonly #options: FollowOptions;
  #unreleased = 0;
  #stopped = false;
  /** Of which life of the log it knows that it may read it. */
  #confirmedLife = -1;
  position: number;
  remaining: number | null = null;

  constructor(world: World, party: Party, log: SimulatedLog, options: FollowOptions) {
    this.#world = world;
    this.#party = party;
    this.#log = log;
    this.#options = options;
    this.position = options.after === 'now' ? log.events.length : options.after;
    this.remaining = this.#countRemaining();
    this.#schedule();
  }

  release(count: number): void {
    this.#unreleased -= count;
    if (this.#unreleased < 0) throw new Error('More was released than was delivered');
  }

  async stop(): Promise<void> {
    this.#stopped = true;
  }

  #schedule(): void {
    this.#world.after(this.#world.between(1, 40), () => this.#deliver(), this.#party);
  }

  #deliver(): void {
    if (this.#stopped) return;
    if (this.#confirmedLife !== this.#log.lives) return void this.#confirm(this.#log.lives);
    const most = Math.floor(this.#world.between(1, 8));
    for (let count = 0; count < most && !this.#log.isAway; count++) this.#deliverOne();
    this.#schedule();
  }

  /** What one life of the log confirmed does not hold for the next. */
  async #confirm(life: number): Promise<void> {
    try {
      const confirmed = await (this.#options.confirm?.() ?? true);
      if (confirmed) this.#confirmedLife = life;
      else this.#stopped = true;
    } catch {
      // Asked again.
    }
    this.#schedule();
  }

  #deliverOne(): void {
    if (this.#stopped || this.#unreleased >= (this.#options.unreleasedMax ?? 2_048)) return;
    const stored = this.#log.events[this.position];
    if (stored === undefined) return;
    this.position = stored.seq;
    if (!this.#matches(stored)) return;
    if (this.#options.manualRelease === true) this.#unreleased += 1;
    this.remaining = this.#countRemaining();
    this.#options.onEvent({ ...stored, remaining: this.remaining, idempotencyKey: () => null });
  }

  #matches({ conversationId }: StoredEvent): boolean {
    return this.#options.conversationId === undefined || this.#options.conversationId === conversationId;
  }

  #countRemaining(): number {
    return this.#log.events.slice(this.position).filter((event) => this.#matches(event)).length;
  }
}
