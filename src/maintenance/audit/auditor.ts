import { PeriodicTask } from '../../platform/time/periodicTask.ts';
import type { Timers } from '../../ports/timers.ts';
import { RELEASE } from './auditStatements.ts';
import { type AuditOptions, auditStep } from './auditStep.ts';

export interface AuditorOptions extends AuditOptions {
  readonly timers: Timers;
  /** Called with what was found, once, and with faults. */
  readonly onEvent: (event: AuditEvent) => void;
  /** The share of time in which it works, so that others do not notice. Default 0.05. */
  readonly share?: number;
  /** Between two passes, and while there is nothing to do, in milliseconds. Default 60,000. */
  readonly restMs?: number;
}

export type AuditEvent =
  | { readonly type: 'auditFound'; readonly conversations: readonly string[] }
  | { readonly type: 'auditFailed'; readonly error: unknown };

/** Audits step by step, with rests between the steps that are longer the longer a step took. */
export class Auditor {
  readonly #options: AuditorOptions;
  readonly #task: PeriodicTask;
  #restMs = 0;

  constructor(options: AuditorOptions) {
    this.#options = options;
    this.#task = new PeriodicTask({
      run: () => this.#step(),
      timers: options.timers,
      intervalMs: () => this.#restMs,
      onError: (error) => options.onEvent({ type: 'auditFailed', error }),
    });
  }

  start(): void {
    this.#task.start();
  }

  /** Waits for the step in flight, and lets another process go on at once. */
  async stop(): Promise<void> {
    await this.#task.stop();
    const { pool, owner } = this.#options;
    await pool.query(RELEASE, [owner]).catch(() => {});
  }

  async #step(): Promise<void> {
    const { onEvent, share = 0.05, restMs = 60_000 } = this.#options;
    const startedMs = performance.now();
    this.#restMs = restMs;
    const { outcome, passDone, found } = await auditStep(this.#options);
    if (found.length > 0) onEvent({ type: 'auditFound', conversations: found });
    if (outcome !== 'audited' || passDone) return;
    const tookMs = performance.now() - startedMs;
    this.#restMs = Math.min(restMs, tookMs * (1 / share - 1));
  }
}
