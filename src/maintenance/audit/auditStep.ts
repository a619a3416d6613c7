import type { Pool, PoolClient } from 'pg';
import { decodeEvent, UndecodableEventError } from '../../contracts/events/events.ts';
import { groupOf } from '../../contracts/events/subjects.ts';
import { inTransaction } from '../../platform/postgres/transaction.ts';
import type { EventFeed, FollowedEvent } from '../../ports/eventFeed.ts';
import type { EventLog } from '../../ports/eventLog.ts';
import { readEvents } from '../../ports/readEvents.ts';
import {
  type ConversationDigest,
  type HistoryDigest,
  readHistoryDigest,
} from '../../queries/historyDigest.ts';
import * as sql from './auditStatements.ts';
import { LogFolder, toDigest } from './logDigest.ts';
import { compareDigests, type Difference } from './verify.ts';

export interface AuditOptions {
  readonly log: EventLog;
  readonly feed: EventFeed;
  readonly pool: Pool;
  /** Names this process among all. */
  readonly owner: string;
  /** Conversations in one step. Default 50. */
  readonly conversationsPerStep?: number;
  /** Conversations with more messages are left to `verify`, which needs memory for one only once. Default 200,000. */
  readonly messagesMax?: number;
}

/** What one step came to. */
export interface AuditStep {
  /** `busy`: another process audits; `waiting`: there is no read model of this log to compare with. */
  readonly outcome: 'audited' | 'busy' | 'waiting';
  readonly compared: number;
  readonly different: readonly Difference[];
  /** Those of them that were not known before. */
  readonly found: readonly string[];
  /** Whether this step came to the log's end: the pass is complete. */
  readonly passDone: boolean;
}

const NOTHING = { compared: 0, different: [], found: [], passDone: false } as const;
/** How long a process that audits keeps others from it, in milliseconds; a step is far shorter. */
const LEASE_MS = 60_000;

/**
 * Compares log and read model "history" for the next few conversations, in the order in which they were created, and for
 * those that differed before. What differs is kept as a finding until it does not any more; the conversations that wait
 * aside are known not to be complete and are no finding.
 *
 * The read model is taken at one moment, with its checkpoints, and each conversation is folded from the log up to exactly
 * there: so an audit of a system at work finds nothing that is merely on its way.
 */
export async function auditStep(options: AuditOptions): Promise<AuditStep> {
  const { pool, owner, log } = options;
  const claimed = await pool.query<{ cursor_seq: string }>(sql.CLAIM, [owner, LEASE_MS]);
  const cursor = claimed.rows[0];
  if (cursor === undefined) return { outcome: 'busy', ...NOTHING };
  const next = await nextConversations(options, Number(cursor.cursor_seq));
  const known = await pool.query<{ conversation_id: string }>(sql.FINDINGS, [stepMax(options)]);
  const findings = new Set(known.rows.map(({ conversation_id }) => conversation_id));
  const ids = [...new Set([...next.ids, ...findings])];
  const model = await readModel(pool, ids);
  if (model === null || model.epoch !== log.epoch) return { outcome: 'waiting', ...NOTHING };
  const checked = await check(options, ids, model);
  await save(options, { ...next, ...checked });
  const { compared, different } = checked;
  const found = different.map(({ conversationId }) => conversationId).filter((id) => !findings.has(id));
  return { outcome: 'audited', compared: compared.length, different, found, passDone: next.done };
}

const stepMax = ({ conversationsPerStep = 50 }: AuditOptions) => conversationsPerStep;

/** The conversations that were created next after a sequence. */
async function nextConversations(
  options: AuditOptions,
  after: number,
): Promise<{ ids: string[]; until: number; done: boolean }> {
  const { feed, log } = options;
  const { lastSeq } = await log.status();
  const ids: string[] = [];
  if (after >= lastSeq) return { ids, until: after, done: true };
  let until = after;
  let finish: (done: boolean) => void = () => {};
  const finished = new Promise<boolean>((resolve) => {
    finish = resolve;
  });
  const onEvent = (event: FollowedEvent) => {
    if (ids.length >= stepMax(options)) return finish(false);
    until = event.seq;
    if (isCreation(event)) ids.push(event.conversationId);
    if (event.remaining === 0) finish(true);
  };
  const following = await feed.follow({ after, category: 'conversation', unreleasedMax: 256, onEvent });
  try {
    if (following.remaining === 0 && ids.length === 0) finish(true);
    const silent = setTimeout(() => finish(false), SILENCE_MS_MAX);
    const done = await finished.finally(() => clearTimeout(silent));
    return { ids, until, done };
  } finally {
    await following.stop();
  }
}

/** A log that does not answer ends the step with what there is. */
const SILENCE_MS_MAX = 5_000;

const CREATION = Buffer.from('{"type":"ConversationCreated"');

function isCreation({ bytes }: FollowedEvent): boolean {
  return CREATION.equals(bytes.subarray(0, CREATION.length));
}

interface Checked {
  readonly compared: readonly string[];
  readonly skipped: number;
  readonly different: readonly Difference[];
}

async function check(options: AuditOptions, ids: readonly string[], model: HistoryDigest): Promise<Checked> {
  const { messagesMax = 200_000 } = options;
  const short = ids.filter((id) => (model.conversations.get(id)?.messages ?? 0) <= messagesMax);
  const inLog = new Map<string, ConversationDigest>();
  for (const id of short) {
    const digest = await digestConversation(options, id, model.checkpoints.get(groupOf(id)) ?? 0);
    if (digest !== null) inLog.set(id, digest);
  }
  const inModel = new Map([...model.conversations].filter(([id]) => short.includes(id)));
  const different = compareDigests(inLog, inModel, model.parked);
  return { compared: short, skipped: ids.length - short.length, different };
}

/** @returns null for a conversation that had no event yet */
async function digestConversation(
  { feed }: AuditOptions,
  conversationId: string,
  until: number,
): Promise<ConversationDigest | null> {
  const folder = new LogFolder();
  for await (const { bytes, seq } of readEvents(feed, { conversationId, after: 0, until })) {
    try {
      folder.add(decodeEvent(bytes, seq), seq);
    } catch (error) {
      // It is parked, and so not compared.
      if (!(error instanceof UndecodableEventError)) throw error;
    }
  }
  const fold = folder.folds.get(conversationId);
  return fold === undefined ? null : toDigest(fold);
}

function readModel(pool: Pool, ids: readonly string[]): Promise<HistoryDigest | null> {
  const begin = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
  return inTransaction(pool, (client) => readHistoryDigest(client, ids), begin);
}

async function save(
  { pool, owner }: AuditOptions,
  step: Checked & { readonly until: number; readonly done: boolean },
): Promise<void> {
  const { compared, skipped, different, until, done } = step;
  await inTransaction(pool, async (client: PoolClient) => {
    const moved = await client.query(sql.MOVE, [owner, until, compared.length, skipped, done]);
    if (moved.rowCount !== 1) return;
    const ids = different.map(({ conversationId }) => conversationId);
    await client.query(sql.CLEAR, [compared.filter((id) => !ids.includes(id))]);
    const inLog = different.map((difference) => difference.inLog?.messages ?? 0);
    const inModel = different.map((difference) => difference.inReadModel?.messages ?? 0);
    if (ids.length > 0) await client.query(sql.NOTE, [ids, inLog, inModel]);
  });
}
