import type { Msg } from 'nats';
import { type EventSubject, parseEventSubject } from '../../contracts/events/subjects.ts';
import type { EventCategory } from '../../domain/conversation/events.ts';
import type { FollowedEvent } from '../../ports/eventFeed.ts';

/** Where a delivered message stands: in the stream, and in the sequence of what this consumer was sent. */
export interface Delivery {
  readonly seq: number;
  readonly consumerSeq: number;
  readonly storedAtMs: number;
  readonly remaining: number;
}

const DOT = 46;
const ZERO = 48;
/** Dots before the stream's sequence in `$JS.ACK.<stream>.<consumer>.<delivered>.…`, without and with a domain. */
const DOTS_BEFORE_SEQ = { plain: 5, withDomain: 7 };
const DOTS_PLAIN = 8;

/**
 * Reads the reply subject of a delivered message:
 * `$JS.ACK.<stream>.<consumer>.<delivered>.<streamSeq>.<consumerSeq>.<nanoseconds>.<pending>`, or with
 * `<domain>.<account hash>` before the stream and possibly a random token at the end. Called for every event that
 * passes, so it reads digits in place instead of making strings.
 * Source: nats-architecture-and-design, ADR-15.
 */
export function parseDelivery(reply: string): Delivery | null {
  if (!reply.startsWith('$JS.ACK.')) return null;
  const dots = countDots(reply);
  if (dots < DOTS_PLAIN) return null;
  const numbers = new NumberReader(
    reply,
    dots === DOTS_PLAIN ? DOTS_BEFORE_SEQ.plain : DOTS_BEFORE_SEQ.withDomain,
  );
  const seq = numbers.next();
  const consumerSeq = numbers.next();
  const storedAtMs = Math.floor(numbers.next() / 1e6);
  return { seq, consumerSeq, storedAtMs, remaining: numbers.next() };
}

function countDots(text: string): number {
  let dots = 0;
  for (let at = text.indexOf('.'); at >= 0; at = text.indexOf('.', at + 1)) dots += 1;
  return dots;
}

/** Reads one number after the other from a dotted text. */
class NumberReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string, skipDots: number) {
    this.#text = text;
    for (let skipped = 0; skipped < skipDots; skipped++) this.#at = text.indexOf('.', this.#at) + 1;
  }

  next(): number {
    let value = 0;
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === DOT) break;
      value = value * 10 + (code - ZERO);
    }
    this.#at += 1;
    return value;
  }
}

/** The event that a delivered message holds; `null` when its subject is none of the log's. */
export function toFollowedEvent(message: Msg, delivery: Delivery): FollowedEvent | null {
  const subject = parseEventSubject(message.subject);
  return subject === null ? null : new DeliveredEvent(message, delivery, subject);
}

class DeliveredEvent implements FollowedEvent {
  readonly #message: Msg;
  readonly seq: number;
  readonly storedAtMs: number;
  readonly remaining: number;
  readonly conversationId: string;
  readonly category: EventCategory;

  constructor(message: Msg, delivery: Delivery, subject: EventSubject) {
    this.#message = message;
    this.seq = delivery.seq;
    this.storedAtMs = delivery.storedAtMs;
    this.remaining = delivery.remaining;
    this.conversationId = subject.conversationId;
    this.category = subject.category;
  }

  get bytes(): Uint8Array {
    return this.#message.data;
  }

  idempotencyKey(): string | null {
    return this.#message.headers?.get('Nats-Msg-Id') || null;
  }
}
