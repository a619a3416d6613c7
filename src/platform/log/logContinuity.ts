import type { EpochRenewal, EventLog, LogStatus } from '../../ports/eventLog.ts';
import type { Timers } from '../../ports/timers.ts';
import { fingerprint } from './fingerprint.ts';

/** An event that was in a log: its sequence, and the fingerprint of its bytes. */
export interface EventMark {
  readonly seq: number;
  readonly fingerprint: string;
}

/** A log as a reader knew it. */
export interface KnownLog {
  readonly epoch: string;
  /** The identity that the log keeps through all its epochs. */
  readonly logId: string;
  /** Epochs that it had before this one. */
  readonly olderEpochs: readonly string[];
  /** Its first events, as far as they were noted. */
  readonly firstEvents: readonly EventMark[];
}

/** A position in a log, and what is known to have been there. */
export interface KnownEvent {
  readonly log: KnownLog;
  /** 0: before the first event. */
  readonly seq: number;
  /** Whether these are the bytes that were there; `null`: not known. */
  readonly matches: ((bytes: Uint8Array) => boolean) | null;
}

/**
 * What became of a log since something of it was seen:
 * - `same`: it still holds that, or has had it erased.
 * - `shorter`, `rewritten`: it lost its tail, and was written on in the second case.
 * - `fellBack`: its description is an older one, or gone, as after a power cut: what came under later epochs may be lost.
 * - `emptied`: it was made again and holds nothing.
 * - `regressed`: it lost its tail and that was found before; its epoch says so.
 * - `other`: it is another log altogether, with events of its own.
 */
export type LogContinuity = 'same' | 'shorter' | 'rewritten' | 'fellBack' | 'emptied' | 'regressed' | 'other';

export interface LogComparison {
  readonly continuity: LogContinuity;
  readonly status: LogStatus;
}

/** A member of a cluster that has just become leader may not have come to the log's end yet: it is asked again. */
const SHORTER_CHECKS = 6;
const SHORTER_PAUSE_MS = 1_000;

/**
 * Compares a log with what was seen of it. A log without replicas that lost its tail in a power cut goes on with the same
 * sequences and other events: only the bytes tell. It may have lost its latest description too: only its identity and its
 * first events tell.
 *
 * @throws whatever the log throws when it cannot be read
 */
export async function compareLog(
  log: Pick<EventLog, 'at' | 'status'>,
  known: KnownEvent,
  timers: Timers,
): Promise<LogComparison> {
  const { seq, matches } = known;
  const { epoch } = known.log;
  let status = await log.status();
  for (let check = 1; status.epoch === epoch && status.lastSeq < seq; check++) {
    if (check >= SHORTER_CHECKS) return { continuity: 'shorter', status };
    await new Promise<void>((resolve) => timers.after(SHORTER_PAUSE_MS, resolve));
    status = await log.status();
  }
  if (status.epoch !== epoch) return { continuity: await ofOtherEpoch(log, known, status), status };
  const stored = matches === null ? null : await log.at(seq);
  const rewritten = stored !== null && matches?.(stored.bytes) === false;
  return { continuity: rewritten ? 'rewritten' : 'same', status };
}

async function ofOtherEpoch(
  log: Pick<EventLog, 'at'>,
  { log: known, seq }: KnownEvent,
  status: LogStatus,
): Promise<LogContinuity> {
  if (status.previousEpoch === known.epoch) return 'regressed';
  if (status.logId === known.logId) {
    return known.olderEpochs.includes(status.epoch) ? 'fellBack' : 'regressed';
  }
  if (seq > 0 && status.lastSeq === 0) return 'emptied';
  return (await beginsAlike(log, known.firstEvents)) ? 'fellBack' : 'other';
}

/** Whether the log begins with these events, as far as they are still there. */
async function beginsAlike(log: Pick<EventLog, 'at'>, events: readonly EventMark[]): Promise<boolean> {
  const found = await Promise.all(
    events.map(async (mark) => {
      const stored = await log.at(mark.seq);
      return stored === null ? null : fingerprint(stored.bytes) === mark.fingerprint;
    }),
  );
  return found.includes(true) && !found.includes(false);
}

/**
 * The new epoch that a log needs which lost something, so that nothing from before passes for a position of it.
 *
 * @returns null when it needs none: nothing was lost, it has one already, or it is another log
 */
export function renewalFor(
  { epoch, logId }: KnownLog,
  { continuity, status }: LogComparison,
): EpochRenewal | null {
  switch (continuity) {
    case 'shorter':
    case 'rewritten':
    case 'fellBack':
    case 'emptied':
      return { from: status.epoch, lost: epoch, logId };
    case 'same':
    case 'regressed':
    case 'other':
      return null;
  }
}

/** How many of a log's first events are noted. */
const FIRST_EVENTS = 3;

/** The first events that a log holds. @throws whatever the log throws when it cannot be read */
export async function firstEventsOf(
  log: Pick<EventLog, 'at'>,
  { firstSeq, lastSeq }: Pick<LogStatus, 'firstSeq' | 'lastSeq'>,
): Promise<EventMark[]> {
  const count = Math.min(FIRST_EVENTS, Math.max(0, lastSeq - firstSeq + 1));
  const stored = await Promise.all(Array.from({ length: count }, (_, n) => log.at(firstSeq + n)));
  return stored.flatMap((event) =>
    event === null ? [] : [{ seq: event.seq, fingerprint: fingerprint(event.bytes) }],
  );
}

/** A log as its status describes it, for those who keep no record of it. */
export function knownFrom({ epoch, logId, previousEpoch }: LogStatus): KnownLog {
  return { epoch, logId, olderEpochs: previousEpoch === null ? [] : [previousEpoch], firstEvents: [] };
}
