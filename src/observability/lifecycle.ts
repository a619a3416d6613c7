import type { Logger } from 'pino';
import type { Metrics } from './metrics.ts';
import { auditSubscriber } from './subscribers/audit.ts';
import { breakerMetric } from './subscribers/breakers.ts';
import { cacheSubscriber } from './subscribers/caches.ts';
import { databaseSubscriber } from './subscribers/database.ts';
import { edgeSubscriber } from './subscribers/edge.ts';
import { embeddedSubscriber } from './subscribers/embedded.ts';
import { logSubscriber } from './subscribers/log.ts';
import { natsSubscriber } from './subscribers/nats.ts';
import { projectionSubscriber } from './subscribers/projections.ts';
import { redisSubscriber } from './subscribers/redis.ts';
import { uploadSubscriber } from './subscribers/uploads.ts';

/**
 * Turns the events of the parts into log lines and metrics; the parts know of neither. One call for each process: it
 * makes the metrics. What of a part is read instead of announced is under `watch`.
 *
 * @param options.slowQueryMs a query that takes as long as this, in milliseconds, is logged
 */
export function lifecycleLog(logger: Logger, metrics: Metrics, { slowQueryMs }: { slowQueryMs: number }) {
  const showBreaker = breakerMetric(metrics);
  const log = logSubscriber(logger, metrics, showBreaker);
  const redis = redisSubscriber(logger, metrics);
  const caches = cacheSubscriber(metrics);
  const audit = auditSubscriber(logger, metrics);
  const projections = projectionSubscriber(logger, metrics, audit.gauges);
  const edge = edgeSubscriber(logger, metrics);
  const databases = databaseSubscriber(logger, metrics, { showBreaker, slowQueryMs });
  const uploads = uploadSubscriber(logger, metrics);
  return {
    nats: natsSubscriber(logger),
    log: log.onEvent,
    redis: redis.onEvent,
    server: embeddedSubscriber(logger),
    projection: projections.onRunner,
    upkeep: projections.onUpkeep,
    audit: audit.onEvent,
    edge: edge.onEvent,
    database: databases.databaseLog,
    replica: databases.onReplica,
    upload: uploads.onUpload,
    sweep: uploads.onSweep,
    fault: (component: string) => (error: unknown) => logger.error({ component, err: error }, 'fault'),
    /** Takes what is read whenever metrics are; each once, caches and pools once by name. */
    watch: {
      publishAck: log.watchPublishAck,
      redis: redis.watchRedis,
      cache: caches.watchCache,
      projections: projections.watchProjections,
      liveFeed: edge.watchLiveFeed,
      pool: databases.watchPool,
      replica: databases.watchReplica,
      uploads: uploads.watchUploads,
    },
  };
}

export type LifecycleLog = ReturnType<typeof lifecycleLog>;
