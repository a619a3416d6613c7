import type { Msg, NatsError } from 'nats';
import { parseEventSubject } from '../../contracts/events/subjects.ts';
import { LogUnavailableError, type StoredEvent } from '../../ports/eventLog.ts';

/** No message found; a sequence that is not there (any more); one past the end. Source: nats-server, errors.json. */
const NO_MESSAGE_CODES = [10_037, 10_043, 10_057];

export function isNoMessage({ api_error: error }: NatsError): boolean {
  return NO_MESSAGE_CODES.includes(error?.err_code ?? 0);
}

/**
 * The event in the answer to a direct get; `null` when there is none.
 * Source: nats-architecture-and-design, ADR-31 (direct access).
 *
 * @throws LogUnavailableError when the answer is none
 */
export function readDirect(reply: Msg): StoredEvent | null {
  const code = reply.headers?.code ?? 0;
  if (code === 404) return null;
  const subject = parseEventSubject(reply.headers?.get('Nats-Subject') ?? '');
  if (code !== 0 || subject === null) {
    throw new LogUnavailableError(`The log answered a read with ${code} ${reply.headers?.description ?? ''}`);
  }
  return {
    seq: Number(reply.headers?.get('Nats-Sequence')),
    conversationId: subject.conversationId,
    category: subject.category,
    bytes: reply.data,
    storedAtMs: Date.parse(reply.headers?.get('Nats-Time-Stamp') ?? ''),
  };
}
