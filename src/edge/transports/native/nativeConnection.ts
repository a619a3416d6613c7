import type { WebSocket } from 'uWebSockets.js';
import { FRAME_BYTES_MAX } from '../../../contracts/frames/clientFrames.ts';
import { DISCONNECTS, type Disconnect } from '../../../contracts/frames/disconnects.ts';
import type { ServerFrame } from '../../../contracts/frames/serverFrames.ts';
import type { SessionContext } from '../../context.ts';
import type { CloseReason } from '../../edgeEvents.ts';
import type { LinkedEvent } from '../../linkedEvent.ts';
import { Session } from '../../session.ts';
import type { ClientSocket, Fanout } from '../../transport.ts';
import { encodeServerFrame } from './serverFrame.ts';

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
  readonly fanout: Fanout;
  readonly session: Session;
  #outbox: (string | Uint8Array)[] | null = null;
  #outboxBytes = 0;
  #drainWaiters: (() => void)[] | null = null;
  open = true;
  /** Why it was closed, if this side closed it. */
  closeReason: CloseReason = 'client';

  constructor(ws: WebSocket<SocketData>, fanout: Fanout, context: SessionContext) {
    this.#ws = ws;
    this.userId = ws.getUserData().userId;
    this.fanout = fanout;
    this.session = new Session(context, this);
  }

  /** What the client has not read yet, in bytes. */
  get unsentBytes(): number {
    return this.open ? this.#ws.getBufferedAmount() : 0;
  }

  onMessage(message: ArrayBuffer, isBinary: boolean): void {
    if (message.byteLength > FRAME_BYTES_MAX) return this.close(DISCONNECTS.tooLarge);
    if (isBinary) return this.close(DISCONNECTS.unsupportedData);
    // The bytes belong to uWebSockets.js and are only valid during this call: the string is a copy.
    this.session.receive(Buffer.from(message).toString('utf8'));
  }

  onDrain(): void {
    if (this.#ws.getBufferedAmount() === 0) this.#wake();
  }

  onClose(): void {
    this.open = false;
    this.#outbox = null;
    this.session.end();
    this.#wake();
  }

  reply(frame: ServerFrame): void {
    this.#send(encodeServerFrame(frame));
  }

  deliver(event: LinkedEvent): boolean {
    return this.#send(event.frame('native'));
  }

  drained(): Promise<void> {
    this.#flush();
    if (!this.open || this.#ws.getBufferedAmount() === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drainWaiters ??= [];
      this.#drainWaiters.push(resolve);
    });
  }

  subscribe(conversationId: string): void {
    this.#flush();
    if (this.open) this.#ws.subscribe(conversationId);
  }

  unsubscribe(conversationId: string): void {
    if (this.open) this.#ws.unsubscribe(conversationId);
  }

  close({ code, reason, metric }: Disconnect): void {
    this.#flush();
    if (!this.open) return;
    this.closeReason = metric;
    this.#ws.end(code, reason);
  }

  #send(frame: string | Uint8Array): boolean {
    if (!this.open) return false;
    if (this.#outbox === null) {
      this.#outbox = [];
      setImmediate(() => this.#flush());
    }
    this.#outbox.push(frame);
    this.#outboxBytes += frame.length;
    return this.#outboxBytes + this.#ws.getBufferedAmount() < HIGH_WATER_BYTES;
  }

  /** A frame over the limit of unsent bytes closes the socket, in the middle of this if need be. */
  #flush(): void {
    const frames = this.#outbox;
    if (frames === null || !this.open) return;
    this.#outbox = null;
    this.#outboxBytes = 0;
    this.#ws.cork(() => {
      for (const frame of frames) if (this.open) this.#ws.send(frame, false);
    });
  }

  #wake(): void {
    const waiters = this.#drainWaiters;
    this.#drainWaiters = null;
    for (const wake of waiters ?? []) wake();
  }
}
