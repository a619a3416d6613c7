import type { ServerFrame } from './protocol.ts';

type Fields = Readonly<Record<string, unknown>>;
type Check = (frame: Fields) => boolean;

const isText = (value: unknown): boolean => typeof value === 'string';
const isNumber = (value: unknown): boolean => typeof value === 'number';
const isOneOf =
  (...kinds: string[]) =>
  (value: unknown) =>
    kinds.includes(typeof value);

/**
 * Only what the client itself relies on is checked: fields that the app reads are the server's word, and a field more is
 * no fault. Complete by type, so that a new frame cannot be forgotten.
 */
const CHECKS: Record<ServerFrame['op'], Check> = {
  joined: (f) => isNumber(f.id) && isText(f.conversationId) && isNumber(f.head) && isText(f.epoch),
  left: (f) => (isNumber(f.id) || f.id === null) && isText(f.conversationId),
  ack: (f) => isNumber(f.id) && isOneOf('number', 'undefined')(f.seq),
  pong: (f) => isNumber(f.id),
  changed: (f) => isNumber(f.id) && isNumber(f.seq),
  presence: (f) => isNumber(f.id) && fieldsOf(f.presence) !== null,
  event: (f) => isNumber(f.seq) && isNumber(f.prev) && isText(fieldsOf(f.event)?.conversationId),
  resync: (f) => isText(f.conversationId) && isText(f.reason),
  typing: (f) => isText(f.conversationId) && isText(f.userId),
  draining: (f) => isNumber(f.retryAfterMs),
  error: (f) => (isNumber(f.id) || f.id === null) && isText(f.code),
};

/**
 * Reads one frame of the server.
 *
 * @returns null for what this version does not know or cannot read: newer servers may say more than it understands
 */
export function parseServerFrame(data: unknown): ServerFrame | null {
  if (typeof data !== 'string') return null;
  const frame = fieldsOf(parseJson(data));
  return frame !== null && isServerFrame(frame) ? frame : null;
}

function isServerFrame(frame: object): frame is ServerFrame {
  const fields = frame as Fields;
  const { op } = fields;
  if (typeof op !== 'string' || !Object.hasOwn(CHECKS, op)) return false;
  return CHECKS[op as ServerFrame['op']](fields);
}

function fieldsOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null ? (value as Fields) : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
