import { LRUCache } from 'lru-cache';
import { ChatError } from '../../contracts/errors.ts';
import type { ReceiptLog } from '../../ports/receipts.ts';
import type { Timers } from '../../ports/timers.ts';
import { asChatError } from '../chatErrors.ts';
import { type ApplicationContext, timestamp } from '../context.ts';
import { viewConversation } from '../reading/viewConversation.ts';

export interface ReadMarksOptions {
  readonly application: Pick<ApplicationContext, 'conversations' | 'log' | 'clock'>;
  readonly receipts: ReceiptLog;
  readonly timers: Timers;
  /** Users and conversations that are remembered, at most. Default 50,000. */
  readonly pairsMax?: number;
}

export interface MarkRead {
  readonly conversationId: string;
  readonly userId: string;
  /** The last event that was read; one beyond the conversation's latest message counts as that. */
  readonly seq: number;
}

/** Time between two receipts of a user who scrolls, at least, in milliseconds. */
const MARK_MS_MIN = 250;
/** Marks that wait to be published, at most. */
const WAITING_MAX = 50_000;

interface Mark {
  wanted: number;
  marked: number;
  markedAtMs: number;
  /** Resolves when what was wanted by then is marked. */
  waiting: Promise<void> | null;
}

/**
 * Marks how far users have read. What comes faster than one mark in 250 ms for a user and conversation is put together:
 * the newest is marked, and all who asked are answered with it. No mark is set before one that was set here earlier.
 */
export class ReadMarks {
  readonly #options: ReadMarksOptions;
  readonly #marks: LRUCache<string, Mark>;
  #waiting = 0;

  constructor(options: ReadMarksOptions) {
    this.#options = options;
    this.#marks = new LRUCache({ max: options.pairsMax ?? 50_000 });
  }

  /**
   * @returns how far the user has read now
   * @throws ChatError not_found, log_unavailable, overloaded or unknown_outcome
   */
  async mark({ conversationId, userId, seq }: MarkRead): Promise<{ seq: number }> {
    await viewConversation(this.#options.application, conversationId, userId);
    const key = `${conversationId} ${userId}`;
    const mark = this.#marks.get(key) ?? newMark();
    this.#marks.set(key, mark);
    mark.wanted = Math.max(mark.wanted, seq);
    if (mark.wanted > mark.marked) {
      mark.waiting ??= this.#publishSoon(mark, conversationId, userId);
      await mark.waiting;
    }
    return { seq: mark.marked };
  }

  async #publishSoon(mark: Mark, conversationId: string, userId: string): Promise<void> {
    if (this.#waiting >= WAITING_MAX) {
      throw new ChatError('overloaded', 'Too many receipts are waiting; try again in a moment.');
    }
    this.#waiting += 1;
    try {
      await this.#pause(mark.markedAtMs + MARK_MS_MIN - this.#options.application.clock.nowMs());
      await this.#publish(mark, conversationId, userId);
    } catch (error) {
      // What could not be marked is not wanted any more: the client asks again.
      mark.wanted = mark.marked;
      throw asChatError(error);
    } finally {
      this.#waiting -= 1;
    }
  }

  async #publish(mark: Mark, conversationId: string, userId: string): Promise<void> {
    const { application, receipts } = this.#options;
    // From here on, a greater mark waits for the next receipt.
    const wanted = mark.wanted;
    mark.waiting = null;
    mark.markedAtMs = application.clock.nowMs();
    const latest = await application.log.latest(conversationId, 'message');
    const seq = Math.min(wanted, latest?.seq ?? 0);
    if (seq > mark.marked) {
      await receipts.mark({ conversationId, userId, seq, at: timestamp(application) });
      mark.marked = Math.max(mark.marked, seq);
    }
    if (mark.wanted === wanted) mark.wanted = mark.marked;
  }

  #pause(ms: number): Promise<void> {
    if (ms <= 0) return Promise.resolve();
    return new Promise((resolve) => this.#options.timers.after(ms, resolve));
  }
}

function newMark(): Mark {
  return { wanted: 0, marked: 0, markedAtMs: Number.NEGATIVE_INFINITY, waiting: null };
}
