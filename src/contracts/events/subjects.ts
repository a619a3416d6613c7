import type { EventCategory } from '../../domain/conversation/events.ts';

/** Subjects of the log: `chat.events.<partition>.<conversationId>.<category>`. */
export const EVENTS_PREFIX = 'chat.events.';
export const EVENTS_STREAM = 'CHAT_EVENTS';

/** Never changes: a conversation's events must stay together however many workers there are. */
export const PARTITIONS = 64;

/**
 * The partition of a conversation: 32-bit FNV-1a of its id, modulo {@link PARTITIONS}. The one place that
 * computes it. Ids are ASCII, so code units are bytes.
 * Source: http://www.isthe.com/chongo/tech/comp/fnv/ (offset basis 2166136261, prime 16777619).
 */
export function partitionOf(conversationId: string): number {
  let hash = 2_166_136_261;
  for (let i = 0; i < conversationId.length; i++) {
    hash = Math.imul(hash ^ conversationId.charCodeAt(i), 16_777_619);
  }
  return (hash >>> 0) % PARTITIONS;
}

/**
 * Partitions belong to groups, each projected by one worker at a time and with a checkpoint of its own. A read model's
 * checkpoints are by group, so this number is fixed for the read models that exist: another one means to rebuild them.
 */
export const PARTITION_GROUPS = 4;

export function groupOf(conversationId: string): number {
  return partitionOf(conversationId) % PARTITION_GROUPS;
}

export function eventSubject(conversationId: string, category: EventCategory): string {
  return `${EVENTS_PREFIX}${partitionOf(conversationId)}.${conversationId}.${category}`;
}

/** All events of one conversation, both categories. */
export function conversationSubjects(conversationId: string): string {
  return `${EVENTS_PREFIX}${partitionOf(conversationId)}.${conversationId}.*`;
}

export interface EventSubject {
  readonly partition: number;
  readonly conversationId: string;
  readonly category: EventCategory;
}

/**
 * Takes a subject of the log apart; `null` for any other. Called once for every event that passes, so it slices
 * by position instead of splitting.
 */
export function parseEventSubject(subject: string): EventSubject | null {
  if (!subject.startsWith(EVENTS_PREFIX)) return null;
  const afterPartition = subject.indexOf('.', EVENTS_PREFIX.length);
  const afterId = subject.indexOf('.', afterPartition + 1);
  if (afterPartition < 0 || afterId < 0) return null;
  const category = subject.slice(afterId + 1);
  if (category !== 'message' && category !== 'conversation') return null;
  const partition = Number(subject.slice(EVENTS_PREFIX.length, afterPartition));
  return { partition, conversationId: subject.slice(afterPartition + 1, afterId), category };
}

/** Plain subject on which a projection announces its checkpoint after every commit. */
export function checkpointSubject(projection: string): string {
  return `chat.projections.${projection}.checkpoint`;
}

/**
 * Plain subjects of signals, which no stream stores: `chat.signals.typing.<conversationId>`,
 * `chat.signals.presence.announcement` and `chat.signals.presence.request`.
 */
export const SIGNALS_PREFIX = 'chat.signals.';
/** Every signal: what each process subscribes to, once. */
export const SIGNALS_SUBJECTS = `${SIGNALS_PREFIX}>`;
export const PRESENCE_ANNOUNCEMENT_SUBJECT = `${SIGNALS_PREFIX}presence.announcement`;
export const PRESENCE_REQUEST_SUBJECT = `${SIGNALS_PREFIX}presence.request`;
const TYPING_PREFIX = `${SIGNALS_PREFIX}typing.`;

export function typingSubject(conversationId: string): string {
  return TYPING_PREFIX + conversationId;
}

/** The conversation that a typing subject names, unchecked; `null` for any other subject. */
export function typingConversation(subject: string): string | null {
  return subject.startsWith(TYPING_PREFIX) ? subject.slice(TYPING_PREFIX.length) : null;
}
