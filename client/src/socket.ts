import type { Settings } from './options.ts';
import { CLOSE_CODE, type ClientFrame, type ServerFrame, SUBPROTOCOL } from './protocol.ts';
import { parseServerFrame } from './serverFrames.ts';
import { type WebSocketConstructor, type WebSocketLike, webSocketUrl } from './webSocket.ts';

/** What one socket tells. Nothing after {@link Socket.drop}. */
export interface SocketOwner {
  onOpen(): void;
  /** Null for what this version cannot read. */
  onFrame(frame: ServerFrame | null): void;
  /** Before every frame: the peer lives. */
  onHeard(): void;
  /** Once: it ended by itself or could not be opened (1006). */
  onClose(code: number, reason: string): void;
}

/** One WebSocket from its opening to its end. */
export class Socket {
  readonly #webSocket: WebSocketLike;
  #owner: SocketOwner | null;

  constructor(WebSocket: WebSocketConstructor, { url, userId }: Settings, owner: SocketOwner) {
    this.#owner = owner;
    this.#webSocket = new WebSocket(webSocketUrl(url(), userId), [SUBPROTOCOL]);
    this.#webSocket.onopen = () => this.#owner?.onOpen();
    this.#webSocket.onmessage = ({ data }: { data: unknown }) => {
      this.#owner?.onHeard();
      this.#owner?.onFrame(parseServerFrame(data));
    };
    this.#webSocket.onclose = ({ code, reason }: { code?: number; reason?: string }) => {
      const ended = this.#owner;
      this.#owner = null;
      ended?.onClose(code ?? 1006, reason ?? '');
    };
    // A close event always follows, which says as much; without a listener `ws` would throw.
    this.#webSocket.onerror = () => {};
  }

  send(frame: ClientFrame): void {
    try {
      this.#webSocket.send(JSON.stringify(frame));
    } catch {
      // A socket that closes throws in some runtimes; its close event is on the way and everything is sent again.
    }
  }

  /** Ends it with a close frame, without waiting for the peer's. */
  drop(): void {
    this.#owner = null;
    try {
      this.#webSocket.close(CLOSE_CODE.normal);
    } catch {
      // It had not opened yet, or has closed.
    }
  }

  /** Ends it without a word, which a dead peer would not answer: `ws` would wait 30 s for it. */
  cut(): void {
    if (this.#webSocket.terminate === undefined) return this.drop();
    this.#owner = null;
    this.#webSocket.terminate();
  }
}
