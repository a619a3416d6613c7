import type { Msg } from 'nats';
import { EventTooLargeError, LogUnavailableError } from '../../ports/eventLog.ts';

/** What a PubAck, or what came in its place, says about a message. */
export type AckVerdict =
  | { readonly kind: 'stored'; readonly seq: number; readonly duplicate: boolean }
  | { readonly kind: 'conflict' }
  /** Certainly not stored; trying again soon may help. */
  | { readonly kind: 'notNow'; readonly reason: string }
  /** Certainly not stored; trying again at once does not help. */
  | { readonly kind: 'refused'; readonly error: Error };

/** Wrong last sequence for the subject: 10071, and 10164 from servers that name no sequence. */
const CONFLICT_CODES = new Set([10071, 10164]);
/** The message is larger than the stream's `max_msg_size`. */
const TOO_LARGE_CODE = 10054;
/** The system or the leader is away for a moment (10008, 10009); the same id is being stored just now (10158). */
const NOT_NOW_CODES = new Set([10008, 10009, 10158]);

/** A PubAck as servers write it, read without parsing: one comes for every message. Any other form is parsed. */
const STORED = /^\{"stream":"[^"]+",\s?"seq":(\d+)(,\s?"duplicate":\s?true)?\}$/;

interface PubAckBody {
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description?: string };
}

/** Source of the codes: nats-server, server/errors.json. */
export function judgeAck(message: Msg): AckVerdict {
  // "No responders": nothing listens on the subject, so no stream has stored it.
  if (message.data.length === 0)
    return { kind: 'notNow', reason: `status ${message.headers?.code ?? 'unknown'}` };
  const text = message.string();
  const stored = STORED.exec(text);
  if (stored !== null) return { kind: 'stored', seq: Number(stored[1]), duplicate: stored[2] !== undefined };
  const body: PubAckBody = JSON.parse(text);
  if (body.error === undefined) {
    return { kind: 'stored', seq: body.seq ?? 0, duplicate: body.duplicate === true };
  }
  const { err_code: code = 0, description = 'no description' } = body.error;
  if (CONFLICT_CODES.has(code)) return { kind: 'conflict' };
  if (NOT_NOW_CODES.has(code)) return { kind: 'notNow', reason: description };
  if (code === TOO_LARGE_CODE) return { kind: 'refused', error: new EventTooLargeError(description) };
  return {
    kind: 'refused',
    error: new LogUnavailableError(`The log refused the event: ${description} (${code})`),
  };
}
