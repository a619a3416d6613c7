import type { LagView } from '../contracts/http/answers/messages.ts';

/** The position of a read model: the lowest checkpoint of its partition groups. */
export interface Checkpoint {
  readonly seq: number;
  /** When the log stored the event at `seq`, or, before the first, when the checkpoint was made. Since 1970. */
  readonly storedAtMs: number;
}

/** The end of the log as far as it is known. */
export interface HeadKnowledge {
  lastSeq(): number;
  /** Whether the log itself said so just now. There may be more than is known if not. */
  isFresh(): boolean;
  /** When the log's end was last seen at or before `seq`, in milliseconds since 1970; null when it never was. */
  notBeyondAtMs(seq: number): number | null;
}

/**
 * How far a read model is behind the log. The seconds are an upper bound for the age of the oldest missing event: it is
 * younger than the checkpoint's event, and younger than the last poll of the log that found nothing missing. Without the
 * second bound, the first message after a quiet hour would read as an hour of lag.
 *
 * While the log does not answer, nobody knows how many events are missing, and the age grows: no lag is claimed that is not
 * known.
 *
 * @param checkpoint null for a read model that has not begun
 */
export function lagOf(checkpoint: Checkpoint | null, head: HeadKnowledge, nowMs: number): LagView {
  const seq = checkpoint?.seq ?? 0;
  const events = head.isFresh() ? Math.max(0, head.lastSeq() - seq) : null;
  if (events === 0) return { events: 0, seconds: 0 };
  const sinceMs = Math.max(checkpoint?.storedAtMs ?? 0, head.notBeyondAtMs(seq) ?? 0);
  return { events, seconds: Math.max(0, Math.round(nowMs - sinceMs) / 1_000) };
}
