import { createHash } from 'node:crypto';
import { decodeEvent } from '../contracts/events.ts';
import { PARTITIONS, partitionOf } from '../contracts/subjects.ts';
import type { ChatEvent, MessageEvent } from '../domain/conversation/events.ts';
import type { ConversationState } from '../domain/conversation/state.ts';
import type { EventFeed, FollowedEvent } from '../ports/eventFeed.ts';
import type { ConversationDigest } from '../queries/historyDigest.ts';

/** Between the fields of a row before it is hashed; no id or text that matters starts or ends with it. */
const SEPARATOR = '\x1f';

interface Fold {
  state: ConversationState | null;
  messages: number;
  fixed: bigint;
  changing: bigint;
  readonly participants: Map<string, { member: boolean; posted: boolean; joined: number }>;
}

/** The changing half of a message, kept so that an edit or a deletion can take it back out of the sum. */
interface ChangingPart {
  readonly hash: number;
  readonly editedAt: string;
  readonly deleted: boolean;
}

export interface LogDigestOptions {
  readonly feed: EventFeed;
  /** Fold the log up to and including this sequence, which must be the sequence of an event. */
  readonly until: number;
  /** Events per pass over the log, which bounds memory: about 200 bytes each. Default 2,000,000. */
  readonly eventsPerPass?: number;
  readonly onProgress?: (progress: { read: number; total: number }) => void;
}

/**
 * What the read model must hold, computed from the log alone and by other code than the projection's: per conversation
 * the state, the number of messages, and sums of hashes over its rows. Sums, so that order does not matter and an
 * edit can take the old content out again. Long logs are folded in several passes, some partitions at a time.
 */
export async function digestLog(options: LogDigestOptions): Promise<Map<string, ConversationDigest>> {
  const passes = Math.min(
    PARTITIONS,
    Math.max(1, Math.ceil(options.until / (options.eventsPerPass ?? 2_000_000))),
  );
  const digests = new Map<string, ConversationDigest>();
  for (let pass = 0; pass < passes; pass++) {
    const folds = await foldPass(options, (conversationId) => partitionOf(conversationId) % passes === pass, {
      pass,
      passes,
    });
    for (const [conversationId, fold] of folds) digests.set(conversationId, toDigest(fold));
  }
  return digests;
}

async function foldPass(
  options: LogDigestOptions,
  mine: (conversationId: string) => boolean,
  { pass, passes }: { pass: number; passes: number },
): Promise<Map<string, Fold>> {
  const folder = new LogFolder();
  let failed: unknown = null;
  if (options.until === 0) return folder.folds;
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const onEvent = (event: FollowedEvent) => {
    if (failed !== null || event.seq > options.until) return finish();
    try {
      if (mine(event.conversationId)) folder.add(decodeEvent(event.bytes, event.seq), event.seq);
    } catch (error) {
      failed = error;
    }
    if (event.seq % 1_000 === 0) {
      options.onProgress?.({ read: pass * options.until + event.seq, total: passes * options.until });
    }
    if (event.seq === options.until) finish();
  };
  const following = await options.feed.follow({ after: 0, unreleasedMax: 8_192, onEvent });
  await finished;
  await following.stop();
  if (failed !== null) throw failed;
  return folder.folds;
}

/** Folds events one by one into sums per conversation. */
class LogFolder {
  readonly folds = new Map<string, Fold>();
  readonly #changing = new Map<string, ChangingPart>();

  add(event: ChatEvent, seq: number): void {
    const fold = this.#foldOf(event.conversationId);
    if (!('state' in event)) return this.#addMessageEvent(fold, event, seq);
    fold.state = event.state;
    if (event.type === 'ConversationCreated') join(fold, event.state.participantIds);
    if (event.type === 'ParticipantAdded') join(fold, event.participantIds);
    if (event.type === 'ParticipantRemoved') leave(fold, event.participantIds);
  }

  #foldOf(conversationId: string): Fold {
    const known = this.folds.get(conversationId);
    if (known !== undefined) return known;
    const fold: Fold = { state: null, messages: 0, fixed: 0n, changing: 0n, participants: new Map() };
    this.folds.set(conversationId, fold);
    return fold;
  }

  #addMessageEvent(fold: Fold, event: MessageEvent, seq: number): void {
    const known = this.#changing.get(event.messageId);
    switch (event.type) {
      case 'MessagePosted': {
        if (known !== undefined) return;
        fold.messages += 1;
        const { messageId, userId, clientMessageId, replyTo, at } = event;
        const fields = [messageId, seq, fold.messages, userId, clientMessageId, replyTo ?? '', at];
        fold.fixed += BigInt(hashOf(fields));
        post(fold, userId);
        return this.#change(fold, messageId, event.content, { editedAt: '', deletedAt: '' });
      }
      case 'MessageEdited':
        if (known === undefined || known.deleted) return;
        return this.#change(fold, event.messageId, event.content, { editedAt: event.at, deletedAt: '' });
      case 'MessageDeleted':
        if (known === undefined || known.deleted) return;
        return this.#change(fold, event.messageId, '', { editedAt: known.editedAt, deletedAt: event.at });
    }
  }

  #change(
    fold: Fold,
    messageId: string,
    content: string,
    { editedAt, deletedAt }: { editedAt: string; deletedAt: string },
  ): void {
    const hash = hashOf([messageId, content, editedAt, deletedAt]);
    fold.changing += BigInt(hash) - BigInt(this.#changing.get(messageId)?.hash ?? 0);
    this.#changing.set(messageId, { hash, editedAt, deleted: deletedAt !== '' });
  }
}

function join(fold: Fold, userIds: readonly string[]): void {
  for (const userId of userIds) {
    const known = fold.participants.get(userId);
    const joined = Math.max(known?.joined ?? 0, fold.messages);
    fold.participants.set(userId, { member: true, posted: known?.posted ?? false, joined });
  }
}

function leave(fold: Fold, userIds: readonly string[]): void {
  for (const userId of userIds) {
    const known = fold.participants.get(userId);
    if (known?.posted === true) fold.participants.set(userId, { member: false, posted: true, joined: 0 });
    else fold.participants.delete(userId);
  }
}

function post(fold: Fold, userId: string): void {
  const known = fold.participants.get(userId);
  if (known === undefined) fold.participants.set(userId, { member: false, posted: true, joined: 0 });
  else known.posted = true;
}

function toDigest(fold: Fold): ConversationDigest {
  const { state } = fold;
  const stateFields =
    state === null
      ? []
      : [
          state.title ?? '',
          state.visibility,
          state.archived,
          state.createdBy,
          state.participantIds.join(SEPARATOR),
        ];
  let participants = 0n;
  for (const [userId, { member, posted, joined }] of fold.participants) {
    participants += BigInt(hashOf([userId, member, posted, joined]));
  }
  return {
    messages: fold.messages,
    hash: [hashOf(stateFields), fold.fixed, fold.changing, participants].join('.'),
  };
}

/** The first 52 bits of the MD5 of the fields: small enough for a number, and computed alike in Postgres. */
function hashOf(fields: readonly (string | number | boolean)[]): number {
  const digest = createHash('md5').update(fields.join(SEPARATOR)).digest('hex');
  return Number.parseInt(digest.slice(0, 13), 16);
}
