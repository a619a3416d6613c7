const encoder = new TextEncoder();
const CLOSING_BRACE = 0x7d;

/**
 * The frame in which clients get an event: `{"op":"event","seq":…,"prev":…,"event":<stored bytes>}`. The stored bytes
 * go in as they are: encoded once when the event was appended, never parsed on the way out.
 */
export function encodeEventFrame(seq: number, prev: number, eventBytes: Uint8Array): Uint8Array {
  const head = encoder.encode(`{"op":"event","seq":${seq},"prev":${prev},"event":`);
  const frame = new Uint8Array(head.length + eventBytes.length + 1);
  frame.set(head);
  frame.set(eventBytes, head.length);
  frame[frame.length - 1] = CLOSING_BRACE;
  return frame;
}
