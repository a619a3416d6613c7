import { setTimeout as pause } from 'node:timers/promises';
import type { ProjectionReport } from '../../queries/projectionReport.ts';
import { EXIT, type Outcome, ok } from '../outcome.ts';
import { printableJson } from '../printable.ts';
import { formatSeconds } from '../progressBar.ts';
import { type ReportEnvironment, readReports } from '../projectionReports.ts';
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
  /** Progress of the checkpoint since the previous poll; null at the first. */
  readonly eventsPerSecond: number | null;
  readonly parkedConversations: number;
  readonly workers: number;
}

export interface WatchOptions {
  /** Between two polls. */
  readonly everySeconds: number;
  /** Polls until it ends; absent: until it is interrupted. */
  readonly times?: number | undefined;
  readonly json: boolean;
  readonly print: (text: string) => void;
}

/** `lag` */
export async function runLag(environment: ReportEnvironment, lagSecondsMax: number): Promise<Outcome> {
  const lines = await readLag(environment, lagSecondsMax);
  return ok(lagTable(lines), lines);
}

/** `lag --watch`: a table that is redrawn on a terminal, one below the other elsewhere; one line of JSON per poll. */
export async function watchLag(
  environment: ReportEnvironment,
  lagSecondsMax: number,
  options: WatchOptions,
): Promise<number> {
  const { everySeconds, times = Number.POSITIVE_INFINITY, json, print } = options;
  let before: Poll | null = null;
  for (let poll = 0; poll < times; poll++) {
    if (poll > 0) await pause(everySeconds * 1_000);
    const now = { atMs: Date.now(), lines: await readLag(environment, lagSecondsMax) };
    const lines = withRates(before, now);
    const clear = process.stdout.isTTY && !json ? '\x1b[H\x1b[J' : '';
    print(clear + (json ? printableJson(lines) : lagTable(lines)));
    before = now;
  }
  return EXIT.ok;
}

interface Poll {
  readonly atMs: number;
  readonly lines: readonly LagLine[];
}

async function readLag(environment: ReportEnvironment, lagSecondsMax: number): Promise<LagLine[]> {
  const reports = await readReports(environment, lagSecondsMax);
  return reports.map(lagLine);
}

/** A read model that has not begun has no lag yet. */
function lagLine(report: ProjectionReport): LagLine {
  const { projection, version, state, checkpoint, lastSeq, parkedConversations, workers } = report;
  const lag = checkpoint === null ? null : report.lag;
  return {
    ...{ projection, version, state },
    checkpoint: checkpoint?.seq ?? null,
    lastSeq,
    lagEvents: lag?.events ?? null,
    lagSeconds: lag?.seconds ?? null,
    eventsPerSecond: null,
    parkedConversations,
    workers: workers.length,
  };
}

function withRates(before: Poll | null, { atMs, lines }: Poll): LagLine[] {
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
