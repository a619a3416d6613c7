import type { Timers } from '../../ports/timers.ts';
import type { LogState } from './logCircuitStates.ts';

export interface LogCircuitOptions {
  /** Asks the log's way of appending something that stores nothing; rejects when it is not answered in bounded time. */
  readonly probe: () => Promise<unknown>;
  /** Whether a failed read was an answer all the same: the log is there and said no. */
  readonly isAnswer: (error: unknown) => boolean;
  /** Silence before the log is suspect, in checks. Default ten: a second. */
  readonly silentChecks?: number | undefined;
  /** How long it may stay suspect, in checks. Default ten: a second. */
  readonly graceChecks?: number | undefined;
  /** Reads in flight, at most; more are refused as overload. Default 10,000. */
  readonly readsMax?: number | undefined;
  /** Default: the system's, without keeping the process alive. */
  readonly timers?: Timers;
  /** Uniform in [0, 1); decides the pause between probes. Default `Math.random`. */
  readonly random?: () => number;
  readonly onState?: (from: LogState, to: LogState) => void;
  /**
   * The log answers questions, and of what was sent to it again, ten consecutive times in some twenty seconds, nothing was
   * acknowledged. Said again after as many more.
   */
  readonly onTakesNothing?: () => void;
}

/** Who appends, as the circuit sees it. */
export interface Appends {
  /** Whether anything was sent that has not been acknowledged. */
  isOwed(): boolean;
  /** What was never sent is refused now. */
  onUnavailable(): void;
  /** The log answers questions but owes acknowledgements: what is owed is sent again. */
  onTrial(): void;
  /** What is in flight gets a time-out's length from now. */
  onAvailable(): void;
}
