import { createHash } from 'node:crypto';
import { decodeEvent, UndecodableEventError, UnknownEventError } from '../../contracts/events/events.ts';
import { groupOf, PARTITIONS, partitionOf } from '../../contracts/events/subjects.ts';
import type {
  ChatEvent,
  MessageDeleted,
  MessageEvent,
  ReactionAdded,
  ReactionRemoved,
} from '../../domain/conversation/events.ts';
import type { ConversationState } from '../../domain/conversation/state.ts';
import type { EventFeed, FollowedEvent } from '../../ports/eventFeed.ts';
import type { ConversationDigest } from '../../queries/historyDigest.ts';

/** Between the fields of a row before it is hashed; no id or text that matters starts or ends with it. */
const SEPARATOR = '\x1f';

export interface Fold {
  state: ConversationState | null;
  messages: number;
  fixed: bigint;
  changing: bigint;
  reactions: bigint;
  /** Since which event each participant is one. */
  readonly participants: Map<string, number>;
}

/** The changing half of a message, kept so that an edit or a deletion can take it back out of the sum. */
interface ChangingPart {
  readonly hash: number;
  readonly attachments: string;
  readonly editedAt: string;
  readonly deleted: boolean;
}

export interface LogDigestOptions {
  readonly feed: EventFeed;
  /** Fold the log up to and including these sequences, one for each partition group. */
  readonly until: ReadonlyMap<number, number>;
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
  const end = Math.max(0, ...options.until.values());
  const passes = Math.min(PARTITIONS, Math.max(1, Math.ceil(end / (options.eventsPerPass ?? 2_000_000))));
  const digests = new Map<string, ConversationDigest>();
  for (let pass = 0; pass < passes; pass++) {
    const folds = await foldPass(options, { pass, passes, end });
    for (const [conversationId, fold] of folds) digests.set(conversationId, toDigest(fold));
  }
  return digests;
}

async function foldPass(
  { until, feed, onProgress }: LogDigestOptions,
  { pass, passes, end }: { pass: number; passes: number; end: number },
): Promise<Map<string, Fold>> {
  const folder = new LogFolder();
  let failed: unknown = null;
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const counts = ({ conversationId, seq }: FollowedEvent) =>
    partitionOf(conversationId) % passes === pass && seq <= (until.get(groupOf(conversationId)) ?? 0);
  const onEvent = (event: FollowedEvent) => {
    if (failed !== null || event.seq > end) return finish();
    try {
      if (counts(event)) folder.add(decodeEvent(event.bytes, event.seq), event.seq);
    } catch (error) {
      // Its conversation is parked, and so not compared.
      if (error instanceof UnknownEventError || !(error instanceof UndecodableEventError)) failed = error;
    }
    if (event.seq % 1_000 === 0) onProgress?.({ read: pass * end + event.seq, total: passes * end });
    // The event at the end may have been erased: then the log's end is the end.
    if (event.seq === end || event.remaining === 0) finish();
  };
  const following = await feed.follow({ after: 0, unreleasedMax: 8_192, onEvent });
  if (end > 0 && following.remaining !== 0) await finished;
  await following.stop();
  if (failed !== null) throw failed;
  return folder.folds;
}

/** Folds events one by one into sums per conversation. */
export class LogFolder {
  readonly folds = new Map<string, Fold>();
  readonly #changing = new Map<string, ChangingPart>();
  /** Of messages that have reactions: the hash of each, by kind and user. */
  readonly #reactions = new Map<string, Map<string, bigint>>();

  add(event: ChatEvent, seq: number): void {
    const fold = this.#foldOf(event.conversationId);
    if (!('state' in event)) return this.#addMessageEvent(fold, event, seq);
    fold.state = event.state;
    if (event.type === 'ConversationCreated') join(fold, event.state.participantIds, seq);
    if (event.type === 'ParticipantAdded') join(fold, event.participantIds, seq);
    if (event.type === 'ParticipantRemoved')
      for (const id of event.participantIds) fold.participants.delete(id);
  }

