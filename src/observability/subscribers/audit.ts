import type { Logger } from 'pino';
import type { AuditEvent } from '../../maintenance/audit/auditor.ts';
import { METRICS } from '../catalogue.ts';
import type { Metrics } from '../metrics.ts';

/** What the audit has found so far. */
export interface AuditReading {
  readonly unaccounted: number;
  readonly conversations: number;
  readonly lastPassAtMs: number | null;
}

/** Log lines and metrics of the audit. */
export function auditSubscriber(logger: Logger, metrics: Metrics) {
  const fields = { component: 'audit' };
  const onEvent = (event: AuditEvent): void => {
    if (event.type === 'auditFailed') logger.error({ ...fields, err: event.error }, 'the audit failed');
    else logger.error({ ...fields, ...event }, 'log and history differ: see chat-backend verify');
  };
  /** @returns what shows a reading; it comes with those of the read models */
  const gauges = () => auditGauges(metrics);
  return { onEvent, gauges };
}

function auditGauges(metrics: Metrics): (reading: AuditReading) => void {
  const unaccounted = metrics.gauge(METRICS.messagesUnaccounted);
  const differing = metrics.gauge(METRICS.auditDifferingConversations);
  const lastPass = metrics.gauge(METRICS.auditLastPassTimestampSeconds);
  return (reading) => {
    unaccounted.set(reading.unaccounted);
    differing.set(reading.conversations);
    lastPass.set((reading.lastPassAtMs ?? 0) / 1_000);
  };
}
