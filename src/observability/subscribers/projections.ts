import type { Logger } from 'pino';
import type { RunnerEvent } from '../../../projections/runner/runner.ts';
import type { UpkeepEvent } from '../../../projections/runner/upkeep.ts';
import { METRICS } from '../catalogue.ts';
import type { Metrics } from '../metrics.ts';
import type { AuditReading } from './audit.ts';

/** The live version of a read model as metrics show it. */
export interface ProjectionReading {
  readonly projection: string;
  /** NaN while the log does not answer. */
  readonly lagEvents: number;
  readonly lagSeconds: number;
  readonly state: string;
  readonly parkedConversations: number;
}

export interface ProjectionSource {
  /** All states that there are, so that each has a series from the start. */
  readonly states: readonly string[];
  /** The live versions; keeps to a deadline of its own. @throws when they cannot be read */
  read(): Promise<{ readonly projections: readonly ProjectionReading[]; readonly audit: AuditReading }>;
}

type Show<Reading> = (reading: Reading) => void;

/** Log lines and metrics of the read models. */
export function projectionSubscriber(
  logger: Logger,
  metrics: Metrics,
  auditGauges: () => Show<AuditReading>,
) {
  return {
    onRunner: (event: RunnerEvent) => logRunner(logger, event),
    onUpkeep: (event: UpkeepEvent) => logUpkeep(logger, event),
    watchProjections: (source: ProjectionSource): void =>
      watch(metrics, source, { projection: projectionGauges(metrics, source.states), audit: auditGauges() }),
  };
}

function logRunner(logger: Logger, event: RunnerEvent): void {
  if (event.type === 'projectionState')
    return logger.info({ component: 'projection', ...event }, 'projection is %s', event.to);
  const { error, ...rest } = event;
  const level = event.trigger === 'unrecoverable' ? 'fatal' : 'error';
  logger[level]({ component: 'projection', ...rest, err: error }, 'projection failed');
}

function logUpkeep(logger: Logger, event: UpkeepEvent): void {
  if (event.type !== 'upkeepFailed') return logger.info({ component: 'projection', ...event }, event.type);
  const { error, ...rest } = event;
  logger.error({ component: 'projection', ...rest, err: error }, 'upkeep of a read model failed');
}

/** While Postgres does not answer, the gauges keep their last values, and `chat_projection_status_readable` is 0. */
function watch(
  metrics: Metrics,
  source: ProjectionSource,
  show: { projection: Show<ProjectionReading>; audit: Show<AuditReading> },
): void {
  const readable = metrics.gauge(METRICS.projectionStatusReadable);
  const refresh = async () => {
    const { projections, audit } = await source.read();
    for (const projection of projections) show.projection(projection);
    show.audit(audit);
  };
  metrics.refreshWith(() =>
    refresh().then(
      () => readable.set(1),
      () => readable.set(0),
    ),
  );
}

function projectionGauges(metrics: Metrics, states: readonly string[]): Show<ProjectionReading> {
  const events = metrics.gauge(METRICS.projectionLagEvents);
  const seconds = metrics.gauge(METRICS.projectionLagSeconds);
  const state = metrics.gauge(METRICS.projectionState);
  const parked = metrics.gauge(METRICS.projectionParkedConversations);
  return ({ projection, ...reading }) => {
    events.set({ projection }, reading.lagEvents);
    seconds.set({ projection }, reading.lagSeconds);
    parked.set({ projection }, reading.parkedConversations);
    for (const known of states) state.set({ projection, state: known }, known === reading.state ? 1 : 0);
  };
}
