import { LRUCache } from 'lru-cache';
import { ChatError } from '../../contracts/errors.ts';
import { tryDecodeEvent } from '../../contracts/events/events.ts';
import type { MessageView } from '../../contracts/http/answers/messages.ts';
import type { MessagesQuestion } from '../../contracts/http/messagesQuestion.ts';
import { readEvents } from '../../ports/readEvents.ts';
import { asChatError } from '../chatErrors.ts';
import { ConcurrencyLimit } from '../concurrencyLimit.ts';
import type { ApplicationContext } from '../context.ts';
import { MessageFold } from './messageFold.ts';

export interface LogHistoryPage {
  /** A JSON array of `MessageView`, oldest first. */
  readonly messagesJson: string;
  /** Whether there are more in the direction that was asked for. */
  readonly hasMore: boolean;
}

export interface LogHistoryOptions {
  readonly log: ApplicationContext['log'];
  readonly feed: ApplicationContext['feed'];
  /** Reads of the log at a time, at most. Default 8. */
  readonly readsMax?: number;
  /** Events of one conversation that are gone through for a page, at most. Default 20,000. */
  readonly eventsMax?: number;
  /** How long one page may take, in milliseconds. Default 2,000. */
  readonly pageMsMax?: number;
  /** How far back in the log the first read goes; each further one goes sixteen times as far. Default 256. */
  readonly lookBackEvents?: number;
}

/** What these events may hold together, for one page; times the reads at a time, what all of this may hold. */
const PAGE_EVENTS_BYTES_MAX = 8 * 1_024 ** 2;
/** Pages stay for those who ask the same until something new is said, as much as this of them. */
const KEPT_BYTES_MAX = 16 * 1_024 ** 2;
const KEPT_OVERHEAD_BYTES = 256;
/** Reads that wait, at most, and for how long, in milliseconds. */
const QUEUED_MAX = 1_000;
const QUEUED_MS_MAX = 3_000;

/** What a page may still cost. */
interface Budget {
  events: number;
  bytes: number;
  readonly untilMs: number;
}

interface KeptPage extends LogHistoryPage {
  /** Of the conversation, when it was read. */
  readonly head: number;
}

/**
 * History read from the log alone, for when the database cannot answer. It shows what the read model `history` would, as
 * far back as a bounded read reaches: the events after the page's first message are read up to the
 * conversation's end, because any of them may edit or delete one of the page. One thing it cannot know: that a message is the
 * late repeat of one that lies further back than it has read. Clients tell such a repeat by its id, as they do live.
 *
 * Everybody's history asks for this at once when the database goes, so reads are shared by those who ask the same, kept
 * until the conversation goes on, and bounded in number.
 */
export class LogHistory {
  readonly #options: Required<LogHistoryOptions>;
  readonly #kept = new LRUCache<string, KeptPage>({
    maxSize: KEPT_BYTES_MAX,
    sizeCalculation: ({ messagesJson }) => KEPT_OVERHEAD_BYTES + 2 * messagesJson.length,
  });
  /** As many as the limit runs and lets wait, at most. */
  readonly #inFlight = new Map<string, Promise<LogHistoryPage>>();
  readonly #limit: ConcurrencyLimit;

  constructor(options: LogHistoryOptions) {
    this.#options = { readsMax: 8, eventsMax: 20_000, pageMsMax: 2_000, lookBackEvents: 256, ...options };
    this.#limit = new ConcurrencyLimit({
      activeMax: this.#options.readsMax,
      queuedMax: QUEUED_MAX,
      queuedMsMax: QUEUED_MS_MAX,
      overloaded: 'Too many ask for history while the database is away; try again in a moment.',
    });
  }

  /**
   * @param options.fresh whatever was acknowledged before this call is in the page; otherwise it may be of a read that was
   *   under way already
   * @throws ChatError database_unavailable when the page is too far back to be read from the log; log_unavailable,
   *   overloaded
   */
  read(question: MessagesQuestion, options: { readonly fresh: boolean }): Promise<LogHistoryPage> {
    const key = `${question.conversationId} ${question.before} ${question.after} ${question.limit}`;
    if (options.fresh) return this.#limit.run(() => this.#read(key, question));
    const inFlight = this.#inFlight.get(key);
    if (inFlight !== undefined) return inFlight;
    const page = this.#limit.run(() => this.#read(key, question)).finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, page);
    return page;
  }

  async #read(key: string, question: MessagesQuestion): Promise<LogHistoryPage> {
    try {
      const head = (await this.#options.log.latest(question.conversationId, 'message'))?.seq ?? 0;
      const kept = this.#kept.get(key);
      if (kept?.head === head) return kept;
      const page = await this.#search(question, head);
      this.#kept.set(key, { ...page, head });
      return page;
    } catch (cause) {
      throw asChatError(cause);
    }
  }

  /** Goes back in growing stretches until there is enough: a busy conversation has it in a short one. */
  async #search(question: MessagesQuestion, head: number): Promise<LogHistoryPage> {
    const { after, limit } = question;
    const { eventsMax, pageMsMax } = this.#options;
    const untilMs = performance.now() + pageMsMax;
    const budget = { events: eventsMax, bytes: PAGE_EVENTS_BYTES_MAX, untilMs };
    if (after !== undefined) {
      const found = await this.#fold(question, after, head, budget);
      return toPage(found.slice(0, limit), found.length > limit);
    }
    const end = Math.min(question.before ?? head + 1, head + 1);
    for (let stretch = this.#options.lookBackEvents; ; stretch *= 16) {
      const from = Math.max(0, end - 1 - stretch);
      const found = (await this.#fold(question, from, head, budget)).filter(({ seq }) => seq < end);
      if (found.length > limit || from === 0) return toPage(found.slice(-limit), found.length > limit);
    }
  }

  async #fold(
    { conversationId }: MessagesQuestion,
    after: number,
    until: number,
    budget: Budget,
  ): Promise<MessageView[]> {
    const fold = new MessageFold(after);
    const range = {
      conversationId,
      category: 'message',
      after,
      until,
      timeoutMs: this.#options.pageMsMax,
    } as const;
    for await (const { seq, bytes } of readEvents(this.#options.feed, range)) {
      // What cannot be read parks its conversation in the read model, and is reported there; here the rest is worth more.
      const event = tryDecodeEvent(bytes, seq, { skipUnknown: true });
      if (event !== null) fold.add(seq, event);
      budget.events -= 1;
      budget.bytes -= bytes.length;
      if (isSpent(budget)) throw tooFarBack();
    }
    return fold.messages();
  }
}

function toPage(messages: readonly MessageView[], hasMore: boolean): LogHistoryPage {
  return { messagesJson: JSON.stringify(messages), hasMore };
}

function isSpent({ events, bytes, untilMs }: Budget): boolean {
  return events < 0 || bytes < 0 || performance.now() > untilMs;
}

function tooFarBack(): ChatError {
  const detail =
    'The database does not answer, and this part of the history is too far back to be read from the log.';
  return new ChatError('database_unavailable', detail);
}
