import type { RecognizedString, WebSocket } from 'uWebSockets.js';
import { DISCONNECTS } from '../../../contracts/frames/disconnects.ts';

/** A WebSocket that may be touched when it is closed: that then does nothing. */
export class GuardedSocket {
  readonly #ws: WebSocket<unknown>;
  open = true;
  onDrain: (() => void) | null = null;
  onDropped: (() => void) | null = null;
  onTooLarge: (() => void) | null = null;

  constructor(ws: WebSocket<unknown>) {
    this.#ws = ws;
  }

  markClosed(): void {
    this.open = false;
  }

  /** A frame came that is larger than any may be. */
  endTooLarge(): void {
    this.onTooLarge?.();
    const { code, reason } = DISCONNECTS.tooLarge;
    this.end(code, reason);
  }

  getUserData(): unknown {
    return this.#ws.getUserData();
  }

  getBufferedAmount(): number {
    return this.open ? this.#ws.getBufferedAmount() : 0;
  }

  send(message: RecognizedString, isBinary?: boolean, compress?: boolean): number {
    return this.open ? this.#ws.send(message, isBinary, compress) : 2;
  }

  subscribe(topic: RecognizedString): boolean {
    return this.open && this.#ws.subscribe(topic);
  }

  unsubscribe(topic: RecognizedString): boolean {
    return this.open && this.#ws.unsubscribe(topic);
  }

  cork(work: () => void): void {
    if (this.open) this.#ws.cork(work);
  }

  end(code?: number, reason?: RecognizedString): void {
    if (this.open) this.#ws.end(code, reason);
  }
}
