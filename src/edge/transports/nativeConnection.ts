import type { WebSocket } from 'uWebSockets.js';
import { CLOSE_CODES, FRAME_BYTES_MAX } from '../../contracts/frames.ts';
import { Session, type SessionContext } from '../session.ts';
import type { ClientSocket } from '../socket.ts';

export interface SocketData {
  readonly userId: string;
  connection: NativeConnection | null;
}

/** Unsent bytes from which a sender of much (a catch-up) is asked to wait. */
const HIGH_WATER_BYTES = 64 * 1_024;

/**
 * One WebSocket. Frames of one turn of the event loop are kept in the outbox and written together, because each write
 * is a system call. uWebSockets.js keeps `publish` and `send` in order among themselves; so the outbox is emptied
 * before the socket subscribes or closes. A closed WebSocket throws when touched: nothing goes past `open`.
 */
export class NativeConnection implements ClientSocket {
  readonly #ws: WebSocket<SocketData>;
  readonly userId: string;
  readonly session: Session;
  #outbox: (string | Uint8Array)[] = [];
  #outboxBytes = 0;
  #drainWaiters: (() => void)[] = [];
  open = true;

  constructor(ws: WebSocket<SocketData>, userId: string, context: SessionContext) {
    this.#ws = ws;
    this.userId = userId;
    this.session = new Session(context, this);
  }

  onMessage(message: ArrayBuffer, isBinary: boolean): void {
    if (message.byteLength > FRAME_BYTES_MAX) {
      return this.close(CLOSE_CODES.tooLarge, `frames have at most ${FRAME_BYTES_MAX} bytes`);
    }
    if (isBinary) return this.close(CLOSE_CODES.unsupportedData, 'frames are JSON text');
    // The bytes belong to uWebSockets.js and are only valid during this call: the string is a copy.
    this.session.receive(Buffer.from(message).toString('utf8'));
  }

  onDrain(): void {
    if (this.#ws.getBufferedAmount() === 0) this.#wake();
  }

  onClose(): void {
    this.open = false;
    this.#outbox = [];
    this.session.end();
    this.#wake();
  }

  send(frame: string | Uint8Array): boolean {
    if (!this.open) return false;
    if (this.#outbox.length === 0) setImmediate(() => this.#flush());
    this.#outbox.push(frame);
    this.#outboxBytes += frame.length;
    return this.#outboxBytes + this.#ws.getBufferedAmount() < HIGH_WATER_BYTES;
  }

  drained(): Promise<void> {
    this.#flush();
    if (!this.open || this.#ws.getBufferedAmount() === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drainWaiters.push(resolve);
    });
  }

  subscribe(topic: string): void {
    this.#flush();
    if (this.open) this.#ws.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    if (this.open) this.#ws.unsubscribe(topic);
  }

  close(code: number, reason: string): void {
    this.#flush();
    if (this.open) this.#ws.end(code, reason);
  }

  /** A frame over the limit of unsent bytes closes the socket, in the middle of this if need be. */
  #flush(): void {
    const frames = this.#outbox;
    if (frames.length === 0 || !this.open) return;
    this.#outbox = [];
    this.#outboxBytes = 0;
    this.#ws.cork(() => {
      for (const frame of frames) if (this.open) this.#ws.send(frame, false);
    });
  }

  #wake(): void {
    const waiters = this.#drainWaiters;
    this.#drainWaiters = [];
    for (const wake of waiters) wake();
  }
}
