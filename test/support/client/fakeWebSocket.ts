import type { ClientFrame, ServerFrame } from '../../../client/src/protocol.ts';
import type { WebSocketConstructor, WebSocketLike } from '../../../client/src/webSocket.ts';

type Handler = ((event: never) => void) | null;

/** The client's end of a connection whose other end is the test. */
export class FakeWebSocket implements WebSocketLike {
  readonly url: string;
  readonly protocols: string[];
  readonly sent: ClientFrame[] = [];
  /** How the client ended it: a close code, or that it was cut. */
  endedBy: number | 'cut' | null = null;
  onopen: Handler = null;
  onmessage: Handler = null;
  onclose: Handler = null;
  onerror: Handler = null;
  /** Called with every frame of the client. */
  onSent: ((frame: ClientFrame) => void) | null = null;

  constructor(url: string, protocols: string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  send(text: string): void {
    const frame = JSON.parse(text);
    this.sent.push(frame);
    this.onSent?.(frame);
  }

  close(code?: number): void {
    this.endedBy = code ?? 1005;
  }

  terminate(): void {
    this.endedBy = 'cut';
  }

  of<Op extends ClientFrame['op']>(op: Op): Extract<ClientFrame, { op: Op }>[] {
    return this.sent.filter((frame): frame is Extract<ClientFrame, { op: Op }> => frame.op === op);
  }

  /** The server takes the connection. */
  accept(): this {
    this.onopen?.({} as never);
    return this;
  }

  /** The server says something. */
  say(frame: ServerFrame | { op: 'from the future' }): void {
    this.sayText(JSON.stringify(frame));
  }

  sayText(data: unknown): void {
    this.onmessage?.({ data } as never);
  }

  /** The connection ends from the other side. */
  end(code = 1006, reason = ''): void {
    this.onclose?.({ code, reason } as never);
  }
}

/** A constructor of such sockets, and all it has made. */
export function fakeWebSockets(onMade?: (socket: FakeWebSocket) => void) {
  const sockets: FakeWebSocket[] = [];
  class Made extends FakeWebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
      onMade?.(this);
    }
  }
  const WebSocket: WebSocketConstructor = Made;
  const last = (): FakeWebSocket => {
    const socket = sockets.at(-1);
    if (socket === undefined) throw new Error('No socket was opened');
    return socket;
  };
  return { WebSocket, sockets, last };
}
