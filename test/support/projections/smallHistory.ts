import fc from 'fast-check';
import type { ChatEvent } from '../../../src/domain/conversation/events.ts';

const USERS = ['alice', 'bob', 'carol', 'dave'];
/** Of different partition groups. */
export const CONVERSATION_PAIR = ['c_aaaaaaaaaaaaaaaaaaaaa', 'c_bbbbbbbbbbbbbbbbbbbbb'] as const;
export const numberedMessageId = (n: number) => `m_${String(n).padStart(22, '0')}`;
const at = (n: number) => new Date(1_700_000_000_000 + n * 1_000).toISOString();

/** One step of a random history: always events that the domain could have decided on, repeats included. */
export type SmallStep = readonly [kind: number, conversation: number, user: number, message: number];
export const smallStep: fc.Arbitrary<SmallStep> = fc.tuple(fc.nat(5), fc.nat(1), fc.nat(3), fc.nat(12));

/** Two conversations, and what comes of these steps in them; steps that could not happen are left out. */
export function smallHistory(steps: readonly SmallStep[]): ChatEvent[] {
  const story = new Story();
  for (const [n, step] of steps.entries()) story.take(n, step);
  return story.events;
}

class Story {
  readonly events: ChatEvent[] = [];
  readonly #members = CONVERSATION_PAIR.map(() => new Set(['alice']));

  constructor() {
    for (const [c, conversationId] of CONVERSATION_PAIR.entries()) {
      const base = { v: 1 as const, conversationId, userId: 'alice', at: at(0) };
      this.events.push({ type: 'ConversationCreated', ...base, state: this.#state(c, 'created') });
    }
  }

  take(n: number, [kind, c, u, m]: SmallStep): void {
    const userId = USERS[u] ?? '';
    const base = { v: 1 as const, conversationId: CONVERSATION_PAIR[c] ?? '', userId, at: at(n) };
    const messageId = numberedMessageId(m * 2 + c);
    const isThere = this.events.some((event) => 'messageId' in event && event.messageId === messageId);
    if (kind <= 1) {
      const author = USERS[m % 4] ?? '';
      const content = { clientMessageId: `k${m}`, content: `message ${m}`, replyTo: null, attachments: [] };
      this.events.push({ type: 'MessagePosted', ...base, userId: author, messageId, ...content });
    } else if (kind === 2 && isThere)
      this.events.push({ type: 'MessageEdited', ...base, messageId, content: `edit ${n}` });
    else if (kind === 3 && isThere) this.events.push({ type: 'MessageDeleted', ...base, messageId });
    else if (kind === 4 || kind === 5) this.#changeMember(c, kind === 4, base);
  }

  #changeMember(c: number, add: boolean, base: Omit<ChatEvent, 'type' | 'state'>): void {
    const members = this.#members[c];
    const { userId } = base;
    if (members === undefined || members.has(userId) === add) return;
    if (add) members.add(userId);
    else members.delete(userId);
    const type = add ? 'ParticipantAdded' : 'ParticipantRemoved';
    const state = this.#state(c, add ? 'added' : 'removed');
    this.events.push({ type, ...base, participantIds: [userId], state });
  }

  #state(c: number, title: string) {
    return {
      title,
      visibility: 'open' as const,
      participantIds: [...(this.#members[c] ?? [])],
      createdBy: 'alice',
      createdAt: at(0),
      archived: false,
    };
  }
}
