/**
 * The times that a log, a read model, a cursor and an import may hold: from 1970 to 2199, in UTC. Postgres, JavaScript and
 * Protocol Buffers agree on all of them; beyond, one or the other does not.
 */
export const EARLIEST = '1970-01-01T00:00:00.000Z';
/** The first time that is too late. */
export const TOO_LATE = '2200-01-01T00:00:00.000Z';

export const TIME_RANGE = 'must be from 1970 to 2199';

/** @param ms since 1970 */
export function isTimeInRange(ms: number): boolean {
  return ms >= 0 && ms < TOO_LATE_MS;
}

/** @param text ISO 8601 in UTC with milliseconds: such times have the order of their texts */
export function isTimestampInRange(text: string): boolean {
  return text >= EARLIEST && text < TOO_LATE;
}

const TOO_LATE_MS = Date.parse(TOO_LATE);
