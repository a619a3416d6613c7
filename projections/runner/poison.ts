import type { LoggedEvent } from './projection.ts';

/** An event that cannot be projected, the first of its conversation. */
export interface Poison {
  readonly conversationId: string;
  readonly seq: number;
  readonly error: string;
}

/** Tries events, without effect. @returns why they cannot be projected, null when they can */
export type Probe = (events: readonly LoggedEvent[]) => Promise<string | null>;

/**
 * Finds out which conversations of a batch cannot be projected, and from which of their events on. Halves the batch by
 * conversation, so that one bad conversation among a thousand costs some twenty tries. When what remains is fine apart
 * and not together (two conversations claim the same message, say), the later one is to blame.
 */
export async function findPoison(events: readonly LoggedEvent[], probe: Probe): Promise<Poison[]> {
  const found = new Map<string, Poison>();
  for (let rest = events; (await probe(rest)) !== null; rest = before(found, events)) {
    const apart = await among(byConversation(rest), probe);
    const together = apart.length > 0 ? null : await firstPoison(rest, probe);
    for (const poison of together === null ? apart : [together]) found.set(poison.conversationId, poison);
    if (apart.length === 0 && together === null) break;
  }
  return [...found.values()];
}

/** Those of the events that come before any poison in their conversation. */
export function before(
  poison: ReadonlyMap<string, Pick<Poison, 'seq'>>,
  events: readonly LoggedEvent[],
): LoggedEvent[] {
  return events.filter(
    ({ seq, event }) => seq < (poison.get(event.conversationId)?.seq ?? Number.POSITIVE_INFINITY),
  );
}

function byConversation(events: readonly LoggedEvent[]): LoggedEvent[][] {
  const conversations = new Map<string, LoggedEvent[]>();
  for (const logged of events) {
    const { conversationId } = logged.event;
    const known = conversations.get(conversationId);
    if (known === undefined) conversations.set(conversationId, [logged]);
    else known.push(logged);
  }
  return [...conversations.values()];
}

async function among(conversations: readonly LoggedEvent[][], probe: Probe): Promise<Poison[]> {
  if (conversations.length === 0) return [];
  const [only] = conversations;
  if (conversations.length === 1 && only !== undefined) {
    const poison = await firstPoison(only, probe);
    return poison === null ? [] : [poison];
  }
  const inOrder = conversations.flat().sort((a, b) => a.seq - b.seq);
  if ((await probe(inOrder)) === null) return [];
  const half = Math.ceil(conversations.length / 2);
  return [
    ...(await among(conversations.slice(0, half), probe)),
    ...(await among(conversations.slice(half), probe)),
  ];
}

/**
 * The event without which those before it can be projected: the end of the shortest beginning that cannot. `null` when
 * all of them can.
 */
export async function firstPoison(events: readonly LoggedEvent[], probe: Probe): Promise<Poison | null> {
  let error = await probe(events);
  if (error === null) return null;
  let fine = 0;
  let bad = events.length;
  while (bad - fine > 1) {
    const middle = Math.floor((fine + bad) / 2);
    const reason = await probe(events.slice(0, middle));
    if (reason === null) fine = middle;
    else {
      bad = middle;
      error = reason;
    }
  }
  const first = events[bad - 1];
  if (first === undefined) return null;
  const { seq, event } = first;
  const what = `Event ${seq} (${event.type}) of ${event.conversationId} cannot be projected: ${error}`;
  return { conversationId: event.conversationId, seq, error: what };
}
