import { Alarm } from './clock.ts';
import {
  OutcomeUnknownError,
  RequestQueueFullError,
  RequestRefusedError,
  RequestTimeoutError,
} from './errors.ts';
import type { Settings } from './options.ts';
import type { ChangedFrame, ClientFrame, ErrorFrame, PresenceAnswerFrame } from './protocol.ts';

/** What a request is answered with, unless it is refused. */
export type AnswerFrame = ChangedFrame | PresenceAnswerFrame;

/** Something that is asked for and answered, of which the server cannot tell a repeat from a second one. */
export interface Request {
  /** For messages of errors. */
  readonly what: string;
  /** Whether it changes anything. A question does not, and is asked again after a lost connection. */
  readonly isChange: boolean;
  frame(id: number): ClientFrame;
  /** @returns whether this is an answer to it */
  onAnswer(frame: AnswerFrame): boolean;
  onFail(error: Error): void;
}

/** What the queue needs of its client. */
export interface RequestLink {
  isOpen(): boolean;
  nextRequestId(): number;
  send(frame: ClientFrame): boolean;
}

interface Entry {
  readonly request: Request;
  readonly deadlineAtMs: number;
  /** The number it was sent under on this connection; null while it waits for one. */
  id: number | null;
}

/**
 * Changes and questions that are not answered yet, at most `requestsMax` of them.
 *
 *                 send                  answer, error
 *     waiting ───────────▶ on its way ──────────────────▶ settled
 *        ▲                    │    │
 *        └── lost: question ──┘    └── lost: change ────▶ settled, its outcome unknown
 *
 *     from both: its deadline, close ──▶ settled
 *
 * Invariants:
 * - A change is handed to a socket at most once. Unlike a message it has no id by which the server would know it again, so
 *   that a repeat which comes late could undo what the same user has done since: whether to repeat it is the app's to say.
 * - It fails with `OutcomeUnknownError` if it was handed to a socket and no answer says what became of it. A change that
 *   fails with what comes of waiting, of a full queue or of closing was never handed to one.
 * - Every entry is settled `requestTimeoutMs` after it was added at the latest. An answer that comes later is dropped.
 */
export class RequestQueue {
  readonly #settings: Settings;
  readonly #link: RequestLink;
  readonly #alarm: Alarm;
  /** In the order in which they were added, which is also that of their deadlines. */
  readonly #entries = new Set<Entry>();
  readonly #byId = new Map<number, Entry>();

  constructor(settings: Settings, link: RequestLink) {
    this.#settings = settings;
    this.#link = link;
    this.#alarm = new Alarm(settings.clock);
  }

  /** How many are not settled. */
  get pending(): number {
    return this.#entries.size;
  }

  /** @throws RequestQueueFullError */
  add(request: Request): void {
    const { requestsMax, requestTimeoutMs, clock } = this.#settings;
    if (this.#entries.size >= requestsMax) throw new RequestQueueFullError(request.what, requestsMax);
    this.#entries.add({ request, deadlineAtMs: clock.nowMs() + requestTimeoutMs, id: null });
    this.#watch();
    this.pump();
  }

  /** Sends what waits, if there is a connection. */
  pump(): void {
    if (!this.#link.isOpen()) return;
    for (const entry of this.#entries) if (entry.id === null && !this.#send(entry)) return;
  }

  onLost(): void {
    this.#byId.clear();
    for (const entry of [...this.#entries]) {
      if (entry.id === null) continue;
      entry.id = null;
      const { what, isChange } = entry.request;
      const why = 'the connection was lost before the answer';
      if (isChange) this.#fail(entry, new OutcomeUnknownError(what, why));
    }
  }

  onAnswer(frame: AnswerFrame): void {
    const entry = this.#byId.get(frame.id);
    if (entry?.request.onAnswer(frame) === true) this.#settle(entry);
  }

  /** @returns whether the error was the answer to something of here */
  onError(frame: ErrorFrame): boolean {
    const entry = frame.id === null ? undefined : this.#byId.get(frame.id);
    if (entry === undefined) return false;
    const { what, isChange } = entry.request;
    const refusal = new RequestRefusedError(what, frame);
    const unknown = new OutcomeUnknownError(what, 'the log did not answer the server in time', refusal);
    this.#fail(entry, isChange && frame.code === 'unknown_outcome' ? unknown : refusal);
    return true;
  }

  /** Fails everything, for good. */
  close(reason: (what: string) => Error): void {
    this.onLost();
    for (const entry of [...this.#entries]) this.#fail(entry, reason(entry.request.what));
  }

  #send(entry: Entry): boolean {
    const id = this.#link.nextRequestId();
    if (!this.#link.send(entry.request.frame(id))) return false;
    entry.id = id;
    this.#byId.set(id, entry);
    return true;
  }

  #fail(entry: Entry, error: Error): void {
    this.#settle(entry);
    entry.request.onFail(error);
  }

  #settle(entry: Entry): void {
    if (entry.id !== null) this.#byId.delete(entry.id);
    this.#entries.delete(entry);
    if (this.#entries.size === 0) this.#alarm.clear();
  }

  /** One timer: deadlines pass in the order of the entries. */
  #watch(): void {
    const [first] = this.#entries;
    if (first === undefined || this.#alarm.isSet) return;
    this.#alarm.set(Math.max(0, first.deadlineAtMs - this.#settings.clock.nowMs()), () => this.#onAlarm());
  }

  #onAlarm(): void {
    const nowMs = this.#settings.clock.nowMs();
    for (const entry of [...this.#entries]) {
      if (entry.deadlineAtMs > nowMs) break;
      this.#fail(entry, this.#overdue(entry));
    }
    this.#watch();
  }

  #overdue({ id, request: { what, isChange } }: Entry): Error {
    const { requestTimeoutMs } = this.#settings;
    if (!isChange || id === null) return new RequestTimeoutError(what, requestTimeoutMs);
    return new OutcomeUnknownError(what, `no answer came within ${requestTimeoutMs} ms`);
  }
}
