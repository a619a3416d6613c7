import type { Pool } from 'pg';
import { fenceProjection, type LiveCheckpoint } from '../../../projections/runner/control/checkpoints.ts';
import { askWitness, type Testimony, WITNESS } from '../../../projections/runner/control/witness.ts';
import { append } from '../../application/commands/append.ts';
import { eraseMessage } from '../../application/commands/eraseMessage.ts';
import type { ApplicationContext } from '../../application/context.ts';
import { groupOf } from '../../contracts/events/subjects.ts';
import type { ChatEvent } from '../../domain/conversation/events.ts';
import { renewalFor } from '../../platform/log/logContinuity.ts';
import { inTransaction } from '../../platform/postgres/transaction.ts';
import { systemTimers } from '../../platform/time/timers.ts';
import { readHistoryDigest } from '../../queries/historyDigest.ts';
import { digestLog } from '../audit/logDigest.ts';
import { compareDigests } from '../audit/verify.ts';
import { type LoggedConversation, readLoggedConversation } from './conversationFacts.ts';
import { type Loss, lostMessages, lostState } from './lostEvents.ts';
import { readKnownMessages, readKnownState } from './readModelFacts.ts';

export interface LogRepairOptions {
  readonly application: ApplicationContext;
  /** Its statement time-out must allow for a pass over all messages. */
  readonly pool: Pool;
  /** Say what would be done, and do nothing. */
  readonly dryRun: boolean;
  readonly onProgress?: (progress: { done: number; total: number; what: string }) => void;
}

export interface LogRepair {
  /** False: the log is the one that the history was built from, with all that it had then. */
  readonly regressed: boolean;
  /** Conversations of which the log had lost something. */
  readonly conversations: number;
  /** How many events of each type were appended, or would be. */
  readonly events: Readonly<Record<string, number>>;
  /** Messages whose bytes had come back although they were erased. */
  readonly erased: number;
  /** What was not brought back, and why; the first {@link LEFT_MAX}. */
  readonly left: readonly { readonly conversationId: string; readonly what: string }[];
}

const LEFT_MAX = 1_000;

/** There is no telling what the log has lost. */
export class LogRepairError extends Error {
  override readonly name = 'LogRepairError';
}

/** Conversations that are compared at the same time. */
const PARALLEL = 16;

/**
 * Brings back what a log has lost and the history still knows: the tail that a power cut took from a log without
 * replicas, or whatever came after the backup that a log was restored from. Users may go on meanwhile; what they said
 * since the loss stays, and what comes back is appended after it.
 *
 * Each step finds for itself what is missing, so that running it again goes on where it ended. Afterwards every read
 * model must be rebuilt: what it knows lies at other sequences of the log now.
 *
 * @throws LogRepairError when the history is of another log
 */
export async function repairLog(options: LogRepairOptions): Promise<LogRepair> {
  const { application, pool, dryRun } = options;
  const testimony = await testimonyOf(options);
  const tally = new Tally();
  if (testimony.continuity === 'same') return tally.result(false);
  if (!dryRun) {
    const renewal = renewalFor(testimony.known, testimony);
    if (renewal !== null) await application.log.renewEpoch(renewal);
    // What a worker still had in hand is in the history by now, or never will be.
    await fenceProjection(pool, WITNESS);
  }
  await repairConversations(options, tally, testimony.checkpoints);
  return tally.result(true);
}

