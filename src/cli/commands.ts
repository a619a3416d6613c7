import { hostname } from 'node:os';
import { historyProjection } from '../../projections/history/history.ts';
import { rebuild } from '../../projections/runner/rebuild.ts';
import { verify } from '../maintenance/verify.ts';
import type { Config } from '../platform/config.ts';
import { projectRootUrl } from '../platform/projectRootUrl.ts';
import { systemTimers } from '../platform/timers.ts';
import { lagOf } from '../queries/lag.ts';
import { projectionStatus } from '../queries/projectionStatus.ts';
import { type CliEnvironment, openEnvironment } from './environment.ts';
import { importChat } from './importChat.ts';
import { readImportLines } from './importLines.ts';
import { formatSeconds, ProgressBar } from './progressBar.ts';

/** How a command ends: what it prints on standard output, and its exit code. */
export interface Outcome {
  readonly output: string;
  readonly exitCode: number;
}

/** Opens the running system for one command and closes it, whatever happens. */
export async function withEnvironment(
  config: Config,
  work: (environment: CliEnvironment) => Promise<Outcome>,
): Promise<Outcome> {
  const environment = await openEnvironment(config);
  try {
    return await work(environment);
  } finally {
    await environment.close();
  }
}

/** `import FILE` */
export async function runImport({ application }: CliEnvironment, file: string): Promise<Outcome> {
  const bar = new ProgressBar('import', 'messages');
  const startedAtMs = Date.now();
  const result = await importChat(application, readImportLines(file), (fraction, count) =>
    bar.update(fraction, count),
  ).finally(() => bar.end());
  const seconds = (Date.now() - startedAtMs) / 1_000;
  const rate = Math.round(result.messages / Math.max(0.001, seconds));
  const { messages, alreadyThere, conversations } = result;
  const output =
    `${messages} messages in ${conversations} conversations, ${alreadyThere} of them there already; ` +
    `${seconds.toFixed(1)} s, ${rate} messages/s`;
  return { output, exitCode: 0 };
}

/** `lag` */
export async function runLag({ log, database }: CliEnvironment): Promise<Outcome> {
  const [{ lastSeq }, statuses] = await Promise.all([log.status(), projectionStatus(database)]);
  const head = { lastSeq: () => lastSeq, notBeyondAtMs: () => null };
  const rows = statuses.map(({ projection, version, status, checkpoint }) => {
    const lag = checkpoint === null ? null : lagOf(checkpoint, head, Date.now());
    const behind = lag === null ? '?' : String(lag.events);
    const seconds = lag === null ? '?' : formatSeconds(lag.seconds);
    return [
      projection,
      `v${version}`,
      status,
      String(checkpoint?.seq ?? '?'),
      String(lastSeq),
      behind,
      seconds,
    ];
  });
  const header = ['PROJECTION', 'VERSION', 'STATUS', 'CHECKPOINT', 'LOG', 'EVENTS BEHIND', 'TIME BEHIND'];
  return { output: table([header, ...rows]), exitCode: 0 };
}

/** `verify` */
export async function runVerify(
  { log, database }: CliEnvironment,
  options: { waitSeconds: number },
): Promise<Outcome> {
  const bar = new ProgressBar('verify', 'events');
  const waitMsMax = options.waitSeconds * 1_000;
  const result = await verify({
    log,
    feed: log,
    pool: database.pool,
    waitMsMax,
    onWaiting: ({ checkpoint, lastSeq }) => bar.update(checkpoint / lastSeq, checkpoint),
    onProgress: ({ read, total }) => bar.update(read / total, read),
  }).finally(() => bar.end());
  const { messages, conversations, checkpoint, version, differences } = result;
  const shown = differences.slice(0, 20).map(({ conversationId, inLog, inReadModel }) => {
    const say = (digest: typeof inLog) =>
      digest === null ? 'absent' : `${digest.messages} messages ${digest.hash}`;
    return `  ${conversationId}  log: ${say(inLog)}  read model: ${say(inReadModel)}`;
  });
  const more = differences.length > shown.length ? [`  … and ${differences.length - shown.length} more`] : [];
  const summary =
    `${messages} messages in ${conversations} conversations, ${differences.length} differences ` +
    `(log against history version ${version}, up to event ${checkpoint})`;
  return { output: [summary, ...shown, ...more].join('\n'), exitCode: differences.length === 0 ? 0 : 1 };
}

/** `projections rebuild history` */
export async function runRebuild({ log, database }: CliEnvironment, config: Config): Promise<Outcome> {
  const bar = new ProgressBar('rebuild', 'events');
  const startedAtMs = Date.now();
  let events = 0;
  const { version } = await rebuild({
    projection: historyProjection(projectRootUrl()),
    pool: database.pool,
    log,
    feed: log,
    timers: systemTimers,
    worker: `${hostname()}:${process.pid}:rebuild`,
    batchMax: config.projectionBatchEvents,
    onProgress: (progress) => {
      events += progress.events;
      bar.update(progress.seq / Math.max(1, progress.lastSeq), events);
    },
  }).finally(() => bar.end());
  const seconds = (Date.now() - startedAtMs) / 1_000;
  const output = `history version ${version.version} is live; ${events} events in ${seconds.toFixed(1)} s`;
  return { output, exitCode: 0 };
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
