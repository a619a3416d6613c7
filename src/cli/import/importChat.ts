import { setTimeout as pause } from 'node:timers/promises';
import { changeConversation } from '../../application/commands/conversationCommand.ts';
import { postMessage } from '../../application/commands/postMessage.ts';
import type { ApplicationContext } from '../../application/context.ts';
import { ChatError } from '../../contracts/errors.ts';
import { derivedConversationId, digest } from '../../platform/ids.ts';
import { jittered } from '../../platform/time/jitter.ts';
import { readEvents } from '../../ports/readEvents.ts';
import type { ImportLine } from './importLines.ts';

export interface NumberedLine {
  readonly line: ImportLine;
  /** How much of the file has been read, 0 to 1. */
  readonly fraction: number;
}

export interface ImportResult {
  readonly messages: number;
  /** Of these, how many the log had already. */
  readonly alreadyThere: number;
  readonly conversations: number;
}

/** Who creates the conversations of an import. */
const IMPORTER = 'import';
/** Messages in flight, at most: more than the publish window, so that it never runs dry. */
const IN_FLIGHT_MAX = 2_048;
/** How often a message whose outcome is unknown, or that the log could not take, is tried again. */
const ATTEMPTS_MAX = 30;

interface Room {
  readonly conversationId: string;
  /** Ids of the messages that the log held before this import began. */
  readonly known: ReadonlySet<string>;
  /** How often the very same line has come: people do say the same thing twice in a minute. */
  readonly repeats: Map<string, number>;
}

/**
 * Posts every line as a message, through the same command as everybody's. A room becomes an open conversation whose id
 * follows from its name, a line a message whose id follows from what it says: importing again, or going on after a
 * crash, posts only what is not there yet.
 *
 * @throws ChatError when the log stays unavailable
 */
export async function importChat(
  context: ApplicationContext,
  lines: AsyncIterable<NumberedLine>,
  onProgress: (fraction: number, messages: number) => void,
): Promise<ImportResult> {
  const rooms = new Map<string, Room>();
  const inFlight = new InFlight(IN_FLIGHT_MAX);
  let messages = 0;
  let alreadyThere = 0;
  for await (const { line, fraction } of lines) {
    const room = rooms.get(line.room) ?? (await openRoom(context, line));
    rooms.set(line.room, room);
    messages += 1;
    const clientMessageId = lineId(room, line);
    const { conversationId } = room;
    const messageId = context.ids.messageId(conversationId, line.user, clientMessageId);
    if (room.known.has(messageId)) alreadyThere += 1;
    else await inFlight.add(() => postLine(context, conversationId, clientMessageId, line));
    onProgress(fraction, messages);
  }
  await inFlight.all();
  return { messages, alreadyThere, conversations: rooms.size };
}

async function openRoom(context: ApplicationContext, line: ImportLine): Promise<Room> {
  const conversationId = derivedConversationId(IMPORTER, line.room);
  const { state } = await context.conversations.loadFresh(conversationId);
  if (state !== null)
    return { conversationId, known: await knownMessages(context, conversationId), repeats: new Map() };
  const command = {
    type: 'CreateConversation',
    conversationId,
    userId: IMPORTER,
    at: new Date(line.at).toISOString(),
    title: line.room,
    visibility: 'open',
    participantIds: [],
  } as const;
  await changeConversation(context, command);
  return { conversationId, known: new Set(), repeats: new Map() };
}

async function knownMessages(context: ApplicationContext, conversationId: string): Promise<Set<string>> {
  const known = new Set<string>();
  const latest = await context.log.latest(conversationId, 'message');
  const range = { conversationId, category: 'message', after: 0, headersOnly: true } as const;
  for await (const event of readEvents(context.feed, { ...range, until: latest?.seq ?? 0 })) {
    const key = event.idempotencyKey();
    if (key !== null) known.add(key);
  }
  return known;
}

/** The same line of the same room gets the same id each time the file is imported. */
function lineId(room: Room, line: ImportLine): string {
  const content = digest(line.at, line.user, line.text, ...line.attachments);
  const repeat = (room.repeats.get(content) ?? 0) + 1;
  room.repeats.set(content, repeat);
  return `${content}-${repeat}`;
}

async function postLine(
  context: ApplicationContext,
  conversationId: string,
  clientMessageId: string,
  line: ImportLine,
): Promise<void> {
  const at = new Date(line.at).toISOString();
  const { user: userId, text: content, attachments } = line;
  const message = { conversationId, userId, content, attachments, clientMessageId, at };
  for (let attempt = 1; ; attempt++) {
    try {
      await postMessage(context, message);
      return;
    } catch (error) {
      if (!(error instanceof ChatError) || !error.retryable || attempt === ATTEMPTS_MAX) throw error;
      await pause(jittered(error.retryAfterMs ?? 500, 0.5, Math.random));
    }
  }
}

/** Lets a bounded number of promises be in flight; the first failure is everybody's. */
class InFlight {
  readonly #max: number;
  #count = 0;
  #failure: { error: unknown } | null = null;
  #wake: (() => void) | null = null;

  constructor(max: number) {
    this.#max = max;
  }

  /** Begins `work` as soon as there is room. */
  async add(work: () => Promise<void>): Promise<void> {
    await this.#until(() => this.#count < this.#max);
    this.#count += 1;
    void work()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#count -= 1;
        this.#wake?.();
      });
  }

  all(): Promise<void> {
    return this.#until(() => this.#count === 0);
  }

  async #until(condition: () => boolean): Promise<void> {
    while (this.#failure === null && !condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failure !== null) throw this.#failure.error;
  }
}
