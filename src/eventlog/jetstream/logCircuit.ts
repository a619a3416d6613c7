import { LogFullError, LogOverloadedError, LogUnavailableError } from '../../ports/eventLog.ts';
import type { Timers } from '../../ports/timers.ts';
import type { Appends, LogCircuitOptions } from './logCircuitOptions.ts';
import { type LogState, type LogTrigger, refuses, transition } from './logCircuitStates.ts';
import { Silence } from './silence.ts';

/** How often it checks, in milliseconds. All times below are counted in checks. */
export const CHECK_MS = 100;
/** Silence that makes the log suspect: one second. With the grace, two seconds until appends and reads are refused. */
export const SILENT_CHECKS = 10;
/** How long the log may stay suspect: one second, in which a local server restarts. */
export const GRACE_CHECKS = 10;
/** Both for a log that came back without having acknowledged anything: half a second. */
const UNPROVEN = { silentChecks: 3, graceChecks: 2 };
/** The pause between two probes: half a second to a second. */
const PAUSE_CHECKS = { least: 5, spread: 5 };
/** Consecutive failed trials after which the log is said to take nothing: some twenty seconds. */
export const FAILED_TRIALS = 10;
/** How long a probe may take before there is another one: one second. */
export const PROBE_CHECKS = 10;

/**
 * Knows whether the log can be asked (the states are those of `logCircuitStates.ts`) and refuses at once while it cannot.
 *
 * It learns from what happens anyway: PubAcks, answers to reads, the connection. Appends and reads are watched apart: a
 * log whose disk is full answers reads and takes nothing, without a word. So while acknowledgements are overdue nothing
 * else counts as a proof; but where questions are answered, reads go on although appends are refused. Only when the log is suspect or unavailable it asks by itself; never is a client's request the probe.
 *
 * Silence is counted in checks at which something was owed and nothing had come since the check before. So a standstill of
 * this process is not taken for one of the log: however long it took, it is one check.
 *
 * Invariants: nothing is refused while acknowledgements come; refused means not sent; once the log answers again it is
 * `available` within a pause and a probe (two seconds), whatever went before; at most one probe per half second, one timer.
 */
export class LogCircuit {
  readonly #options: LogCircuitOptions;
  readonly #timers: Timers;
  readonly #acks = new Silence();
  readonly #reads = new Silence();
  /** One entry for each read in flight: how to refuse it when the log turns out to be away. */
  readonly #asking = new Set<(error: Error) => void>();
  #appends: Appends | null = null;
  #state: LogState = 'available';
  #connected = true;
  /** Until the state's time is over. */
  #checksLeft = 0;
  #probes = 0;
  /** Whether what is owed was sent again since this probe began. */
  #tried = false;
  /** Since something was acknowledged. */
  #failedTrials = 0;
  #cancelCheck: () => void = () => {};
  /** It is available because it answered a question; nothing was acknowledged since. */
  #unproven = false;
  /** Questions are answered although acknowledgements are overdue. */
  #readsWork = false;
  /** True while appends are refused. A field, because every append asks for it. */
  refuses = false;

  constructor(options: LogCircuitOptions) {
    this.#options = options;
    this.#timers = options.timers ?? idleTimers;
    this.#checkSoon();
  }

  get state(): LogState {
    return this.#state;
  }

  /** True while reads are refused. */
  get refusesReads(): boolean {
    return this.refuses && !this.#readsWork;
  }

  attach(appends: Appends): void {
    this.#appends = appends;
  }

