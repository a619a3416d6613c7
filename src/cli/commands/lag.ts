import { setTimeout as pause } from 'node:timers/promises';
import { lagOf } from '../../queries/lag.ts';
import { stateOfProjection } from '../../queries/projectionState.ts';
import { projectionStatus } from '../../queries/projectionStatus.ts';
import type { CliEnvironment } from '../environment.ts';
import { EXIT, type Outcome, ok } from '../outcome.ts';
import { formatSeconds } from '../progressBar.ts';
import { table } from '../table.ts';

/** How far one version of a read model is. */
export interface LagLine {
  readonly projection: string;
  readonly version: number;
  readonly state: string;
  readonly checkpoint: number | null;
  readonly lastSeq: number;
  readonly lagEvents: number | null;
  readonly lagSeconds: number | null;
  /** Of the checkpoint since the look before; null at the first. */
  readonly eventsPerSecond: number | null;
  readonly parkedConversations: number;
  readonly workers: number;
}

export interface WatchOptions {
  /** Between two looks. */
  readonly everySeconds: number;
  /** So many looks, then it ends; absent: until it is interrupted. */
  readonly times?: number | undefined;
  readonly json: boolean;
  readonly print: (text: string) => void;
}

/** `lag` */
export async function runLag(environment: CliEnvironment, lagSecondsMax: number): Promise<Outcome> {
  const lines = await readLag(environment, lagSecondsMax);
  return ok(lagTable(lines), lines);
}

/** `lag --watch`: a table that is drawn anew on a terminal, one below the other elsewhere; one line of JSON per look. */
export async function watchLag(
  environment: CliEnvironment,
  lagSecondsMax: number,
  options: WatchOptions,
): Promise<number> {
  const { everySeconds, times = Number.POSITIVE_INFINITY, json, print } = options;
  let before: Look | null = null;
  for (let look = 0; look < times; look++) {
    if (look > 0) await pause(everySeconds * 1_000);
    const now = { atMs: Date.now(), lines: await readLag(environment, lagSecondsMax) };
    const lines = withRates(before, now);
    const clear = process.stdout.isTTY && !json ? '\x1b[H\x1b[J' : '';
    print(clear + (json ? JSON.stringify(lines) : lagTable(lines)));
    before = now;
  }
  return EXIT.ok;
}

interface Look {
  readonly atMs: number;
  readonly lines: readonly LagLine[];
}

async function readLag({ log, database }: CliEnvironment, lagSecondsMax: number): Promise<LagLine[]> {
  const [{ lastSeq, epoch }, versions] = await Promise.all([log.status(), projectionStatus(database)]);
  const head = { lastSeq: () => lastSeq, notBeyondAtMs: () => null };
  return versions.map((version) => {
    const { checkpoint, parkedConversations } = version;
    const lag = checkpoint === null ? null : lagOf(checkpoint, head, Date.now());
    const state = stateOfProjection(version, { lagSeconds: lag?.seconds ?? 0, lagSecondsMax, epoch });
    return {
      projection: version.projection,
      version: version.version,
      state,
      checkpoint: checkpoint?.seq ?? null,
      lastSeq,
      lagEvents: lag?.events ?? null,
      lagSeconds: lag?.seconds ?? null,
      eventsPerSecond: null,
      parkedConversations,
      workers: version.workers.length,
    };
  });
}

function withRates(before: Look | null, { atMs, lines }: Look): LagLine[] {
  const seconds = before === null ? 0 : (atMs - before.atMs) / 1_000;
  return lines.map((line) => {
    const same = (other: LagLine) => other.projection === line.projection && other.version === line.version;
    const was = before?.lines.find(same)?.checkpoint ?? null;
    const eventsPerSecond =
      was === null || line.checkpoint === null || seconds <= 0
        ? null
        : Math.round((line.checkpoint - was) / seconds);
    return { ...line, eventsPerSecond };
  });
}

const HEADER = [
  ...['PROJECTION', 'VERSION', 'STATE', 'CHECKPOINT', 'LOG', 'EVENTS BEHIND', 'TIME BEHIND'],
  ...['EVENTS/S', 'PARKED', 'WORKERS'],
];

function lagTable(lines: readonly LagLine[]): string {
  const rows = lines.map((line) => [
    line.projection,
    `v${line.version}`,
    line.state,
    text(line.checkpoint),
    String(line.lastSeq),
    text(line.lagEvents),
    line.lagSeconds === null ? '?' : formatSeconds(line.lagSeconds),
    line.eventsPerSecond === null ? '–' : String(line.eventsPerSecond),
    String(line.parkedConversations),
    String(line.workers),
  ]);
  return table([HEADER, ...rows]);
}

const text = (value: number | null) => (value === null ? '?' : String(value));
