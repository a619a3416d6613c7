import pg from 'pg';
import { ChatError } from '../../contracts/errors.ts';
import { Breaker, type BreakerState } from './breaker.ts';
import { isServerFault } from './databaseFault.ts';
import {
  ANSWER_GRACE_MS,
  endPool,
  type PoolOptions,
  poolConfig,
  probeServer,
  type QueryDone,
  timed,
} from './pool.ts';

/** A projector that is behind must not wait for the breaker longer than it has to, in milliseconds. */
const OPEN_MS = 500;
/** Statements of one transaction, at most, each with a time-out of its own. */
const STATEMENTS_MAX = 20;

export interface GuardedPoolOptions extends PoolOptions {
  /** What its statements are counted and logged as: `projector`, `maintenance`. */
  readonly operation: string;
}

/**
 * The pool of those who write: projections, receipts, audit. Every use of it goes through a circuit breaker of its own, so
 * that a database that is away is tried by one probe and not by each of them in turn, and so that their troubles are not
 * those of the readers. What they make of a refusal is what they make of any failure: they try again in a moment.
 */
export class GuardedPool extends pg.Pool {
  readonly #breaker: Breaker;
  readonly #onQuery: ((query: QueryDone) => void) | undefined;
  readonly #operation: string;

  /** @throws Error when the URL is malformed */
  constructor({ operation, ...options }: GuardedPoolOptions) {
    const config = poolConfig(options);
    super(config);
    this.#onQuery = options.onQuery;
    this.#operation = operation;
    // Without a listener, a connection that breaks while idle would end the process.
    this.on('error', (error) => options.onIdleError?.(error));
    const statementMs = (config.query_timeout ?? 0) + ANSWER_GRACE_MS;
    this.#breaker = new Breaker({
      name: options.applicationName,
      callMsMax: (config.connectionTimeoutMillis ?? 0) + STATEMENTS_MAX * statementMs,
      openMs: OPEN_MS,
      probe: () => asFault(probeServer(config)),
      ...(options.onBreaker !== undefined && { onChange: options.onBreaker }),
    });
  }

  get breaker(): BreakerState {
    return this.#breaker.state;
  }

  /** One statement, as text and values, through the breaker. */
  override query = ((text: string, values?: unknown[]) =>
    this.guarded(() => super.query(text, values))) as pg.Pool['query'];

  /**
   * Does some work through the breaker: a transaction, or one statement.
   *
   * @throws ChatError database_unavailable when Postgres is away; what the work throws otherwise
   */
  guarded<T>(work: () => Promise<T>): Promise<T> {
    return this.#breaker.run(() => timed(this.#operation, this.#onQuery, () => asFault(work())));
  }

  /** Ends all connections; waits at most 5 s for queries in flight. */
  async close(): Promise<void> {
    this.#breaker.stop();
    await endPool(this);
  }
}

/** What is the server's fault becomes `database_unavailable`, which is what the breaker counts; the rest stays. */
async function asFault<T>(use: Promise<T>): Promise<T> {
  try {
    return await use;
  } catch (cause) {
    if (!isServerFault(cause)) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ChatError('database_unavailable', `The database does not answer (${reason}).`, { cause });
  }
}
