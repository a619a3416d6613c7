import type { z } from 'zod';
import {
  DatabaseDown,
  DatabaseHealth,
  LiveHealth,
  NotReady,
  ProcessHealth,
  ProjectionsHealth,
  ProjectionsTrouble,
  StreamDown,
  StreamHealth,
} from '../../../http/answers/health.ts';
import type { Operation } from '../operation.ts';

interface Check {
  readonly operationId: string;
  readonly path: string;
  readonly summary: string;
  readonly healthy: z.ZodType;
  /** Absent: every answer is a good one. */
  readonly failing?: z.ZodType;
}

function check({ operationId, path, summary, healthy, failing }: Check): Operation {
  const well = { 200: { description: 'All is well.', schema: healthy } };
  const answers =
    failing === undefined ? well : { ...well, 503: { description: 'It is not.', schema: failing } };
  return { operationId, method: 'get', path, tag: 'health', summary, answers };
}

/** Whatever query they are asked with is ignored. */
export const healthOperations: readonly Operation[] = [
  check({
    operationId: 'checkProcess',
    path: '/health',
    summary: 'The process is alive; asks nothing else',
    healthy: ProcessHealth,
  }),
  check({
    operationId: 'checkLive',
    path: '/health/live',
    summary: 'Whether to leave the process running',
    healthy: LiveHealth,
  }),
  check({
    operationId: 'checkReady',
    path: '/health/ready',
    summary: 'Whether to send requests here: the log answers, and the process is not stopping',
    healthy: LiveHealth,
    failing: NotReady,
  }),
  check({
    operationId: 'checkDatabase',
    path: '/health/database',
    summary: 'Whether Postgres answers',
    healthy: DatabaseHealth,
    failing: DatabaseDown,
  }),
  check({
    operationId: 'checkStream',
    path: '/health/stream',
    summary: 'Whether the log answers, how much it holds, and what it promises',
    healthy: StreamHealth,
    failing: StreamDown,
  }),
  check({
    operationId: 'checkProjections',
    path: '/health/projections',
    summary: 'How far each read model is',
    healthy: ProjectionsHealth,
    failing: ProjectionsTrouble,
  }),
];
