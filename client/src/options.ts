import { type Clock, systemClock } from './clock.ts';
import { InvalidArgumentError } from './errors.ts';
import type { WebSocketConstructor } from './webSocket.ts';

/** What a {@link ChatClient} is made with. */
export interface ChatClientOptions {
  /** The edge, as in `wss://chat.example.org`; `/ws` is added. A function is asked again for every connection. */
  readonly url: string | (() => string);
  /** Who this is: 1–128 printable characters. */
  readonly userId: string;
  /** Default: the runtime's. Node.js before 22 has none: pass the one of the package `ws`. */
  readonly WebSocket?: WebSocketConstructor;
  /** Default: the runtime's. */
  readonly clock?: Clock;
  /** From 0 to less than 1, for jitter. Default `Math.random`. */
  readonly random?: () => number;
  /** Makes clientMessageIds. Default `crypto.randomUUID`. */
  readonly newId?: () => string;
  /** Messages that are not acknowledged yet, at most. Default 1,000. */
  readonly sendQueueMax?: number;
  /**
   * Messages on their way at a time, at most. Default 64. With 1, messages keep their order even when the server refuses one
   * for the time being; with more they keep it through lost connections, but what was on its way behind the refused one is
   * in front of it afterwards.
   */
  readonly sendWindowMax?: number;
  /** How long a message is tried, in milliseconds. Default 60,000. */
  readonly sendDeadlineMs?: number;
  /** Without an answer for so long, a request is sent again, in milliseconds. Default 15,000. */
  readonly answerTimeoutMs?: number;
  /** Changes of messages and questions that are not answered yet, at most. Default 64. */
  readonly requestsMax?: number;
  /** How long such a one is waited for, connected or not, in milliseconds. Default 15,000. */
  readonly requestTimeoutMs?: number;
  /** Upper bound of the delay before the first retry of a refused request, in milliseconds. Default 250. */
  readonly retryDelayMsBase?: number;
  /** Upper bound of all such delays, in milliseconds. Default 10,000. */
  readonly retryDelayMsMax?: number;
  /** Upper bound of the delay before the first reconnect, in milliseconds. Default 500. */
  readonly reconnectDelayMsBase?: number;
  /** Upper bound of all delays between reconnects, in milliseconds. Default 30,000. */
  readonly reconnectDelayMsMax?: number;
  /** Least delay after the server said that it is overloaded (1013) or that this client asks too much (4029), in milliseconds; up to twice that. Default 10,000. */
  readonly overloadedDelayMs?: number;
  /** After this time a connection counts as good and delays begin at their shortest again, in milliseconds. Default 5,000. */
  readonly stableAfterMs?: number;
  /** How long opening a socket may take, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** After so long without a word the server is asked for one, in milliseconds. Default 25,000. */
  readonly pingIntervalMs?: number;
  /** How long it may take to answer that before the socket counts as dead, in milliseconds. Default 10,000. */
  readonly pongTimeoutMs?: number;
  /** Joins again because of a gap, without any event between, before the app gets a resync. Default 5. */
  readonly gapRetriesMax?: number;
  /** Items that an iterator keeps for a slow reader, at most. Default 10,000. */
  readonly bufferMax?: number;
  /** Conversations whose last sequence an inbox remembers, at most; beyond, the quietest is forgotten. Default 10,000. */
  readonly inboxConversationsMax?: number;
  /** Least time between two typing signals of a room, in milliseconds. Default 2,000. */
  readonly typingIntervalMs?: number;
}

const NUMBERS = {
  sendQueueMax: 1_000,
  sendWindowMax: 64,
  sendDeadlineMs: 60_000,
  answerTimeoutMs: 15_000,
  requestsMax: 64,
  requestTimeoutMs: 15_000,
  retryDelayMsBase: 250,
  retryDelayMsMax: 10_000,
  reconnectDelayMsBase: 500,
  reconnectDelayMsMax: 30_000,
  overloadedDelayMs: 10_000,
  stableAfterMs: 5_000,
  connectTimeoutMs: 10_000,
  pingIntervalMs: 25_000,
  pongTimeoutMs: 10_000,
  gapRetriesMax: 5,
  bufferMax: 10_000,
  inboxConversationsMax: 10_000,
  typingIntervalMs: 2_000,
} as const;

/** Every option with its value. */
export interface Settings extends Readonly<Record<keyof typeof NUMBERS, number>> {
  readonly url: () => string;
  readonly userId: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: () => string;
}

/** @throws InvalidArgumentError for a number that is not one from 1 */
export function settingsOf(options: ChatClientOptions): Settings {
  const { url } = options;
  return {
    ...numbersOf(options),
    url: typeof url === 'function' ? url : () => url,
    userId: options.userId,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    newId: options.newId ?? (() => crypto.randomUUID()),
  };
}

function numbersOf(options: ChatClientOptions): Record<keyof typeof NUMBERS, number> {
  const numbers: Record<keyof typeof NUMBERS, number> = { ...NUMBERS };
  for (const name of Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]) {
    const value = options[name] ?? NUMBERS[name];
    if (!Number.isFinite(value) || value < 1) throw new InvalidArgumentError(name, 'must be a number from 1');
    numbers[name] = value;
  }
  return numbers;
}
