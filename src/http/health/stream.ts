import type { LogHead } from '../../platform/log/logHead.ts';
import type { HealthDeps } from '../deps.ts';
import type { HealthReport } from './report.ts';

/** The log, asked now: whether it answers, how much it holds, and when an append is on disk. */
export async function streamHealth(logHead: LogHead, health: HealthDeps): Promise<HealthReport> {
  const policy = { fsync: health.fsyncPolicy, publishAckMs: health.publishAckMs() };
  const state = health.logState();
  try {
    const { epoch, firstSeq, lastSeq, bytes, bytesMax, replicas } = await logHead.ask();
    const holds = { epoch, firstSeq, lastSeq, bytes, bytesMax, replicas };
    return { healthy: true, body: { status: 'OK', state, ...holds, ...policy } };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { healthy: false, body: { status: 'ERROR', state, reason, ...policy } };
  }
}
