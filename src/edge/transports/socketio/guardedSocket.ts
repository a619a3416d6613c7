import type { RecognizedString, WebSocket } from 'uWebSockets.js';

/** A WebSocket that may be touched when it is closed: that then does nothing. */
export class GuardedSocket {
  readonly #ws: WebSocket<unknown>;
  open = true;
  onDrain: (() => void) | null = null;
  onDropped: (() => void) | null = null;

  constructor(ws: WebSocket<unknown>) {
    this.#ws = ws;
  }

  markClosed(): void {
    this.open = false;
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
