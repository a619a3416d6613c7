import { AnnouncedProgress } from '../../../src/platform/nats/projectionProgress.ts';
import type { Arrival } from '../../../src/ports/readModelProgress.ts';

/** How long a read waits where it must not be a busy machine that ends the waiting, in milliseconds. */
export const PATIENCE_MS = 60_000;

/** Announced progress for which a test may say how long it is waited for. */
export class PatientProgress extends AnnouncedProgress {
  /** In milliseconds; `null`: as long as is asked for. */
  patienceMs: number | null = null;

  override waitFor(conversationId: string, seq: number, timeoutMs: number): Promise<Arrival> {
    return super.waitFor(conversationId, seq, this.patienceMs ?? timeoutMs);
  }
}
