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
  /** Messages that are not acknowledged yet, at most. Default 1,000. At most 1,000,000. */
  readonly sendQueueMax?: number;
  /**
   * Messages on their way at a time, at most. Default 64. With 1, messages keep their order even when the server refuses one
   * for the time being; with more they keep it through lost connections, but what was on its way behind the refused one is
   * in front of it afterwards.
   * At most 10,000.
   */
  readonly sendWindowMax?: number;
  /** How long a message is tried, in milliseconds. Default 60,000. At most 30 days. */
  readonly sendDeadlineMs?: number;
  /** Without an answer for so long, a request is sent again, in milliseconds. Default 15,000. At most a day. */
  readonly answerTimeoutMs?: number;
  /** Changes of messages and questions that are not answered yet, at most. Default 64. At most 1,000,000. */
  readonly requestsMax?: number;
  /** How long such a one is waited for, connected or not, in milliseconds. Default 15,000. At most a day. */
  readonly requestTimeoutMs?: number;
  /** Upper bound of the delay before the first retry of a refused request, in milliseconds. Default 250. At most a day. */
  readonly retryDelayMsBase?: number;
  /** Upper bound of all such delays, in milliseconds. Default 10,000. At most a day. */
  readonly retryDelayMsMax?: number;
  /** Upper bound of the delay before the first reconnect, in milliseconds. Default 500. At most a day. */
  readonly reconnectDelayMsBase?: number;
  /** Upper bound of all delays between reconnects, in milliseconds. Default 30,000. At most a day. */
  readonly reconnectDelayMsMax?: number;
  /** Least delay after the server said that it is overloaded (1013) or that this client asks too much (4029), in milliseconds; up to twice that. Default 10,000. At most a day. */
  readonly overloadedDelayMs?: number;
  /** After this time a connection counts as good and delays begin at their shortest again, in milliseconds. Default 5,000. At most a day. */
  readonly stableAfterMs?: number;
  /** How long opening a socket may take, in milliseconds. Default 10,000. At most a day. */
  readonly connectTimeoutMs?: number;
  /**
   * After so long without a word the server is asked for one, in milliseconds. With both defaults, a dead network is noticed
   * after 14 s. Default 9,000. At most a day.
   */
  readonly pingIntervalMs?: number;
  /** How long it may take to answer that before the socket counts as dead, in milliseconds. Default 5,000. At most a day. */
  readonly pongTimeoutMs?: number;
  /** Joins again because of a gap, without any event between, before the app gets a resync. Default 5. At most 1,000. */
  readonly gapRetriesMax?: number;
  /** Items that an iterator keeps for a slow reader, at most. Default 10,000. At most 1,000,000. */
  readonly bufferMax?: number;
  /** Conversations whose last sequence an inbox remembers, at most; beyond, the quietest is forgotten. Default 10,000. At most 1,000,000. */
  readonly inboxConversationsMax?: number;
  /** Least time between two typing signals of a room, in milliseconds. Default 2,000. At most a day. */
  readonly typingIntervalMs?: number;
}

/** The longest time of nearly every option, in milliseconds. */
export const TIME_MS_MAX = 24 * 3_600_000;
/** The longest time that a message is tried, in milliseconds. */
const SEND_DEADLINE_MS_MAX = 30 * TIME_MS_MAX;
const COUNT_MAX = 1_000_000;

/** A server that wants to be asked later than this is asked then, in milliseconds. */
export const RETRY_AFTER_MS_MAX = 600_000;

/** What each number is if nothing else is said, and at most. */
const NUMBERS = {
  sendQueueMax: { standard: 1_000, max: COUNT_MAX },
  sendWindowMax: { standard: 64, max: 10_000 },
  sendDeadlineMs: { standard: 60_000, max: SEND_DEADLINE_MS_MAX },
  answerTimeoutMs: { standard: 15_000, max: TIME_MS_MAX },
  requestsMax: { standard: 64, max: COUNT_MAX },
  requestTimeoutMs: { standard: 15_000, max: TIME_MS_MAX },
  retryDelayMsBase: { standard: 250, max: TIME_MS_MAX },
  retryDelayMsMax: { standard: 10_000, max: TIME_MS_MAX },
  reconnectDelayMsBase: { standard: 500, max: TIME_MS_MAX },
  reconnectDelayMsMax: { standard: 30_000, max: TIME_MS_MAX },
  overloadedDelayMs: { standard: 10_000, max: TIME_MS_MAX },
  stableAfterMs: { standard: 5_000, max: TIME_MS_MAX },
  connectTimeoutMs: { standard: 10_000, max: TIME_MS_MAX },
  pingIntervalMs: { standard: 9_000, max: TIME_MS_MAX },
  pongTimeoutMs: { standard: 5_000, max: TIME_MS_MAX },
  gapRetriesMax: { standard: 5, max: 1_000 },
  bufferMax: { standard: 10_000, max: COUNT_MAX },
  inboxConversationsMax: { standard: 10_000, max: COUNT_MAX },
  typingIntervalMs: { standard: 2_000, max: TIME_MS_MAX },
} as const;

/** Every option with its value. */
export interface Settings extends Readonly<Record<keyof typeof NUMBERS, number>> {
  readonly url: () => string;
  readonly userId: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: () => string;
}

/** @throws InvalidArgumentError for a number that is none from 1 to its limit */
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
  const entries = Object.entries(NUMBERS) as [keyof typeof NUMBERS, { standard: number; max: number }][];
  const numbers: Partial<Record<keyof typeof NUMBERS, number>> = {};
  for (const [name, { standard, max }] of entries)
    numbers[name] = checkNumber(name, options[name] ?? standard, max);
  return numbers as Record<keyof typeof NUMBERS, number>;
}

/** @throws InvalidArgumentError */
export function checkNumber(name: string, value: number, max: number): number {
  // NaN is neither.
  if (value >= 1 && value <= max) return value;
  throw new InvalidArgumentError(name, `must be a number from 1 to ${max}`);
}
