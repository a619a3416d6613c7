import { setTimeout as pause } from 'node:timers/promises';
import {
  listParked,
  type ParkedChoice,
  type ParkedRow,
  requestRetry,
} from '../../../projections/runner/control/parked.ts';
import type { CliEnvironment } from '../environment.ts';
import { EXIT, NotFoundError, type Outcome, ok } from '../outcome.ts';
import { printable } from '../printable.ts';
import { oneLine, table } from '../table.ts';
import { describeEvent } from './events.ts';

/** `parked list [PROJECTION]` */
export async function runParkedList({ database }: CliEnvironment, projection?: string): Promise<Outcome> {
  const parked = await listParked(database.pool, { projection });
  if (parked.length === 0) return ok('No conversation waits aside.', parked);
  return ok(parkedTable(parked), parked);
}

/** `parked show PROJECTION CONVERSATION` */
export async function runParkedShow(
  environment: CliEnvironment,
  choice: Required<ParkedChoice>,
): Promise<Outcome> {
  const [parked] = await listParked(environment.database.pool, choice);
  if (parked === undefined) throw notParked(choice);
  const stored = await environment.log.at(parked.seq);
  const text = [
    `${parked.conversationId} waits in ${parked.projection} since ${parked.parkedAt.toISOString()}, tried ${parked.attempts} times`,
    printable(parked.error),
    '',
    stored === null ? `Event ${parked.seq} is not in the log any more` : describeEvent(stored).text,
  ].join('\n');
  return ok(text, { ...parked, event: stored === null ? null : describeEvent(stored).json });
}

/** `parked retry PROJECTION CONVERSATION`, `parked retry --all`. Waits until the workers have tried. */
export async function runParkedRetry(
  { database }: CliEnvironment,
  choice: ParkedChoice,
  waitSeconds: number,
): Promise<Outcome> {
  const requested = await requestRetry(database.pool, choice);
  if (requested.length === 0) {
    if (choice.conversationId !== undefined) throw notParked(choice);
    return ok('No conversation waits aside.', { retried: 0, parked: [] });
  }
  const deadlineMs = Date.now() + waitSeconds * 1_000;
  let left = await stillParked(database.pool, requested);
  while (left.some(({ retryRequested }) => retryRequested) && Date.now() < deadlineMs) {
    await pause(200);
    left = await stillParked(database.pool, requested);
  }
  const done = `${requested.length - left.length} of ${requested.length} conversations are complete again`;
  const text = left.length === 0 ? done : `${done}; these still wait:\n${parkedTable(left)}`;
  const exitCode = left.length === 0 ? EXIT.ok : EXIT.checkFailed;
  return { text, json: { retried: requested.length, parked: left }, exitCode };
}

async function stillParked(pool: CliEnvironment['database']['pool'], requested: readonly ParkedRow[]) {
  const keys = new Set(requested.map(({ projection, conversationId }) => `${projection}/${conversationId}`));
  const all = await listParked(pool);
  return all.filter(({ projection, conversationId }) => keys.has(`${projection}/${conversationId}`));
}

function notParked({ projection, conversationId }: ParkedChoice): NotFoundError {
  return new NotFoundError(`${conversationId} does not wait in ${projection}: see chat-backend parked list`);
}

function parkedTable(parked: readonly ParkedRow[]): string {
  const rows = parked.map(
    ({ projection, conversationId, seq, attempts, parkedAt, error, retryRequested }) => [
      projection,
      conversationId,
      String(seq),
      String(attempts),
      parkedAt.toISOString(),
      retryRequested ? `is tried again; ${oneLine(error, 60)}` : oneLine(error, 80),
    ],
  );
  return table([['PROJECTION', 'CONVERSATION', 'FROM EVENT', 'ATTEMPTS', 'SINCE', 'WHY'], ...rows]);
}
