import { z } from 'zod';
import { Timestamp } from '../../events/events.ts';
import { Seq } from '../../ids.ts';
import { Epoch } from '../../position.ts';
import { LagView } from './messages.ts';

/** What the health checks answer; those that have two shapes answer 200 with the first and 503 with the second. */

const timestamp = Timestamp;
const ok = { status: z.literal('OK'), timestamp };
const failed = { status: z.literal('ERROR'), timestamp, reason: z.string() };

export const ProcessHealth = z
  .object({ ...ok, uptime: z.number().min(0).meta({ description: 'In seconds.' }) })
  .meta({ id: 'ProcessHealth' });

export const LiveHealth = z.object(ok).meta({ id: 'LiveHealth' });

export const NotReady = z
  .object({ ...failed, status: z.enum(['ERROR', 'DRAINING']), reason: z.string().optional() })
  .meta({ id: 'NotReady' });

const breaker = z.enum(['closed', 'open', 'halfOpen']);

export const DatabaseHealth = z
  .object({ ...ok, database: z.literal('Connected'), breaker, latencyMs: z.number().min(0) })
  .meta({ id: 'DatabaseHealth' });

export const DatabaseDown = z
  .object({ ...failed, database: z.literal('Disconnected'), breaker })
  .meta({ id: 'DatabaseDown' });

const promises = {
  state: z.string().meta({
    description: 'Whether the log is used, suspected, or refused for now.',
    examples: ['available'],
  }),
  fsync: z.string().meta({ description: 'When the log is on disk.', examples: ['every 120 s'] }),
  publishAckMs: z
    .number()
    .min(0)
    .nullable()
    .meta({ description: 'What the latest append took; null before the first.' }),
};

export const StreamHealth = z
  .object({
    ...ok,
    epoch: Epoch,
    firstSeq: Seq,
    lastSeq: Seq,
    bytes: z.number().int().min(0),
    bytesMax: z.number().int(),
    replicas: z.number().int().min(1),
    ...promises,
  })
  .meta({ id: 'StreamHealth' });

export const StreamDown = z.object({ ...failed, ...promises }).meta({ id: 'StreamDown' });

/**
 * How a version of a read model stands, the worst that is true of it:
 * - `other-log`: built from another incarnation of the log, so that sequences cannot be compared
 * - `halted`: a worker found something that does not pass by itself and waits for an operator
 * - `paused`: an operator wants it to rest
 * - `waiting`: has not begun
 * - `lagging`: further behind than is allowed
 * - `unattended`: nobody has any of its groups
 * - `building`: a new version on its way
 * - `live`: follows the log
 */
export const PROJECTION_STATES = [
  'live',
  'building',
  'unattended',
  'lagging',
  'waiting',
  'paused',
  'halted',
  'other-log',
] as const;

const ProjectionHealth = z
  .object({
    name: z.string().meta({ examples: ['history'] }),
    version: z.number().int(),
    state: z.enum(PROJECTION_STATES),
    checkpoint: Seq.nullable(),
    head: Seq,
    lag: LagView,
    groups: z.array(z.object({ group: z.number().int().min(0), seq: Seq, owner: z.string().nullable() })),
    parkedConversations: z.number().int().min(0),
    workers: z.array(z.object({ worker: z.string(), state: z.string(), reason: z.string().nullable() })),
  })
  .meta({ id: 'ProjectionHealth', description: 'One version of one read model.' });

const projections = z.array(ProjectionHealth);

export const ProjectionsHealth = z
  .object({ ...ok, head: Seq, projections })
  .meta({ id: 'ProjectionsHealth' });

export const ProjectionsTrouble = z
  .object({
    ...failed,
    status: z.enum(['ERROR', 'LAGGING']),
    head: Seq,
    projections,
    reason: z.string().optional(),
  })
  .meta({ id: 'ProjectionsTrouble' });
