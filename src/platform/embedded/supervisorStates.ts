import { backoffMs } from '../time/backoff.ts';

/**
 * When a supervised server is started, restarted and given up, as a pure state machine.
 *
 * States
 * - `starting`  a start is under way; `attempt` counts the restarts since the server was last healthy, 0 is the first.
 * - `running`   the server answers, since `sinceMs`.
 * - `backoff`   the server died or did not start; a timer runs until the next attempt.
 * - `stopping`  stop was requested while there was a start or a server to end; waits until that is over.
 * - `stopped`   nothing runs and nothing will. Final.
 *
 * Invariants
 * - At most one start or one server exists at any time, and at most one timer.
 * - A first start that fails is the caller's error, and final. Every later failure is retried without end, after
 *   `delayMsMin` × 2^(attempt-1), at most `delayMsMax`, of which up to a half is taken off at random, so that several
 *   servers do not restart in step.
 * - A server that ran for `healthyAfterMs` begins again at attempt 1.
 * - A stop ends in `stopped` from any state.
 */
export const backoff = { delayMsMin: 200, delayMsMax: 10_000, healthyAfterMs: 60_000 } as const;

export type StateName = 'starting' | 'running' | 'backoff' | 'stopping' | 'stopped';

export interface State {
  readonly name: StateName;
  readonly attempt: number;
  /** When the server last came up, in the clock's milliseconds. */
  readonly sinceMs: number;
}

export type InputType = 'started' | 'startFailed' | 'exited' | 'timerFired' | 'stopRequested';

export interface Input {
  readonly type: InputType;
  readonly nowMs: number;
  /** Uniform in [0, 1); decides the jitter. */
  readonly random: number;
}

export type Effect =
  | { readonly do: 'start' | 'abortStart' | 'stopServer' | 'cancelTimer' }
  | { readonly do: 'announceStarted' | 'announceDied' | 'announceStopped' }
  | { readonly do: 'startTimer'; readonly attempt: number; readonly delayMs: number };

export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}

export const initialState: State = { name: 'starting', attempt: 0, sinceMs: 0 };

/** The next state, and what to do on the way to it. */
export function transition(state: State, input: Input): Step {
  return table[state.name][input.type](state, input);
}

type Cell = (state: State, input: Input) => Step;

const stay: Cell = (state) => ({ state, effects: [] });

const stop: Cell = (state) => ({
  state: { ...state, name: 'stopped' },
  effects: [{ do: 'announceStopped' }],
});

const run: Cell = (state, { nowMs }) => ({
  state: { ...state, name: 'running', sinceMs: nowMs },
  effects: [{ do: 'announceStarted' }],
});

const retry: Cell = (state, { random }) => {
  const attempt = state.attempt + 1;
  const delayMs = Math.round(backoffMs(backoff, attempt - 1, () => random));
  return { state: { ...state, name: 'backoff', attempt }, effects: [{ do: 'startTimer', attempt, delayMs }] };
};

const retryUnlessFirst: Cell = (state, input) =>
  state.attempt === 0 ? stop(state, input) : retry(state, input);

const retryAfterDeath: Cell = (state, input) => {
  const wasHealthy = input.nowMs - state.sinceMs >= backoff.healthyAfterMs;
  const next = retry(wasHealthy ? { ...state, attempt: 0 } : state, input);
  return { ...next, effects: [{ do: 'announceDied' }, ...next.effects] };
};

const startAgain: Cell = (state) => ({ state: { ...state, name: 'starting' }, effects: [{ do: 'start' }] });

const abort: Cell = (state) => ({ state: { ...state, name: 'stopping' }, effects: [{ do: 'abortStart' }] });

const end: Cell = (state) => ({ state: { ...state, name: 'stopping' }, effects: [{ do: 'stopServer' }] });

const stopWaiting: Cell = (state, input) => {
  const next = stop(state, input);
  return { ...next, effects: [{ do: 'cancelTimer' }, ...next.effects] };
};

/** An input that the invariants exclude in this state: a bug of the machine's driver. */
const impossible: Cell = (state, input) => {
  throw new Error(`The supervisor got "${input.type}" while ${state.name}`);
};

const table: Record<StateName, Record<InputType, Cell>> = {
  starting: {
    started: run,
    startFailed: retryUnlessFirst,
    exited: impossible,
    timerFired: impossible,
    stopRequested: abort,
  },
  running: {
    started: impossible,
    startFailed: impossible,
    exited: retryAfterDeath,
    timerFired: impossible,
    stopRequested: end,
  },
  backoff: {
    started: impossible,
    startFailed: impossible,
    exited: impossible,
    timerFired: startAgain,
    stopRequested: stopWaiting,
  },
  // A start that succeeded although it was aborted has a server to end all the same.
  stopping: { started: end, startFailed: stop, exited: stop, timerFired: impossible, stopRequested: stay },
  stopped: {
    started: impossible,
    startFailed: impossible,
    exited: impossible,
    timerFired: impossible,
    stopRequested: stay,
  },
};
