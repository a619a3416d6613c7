import type { Logger } from 'pino';
import type { RedisEvent } from '../../platform/redis/redis.ts';
import { METRICS } from '../catalogue.ts';
import type { Metrics } from '../metrics.ts';

/** Log lines and metrics of Redis. */
export function redisSubscriber(logger: Logger, metrics: Metrics) {
  const onEvent = (event: RedisEvent): void => {
    const level = event.type === 'redisUp' ? 'info' : 'warn';
    logger[level]({ component: 'redis', ...event }, event.type);
  };
  const watchRedis = (isUp: () => boolean): void => {
    metrics.gauge(METRICS.redisUp, (gauge) => gauge.set(isUp() ? 1 : 0));
  };
  return { onEvent, watchRedis };
}
