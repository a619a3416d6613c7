import { ServerStartAbortedError, SupervisorStopTimeoutError } from './errors.ts';
import { endsWithin } from './serverProcess.ts';
import type { StartServer, SupervisedServer, SuperviseOptions } from './supervisedServer.ts';
import { type Effect, type InputType, initialState, type State, transition } from './supervisorStates.ts';

export interface Supervisor<S extends SupervisedServer> {
  /** The first server; a restarted one has another pid. */
  readonly first: S;
  /** Ends the server if it runs, so that it is started again as if it had died. */
  restart(): void;
  /** Ends the server, or the attempt to start one. @throws SupervisorStopTimeoutError */
  stop(): Promise<void>;
}

const stopTimeoutMsDefault = 40_000;

/**
 * Starts a server and starts it again whenever it dies, until stopped; `supervisorStates.ts` specifies when. Rejects
 * with the reason when the very first start fails.
 */
export async function supervise<S extends SupervisedServer>(
  start: StartServer<S>,
  options: SuperviseOptions,
): Promise<Supervisor<S>> {
  const driver = new Driver(start, options);
  return {
    first: await driver.begin(),
    restart: () => driver.restart(),
    stop: () => driver.stop(),
  };
}

/** Carries out the effects of the state machine and feeds it what comes of them. */
class Driver<S extends SupervisedServer> {
  readonly #start: StartServer<S>;
  readonly #options: SuperviseOptions;
  readonly #aborter = new AbortController();
  readonly #stopped: Promise<void>;
  #resolveStopped: () => void = () => undefined;
  #state: State = initialState;
  #server: S | undefined;
  #reason = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(start: StartServer<S>, options: SuperviseOptions) {
    this.#start = start;
    this.#options = options;
    this.#stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
  }

  async begin(): Promise<S> {
    const { signal } = this.#options;
    const abort = (): void => this.#feed('stopRequested');
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    try {
      const server = await this.#attempt();
      if (this.#state.name !== 'running') throw new ServerStartAbortedError(server.url);
      return server;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  restart(): void {
    // Its end is reported by `exited`; one that does not obey goes on.
    if (this.#state.name === 'running') this.#server?.stop().catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#feed('stopRequested');
    const timeoutMs = this.#options.stopTimeoutMs ?? stopTimeoutMsDefault;
    if (!(await endsWithin(this.#stopped, timeoutMs))) throw new SupervisorStopTimeoutError(timeoutMs);
  }

  async #attempt(): Promise<S> {
    const server = await this.#start(this.#aborter.signal).catch((error: unknown) => {
      this.#reason = error instanceof Error ? error.message : String(error);
      this.#feed('startFailed');
      throw error;
    });
    this.#server = server;
    this.#feed('started');
    server.exited.then((reason) => {
      this.#reason = reason;
      this.#feed('exited');
    });
    return server;
  }

  #feed(type: InputType): void {
    const nowMs = (this.#options.nowMs ?? (() => performance.now()))();
    const random = (this.#options.random ?? Math.random)();
    const { state, effects } = transition(this.#state, { type, nowMs, random });
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: Effect): void {
    switch (effect.do) {
      case 'start':
        // A failure has been fed to the machine already.
        this.#attempt().catch(() => undefined);
        return;
      case 'abortStart':
        return this.#aborter.abort();
      case 'stopServer':
        // Its end is reported by `exited`; a stop that fails is met by the deadline of stop().
        this.#server?.stop().catch(() => undefined);
        return;
      case 'startTimer':
        return this.#startTimer(effect.attempt, effect.delayMs);
      case 'cancelTimer':
        return clearTimeout(this.#timer);
      default:
        return this.#announce(effect.do);
    }
  }

  #startTimer(attempt: number, delayMs: number): void {
    this.#timer = setTimeout(() => this.#feed('timerFired'), delayMs);
    this.#options.onEvent({ type: 'serverRestarting', attempt, delayMs, reason: this.#reason });
  }

  #announce(what: 'announceStarted' | 'announceDied' | 'announceStopped'): void {
    const { onEvent } = this.#options;
    if (what === 'announceStopped') {
      onEvent({ type: 'serverStopped' });
      this.#resolveStopped();
    } else if (this.#server !== undefined) {
      const { url, pid } = this.#server;
      if (what === 'announceDied') onEvent({ type: 'serverDied', pid, reason: this.#reason });
      else onEvent({ type: 'serverStarted', url, pid, attempt: this.#state.attempt });
    }
  }
}
