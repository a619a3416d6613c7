import { hostname } from 'node:os';
import { allProjections } from '../../../projections/all.ts';
import { pauseProjection, resumeProjection } from '../../../projections/runner/control/pause.ts';
import type { Projection } from '../../../projections/runner/projection.ts';
import { type Rebuilt, rebuild } from '../../../projections/runner/rebuild.ts';
import { RebuildLosesError } from '../../../projections/runner/rebuildGuard.ts';
import { countLostMessages } from '../../maintenance/repair/countLost.ts';
import type { Config } from '../../platform/config/config.ts';
import { projectRootUrl } from '../../platform/embedded/projectRootUrl.ts';
import { systemTimers } from '../../platform/time/timers.ts';
import type { ProjectionReport } from '../../queries/projectionReport.ts';
import type { CliEnvironment } from '../environment.ts';
import { EXIT, NotFoundError, type Outcome, ok } from '../outcome.ts';
import { printable } from '../printable.ts';
import { formatSeconds, ProgressBar } from '../progressBar.ts';
import { type ReportEnvironment, readReports } from '../projectionReports.ts';
import { table } from '../table.ts';
import { paced } from '../throttle.ts';

/** The names of all read models. */
export const READ_MODELS: readonly string[] = allProjections(projectRootUrl()).map(({ name }) => name);

type ReportLimits = Pick<Config, 'projectionLagSecondsMax'>;

/** `projections list` */
export async function runList(environment: ReportEnvironment, config: ReportLimits): Promise<Outcome> {
  const reports = await readReports(environment, config.projectionLagSecondsMax);
  const described = reports.map(describe);
  const rows = described.map(
    ({ projection, version, state, checkpoint, lag, parkedConversations, workers }) => [
      projection,
      `v${version}`,
      state,
      String(checkpoint ?? '?'),
      String(lag.events),
      formatSeconds(lag.seconds),
      String(parkedConversations),
      String(workers.length),
    ],
  );
  const header = [
    'PROJECTION',
    'VERSION',
    'STATE',
    'CHECKPOINT',
    'BEHIND',
    'TIME BEHIND',
    'PARKED',
    'WORKERS',
  ];
  return ok(table([header, ...rows]), described);
}

/** `projections info NAME` */
export async function runInfo(
  environment: ReportEnvironment,
  config: ReportLimits,
  name: string,
): Promise<Outcome> {
  const reports = await readReports(environment, config.projectionLagSecondsMax);
  const described = reports.filter(({ projection }) => projection === name).map(describe);
  if (described.length === 0) throw new NotFoundError(`${name} was never built. Is a projector running?`);
  return ok(described.map(details).join('\n\n'), described);
}

/** A report as `--json` prints it. */
function describe(report: ProjectionReport) {
  return { ...report, checkpoint: report.checkpoint?.seq ?? null };
}

function details(version: ReturnType<typeof describe>): string {
  const { projection, epoch, state, checkpoint, lastSeq, lag, parkedConversations, groups, workers } =
    version;
  const head = [
    `${projection} version ${version.version}: ${state}, built from the log of epoch ${epoch}`,
    `checkpoint ${checkpoint ?? '?'} of ${lastSeq}: ${lag.events} events, ${formatSeconds(lag.seconds)} behind`,
    `${parkedConversations} conversations wait aside${parkedConversations > 0 ? `: chat-backend parked list ${projection}` : ''}`,
  ];
  const byNumber = [...groups].sort((a, b) => a.group - b.group);
  const shares = byNumber.map(({ group, seq, owner }) => [`${group}`, `${seq}`, owner ?? 'nobody']);
  const about = workers.map(({ worker, state: doing, reason }) => [worker, doing, reason ?? '']);
  return [
    ...head,
    '',
    table([['GROUP', 'CHECKPOINT', 'WORKER'], ...shares]),
    '',
    table([['WORKER', 'STATE', 'WHY'], ...about]),
  ].join('\n');
}

/** `projections pause NAME` */
export async function runPause({ database }: CliEnvironment, name: string): Promise<Outcome> {
  await pauseProjection(database.pool, name);
  const text = `${name} pauses within two seconds; it falls behind until: chat-backend projections resume ${name}`;
  return ok(text, { projection: name, paused: true });
}

/** `projections resume NAME` */
export async function runResume({ database }: CliEnvironment, name: string): Promise<Outcome> {
  await resumeProjection(database.pool, name);
  return ok(`${name} goes on within two seconds`, { projection: name, paused: false });
}

