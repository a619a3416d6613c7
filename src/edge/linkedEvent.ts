import type { StoredEvent } from '../ports/eventLog.ts';

/** How an event is written for those who read a protocol; the stored bytes go in between, as they are. */
const ENCODINGS = {
  native: { open: '{"op":"event",', close: '}' },
  /** 4: an Engine.IO message; 2: a Socket.IO event. */
  socketio: { open: '42["event",{', close: '}]' },
  json: { open: '{', close: '}' },
} as const;

export type Encoding = keyof typeof ENCODINGS;

/**
 * An event with the link to the one before it in its conversation. It is encoded at most once for each protocol,
 * whoever gets it: `…"seq":…,"prev":…,"event":<stored bytes>…`, never parsed on the way out.
 */
export class LinkedEvent {
  readonly seq: number;
  /** 0 for the first of its conversation; `null` while this edge does not know. */
  prev: number | null;
  readonly conversationId: string;
  readonly bytes: Uint8Array;
  /** The next event of the same conversation that this edge remembers. Kept by {@link RecentEvents}. */
  next: LinkedEvent | null = null;
  readonly #frames: { [E in Encoding]?: Uint8Array } = {};

  constructor({ seq, conversationId, bytes }: StoredEvent, prev: number | null) {
    this.seq = seq;
    this.prev = prev;
    this.conversationId = conversationId;
    this.bytes = bytes;
  }

  /** @throws Error when the link is not known: nobody may get an event that cannot be checked for gaps */
  frame(encoding: Encoding): Uint8Array {
    const known = this.#frames[encoding];
    if (known !== undefined) return known;
    if (this.prev === null) throw new Error(`Event ${this.seq} has no link to the one before it`);
    const { open, close } = ENCODINGS[encoding];
    const head = `${open}"seq":${this.seq},"prev":${this.prev},"event":`;
    const frame = Buffer.allocUnsafe(head.length + this.bytes.length + close.length);
    frame.write(head, 0, 'latin1');
    frame.set(this.bytes, head.length);
    frame.write(close, head.length + this.bytes.length, 'latin1');
    this.#frames[encoding] = frame;
    return frame;
  }
}
