import type { Logger } from 'pino';
import type { NatsEvent } from '../../platform/nats/connection.ts';

/** Log lines of connections to NATS. */
export function natsSubscriber(logger: Logger): (event: NatsEvent) => void {
  return (event) => {
    const level = event.type === 'natsConnected' || event.type === 'natsReconnected' ? 'info' : 'warn';
    logger[level]({ component: 'nats', ...event }, event.type);
  };
}
