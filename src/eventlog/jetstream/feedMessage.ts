import type { Msg } from 'nats';
import { parseEventSubject } from '../../contracts/subjects.ts';
import type { FollowedEvent } from '../../ports/eventFeed.ts';

/** Where a delivered message stands: in the stream, and in the sequence of what this consumer was sent. */
export interface Delivery {
  readonly seq: number;
  readonly consumerSeq: number;
  readonly storedAtMs: number;
  readonly remaining: number;
}

/**
 * Reads the reply subject of a delivered message:
 * `$JS.ACK.<stream>.<consumer>.<delivered>.<streamSeq>.<consumerSeq>.<nanoseconds>.<pending>`, or with
 * `<domain>.<account hash>` before the stream and possibly a random token at the end.
 * Source: nats-architecture-and-design, ADR-15.
 */
export function parseDelivery(reply: string): Delivery | null {
  const tokens = reply.split('.');
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK' || tokens.length < 9) return null;
  const base = tokens.length === 9 ? 4 : 6;
  const nanoseconds = tokens[base + 3] ?? '';
  return {
    seq: Number(tokens[base + 1]),
    consumerSeq: Number(tokens[base + 2]),
    storedAtMs: Number(nanoseconds.slice(0, -6)),
    remaining: Number(tokens[base + 4]),
  };
}

/** The event that a delivered message holds; `null` when its subject is none of the log's. */
export function toFollowedEvent(message: Msg, delivery: Delivery): FollowedEvent | null {
  const subject = parseEventSubject(message.subject);
  if (subject === null) return null;
  const { seq, storedAtMs, remaining } = delivery;
  const { conversationId, category } = subject;
  const idempotencyKey = () => message.headers?.get('Nats-Msg-Id') || null;
  return { seq, conversationId, category, bytes: message.data, storedAtMs, remaining, idempotencyKey };
}
