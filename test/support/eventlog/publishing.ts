import { vi } from 'vitest';
import { PipelinedPublisher } from '../../../src/eventlog/jetstream/publisher.ts';
import type { PublisherEvent, PublisherOptions } from '../../../src/eventlog/jetstream/publisherOptions.ts';
import { ConnectionWatch } from '../../../src/platform/nats/connectionWatch.ts';
import { type Attempt, FakeNats } from './fakeNats.ts';

/** What a publish came to: its result or its error; `null` as long as it is open. */
export interface Outcome {
  value: unknown;
}

export const ACK_MS = 500;
export const DEADLINE_MS = 2_000;
/** The publisher's one timer checks this often: nothing is later than what it is due at by more. */
export const SWEEP_MS = 50;

/** Lets fake time pass. */
export const passes = (ms: number) => vi.advanceTimersByTimeAsync(ms);
/** What was queued goes out at the end of the turn, and what was settled is known. */
export const turn = () => passes(0);

/** The server's answers. */
export const stored = (seq: number, more = {}) => ({ stream: 'CHAT_EVENTS', seq, ...more });
export const refused = (code: number, description = 'no') => ({
  stream: 'CHAT_EVENTS',
  error: { code: 500, err_code: code, description },
});

/** A publisher on a connection on which the test answers, under fake timers. */
export class Publishing {
  readonly nats = new FakeNats();
  readonly events: PublisherEvent[] = [];
  readonly publisher: PipelinedPublisher;

  constructor(options: Partial<PublisherOptions> = {}) {
    const { connection } = this.nats;
    this.publisher = new PipelinedPublisher(connection, new ConnectionWatch(connection), {
      ...{ windowMax: 3, queueMax: 4, queueBytesMax: 1_000, ackTimeoutMs: ACK_MS, deadlineMs: DEADLINE_MS },
      onEvent: (event) => this.events.push(event),
      ...options,
    });
  }

  /** Ids in the order in which attempts went out. */
  get sentIds(): string[] {
    return this.nats.attempts.map(({ id }) => id);
  }

  publish(key: string, more: { text?: string; expectedSeq?: number } = {}): Outcome {
    const { text = key, expectedSeq } = more;
    const outcome: Outcome = { value: null };
    this.publisher.publish({ subject: 'events', bytes: Buffer.from(text), key, expectedSeq }).then(
      (result) => {
        outcome.value = result;
      },
      (error: unknown) => {
        outcome.value = error;
      },
    );
    return outcome;
  }

  /** The latest attempt at a message, or the one that is named. */
  attempt(id: string, at = -1): Attempt {
    const found = this.nats.of(id).at(at);
    if (found === undefined) throw new Error(`${id} was not sent`);
    return found;
  }
}
