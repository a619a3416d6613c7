import type { Msg } from 'nats';
import { EventTooLargeError, LogFullError, LogUnavailableError } from '../../ports/eventLog.ts';

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

const QUOTE = 0x22;
const COLON = 0x3a;
const CLOSING_BRACE = 0x7d;
const [S, E, Q] = [0x73, 0x65, 0x71];
const ZERO = 0x30;

/**
 * The sequence of a plain PubAck, `{"stream":"…","seq":123}`, read in place from its end, because one comes for every
 * message; `null` for any other form, which is parsed. Refusals may end in the same way but begin with `{"error"`.
 */
function plainSeq(data: Uint8Array): number | null {
  let at = data.length - 2;
  if (data[2] !== S || data[at + 1] !== CLOSING_BRACE) return null;
  let seq = 0;
  for (let unit = 1; ; unit *= 10, at--) {
    const digit = (data[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) break;
    seq += digit * unit;
  }
  const named =
    data[at] === COLON &&
    data[at - 1] === QUOTE &&
    data[at - 2] === Q &&
    data[at - 3] === E &&
    data[at - 4] === S &&
    data[at - 5] === QUOTE;
  return named && seq > 0 ? seq : null;
}

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
  const seq = plainSeq(message.data);
  if (seq !== null) return { kind: 'stored', seq, duplicate: false };
  const body: PubAckBody = JSON.parse(message.string());
  if (body.error === undefined) {
    return { kind: 'stored', seq: body.seq ?? 0, duplicate: body.duplicate === true };
  }
  const { err_code: code = 0, description = 'no description' } = body.error;
  if (CONFLICT_CODES.has(code)) return { kind: 'conflict' };
  if (NOT_NOW_CODES.has(code)) return { kind: 'notNow', reason: description };
  if (code === TOO_LARGE_CODE) return { kind: 'refused', error: new EventTooLargeError(description) };
  const full = whatIsFull(code, description);
  if (full !== null) {
    return { kind: 'refused', error: new LogFullError(`${full} (nats-server: ${description}, ${code}).`) };
  }
  return {
    kind: 'refused',
    error: new LogUnavailableError(`The log refused the event: ${description} (${code})`),
  };
}

/** 10077 is whatever the store says. Source: nats-server, server/store.go and server/errors.json. */
const STORE_FAILED_CODE = 10077;

/** What has no room and what makes room; null when it is something else. */
function whatIsFull(code: number, description: string): string | null {
  const disk =
    'The disk of nats-server, or its max_file_store, is full: make room there; restart it if it stays so';
  if (code === 10023 || code === 10047) return disk;
  if (code === 10002) return 'The JetStream storage of the NATS account is used up: raise its limit';
  if (code !== STORE_FAILED_CODE) return null;
  if (/maximum bytes/i.test(description)) {
    return 'The stream CHAT_EVENTS holds STREAM_MAX_BYTES: raise it and restart this application';
  }
  return /no space left|quota|file too large/i.test(description) ? disk : null;
}
