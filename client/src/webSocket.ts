import { InvalidArgumentError, WebSocketMissingError } from './errors.ts';

/** What the client needs of a WebSocket: browsers' own has it, and so has the one of the package `ws`. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  /** Cuts without the closing handshake, which a dead peer would never finish. Only `ws` has it. */
  terminate?(): void;
}

/** Opens a socket when called with `new`. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

/**
 * The WebSocket to use: the given one, or else the runtime's.
 *
 * @throws WebSocketMissingError when there is neither
 */
export function webSocketOf(given: WebSocketConstructor | undefined): WebSocketConstructor {
  const found = given ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  if (found === undefined) throw new WebSocketMissingError();
  return found;
}

/** Where a client connects to. */
export function webSocketUrl(url: string, userId: string): string {
  return `${url.replace(/\/+$/, '')}/ws?userId=${encodeURIComponent(userId)}`;
}

/** @throws InvalidArgumentError */
export function checkSocketUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !['ws:', 'wss:'].includes(parsed.protocol)) {
    throw new InvalidArgumentError('url', 'must be the edge as in "wss://chat.example.org"');
  }
}
