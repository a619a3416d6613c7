import { createClient, ErrorReply } from '@redis/client';
import { backoffMs } from '../time/backoff.ts';
import { TimeoutError } from '../time/withTimeout.ts';

/** What happened to Redis, as this process sees it; the composition root logs and meters it. */
export type RedisEvent =
  | { readonly type: 'redisUp' }
  | { readonly type: 'redisDown'; readonly reason: string };

export interface RedisOptions {
  /** `redis://` or `rediss://`, with name, password and number of the database if need be. */
  readonly url: string;
  readonly onEvent?: (event: RedisEvent) => void;
  /** How long a command may take, in milliseconds. Default 250. */
  readonly commandMsMax?: number;
  /** Commands that are not answered yet, at most; more are refused at once. Default 1,024. */
  readonly unansweredMax?: number;
  /** How long a connection may be silent, or take to be made, before it is given up, in milliseconds. Default 5,000. */
  readonly silentMsMax?: number;
}

/** Redis did not do it, or did not say in time that it did. The caller goes on without. */
export class RedisUnavailableError extends Error {
  override readonly name = 'RedisUnavailableError';
}

/** An answered command takes back so much of what one without an answer adds: above a fifth of them it is suspended. */
const ANSWER_WEIGHT = 0.25;
const UNANSWERED_TO_SUSPEND = 5;
const PROBE_MS = 1_000;
/** Between attempts to connect. */
const RECONNECT_BACKOFF = { delayMsMin: 100, delayMsMax: 3_000 };

type Client = ReturnType<typeof createClient>;

/**
 * One connection to Redis that never holds anybody up: the process starts without it, and every command ends within
 * `commandMsMax`, mostly by being refused at once.
 *
 * States:
 * - `connecting`: at the start. Commands are refused at once, as in all states but `up`.
 * - `up`: commands are sent.
 * - `down`: there is no connection; another attempt is made within 0.05 to 3 s, with jitter, without end.
 * - `suspended`: there is one, but commands go without an answer. A PING goes out every second.
 * - `closed`: final.
 *
 * | event \ state | connecting | up | down | suspended | closed |
 * | --- | --- | --- | --- | --- | --- |
 * | connected | → up | – | → up | → up | – |
 * | connection lost or not made | → down | → down | – | → down | – |
 * | five commands (net) unanswered | – | → suspended | – | – | – |
 * | PING answered | – | – | – | → up | – |
 * | silent for `silentMsMax` | another connection | – | another connection | → down, another connection | – |
 * | close | → closed | → closed | → closed | → closed | – |
 *
 * An error that Redis answers with is an answer. Exits: only {@link Redis.close}.
 */
export class Redis {
  readonly #options: RedisOptions;
  readonly #commandMsMax: number;
  readonly #silentMsMax: number;
  #client: Client;
  #state: 'connecting' | 'up' | 'down' | 'suspended' | 'closed' = 'connecting';
  #unanswered = 0;
  #probing: NodeJS.Timeout | null = null;
  #silence: NodeJS.Timeout | null = null;