export interface RebuildChoice {
  readonly from?: number | undefined;
  readonly dryRun: boolean;
  readonly requireEqual: boolean;
  /** Rebuild although the history alone still holds what the log has lost. A text must name what that is. */
  readonly acceptLoss?: true | string | undefined;
  /** Events per second, at most. */
  readonly rateMax?: number | undefined;
}

/** `projections rebuild NAME…` */
export async function runRebuild(
  environment: CliEnvironment,
  config: Config,
  names: readonly string[],
  choice: RebuildChoice,
): Promise<Outcome> {
  if (typeof choice.acceptLoss === 'string') await assertNamesLoss(environment, choice.acceptLoss);
  const results = [];
  for (const projection of allProjections(projectRootUrl())) {
    if (names.includes(projection.name))
      results.push(await sayingLoss(environment, rebuildOne(environment, config, projection, choice)));
  }
  const differ = results.some(({ different }) => different.length > 0);
  const exitCode = choice.dryRun && differ ? EXIT.checkFailed : EXIT.ok;
  return {
    text: results.map(({ text }) => text).join('\n'),
    json: results.map(({ text: _, ...rest }) => rest),
    exitCode,
  };
}

/** The word that `--accept-loss` must have: typed from a habit, or from yesterday's command, it does nothing. */
async function lossWord({ application, database }: CliEnvironment): Promise<string> {
  return `${await countLostMessages({ application, pool: database.pool })}-messages`;
}

async function assertNamesLoss(environment: CliEnvironment, word: string): Promise<void> {
  const right = await lossWord(environment);
  if (word === right) return;
  throw new RebuildLosesError(
    `--accept-loss=${word} does not say what would be lost: ${right.replace('-', ' ')} that only the history holds. ` +
      'Bring them back: chat-backend log repair.',
  );
}

/** A refusal that says how much would be lost, and what to type to lose it. */
async function sayingLoss<Result>(environment: CliEnvironment, rebuilding: Promise<Result>): Promise<Result> {
  return rebuilding.catch(async (error: unknown) => {
    if (!(error instanceof RebuildLosesError)) throw error;
    const word = await lossWord(environment);
    const what = `It would lose ${word.replace('-', ' ')} for good; to do that: --accept-loss=${word}`;
    throw new RebuildLosesError(`${error.message} ${what}`);
  });
}

async function rebuildOne<Changes>(
  environment: CliEnvironment,
  config: Config,
  projection: Projection<Changes>,
  choice: RebuildChoice,
) {
  const bar = new ProgressBar(`rebuild ${projection.name}`, 'events');
  const startedAtMs = Date.now();
  let events = 0;
  const rebuilt = await rebuild({
    ...rebuildOptions(environment, config, choice),
    projection,
    onProgress: (progress) => {
      events += progress.events;
      bar.update(progress.seq / Math.max(1, progress.lastSeq), events);
    },
  }).finally(() => bar.end());
  const seconds = (Date.now() - startedAtMs) / 1_000;
  const { version, switched, comparison } = rebuilt;
  return {
    projection: projection.name,
    version: version.version,
    ...{ switched, events, seconds },
    compared: comparison?.compared ?? null,
    different: comparison?.different ?? [],
    text: say(projection.name, rebuilt, { events, seconds }),
  };
}

function rebuildOptions({ log, database }: CliEnvironment, config: Config, choice: RebuildChoice) {
  const { from, dryRun, requireEqual, acceptLoss, rateMax } = choice;
  return {
    ...{ pool: database.pool, log, feed: log, timers: systemTimers },
    worker: `${hostname()}:${process.pid}:rebuild`,
    batchMax: config.projectionBatchEvents,
    ...{ from, dryRun, requireEqual, acceptLoss: acceptLoss !== undefined },
    ...(rateMax !== undefined && { throttle: paced(rateMax) }),
  };
}

function say(
  name: string,
  { version, switched, comparison }: Rebuilt,
  done: { events: number; seconds: number },
) {
  const what = `${name} version ${version.version} is ${switched ? 'live' : 'built, and not switched to'}`;
  const rate = Math.round(done.events / Math.max(0.001, done.seconds));
  const compared =
    comparison === null
      ? 'there was nothing to compare it with'
      : `${comparison.different.length} of ${comparison.compared} differ from the version before` +
        comparison.different
          .slice(0, 10)
          .map((key) => `\n  ${printable(key)}`)
          .join('');
  return `${what}; ${done.events} events in ${done.seconds.toFixed(1)} s, ${rate}/s; ${compared}`;
}
