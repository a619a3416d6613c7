import fc from 'fast-check';
import type { ChatEvent, MessagePosted } from '../../../src/domain/conversation/events.ts';

/** A log as it is before anything was taken out of it. An event's sequence is its index plus one. */
export interface RandomHistory {
  readonly events: readonly ChatEvent[];
  /** Sequences that the log may or may not hold any more: erased messages and their edits. */
  readonly erased: readonly number[];
}

/** One step: what happens, in which conversation, who does it, to which message, and how many minutes later. */
export type Step = readonly [
  kind: StepKind,
  conversation: number,
  user: number,
  message: number,
  minutes: number,
];

const KINDS = [
  'post',
  'edit',
  'delete',
  'erase',
  'react',
  'unreact',
  'add',
  'remove',
  'rename',
  'archive',
] as const;
export type StepKind = (typeof KINDS)[number];

export const USERS = ['alice', 'bob', 'carol', 'dave'] as const;
/** Of different partition groups, the last two of the same; the second is closed. */
export const CONVERSATIONS = [
  'c_aaaaaaaaaaaaaaaaaaaaa',
  'c_bbbbbbbbbbbbbbbbbbbbb',
  'c_ddddddddddddddddddddd',
  'c_hhhhhhhhhhhhhhhhhhhhh',
] as const;
const MESSAGES_PER_CONVERSATION = 8;
const START_MS = Date.parse('2026-03-01T10:20:00.000Z');

export const messageIdOf = (conversation: number, message: number) =>
  `m_${String(conversation * 1_000 + message).padStart(22, '0')}`;

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.oneof(
    { weight: 10, arbitrary: fc.constant('post' as const) },
    { weight: 10, arbitrary: fc.constantFrom(...KINDS) },
  ),
  fc.nat(CONVERSATIONS.length - 1),
  fc.nat(USERS.length - 1),
  fc.nat(MESSAGES_PER_CONVERSATION - 1),
  // Clocks of different servers: a later event may name an earlier time.
  fc.oneof(fc.integer({ min: -30, max: 30 }), fc.integer({ min: 0, max: 300 })),
);

/** As many steps as said: by default fast-check rarely makes more than ten, and most would be about nothing posted yet. */
const steps = fc.array(step, { minLength: 1, maxLength: 80, size: 'max' });

/** Any history that the domain could have decided on, repeated posts and late edits included. */
export const randomHistory: fc.Arbitrary<RandomHistory> = steps.map(historyOf);

/** The same without repeated posts, which only those recognise who have read the first. */
export const randomHistoryWithoutRepeats: fc.Arbitrary<RandomHistory> = steps.map((all) => {
  const posted = new Set<string>();
  const isFirst = ([kind, conversation, , message]: Step) => {
    if (kind !== 'post') return true;
    const key = messageIdOf(conversation, message);
    return !posted.has(key) && posted.add(key).has(key);
  };
  return historyOf(all.filter(isFirst));
});

/** Where a log is cut into batches: how many events each has; the last one is repeated as often as needed. */
export const batchSizes: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 1, max: 30 }), {
  minLength: 1,
  maxLength: 8,
});

/**
 * Some of what is erased, as it is while erasing is under way: a message goes last, so not before its repeats.
 *
 * @param isGone for each of them in turn, from the start again when there are more
 */
export function partlyErased({ events, erased }: RandomHistory, isGone: readonly boolean[]): number[] {
  const gone = erased.filter((_, index) => isGone[index % isGone.length]);
  const isRepeated = (seq: number) => {
    const first = events[seq - 1];
    return events.some(
      (event, index) =>
        first?.type === 'MessagePosted' &&
        event.type === 'MessagePosted' &&
        event.messageId === first.messageId &&
        index + 1 > seq,
    );
  };
  return gone.filter((seq) => !isRepeated(seq));
}

/** The log with a hole where an event was taken out. */
export function withoutEvents(history: RandomHistory, seqs: readonly number[]): (ChatEvent | null)[] {
  return history.events.map((event, index) => (seqs.includes(index + 1) ? null : event));
}

/** What comes of these steps; steps that could not happen are left out. */
export function historyOf(steps: readonly Step[]): RandomHistory {
  const story = new Story();
  for (const next of steps) story.take(next);
  return { events: story.events, erased: [...story.erased].sort((a, b) => a - b) };
}