  /** The log took or refused an append. Called for every PubAck, so it does next to nothing. */
  acknowledged(): void {
    this.#acks.heard = true;
    if (this.#state !== 'available') this.#on('acknowledged');
    this.#unproven = false;
    this.#failedTrials = 0;
  }

  onDisconnect(): void {
    this.#connected = false;
    this.#readsWork = false;
    this.#failedTrials = 0;
    this.#on('disconnected');
    // What was asked over that connection is not answered over the next one.
    this.#refuseAsking(new LogUnavailableError('The connection to the log broke during a read; try again.'));
  }

  onReconnect(): void {
    this.#connected = true;
    if (this.#state === 'suspect') this.#probe();
    if (this.#state === 'unavailable') this.#on('probeDue');
  }

  /**
   * Asks the log something that takes bounded time by itself.
   *
   * @throws LogUnavailableError at once while the log is unavailable, and as soon as it is found to be
   * @throws LogOverloadedError when too many reads are in flight
   */
  ask<T>(request: () => Promise<T>): Promise<T> {
    if (this.refusesReads) return Promise.reject(this.unavailableError());
    const readsMax = this.#options.readsMax ?? 10_000;
    if (this.#asking.size >= readsMax) {
      return Promise.reject(new LogOverloadedError(`${readsMax} reads of the log are in flight already`));
    }
    return new Promise((resolve, reject) => {
      this.#asking.add(reject);
      request().then(
        (answer) => {
          this.#onReadOver(reject, true);
          resolve(answer);
        },
        (error: unknown) => {
          this.#onReadOver(reject, this.#options.isAnswer(error));
          reject(error);
        },
      );
    });
  }

  /** What an append or a read is refused with. */
  unavailableError(): LogUnavailableError {
    if (this.#readsWork) {
      const detail =
        'The log answers questions but acknowledges nothing; the disk of nats-server may be full';
      return new LogFullError(`${detail}: make room there and restart it.`);
    }
    return new LogUnavailableError('The log does not answer; nothing was sent to it. Try again in a second.');
  }

  close(): void {
    this.#on('close');
  }

  /** A read that was refused meanwhile says nothing when it is given up; its answer, however late, is one. */
  #onReadOver(reject: (error: Error) => void, answered: boolean): void {
    const waited = this.#asking.delete(reject);
    if (answered) this.#onAnswer();
    else if (waited) this.#on('silent');
  }

  #onAnswer(): void {
    this.#reads.heard = true;
    if (!this.#acksOverdue) return this.#on('answered');
    this.#readsWork = this.#state !== 'available';
    if (this.#state !== 'probing' || this.#tried) return;
    this.#tried = true;
    this.#appends?.onTrial();
  }

  get #acksOverdue(): boolean {
    const checksMax = this.#unproven ? UNPROVEN.silentChecks : this.#silentChecks;
    return this.#appends?.isOwed() === true && this.#acks.silentChecks >= checksMax;
  }

  #on(trigger: LogTrigger): void {
    const from = this.#state;
    const to = transition(from, trigger);
    if (from === to) return;
    this.#state = to;
    this.refuses = refuses(to);
    this.#enter(from, to);
    this.#options.onState?.(from, to);
  }

  #enter(from: LogState, to: LogState): void {
    switch (to) {
      case 'suspect':
        this.#checksLeft = this.#graceChecks;
        return this.#probe();
      case 'unavailable':
        this.#checksLeft =
          PAUSE_CHECKS.least + Math.round((this.#options.random ?? Math.random)() * PAUSE_CHECKS.spread);
        if (!refuses(from)) this.#appends?.onUnavailable();
        return this.#refuseWaiting();
      case 'probing':
        this.#checksLeft = PROBE_CHECKS;
        this.#tried = false;
        return this.#probe();
      case 'available':
        this.#acks.silentChecks = 0;
        this.#reads.silentChecks = 0;
        this.#readsWork = false;
        this.#unproven = refuses(from);
        return this.#appends?.onAvailable();
      case 'closed':
        return this.#cancelCheck();
    }
  }

  #readsFail(): void {
    this.#readsWork = false;
    this.#refuseWaiting();
  }

  #refuseWaiting(): void {
    if (this.refusesReads) this.#refuseAsking(this.unavailableError());
  }

  #refuseAsking(error: Error): void {
    const asking = [...this.#asking];
    this.#asking.clear();
    for (const reject of asking) reject(error);
  }

  /** An answer counts whenever it comes; a failure only while it is the last thing that was asked. */
  #probe(): void {
    if (!this.#connected) return;
    this.#probes += 1;
    const nth = this.#probes;
    this.#options.probe().then(
      () => this.#onAnswer(),
      () => nth === this.#probes && this.#on('probeFailed'),
    );
  }

  #checkSoon(): void {
    this.#cancelCheck = this.#timers.after(CHECK_MS, () => {
      this.#check();
      if (this.#state !== 'closed') this.#checkSoon();
    });
  }

  #check(): void {
    // Whatever is acknowledged was heard of: reads that are slow meanwhile are no sign of anything.
    if (this.#acks.heard) this.#reads.heard = true;
    this.#acks.check(this.#appends?.isOwed() ?? false);
    this.#reads.check(this.#asking.size > 0);
    if (this.#reads.silentChecks >= this.#silentChecks) this.#readsFail();
    switch (this.#state) {
      case 'available':
        if (this.#acksOverdue || this.#reads.silentChecks >= this.#silentChecks) this.#on('silent');
        return;
      case 'suspect':
        return this.#countDown('graceOver');
      case 'unavailable':
        // Without a connection there is nobody to ask; the client library reconnects by itself.
        return this.#connected ? this.#countDown('probeDue') : undefined;
      case 'probing':
        if (this.#checksLeft <= 1 && !this.#tried) this.#readsFail();
        return this.#countDown('probeFailed');
      case 'closed':
        return;
    }
  }

  #countDown(trigger: LogTrigger): void {
    this.#checksLeft -= 1;
    if (this.#checksLeft > 0) return;
    if (trigger === 'probeFailed' && this.#tried) this.#onTrialFailed();
    this.#on(trigger);
  }

  #onTrialFailed(): void {
    this.#failedTrials += 1;
    if (this.#failedTrials % FAILED_TRIALS === 0) this.#options.onTakesNothing?.();
  }

  get #graceChecks(): number {
    const graceChecks = this.#options.graceChecks ?? GRACE_CHECKS;
    return this.#unproven && this.#acksOverdue ? Math.min(UNPROVEN.graceChecks, graceChecks) : graceChecks;
  }

  get #silentChecks(): number {
    return this.#options.silentChecks ?? SILENT_CHECKS;
  }
}

const idleTimers: Timers = {
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs).unref();
    return () => clearTimeout(timer);
  },
};