async function repairConversations(
  options: LogRepairOptions,
  tally: Tally,
  checkpoints: readonly LiveCheckpoint[],
): Promise<void> {
  const { lastSeq } = await options.application.log.status();
  const { differing, parked } = await differingConversations(options, lastSeq);
  const queue = differing.values();
  let done = 0;
  const work = async () => {
    for (const conversationId of queue) {
      const group = groupOf(conversationId);
      const checkpoint = checkpoints.find((candidate) => candidate.group === group);
      const known = { lastSeq, parked: parked.has(conversationId), checkpoint };
      await new ConversationRepair(options, tally, conversationId).run(known);
      done += 1;
      options.onProgress?.({ done, total: differing.length, what: 'conversations' });
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
}

/** @throws LogRepairError when the history cannot tell what this log has lost */
async function testimonyOf({ application, pool }: LogRepairOptions): Promise<Testimony> {
  const testimony = await askWitness(pool, application.log, systemTimers);
  if (testimony === null)
    throw new LogRepairError('There is no history that could tell what the log has lost.');
  const { continuity, known, status } = testimony;
  if (continuity !== 'other') return testimony;
  throw new LogRepairError(
    `The history was built from the log of epoch ${known.epoch}, but this is another log, of epoch ${status.epoch}: ` +
      'it holds events of its own. Point NATS_URL at the server with the right log, or restore that log from its backup.',
  );
}

/** Conversations of the history that are not in the log as the history has them. */
async function differingConversations(
  { application, pool, onProgress }: LogRepairOptions,
  lastSeq: number,
): Promise<{ differing: string[]; parked: ReadonlySet<string> }> {
  const begin = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
  const model = await inTransaction(pool, readHistoryDigest, begin);
  if (model === null) throw new LogRepairError('There is no history that could tell what the log has lost.');
  const log = await digestLog({
    feed: application.feed,
    until: new Map([...model.checkpoints.keys()].map((group) => [group, lastSeq])),
    onProgress: ({ read, total }) => onProgress?.({ done: read, total, what: 'events' }),
  });
  const differences = compareDigests(log, model.conversations, new Set());
  const differing = differences.filter(({ inReadModel }) => inReadModel !== null);
  return { differing: differing.map(({ conversationId }) => conversationId), parked: model.parked };
}

/** The repair of one conversation: its state first, then its messages, page by page. */
class ConversationRepair {
  readonly #options: LogRepairOptions;
  readonly #tally: Tally;
  readonly #conversationId: string;

  constructor(options: LogRepairOptions, tally: Tally, conversationId: string) {
    this.#options = options;
    this.#tally = tally;
    this.#conversationId = conversationId;
  }

  async run(known: {
    lastSeq: number;
    parked: boolean;
    checkpoint: LiveCheckpoint | undefined;
  }): Promise<void> {
    const { application, pool } = this.#options;
    const conversationId = this.#conversationId;
    const of = { conversationId, lastProjectedMs: known.checkpoint?.storedAtMs ?? 0 };
    const state = await readKnownState(pool, conversationId);
    if (state === null) return;
    const logged = await readLoggedConversation(application.feed, conversationId, known.lastSeq);
    if (!known.parked || logged.state === null) await this.#apply(lostState(of, state, logged.state), logged);
    if (known.parked) this.#tally.leave(conversationId, 'changes of what is still there: it waits aside');
    for await (const page of readKnownMessages(pool, conversationId)) {
      // Of one that waits aside, the history is older than the log: only what is missing altogether was lost.
      const messages = known.parked ? page.filter(({ messageId }) => !logged.messages.has(messageId)) : page;
      await this.#apply(lostMessages(of, messages, logged.messages), logged);
    }
  }

  async #apply(loss: Loss, logged: LoggedConversation): Promise<void> {
    const { application, dryRun } = this.#options;
    const conversationId = this.#conversationId;
    for (const what of loss.left) this.#tally.leave(conversationId, what);
    let stateSeq = logged.state?.seq ?? 0;
    for (const event of loss.events) {
      if (!dryRun && 'state' in event) {
        const seq = await this.#append(event, stateSeq);
        if (seq === null)
          return this.#tally.leave(conversationId, `${event.type}: it is being changed right now`);
        stateSeq = seq;
      } else if (!dryRun) await this.#append(event);
      this.#tally.count(conversationId, event.type);
    }
    for (const message of loss.erase) {
      if (!dryRun) await eraseMessage(application, conversationId, message);
      this.#tally.erased += 1;
    }
  }

  /** @returns where it is; null when somebody else's event came first */
  #append(event: ChatEvent, expectedSeq?: number): Promise<number | null> {
    const { log, ids } = this.#options.application;
    const key = event.type === 'MessagePosted' ? event.messageId : ids.idempotencyKey();
    return append(log, event, key, expectedSeq, (result) =>
      result.outcome === 'stored' ? result.seq : null,
    );
  }
}

class Tally {
  readonly #conversations = new Set<string>();
  readonly #events: Record<string, number> = {};
  readonly #left: { conversationId: string; what: string }[] = [];
  erased = 0;

  count(conversationId: string, type: string): void {
    this.#conversations.add(conversationId);
    this.#events[type] = (this.#events[type] ?? 0) + 1;
  }

  leave(conversationId: string, what: string): void {
    if (this.#left.length < LEFT_MAX) this.#left.push({ conversationId, what });
  }

  result(regressed: boolean): LogRepair {
    return {
      regressed,
      conversations: this.#conversations.size,
      events: this.#events,
      erased: this.erased,
      left: this.#left,
    };
  }
}
