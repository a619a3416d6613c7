import type { ApplicationContext } from '../../application/context.ts';
import { LogHistory } from '../../application/reading/logHistory.ts';
import type { ReadingDeps } from '../../http/deps.ts';
import { projectionSource } from '../../observability/projectionSource.ts';
import { type LogHeadOptions, PolledLogHead } from '../../platform/log/logHead.ts';
import { openDatabase } from '../../platform/postgres/database.ts';
import type { ReadModelProgress } from '../../ports/readModelProgress.ts';
import { historyPlaces } from '../../queries/messagePlaces.ts';
import type { Base } from '../base.ts';
import { openReplica } from './replica.ts';

/** What reading stands on. */
export interface ReadingParts {
  readonly application: ApplicationContext;
  readonly databaseUrl: string;
  /** How far a read model is, by its name. */
  readonly progressOf: (projection: 'history' | 'inbox' | 'search') => ReadModelProgress;
}

/**
 * Everything that answers questions: Postgres, a replica, the log while Postgres is away, and how far each read model is.
 *
 * @param tuning what no setting says; production leaves it out
 */
export async function openReading(
  base: Base,
  { application, databaseUrl, progressOf }: ReadingParts,
  tuning: Pick<LogHeadOptions, 'intervalMs' | 'answerMsMax'> = {},
): Promise<ReadingDeps> {
  const { config, lifecycle, stops } = base;
  const { log, feed, clock } = application;
  const database = openDatabase({
    url: databaseUrl,
    applicationName: 'chat-backend api',
    statementMsMax: config.databaseStatementTimeoutMs,
    ...lifecycle.database('primary'),
  });
  stops.add(() => database.close());
  lifecycle.watch.pool('primary', database.pool);
  const logHead = await PolledLogHead.start({ log, nowMs: clock.nowMs, ...tuning });
  stops.add(() => logHead.stop());
  const { projectionLagSecondsMax: lagSecondsMax } = config;
  const source = { database, head: logHead, epoch: () => log.epoch, lagSecondsMax, nowMs: clock.nowMs };
  lifecycle.watch.projections(projectionSource(source));
  // From the primary: a replica would know less.
  application.search.usePlaces(historyPlaces(database, () => log.epoch));
  return {
    database,
    reads: openReplica(base, { primary: database, logHead, clock }),
    logHistory: new LogHistory({ log, feed }),
    logHead,
    historyProgress: progressOf('history'),
    inboxProgress: progressOf('inbox'),
    searchProgress: progressOf('search'),
    searches: {
      parallelMax: Math.max(1, Math.min(SEARCHES_MAX, Math.floor(database.pool.options.max / 3))),
      statementMsMax: Math.min(SEARCH_MS_MAX, config.databaseStatementTimeoutMs),
    },
  };
}

/** Searches at a time, and at most a third of the connections: what one costs depends on its words, and others read meanwhile. */
const SEARCHES_MAX = 3;
/** How long Postgres may search, in milliseconds. */
const SEARCH_MS_MAX = 2_000;
