import type { EventLog, LogStatus } from '../../ports/eventLog.ts';
import type { Timers } from '../../ports/timers.ts';

/** A place in a log, and what is known to have been there. */
export interface KnownEvent {
  /** Of the log that it is a place of. */
  readonly epoch: string;
  /** 0: before the first event. */
  readonly seq: number;
  /** Whether these are the bytes that were there; `null`: not known. */
  readonly matches: ((bytes: Uint8Array) => boolean) | null;
}

/**
 * What became of a log since something of it was seen:
 * - `same`: it still holds that, or has had it erased.
 * - `shorter`, `rewritten`: it lost its tail, and was written on in the second case.
 * - `regressed`: it lost its tail and somebody found that before; its epoch says so.
 * - `other`: it is another log altogether.
 */
export type LogContinuity = 'same' | 'shorter' | 'rewritten' | 'regressed' | 'other';

/** A member of a cluster that has just become leader may not have come to the log's end yet: it is asked again. */
const SHORTER_CHECKS = 6;
const SHORTER_PAUSE_MS = 1_000;

/**
 * Compares a log with what was seen of it. A log without replicas that lost its tail in a power cut goes on with the same
 * sequences and other events: only the bytes tell.
 *
 * @throws whatever the log throws when it cannot be read
 */
export async function compareLog(
  log: Pick<EventLog, 'at' | 'status'>,
  { epoch, seq, matches }: KnownEvent,
  timers: Timers,
): Promise<{ continuity: LogContinuity; status: LogStatus }> {
  let status = await log.status();
  for (let check = 1; status.epoch === epoch && status.lastSeq < seq; check++) {
    if (check >= SHORTER_CHECKS) return { continuity: 'shorter', status };
    await new Promise<void>((resolve) => timers.after(SHORTER_PAUSE_MS, resolve));
    status = await log.status();
  }
  if (status.epoch !== epoch) {
    return { continuity: status.previousEpoch === epoch ? 'regressed' : 'other', status };
  }
  const stored = matches === null ? null : await log.at(seq);
  const rewritten = stored !== null && matches?.(stored.bytes) === false;
  return { continuity: rewritten ? 'rewritten' : 'same', status };
}