class Story {
  readonly events: ChatEvent[] = [];
  readonly erased = new Set<number>();
  readonly #members = CONVERSATIONS.map(() => new Set<string>(['alice']));
  readonly #archived = CONVERSATIONS.map(() => false);
  #nowMs = START_MS;

  constructor() {
    for (const c of CONVERSATIONS.keys()) {
      this.events.push({ type: 'ConversationCreated', ...this.#base(c, 'alice'), state: this.#state(c) });
    }
  }

  take([kind, c, u, m, minutes]: Step): void {
    this.#nowMs += minutes * 60_000;
    const user = USERS[u] ?? 'alice';
    if (kind === 'add' || kind === 'remove') this.#changeMember(kind, c, user);
    else if (kind === 'rename' || kind === 'archive') this.#changeState(kind, c);
    else this.#changeMessage(kind, c, user, m);
  }

  #changeMember(kind: 'add' | 'remove', c: number, user: string): void {
    const members = this.#members[c];
    if (members === undefined || members.has(user) === (kind === 'add')) return;
    if (kind === 'add') members.add(user);
    else members.delete(user);
    const type = kind === 'add' ? 'ParticipantAdded' : 'ParticipantRemoved';
    this.events.push({ type, ...this.#base(c, user), participantIds: [user], state: this.#state(c) });
  }

  #changeState(kind: 'rename' | 'archive', c: number): void {
    if (kind === 'archive') this.#archived[c] = !this.#archived[c];
    const type = kind === 'rename' ? 'ConversationRenamed' : 'ConversationArchived';
    this.events.push({ type, ...this.#base(c, 'alice'), state: this.#state(c) });
  }

  #changeMessage(kind: StepKind, c: number, user: string, m: number): void {
    const messageId = messageIdOf(c, m);
    const base = { ...this.#base(c, user), messageId };
    const first = this.events.findIndex(
      (event) => event.type === 'MessagePosted' && event.messageId === messageId,
    );
    if (kind === 'post') this.#post(c, m, messageId);
    else if (first < 0) return;
    else if (kind === 'edit')
      this.events.push({ type: 'MessageEdited', ...base, content: this.#text('edit') });
    else if (kind === 'delete') this.events.push({ type: 'MessageDeleted', ...base });
    else if (kind === 'erase') this.#erase(base, first);
    else {
      const type = kind === 'react' ? 'ReactionAdded' : 'ReactionRemoved';
      this.events.push({ type, ...base, emoji: '👍' });
    }
  }

  /** A message has one author; a repeat of it is another event with the same id. */
  #post(c: number, m: number, messageId: string): void {
    const content = this.#text('message');
    const rest = { messageId, clientMessageId: `k${m}`, content, replyTo: null, attachments: [] };
    this.events.push({
      type: 'MessagePosted',
      ...this.#base(c, USERS[m % USERS.length] ?? 'alice'),
      ...rest,
    });
  }

  #erase(
    base: Omit<MessagePosted, 'type' | 'clientMessageId' | 'content' | 'replyTo' | 'attachments'>,
    first: number,
  ) {
    const post = this.events[first];
    if (post?.type !== 'MessagePosted') throw new Error('Only a posted message can be erased');
    const { userId, replyTo, at } = post;
    this.erased.add(first + 1);
    for (const [index, event] of this.events.entries()) {
      if (event.type === 'MessageEdited' && event.messageId === post.messageId) this.erased.add(index + 1);
    }
    this.events.push({ type: 'MessageDeleted', ...base, erased: { seq: first + 1, userId, replyTo, at } });
  }

  #text(what: string): string {
    return `${what} ${this.events.length} word${this.events.length % 5} <b>`;
  }

  #base(c: number, userId: string) {
    const conversationId = CONVERSATIONS[c] ?? CONVERSATIONS[0];
    return { v: 1 as const, conversationId, userId, at: new Date(this.#nowMs).toISOString() };
  }

  #state(c: number) {
    return {
      title: `title ${this.events.length}`,
      visibility: c === 1 ? ('members' as const) : ('open' as const),
      participantIds: [...(this.#members[c] ?? [])],
      createdBy: 'alice',
      createdAt: new Date(START_MS).toISOString(),
      archived: this.#archived[c] ?? false,
    };
  }
}
