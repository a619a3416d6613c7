import { pause } from '../../platform/time/pause.ts';
import type { Timers } from '../../ports/timers.ts';
import { RELEASE } from './auditStatements.ts';
import { type AuditOptions, type AuditStep, auditStep } from './auditStep.ts';

export interface AuditorOptions extends AuditOptions {
  readonly timers: Timers;
  /** Told of what was found, once, and of faults. */
  readonly onEvent: (event: AuditEvent) => void;
  /** The share of time in which it works, so that nobody else notices. Default 0.05. */
  readonly share?: number;
  /** Between two passes, and while there is nothing to do, in milliseconds. Default 60,000. */
  readonly restMs?: number;
}

export type AuditEvent =
  | { readonly type: 'auditFound'; readonly conversations: readonly string[] }
  | { readonly type: 'auditFailed'; readonly error: unknown };

/** Audits for ever, a step at a time, with rests between them that are longer the longer a step took. */
export class Auditor {
  readonly #options: AuditorOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: AuditorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Waits for the step under way, and lets another process go on at once. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    const { pool, owner } = this.#options;
    await pool.query(RELEASE, [owner]).catch(() => {});
  }

  async #run(): Promise<void> {
    const { share = 0.05, restMs = 60_000 } = this.#options;
    while (!this.#stopping.signal.aborted) {
      const startedMs = performance.now();
      const step = await this.#step();
      const tookMs = performance.now() - startedMs;
      const isIdle = step === null || step.outcome !== 'audited' || step.passDone;
      await this.#rest(isIdle ? restMs : Math.min(restMs, tookMs * (1 / share - 1)));
    }
  }

  async #step(): Promise<AuditStep | null> {
    const { onEvent } = this.#options;
    try {
      const step = await auditStep(this.#options);
      if (step.found.length > 0) onEvent({ type: 'auditFound', conversations: step.found });
      return step;
    } catch (error) {
      onEvent({ type: 'auditFailed', error });
      return null;
    }
  }

  #rest(ms: number): Promise<void> {
    return pause(this.#options.timers, ms, this.#stopping.signal);
  }
}
