import type { StoredEvent } from '../ports/eventLog.ts';

/** Frames of an event by protocol; the stored bytes go in between as they are. */
const ENCODINGS = {
  native: { open: link('{"op":"event",'), close: '}' },
  /** 4: an Engine.IO message; 2: a Socket.IO event. */
  socketio: { open: link('42["event",{'), close: '}]' },
  /** An event of an event stream. Its id is what a client that comes back sends as `Last-Event-ID`. */
  sse: { open: (seq: number, prev: number) => `id:${seq}\ndata:${link('{')(seq, prev)}`, close: '}\n\n' },
} as const;

function link(before: string) {
  return (seq: number, prev: number) => `${before}"seq":${seq},"prev":${prev},"event":`;
}

/** The part of a stored event that is sent. */
export type EventBytes = Pick<StoredEvent, 'seq' | 'conversationId' | 'bytes'>;

export type Encoding = keyof typeof ENCODINGS;

/**
 * An event with the link to the one before it in its conversation. It is encoded at most once for each protocol,
 * for all its receivers: `…"seq":…,"prev":…,"event":<stored bytes>…`, never parsed on the way out.
 */
export class LinkedEvent {
  readonly seq: number;
  /** 0 for the first of its conversation. */
  readonly prev: number;
  readonly conversationId: string;
  readonly bytes: Uint8Array;
  #frames: { [E in Encoding]?: Uint8Array } | null = null;

  constructor({ seq, conversationId, bytes }: EventBytes, prev: number) {
    this.seq = seq;
    this.prev = prev;
    this.conversationId = conversationId;
    this.bytes = bytes;
  }

  frame(encoding: Encoding): Uint8Array {
    this.#frames ??= {};
    this.#frames[encoding] ??= this.#encode(encoding);
    return this.#frames[encoding];
  }

  #encode(encoding: Encoding): Uint8Array {
    const { open, close } = ENCODINGS[encoding];
    const head = open(this.seq, this.prev);
    const frame = Buffer.allocUnsafe(head.length + this.bytes.length + close.length);
    frame.write(head, 0, 'latin1');
    frame.set(this.bytes, head.length);
    frame.write(close, head.length + this.bytes.length, 'latin1');
    return frame;
  }
}
