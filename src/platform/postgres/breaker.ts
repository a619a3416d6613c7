import CircuitBreaker from 'opossum';
import { ChatError } from '../../contracts/errors.ts';
import { isDatabaseTrouble } from './databaseFault.ts';

export interface BreakerOptions {
  /** Named in messages and metrics. */
  readonly name: string;
  /** How long a call may take before it counts as failed, in milliseconds; what it asks for must end by itself too. */
  readonly callMsMax: number;
  /** How long an open breaker refuses at once before it tries again, in milliseconds. Default 1,000. */
  readonly openMs?: number;
  /**
   * Asks in bounded time whether what is needed is back. With it no caller has to be the one who tries, and the breaker
   * closes by itself when nobody calls; without it the next call tries.
   *
   * @throws ChatError database_unavailable when it is not
   */
  readonly probe?: () => Promise<unknown>;
  readonly onChange?: (state: BreakerState) => void;
}

export type BreakerState = 'closed' | 'open' | 'halfOpen';

/** Failures of this share of the calls within {@link WINDOW_MS} open the breaker. */
const FAILURES_PERCENT = 50;
const WINDOW_MS = 5_000;
/** Fewer calls than this within the window say nothing. */
const CALLS_MIN = 5;

/**
 * Refuses calls at once while what they need is known to be down, so that nobody waits for it and it is left in peace.
 *
 * - `closed`: calls go through. Half of at least five within five seconds failed → `open`.
 * - `open`: calls are refused at once with `database_unavailable`. After `openMs` → `halfOpen`.
 * - `halfOpen`: the probe is under way, or else one call; all others are refused. It succeeds → `closed`, fails or takes
 *   too long → `open`.
 *
 * Only faults of the database count as failures: refusals, and whatever comes of one statement, are answers.
 */
export class Breaker {
  readonly #circuit: CircuitBreaker<[() => Promise<unknown>], unknown>;
  readonly #openMs: number;
  #failures = 0;

  constructor(options: BreakerOptions) {
    this.#openMs = options.openMs ?? 1_000;
    this.#circuit = new CircuitBreaker((call: () => Promise<unknown>) => call(), {
      name: options.name,
      timeout: options.callMsMax,
      resetTimeout: this.#openMs,
      errorThresholdPercentage: FAILURES_PERCENT,
      rollingCountTimeout: WINDOW_MS,
      volumeThreshold: CALLS_MIN,
      errorFilter: (error: unknown) => !isFault(error),
    });
    this.#circuit.on('failure', () => {
      this.#failures += 1;
    });
    const changed = () => options.onChange?.(this.state);
    this.#circuit.on('open', changed).on('halfOpen', changed).on('close', changed);
    const { probe } = options;
    // Fired in the very turn in which it becomes half-open: so this is the one call that goes through.
    if (probe !== undefined)
      this.#circuit.on('halfOpen', () => void this.#circuit.fire(probe).catch(() => {}));
  }

  get state(): BreakerState {
    if (this.#circuit.halfOpen) return 'halfOpen';
    return this.#circuit.opened ? 'open' : 'closed';
  }

  /** Calls that counted as failed since the start. */
  get failures(): number {
    return this.#failures;
  }

  /** @throws ChatError database_unavailable when open or too slow; what the call throws otherwise */
  async run<T>(call: () => Promise<T>): Promise<T> {
    try {
      return (await this.#circuit.fire(call)) as T;
    } catch (error) {
      throw this.#translated(error);
    }
  }

  /** Ends its timers. */
  stop(): void {
    this.#circuit.shutdown();
  }

  #translated(error: unknown): unknown {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EOPENBREAKER') {
      const detail = 'The database did not answer a moment ago and is given time; sending still works.';
      return new ChatError('database_unavailable', detail, { retryAfterMs: this.#openMs });
    }
    if (code === 'ETIMEDOUT' && !(error instanceof ChatError)) {
      return new ChatError('database_unavailable', 'The database took too long; sending still works.', {
        cause: error,
      });
    }
    return error;
  }
}

/** Also a call that took too long, which opossum would otherwise take for an answer. */
function isFault(error: unknown): boolean {
  if (error instanceof ChatError) return isDatabaseTrouble(error);
  return error instanceof Error && CircuitBreaker.isOurError(error);
}
