import type { ChatEvent, ConversationEvent } from '../../src/domain/conversation/events.ts';
import type { Batch } from '../runner/projection.ts';

/** What a batch of events amounts to in the inboxes. */
export interface InboxChanges {
  /** Each conversation that something happened in. */
  readonly conversations: readonly ConversationActivity[];
  /** The last thing that happened to each participant. */
  readonly participants: readonly MembershipChange[];
  /** The latest post of each user in each conversation. */
  readonly authors: readonly { conversationId: string; userId: string; seq: number }[];
}

export interface ConversationActivity {
  readonly conversationId: string;
  /** Whether anybody may see it; null when no event of the batch says so. */
  readonly open: boolean | null;
  /** The latest time that any of the events names. */
  readonly at: string;
  /** The hour of `at`, see {@link bucketOf}. */
  readonly bucket: number;
}

export interface MembershipChange {
  readonly conversationId: string;
  readonly userId: string;
  readonly member: boolean;
  /** Sequence of the event that says so. */
  readonly seq: number;
}

const HOUR_MS = 3_600_000;

/** Whole hours from 1970 to a time in ISO 8601. */
export function bucketOf(at: string): number {
  return Math.floor(Date.parse(at) / HOUR_MS);
}

/**
 * Reduces events to row changes. Pure, and the outcome does not depend on how the log is cut into batches.
 *
 * An erased message counts from what its tombstone says of it. Everything here is a latest time or a greatest sequence,
 * so it makes no difference that it counted before, when it was still there.
 */
export function projectInbox({ events }: Pick<Batch, 'events'>): InboxChanges {
  const fold = new Fold();
  for (const { seq, event } of events) {
    const posted = postOf(seq, event);
    if (posted !== null) fold.post(event.conversationId, posted);
    else if ('state' in event) fold.change(event, seq);
  }
  return fold.changes();
}

interface Post {
  readonly seq: number;
  readonly userId: string;
  readonly at: string;
}

/** The message that an event posts, or says to have been posted; null for all others. */
function postOf(seq: number, event: ChatEvent): Post | null {
  if (event.type === 'MessagePosted') return { seq, userId: event.userId, at: event.at };
  return event.type === 'MessageDeleted' ? (event.erased ?? null) : null;
}

class Fold {
  readonly #conversations = new Map<string, { open: boolean | null; at: string }>();
  readonly #participants = new Map<string, MembershipChange>();
  readonly #authors = new Map<string, { conversationId: string; userId: string; seq: number }>();

  post(conversationId: string, { seq, userId, at }: Post): void {
    this.#active(conversationId, at, null);
    const key = `${conversationId}\0${userId}`;
    const known = this.#authors.get(key)?.seq ?? 0;
    if (seq > known) this.#authors.set(key, { conversationId, userId, seq });
  }

  change(event: ConversationEvent, seq: number): void {
    const { conversationId } = event;
    this.#active(conversationId, event.at, event.state.visibility === 'open');
    for (const { userId, member } of memberships(event)) {
      this.#participants.set(`${conversationId}\0${userId}`, { conversationId, userId, member, seq });
    }
  }

  changes(): InboxChanges {
    const conversations = [...this.#conversations].map(([conversationId, { open, at }]) => {
      return { conversationId, open, at, bucket: bucketOf(at) };
    });
    return {
      conversations,
      participants: [...this.#participants.values()],
      authors: [...this.#authors.values()],
    };
  }

  /** Times are ISO 8601 in UTC with milliseconds, so the order of the text is the order of time. */
  #active(conversationId: string, at: string, open: boolean | null): void {
    const known = this.#conversations.get(conversationId);
    const latest = known !== undefined && known.at > at ? known.at : at;
    this.#conversations.set(conversationId, { open: open ?? known?.open ?? null, at: latest });
  }
}

function memberships(event: ConversationEvent): { userId: string; member: boolean }[] {
  const all = (userIds: readonly string[], member: boolean) => userIds.map((userId) => ({ userId, member }));
  switch (event.type) {
    case 'ConversationCreated':
      return all(event.state.participantIds, true);
    case 'ParticipantAdded':
      return all(event.participantIds, true);
    case 'ParticipantRemoved':
      return all(event.participantIds, false);
    case 'ConversationRenamed':
    case 'ConversationArchived':
      return [];
  }
}