  #foldOf(conversationId: string): Fold {
    const known = this.folds.get(conversationId);
    if (known !== undefined) return known;
    const sums = { messages: 0, fixed: 0n, changing: 0n, reactions: 0n };
    const fold: Fold = { state: null, ...sums, participants: new Map() };
    this.folds.set(conversationId, fold);
    return fold;
  }

  #addMessageEvent(fold: Fold, event: MessageEvent, seq: number): void {
    const { messageId } = event;
    const known = this.#changing.get(messageId);
    switch (event.type) {
      case 'MessagePosted': {
        if (known !== undefined) return;
        this.#count(fold, messageId, { seq, ...event });
        const attachments = event.attachments.map(({ id }) => id).join(',');
        return this.#change(fold, messageId, {
          content: event.content,
          attachments,
          editedAt: '',
          deletedAt: '',
        });
      }
      case 'MessageEdited': {
        if (known === undefined || known.deleted) return;
        const { attachments } = known;
        const edit = { content: event.content, attachments, editedAt: event.at, deletedAt: '' };
        return this.#change(fold, messageId, edit);
      }
      case 'MessageDeleted':
        return this.#delete(fold, event, known);
      case 'ReactionAdded':
        if (known === undefined || known.deleted) return;
        return this.#react(fold, event, seq);
      case 'ReactionRemoved':
        return this.#react(fold, event, null);
    }
  }

  #delete(fold: Fold, event: MessageDeleted, known: ChangingPart | undefined): void {
    const { messageId, erased, at: deletedAt } = event;
    const nothing = { content: '', attachments: '', deletedAt };
    if (erased !== undefined) {
      if (known === undefined) this.#count(fold, messageId, erased);
      this.#change(fold, messageId, { ...nothing, editedAt: '' });
    } else if (known !== undefined && !known.deleted) {
      this.#change(fold, messageId, { ...nothing, editedAt: known.editedAt });
    }
    for (const hash of this.#reactions.get(messageId)?.values() ?? []) fold.reactions -= hash;
    this.#reactions.delete(messageId);
  }

  #count(
    fold: Fold,
    messageId: string,
    { seq, userId, replyTo, at }: { seq: number; userId: string; replyTo: string | null; at: string },
  ): void {
    fold.messages += 1;
    fold.fixed += BigInt(hashOf([messageId, seq, userId, replyTo ?? '', at]));
  }

  #change(
    fold: Fold,
    messageId: string,
    part: { content: string; attachments: string; editedAt: string; deletedAt: string },
  ): void {
    const { content, attachments, editedAt, deletedAt } = part;
    const hash = hashOf([messageId, content, attachments, editedAt, deletedAt]);
    fold.changing += BigInt(hash) - BigInt(this.#changing.get(messageId)?.hash ?? 0);
    this.#changing.set(messageId, { hash, attachments, editedAt, deleted: deletedAt !== '' });
  }

  /** @param seq of the addition; null: removed */
  #react(fold: Fold, event: ReactionAdded | ReactionRemoved, seq: number | null): void {
    const { messageId, emoji, userId } = event;
    const ofMessage = this.#reactions.get(messageId) ?? new Map<string, bigint>();
    this.#reactions.set(messageId, ofMessage);
    const key = `${emoji}\0${userId}`;
    const known = ofMessage.get(key);
    if (seq !== null && known === undefined) {
      const hash = BigInt(hashOf([messageId, emoji, userId, seq]));
      ofMessage.set(key, hash);
      fold.reactions += hash;
    } else if (seq === null && known !== undefined) {
      ofMessage.delete(key);
      fold.reactions -= known;
    }
  }
}

function join(fold: Fold, userIds: readonly string[], seq: number): void {
  for (const userId of userIds) fold.participants.set(userId, seq);
}

export function toDigest(fold: Fold): ConversationDigest {
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
  for (const [userId, joined] of fold.participants) participants += BigInt(hashOf([userId, joined]));
  return {
    messages: fold.messages,
    hash: [hashOf(stateFields), fold.fixed, fold.changing, participants, fold.reactions].join('.'),
  };
}

/** The first 52 bits of the MD5 of the fields: small enough for a number, and computed alike in Postgres. */
function hashOf(fields: readonly (string | number | boolean)[]): number {
  const digest = createHash('md5').update(fields.join(SEPARATOR)).digest('hex');
  return Number.parseInt(digest.slice(0, 13), 16);
}
