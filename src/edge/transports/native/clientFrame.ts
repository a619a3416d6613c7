import { doubledKey } from '../../../contracts/doubledKeys.ts';
import { fieldErrors } from '../../../contracts/errors.ts';
import { ClientFrame } from '../../../contracts/frames/clientFrames.ts';
import { MalformedFrame } from '../../malformedFrame.ts';

/** Reads one text frame of a client. */
export function parseClientFrame(text: string): ClientFrame | MalformedFrame {
  return parsePlainSend(text) ?? parseAnyFrame(text);
}

function parseAnyFrame(text: string): ClientFrame | MalformedFrame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return new MalformedFrame(null, 'The frame is not JSON.');
  }
  const doubled = doubledKey(text, value);
  if (doubled !== null) {
    const errors = [{ path: doubled, reason: 'must be given once' }];
    return new MalformedFrame(requestId(value), 'The frame violates its schema.', errors);
  }
  const parsed = ClientFrame.safeParse(value);
  if (parsed.success) return parsed.data;
  return new MalformedFrame(
    requestId(value),
    'The frame violates its schema.',
    fieldErrors(parsed.error.issues),
  );
}

/**
 * A `send` as clients write it, fields in the order of PROTOCOL.md, no replyTo, nothing escaped, a printable ASCII
 * clientMessageId, no character beyond the basic plane. What matches is valid by schema: a property test holds the two
 * together. Most messages match, and it costs a fifth of parsing and checking; whatever does not is read as any frame.
 */
const PLAIN_SEND =
  /^\{"op":"send","id":(0|[1-9]\d{0,14}),"conversationId":"(c_[A-Za-z0-9_-]{21})","clientMessageId":"([ !#-[\]-~]{1,128})","content":"([ !#-[\]-\ud7ff\ue000-\uffff]{1,8000})"\}$/;

function parsePlainSend(text: string): ClientFrame | null {
  const match = PLAIN_SEND.exec(text);
  if (match === null) return null;
  const [, id, conversationId = '', clientMessageId = '', content = ''] = match;
  return { op: 'send', id: Number(id), conversationId, clientMessageId, content };
}

/** The request number of a frame that is otherwise wrong, so that its client knows which one it was. */
function requestId(value: unknown): number | null {
  if (typeof value !== 'object' || value === null || !('id' in value)) return null;
  return typeof value.id === 'number' && Number.isSafeInteger(value.id) ? value.id : null;
}