  /** Begins to connect, and does not wait for it. */
  constructor(options: RedisOptions) {
    this.#options = options;
    this.#commandMsMax = options.commandMsMax ?? 250;
    this.#silentMsMax = options.silentMsMax ?? 5_000;
    this.#client = this.#connect();
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  /**
   * Sends one command. Those sent within one turn of the event loop go out together.
   *
   * @returns what Redis answers, to be checked by the caller
   * @throws RedisUnavailableError
   */
  async command(args: readonly string[], timeoutMs = this.#commandMsMax): Promise<unknown> {
    if (this.#state !== 'up')
      throw new RedisUnavailableError(`Redis is ${this.#state}; ${args[0]} was not sent.`);
    return this.#send(args, timeoutMs);
  }

  /** Ends the connection; what is under way is not waited for. */
  close(): void {
    this.#state = 'closed';
    this.#stopTimers();
    this.#client.destroy();
  }

  async #send(args: readonly string[], timeoutMs: number): Promise<unknown> {
    const client = this.#client;
    try {
      const answer = await answerWithin(client.sendCommand([...args]), timeoutMs);
      this.#answered(client);
      return answer;
    } catch (cause) {
      if (cause instanceof ErrorReply) this.#answered(client);
      else if (cause instanceof TimeoutError) this.#notAnswered(client);
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new RedisUnavailableError(`Redis did not do ${args[0]}: ${reason}`, { cause });
    }
  }

  #connect(): Client {
    const client: Client = createClient({
      url: this.#options.url,
      name: 'chat-backend',
      disableOfflineQueue: true,
      commandsQueueMaxLength: this.#options.unansweredMax ?? 1_024,
      socket: {
        connectTimeout: this.#silentMsMax,
        reconnectStrategy: (retries) => backoffMs(RECONNECT_BACKOFF, retries, Math.random),
      },
    });
    client.on('connect', () => this.#giveUpIfSilent(client));
    client.on('ready', () => this.#ready(client));
    client.on('error', (error: unknown) => this.#lost(client, error));
    // It fails only when it is closed meanwhile; faults come as events.
    client.connect().catch(() => {});
    return client;
  }

  #ready(client: Client): void {
    if (client !== this.#client || this.#state === 'closed') return;
    this.#goUp();
  }

  #lost(client: Client, error: unknown): void {
    if (client !== this.#client || this.#state === 'closed') return;
    this.#stopTimers();
    this.#goDown('down', error instanceof Error ? error.message || error.name : String(error));
  }

  #answered(client: Client): void {
    if (client !== this.#client) return;
    this.#unanswered = Math.max(0, this.#unanswered - ANSWER_WEIGHT);
  }

  #notAnswered(client: Client): void {
    if (client !== this.#client || this.#state !== 'up') return;
    this.#unanswered += 1;
    if (this.#unanswered < UNANSWERED_TO_SUSPEND) return;
    this.#goDown('suspended', `commands were not answered within ${this.#commandMsMax} ms`);
    this.#giveUpIfSilent(client);
    this.#probeLater(client);
  }

  #probeLater(client: Client): void {
    this.#probing = setTimeout(() => {
      this.#send(['PING'], this.#commandMsMax).then(
        () => client === this.#client && this.#state === 'suspended' && this.#goUp(),
        () => client === this.#client && this.#state === 'suspended' && this.#probeLater(client),
      );
    }, PROBE_MS);
    this.#probing.unref();
  }

  /** Another connection, unless this one gives a sign of life in time: a host that is gone says nothing, for hours. */
  #giveUpIfSilent(client: Client): void {
    if (client !== this.#client) return;
    if (this.#silence !== null) clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      if (client !== this.#client || this.#state === 'closed') return;
      this.#stopTimers();
      this.#goDown('down', `it was silent for ${this.#silentMsMax} ms`);
      client.destroy();
      this.#client = this.#connect();
    }, this.#silentMsMax);
    this.#silence.unref();
  }

  #goUp(): void {
    this.#stopTimers();
    this.#unanswered = 0;
    this.#state = 'up';
    this.#options.onEvent?.({ type: 'redisUp' });
  }

  #goDown(to: 'down' | 'suspended', reason: string): void {
    const wasReported = this.#state === 'down' || this.#state === 'suspended';
    this.#state = to;
    if (!wasReported) this.#options.onEvent?.({ type: 'redisDown', reason });
  }

  #stopTimers(): void {
    if (this.#probing !== null) clearTimeout(this.#probing);
    if (this.#silence !== null) clearTimeout(this.#silence);
    this.#probing = null;
    this.#silence = null;
  }
}

/**
 * The time is up only when the answer does not lie in the socket by then: a process that was busy has not read it yet, and
 * reads between its timers and its immediates.
 */
function answerWithin<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new TimeoutError(`no answer within ${timeoutMs} ms`));
    const timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
